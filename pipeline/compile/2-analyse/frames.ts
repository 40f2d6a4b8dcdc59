/** The ground that evaluation stands on: in which frame a name is looked up, and where the effects of what runs are noted. */
import type { Range } from '../../model/problem';
import type { FunctionEffect } from '../analysis';
import type { Effects } from './effects';
import type { Magic } from './ipython';
import { conventionalModule } from './names';
import type { Expr, Lambda, Node, Statement } from './python/tree';
import { type Bound, type Frame, fresh, noNames, originName, union, type Value } from './value';

export abstract class Frames {
  abstract frame: Frame;
  abstract readonly module: Frame;
  /** Above 0: what happens here may not happen (the right side of `and`, an `if` expression, a comprehension). */
  protected maybe = 0;
  /** Set while text from a string literal is read: its offsets mean nothing in the cell. */
  protected elsewhere: Range | undefined;
  /** Going through a loop's body a second time: effects are known already, only sharing is followed. */
  protected again = 0;
  protected needs: Set<string> | undefined;
  protected frames = 0;
  readonly links: [string, string][] = [];

  protected abstract readonly source: string;
  abstract evaluate(e: Expr, dropped?: boolean): Value;
  protected abstract bindName(name: string, node: Node, value: Value, end?: number): void;
  protected abstract statements(body: Statement[]): void;
  protected abstract functionEffect(name: string, node: Lambda): FunctionEffect;
  abstract magic(magic: Magic, node: Node): void;

  protected get effects(): Effects {
    return this.frame.effects;
  }
  protected range(node: Node): Range {
    return this.elsewhere ?? { from: node.from, to: node.to };
  }

  // Names.

  /** The frame that holds a local name; undefined when the name is global. */
  protected owner(name: string): Frame | undefined {
    for (let f: Frame | undefined = this.frame; f && f.kind !== 'module'; f = f.parent) {
      if (f.kind === 'class') {
        if (f !== this.frame) continue;
        if (f.globals.has(name)) return undefined;
        if (f.state.env.has(name)) return f;
        continue;
      }
      if (f.globals.has(name)) return undefined;
      if (f.locals.has(name)) return f;
    }
    return undefined;
  }

  load(name: string, node: Node): Value {
    const owner = this.owner(name);
    if (owner) {
      const value = owner.state.env.get(name);
      if (owner.kind !== 'class' || value?.certain) return value ?? fresh;
    }
    const { effects } = this.frame;
    const bound = this.module.state.env.get(name);
    this.needs?.add(name);
    if (effects === this.module.effects) {
      if (!effects.uses.has(name)) effects.uses.set(name, { name, range: this.range(node) });
      if (!bound?.certain && !effects.reads.has(name))
        effects.reads.set(name, bound ? { name, range: this.range(node), maybe: true } : { name, range: this.range(node) });
      if (bound) return { ...bound, origins: union([name], bound.origins) };
    } else {
      let local: Bound | undefined;
      for (let f: Frame | undefined = this.frame; f && f.kind !== 'module'; f = f.parent)
        if (f.globals.has(name)) local = f.state.env.get(name);
      if (!local?.certain && !effects.reads.has(name)) effects.reads.set(name, { name, range: this.range(node) });
      if (local) return { ...local, origins: union([name], local.origins) };
      // A function runs later; only what an import gave the name is sure to be so still.
      if (bound?.known) return { origins: [name], mutable: true, known: bound.known };
      if (bound) return { origins: [name], mutable: true };
    }
    const known = conventionalModule(name);
    return known ? { origins: [name], mutable: true, known } : { origins: [name], mutable: true };
  }

  /** Notes that the code asks whether a name exists; nobody has to provide it. */
  protected maybeUse(name: string, node: Node): void {
    const { effects } = this.frame;
    if (this.module.state.env.get(name)?.certain) return;
    if (!effects.reads.has(name)) effects.reads.set(name, { name, range: this.range(node), maybe: true });
    if (!effects.uses.has(name)) effects.uses.set(name, { name, range: this.range(node) });
  }

  /** `globals()`, and at the top level `locals()` and `vars()`. */
  protected isNamespace(e: Expr): boolean {
    if (e.kind !== 'call' || e.arguments.length || e.callee.kind !== 'name') return false;
    const { name } = e.callee;
    if (name !== 'globals' && !((name === 'locals' || name === 'vars') && this.frame.effects === this.module.effects)) return false;
    return !this.owner(name) && !this.module.state.env.has(name);
  }

  /** A frame that runs inside this one, with effects of this one. */
  protected openFrame(kind: Frame['kind'], locals: ReadonlySet<string>): Frame {
    return {
      mark: `\0${++this.frames}:`,
      kind,
      parent: this.frame,
      state: { env: new Map(), dead: false },
      locals,
      globals: noNames,
      nonlocals: noNames,
      effects: this.frame.effects,
    };
  }

  // Effects.

  protected mutate(origins: readonly string[], path: string, node: Node): void {
    const { mutates } = this.effects;
    for (const origin of origins)
      if (!mutates.has(origin)) mutates.set(origin, { name: originName(origin), path, range: this.range(node) });
  }
  protected link(into: readonly string[], from: readonly string[]): void {
    if (this.effects !== this.module.effects) return;
    for (const a of into) for (const b of from) if (a !== b && this.links.length < 2000) this.links.push([a, b]);
  }
  protected channels(reads: readonly string[], changes: readonly string[]): void {
    for (const name of reads) this.effects.channels.reads.add(name);
    for (const name of changes) this.effects.channels.changes.add(name);
  }
  protected dynamic(reason: string, node: Node, reads: boolean, writes: boolean, modules?: string[]): void {
    if (this.again) return;
    this.effects.dynamic.push({ reason, range: this.range(node), reads, writes, ...(modules ? { modules } : {}) });
  }
  protected pushCall(callee: string, args: { name: string; position?: number; keyword?: string }[], dropped: boolean, node: Node): void {
    if (!this.again) this.effects.calls.push({ callee, arguments: args, dropped, range: this.range(node) });
  }
}
