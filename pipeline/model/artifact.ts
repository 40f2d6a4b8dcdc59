/** Artifacts: what one step wrote, known by the digest of its content. */

/** `sha256:` and 64 lower-case hex digits. */
export type Digest = `sha256:${string}`;

export const isDigest = (value: unknown): value is Digest => typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value);

/** What a person sees of a value without loading it; made by the runner beside the value. */
export interface Preview {
  /** One line: `DataFrame 150 × 5`, `list of 3`. */
  text: string;
  shape?: number[];
  dtype?: string;
  columns?: { name: string; dtype: string }[];
  /** Head of a table, cells as text. */
  rows?: string[][];
  /** The value itself when it is small and plain. */
  json?: unknown;
}

/**
 * One variable as it crossed. Variables that share an object are saved together: they name one blob (`digest`) and are members of it.
 * `needs` are global names that functions inside the value look up when they are called.
 */
export interface SavedValue {
  digest: Digest;
  /** All names in the blob, this one too. */
  members: string[];
  codec: string;
  /** Bytes of the blob. */
  size: number;
  /** Python type, `pandas.DataFrame`. */
  type: string;
  preview?: Preview;
  needs?: string[];
}

/** A variable that has a value but cannot leave its process; `reason` ends a sentence that names it. */
export interface LostValue {
  lost: string;
  type: string;
}

export type Value = SavedValue | LostValue;

/** A channel's state, or a file's content. `mode` holds the permission bits of a file; a `folder` has no content of its own. */
export interface SavedState {
  digest: Digest;
  size: number;
  mode?: number;
  folder?: true;
}

/** A file that a step removed. */
export interface Removed {
  removed: true;
}

/** Everything a step was seen to change, by name (`model/name.ts`). */
export type Provided = Record<string, Value | SavedState | Removed>;
