/**
 * Which value a read means: the nearest unit above that changed the name (docs/running.md, "The rule").
 * A finished unit is believed for what it was seen to change, an unfinished one for what it is predicted to change.
 */
import type { SavedState, SavedValue, Value } from '../../pipeline/model/artifact';
import { isVariable } from '../../pipeline/model/name';
import { countBelow, followed, type Given, isLost, isRemoved, type RunState } from './state';

export type Binding =
  | { what: 'value'; by: number; value: Value | SavedState }
  /** Removed or deleted by a unit above. */
  | { what: 'removed'; by: number }
  /** A unit above that may still change it, perhaps under the name of another that shares its object. */
  | { what: 'pending'; by: number; through?: string }
  /** A unit above that would have provided it and never will. */
  | { what: 'broken'; by: number }
  /** No step provides it: a parameter, a shared cell's name, a builtin, a mistake. */
  | { what: 'none' };

export function bind(state: RunState, reader: number, name: string): Binding {
  const named = state.writers.get(name) ?? [];
  const any = state.writers.get(name.startsWith('file:') ? 'file:*' : isVariable(name) ? '*' : '') ?? [];
  let i = countBelow(named, reader) - 1;
  let j = countBelow(any, reader) - 1;
  while (i >= 0 || j >= 0) {
    const by = Math.max(named[i] ?? -1, any[j] ?? -1);
    if (named[i] === by) i--;
    if (any[j] === by) j--;
    const found = provides(state, by, name);
    if (found) return found.what === 'value' ? (mate(state, by, reader, found.value) ?? found) : found;
  }
  return { what: 'none' };
}

/** What one unit means for readers of the name below it; undefined when they look past it. */
export function provides(state: RunState, by: number, name: string): Binding | undefined {
  const one = state.states[by]!;
  if (!one.settled) return { what: 'pending', by };
  if (one.broken || one.status === 'skipped') return { what: 'broken', by };
  const outcome = one.outcome!;
  const value = Object.hasOwn(outcome.provided, name) ? outcome.provided[name] : undefined;
  if (value) return isRemoved(value) ? { what: 'removed', by } : { what: 'value', by, value };
  // Only who had a name can have removed it: a unit that might have changed it under another name never held this one.
  const had = state.units[by]!.writes.get(name) === true || (one.given !== undefined && Object.hasOwn(one.given.values, name));
  if (isVariable(name) && had && !outcome.defined.has(name)) return { what: 'removed', by };
  return undefined;
}

/** A unit between provider and reader that may change another member of the same blob may change this one too. */
function mate(state: RunState, provider: number, reader: number, value: Value | SavedState): Binding | undefined {
  if (!('members' in value) || value.members.length < 2) return undefined;
  for (const member of value.members) {
    const writers = state.writers.get(member) ?? [];
    for (let i = countBelow(writers, reader) - 1; i >= 0 && writers[i]! > provider; i--) {
      if (!state.states[writers[i]!]!.settled) return { what: 'pending', by: writers[i]!, through: member };
    }
  }
  return undefined;
}

/** What a unit would be given now. */
export interface Expectation {
  given: Given;
  /** Units above that may still change one of its reads. */
  pending: number[];
  /** A unit above that failed to provide one of its reads. */
  broken?: number;
  /** A read whose value cannot leave the process of the unit that made it. */
  lost?: { name: string; by: number; reason: string; type: string };
  /** Every variable it reads, learned ones and those that come with others included. */
  reads: Set<string>;
  /** Variables that share a blob with one it reads. */
  watched: Set<string>;
}

