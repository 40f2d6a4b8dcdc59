/**
 * What the engine knows of one run: the plan (units, joins, learned reads) and, for each unit, what it was given and what it gave.
 * Everything here can be rebuilt from the store, and nothing here does input or output.
 */
import type { Digest, Provided, Removed, SavedState, SavedValue, Value } from '../../pipeline/model/artifact';
import type { TaskError } from '../../pipeline/model/failure';
import type { Pipeline } from '../../pipeline/model/pipeline';
import type { StepKey } from '../../pipeline/model/reuse';
import type { Overhead, RunOptions, RunStatus, StepRunStatus } from '../../pipeline/model/run';
import type { CellResult } from '../../pipeline/model/task';
import { type Join, type Unit, units, wanted } from './units';

/** What an attempt was started with. Two equal givens run the same code on the same content. */
export interface Given {
  values: Record<string, SavedValue>;
  channels: Record<string, SavedState>;
  files: Record<string, SavedState | null>;
  wanted: string[];
}

/** The part of a `TaskResult` that later decisions need. */
export interface Outcome {
  status: 'succeeded' | 'failed';
  provided: Provided;
  used: string[];
  defined: Set<string>;
  error?: TaskError;
}

export interface UnitState {
  status: StepRunStatus;
  /** Number of the last attempt, from 1; 0 before the first. */
  attempt: number;
  /** Failed attempts on what it is given now. */
  failures: number;
  /** Failed attempts that were not the user's doing. */
  platformFailures: number;
  /** Milliseconds since the epoch before which no attempt starts (backoff). */
  notBefore: number;
  /** When it could have started, while it waits for a free worker; 0 otherwise. */
  readyAt: number;
  given?: Given;
  outcome?: Outcome;
  /** It has run on something that was not final. */
  surprised: boolean;
  /** A unit above without which it cannot be started: no need to look again before that has settled. */
  waitsFor?: number;
  /** Nothing above can change it any more, unless something above runs again. */
  settled: boolean;
  /** Its failure stands; those that depend on it cannot run. */
  broken: boolean;
  /** For what it would be given then, no earlier answer was found. */
  looked?: Given;
  /** Paths that the answer it was reused from had read, and that no step hands on. */
  sources?: Set<string>;
  /** A step above has written one of them since. */
  overtaken?: true;
}

export interface RunState {
  pipeline: Pipeline;
  options: RunOptions;
  status: RunStatus;
  joins: Join[];
  /** By unit index: variables it needs beyond the predicted reads. */
  learned: Map<number, Set<string>>;
  units: Unit[];
  states: UnitState[];
  wanted: Set<string>[];
  /** Whether generators are followed as channels: something in the notebook or its modules seeds one. */
  seeded: boolean;
  /** By name, indexes of units that are predicted or were seen to provide it, ascending. `*` and `file:*` hold those that may provide any. */
  writers: Map<string, number[]>;
  /** The same by unit: names it is among the writers of. */
  claims: Map<number, Set<string>>;
  /** By name, indexes of units that read it: predicted, learned, or through another value; ascending. */
  readers: Map<string, number[]>;
  /** By name, units that read another name of the same blob, and so depend on every unit that may change this one. */
  watchers: Map<string, Set<number>>;
  /** Units that can start, in the order in which they will, with what they will be given. */
  ready: Map<number, Given>;
  /** Those of them that the pass at hand found. */
  newlyReady: number[];
  running: Set<number>;
  /** Units for which no earlier answer is looked for: `reuse` is off for them, or they are to run again. */
  always: Set<number>;
  /** Units for which another run is working out the answer. */
  awaiting: Set<number>;
  /** By unit, those whose `waitsFor` it is. */
  waiters: Map<number, number[]>;
  /** Units that wait for everything above them to settle. */
  held: Set<number>;
  /** How often a unit had to run again for what was not foreseen. */
  surprises: number;
  /** Units that failed while something above them may still change. */
  doubtful: Set<number>;
  /** Units whose evaluation may have changed. */
  touched: Set<number>;
  /** Every unit with a smaller index is settled. */
  settledBelow: number;
  /** Index of a unit whose failure stands and stops everything below; infinity when there is none. */
  stoppedAt: number;
  /** By step name, the index of its unit. */
  unitOf: Map<string, number>;
  /** By unit index, units that name it in `after`. */
  followers: Map<number, Set<number>>;
  /** Names of channels and files in `writers`. */
  ambient: Set<string>;
  cancelling: boolean;
}

/** What a finished unit leaves for the report and the executed notebook. */
export interface Finished {
  cells: CellResult[];
  /** Long strings are missing in `cells`; the blob `result` has them. */
  shortened?: true;
  result?: Digest;
  /** What it was made from, where it was taken over from an earlier run. */
  key?: StepKey;
  overhead?: Overhead;
  peakMemory?: number;
  cpuSeconds?: number;
}

export function createRunState(pipeline: Pipeline, options: RunOptions, seeded: boolean, joins: Join[] = foreseen(pipeline)): RunState {
  const state: RunState = {
    pipeline,
    options,
    status: 'queued',
    joins,
    learned: new Map(),
    units: [],
    states: [],
    wanted: [],
    seeded,
    writers: new Map(),
    claims: new Map(),
    readers: new Map(),
    watchers: new Map(),
    ready: new Map(),
    newlyReady: [],
    running: new Set(),
    always: new Set(),
    awaiting: new Set(),
    waiters: new Map(),
    held: new Set(),
    surprises: 0,
    doubtful: new Set(),
    touched: new Set(),
    settledBelow: 0,
    stoppedAt: Number.POSITIVE_INFINITY,
    unitOf: new Map(),
    followers: new Map(),
    ambient: new Set(),
    cancelling: false,
  };
  replan(state);
  return state;
}

