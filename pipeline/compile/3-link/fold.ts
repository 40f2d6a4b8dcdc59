/**
 * One step's cells, folded in order into what the step reads and writes. Names that the step's own cells have bound before are its own
 * affair; every other name is asked of what stands above. A use of a function is a use of everything that its body looks up.
 */
import { isChannel } from '../../model/name';
import type { Range } from '../../model/problem';
import { knownCall, unpickles } from '../2-analyse';
import type { Call } from '../analysis';
import type { Definitions, Instance, LinkCell } from './definitions';
import type { Effect, Effects } from './effects';
import type { Passing } from './passing';
import { workspacePath } from './path';
import { summary } from './summary';

/** A name that the step needs. `direct`: its own cells say the name; otherwise a function it uses does. */
export interface Need {
  name: string;
  direct: boolean;
  /** The cell itself may have bound it before. */
  maybe: boolean;
  cell: number;
  range?: Range;
}

export interface Folded {
  needs: Map<string, Need>;
  /** Name → certainly assigned. */
  writes: Map<string, boolean>;
  defines: Set<string>;
  /** Definitions of its own and from above that it uses, before following what they need. */
  used: Set<Instance>;
  /** The names by which its cells use them. */
  usedAs: Set<string>;
  /** Data names whose values were looked at: what they carry (instances of the notebook's classes) has to be known here. */
  files: { reads: Set<string>; writes: Set<string> };
  readsAll: boolean;
  writesAll: boolean;
  /** It unpickles something, for which it may need any definition above. */
  unpickles: boolean;
}

/** What linking knows of the notebook as a whole. */
export interface Notebook {
  definitions: Definitions;
  effects: Effects;
  passing: Passing;
  /** What an imported name stands for: `np` → `numpy`. */
  origins: Map<string, string>;
}