export function expect(state: RunState, reader: number): Expectation {
  const unit = state.units[reader]!;
  const values: Record<string, SavedValue> = {};
  const pending: number[] = [];
  let broken: number | undefined;
  let lost: Expectation['lost'];
  const reads = new Set<string>();
  const watched = new Set<string>();
  const everything = unit.reads.includes('*');
  const queue: string[] = [...(state.learned.get(reader) ?? [])];
  for (const name of unit.reads) {
    if (isVariable(name)) {
      if (name !== '*') queue.push(name);
    } else if (name === 'file:*') {
      for (const file of state.ambient) if (file.startsWith('file:')) wait(state.writers.get(file)!);
    } else if (followed(state, name)) {
      const binding = bind(state, reader, name);
      if (binding.what === 'pending') pending.push(binding.by);
      if (binding.what === 'broken') broken ??= binding.by;
    }
  }
  if (everything) {
    for (let above = 0; above < reader; above++) if (!state.states[above]!.settled) pending.push(above);
    for (const [name, writers] of state.writers) if (isVariable(name) && name !== '*' && writers[0]! < reader) queue.push(name);
  }
  while (queue.length > 0) {
    const name = queue.pop()!;
    if (reads.has(name)) continue;
    reads.add(name);
    const binding = bind(state, reader, name);
    if (binding.what === 'pending') {
      pending.push(binding.by);
      if (binding.through) watched.add(binding.through);
    } else if (binding.what === 'broken') broken ??= binding.by;
    else if (binding.what === 'value') {
      const value = binding.value as Value;
      if (isLost(value)) {
        const asked = !everything || unit.reads.includes(name) || state.learned.get(reader)?.has(name);
        if (asked) lost ??= { name, by: binding.by, reason: value.lost, type: value.type };
        continue;
      }
      values[name] = value;
      if (value.needs) queue.push(...value.needs);
      // A member that nobody reads from here on stays away: were it needed after all, its absence would tell.
      for (const member of value.members) {
        watched.add(member);
        if (reads.has(member) || !state.wanted[reader]!.has(member) || unit.writes.get(member)) continue;
        const together = bind(state, reader, member);
        if (together.what === 'value' && (together.value as SavedValue).digest === value.digest) queue.push(member);
      }
    }
  }
  return { given: { values, ...ambient(state, reader), wanted: [...state.wanted[reader]!].sort() }, pending, broken, lost, reads, watched };

  function wait(writers: readonly number[]): void {
    for (const by of writers) {
      if (by >= reader) break;
      if (!state.states[by]!.settled) pending.push(by);
    }
  }
}

/** Channels and files as the settled units above leave them. */
function ambient(state: RunState, reader: number): Pick<Given, 'channels' | 'files'> {
  const channels: Record<string, SavedState> = {};
  const files: Record<string, SavedState | null> = {};
  for (const name of state.ambient) {
    if (name === 'file:*' || !followed(state, name)) continue;
    const writers = state.writers.get(name)!;
    for (let i = countBelow(writers, reader) - 1; i >= 0; i--) {
      const one = state.states[writers[i]!]!;
      const value = one.settled && !one.broken ? one.outcome?.provided[name] : undefined;
      if (!value) continue;
      if (name.startsWith('@')) {
        if (!isRemoved(value)) channels[name] = value as SavedState;
      } else files[name.slice('file:'.length)] = isRemoved(value) ? null : (value as SavedState);
      break;
    }
  }
  return { channels, files };
}

/** Says what differs between what a unit was given and what it would be given now: variables, and the channels and files it was seen to use. */
export function difference(expected: Given, given: Given, used: readonly string[] | 'everything'): string | undefined {
  for (const name of new Set([...Object.keys(expected.values), ...Object.keys(given.values)])) {
    if (expected.values[name]?.digest !== given.values[name]?.digest) return name;
  }
  if (used === 'everything') {
    const channels = new Set([...Object.keys(expected.channels), ...Object.keys(given.channels)]);
    return difference(expected, given, ['file:*', ...channels]);
  }
  for (const name of used) {
    if (name === 'file:*') {
      for (const path of new Set([...Object.keys(expected.files), ...Object.keys(given.files)])) {
        if (expected.files[path]?.digest !== given.files[path]?.digest) return `file:${path}`;
      }
    } else if (name.startsWith('file:')) {
      const path = name.slice('file:'.length);
      if (expected.files[path]?.digest !== given.files[path]?.digest) return name;
    } else if (expected.channels[name]?.digest !== given.channels[name]?.digest) return name;
  }
  return undefined;
}
