/**
 * Which names of the notebook are code (imports, functions, classes: they travel as source) and which are data. A name is code only if
 * nothing in the notebook says otherwise; everything in doubt is data, because a value crosses whatever it is.
 */

import type { Cell, Definition } from '../../model/pipeline';
import { keepsNothing } from '../2-analyse';
import type { CellAnalysis, DefinitionUse } from '../analysis';
import type { Effects } from './effects';

/** A cell with what is known of it, at its place in the order in which the pipeline runs. */
export interface LinkCell extends Cell {
  analysis: CellAnalysis;
  /** Index of the step; -1 for shared and parameter cells, which every step has. */
  step: number;
}

/** One definition at one place. `order` counts definitions in the order in which they run. */
export interface Instance extends Definition {
  use: DefinitionUse;
  step: number;
  order: number;
  /** Counts functions and classes only. */
  bit: number;
}

export class Definitions {
  /** In the order in which they run. */
  readonly all: Instance[] = [];
  /** Functions and classes, by their bit. */
  readonly code: Instance[] = [];
  /** Names that are assigned as data somewhere, and code that can cross only as a value. */
  readonly data = new Set<string>();
  private readonly byName = new Map<string, Instance[]>();
  /** Setup calls by the name, or `module:` and the package, they belong to. */
  private readonly setups = new Map<string, Instance[]>();
  private readonly staying = new Map<string, Instance[]>();
  private readonly stars: Instance[] = [];
  /** Names that definitions need where they are made. */
  private readonly needed = new Set<string>();

  /** `changed` are names to take as data whatever the code says. */
  constructor(
    private cells: readonly LinkCell[],
    private readonly effects: Effects,
    changed: Iterable<string> = [],
  ) {
    for (const name of changed) this.data.add(name);
    for (const { analysis, step, cell } of cells) {
      for (const { name, code } of analysis.assigns) if (!code) this.data.add(name);
      for (const use of analysis.definitions) {
        if (!use.certain) continue;
        const { names, kind, source, line } = use;
        const bit = kind === 'function' || kind === 'class' ? this.code.length : -1;
        const bindings = names.includes('*') ? names.filter(name => name !== '*') : names;
        const instance: Instance = { names: bindings, kind, source, cell, line, use, step, order: this.all.length, bit };
        this.all.push(instance);
        for (const name of use.needs) this.needed.add(name);
        if (bit >= 0) this.code.push(instance);
      }
    }
    for (const instance of this.all) {
      for (const name of instance.names) {
        const others = this.byName.get(name);
        if (others) others.push(instance);
        else this.byName.set(name, [instance]);
      }
    }
    // State kept on a function or a class (`Counter.count += 1`) is data too: source alone would start it afresh.
    const changedCode = (name: string): void => {
      if (this.byName.get(name)?.some(one => one.kind === 'function' || one.kind === 'class')) this.data.add(name);
    };
    for (const { analysis } of cells) {
      for (const { name } of analysis.mutates) changedCode(name);
      for (const { name } of analysis.functions) for (const changed of effects.get(name)?.mutates ?? []) changedCode(changed);
    }
    // So is what a default or a decorator remembers. In a shared cell every step makes it, until one is seen to change it.
    const modules = new Map<string, string>();
    for (const { kind, use } of this.all)
      if (kind === 'import') for (const name of use.names) modules.set(name, use.origins?.[name] ?? name);
    for (const { step, use } of this.code) {
      if (step < 0 || (!use.remembers && !use.decorators)) continue;
      if (use.remembers || use.decorators!.some(one => this.remembers(one, modules))) for (const name of use.names) this.data.add(name);
    }
    // Code that needs data when it is defined (a default value, a decorator, a base) is data as well; so is code that needs such code.
    const shared = new Set<string>();
    for (const { analysis, step } of cells) if (step < 0) for (const { name, code } of analysis.assigns) if (!code) shared.add(name);
    let news = true;
    while (news) {
      news = false;
      for (const instance of this.all) {
        if (instance.names.length === 0 || instance.names.every(name => this.data.has(name)) || instance.kind === 'import') continue;
        if (
          instance.use.needs.some(name => this.data.has(name) && !(instance.step < 0 && shared.has(name)) && !instance.names.includes(name))
        ) {
          for (const name of instance.names) this.data.add(name);
          news = true;
        }
      }
    }
    for (const instance of this.all) {
      if (instance.kind === 'import' && instance.use.names.length === 0) this.stars.push(instance);
      else if (instance.kind === 'import' && instance.use.names.includes('*')) this.stars.push(instance);
      if (instance.kind !== 'setup' || instance.step < 0) continue;
      // What it changes crosses as a channel; replaying it as well could undo a newer change.
      if (instance.use.channels && instance.use.channels.length > 0) continue;
      const module = instance.use.onlyIfModule;
      if (module !== undefined && !(this.byName.get(module)?.some(one => one.kind === 'import') && !this.data.has(module))) continue;
      if (instance.use.needs.some(name => this.data.has(name))) {
        this.stay(instance);
        continue;
      }
      const keys = new Set(instance.use.needs);
      if (instance.use.everywhere) keys.add(everywhere);
      for (const module of instance.use.modules ?? []) keys.add(packageKey(module));
      for (const need of instance.use.needs) {
        for (const one of this.byName.get(need) ?? []) for (const module of one.use.modules ?? []) keys.add(packageKey(module));
      }
      for (const key of keys) {
        const others = this.setups.get(key);
        if (others) others.push(instance);
        else this.setups.set(key, [instance]);
      }
    }
  }

