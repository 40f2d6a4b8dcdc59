/**
 * What a step's answer was made from, part by part: what has to be equal for an earlier answer to count again, and what is compared to say
 * why it does not. `KeyParts` are known before a step runs; what it used is only known afterwards (`Used`).
 */
import type { Digest } from './artifact';
import type { Instant } from './instant';
import type { Literal } from './parameter';
import type { StepRunStatus } from './run';

export interface KeyParts {
  /** Digests of its cells' code, in order, without comments and layout. */
  cells: string[];
  /** By name, digests of the functions, classes and imports it reaches. */
  code: Record<string, string>;
  /** Digest of code that runs before the step whatever it uses. */
  setup: string;
  /** Values of the parameters it reads. */
  parameters: Record<string, Literal>;
  /** By name, what it is given, and the step that made it. */
  inputs: Record<string, { digest: Digest; by?: string }>;
  settings: Record<string, unknown>;
}

/** A file or folder as it was. `digest` is of its content (of a folder: of the names in it); null: nothing was there. */
export interface Fingerprint {
  stamp: string | null;
  digest: string | null;
  /** It had changed so shortly before that its stamp alone proves nothing. */
  young?: true;
}

export interface Used {
  /** Where and when the answer was worked out. */
  run: string;
  step: string;
  made: Instant;
  /** What it was asked to save. */
  wanted: string[];
  /** Channels and files (`model/name.ts`) that it used, with what steps above had given it; those that none had given are not here. `file:*`: it may have used any file. */
  given: Record<string, Digest | 'removed' | 'any'>;
  /** All channels and files that it used, given or not. */
  names: string[];
  files: Record<string, Fingerprint>;
  folders: Record<string, Fingerprint>;
  /** As it left them. */
  wrote: Record<string, Fingerprint>;
  /** Addresses that it declares among its sources: what they gave. */
  remote: Record<string, string>;
  /** Variables of the environment: short digests of their values, null where there was none. */
  variables: Record<string, string | null>;
  environment: { python: string; executable: string; interpreter: Fingerprint; folders: string[]; packages: Record<string, string> };
  /** Imports of shared cells that were there without being named. */
  imports: string[];
  /** Digest of all code as it was written, and the numbers of its cells: they show where a message names a line or a number. */
  text: string;
  counts: number[];
  /** Stamps of the blobs with what it gave. */
  blobs: Record<Digest, string>;
}

/** What is kept with a step run. */
export interface StepKey {
  parts: KeyParts;
  used?: Used;
  /** Why what it gave cannot be used again, as the end of a sentence. */
  unfit?: string;
  /** Why it ran although there was an earlier answer to the same key. */
  missed?: string;
  /** The answer was taken from there. */
  from?: { run: string; step: string; made: Instant };
  /** What a reused step gives, so that it is kept as long as this run is. */
  outputs?: Digest[];
}

/** Why a step ran, or what it was reused from: sentences, most important first. */
export interface Why {
  step: string;
  status: StepRunStatus;
  /** The run that it was compared with: the closest earlier one, or the one it was reused from. */
  comparedWith?: { run: string; made?: Instant };
  reasons: string[];
}
