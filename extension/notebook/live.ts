/**
 * A shared notebook that is compiled anew a moment after each edit, whoever made it. What the compiler is given leaves outputs out, and each
 * cell's part is kept until that cell changes: an edit costs one cell, however long the notebook and however large its outputs.
 */
import type { CellChange, ISharedCell, ISharedNotebook, NotebookChange } from '@jupyter/ydoc';
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import { type Compiled, createCompiler } from '../../pipeline/compile';
import { readTags } from '../../pipeline/compile/1-read/tags';
import type { Notebook, NotebookCell } from '../../pipeline/model/notebook';
import type { CellPlace } from '../tokens';
import { placesOf } from './place';

/** How long the typing has to pause, in milliseconds, and how long it may go on without a compilation. */
export interface Pace {
  delay: number;
  atLatest: number;
}

export class LiveNotebook implements IDisposable {
  compiled: Compiled = { problems: [] };
  /** The cells as they were compiled. */
  cells: readonly NotebookCell[] = [];
  tagged = false;
  kale = false;

  constructor(
    private readonly _notebook: ISharedNotebook,
    private readonly _name: () => string,
    private readonly _pace: Pace,
  ) {
    _notebook.changed.connect(this._onNotebookChanged, this);
    for (const cell of _notebook.cells) cell.changed.connect(this._onCellChanged, this);
    this.refresh();
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  placeOf(cellId: string): CellPlace | undefined {
    return this._places.get(cellId);
  }

  /** The notebook as it is now, without the outputs of the cells that a run would fill. */
  snapshot(): Notebook {
    return {
      nbformat: 4,
      nbformat_minor: Math.max(5, this._notebook.nbformat_minor),
      metadata: this._notebook.getMetadata(),
      cells: this._notebook.cells.map(cell => this._cellOf(cell)),
    };
  }

  /** Compiles now if something changed since it was done last. */
  refresh(): void {
    this._unschedule();
    if (!this._stale || this._disposed) return;
    this._stale = false;
    const notebook = this.snapshot();
    this.cells = notebook.cells;
    const code = notebook.cells.filter(cell => cell.cell_type === 'code');
    this.tagged = code.some(({ metadata }) => isTagged(metadata.tags));
    this.kale = code.some(({ metadata: { tags } }) => Array.isArray(tags) && tags.some(isConvertible));
    this.compiled = this.tagged ? this._compiler.compile(notebook, { name: this._name() }) : { problems: [] };
    this._places = placesOf(this.cells, this.compiled.pipeline);
    this._changed.emit();
  }

  dispose(): void {
    if (this._disposed) return;
    this._disposed = true;
    this._unschedule();
    Signal.clearData(this);
  }

  private _cellOf(cell: ISharedCell): NotebookCell {
    let kept = this._kept.get(cell);
    if (!kept) {
      const { cell_type, id } = cell;
      kept = { cell_type, id, metadata: cell.getMetadata() as NotebookCell['metadata'], source: cell.getSource() };
      if (cell_type === 'code') Object.assign(kept, this._outputsOf(cell, kept));
      else if ('attachments' in cell && cell.attachments) kept.attachments = cell.attachments;
      this._kept.set(cell, kept);
    }
    return kept;
  }

  /** A cell that is left out of a run keeps what it shows. */
  private _outputsOf(cell: ISharedCell, { metadata }: NotebookCell): Partial<NotebookCell> {
    if (readTags(metadata.tags).role !== 'skip') return { outputs: [], execution_count: null };
    const { outputs, execution_count } = cell.toJSON() as Partial<NotebookCell>;
    return { outputs, execution_count };
  }

  private _onNotebookChanged(_: ISharedNotebook, change: NotebookChange): void {
    for (const { insert } of change.cellsChange ?? []) {
      for (const cell of insert ?? []) cell.changed.connect(this._onCellChanged, this);
    }
    if (change.cellsChange || change.metadataChange || change.nbformatChanged) this._schedule();
  }

  private _onCellChanged(cell: ISharedCell, change: CellChange): void {
    const outputs = 'outputsChange' in change || 'executionCountChange' in change || 'executionStateChange' in change;
    if (outputs && !change.sourceChange && !change.metadataChange) {
      if (readTags(this._kept.get(cell)?.metadata.tags).role === 'skip') this._kept.delete(cell);
      return;
    }
    this._kept.delete(cell);
    this._schedule();
  }

  private _schedule(): void {
    this._stale = true;
    const now = Date.now();
    this._since ??= now;
    clearTimeout(this._timer);
    const wait = Math.max(0, Math.min(this._pace.delay, this._since + this._pace.atLatest - now));
    this._timer = setTimeout(() => this.refresh(), wait);
  }

  private _unschedule(): void {
    clearTimeout(this._timer);
    this._timer = undefined;
    this._since = undefined;
  }

  private readonly _compiler = createCompiler();
  private readonly _changed = new Signal<this, void>(this);
  private readonly _kept = new WeakMap<ISharedCell, NotebookCell>();
  private _places: ReadonlyMap<string, CellPlace> = new Map();
  private _stale = true;
  private _since: number | undefined;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _disposed = false;
}

/** Whether one of these tags is ours or Kale's. */
function isTagged(tags: unknown): boolean {
  const said = readTags(tags);
  return said.role !== undefined || said.kale || said.remarks.some(({ code }) => code === 'bad-step-name');
}

/** A tag of Kale that Stepwell has a word of its own for. */
const isConvertible = (tag: unknown): boolean => typeof tag === 'string' && (tag.startsWith('block:') || tag === 'pipeline-parameters');
