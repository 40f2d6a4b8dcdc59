/**
 * The badge beside a cell's prompt. It hangs on the input's wrapper, which a cell keeps for all its life: through moves, through folding,
 * and while windowing takes the cell out of the page.
 */
import type { Cell } from '@jupyterlab/cells';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { statusIcon } from '../runs/status';
import type { BadgeState } from './cellstate';

export class Badge implements IDisposable {
  constructor(cell: Cell, trans: TranslationBundle, opened: (anchor: HTMLElement) => void) {
    this.node = document.createElement('button');
    this.node.type = 'button';
    this.node.className = 'stepwell-badge';
    this.node.setAttribute('aria-haspopup', 'menu');
    // Enter and the arrows are for the button, not for the notebook around it.
    this.node.dataset.lmSuppressShortcuts = 'true';
    this.node.addEventListener('click', () => opened(this.node));
    this._trans = trans;
    this._icon.className = 'stepwell-run-status';
    this._icon.setAttribute('aria-hidden', 'true');
    this._text.className = 'stepwell-badge-text';
    this.node.append(this._icon, this._text);
    void cell.ready.then(() => {
      if (!this._isDisposed) cell.node.querySelector(':scope > .jp-Cell-inputWrapper')?.append(this.node);
    });
  }

  readonly node: HTMLButtonElement;

  show(state: BadgeState): void {
    const { status, text, label, stale } = state;
    if (this._shown?.status !== status) {
      this._icon.replaceChildren(statusIcon(status).element({ tag: 'span' }));
      this._icon.dataset.status = status;
      this.node.dataset.status = status;
    }
    if (this._shown?.text !== text) this._text.textContent = text;
    if (this._shown?.stale !== stale) this.node.classList.toggle('stepwell-mod-stale', stale);
    if (this._shown?.label !== label) {
      this.node.title = label;
      this.node.setAttribute('aria-label', this._trans.__('%1 Menu.', label.endsWith('.') ? label : `${label}.`));
    }
    this._shown = state;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this.node.remove();
  }

  private readonly _trans: TranslationBundle;
  private readonly _icon = document.createElement('span');
  private readonly _text = document.createElement('span');
  private _shown: BadgeState | undefined;
  private _isDisposed = false;
}
