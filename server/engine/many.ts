/**
 * Drives many runs at once. `run.ts` stays the only way of running one; what is here decides which Python a run gets, how much the machine
 * takes on at once, which runs of processes that died are taken up, and who is told of what happens.
 */
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import type { Notebook } from '../../pipeline/model/notebook';
import type { CellRun } from '../../pipeline/model/protocol';
import type { Change, Run, RunEvent, RunOptions } from '../../pipeline/model/run';
import type { TaskDocument, TaskEvent } from '../../pipeline/model/task';
import type { Artifacts } from '../artifacts';
import type { ActiveRun, LoadedRun, Store } from '../store';
import { attemptFolder } from '../targets/attempt';
import type { Lent, Pool } from '../targets/local/pool';
import { readSaid } from '../targets/local/said';
import { TargetProblem } from '../targets/problem';
import { podsOfARun, Routed, targetName } from '../targets/routed';
import type { AttemptId, Target } from '../targets/target';
import { CellBoard } from './cells';
import { Others } from './others';
import { RunProblem } from './problem';
import { Reservations } from './reservations';
import { isDead, ownerName, type RunReport, resumeRun, type Surroundings, startRun } from './run';
import type { Counts, Line, Runs, RunsListener, RunToStart } from './runs';
import { Slots } from './slots';
import { snapshot } from './snapshot';

export interface RunsOptions {
  store: Store;
  artifacts: Artifacts;
  pool: Pool;
  /** Attempts' folders are in `<home>/runs`. */
  home: string;
  /** Makes the targets away from this machine, by name, when the first step needs one. */
  elsewhere?: Record<string, () => Promise<Target>>;
  /** Done before an attempt starts at that target. */
  before?(target: string, task: TaskDocument): Promise<void>;
  /** Attempts that run at once, over all runs, and runs that have begun. Default: the machine's cores, and two at least. */
  workers?: number;
  /** Hears of what went wrong behind everybody's back. */
  trouble?(error: unknown, run?: string): void;
}

export const openRuns = (options: RunsOptions): Runs => new Many(options);

/** What a service's claims end with: its runs go on after a restart, where a command's are ended. */
const kind = 'service';
const abandoned = 'the process that ran it ended; it can be resumed';
/** Milliseconds before a run that could not be taken up is tried again. */
const patience = 10_000;

/** A run that this process moves. */
interface Live {
  run: Run;
  board: CellBoard;
  abort: AbortController;
  /** Where its steps run, from its turn on. */
  target?: Routed;
  /** Its cells are going to be looked at. */
  looking: boolean;
  over: Promise<void>;
}

interface ToDrive {
  notebook: Notebook;
  notebookPath: string;
  python: string;
  /** Where steps run that do not say. */
  place: string;
  board: CellBoard;
  /** Only to end it as cancelled, for this reason. */
  ending?: string;
  go(around: Surroundings): Promise<RunReport>;
}

class Many implements Runs {
  private readonly live = new Map<string, Live>();
  private readonly listeners = new Set<RunsListener>();
  private readonly slots: Slots;
  private readonly reservations = new Reservations();
  private readonly others: Others;
  private readonly leave = new AbortController();
  private readonly owner = ownerName(kind);
  /** Starts by idempotency key, so that one waits for the other. */
  private readonly starts = new Map<string, Promise<unknown>>();
  /** Runs on their way to their rows, and to their end. */
  private readonly driven = new Set<Promise<void>>();
  /** When a run of a dead process was last tried. */
  private readonly tried = new Map<string, number>();
  private closing: Promise<void> | undefined;
  /** Targets elsewhere, shared by all runs. */
  private readonly elsewhere = new Map<string, Promise<Target>>();

  constructor(private readonly options: RunsOptions) {
    this.slots = new Slots(options.workers ?? Math.max(2, availableParallelism()));
    this.others = new Others(options.store, id => this.live.has(id), {
      run: run => this.tell(listener => listener.run?.(run)),
      events: (run, events) => {
        this.tell(listener => listener.events?.(run, events));
        this.tellCellsOf(run);
      },
      active: runs => this.takeUpDead(runs),
      trouble: error => options.trouble?.(error),
    });
  }

