/**
 * Runs that other processes on the same store move (the command line, or another service): seen by looking at the store now and then, and
 * told as if they were moved here. Looking costs two steps along an index, and nothing more while nothing happens.
 */
import type { Run, RunEvent } from '../../pipeline/model/run';
import { type ActiveRun, idAt, type Store } from '../store';

export interface OthersListener {
  events(run: string, events: RunEvent[]): void;
  run(run: Run): void;
  /** Runs that somebody should be moving. */
  active(runs: ActiveRun[]): Promise<void>;
  /** Something is wrong with the store; looking goes on. */
  trouble(error: unknown): void;
}

/** Milliseconds between two looks, and how long a run that is over already is still looked for. */
const pause = 700;
const recent = 30_000;
const page = 1000;

export class Others {
  /** By run, the number of the last event that was told. */
  private readonly told = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();
  private closed = false;

  constructor(
    private readonly store: Store,
    private readonly isOurs: (run: string) => boolean,
    private readonly listener: OthersListener,
  ) {}

  /** What is there now is known; from here on it is told what happens. Resolves when those that are active have been told. */
  async begin(): Promise<void> {
    const runs = await this.store.activeRuns(idAt(Date.now() - recent));
    for (const { id, sequence } of runs) this.told.set(id, sequence);
    await this.listener.active(runs.filter(isActive));
    this.later();
  }

  /** A run that is moved here has come so far; whoever moves it next goes on from there. */
  knows(run: string, sequence: number): void {
    this.told.set(run, sequence);
  }

  /** Looks once. One look waits for the one before. */
  look(): Promise<void> {
    this.looking = this.looking.then(() => this.lookNow()).catch(error => this.listener.trouble(error));
    return this.looking;
  }

  async close(): Promise<void> {
    this.closed = true;
    clearTimeout(this.timer);
    await this.looking;
  }

  private later(): void {
    if (this.closed) return;
    this.timer = setTimeout(() => void this.look().then(() => this.later()), pause).unref();
  }

  private async lookNow(): Promise<void> {
    const runs = await this.store.activeRuns(idAt(Date.now() - recent));
    const there = new Set(runs.map(({ id }) => id));
    for (const { id, sequence } of runs) await this.tell(id, sequence);
    await this.listener.active(runs.filter(isActive));
    // Neither active nor recent any more: told to its end, and forgotten.
    for (const id of [...this.told.keys()]) {
      if (there.has(id) || this.isOurs(id)) continue;
      const run = await this.store.findRun(id);
      if (run) await this.tell(id, run.sequence);
      this.told.delete(id);
    }
  }

  private async tell(id: string, sequence: number): Promise<void> {
    if (this.isOurs(id)) return;
    let after = this.told.get(id) ?? 0;
    if (after >= sequence) return;
    for (;;) {
      const events = await this.store.events(id, after, page);
      // Taken up here meanwhile: the rest is told as it happens.
      if (events.length === 0 || this.isOurs(id) || this.closed) break;
      after = events.at(-1)!.sequence;
      this.told.set(id, after);
      this.listener.events(id, events);
    }
    const run = await this.store.findRun(id);
    if (run && !this.isOurs(id)) this.listener.run(run);
  }
}

const isActive = ({ status }: ActiveRun) => status === 'queued' || status === 'running';
