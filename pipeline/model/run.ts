/** Runs and their statuses. Statuses are listed here and nowhere else. */
import type { Digest, Provided } from './artifact';
import type { Literal } from './parameter';
import type { TaskError, TaskResult } from './task';

export const runStatuses = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type RunStatus = (typeof runStatuses)[number];

export const stepRunStatuses = ['waiting', 'queued', 'running', 'succeeded', 'reused', 'failed', 'cancelled', 'skipped'] as const;
export type StepRunStatus = (typeof stepRunStatuses)[number];

export const attemptStatuses = ['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const;
export type AttemptStatus = (typeof attemptStatuses)[number];

/** Why an attempt failed: who has to do something about it. */
export const failureKinds = ['user', 'out-of-memory', 'timeout', 'killed', 'lost-value', 'missing-name', 'node-lost', 'image', 'storage', 'platform'] as const;
export type FailureKind = (typeof failureKinds)[number];

/** What people chose when the run started. */
export interface RunOptions {
  parameters: Record<string, Literal>;
  experiment?: string;
  target?: string;
  reuse: boolean;
  keepGoing: boolean;
  /** Steps running at once; absent means as many as the machine has cores. */
  workers?: number;
  /** Take the steps above this one from the latest run. */
  from?: string;
}

/** ISO 8601 in UTC with milliseconds. */
export type Instant = string;

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

/** One row of the append-only log. `sequence` counts from 1 within a run, with no gaps. */
export interface RunEvent {
  sequence: number;
  at: Instant;
  change:
    | { what: 'run'; status: RunStatus; reason?: string }
    | { what: 'step'; step: string; status: StepRunStatus; reason?: string }
    | { what: 'attempt'; step: string; attempt: number; status: AttemptStatus; error?: TaskError; overhead?: Overhead }
    | { what: 'plan'; steps?: [string, string]; reason: string };
}

export type { Digest, Provided, TaskResult };