  async start(request: RunToStart): Promise<{ run: Run; repeated: boolean }> {
    this.refuseWhenClosing();
    const { idempotencyKey: key } = request;
    if (key === undefined) return { run: await this.startNew(request), repeated: false };
    const before = this.starts.get(key) ?? Promise.resolve();
    const started = before.catch(() => {}).then(() => this.startOnce(key, request));
    this.starts.set(key, started);
    try {
      return await started;
    } finally {
      if (this.starts.get(key) === started) this.starts.delete(key);
    }
  }

  async cancel(id: string): Promise<void> {
    const live = this.live.get(id);
    if (live && isActive(live.run)) return live.abort.abort();
    const run = live?.run ?? (await this.options.store.findRun(id));
    if (!run) throw unknown(id);
    if (!isActive(run)) throw new RunProblem('wrong-state', `Run ${id} has ended (${run.status}); there is nothing to cancel.`);
    throw new RunProblem('wrong-state', `Run ${id} is moved by another process (${run.owner ?? 'not known'}); stop it there.`);
  }

  async resume(id: string, _by?: string): Promise<Run> {
    this.refuseWhenClosing();
    const live = this.live.get(id);
    if (live && isActive(live.run)) throw new RunProblem('wrong-state', `Run ${id} is ${live.run.status}; there is nothing to resume.`);
    await live?.over;
    // What another process did last is told before this one goes on.
    await this.others.look();
    const loaded = await this.options.store.loadRun(id);
    if (!loaded) throw unknown(id);
    return this.takeUp(loaded);
  }

  warm(notebook: Notebook, notebookPath: string): void {
    if (!this.closing) this.options.pool.warm(notebook, notebookPath);
  }

