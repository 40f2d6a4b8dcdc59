/** An open notebook as a pipeline: what is compiled from its shared model, and the way back to its cells on screen. */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import type { Notebook, NotebookCell } from '../../pipeline/model/notebook';
import type { Pipeline } from '../../pipeline/model/pipeline';
import type { Problem, Range } from '../../pipeline/model/problem';
import type { CellPlace, INotebookPipeline } from '../tokens';
import { LiveNotebook, type Pace } from './live';

export class NotebookPipeline implements INotebookPipeline, IDisposable {
  constructor(
    readonly panel: NotebookPanel,
    pace: Pace,
  ) {
    // The model is there when the file has been read, or the shared document has arrived.
    void panel.context.ready.then(() => {
      const model = panel.content.model;
      if (!model || this._disposed) return;
      this._live = new LiveNotebook(model.sharedModel, () => nameOf(panel.context.path), pace);
      this._live.changed.connect(this._onCompiled, this);
      this._onCompiled();
    });
    panel.disposed.connect(this.dispose, this);
  }

  get pipeline(): Pipeline | undefined {
    return this._live?.compiled.pipeline;
  }

  get problems(): readonly Problem[] {
    return this._live?.compiled.problems ?? [];
  }

  get cells(): readonly string[] {
    return this._cells;
  }

  get tagged(): boolean {
    return this._live?.tagged ?? false;
  }

  get kale(): boolean {
    return this._live?.kale ?? false;
  }

  get readOnly(): boolean {
    const { content, context } = this.panel;
    return !content.model || content.model.readOnly || context.contentsModel?.writable === false;
  }

  get changed(): ISignal<INotebookPipeline, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  placeOf(cellId: string): CellPlace | undefined {
    return this._live?.placeOf(cellId);
  }

  compiledCell(cell: number): { id: string; source: string } | undefined {
    const found = this._live?.cells[cell] as (NotebookCell & { id: string; source: string }) | undefined;
    return found && { id: found.id, source: found.source };
  }

  snapshot(): Notebook {
    if (!this._live) throw new Error('The notebook has not been read yet.');
    return this._live.snapshot();
  }

  refresh(): void {
    this._live?.refresh();
  }

  reveal(cell: number, range?: Range): void {
    const { content } = this.panel;
    const id = this.cells[cell];
    const index = content.widgets.findIndex(({ model }) => model.id === id);
    const widget = content.widgets[index];
    if (!widget) return;
    // In edit mode the cell would take the keys of those who only look.
    if (!range) content.mode = 'command';
    content.deselectAll();
    content.activeCellIndex = index;
    void content.scrollToCell(widget, 'smart').then(async () => {
      await widget.ready;
      const { editor } = widget;
      if (!range || !editor) return;
      const length = editor.model.sharedModel.getSource().length;
      const at = (offset: number) => editor.getPositionAt(Math.min(offset, length))!;
      editor.setSelection({ start: at(range.from), end: at(range.to) });
      editor.focus();
    });
  }

  dispose(): void {
    if (this._disposed) return;
    this._disposed = true;
    this._live?.dispose();
    Signal.clearData(this);
  }

  private _onCompiled(): void {
    this._cells = this._live!.cells.map(({ id }) => id!);
    this._changed.emit();
  }

  private readonly _changed = new Signal<INotebookPipeline, void>(this);
  private _live: LiveNotebook | undefined;
  private _cells: readonly string[] = [];
  private _disposed = false;
}

/** The name of a notebook's pipeline where its metadata give none: its file's. */
const nameOf = (path: string): string =>
  path
    .split('/')
    .at(-1)!
    .replace(/\.ipynb$/, '');