  /** Whether these cells' definitions are the ones here, each where it was, and nothing else that was asked has another answer. */
  serves(cells: readonly LinkCell[], effects: Effects): boolean {
    if (effects !== this.effects || cells.length !== this.cells.length) return false;
    for (const [index, { cell, step, analysis }] of cells.entries()) {
      const before = this.cells[index]!;
      if (before.cell !== cell || before.step !== step) return false;
      if (before.analysis !== analysis && (step < 0 || !this.asBefore(before.analysis, analysis))) return false;
    }
    this.cells = cells;
    return true;
  }

  private asBefore(before: CellAnalysis, now: CellAnalysis): boolean {
    if (before.definitions !== now.definitions || before.functions !== now.functions) return false;
    const told = ({ assigns, mutates }: CellAnalysis): string =>
      [...assigns.filter(one => !one.code), { name: ' ' }, ...mutates]
        .filter(({ name }) => name === ' ' || this.byName.has(name) || this.needed.has(name))
        .map(({ name }) => name)
        .join(',');
    return told(before) === told(now);
  }

  /** Whether a decorator may keep something: one of the notebook's own, or one that is not known. */
  private remembers(decorator: string, modules: ReadonlyMap<string, string>): boolean {
    const dot = decorator.indexOf('.');
    const root = dot < 0 ? decorator : decorator.slice(0, dot);
    const origin = modules.get(root);
    if (origin !== undefined) return !keepsNothing(origin + decorator.slice(root.length), true);
    // `@x.setter` in a class: `x` is the class's own.
    return (dot < 0 && this.byName.has(root)) || !keepsNothing(decorator, false);
  }

  /** A setup call that needs values, which a prelude does not have: who uses what it sets up has to run where it ran. */
  private stay(instance: Instance): void {
    const root = /^[\p{L}_][\p{L}\p{N}_]*/u.exec(instance.source)?.[0];
    if (root === undefined || !this.isCode(root)) return;
    const keys = new Set([root, ...this.of(root).flatMap(one => (one.use.origins?.[root] ? [packageKey(one.use.origins[root])] : []))]);
    for (const key of keys) {
      const others = this.staying.get(key);
      if (others) others.push(instance);
      else this.staying.set(key, [instance]);
    }
  }

  /** The first setup call above a step, for a key as `setupsAbove` takes it, that can't travel. */
  stayingAbove(key: string, step: number): Instance | undefined {
    const first = this.staying.get(key)?.[0];
    return first && first.step < step ? first : undefined;
  }

  /** True when the name travels as source. */
  isCode(name: string): boolean {
    return !this.data.has(name) && this.byName.has(name);
  }

  /** All definitions of the name, in order. */
  of(name: string): readonly Instance[] {
    return this.byName.get(name) ?? [];
  }

  /** The definition that a step (or a definition, by its order) finds for the name: the nearest one above, shared cells included. */
  above(name: string, step: number, order = Number.POSITIVE_INFINITY): Instance | undefined {
    const all = this.byName.get(name);
    if (!all) return undefined;
    for (let i = all.length - 1; i >= 0; i--) if (all[i]!.step < step && all[i]!.order < order) return all[i];
    return undefined;
  }

  /**
   * What a value may hold if it was made by code that uses this definition: a class's instances hold the class, a function mentioned without
   * being called may be held itself, a called one leaves what its body holds. As bits of `code`.
   */
  carriedBy(instance: Instance, source: string): bigint {
    const own = instance.bit >= 0 ? 1n << BigInt(instance.bit) : 0n;
    if (instance.kind === 'class') return own;
    if (instance.kind !== 'function') return 0n;
    return (mentions(source, instance.names[0]!) ? own : 0n) | this.heldBy(instance);
  }

  private readonly held = new Map<Instance, bigint>();

  private heldBy(instance: Instance): bigint {
    const known = this.held.get(instance);
    if (known !== undefined) return known;
    // A ring of functions holds what its members hold; the first to be asked sees it all.
    this.held.set(instance, 0n);
    let bits = 0n;
    for (const effect of this.effects.behind(instance.names[0]!)) {
      for (const name of effect.reads) {
        if (!this.isCode(name)) continue;
        for (const one of this.of(name)) bits |= this.carriedBy(one, instance.source);
      }
    }
    this.held.set(instance, bits);
    return bits;
  }

  /** Star imports above a step. */
  starsAbove(step: number): readonly Instance[] {
    return this.stars.length === 0 ? [] : this.stars.filter(one => one.step < step);
  }

  /** Setup calls above a step that belong to a name or to the package a definition imports. */
  setupsAbove(key: string, step: number): readonly Instance[] {
    const all = this.setups.get(key);
    return all ? all.filter(one => one.step < step) : [];
  }
}

/** The key of setup calls that every step below depends on. */
export const everywhere = '*';

/** `sklearn.linear_model` → the key of all that `sklearn` is set up with. */
export const packageKey = (module: string): string => `module:${module.split('.')[0]}`;

/** Whether code names a function otherwise than to call it. Names in strings and comments count too: in doubt, yes. */
function mentions(source: string, name: string): boolean {
  for (let at = source.indexOf(name); at >= 0; at = source.indexOf(name, at + name.length)) {
    if (/[\p{L}\p{N}_.]/u.test(source[at - 1] ?? '')) continue;
    const after = /^([\p{L}\p{N}_]?)\s*(.?)/u.exec(source.slice(at + name.length, at + name.length + 12))!;
    if (after[1] === '' && after[2] !== '(') return true;
  }
  return false;
}
