/**
 * What happens next in a run: a decision from what is known, with no clock, no input and no output. The same state and time give the
 * same decisions. The rules are those of docs/running.md; `loop.ts` carries the decisions out.
 *
 * Units are looked at in notebook order, only those that something touched. A unit is *settled* when it has finished with what it would
 * be given now and everything above that could still change that has settled too; a run is over when every unit is settled.
 */
import type { FailureKind } from '../../pipeline/model/failure';
import type { StepRunStatus } from '../../pipeline/model/run';
import type { TaskResult } from '../../pipeline/model/task';
import { bind, difference, type Expectation, expect, provides } from './binding';
import {
  addReader,
  addWatcher,
  addWriter,
  countBelow,
  demand,
  type Given,
  isLost,
  learn,
  type Outcome,
  type RunState,
  replan,
} from './state';
import type { Unit } from './units';

export type Decision =
  /** `ready`: when it could have started, in milliseconds since the epoch. */
  | { do: 'start'; unit: Unit; attempt: number; given: Given; ready: number }
  /** Is there an earlier answer to this? `reuse` or `noReuse` is to be told before the unit can go on. */
  | { do: 'look'; unit: Unit; given: Given }
  | { do: 'stop'; unit: Unit; attempt: number }
  | { do: 'status'; unit: Unit; status: StepRunStatus; reason?: string }
  /** Something was learnt: a read that the analysis overlooked, or steps that have to run in one process. */
  | { do: 'plan'; steps?: [string, string]; reason: string }
  | { do: 'finish'; status: 'succeeded' | 'failed' | 'cancelled'; reason?: string };

export interface Limits {
  /** Attempts that may run at once. */
  workers: number;
}

/** Failures that are nobody's code: tried again on a budget of their own. */
const platformKinds = new Set<FailureKind>(['evicted', 'node-lost', 'platform']);
const platformBudget = 2;

/** Moves the run forward. Changes `state` and says what to do about it. */
export function advance(state: RunState, now: number, limits: Limits): Decision[] {
  const decisions: Decision[] = [];
  if (state.status !== 'running') return decisions;
  if (state.cancelling) return cancelAll(state, decisions);
  do {
    while (state.touched.size > 0) {
      for (const unit of [...state.touched].sort((a, b) => a - b)) {
        if (!state.touched.delete(unit)) continue;
        if (consider(state, unit, now, decisions)) break;
      }
    }
    while (state.settledBelow < state.units.length && state.states[state.settledBelow]!.settled) state.settledBelow++;
    if (state.held.delete(state.settledBelow)) state.touched.add(state.settledBelow);
  } while (state.touched.size > 0 || settleFailure(state, now, decisions) || stopBelow(state, decisions));
  if (state.settledBelow === state.units.length) finish(state, decisions);
  else startReady(state, now, limits, decisions);
  for (let unit = state.settledBelow; unit < state.units.length; unit++) {
    if (state.states[unit]!.notBefore > now) state.touched.add(unit);
  }
  return decisions;
}

/** When a unit that backs off is due, in milliseconds since the epoch. */
export function wakeAt(state: RunState): number | undefined {
  let at: number | undefined;
  for (let unit = state.settledBelow; unit < state.units.length; unit++) {
    const one = state.states[unit]!;
    if (one.status === 'waiting' && one.notBefore > 0) at = Math.min(at ?? one.notBefore, one.notBefore);
  }
  return at;
}

