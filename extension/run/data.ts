/**
 * What a run's tab shows beyond the run itself: attempts, the log of one of them, artifacts, metrics. Each is asked for when it is first
 * looked at and kept up from then on.
 */
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import type { Notebook } from '../../pipeline/model/notebook';
import type { ArtifactView, AttemptView, MetricView, StepRunView } from '../../pipeline/model/protocol';
import type { RunEvent } from '../../pipeline/model/run';
import { applyToAttempts } from '../runs/changes';
import type { IRunModel, IService } from '../tokens';
import { AttemptLog, type LogWords } from './log';

/** Bytes of an executed notebook that are shown in the tab; a larger one is to be opened. */
const largestShown = 8_000_000;
/** Milliseconds between two looks at what a run that goes on has made. */
const pause = 1000;

export class RunData implements IDisposable {
  constructor(
    readonly run: IRunModel,
    private readonly _service: IService,
    private readonly _words: LogWords,
  ) {
    run.changed.connect(this._tell, this);
    run.happened.connect(this._happened, this);
    _service.connectionChanged.connect(this._connected, this);
  }

  attempts: readonly AttemptView[] | undefined;
  artifacts: readonly ArtifactView[] | undefined;
  metrics: readonly MetricView[] | undefined;
  /** With the run's outputs; `null` when it is too large to show. */
  executed: Notebook | null | undefined;
  log: AttemptLog | undefined;
  /** What could not be had. */
  fault: unknown;

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** These are to be there, and kept up. */
  want(...what: ('attempts' | 'artifacts' | 'metrics' | 'executed')[]): void {
    for (const one of what) {
      if (this._wanted.has(one)) continue;
      this._wanted.add(one);
      void this._load(one);
    }
  }

  /** The log of an attempt is to be there; undefined: none. */
  wantLog(of: { step: string; attempt: number } | undefined): void {
    const key = of && `${of.step} ${of.attempt}`;
    if (key === this._logKey) return;
    this._logKey = key;
    this._following?.dispose();
    this._following = undefined;
    this.log = undefined;
    if (!of) return;
    const log = new AttemptLog(this._words);
    this.log = log;
    this._following = this._service.followLog({ run: this.run.id, ...of }, 0, lines => {
      log.take(lines);
      // Steps can talk faster than anybody reads.
      this._drawing ??= setTimeout(() => {
        this._drawing = undefined;
        this._tell();
      }, 100);
    });
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) return;
    this._isDisposed = true;
    clearTimeout(this._timer);
    clearTimeout(this._drawing);
    this._following?.dispose();
    this._service.connectionChanged.disconnect(this._connected, this);
    this.run.dispose();
    Signal.clearData(this);
  }

  private _tell(): void {
    this._changed.emit();
  }

  private _happened(_: unknown, events: readonly RunEvent[]): void {
    if (this.attempts) this.attempts = applyToAttempts(this.attempts, events);
    else this._early.push(...events);
    // A run of many steps tells of them by the hundred: what they made is looked up now and then.
    const made = events.some(({ change }) => change.what === 'artifacts' || (change.what === 'attempt' && change.status !== 'running'));
    if (made && this._timer === undefined) {
      this._timer = setTimeout(() => {
        this._timer = undefined;
        for (const one of this._wanted) if (one !== 'attempts') void this._load(one);
      }, pause);
    }
  }

  private async _load(what: 'attempts' | 'artifacts' | 'metrics' | 'executed'): Promise<void> {
    const { id } = this.run;
    try {
      if (what === 'attempts') this.attempts = applyToAttempts(await this._service.attempts(id), this._early.splice(0));
      else if (what === 'artifacts') this.artifacts = await this._service.artifacts(id);
      else if (what === 'metrics') this.metrics = await this._service.metrics(id);
      else this.executed = await this._executed(id);
      this.fault = undefined;
    } catch (error) {
      this.fault = error;
      this._failed.add(what);
    }
    if (!this._isDisposed) this._tell();
  }

  private async _executed(id: string): Promise<Notebook | null> {
    const file = await this._service.executedFile(id);
    return file.size > largestShown ? null : (JSON.parse(await file.text()) as Notebook);
  }

  private _connected(): void {
    if (this._service.connection !== 'connected') return;
    for (const what of this._failed) void this._load(what as 'attempts');
    this._failed.clear();
  }

  private readonly _changed = new Signal<this, void>(this);
  private readonly _wanted = new Set<'attempts' | 'artifacts' | 'metrics' | 'executed'>();
  private readonly _failed = new Set<string>();
  /** Events that came before the attempts did. */
  private readonly _early: RunEvent[] = [];
  private _following: IDisposable | undefined;
  private _logKey: string | undefined;
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _drawing: ReturnType<typeof setTimeout> | undefined;
  private _isDisposed = false;
}

/** The attempt whose log tells of a step: the last of the step, or of the unit it runs in. Undefined: none has begun. */
export function attemptOf({ step, unit }: StepRunView, attempts: readonly AttemptView[]): AttemptView | undefined {
  const name = unit ?? step;
  return attempts
    .filter(attempt => attempt.step === name)
    .reduce<AttemptView | undefined>((a, b) => (a && a.attempt > b.attempt ? a : b), undefined);
}
