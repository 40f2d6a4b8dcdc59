/**
 * Warm Pythons, kept for the next run: one per interpreter, notebook folder and list of modules. Starting on one that is there costs a
 * write to a pipe. One whose packages or modules have changed since it imported them is never handed out again; it ends when the runs that
 * it has are over.
 */
import { dirname } from 'node:path';
import type { Notebook } from '../../../pipeline/model/notebook';
import { createLocalTarget, type LocalTarget } from './index';
import type { Wishes } from './interpreter';
import { needsOf } from './needs';

export interface PoolOptions extends Pick<Wishes, 'root' | 'jupyter' | 'env'> {
  home: string;
  runnerPath: string;
  packages?: string;
  /** Milliseconds after which one that nobody uses ends. */
  idle?: number;
  /** How many that nobody uses are kept. */
  spare?: number;
}

/** A Python that a run may use until it gives it back. */
export interface Lent {
  target: LocalTarget;
  /** The interpreter's path. */
  python: string;
  /** To be called once. */
  giveBack(): void;
}

interface Kept {
  key: string;
  target: LocalTarget;
  python: string;
  users: number;
  stale: boolean;
  timer?: NodeJS.Timeout;
}

export class Pool {
  /** Oldest use first. */
  private readonly kept = new Set<Kept>();
  private readonly ending = new Set<Promise<void>>();
  private closed = false;

  constructor(private readonly options: PoolOptions) {}

  /** Throws a `TargetProblem` when there is no Python for the notebook, or none called `named`. */
  lend(notebook: Notebook, notebookPath: string, named?: string): Lent {
    const one = this.find(notebook, dirname(notebookPath), named);
    clearTimeout(one.timer);
    one.users++;
    let given = false;
    const giveBack = () => {
      if (given) return;
      given = true;
      one.users--;
      if (one.users === 0) this.rest(one);
    };
    return { target: one.target, python: one.python, giveBack };
  }

  /** What its Pythons are started with. */
  get env(): NodeJS.ProcessEnv {
    return this.options.env ?? process.env;
  }

  /** The interpreter that the notebook would get. Throws as `lend` does. */
  choose(notebook: Notebook, notebookPath: string, named?: string): string {
    const { root, jupyter, env } = this.options;
    return needsOf(notebook, dirname(notebookPath), { named, root, jupyter, env }).python;
  }

  /** Gets one ready. Whatever keeps it from that is told when a run needs it. */
  warm(notebook: Notebook, notebookPath: string): void {
    try {
      const lent = this.lend(notebook, notebookPath);
      lent.target.warm().then(lent.giveBack, lent.giveBack);
    } catch {
      // As above.
    }
  }

  /** Ends all of them, whatever they run. */
  async close(): Promise<void> {
    this.closed = true;
    for (const one of [...this.kept]) this.end(one);
    await Promise.all(this.ending);
  }

  private find(notebook: Notebook, folder: string, named: string | undefined): Kept {
    const { home, runnerPath, packages, root, jupyter, env } = this.options;
    const { python, modules } = needsOf(notebook, folder, { named, root, jupyter, env });
    const key = JSON.stringify([python, folder, modules]);
    let one = [...this.kept].find(other => other.key === key && !other.stale);
    if (one && !one.target.isFresh()) {
      one.stale = true;
      if (one.users === 0) this.end(one);
      one = undefined;
    }
    one ??= {
      key,
      target: createLocalTarget({ python, runnerPath, packages, home, modules, folder, env, lazy: true }),
      python,
      users: 0,
      stale: false,
    };
    this.kept.delete(one);
    this.kept.add(one);
    return one;
  }

  private rest(one: Kept): void {
    if (one.stale || this.closed) {
      this.end(one);
      return;
    }
    one.timer = setTimeout(() => this.end(one), this.options.idle ?? 10 * 60_000).unref();
    const idle = [...this.kept].filter(({ users }) => users === 0);
    for (const oldest of idle.slice(0, Math.max(0, idle.length - (this.options.spare ?? 4)))) this.end(oldest);
  }

  private end(one: Kept): void {
    if (!this.kept.delete(one)) return;
    clearTimeout(one.timer);
    // What escaped from a step and cannot be ended is told by its mark to whoever starts next.
    const ended = one.target.close().catch(() => {});
    this.ending.add(ended);
    void ended.then(() => this.ending.delete(ended));
  }
}
