/**
 * What calling a function of the notebook does, with everything that it calls in turn: which globals it changes, which of its
 * arguments. Functions are known by name; where a name is defined twice, a call may do what either does.
 */
import type { Call, CellAnalysis, FileUse, FunctionEffect } from '../analysis';

export interface Effect {
  /** Global names that the bodies read, calls not followed: who uses the name follows them. */
  reads: Set<string>;
  /** Followed: bound through `global`, and objects that may be changed. */
  assigns: Set<string>;
  mutates: Set<string>;
  /** Parameters whose argument may be changed. */
  parameters: Map<string, { index: number; kind: FunctionEffect['parameters'][number]['kind'] }>;
  changes: Set<string>;
  calls: Call[];
  channels: { reads: Set<string>; changes: Set<string> };
  files: { reads: FileUse[]; writes: FileUse[]; readsAny: boolean; writesAny: boolean };
  dynamic: { reads: boolean; writes: boolean };
  /** Parameters whose default is made once and can change. */
  remembers: Set<string>;
  isMethod: boolean;
}

export class Effects {
  private readonly byName = new Map<string, Effect>();
  /** Methods of all classes of the notebook, by their last name: the class of an object is not known. */
  private readonly methods = new Map<string, Effect[]>();

  /** Methods by the class that has them. */
  private readonly members = new Map<string, Effect[]>();

  constructor(cells: Iterable<CellAnalysis['functions']>) {
    for (const functions of cells) for (const one of functions) this.add(one);
    this.settle();
  }

  get(name: string): Effect | undefined {
    return this.byName.get(name);
  }

  get size(): number {
    return this.byName.size;
  }

  /** What `callee` may do; empty for everything that is not the notebook's own. */
  of(callee: string): readonly Effect[] {
    const own = this.byName.get(callee);
    const dot = callee.lastIndexOf('.');
    if (own) return [own];
    return dot < 0 ? [] : (this.methods.get(callee.slice(dot + 1)) ?? []);
  }

  /** What using the name may do: the function itself, or all methods of a class. */
  behind(name: string): readonly Effect[] {
    const own = this.byName.get(name);
    const members = this.members.get(name);
    if (!members) return own ? [own] : [];
    return own ? [own, ...members] : members;
  }

  /** Methods of that last name, of all classes. */
  methodsOf(callee: string): readonly Effect[] {
    const dot = callee.lastIndexOf('.');
    return dot < 0 ? [] : (this.methods.get(callee.slice(dot + 1)) ?? []);
  }

  /** Names among the call's arguments (and the object of a method) whose objects it may change. */
  changed(call: Call): string[] {
    const names: string[] = [];
    for (const effect of this.of(call.callee)) {
      const method = effect.isMethod && !this.byName.has(call.callee);
      for (const argument of call.arguments) if (this.changesArgument(effect, argument, method)) names.push(argument.name);
      if (method && firstParameterChanges(effect)) names.push(call.callee.slice(0, call.callee.indexOf('.')));
    }
    return names;
  }

  private changesArgument(effect: Effect, argument: Call['arguments'][number], method: boolean): boolean {
    if (effect.changes.size === 0) return false;
    if (argument.keyword !== undefined) {
      if (effect.parameters.has(argument.keyword)) return effect.changes.has(argument.keyword);
      return [...effect.parameters].some(([name, { kind }]) => kind === 'rest-keywords' && effect.changes.has(name));
    }
    // A starred argument may end up anywhere.
    if (argument.position === undefined) return true;
    const position = argument.position + (method ? 1 : 0);
    for (const name of effect.changes) {
      const parameter = effect.parameters.get(name);
      if (!parameter) continue;
      if (parameter.kind === 'positional' ? parameter.index === position : parameter.kind === 'rest' && position >= parameter.index)
        return true;
    }
    return false;
  }

  private add(one: FunctionEffect): void {
    let effect = this.byName.get(one.name);
    if (!effect) {
      effect = {
        reads: new Set(),
        assigns: new Set(),
        mutates: new Set(),
        parameters: new Map(),
        changes: new Set(),
        calls: [],
        channels: { reads: new Set(), changes: new Set() },
        files: { reads: [], writes: [], readsAny: false, writesAny: false },
        dynamic: { reads: false, writes: false },
        remembers: new Set(),
        isMethod: one.name.includes('.'),
      };
      this.byName.set(one.name, effect);
      const dot = one.name.lastIndexOf('.');
      if (dot >= 0) {
        const method = one.name.slice(dot + 1);
        const others = this.methods.get(method);
        if (others) others.push(effect);
        else this.methods.set(method, [effect]);
        const owner = one.name.slice(0, dot);
        const siblings = this.members.get(owner);
        if (siblings) siblings.push(effect);
        else this.members.set(owner, [effect]);
      }
    }
    for (const name of one.reads) effect.reads.add(name);
    for (const name of one.assigns) effect.assigns.add(name);
    for (const name of one.mutates) effect.mutates.add(name);
    for (const [index, { name, mutates, kind, remembers }] of one.parameters.entries()) {
      effect.parameters.set(name, { index, kind });
      if (remembers) effect.remembers.add(name);
      if (mutates) effect.changes.add(name);
    }
    effect.calls.push(...one.calls);
    for (const channel of one.channels.reads) effect.channels.reads.add(channel);
    for (const channel of one.channels.changes) effect.channels.changes.add(channel);
    effect.files.reads.push(...one.files.reads);
    effect.files.writes.push(...one.files.writes);
    effect.files.readsAny ||= one.files.readsAny;
    effect.files.writesAny ||= one.files.writesAny;
    effect.dynamic.reads ||= one.dynamic.reads;
    effect.dynamic.writes ||= one.dynamic.writes;
  }

  /** Passes effects from callees to callers until nothing is new. Each round follows calls one level further. */
  private settle(): void {
    const callers = [...this.byName.values()].filter(effect => effect.calls.length > 0);
    // A default that a call changes is part of the function.
    const remember = (name: string, effect: Effect): void => {
      for (const one of effect.remembers) if (effect.changes.has(one)) effect.mutates.add(name.split('.')[0]!);
    };
    for (const [name, effect] of this.byName) remember(name, effect);
    const remembering = [...this.byName].filter(([, effect]) => effect.remembers.size > 0 && effect.calls.length > 0);
    let news = true;
    while (news) {
      news = false;
      for (const effect of callers) {
        const before = size(effect);
        for (const call of effect.calls) {
          for (const name of this.changed(call)) {
            if (effect.parameters.has(name)) effect.changes.add(name);
            else effect.mutates.add(name);
          }
          for (const callee of this.of(call.callee)) {
            union(effect.assigns, callee.assigns);
            union(effect.mutates, callee.mutates);
            union(effect.channels.reads, callee.channels.reads);
            union(effect.channels.changes, callee.channels.changes);
          }
        }
        if (size(effect) !== before) news = true;
      }
      for (const [name, effect] of remembering) {
        const before = effect.mutates.size;
        remember(name, effect);
        if (effect.mutates.size !== before) news = true;
      }
    }
  }
}

const size = (effect: Effect): number =>
  effect.assigns.size + effect.mutates.size + effect.changes.size + effect.channels.reads.size + effect.channels.changes.size;

function union<T>(into: Set<T>, from: Set<T>): void {
  if (into !== from) for (const one of from) into.add(one);
}

function firstParameterChanges(effect: Effect): boolean {
  for (const name of effect.changes) if (effect.parameters.get(name)?.index === 0) return true;
  return false;
}