export function fold(cells: readonly LinkCell[], step: number, notebook: Notebook): Folded {
  const { definitions, effects, passing, origins } = notebook;
  const needs = new Map<string, Need>();
  const writes = new Map<string, boolean>();
  const defines = new Set<string>();
  const used = new Set<Instance>();
  const usedAs = new Set<string>();
  const files = { reads: new Set<string>(), writes: new Set<string>() };
  let readsAll = false;
  let writesAll = false;
  let anyCode = false;
  const bound = new Set<string>();
  const followed = new Set<Effect>();
  /** Names that the step defines somewhere. */
  const own = new Set<string>();
  for (const { analysis } of cells) for (const name of summary(analysis).defined) own.add(name);

  const need = (name: string, direct: boolean, cell: number, maybe: boolean, range?: Range): void => {
    const before = needs.get(name);
    if (!before || (direct && !before.direct) || (before.direct && before.maybe && direct && !maybe))
      needs.set(name, { name, direct, maybe, cell, range });
  };
  const write = (name: string, certain: boolean): void => {
    if (certain || !writes.has(name)) writes.set(name, certain || writes.get(name) === true);
  };

  for (const { analysis, cell, source } of cells) {
    const { exposed, settled } = summary(analysis);
    let carries = 0n;
    const changed = new Set<string>();
    const effectsHere = new Set<Effect>();

    /** What a body looks up when it is called at `at`: names the step or the cell has bound by then are found here. */
    const follow = (effect: Effect, at: number): void => {
      effectsHere.add(effect);
      if (followed.has(effect)) return;
      followed.add(effect);
      for (const name of effect.reads) look(name, at);
      for (const call of effect.calls) {
        for (const method of effects.methodsOf(call.callee)) follow(method, at);
        if (unpickling(call)) anyCode = true;
      }
    };
    const look = (name: string, at: number): void => {
      const own = bound.has(name) || (settled.get(name) ?? Number.POSITIVE_INFINITY) <= at;
      if (!own) need(name, false, cell, true);
      for (const effect of effects.behind(name)) if (!followed.has(effect)) follow(effect, at);
    };

    for (const { name, range, maybe } of analysis.uses) {
      const local = !exposed.has(name);
      if (!local && !bound.has(name)) {
        const upward = exposed.get(name)!;
        // A cell of the step above this one may have bound it, on some paths.
        need(name, true, cell, maybe === true || upward.maybe === true || writes.has(name), upward.range);
      }
      const instance = definitions.isCode(name) ? (ownInstance(name) ?? definitions.above(name, step)) : undefined;
      if (instance) {
        used.add(instance);
        usedAs.add(name);
        if (instance.bit >= 0) carries |= definitions.carriedBy(instance, source);
      } else carries |= passing.madeWith(name);
      for (const effect of effects.behind(name)) follow(effect, range.from);
    }
    for (const call of analysis.calls) {
      for (const method of effects.methodsOf(call.callee)) follow(method, call.range.from);
      for (const name of changedBy(call, cell)) changed.add(name);
      if (unpickling(call)) anyCode = true;
    }
    for (const { name } of analysis.mutates) changed.add(name);
    for (const effect of effectsHere) {
      for (const name of effect.mutates) changed.add(name);
      for (const name of effect.assigns) {
        write(name, false);
        note(name);
      }
      for (const name of effect.channels.reads) need(name, false, cell, true);
      for (const name of effect.channels.changes) write(name, false);
      useFiles(effect.files, cell, undefined);
      if (effect.dynamic.reads) readsAll = true;
      if (effect.dynamic.writes) writesAll = true;
    }

    // Changes reach everything that may share the object: before this cell binds names anew, and after.
    for (const name of changed) change(name);
    for (const { name, certain } of analysis.assigns) if (certain) passing.rebind(name);
    for (const [a, b] of analysis.aliases) if (isValue(a) && isValue(b)) passing.join(a, b);
    for (const name of changed) change(name);

    for (const { name, certain, mutable, deletes, code } of analysis.assigns) {
      if (code) continue;
      write(name, certain && !deletes);
      if (mutable) note(name);
      else passing.unmark(name);
      if (certain && !deletes) bound.add(name);
    }
    for (const { names, certain } of analysis.definitions) {
      if (!certain) continue;
      for (const name of names) {
        if (name === '*') continue;
        bound.add(name);
        if (definitions.isCode(name)) defines.add(name);
        else {
          write(name, true);
          note(name);
        }
      }
    }
    for (const name of analysis.channels.reads) need(name, true, cell, true);
    for (const name of analysis.channels.changes) write(name, false);
    useFiles(analysis.files, cell, true);
    for (const one of analysis.dynamic) {
      if (one.reads) readsAll = true;
      if (one.writes) writesAll = true;
    }

    function change(name: string): void {
      if (!isValue(name)) return;
      write(name, false);
      note(name);
      for (const other of passing.sharing(name)) {
        write(other, false);
        note(other);
      }
    }

    function note(name: string): void {
      if (carries !== 0n) passing.mark(name, passing.madeWith(name) | carries);
    }
  }
  if (readsAll && !needs.has('*')) need('*', false, cells[0]?.cell ?? 0, true);
  if (writesAll) writes.set('*', false);
  if (anyCode) {
    for (const { names, kind } of definitions.all) {
      if (kind !== 'class' && kind !== 'function') continue;
      for (const name of names) if (!definitions.isCode(name)) need(name, false, cells[0]?.cell ?? 0, true);
    }
  }
  return { needs, writes, defines, used, usedAs, files, readsAll, writesAll, unpickles: anyCode };

  function unpickling({ callee }: Call): boolean {
    const dot = callee.indexOf('.');
    const root = dot < 0 ? callee : callee.slice(0, dot);
    const origin = definitions.data.has(root) ? undefined : origins.get(root);
    return origin !== undefined && unpickles(origin + callee.slice(root.length));
  }

  function ownInstance(name: string): Instance | undefined {
    return own.has(name) ? definitions.of(name).find(one => one.step === step) : undefined;
  }

  /** Modules, functions and builtins don't change by what notebooks do to them; everything else may. */
  function isValue(name: string): boolean {
    return !definitions.isCode(name) && (definitions.data.has(name) || !origins.has(name));
  }

  function changedBy(call: Call, cell: number): string[] {
    const own = effects.changed(call);
    const dot = call.callee.indexOf('.');
    const root = dot < 0 ? call.callee : call.callee.slice(0, dot);
    const origin = definitions.data.has(root) ? undefined : origins.get(root);
    if (!origin) return own;
    const known = knownCall(origin + call.callee.slice(root.length));
    if (known) {
      for (const channel of known.reads) if (isChannel(channel)) need(channel, true, cell, true);
      for (const channel of known.writes) write(channel, false);
      return [
        ...own,
        ...call.arguments
          .filter(({ position }) => known.changes === 'all' || (position !== undefined && known.changes.includes(position)))
          .map(({ name }) => name),
      ];
    }
    // A library's function whose value is thrown away was called for what it does to something.
    return call.dropped ? [...own, ...call.arguments.map(({ name }) => name)] : own;
  }

  function useFiles(use: LinkCell['analysis']['files'], cell: number, direct: true | undefined): void {
    for (const { path, range } of use.reads) {
      const name = workspacePath(path);
      files.reads.add(name ?? path);
      if (name !== undefined) need(`file:${name}`, direct === true, cell, true, direct ? range : undefined);
    }
    for (const { path } of use.writes) {
      const name = workspacePath(path);
      files.writes.add(name ?? path);
      if (name !== undefined) write(`file:${name}`, false);
    }
    if (use.readsAny) need('file:*', direct === true, cell, true);
    if (use.writesAny) write('file:*', false);
  }
}
