/**
 * The pipeline: what a tagged notebook compiles to. A JSON document, versioned, stored, exported and shown.
 *
 * `reads` and `writes` are what the analysis predicts. The engine trusts them for the order in which steps start, and corrects them
 * by what each step is seen to have changed (`model/task.ts`): prediction makes a run soon, observation makes it right.
 */
import type { Parameter } from './parameter';
import type { Range } from './problem';

export const pipelineFormat = 1;

export interface Pipeline {
  format: typeof pipelineFormat;
  name: string;
  description?: string;
  language: 'python';
  parameters: Parameter[];
  /** The cell tagged `parameters`, if there is one: run at the start of the first step, and its names given to each step that reads them. */
  parameterCells: Cell[];
  /** Cells tagged `imports` and `functions`: run before every step; their outputs are kept from the first step only. */
  sharedCells: Cell[];
  steps: Step[];
  /** Variables the pipeline gives back. */
  returns: string[];
  settings: PipelineSettings;
}

/** A code cell of the notebook. `cell` is its index among all cells of the file. */
export interface Cell {
  cell: number;
  id?: string;
  source: string;
}

export interface Step {
  name: string;
  cells: Cell[];
  settings: StepSettings;
  /** What the step needs from above: read before the step itself certainly assigns it. Sorted by name. */
  reads: Read[];
  /** What the step assigns or may change. Sorted by name. */
  writes: Write[];
  /** Definitions from above that the step uses (imports, functions, classes, setup calls), with what they need, in notebook order. */
  prelude: Definition[];
  /** Names the step itself defines as code (functions, classes, imports): they travel as source, so they are no outputs. */
  defines: string[];
  /** Parameters it reads, directly or through a definition. */
  parameters: string[];
  /** Literal paths given to well-known readers and writers. */
  files: { reads: string[]; writes: string[] };
  /** Steps whose end it waits for: the providers of its reads as predicted, and `after`. Sorted in notebook order. */
  dependsOn: string[];
  /** A step above from which on all steps down to this one run in one process: something that this one certainly reads cannot leave it. */
  joins?: string;
}

export interface Read {
  name: string;
  /** The nearest step above that the analysis expects to provide it; absent when only parameters or shared cells do, or nobody. */
  from?: string;
  cell?: number;
  range?: Range;
  /** True when the settings declare it. */
  declared?: boolean;
}

export interface Write {
  name: string;
  /** True: assigned on every path, so a reader below never sees an earlier value. False: assigned on some paths, or changed in place. */
  certain: boolean;
  declared?: boolean;
}

/** Code that travels: run silently before a step's own cells. */
export interface Definition {
  /** What it binds; empty for a setup call such as `sns.set_theme()`. */
  names: string[];
  kind: 'import' | 'function' | 'class' | 'setup';
  source: string;
  /** Where it stands, so that tracebacks show the right cell. `line` counts from 0 within the cell. */
  cell: number;
  line: number;
}

export interface Resources {
  /** Cores, as a number (`0.5`) or with Kubernetes' suffix (`"500m"`). */
  cpu?: number | string;
  /** Bytes, or with a suffix (`"2Gi"`, `"500M"`). */
  memory?: number | string;
  gpu?: number;
  [resource: string]: number | string | undefined;
}

/** Seconds to wait before attempt n+1: `first * factor ** (n - 1)`, at most `limit`. */
export interface Backoff {
  first?: number;
  factor?: number;
  limit?: number;
}

/** A step's settings as people write them in `metadata.stepwell.steps.<name>`. Absent means the default. Unknown keys are kept. */
export interface StepSettings {
  inputs?: string[];
  outputs?: string[];
  after?: string[];
  sources?: string[];
  files?: string[];
  target?: string;
  image?: string;
  resources?: Resources;
  env?: Record<string, string>;
  secrets?: Record<string, { secret: string; key: string }>;
  /** Further attempts after a failure; default 0. */
  retries?: number;
  /** Seconds, or a backoff. */
  backoff?: number | Backoff;
  /** Seconds an attempt may take. */
  timeout?: number;
  reuse?: boolean | { maxAge: number };
  onFailure?: 'stop' | 'continue';
  when?: string;
  map?: string;
  metrics?: string[];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  nodeSelector?: Record<string, string>;
  tolerations?: unknown[];
  affinity?: Record<string, unknown>;
  priorityClass?: string;
  volumes?: unknown[];
  /** Size of `/dev/shm`. */
  sharedMemory?: string | number;
  imagePullSecrets?: string[];
  imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never';
  /** Kueue's queue. */
  queue?: string;
  [unknown: string]: unknown;
}

/** `metadata.stepwell` apart from `steps`. */
export interface PipelineSettings {
  version?: number;
  name?: string;
  description?: string;
  environment?: unknown;
  defaults?: StepSettings;
  returns?: string[];
  [unknown: string]: unknown;
}
