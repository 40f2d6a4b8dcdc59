/**
 * Problems: what a person can mend, as data.
 *
 * A problem is returned, never thrown. It has a code with a section of the same name in `docs/problems.md`,
 * one sentence that quotes the value and says what was expected, where it is, and a fix where one is known.
 */

/** A range in one cell's source: zero-based UTF-16 offsets, end exclusive, as CodeMirror and Lezer count. */
export interface Range {
  from: number;
  to: number;
}

/** A place in the notebook. `cell` is the index among all cells of the file, counted from 0. */
export interface Place {
  cell?: number;
  range?: Range;
  step?: string;
}

/** An edit that mends a problem; the panel offers it as one click. */
export type Fix =
  | { do: 'set-step-setting'; label: string; step: string; key: string; value: unknown }
  | { do: 'remove-step-setting'; label: string; step: string; key: string }
  | { do: 'set-cell-tags'; label: string; cell: number; tags: string[] }
  | { do: 'replace-text'; label: string; cell: number; range: Range; text: string };

/** `error` stops a run before it starts; `warning` and `info` do not. */
export type Severity = 'error' | 'warning' | 'info';

export interface Problem extends Place {
  code: ProblemCode;
  severity: Severity;
  /** One sentence: what is wrong, quoting the name, and what was expected. */
  message: string;
  fix?: Fix;
}

/** Every code, once. A test checks that each has its section in `docs/problems.md` and a case that raises it. */
export const problemCodes = [
  // the file
  'not-a-notebook',
  'unsupported-notebook-version',
  'wrong-language',
  // tags and settings
  'unknown-tag',
  'bad-step-name',
  'tag-conflict',
  'unknown-setting',
  'bad-setting',
  'settings-without-step',
  'step-defined-twice',
  'untagged-cell',
  'no-steps',
  // the code
  'syntax-error',
  'unsupported-syntax',
  'dynamic-code',
  // parameters
  'bad-parameter',
  'unknown-parameter',
  'bad-parameter-value',
  'missing-parameter',
  // dataflow
  'unknown-name',
  'provided-below',
  'written-in-parallel',
  'unused-step',
  'order-cycle',
  'order-unknown-step',
  'undeclared-input',
  'undeclared-output',
  'unprovided-input',
  'unwritten-output',
  'cannot-cross',
  'definition-changed',
  'missing-package',
] as const;

export type ProblemCode = (typeof problemCodes)[number];
