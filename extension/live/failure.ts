/**
 * What went wrong, under the cell that failed: the traceback as the notebook would show it, and what can be done. It is shown beside the
 * notebook's outputs and never becomes one of them.
 */
import type { Cell } from '@jupyterlab/cells';
import { type IRenderMimeRegistry, MimeModel } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { closeIcon, LabIcon } from '@jupyterlab/ui-components';
import { Panel, type PanelLayout, Widget } from '@lumino/widgets';
import type { CellError } from '../../pipeline/model/protocol';

export interface FailureActions {
  continueFromHere(): void;
  openRun(): void;
  dismiss(): void;
}

const mime = 'application/vnd.jupyter.stderr';

export class FailureView extends Panel {
  /** `reason` stands in where there is no error of the code: a step that was stopped from outside. */
  constructor(
    step: string,
    error: CellError | undefined,
    reason: string | undefined,
    rendermime: IRenderMimeRegistry,
    actions: FailureActions,
    trans: TranslationBundle,
  ) {
    super();
    this.addClass('stepwell-failure');
    this.node.setAttribute('role', 'group');
    this.node.setAttribute('aria-label', trans.__('Why step %1 failed', step));
    this.node.dataset.lmSuppressShortcuts = 'true';
    this.addWidget(head(step, actions, trans));
    const lines = error?.traceback.length
      ? error.traceback
      : [error ? `${error.ename}: ${error.evalue}` : (reason ?? trans.__('The step failed.'))];
    // Not trusted: what code printed may hold anything.
    const model = new MimeModel({ data: { [mime]: lines.join('\n') }, trusted: false });
    const renderer = rendermime.createRenderer(mime);
    renderer.addClass('stepwell-failure-text');
    void renderer.renderModel(model);
    this.addWidget(renderer);
  }

  /** Puts it under the cell's input. */
  attachTo(cell: Cell): void {
    void cell.ready.then(() => {
      if (this.isDisposed || cell.isDisposed) return;
      const layout = cell.layout as PanelLayout;
      const input = layout.widgets.findIndex(widget => widget.hasClass('jp-Cell-inputWrapper'));
      layout.insertWidget(input + 1, this);
    });
  }
}

function head(step: string, actions: FailureActions, trans: TranslationBundle): Widget {
  const node = document.createElement('div');
  const title = document.createElement('span');
  title.className = 'stepwell-failure-title';
  title.textContent = trans.__('Step %1 failed here in the run', step);
  const go = button(trans.__('Continue from here'), actions.continueFromHere);
  go.title = trans.__('Runs this step and those below anew; those above are taken from the last run');
  const open = button(trans.__('Open run'), actions.openRun);
  const dismiss = button('', actions.dismiss);
  dismiss.className = 'stepwell-failure-close jp-mod-minimal';
  dismiss.title = trans.__('Dismiss');
  dismiss.setAttribute('aria-label', trans.__('Dismiss'));
  dismiss.append(LabIcon.resolveElement({ icon: closeIcon, tag: 'span' }));
  node.append(title, go, open, dismiss);
  const widget = new Widget({ node });
  widget.addClass('stepwell-failure-head');
  return widget;
}

function button(label: string, clicked: () => void): HTMLButtonElement {
  const node = document.createElement('button');
  node.type = 'button';
  node.className = 'stepwell-link';
  node.textContent = label;
  node.addEventListener('click', clicked);
  return node;
}