/** Looks at one unit. True when the units were laid anew. */
function consider(state: RunState, unit: number, now: number, decisions: Decision[]): boolean {
  const one = state.states[unit]!;
  state.ready.delete(unit);
  if (one.status === 'skipped') return false;
  if (one.status === 'waiting' && one.waitsFor !== undefined && !state.states[one.waitsFor]!.settled) return false;
  const expectation = expect(state, unit);
  for (const name of expectation.reads) addReader(state, name, unit);
  for (const name of expectation.watched) addWatcher(state, name, unit);
  const { given, pending, lost } = expectation;
  waitFor(state, unit, pending.length > 0 ? Math.max(...pending) : undefined);
  if (lost && pending.length === 0) {
    join(state, lost, unit, decisions);
    return true;
  }
  const broken = expectation.broken ?? order(state, unit).find(other => state.states[other]!.settled && state.states[other]!.broken);
  const waits = pending.length > 0 || order(state, unit).some(other => !state.states[other]!.settled);
  switch (one.status) {
    case 'waiting':
    case 'queued':
      if (broken !== undefined && !waits) skip(state, unit, `needs ${quote(state, broken)}, which did not succeed`, decisions);
      else if (!waits && unit > state.settledBelow && isWary(state, one)) state.held.add(unit);
      else if (!waits && one.notBefore <= now) {
        state.ready.set(unit, given);
        state.newlyReady.push(unit);
      }
      break;
    case 'running': {
      const changed = waits ? undefined : difference(given, one.given!, []);
      if (changed) {
        stop(state, unit, decisions);
        surprised(state, unit);
        again(state, unit, `what it reads changed: ${changed}`, decisions);
      }
      break;
    }
    case 'succeeded':
    case 'reused':
    case 'failed': {
      if (one.overtaken) {
        surprised(state, unit);
        again(state, unit, 'a step above wrote what it had read', decisions);
        break;
      }
      // An attempt that failed did not get to say what it used.
      const used = one.status === 'failed' ? 'everything' : [...one.outcome!.used, ...state.units[unit]!.reads.filter(unseen)];
      const changed = waits ? undefined : (difference(given, one.given!, used) ?? askedTooLittle(state, unit));
      if (changed) {
        surprised(state, unit);
        again(state, unit, `what it reads changed: ${changed}`, decisions);
      } else if (one.status !== 'failed') settle(state, unit, !waits);
      else if (waits) settle(state, unit, false);
      break;
    }
  }
  return false;
}

/**
 * Starting ahead of time pays while the prediction holds. A unit that had to run again waits for everything above it, and in a notebook
 * full of surprises every unit does, so that no unit runs more than once in vain for what was not foreseen.
 */
function isWary(state: RunState, one: RunState['states'][number]): boolean {
  return one.surprised || state.surprises > Math.max(3, state.units.length / 10);
}

/** Until that one has settled there is no need to look at the unit again. */
function waitFor(state: RunState, unit: number, other: number | undefined): void {
  state.states[unit]!.waitsFor = other;
  if (other === undefined) return;
  const waiters = state.waiters.get(other);
  if (waiters) waiters.push(unit);
  else state.waiters.set(other, [unit]);
}

/** Reads that leave no trace when they happen: whether a file exists, where the step stands, what the environment holds, what is logged. */
export function unseen(name: string): boolean {
  return traceless.has(name) || (name.startsWith('file:') && name !== 'file:*');
}

const traceless = new Set(['@cwd', '@environ', '@locale', '@logging']);

function stop(state: RunState, unit: number, decisions: Decision[]): void {
  state.running.delete(unit);
  decisions.push({ do: 'stop', unit: state.units[unit]!, attempt: state.states[unit]!.attempt });
}

function settle(state: RunState, unit: number, settled: boolean): void {
  const one = state.states[unit]!;
  if (one.settled === settled) return;
  one.settled = settled;
  if (settled) for (const waiter of state.waiters.get(unit)?.splice(0) ?? []) state.touched.add(waiter);
  else state.settledBelow = Math.min(state.settledBelow, unit);
  touchReaders(state, unit);
}

/** Whoever reads what this unit provides or may provide has to be looked at. */
function touchReaders(state: RunState, unit: number): void {
  const names = state.claims.get(unit) ?? new Set<string>();
  let files = false;
  for (const name of names) {
    touch(state, name, unit);
    files ||= name.startsWith('file:');
    for (const watcher of state.watchers.get(name) ?? []) if (watcher > unit) state.touched.add(watcher);
  }
  touch(state, '*', unit);
  if (files) touch(state, 'file:*', unit);
  for (const follower of state.followers.get(unit) ?? []) state.touched.add(follower);
  if (names.has('*')) for (let below = unit + 1; below < state.units.length; below++) state.touched.add(below);
}

