/** What a cell carries: the bar at its left edge, and the chip above its code. Names come from the notebook, so everything is text. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { colourOf } from '../graph/status';
import type { CellRole } from '../tokens';
import type { Chip, Look, Name } from './look';

/** Names beyond these are counted. */
const shownAtMost = 5;

export class CellMark extends Widget {
  constructor(
    private readonly _trans: TranslationBundle,
    private readonly _openStep: (step: string) => void,
    private readonly _openProblems: () => void,
  ) {
    super();
    this.addClass('stepwell-mark');
  }

  draw(look: Look): void {
    const { place, chip } = look;
    const bar = element('div', `stepwell-bar ${place.index === undefined ? 'stepwell-bar-role' : colourOf(place.index)}`);
    bar.dataset.odd = String((place.index ?? 0) % 2 === 1);
    bar.dataset.implied = String(place.implied);
    bar.title = this._explain(look);
    this.node.replaceChildren(bar, ...(chip ? [this._chip(chip)] : []));
  }

  private _chip(chip: Chip): HTMLElement {
    const line = element('div', 'stepwell-chip');
    if (chip.step !== undefined) line.append(this._stepButton(chip.step, chip));
    else line.append(element('span', 'stepwell-chip-role', this._roleName(chip.role)));
    if (chip.continued) line.append(element('span', 'stepwell-chip-note', this._trans.__('continued')));
    if (chip.flow) line.append(...this._flow(chip.flow));
    if (chip.problems.length > 0) {
      const label = this._trans._n('%1 problem', '%1 problems', chip.problems.length);
      const button = element('button', 'stepwell-chip-problems', label);
      button.type = 'button';
      button.title = chip.problems.join('\n');
      button.addEventListener('click', this._openProblems);
      line.append(button);
    }
    return line;
  }

  private _stepButton(step: string, { index = 0 }: Chip): HTMLElement {
    const button = element('button', `stepwell-chip-step ${colourOf(index)}`);
    button.type = 'button';
    button.setAttribute('aria-label', this._trans.__('Step %1', step));
    button.title = this._trans.__('Show the step "%1" in the side panel', step);
    button.append(element('span', 'stepwell-number', String(index + 1)), element('span', 'stepwell-chip-name', step));
    button.addEventListener('click', () => this._openStep(step));
    return button;
  }

  private _flow({ inputs, outputs }: NonNullable<Chip['flow']>): HTMLElement[] {
    if (inputs.length + outputs.length === 0) return [];
    const arrow = element('span', 'stepwell-chip-arrow', '→');
    arrow.setAttribute('aria-hidden', 'true');
    const said = (names: readonly Name[]) => (names.length > 0 ? names.map(({ name }) => name).join(', ') : this._trans.__('nothing'));
    const flow = element('span', 'stepwell-chip-flow');
    flow.setAttribute('role', 'note');
    flow.setAttribute('aria-label', this._trans.__('takes %1, gives %2', said(inputs), said(outputs)));
    flow.append(...this._names(inputs), arrow, ...this._names(outputs));
    return [flow];
  }

  private _names(names: readonly Name[]): HTMLElement[] {
    const nodes = names.slice(0, shownAtMost).map(({ name, declared }) => {
      const node = element('span', 'stepwell-name', name);
      node.dataset.declared = String(declared);
      node.title = declared ? this._trans.__('%1: declared in the settings', name) : this._trans.__('%1: found in the code', name);
      return node;
    });
    const rest = names.slice(shownAtMost);
    if (rest.length > 0) {
      const more = element('span', 'stepwell-name', `+${rest.length}`);
      more.title = rest.map(({ name }) => name).join(', ');
      nodes.push(more);
    }
    return nodes;
  }

  private _explain({ place: { step, role, implied } }: Look): string {
    if (step === undefined) return this._roleName(role);
    return implied ? this._trans.__('In the step "%1", because of the cell above', step) : this._trans.__('In the step "%1"', step);
  }

  private _roleName(role: CellRole): string {
    const names: Record<CellRole, string> = {
      step: this._trans.__('step'),
      parameters: this._trans.__('parameters'),
      imports: this._trans.__('imports · run before every step'),
      functions: this._trans.__('functions · run before every step'),
      skip: this._trans.__('left out of the pipeline'),
    };
    return names[role];
  }
}

function element<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, text = ''): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}
