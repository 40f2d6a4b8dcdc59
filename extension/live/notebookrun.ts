/**
 * A run, as its notebook shows it: a badge on each cell that runs, and at the cell that failed the line and the traceback. Cells are found
 * by their ids, so they may be moved and edited meanwhile; one that reads otherwise than what ran says so.
 */
import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';
import type { CellError, CellRun, RunDetail } from '../../pipeline/model/protocol';
import type { IRunModel, IRuns } from '../tokens';
import { Badge } from './badge';
import { badgeState } from './cellstate';
import { FailureView } from './failure';
import { markLine } from './line';

export interface NotebookRunActions {
  /** What can be done about this cell of the run; shown at `anchor`. */
  openMenu(anchor: HTMLElement, run: IRunModel, cell: CellRun): void;
  continueFrom(run: IRunModel, step: string): void;
  openRun(run: IRunModel, step: string): void;
}

interface Marked {
  badge: Badge;
  run: CellRun;
  failure?: FailureView;
  /** The error that the failure tells of. */
  shown?: CellError;
  unlisten: () => void;
}

export class NotebookRun implements IDisposable {
  constructor(
    private readonly _panel: NotebookPanel,
    private readonly _runs: IRuns,
    private readonly _rendermime: IRenderMimeRegistry,
    private readonly _actions: NotebookRunActions,
    private readonly _trans: TranslationBundle,
  ) {
    _runs.shownChanged.connect(this._shownChanged, this);
    _panel.content.modelChanged.connect(this._modelChanged, this);
    this._modelChanged();
    _panel.disposed.connect(this.dispose, this);
    this._shownChanged(_runs, _panel);
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) return;
    this._isDisposed = true;
    clearInterval(this._clock);
    this._run?.changed.disconnect(this._update, this);
    for (const cell of [...this._marked.keys()]) this._clear(cell);
    Signal.clearData(this);
  }

  private _shownChanged(_: IRuns, panel: NotebookPanel): void {
    if (panel !== this._panel) return;
    const next = this._runs.shownIn(panel);
    if (next === this._run) return;
    this._run?.changed.disconnect(this._update, this);
    this._run = next;
    this._sources = undefined;
    this._dismissed.clear();
    next?.changed.connect(this._update, this);
    this._update();
  }

  /** Cells that are added, removed or moved, and so made anew, are looked at once the notebook has its widgets for them. */
  private _modelChanged(): void {
    this._panel.content.model?.cells.changed.connect(this._update, this);
    this._update();
  }

  private _update(): void {
    const cells = [...(this._run?.cells.values() ?? [])];
    this._byId = new Map(cells.flatMap(cell => (cell.id === undefined ? [] : [[cell.id, cell]])));
    for (const cell of [...this._marked.keys()]) if (cell.isDisposed || !this._stateOf(cell)) this._clear(cell);
    for (const cell of this._panel.content.widgets) {
      const state = this._stateOf(cell);
      if (state && this._marked.get(cell)?.run !== state) this._mark(cell, state);
    }
    const ticks = [...this._marked.values()].some(({ run }) => run.status === 'running');
    if (ticks && this._clock === undefined) this._clock = setInterval(() => this._tick(), 1000);
    if (!ticks) {
      clearInterval(this._clock);
      this._clock = undefined;
    }
  }

  private _stateOf(cell: Cell): CellRun | undefined {
    return this._byId.get(cell.model.id);
  }

  private _mark(cell: Cell, run: CellRun): void {
    let marked = this._marked.get(cell);
    if (!marked) {
      const badge: Badge = new Badge(cell, this._trans, anchor => {
        const now = this._marked.get(cell);
        if (this._run && now) this._actions.openMenu(anchor, this._run, now.run);
      });
      const edited = () => this._show(cell);
      cell.model.contentChanged.connect(edited);
      marked = { badge, run, unlisten: () => cell.model.contentChanged.disconnect(edited) };
      this._marked.set(cell, marked);
    }
    marked.run = run;
    this._show(cell);
    if (run.status === 'failed') this._fail(cell, marked);
    else this._unfail(cell, marked);
  }

  private _show(cell: Cell): void {
    const marked = this._marked.get(cell);
    marked?.badge.show(badgeState(marked.run, this._isStale(cell), Date.now(), this._trans));
  }

  private _fail(cell: Cell, marked: Marked): void {
    const { run } = marked;
    const key = `${run.cell} ${run.attempt}`;
    const owner = this._run;
    if (this._dismissed.has(key) || !owner || (marked.failure && marked.shown === run.error)) return;
    this._unfail(cell, marked);
    marked.shown = run.error;
    const reason = owner.detail?.stepRuns.find(({ step }) => step === run.step)?.reason;
    const view = new FailureView(
      run.step,
      run.error,
      reason,
      this._rendermime,
      {
        continueFromHere: () => this._actions.continueFrom(owner, run.step),
        openRun: () => this._actions.openRun(owner, run.step),
        dismiss: () => {
          this._dismissed.add(key);
          this._unfail(cell, marked);
          this._panel.content.activate();
        },
      },
      this._trans,
    );
    view.attachTo(cell);
    marked.failure = view;
    const { line } = run.error ?? {};
    if (line === undefined || this._isStale(cell)) return;
    void cell.ready.then(() => {
      if (!view.isDisposed && cell.editor) markLine(cell.editor, line);
    });
  }

  private _unfail(cell: Cell, marked: Marked): void {
    if (!marked.failure) return;
    marked.failure.dispose();
    marked.failure = undefined;
    if (!cell.isDisposed && cell.editor) markLine(cell.editor, null);
  }

  private _clear(cell: Cell): void {
    const marked = this._marked.get(cell);
    if (!marked) return;
    this._marked.delete(cell);
    marked.unlisten();
    marked.badge.dispose();
    this._unfail(cell, marked);
  }

  private _tick(): void {
    for (const [cell, { run }] of this._marked) if (run.status === 'running') this._show(cell);
  }

  private _isStale(cell: Cell): boolean {
    const ran = this._ran().get(cell.model.id);
    return ran !== undefined && ran.source !== cell.model.sharedModel.getSource();
  }

  /** The run's cells as they ran, by id. */
  private _ran(): ReadonlyMap<string, { source: string }> {
    const document = this._run?.detail?.document;
    if (this._sources?.of !== document) this._sources = { of: document, byId: sources(document) };
    return this._sources?.byId ?? new Map();
  }

  private _run: IRunModel | null = null;
  private _byId: ReadonlyMap<string, CellRun> = new Map();
  private readonly _marked = new Map<Cell, Marked>();
  private readonly _dismissed = new Set<string>();
  private _sources: { of: RunDetail['document'] | undefined; byId: ReadonlyMap<string, { source: string }> } | undefined;
  private _clock: ReturnType<typeof setInterval> | undefined;
  private _isDisposed = false;
}

function sources(document: RunDetail['document'] | undefined): ReadonlyMap<string, { source: string }> {
  const cells = document ? [...document.parameterCells, ...document.sharedCells, ...document.steps.flatMap(step => step.cells)] : [];
  return new Map(cells.flatMap(cell => (cell.id === undefined ? [] : [[cell.id, cell]])));
}
