/** Runs and their statuses. Statuses are listed here and nowhere else. */
import type { Digest, Preview } from './artifact';
import type { TaskError } from './failure';
import type { Instant } from './instant';
import type { Literal } from './parameter';
import type { StepKey } from './reuse';

export const runStatuses = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type RunStatus = (typeof runStatuses)[number];

export const stepRunStatuses = ['waiting', 'queued', 'running', 'succeeded', 'reused', 'failed', 'cancelled', 'skipped'] as const;
export type StepRunStatus = (typeof stepRunStatuses)[number];

export const attemptStatuses = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type AttemptStatus = (typeof attemptStatuses)[number];

/** What people chose when the run started. */
export interface RunOptions {
  parameters: Record<string, Literal>;
  experiment?: string;
  target?: string;
  reuse: boolean;
  keepGoing: boolean;
  /** Steps running at once; absent means as many as the machine has cores. */
  workers?: number;
  /** Take the steps above this one from the latest run, and run this one and those below again. */
  from?: string;
  /** Run no step below this one. */
  to?: string;
  /** The interpreter that runs the steps here, so that a resumed run goes on with the same. */
  python?: string;
}

/** Parts of an attempt's time, in seconds. */
export interface Overhead {
  queued: number;
  create: number;
  start: number;
  inputs: number;
  user: number;
  outputs: number;
  observed: number;
}

/** How a cell went in an attempt, without what it printed. `ended`: absent while it runs, or when its process died meanwhile. */
export interface CellTime {
  cell: number;
  executionCount: number;
  started: Instant;
  seconds?: number;
  ended?: 'ok' | 'error';
}

/** What a blob is to the run that made it. */
export interface MadeArtifact {
  name: string;
  digest: Digest;
  size: number;
  type?: string;
  preview?: Preview;
}

/**
 * One thing that happened in a run. The store applies a list of them to its tables and appends one event for each, in one transaction.
 * Absent fields leave what is stored as it is; `undefined` cannot erase.
 */
export type Change =
  | { what: 'run'; status: RunStatus; reason?: string }
  /** `given` and `key` are kept in the table only: events stay small. */
  | {
      what: 'step';
      step: string;
      status: StepRunStatus;
      reason?: string;
      unit?: string;
      attempts?: number;
      result?: Digest;
      given?: unknown;
      key?: StepKey;
    }
  | {
      what: 'attempt';
      step: string;
      attempt: number;
      status: AttemptStatus;
      token?: string;
      error?: TaskError;
      overhead?: Overhead;
      peakMemory?: number;
      cpuSeconds?: number;
      result?: Digest;
      /** How its cells went; table only. */
      cells?: CellTime[];
    }
  /** `plan` replaces what the engine keeps of its plan (joins, learned names); table only. */
  | { what: 'plan'; steps?: [string, string]; reason: string; plan?: unknown }
  | { what: 'artifacts'; step: string; attempt: number; artifacts: MadeArtifact[] };

/** A change as the log keeps it: without what only the engine reads, tokens among it. */
export type LoggedChange =
  | Exclude<Change, { what: 'step' | 'plan' | 'attempt' | 'artifacts' }>
  | Omit<Extract<Change, { what: 'step' }>, 'given' | 'key'>
  | Omit<Extract<Change, { what: 'attempt' }>, 'token' | 'cells'>
  | Omit<Extract<Change, { what: 'plan' }>, 'plan'>
  | { what: 'artifacts'; step: string; attempt: number; artifacts: Omit<MadeArtifact, 'preview'>[] };

/** One row of the append-only log. `sequence` counts from 1 within a run, with no gaps. */
export interface RunEvent {
  sequence: number;
  at: Instant;
  change: LoggedChange;
}

/** A run as the store knows it. `sequence` is the number of its last event. */
export interface Run {
  id: string;
  pipeline: string;
  /** As the pipeline is called now. */
  pipelineName: string;
  version: number;
  experiment?: string;
  status: RunStatus;
  options: RunOptions;
  plan?: unknown;
  reason?: string;
  created: Instant;
  started?: Instant;
  ended?: Instant;
  /** Who moves it forward, as long as its claim holds. */
  owner?: string;
  notebookPath: string;
  folder: string;
  target: string;
  sequence: number;
  /** The user who started it, where the service knew one. */
  startedBy?: string;
}

export interface StepRun {
  step: string;
  status: StepRunStatus;
  attempts: number;
  /** The unit it runs in, when steps were joined. */
  unit?: string;
  reason?: string;
  started?: Instant;
  ended?: Instant;
  result?: Digest;
  given?: unknown;
  key?: StepKey;
}

export interface Attempt {
  /** The step, or the unit (`load+train`) it ran. */
  step: string;
  attempt: number;
  token?: string;
  status: AttemptStatus;
  error?: TaskError;
  overhead?: Overhead;
  /** Bytes. */
  peakMemory?: number;
  cpuSeconds?: number;
  result?: Digest;
  /** Absent while it runs, and for attempts of before cells were noted. */
  cells?: CellTime[];
  started?: Instant;
  ended?: Instant;
}
