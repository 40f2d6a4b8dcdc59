/**
 * Many runs at once, as the service drives them: what may be asked, and what is told. `openRuns` in `many.ts` is what keeps these promises.
 */
import type { Notebook } from '../../pipeline/model/notebook';
import type { Pipeline } from '../../pipeline/model/pipeline';
import type { CellRun, LoggedTaskEvent } from '../../pipeline/model/protocol';
import type { Run, RunEvent, RunOptions } from '../../pipeline/model/run';

export { RunProblem, type RunTrouble } from './problem';

export interface RunToStart {
  notebook: Notebook;
  /** Absolute. It need not exist; its folder must. */
  notebookPath: string;
  pipeline: Pipeline;
  options: RunOptions;
  /** The user's name, where there is one. */
  by?: string;
  /** The same key with the same request gives the same run, with another request a `conflict`. */
  idempotencyKey?: string;
}

/** What is told of runs, whoever moves them: this process or another one on the same store. A listener must not throw. */
export interface RunsListener {
  /** A run began, moved or ended: its row as it is now. */
  run?(run: Run): void;
  /** Rows of a run's log, in order and without gaps. */
  events?(run: string, events: RunEvent[]): void;
  /** Cells of a run that stand elsewhere than before. */
  cells?(run: string, cells: CellRun[]): void;
  /** An attempt said something. `number` counts from 1 within the attempt; its result is not told as a line. */
  line?(run: string, step: string, attempt: number, number: number, event: LoggedTaskEvent): void;
}

export interface Line {
  number: number;
  event: LoggedTaskEvent;
}

export interface Counts {
  /** Runs that this process moves. */
  runs: number;
  /** Attempts that run now. */
  attempts: number;
  /** Runs that wait for their turn, or for a core for their next step. */
  waiting: number;
}

/** Rejects, where it can, with a `RunProblem`: what the person who asked can be told as it is. */
export interface Runs {
  /** Resolves as soon as the run has its rows. */
  start(request: RunToStart): Promise<{ run: Run; repeated: boolean }>;
  /** Asks; the run ends as cancelled soon after. A `wrong-state` when it has ended. */
  cancel(id: string): Promise<void>;
  /** Goes on with a run that failed, was cancelled or was left. Resolves when it is running. */
  resume(id: string, by?: string): Promise<Run>;
  /** A Python gets ready for this notebook; nothing is waited for and nothing can fail. */
  warm(notebook: Notebook, notebookPath: string): void;
  listen(listener: RunsListener): () => void;
  /** Where each cell of the run stands, in notebook order. Undefined for an unknown run. */
  cells(id: string): Promise<CellRun[] | undefined>;
  /** What an attempt said after the line with that number; empty for one that is not known or has said nothing. */
  lines(run: string, step: string, attempt: number, after: number, limit: number): Promise<Line[]>;
  /** Takes over every run whose process died. Called once, when the listeners are there. */
  adopt(): Promise<void>;
  running(): Counts;
  /** No more starts. Runs that go on are left in the store for the next process to adopt; resolves when no step runs any more. */
  close(): Promise<void>;
}
