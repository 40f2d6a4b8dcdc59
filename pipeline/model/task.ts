/**
 * The task document (what the runner is handed for one attempt) and what comes back. Both languages test against
 * `runner/tests/task.json`, `runner/tests/events.jsonl` and `runner/tests/result.json`.
 */
import type { Provided, SavedState, SavedValue } from './artifact';
import type { TaskError } from './failure';
import type { Instant } from './instant';
import type { Literal } from './parameter';
import type { Cell, Definition } from './pipeline';

export const taskFormat = 1;

export interface TaskDocument {
  format: typeof taskFormat;
  run: string;
  /** The step's name; `load+train` where the engine runs two steps in one process. */
  step: string;
  attempt: number;
  /** Written into every event and result; a result with another token is refused. */
  token: string;
  /** Cells whose outputs are not wanted: shared cells (except for the first step), then travelling definitions. */
  prelude: Definition[];
  /** Values for the names of the `parameters` cell: set before the prelude, and once more after the shared cells, which hold the defaults. */
  parameters: Record<string, Literal>;
  /** Only for the first unit: the notebook's shared and parameter cells, run in place of the prelude with their outputs kept. What they leave behind is where the step starts from. */
  sharedCells: TaskCell[];
  /** Cells that the prelude was taken from, whole and with their numbers, so that tracebacks show them as the notebook would. */
  sources: TaskCell[];
  /** What to restore before the cells run. One blob may serve several names. */
  inputs: {
    values: Record<string, SavedValue>;
    channels: Record<string, SavedState>;
    /** By path from the notebook's folder; null: an earlier step removed it. */
    files: Record<string, SavedState | null>;
  };
  /** Cells in order. `executionCount` is the number that running the notebook from top to bottom would give. */
  cells: TaskCell[];
  /**
   * Variables that a step below may read. The runner saves each of them that the cells assigned or changed, and nothing else.
   * `*`: every variable it can save.
   */
  wanted: string[];
  /** Names bound by travelling code: functions and classes among them cross by reference, not by value. */
  definitions: string[];
  /** Names whose values become metrics. */
  metrics: string[];
  /** True: generators get fresh entropy where no channel restores them. False: only restored state counts. */
  freshRandom: boolean;
  /** Files (paths as the notebook would write them) that the step is known to look at: told as its sources even where nobody sees it look. */
  looksAt: string[];
  /** The notebook's folder, snapshot to show the step, and where the step runs. Absolute paths of the machine it runs on. */
  folder: string;
  workspace: string;
  /** Where blobs are: a folder now, a URL later. */
  artifacts: string;
  /** Where `result.json` goes: written last, atomically. */
  attemptFolder: string;
  env: Record<string, string>;
  limits: { memory?: number; timeout?: number };
}

export interface TaskCell extends Cell {
  executionCount: number;
  /** An error is kept as output and the next cell runs, as the tag `raises-exception` asks. */
  mayRaise?: boolean;
}

/** What the runner says while it runs: one JSON document per line, in order. */
export type TaskEvent = { token: string; at: Instant } & (
  | { type: 'started'; pid: number; startTime: number }
  | { type: 'inputs-restored'; seconds: number }
  | { type: 'cell-started'; cell: number; executionCount: number }
  | { type: 'output'; cell: number; output: Output; displayId?: string }
  /** Replace the data of earlier outputs with this display id, in any cell of this attempt. */
  | { type: 'update-display'; displayId: string; data: Record<string, unknown>; metadata: Record<string, unknown> }
  | { type: 'clear-output'; cell: number }
  | { type: 'cell-finished'; cell: number; status: 'ok' | 'error'; seconds: number }
  | { type: 'metric'; name: string; value: number; step?: number }
  | { type: 'result'; result: TaskResult }
);

/** An nbformat output: `stream`, `display_data`, `execute_result` or `error`. */
export type Output =
  | { output_type: 'stream'; name: 'stdout' | 'stderr'; text: string }
  | { output_type: 'display_data'; data: Record<string, unknown>; metadata: Record<string, unknown> }
  | { output_type: 'execute_result'; data: Record<string, unknown>; metadata: Record<string, unknown>; execution_count: number }
  | { output_type: 'error'; ename: string; evalue: string; traceback: string[] };

export interface CellResult {
  cell: number;
  executionCount: number;
  outputs: Output[];
  started: Instant;
  seconds: number;
  status: 'ok' | 'error';
}

export interface TaskResult {
  format: typeof taskFormat;
  run: string;
  step: string;
  attempt: number;
  token: string;
  status: 'succeeded' | 'failed';
  /** What the step was seen to assign, change or write. A name it was given and left as it was is not here. */
  provided: Provided;
  /** Channels and files that the step was seen to use, so that a change of them above makes it run again. */
  used: string[];
  /** Every variable in the namespace at the end, saved or not: a step below that turns out to need one can have it. */
  defined: string[];
  cells: CellResult[];
  metrics: { name: string; value: number; step?: number }[];
  error?: TaskError;
  seconds: { start: number; inputs: number; user: number; outputs: number };
  /** Bytes. */
  peakMemory: number;
  cpuSeconds: number;
  environment?: Environment;
  sources?: Sources;
}

/** What ran the step: Python, and name → version of the packages that were loaded, found in these folders. */
export interface Environment {
  python: string;
  executable: string;
  folders: string[];
  packages: Record<string, string>;
}

/**
 * What the step was seen to use that no step gave it. Paths are from the notebook's folder where they lie in it, and absolute elsewhere; each
 * has its stamp (size, times, inode as one text; null: nothing was there) from before the step could read it.
 */
export interface Sources {
  files: Record<string, string | null>;
  /** Folders whose names it listed. */
  folders: Record<string, string | null>;
  /** Files outside of the notebook's folder that it wrote or removed. */
  wrote: string[];
  /** Programs that it started. */
  programs: string[];
  /** Variables of the environment that it asked for; `*`: it looked through all of them. */
  variables: string[];
}
