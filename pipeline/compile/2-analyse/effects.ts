/** What code does, as it is found: one of these for the cell's own flow, and one for each function body. */
import type { Range } from '../../model/problem';
import type { Call, FileUse, Mutation, Use } from '../analysis';

export interface Effects {
  reads: Map<string, Use>;
  uses: Map<string, Use>;
  /** Names bound by `global` declarations; only functions have these. */
  binds: Set<string>;
  /** Keys are global names, or markers of parameters (`parameterMark`). */
  mutates: Map<string, Mutation>;
  calls: Call[];
  channels: { reads: Set<string>; changes: Set<string> };
  files: { reads: FileUse[]; writes: FileUse[]; readsAny: boolean; writesAny: boolean };
  dynamic: { reason: string; range: Range; reads: boolean; writes: boolean; modules?: string[] }[];
}

export const noEffects = (): Effects => ({
  reads: new Map(),
  uses: new Map(),
  binds: new Set(),
  mutates: new Map(),
  calls: [],
  channels: { reads: new Set(), changes: new Set() },
  files: { reads: [], writes: [], readsAny: false, writesAny: false },
  dynamic: [],
});

/** Adds what a nested function does to the function around it: it may be called there. Marks of its own parameters come along and are left out in the end (`callsOf`, `mutates`). */
export function absorb(into: Effects, from: Effects): void {
  for (const [name, use] of from.reads) if (!into.reads.has(name)) into.reads.set(name, use);
  for (const name of from.binds) into.binds.add(name);
  for (const [name, mutation] of from.mutates) if (!into.mutates.has(name)) into.mutates.set(name, mutation);
  for (const call of from.calls) into.calls.push(call);
  for (const name of from.channels.reads) into.channels.reads.add(name);
  for (const name of from.channels.changes) into.channels.changes.add(name);
  into.files.reads.push(...from.files.reads);
  into.files.writes.push(...from.files.writes);
  into.files.readsAny ||= from.files.readsAny;
  into.files.writesAny ||= from.files.writesAny;
  into.dynamic.push(...from.dynamic);
}
