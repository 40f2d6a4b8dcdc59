/**
 * A run that is followed: asked for once, then kept up by its numbered events and the states of its cells. One model per run serves all
 * who look at it; each of them holds a `Follower`, and the last to let go ends it.
 */
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import type { CellRun, RunDetail } from '../../pipeline/model/protocol';
import type { RunEvent } from '../../pipeline/model/run';
import type { IRunModel, IService } from '../tokens';
import { applyEvents } from './changes';

export class RunModel {
  constructor(
    readonly id: string,
    private readonly _service: IService,
  ) {
    _service.connectionChanged.connect(this._connected, this);
    void this._load();
  }

  detail: RunDetail | undefined;
  readonly cells = new Map<number, CellRun>();
  /** Why the run cannot be shown; absent while it can. */
  fault: unknown;

  readonly changed = new Signal<this, void>(this);
  /** Every event after the ones in `detail` as it first came. */
  readonly happened = new Signal<this, readonly RunEvent[]>(this);

  cancel(): Promise<unknown> {
    return this._service.cancel(this.id);
  }

  resume(): Promise<unknown> {
    return this._service.resume(this.id);
  }

  dispose(): void {
    this._isDisposed = true;
    this._service.connectionChanged.disconnect(this._connected, this);
    this._following?.dispose();
    Signal.clearData(this);
  }

  private async _load(): Promise<void> {
    if (this._loading) return;
    this._loading = true;
    try {
      const detail = await this._service.run(this.id);
      if (this._isDisposed) return;
      this.fault = undefined;
      this.detail = detail;
      this._put(detail.cells, true);
      this._following = this._service.followRun(this.id, detail.sequence, {
        events: events => {
          this.detail = applyEvents(this.detail!, events);
          this.happened.emit(events);
          this.changed.emit();
        },
        cells: (cells, whole) => {
          this._put(cells, whole);
          this.changed.emit();
        },
      });
    } catch (error) {
      this.fault = error;
    } finally {
      this._loading = false;
    }
    if (!this._isDisposed) this.changed.emit();
  }

  private _put(cells: readonly CellRun[], whole: boolean): void {
    if (whole) this.cells.clear();
    for (const cell of cells) this.cells.set(cell.cell, cell);
  }

  /** What could not be had while the service was away is asked for when it is back. */
  private _connected(): void {
    if (this._service.connection === 'connected' && !this._following) void this._load();
  }

  private _following: IDisposable | undefined;
  private _loading = false;
  private _isDisposed = false;
}

/** One look at a model that others look at, too. */
export class Follower implements IRunModel {
  constructor(
    private readonly _model: RunModel,
    private readonly _released: () => void,
  ) {
    _model.changed.connect(this._tell, this);
    _model.happened.connect(this._tellEvents, this);
  }

  get id(): string {
    return this._model.id;
  }

  get detail(): RunDetail | undefined {
    return this._model.detail;
  }

  get cells(): ReadonlyMap<number, CellRun> {
    return this._model.cells;
  }

  get fault(): unknown {
    return this._model.fault;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get happened(): ISignal<this, readonly RunEvent[]> {
    return this._happened;
  }

  async cancel(): Promise<void> {
    await this._model.cancel();
  }

  async resume(): Promise<void> {
    await this._model.resume();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) return;
    this._isDisposed = true;
    this._model.changed.disconnect(this._tell, this);
    this._model.happened.disconnect(this._tellEvents, this);
    Signal.clearData(this);
    this._released();
  }

  private _tell(): void {
    this._changed.emit();
  }

  private _tellEvents(_: RunModel, events: readonly RunEvent[]): void {
    this._happened.emit(events);
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _happened = new Signal<this, readonly RunEvent[]>(this);
  private _isDisposed = false;
}
