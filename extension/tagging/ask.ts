/** Asks for a step: an existing one or a new name, checked while it is typed. */
import { Dialog } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import { isStepName, validStepName } from '../../pipeline/compile/1-read/tags';
import { colourOf } from '../graph/status';

export interface Question {
  title: string;
  /** Names to choose from with one click, in notebook order. */
  steps: readonly string[];
  value: string;
  /** Whether an existing name may be given. */
  existing: boolean;
}

/** The name, or nothing when people changed their mind. */
export async function askForStep(question: Question, trans: TranslationBundle): Promise<string | undefined> {
  const body = new StepField(question, trans);
  const dialog = new StepDialog({
    title: question.title,
    body,
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('OK') })],
    focusNodeSelector: 'input',
  });
  const { button, value } = await dialog.launch();
  return button.accept && value ? value : undefined;
}

/** A dialog that stays as long as what was entered is no name. */
class StepDialog extends Dialog<string> {
  override resolve(index?: number): void {
    // Enter comes without a button: it means OK.
    if (index !== 0 && !this._field.check()) return;
    super.resolve(index);
  }

  constructor(options: Partial<Dialog.IOptions<string>> & { body: StepField }) {
    super(options);
    this._field = options.body;
  }

  private readonly _field: StepField;
}

class StepField extends Widget implements Dialog.IBodyWidget<string> {
  constructor(
    private readonly _question: Question,
    private readonly _trans: TranslationBundle,
  ) {
    super();
    this.addClass('stepwell-ask');
    const label = element('label', 'stepwell-ask-label', _trans.__('Step'));
    this._input.className = 'jp-mod-styled';
    this._input.value = _question.value;
    this._input.maxLength = 63;
    this._input.spellcheck = false;
    this._input.autocomplete = 'off';
    this._input.setAttribute('aria-describedby', 'stepwell-ask-hint');
    this._hint.id = 'stepwell-ask-hint';
    this._hint.setAttribute('role', 'status');
    label.append(this._input);
    this.node.append(label, this._hint, this._choices);
    this._input.addEventListener('input', () => this._draw());
    this._draw();
  }

  getValue(): string {
    return this._input.value.trim();
  }

  /** Whether the name can be taken; says why not. */
  check(): boolean {
    const fault = this._fault();
    this._input.setAttribute('aria-invalid', String(fault !== undefined));
    this._hint.textContent = fault ?? '';
    if (fault) this._input.focus();
    return fault === undefined;
  }

  protected override onAfterAttach(): void {
    requestAnimationFrame(() => this._input.select());
  }

  private _fault(): string | undefined {
    const name = this.getValue();
    if (name === '') return this._trans.__('Give the step a name.');
    if (!isStepName(name)) {
      return this._trans.__('Letters, digits, "_" and "-" can be in a name, 63 at most. Perhaps "%1"?', validStepName(name));
    }
    if (!this._question.existing && this._question.steps.includes(name)) return this._trans.__('There is a step "%1" already.', name);
    return undefined;
  }

  private _draw(): void {
    const name = this.getValue();
    const fault = name === '' ? undefined : this._fault();
    const isNew = name !== '' && !this._question.steps.includes(name);
    this._hint.textContent = fault ?? (isNew && this._question.existing ? this._trans.__('A new step.') : '');
    this._hint.classList.toggle('stepwell-ask-fault', fault !== undefined);
    if (!this._question.existing) return;
    const typed = name.toLowerCase();
    const exact = this._question.steps.includes(name);
    const choices = this._question.steps
      .map((step, index) => ({ step, index }))
      .filter(({ step }) => exact || step.toLowerCase().includes(typed));
    this._choices.replaceChildren(
      ...choices.slice(0, 40).map(({ step, index }) => {
        const button = element('button', `stepwell-choice ${colourOf(index)}`, step);
        button.type = 'button';
        button.setAttribute('aria-pressed', String(step === name));
        const number = element('span', `stepwell-number ${colourOf(index)}`, String(index + 1));
        number.setAttribute('aria-hidden', 'true');
        button.prepend(number);
        button.addEventListener('click', () => {
          this._input.value = step;
          this._draw();
          this._input.focus();
        });
        return button;
      }),
    );
  }

  private readonly _input = document.createElement('input');
  private readonly _hint = element('div', 'stepwell-ask-hint');
  private readonly _choices = element('div', 'stepwell-choices');
}

function element<K extends keyof HTMLElementTagNameMap>(tag: K, className: string, text = ''): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}
