/**
 * The marks on the cells of one notebook. Cells come, move and go, and those out of sight are not built yet: a mark is put on when its cell is
 * there, and drawn again only when its look changed, so that an edit in a notebook of 2,000 cells touches the few that it concerns.
 */
import type { Cell } from '@jupyterlab/cells';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { PanelLayout } from '@lumino/widgets';
import type { INotebookPipeline } from '../tokens';
import type { CellMark } from './chip';
import { type Look, looksOf } from './look';

export class CellMarks implements IDisposable {
  constructor(
    private readonly _notebook: INotebookPipeline,
    private readonly _make: () => CellMark,
  ) {
    const { content } = _notebook.panel;
    _notebook.changed.connect(this._update, this);
    content.modelChanged.connect(this._watch, this);
    this._watch();
    this._update();
  }

  get isDisposed(): boolean {
    return this._disposed;
  }

  dispose(): void {
    if (this._disposed) return;
    this._disposed = true;
    cancelAnimationFrame(this._frame);
    Signal.clearData(this);
  }

  /** The notebook may be compiled before its cells have been put on screen: then they are marked when they come. */
  private _watch(): void {
    this._notebook.panel.content.model?.cells.changed.connect(this._soon, this);
    this._soon();
  }

  private _soon(): void {
    cancelAnimationFrame(this._frame);
    this._frame = requestAnimationFrame(() => this._update());
  }

  private _update(): void {
    if (this._disposed) return;
    this._looks = looksOf(this._notebook);
    for (const cell of this._notebook.panel.content.widgets) {
      if (cell.isPlaceholder()) void this._whenReady(cell);
      else this._show(cell);
    }
  }

  private async _whenReady(cell: Cell): Promise<void> {
    if (this._awaited.has(cell)) return;
    this._awaited.add(cell);
    await cell.ready;
    this._awaited.delete(cell);
    if (!cell.isDisposed && !this._disposed) this._show(cell);
  }

  private _show(cell: Cell): void {
    const look = this._looks.get(cell.model.id);
    const key = look && JSON.stringify(look);
    if (this._shown.get(cell) === key) return;
    this._shown.set(cell, key);
    let mark = this._marks.get(cell);
    if (!look) {
      this._marks.delete(cell);
      mark?.dispose();
      cell.removeClass('stepwell-cell');
      return;
    }
    if (!mark) {
      mark = this._make();
      this._marks.set(cell, mark);
      (cell.layout as PanelLayout).insertWidget(0, mark);
      cell.addClass('stepwell-cell');
    }
    mark.draw(look);
  }

  private _looks: ReadonlyMap<string, Look> = new Map();
  private readonly _shown = new WeakMap<Cell, string | undefined>();
  private readonly _marks = new WeakMap<Cell, CellMark>();
  private readonly _awaited = new WeakSet<Cell>();
  private _frame = 0;
  private _disposed = false;
}