/** Joins that are certain before the run. */
const foreseen = ({ steps }: Pipeline): Join[] => steps.flatMap(({ name, joins }): Join[] => (joins === undefined ? [] : [[joins, name]]));

export const fresh = (): UnitState => ({
  status: 'waiting',
  attempt: 0,
  failures: 0,
  platformFailures: 0,
  notBefore: 0,
  readyAt: 0,
  surprised: false,
  settled: false,
  broken: false,
});

/** Lays the units anew after a join, keeping what is known of those that stay the same. Joined ones start over, with attempt numbers that go on. */
export function replan(state: RunState): void {
  const before = new Map(state.units.map(unit => [unit.name, unit.index]));
  const attemptOf = new Map(state.units.flatMap(unit => unit.steps.map(step => [step.name, state.states[unit.index]!.attempt] as const)));
  const learnedOf = new Map([...state.learned].map(([index, names]) => [state.units[index]!.steps[0]!.name, names]));
  const states = state.states;
  state.units = units(state.pipeline, state.joins);
  state.learned = new Map();
  state.states = state.units.map(unit => {
    const index = before.get(unit.name);
    if (index !== undefined) return states[index]!;
    return { ...fresh(), attempt: Math.max(0, ...unit.steps.map(step => attemptOf.get(step.name) ?? 0)) };
  });
  for (const unit of state.units) {
    for (const step of unit.steps) {
      for (const name of learnedOf.get(step.name) ?? []) learn(state, unit.index, name);
    }
  }
  state.unitOf = new Map(state.units.flatMap(unit => unit.steps.map(step => [step.name, unit.index] as const)));
  const { from, reuse } = state.options;
  const again = (from === undefined ? undefined : state.unitOf.get(from)) ?? Number.POSITIVE_INFINITY;
  state.awaiting = new Set();
  state.always = new Set(state.units.filter(unit => !reuse || !reusable(unit) || unit.index >= again).map(unit => unit.index));
  state.followers = new Map();
  for (const unit of state.units) {
    for (const name of unit.after) {
      const other = state.unitOf.get(name);
      if (other === undefined || other === unit.index) continue;
      const followers = state.followers.get(other);
      if (followers) followers.add(unit.index);
      else state.followers.set(other, new Set([unit.index]));
    }
  }
  state.writers = new Map();
  state.claims = new Map();
  state.ambient = new Set();
  state.readers = new Map();
  state.watchers = new Map();
  state.ready = new Map();
  state.newlyReady = [];
  state.running = new Set();
  state.waiters = new Map();
  state.held = new Set();
  state.doubtful = new Set();
  for (const unit of state.units) {
    for (const name of unit.writes.keys()) addWriter(state, name, unit.index);
    for (const name of unit.reads) addReader(state, name, unit.index);
    for (const name of state.learned.get(unit.index) ?? []) addReader(state, name, unit.index);
    const one = state.states[unit.index]!;
    const { outcome } = one;
    one.waitsFor = undefined;
    if (one.status === 'running') state.running.add(unit.index);
    if (one.status === 'failed' && !one.settled) state.doubtful.add(unit.index);
    for (const name of Object.keys(outcome?.provided ?? {})) addWriter(state, name, unit.index);
    for (const name of outcome?.used ?? []) addReader(state, name, unit.index);
  }
  demand(state);
  state.settledBelow = 0;
  state.touched.clear();
  for (const unit of state.units) state.touched.add(unit.index);
}

export function demand(state: RunState): void {
  state.wanted = wanted(state.units, state.learned, state.pipeline.returns);
}

export function learn(state: RunState, unit: number, name: string): void {
  const names = state.learned.get(unit) ?? new Set();
  names.add(name);
  state.learned.set(unit, names);
}

export function addReader(state: RunState, name: string, unit: number): void {
  const readers = state.readers.get(name);
  if (readers) insert(readers, unit);
  else state.readers.set(name, [unit]);
}

export function addWatcher(state: RunState, name: string, unit: number): void {
  const watchers = state.watchers.get(name);
  if (watchers) watchers.add(unit);
  else state.watchers.set(name, new Set([unit]));
}

export function addWriter(state: RunState, name: string, unit: number): void {
  const claims = state.claims.get(unit);
  if (claims) claims.add(name);
  else state.claims.set(unit, new Set([name]));
  const writers = state.writers.get(name);
  if (!writers) {
    state.writers.set(name, [unit]);
    if (name.startsWith('@') || name.startsWith('file:')) state.ambient.add(name);
    return;
  }
  insert(writers, unit);
}

/** Keeps the list ascending and without doubles. */
function insert(ascending: number[], unit: number): void {
  const at = countBelow(ascending, unit);
  if (ascending[at] !== unit) ascending.splice(at, 0, unit);
}

/** How many of the ascending indexes are smaller than `limit`. */
export function countBelow(ascending: readonly number[], limit: number): number {
  let low = 0;
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle]! < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether the settings of its steps let an earlier answer count. */
const reusable = ({ steps }: Unit): boolean => steps.every(({ settings }) => settings.reuse !== false);

export const isLost = (value: Value | SavedState | Removed): value is Extract<Value, { lost: string }> => 'lost' in value;
export const isRemoved = (value: Value | SavedState | Removed): value is Removed => 'removed' in value;

/** Generators are followed only where an answer depends on them. */
export const followed = (state: RunState, name: string): boolean => state.seeded || !name.endsWith('random') || !name.startsWith('@');