  listen(listener: RunsListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async cells(id: string): Promise<CellRun[] | undefined> {
    const live = this.live.get(id);
    if (live) return live.board.all();
    const loaded = await this.options.store.loadRun(id);
    return loaded && snapshot(loaded, this.folderOf);
  }

  async lines(run: string, step: string, attempt: number, after: number, limit: number): Promise<Line[]> {
    const id = { run, step, attempt };
    const folder = this.folderOf(id);
    await this.live.get(run)?.target?.flush(id);
    return readSaid(folder, after, limit);
  }

  adopt(): Promise<void> {
    return this.others.begin();
  }

  running(): Counts {
    return { runs: this.live.size, attempts: this.slots.running, waiting: this.slots.waiting };
  }

  close(): Promise<void> {
    this.closing ??= this.closeNow();
    return this.closing;
  }

  private async closeNow(): Promise<void> {
    this.leave.abort();
    await this.others.close();
    await Promise.allSettled(this.starts.values());
    await Promise.all(this.driven);
    await this.options.pool.close();
    // What can go on without us does, and is taken up again.
    for (const made of this.elsewhere.values()) await made.then(target => (target.leave ? target.leave() : target.close())).catch(() => {});
  }

  private async startOnce(key: string, asked: RunToStart): Promise<{ run: Run; repeated: boolean }> {
    const { notebook, notebookPath, options } = asked;
    const request = createHash('sha256')
      .update(JSON.stringify([notebookPath, notebook, options]))
      .digest('hex');
    const earlier = await this.options.store.findStarted(key);
    if (!earlier) return { run: await this.startNew(asked, { key, request }), repeated: false };
    if (earlier.request === request) return { run: earlier.run, repeated: true };
    throw new RunProblem('conflict', `Run ${earlier.run.id} was started with the same idempotency key and another request; use a new key.`);
  }

  private startNew(request: RunToStart, idempotency?: { key: string; request: string }): Promise<Run> {
    const { notebook, notebookPath, pipeline, by } = request;
    const python = this.choose(notebook, notebookPath, request.options.python);
    const options: RunOptions = { ...request.options, python };
    const board = new CellBoard(pipeline, [], []);
    return this.drive({
      ...{ notebook, notebookPath, python, board, place: targetName(options.target ?? 'local') },
      go: around => startRun({ notebook, notebookPath, pipeline, options, startedBy: by, idempotency }, around),
    });
  }

  private async takeUp({ run, document, steps, attempts }: LoadedRun, ending?: string): Promise<Run> {
    const { id, notebookPath } = run;
    const version = await this.options.store.loadVersion(run.pipeline, run.version);
    const notebook: Notebook = JSON.parse(version?.notebook ?? '{"cells":[],"metadata":{}}');
    const python = this.choose(notebook, notebookPath, run.options.python);
    const board = new CellBoard(document, steps, attempts);
    return this.drive({ notebook, notebookPath, python, place: run.target, board, ending, go: around => resumeRun(id, around) });
  }

  /** Of the runs that are active, those whose process died: a service's go on, a command's are ended, since whoever ended it did not ask for more. */
  private async takeUpDead(runs: ActiveRun[]): Promise<void> {
    for (const { id, owner, held } of runs) {
      if (this.closing || this.live.has(id)) continue;
      const alive = held && owner !== undefined && owner !== this.owner && !isDead(owner);
      if (alive || Date.now() - (this.tried.get(id) ?? 0) < patience) continue;
      this.tried.set(id, Date.now());
      try {
        const loaded = await this.options.store.loadRun(id);
        if (loaded && isActive(loaded.run)) await this.takeUp(loaded, owner?.endsWith(`:${kind}`) ? undefined : abandoned);
        this.tried.delete(id);
      } catch (error) {
        this.options.trouble?.(error, id);
      }
    }
  }

  /** Resolves when the run has its rows and is listened to; what comes of it is told. */
  private drive({ notebook, notebookPath, python, place, board, ending, go }: ToDrive): Promise<Run> {
    const { store, artifacts, pool } = this.options;
    const abort = new AbortController();
    if (ending !== undefined) abort.abort(ending);
    let live: Live | undefined;
    let endTurn: (() => void) | undefined;
    let lent: Lent | undefined;
    const here = place === 'local';
    let begun!: (run: Run) => void;
    const begin = new Promise<Run>(resolve => {
      begun = resolve;
    });
    let over!: () => void;
    const end = new Promise<void>(resolve => {
      over = resolve;
    });
    const around: Surroundings = {
      ...{
        store,
        artifacts,
        slots: here ? this.slots : undefined,
        reservations: this.reservations,
        env: pool.env,
        owner: this.owner,
        attemptFolder: this.folderOf,
        withoutOutputs: true,
      },
      signal: abort.signal,
      leave: this.leave.signal,
      target: {
        name: place,
        turn: async signal => {
          // What runs elsewhere takes nothing of this machine.
          if (here) endTurn = await this.slots.turn(signal);
          if (this.closing) throw new RunProblem('stopping', 'Stepwell is stopping.');
          const local = () => {
            lent = pool.lend(notebook, notebookPath, python);
            return lent.target;
          };
          live!.target = new Routed(place, { ...this.makers(), local }, here ? undefined : podsOfARun, this.options.before);
          if (here) await live!.target.prepare();
          return live!.target;
        },
      },
      listener: {
        created: async id => {
          const run = (await store.findRun(id))!;
          live = { run, board, abort, looking: false, over: end };
          this.live.set(id, live);
          if (run.sequence === 1) this.tell(listener => listener.events?.(id, [firstEvent(run)]));
          this.tell(listener => listener.run?.(run));
          begun(run);
        },
        events: events => this.moved(live!, events),
        task: (step, event, attempt, number) => this.said(live!, step, event, attempt, number),
      },
    };
    const moving = go(around)
      .then(
        () => {},
        error => this.broken(live, error),
      )
      .finally(() => {
        live?.target?.release();
        lent?.giveBack();
        endTurn?.();
        if (live) {
          this.others.knows(live.run.id, live.run.sequence);
          this.live.delete(live.run.id);
        }
        over();
      });
    const settled = moving.catch(() => {}).then(() => void this.driven.delete(settled));
    this.driven.add(settled);
    return Promise.race([begin, moving.then(() => begin)]);
  }

  /** Makers of the targets elsewhere, each made once for all runs. */
  private makers(): Record<string, () => Promise<Target>> {
    const share = (name: string, make: () => Promise<Target>) => () => {
      const made = this.elsewhere.get(name) ?? make();
      this.elsewhere.set(name, made);
      made.catch(() => this.elsewhere.delete(name));
      return made;
    };
    return Object.fromEntries(Object.entries(this.options.elsewhere ?? {}).map(([name, make]) => [name, share(name, make)]));
  }

  private moved(live: Live, events: RunEvent[]): void {
    live.run = after(live.run, events);
    const { run } = live;
    for (const { change } of events) live.board.take(change);
    this.tell(listener => listener.events?.(run.id, events));
    this.tell(listener => listener.run?.(run));
    this.lookAtCells(live);
  }

  private said(live: Live, step: string, { token: _token, ...event }: TaskEvent, attempt: number, number: number | undefined): void {
    if (number !== undefined) this.tell(listener => listener.line?.(live.run.id, step, attempt, number, event));
    if (live.board.hear(step, attempt, event)) this.lookAtCells(live);
  }

  /** Soon, and once for all that happens until then. */
  private lookAtCells(live: Live): void {
    if (live.looking) return;
    live.looking = true;
    setImmediate(() => {
      live.looking = false;
      const cells = live.board.changed();
      if (cells.length > 0) this.tell(listener => listener.cells?.(live.run.id, cells));
    });
  }

  private tellCellsOf(run: string): void {
    this.cells(run).then(
      cells => cells && this.tell(listener => listener.cells?.(run, cells)),
      error => this.options.trouble?.(error, run),
    );
  }

  /** A run that cannot be moved on is told as failed, as far as the store allows; one that was left, or is another's, stays as it is. */
  private async broken(live: Live | undefined, error: unknown): Promise<void> {
    if (!live) throw error;
    const trouble = error instanceof RunProblem ? error.trouble : undefined;
    if (trouble === 'stopping') return;
    const { id } = live.run;
    this.options.trouble?.(error, id);
    if (trouble === 'conflict') return;
    try {
      const loaded = (await this.options.store.loadRun(id))!;
      if (!isActive(loaded.run)) return;
      const open = loaded.steps.filter(({ status }) => status === 'waiting' || status === 'queued' || status === 'running');
      const changes: Change[] = [
        ...open.map(({ step }): Change => ({ what: 'step', step, status: 'cancelled' })),
        { what: 'run', status: 'failed', reason: error instanceof Error ? error.message : String(error) },
      ];
      const events = await this.options.store.commit(id, loaded.run.sequence, changes);
      if (events) this.moved(live, events);
    } catch (again) {
      this.options.trouble?.(again, id);
    }
  }

  private choose(notebook: Notebook, notebookPath: string, named: string | undefined): string {
    try {
      return this.options.pool.choose(notebook, notebookPath, named);
    } catch (error) {
      throw error instanceof TargetProblem ? new RunProblem('invalid', error.message) : error;
    }
  }

  private readonly folderOf = (id: AttemptId) => attemptFolder(this.options.home, id);

  private tell(what: (listener: RunsListener) => void): void {
    for (const listener of this.listeners) what(listener);
  }

  private refuseWhenClosing(): void {
    if (this.closing) throw new RunProblem('stopping', 'Stepwell is stopping; ask again when it has been started again.');
  }
}

const unknown = (id: string) => new RunProblem('not-found', `There is no run "${id}".`);

const isActive = ({ status }: Run) => status === 'queued' || status === 'running';

const firstEvent = ({ created }: Run): RunEvent => ({ sequence: 1, at: created, change: { what: 'run', status: 'queued' } });

/** The run's row, as the store has it after these events. */
function after(run: Run, events: RunEvent[]): Run {
  const next: Run = { ...run, sequence: events.at(-1)!.sequence };
  for (const { at, change } of events) {
    if (change.what !== 'run') continue;
    next.status = change.status;
    next.reason = change.reason;
    if (change.status === 'running') next.started ??= at;
    next.ended = isActive(next) ? undefined : at;
  }
  return next;
}