/** Touches the readers of a name below a unit, as far as the next unit that decides what the name means from there on. */
function touch(state: RunState, name: string, unit: number): void {
  const readers = state.readers.get(name);
  if (!readers) return;
  const writers = state.writers.get(name) ?? [];
  let next = countBelow(writers, unit + 1);
  while (next < writers.length && !provides(state, writers[next]!, name)) next++;
  const last = name.includes('*') ? Number.POSITIVE_INFINITY : (writers[next] ?? Number.POSITIVE_INFINITY);
  for (let i = countBelow(readers, unit + 1); i < readers.length && readers[i]! <= last; i++) state.touched.add(readers[i]!);
}

function again(state: RunState, unit: number, reason: string, decisions: Decision[]): void {
  const one = state.states[unit]!;
  state.doubtful.delete(unit);
  one.status = 'waiting';
  one.failures = 0;
  one.platformFailures = 0;
  one.notBefore = 0;
  one.broken = false;
  one.sources = undefined;
  one.overtaken = undefined;
  decisions.push({ do: 'status', unit: state.units[unit]!, status: 'waiting', reason });
  settle(state, unit, false);
  state.touched.add(unit);
}

function skip(state: RunState, unit: number, reason: string, decisions: Decision[]): void {
  const one = state.states[unit]!;
  one.status = 'skipped';
  one.broken = true;
  decisions.push({ do: 'status', unit: state.units[unit]!, status: 'skipped', reason });
  settle(state, unit, true);
}

function surprised(state: RunState, unit: number): void {
  state.states[unit]!.surprised = true;
  state.surprises++;
}

/** A variable that a unit below has turned out to need, which this unit had and was not asked for. */
function askedTooLittle(state: RunState, unit: number): string | undefined {
  const one = state.states[unit]!;
  if (one.status === 'failed') return undefined;
  const asked = new Set(one.given!.wanted);
  const code = new Set(state.units[unit]!.definitions);
  for (const name of state.wanted[unit]!) {
    if (!asked.has(name) && !code.has(name) && one.outcome!.defined.has(name)) return name;
  }
  return undefined;
}

/** Units named in `after`, apart from the unit itself. */
function order(state: RunState, unit: number): number[] {
  return state.units[unit]!.after.map(name => state.unitOf.get(name)).filter(
    (other): other is number => other !== undefined && other !== unit,
  );
}

/** Rule 6: the steps from the provider of a value that cannot cross to its readers run in one process. */
function join(state: RunState, lost: NonNullable<Expectation['lost']>, unit: number, decisions: Decision[]): void {
  const provider = lost.by;
  // Where this happens again after a join, the notebook is made of such values: one more join at a time would run it over and over.
  const reader = state.units[provider]!.steps.length > 1 ? state.units.length - 1 : Math.max(unit, lastReader(state, provider));
  for (let i = provider; i <= reader; i++) {
    if (state.states[i]!.status === 'running') stop(state, i, decisions);
  }
  const first = state.units[provider]!.steps[0]!.name;
  const last = state.units[reader]!.steps.at(-1)!.name;
  const needs = state.units[unit]!.name;
  state.joins.push([first, last]);
  replan(state);
  decisions.push({
    do: 'plan',
    steps: [first, last],
    reason: `\`${lost.name}\` (${lost.type}) cannot cross to step "${needs}": ${lost.reason}; the steps from "${first}" to "${last}" run in one process`,
  });
}

/** The last unit that is predicted to read one of the values that this unit could not save. */
function lastReader(state: RunState, provider: number): number {
  let last = provider;
  for (const [name, value] of Object.entries(state.states[provider]!.outcome!.provided)) {
    if (!isLost(value)) continue;
    const rewritten = (state.writers.get(name) ?? []).find(unit => unit > provider && state.units[unit]!.writes.get(name));
    const readers = (state.readers.get(name) ?? []).filter(unit => rewritten === undefined || unit <= rewritten);
    last = Math.max(last, readers.at(-1) ?? 0);
  }
  return last;
}

