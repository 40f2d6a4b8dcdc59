/** What went wrong in an attempt, told apart by who has to do something about it. */

/** Why an attempt failed: who has to do something about it. */
export const failureKinds = [
  'user',
  'out-of-memory',
  'timeout',
  'killed',
  'lost-value',
  'missing-name',
  'evicted',
  'node-lost',
  'unschedulable',
  'image',
  'config',
  'storage',
  'environment',
  'platform',
] as const;
export type FailureKind = (typeof failureKinds)[number];

export interface TaskError {
  kind: FailureKind;
  /** One sentence for a person, without our stack trace. */
  message: string;
  /** The variable, for `missing-name` and `lost-value`. */
  name?: string;
  cell?: number;
  /** Line of that cell, counted from 0, where it is known. */
  line?: number;
  ename?: string;
  evalue?: string;
  /** As IPython printed it, with ANSI colours. */
  traceback?: string[];
}
