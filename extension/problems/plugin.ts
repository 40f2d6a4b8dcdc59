/** Problems, marked where they are while people type. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import type { ICellModel } from '@jupyterlab/cells';
import { EditorExtensionRegistry, IEditorExtensionRegistry } from '@jupyterlab/codemirror';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import type { Problem } from '../../pipeline/model/problem';
import { type INotebookPipeline, INotebookPipelines, IProblemActions } from '../tokens';
import { explain } from './explain';
import { applyFix, byCell } from './fix';
import { Underlines } from './underline';

export const problems: JupyterFrontEndPlugin<IProblemActions> = {
  id: 'stepwell:problems',
  description: 'Underlines problems in cells and applies their fixes.',
  autoStart: true,
  provides: IProblemActions,
  requires: [INotebookTracker, INotebookPipelines, IEditorExtensionRegistry, IRenderMimeRegistry],
  optional: [ISettingRegistry, ITranslator],
  activate: (
    _app: JupyterFrontEnd,
    tracker: INotebookTracker,
    pipelines: INotebookPipelines,
    editors: IEditorExtensionRegistry,
    rendermime: IRenderMimeRegistry,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
  ): IProblemActions => {
    const trans = (translator ?? nullTranslator).load('stepwell');
    const actions: IProblemActions = {
      fix(notebook, problem) {
        const shared = notebook.panel.content.model?.sharedModel;
        if (!shared || !problem.fix) return;
        if (applyFix(shared, problem.fix, cell => notebook.compiledCell(cell))) return;
        Notification.warning(trans.__('The cell has changed since; the fix no longer fits. Look at it once more.'), { autoClose: 5000 });
      },
      explain: problem => explain(problem, rendermime, trans),
    };
    const holders = new Map<string, INotebookPipeline>();
    const underlines = new Underlines(cell => {
      const notebook = holders.get(cell);
      return notebook && { fix: (one: Problem) => actions.fix(notebook, one), explain: (one: Problem) => void actions.explain(one) };
    }, trans);

    editors.addExtension({
      name: 'stepwell:problems',
      factory: ({ model }) => {
        const { id, type } = model as Partial<ICellModel>;
        return type === 'code' && id !== undefined ? EditorExtensionRegistry.createImmutableExtension(underlines.extension(id)) : null;
      },
    });

    let underline = true;
    const redrawn = new Signal<IProblemActions, void>(actions);
    const follow = (panel: NotebookPanel) => {
      const notebook = pipelines.of(panel);
      let shown: readonly string[] = [];
      const update = () => {
        const firstOf = (step: string) => notebook.pipeline?.steps.find(({ name }) => name === step)?.cells[0]?.cell;
        // Who a cell belongs to is asked for while its problems are shown.
        for (const cell of shown) holders.delete(cell);
        for (const cell of notebook.cells) holders.set(cell, notebook);
        const found = underline ? notebook.problems : [];
        underlines.update([...shown, ...notebook.cells], byCell(found, notebook.cells, firstOf));
        shown = notebook.cells;
      };
      notebook.changed.connect(update);
      redrawn.connect(update);
      panel.disposed.connect(() => {
        redrawn.disconnect(update);
        underlines.update(shown, new Map());
        for (const cell of shown) holders.delete(cell);
      });
      update();
    };
    void registry?.load('stepwell:problems').then(settings => {
      const read = () => {
        underline = settings.get('underline').composite === true;
        redrawn.emit();
      };
      settings.changed.connect(read);
      read();
    });
    tracker.forEach(follow);
    tracker.widgetAdded.connect((_, panel) => follow(panel));
    return actions;
  },
};