/** The first unit that is not settled has failed: learn from it, try again, or let it stand. False when there is no such unit. */
function settleFailure(state: RunState, now: number, decisions: Decision[]): boolean {
  const unit = state.settledBelow;
  const one = state.states[unit];
  if (one?.status !== 'failed') return false;
  // It did not get to say what it used, so nobody has touched it when that changed: a file that it was too early for.
  const changed = difference(expect(state, unit).given, one.given!, 'everything');
  if (changed) {
    surprised(state, unit);
    again(state, unit, `what it reads changed: ${changed}`, decisions);
    return true;
  }
  const error = one.outcome!.error!;
  if (error.kind === 'missing-name' && error.name && learnFrom(state, unit, error.name, decisions)) return true;
  if (error.kind === 'lost-value' && error.name) {
    // It was saved and cannot be loaded: then it cannot cross either.
    const binding = bind(state, unit, error.name);
    if (binding.what === 'value') {
      join(
        state,
        { name: error.name, by: binding.by, reason: 'it cannot be loaded', type: 'type' in binding.value ? binding.value.type : 'object' },
        unit,
        decisions,
      );
      return true;
    }
  }
  const settings = state.units[unit]!.settings;
  const platform = platformKinds.has(error.kind);
  if (platform ? one.platformFailures <= platformBudget : one.failures <= (settings.retries ?? 0)) {
    const wait = platform ? 1000 * one.platformFailures : backoff(settings.backoff, one.failures);
    one.notBefore = now + wait;
    one.status = 'waiting';
    state.doubtful.delete(unit);
    decisions.push({
      do: 'status',
      unit: state.units[unit]!,
      status: 'waiting',
      reason: `tries again${wait > 0 ? ` in ${wait / 1000} s` : ''}: ${error.message}`,
    });
    state.touched.add(unit);
    return true;
  }
  one.broken = true;
  state.doubtful.delete(unit);
  if (!state.options.keepGoing && settings.onFailure !== 'continue') state.stoppedAt = Math.min(state.stoppedAt, unit);
  settle(state, unit, true);
  return true;
}

/** Rule 5: a step above had the name. */
function learnFrom(state: RunState, unit: number, name: string, decisions: Decision[]): boolean {
  if (state.learned.get(unit)?.has(name)) return false;
  for (let above = unit - 1; above >= 0; above--) {
    if (!state.states[above]!.outcome?.defined.has(name)) continue;
    learn(state, unit, name);
    addReader(state, name, unit);
    addWriter(state, name, above);
    demand(state);
    for (let i = 0; i <= unit; i++) state.touched.add(i);
    decisions.push({ do: 'plan', reason: `step ${quote(state, unit)} needs \`${name}\`, which ${quote(state, above)} has` });
    again(state, unit, `needs \`${name}\``, decisions);
    return true;
  }
  return false;
}

/** What is below a failure that stands does not run, as in the notebook. False when there is nothing to stop. */
function stopBelow(state: RunState, decisions: Decision[]): boolean {
  let stopped = false;
  for (let unit = state.stoppedAt + 1; unit < state.units.length; unit++) {
    const one = state.states[unit]!;
    if (one.settled) continue;
    if (one.status === 'running') stop(state, unit, decisions);
    skip(state, unit, `step ${quote(state, state.stoppedAt)} failed`, decisions);
    stopped = true;
  }
  return stopped;
}

function backoff(setting: RunState['units'][number]['settings']['backoff'], failures: number): number {
  if (setting === undefined) return 0;
  if (typeof setting === 'number') return setting * 1000;
  const { first = 1, factor = 2, limit = 300 } = setting;
  return Math.min(first * factor ** (failures - 1), limit) * 1000;
}

function startReady(state: RunState, now: number, limits: Limits, decisions: Decision[]): void {
  // Not yet certain that it fails, as something above may change; what is below waits for that.
  const held = state.options.keepGoing ? Number.POSITIVE_INFINITY : Math.min(...state.doubtful);
  for (const [unit, given] of state.ready) {
    if (isToLook(state, unit, given) && !state.awaiting.has(unit)) decisions.push({ do: 'look', unit: state.units[unit]!, given });
  }
  for (const [unit, given] of state.ready) {
    if (state.running.size >= limits.workers) break;
    if (unit > held || isToLook(state, unit, given)) continue;
    const one = state.states[unit]!;
    state.ready.delete(unit);
    state.running.add(unit);
    one.status = 'running';
    one.attempt++;
    one.given = given;
    one.outcome = undefined;
    decisions.push({ do: 'start', unit: state.units[unit]!, attempt: one.attempt, given, ready: one.readyAt || now });
    one.readyAt = 0;
  }
  for (const unit of state.newlyReady.splice(0)) {
    const one = state.states[unit]!;
    if (!state.ready.has(unit) || one.status === 'queued' || isToLook(state, unit, state.ready.get(unit)!)) continue;
    one.status = 'queued';
    one.readyAt = now;
    decisions.push({ do: 'status', unit: state.units[unit]!, status: 'queued' });
  }
}

const isToLook = (state: RunState, unit: number, given: Given): boolean => !state.always.has(unit) && state.states[unit]!.looked !== given;

function finish(state: RunState, decisions: Decision[]): void {
  const failed = state.states.findIndex(one => one.status === 'failed');
  state.status = failed < 0 ? 'succeeded' : 'failed';
  decisions.push({ do: 'finish', status: state.status, reason: failed < 0 ? undefined : `step ${quote(state, failed)} failed` });
}

function cancelAll(state: RunState, decisions: Decision[]): Decision[] {
  for (const [unit, one] of state.states.entries()) {
    if (one.status === 'running') stop(state, unit, decisions);
    if (one.status === 'running' || one.status === 'waiting' || one.status === 'queued') {
      one.status = 'cancelled';
      decisions.push({ do: 'status', unit: state.units[unit]!, status: 'cancelled' });
    }
  }
  state.status = 'cancelled';
  decisions.push({ do: 'finish', status: 'cancelled' });
  return decisions;
}

const quote = (state: RunState, unit: number): string => `"${state.units[unit]!.name}"`;

/** There is no earlier answer to what the unit would be given: it runs. */
export function noReuse(state: RunState, unit: number, given: Given): void {
  state.states[unit]!.looked = given;
  state.newlyReady.push(unit);
}

/** There is one. Ignored (false) when the unit would be given something else by now. */
export function reuse(state: RunState, unit: number, asked: Given, { given, outcome, sources }: Reused): boolean {
  if (state.ready.get(unit) !== asked) return false;
  state.ready.delete(unit);
  const one = state.states[unit]!;
  Object.assign(one, { status: 'reused', given, outcome, sources, overtaken: undefined, readyAt: 0 });
  finished(state, unit, outcome);
  return true;
}

/** `sources`: paths that it had read and that no step hands on. */
export interface Reused {
  given: Given;
  outcome: Outcome;
  sources: Set<string>;
}

/** What a unit gives is known: those who read it are looked at. */
function finished(state: RunState, unit: number, { provided, used }: Pick<Outcome, 'provided' | 'used'>): void {
  state.states[unit]!.settled = false;
  for (const name of Object.keys(provided)) addWriter(state, name, unit);
  for (const name of used) addReader(state, name, unit);
  state.touched.add(unit);
  touchReaders(state, unit);
}

/** An attempt ended with a result. Ignored (false) when the attempt is not the unit's current one. */
export function ended(
  state: RunState,
  unit: number,
  attempt: number,
  result: Pick<TaskResult, 'status' | 'provided' | 'used' | 'defined' | 'error' | 'sources'>,
): boolean {
  const one = state.states[unit];
  if (!one || one.attempt !== attempt || one.status !== 'running') return false;
  one.outcome = {
    status: result.status,
    provided: result.provided,
    used: result.used,
    defined: new Set(result.defined),
    error: result.error,
  };
  one.status = result.status;
  state.running.delete(unit);
  if (result.status === 'failed') {
    state.doubtful.add(unit);
    if (platformKinds.has(result.error!.kind)) one.platformFailures++;
    else one.failures++;
  }
  finished(state, unit, result);
  overtake(state, unit, result.sources?.wrote ?? []);
  return true;
}

/** Answers below that were reused had read these files before they were written now. */
function overtake(state: RunState, unit: number, wrote: readonly string[]): void {
  if (wrote.length === 0) return;
  for (let below = unit + 1; below < state.units.length; below++) {
    const one = state.states[below]!;
    if (one.status !== 'reused' || !wrote.some(path => one.sources?.has(path))) continue;
    one.overtaken = true;
    state.touched.add(below);
  }
}
