/**
 * What evaluating an expression reads, changes and shares. An expression's value is known only by its *origins*: the names whose objects it may share (`a.b[0]` has origin `a`). A change
 * of the value is then a change of its origins, however the code got there.
 */
import type { Channel } from '../../model/name';
import type { Range } from '../../model/problem';
import type { FunctionEffect } from '../analysis';
import type { Effects } from './effects';
import { copies, type FileCall, fileFunction, fileMethod, plainPath, runsCommands } from './files';
import { calledMagic, lineMagic, type Magic, shellCommand } from './ipython';
import { conventionalModule, isBuiltin } from './names';
import {
  builtinCall,
  channelsOfCall,
  drawsWithoutSeed,
  givesNew,
  keepsArguments,
  knownCall,
  methodChangesArguments,
  methodKind,
} from './purity';
import { parse } from './python/parse';
import type { Argument, CallExpr, Comprehension, Expr, Lambda, Node, Statement } from './python/tree';
import { targetNames, walrusNames } from './scopes';
import { stays } from './staying';

/** What is known of a value. */
export interface Value {
  origins: readonly string[];
  /** False: certainly an immutable literal. */
  mutable: boolean;
  /** Going through it uses it up. */
  iterator?: boolean;
  /** The full dotted name of an imported thing. */
  known?: string;
  /** A literal text or path. */
  text?: string;
  /** What it is, in words, if it certainly cannot leave its process. */
  stays?: string;
  /** A function or lambda whose body has been looked at. */
  effect?: FunctionEffect;
}

export interface Bound extends Value {
  /** Bound on every path so far. */
  certain: boolean;
  /** Last thing that happened to it was `del`. */
  deleted: boolean;
}

export interface State {
  env: Map<string, Bound>;
  /** Nothing runs here: after `raise`, `return`, `break`. */
  dead: boolean;
}

export interface Frame {
  /** Prefix of the origins that stand for this frame's parameters. */
  mark: string;
  kind: 'module' | 'function' | 'class' | 'comprehension';
  parent?: Frame;
  state: State;
  locals: ReadonlySet<string>;
  globals: ReadonlySet<string>;
  nonlocals: ReadonlySet<string>;
  /** Where its effects are collected; shared by frames that run at once. */
  effects: Effects;
}

const nothing: readonly string[] = [];
export const fresh: Value = { origins: nothing, mutable: true };
const constant: Value = { origins: nothing, mutable: false };
const noNames: ReadonlySet<string> = new Set();
/** More origins than this are not told apart; real code has few. */
const mostOrigins = 60;

export function union(a: readonly string[], b: readonly string[]): readonly string[] {
  if (!b.length || a === b) return a;
  if (!a.length) return b;
  let out: string[] | undefined;
  for (const name of b) {
    if ((out ?? a).includes(name)) continue;
    if ((out ?? a).length >= mostOrigins) break;
    out ??= [...a];
    out.push(name);
  }
  return out ?? a;
}
const part = (origins: readonly string[]): Value => (origins.length ? { origins, mutable: true } : fresh);

/** The name of a parameter or variable that an origin stands for. */
export const originName = (origin: string): string => (origin.charCodeAt(0) === 0 ? origin.slice(origin.indexOf(':') + 1) : origin);

/** Attributes of modules that are channels. */
const channelAttributes: [RegExp, Channel][] = [
  [/^os\.environb?$/, '@environ'],
  [/^sys\.(?:path|meta_path|path_hooks)$/, '@path'],
  [/^matplotlib\.(?:pyplot\.)?rcParams\w*$|^matplotlib_inline\.|^seaborn\.rcmod/, '@matplotlib'],
  [/^pandas\.options\b/, '@pandas'],
  [/^warnings\.(?:filters|showwarning|formatwarning)$/, '@warnings'],
  [/^IPython\.core\.interactiveshell\.InteractiveShell\./, '@ipython'],
  [/^logging\.root\b/, '@logging'],
];
export const channelOfAttribute = (name: string): string | undefined => channelAttributes.find(([pattern]) => pattern.test(name))?.[1];

export abstract class Evaluator {
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

  // Expressions.

  /** Evaluates in the order Python does. `dropped`: the value is thrown away, so the expression is there for its effect. */
  evaluate(e: Expr, dropped = false): Value {
    switch (e.kind) {
      case 'name':
        return this.load(e.name, e);
      case 'constant':
        return e.type === 'string' ? { ...constant, text: e.text } : constant;
      case 'joined':
        for (const p of e.parts) this.evaluate(p);
        return constant;
      case 'attribute':
        return this.attribute(e);
      case 'subscript':
        return this.subscript(e);
      case 'call':
        return this.call(e, dropped);
      case 'tuple':
      case 'list':
      case 'set': {
        let origins = nothing;
        for (const item of e.items) origins = union(origins, this.evaluate(item, dropped).origins);
        return part(origins);
      }
      case 'dict': {
        let origins = nothing;
        e.values.forEach((value, i) => {
          const key = e.keys[i];
          if (key) this.evaluate(key);
          origins = union(origins, this.evaluate(value).origins);
        });
        return part(origins);
      }
      case 'operation':
        return this.operation(e.items);
      case 'boolean': {
        let origins = nothing;
        e.items.forEach((item, i) => {
          if (i === 1) this.maybe++;
          origins = union(origins, this.evaluate(item, dropped && i > 0).origins);
        });
        this.maybe--;
        return part(origins);
      }
      case 'conditional': {
        this.evaluate(e.test);
        this.maybe++;
        const then = this.evaluate(e.then, dropped);
        const otherwise = this.evaluate(e.otherwise, dropped);
        this.maybe--;
        return part(union(then.origins, otherwise.origins));
      }
      case 'lambda':
        return this.lambda(e);
      case 'comprehension':
        return this.comprehension(e, dropped);
      case 'await':
      case 'yield':
      case 'yield from':
      case 'starred':
        return e.value ? part(this.evaluate(e.value, e.kind === 'await' && dropped).origins) : fresh;
      case 'named': {
        const value = this.evaluate(e.value);
        this.bindName(e.target.name, e.target, value, e.to);
        return { ...value, origins: union(value.origins, nothing) };
      }
      case 'slice':
        for (const p of e.parts) this.evaluate(p);
        return fresh;
      case 'magic':
        this.magic(lineMagic(e.text, e.from), e);
        return fresh;
    }
  }

  private operation(items: Expr[]): Value {
    // `'x' in globals()` asks for one name.
    const [first, second] = items;
    if (items.length === 2 && first?.kind === 'constant' && first.text !== undefined && second && this.isNamespace(second)) {
      this.maybeUse(first.text, first);
      return constant;
    }
    let text: string | undefined;
    for (const [i, item] of items.entries()) {
      const value = this.evaluate(item);
      if (i === 0) text = value.text;
      else if (text !== undefined) {
        // `Path('data') / 'x.csv'`, `folder + 'x.csv'`
        const operator = value.text === undefined ? '' : this.between(items, i);
        text = operator === '/' ? `${text.replace(/\/$/, '')}/${value.text}` : operator === '+' ? text + value.text : undefined;
      }
    }
    return text === undefined ? fresh : { ...fresh, text };
  }
  private between(items: Expr[], i: number): string {
    const before = items[i - 1] as Expr;
    return this.source.slice(before.to, (items[i] as Expr).from).replace(/[\s()]/g, '');
  }
  protected abstract readonly source: string;

  /** Notes that the code asks whether a name exists; nobody has to provide it. */
  private maybeUse(name: string, node: Node): void {
    const { effects } = this.frame;
    if (this.module.state.env.get(name)?.certain) return;
    if (!effects.reads.has(name)) effects.reads.set(name, { name, range: this.range(node), maybe: true });
    if (!effects.uses.has(name)) effects.uses.set(name, { name, range: this.range(node) });
  }

  private attribute(e: Expr & { kind: 'attribute' }): Value {
    const base = this.evaluate(e.value);
    if (!base.known) return part(base.origins);
    const known = `${base.known}.${e.attribute}`;
    const channel = channelOfAttribute(known);
    if (channel) this.channels([channel], []);
    return { origins: base.origins, mutable: true, known };
  }

  private subscript(e: Expr & { kind: 'subscript' }): Value {
    if (this.isNamespace(e.value)) {
      if (e.index.kind === 'constant' && e.index.text !== undefined) return this.load(e.index.text, e);
      this.evaluate(e.index);
      this.dynamic('names looked up by a computed text', e, true, false);
      return fresh;
    }
    const base = this.evaluate(e.value);
    this.evaluate(e.index);
    return part(base.origins);
  }

  /** `globals()`, and at the top level `locals()` and `vars()`. */
  protected isNamespace(e: Expr): boolean {
    if (e.kind !== 'call' || e.arguments.length || e.callee.kind !== 'name') return false;
    const { name } = e.callee;
    if (name !== 'globals' && !((name === 'locals' || name === 'vars') && this.frame.effects === this.module.effects)) return false;
    return !this.owner(name) && !this.module.state.env.has(name);
  }

  private lambda(e: Lambda): Value {
    for (const p of e.parameters) if (p.default) this.evaluate(p.default);
    const frame = this.openFrame('function', new Set([...e.parameters.map(p => p.name), ...walrusNames(e.body)]));
    const outer = this.frame;
    this.frame = frame;
    this.maybe++;
    const value = this.evaluate(e.body);
    this.maybe--;
    this.frame = outer;
    return part(value.origins);
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

  private comprehension(e: Comprehension, dropped: boolean): Value {
    const outer = this.frame;
    const names = new Set<string>();
    for (const clause of e.clauses) targetNames(clause.target, names);
    // Only the first iterable is evaluated outside.
    const first = e.clauses[0];
    let items = first ? this.iterate(first.iterable) : fresh;
    this.frame = this.openFrame('comprehension', names);
    this.maybe++;
    e.clauses.forEach((clause, i) => {
      if (i > 0) items = this.iterate(clause.iterable);
      this.assign(clause.target, items);
      for (const condition of clause.conditions) this.evaluate(condition);
    });
    let origins = nothing;
    for (const element of e.element) origins = union(origins, this.evaluate(element, dropped).origins);
    this.maybe--;
    this.frame = outer;
    return e.type === 'generator' ? { origins, mutable: true, iterator: true, stays: 'a generator' } : part(origins);
  }

  /** The items of what is gone through; going through an iterator uses it up. */
  protected iterate(e: Expr): Value {
    const value = this.evaluate(e);
    if (value.iterator) this.mutate(value.origins, 'iteration', e);
    return part(value.origins);
  }

  // Targets.

  protected assign(target: Expr, value: Value, end?: number): void {
    switch (target.kind) {
      case 'name':
        this.bindName(target.name, target, value, end);
        return;
      case 'tuple':
      case 'list':
        for (const item of target.items) this.assign(item, part(value.origins), end);
        return;
      case 'starred':
        if (target.value) this.assign(target.value, part(value.origins), end);
        return;
      case 'subscript':
        if (this.isNamespace(target.value)) {
          if (target.index.kind === 'constant' && target.index.text !== undefined) {
            this.bindGlobal(target.index.text, target, value);
            return;
          }
          this.evaluate(target.index);
          this.dynamic('names assigned by a computed text', target, false, true);
          return;
        }
        this.change(target, value, '[...] =');
        return;
      case 'attribute':
        this.change(target, value, `.${target.attribute} =`);
        return;
      default:
        this.evaluate(target);
    }
  }
  protected abstract bindGlobal(name: string, node: Node, value: Value): void;

  /** Assignment or deletion through an access path. */
  protected change(target: Expr & { kind: 'subscript' | 'attribute' }, value: Value, path: string): void {
    const base = this.evaluate(target.value);
    if (target.kind === 'subscript') this.evaluate(target.index);
    const known = base.known && (target.kind === 'attribute' ? `${base.known}.${target.attribute}` : base.known);
    const channel = known && channelOfAttribute(known);
    if (channel) {
      this.channels([channel], [channel]);
      return;
    }
    this.mutate(base.origins, path, target);
    this.link(base.origins, value.origins);
  }

  // Calls.

  private call(e: CallExpr, dropped: boolean): Value {
    const { callee } = e;
    if (callee.kind === 'name') return this.callName(e, callee.name, dropped);
    if (callee.kind === 'attribute') {
      if (this.isNamespace(callee.value)) return this.callNamespace(e, callee.attribute);
      const base = this.evaluate(callee.value);
      if (base.known) return this.callLibrary(e, `${base.known}.${callee.attribute}`, base, dropped);
      return this.callMethod(e, base, callee, dropped);
    }
    const value = this.evaluate(callee);
    const args = this.arguments(e.arguments);
    const origins = union(value.origins, args.origins);
    if (dropped) this.mutate(origins, '(...)', e);
    return part(origins);
  }

  private callName(e: CallExpr, name: string, dropped: boolean): Value {
    const local = this.owner(name);
    const bound = local ? undefined : this.module.state.env.get(name);
    if (!local && !bound && isBuiltin(name)) {
      this.load(name, e.callee);
      return this.callBuiltin(e, name, dropped);
    }
    const value = this.load(name, e.callee);
    if (value.known) return this.callLibrary(e, value.known, value, dropped);
    const args = this.arguments(e.arguments);
    this.keywords(e, args);
    if (local) {
      if (value.effect) this.apply(value.effect, args, e);
      else if (dropped) this.mutate(union(args.origins, value.origins), `${name}(...)`, e);
      for (const origin of value.origins) this.pushCall(origin, args.names, dropped, e);
    } else {
      this.pushCall(name, args.names, dropped, e);
      this.fileArguments(e, fileFunction(name), args);
      if (drawsWithoutSeed(name)) this.draws(e);
    }
    return part(args.origins);
  }

  /** Calls a function of this very function, whose body has been looked at. */
  private apply(effect: FunctionEffect, args: Arguments, e: CallExpr): void {
    effect.parameters.forEach((p, i) => {
      if (!p.mutates) return;
      args.list.forEach((a, j) => {
        if (a.keyword === p.name || (!a.keyword && (j === i || p.kind === 'rest' || a.stars)))
          this.mutate(a.value.origins, `${effect.name}(...)`, e);
      });
    });
  }

  private callNamespace(e: CallExpr, method: string): Value {
    const first = e.arguments[0]?.value;
    if ((method === 'get' || method === '__contains__') && first?.kind === 'constant' && first.text !== undefined) {
      this.maybeUse(first.text, first);
      return part([first.text]);
    }
    if (method === 'pop' && first?.kind === 'constant' && first.text !== undefined) {
      const value = this.load(first.text, first);
      return part(value.origins);
    }
    this.arguments(e.arguments);
    this.dynamic(`globals().${method}()`, e, true, method !== 'keys' && method !== 'items' && method !== 'values' && method !== 'copy');
    return fresh;
  }

  private callBuiltin(e: CallExpr, name: string, dropped: boolean): Value {
    const first = e.arguments[0]?.value;
    switch (name) {
      case 'exec':
      case 'eval': {
        const args = this.arguments(e.arguments);
        const text = args.list[0]?.value.text;
        if (text === undefined || e.arguments.length > 1) {
          this.dynamic(`${name} of a computed text`, e, true, name === 'exec');
          return fresh;
        }
        return this.literalCode(unescaped(text), e);
      }
      case 'globals':
      case 'locals':
      case 'vars':
      case 'dir':
        if (!e.arguments.length && this.frame.effects === this.module.effects) this.dynamic(`${name}()`, e, true, false);
        else if (!e.arguments.length && name === 'globals') this.dynamic('globals()', e, true, false);
        break;
      case '__import__':
        break;
      case 'open':
        return { origins: this.openFile(e), mutable: true, iterator: true, stays: stays('open') };
      case 'get_ipython':
        return { ...fresh, known: 'get_ipython()' };
      case 'compile':
        break;
      case 'setattr':
        if (first) {
          const base = this.evaluate(first);
          if (base.known) {
            const attribute = e.arguments[1]?.value;
            const channel =
              attribute?.kind === 'constant' && attribute.text !== undefined
                ? channelOfAttribute(`${base.known}.${attribute.text}`)
                : undefined;
            if (channel) this.channels([channel], [channel]);
          }
        }
        break;
      default:
    }
    const args = this.arguments(e.arguments);
    const known = builtinCall(name);
    if (!known) {
      if (dropped) this.mutate(args.origins, `${name}(...)`, e);
      return part(args.origins);
    }
    if (known.changes !== 'all')
      for (const position of known.changes) this.mutate(args.list[position]?.value.origins ?? nothing, `${name}(...)`, e);
    if (name === 'setattr') this.link(args.list[0]?.value.origins ?? nothing, args.list[2]?.value.origins ?? nothing);
    for (const a of args.list)
      if (a.value.iterator && known !== undefined && name !== 'isinstance' && name !== 'type' && name !== 'print')
        this.mutate(a.value.origins, `${name}(...)`, e);
    // `print(x, file=f)` writes to f.
    if (name === 'print') for (const a of args.list) if (a.keyword === 'file') this.mutate(a.value.origins, 'print(file=...)', e);
    if (known.result === 'new') return name === 'str' && args.list.length === 1 ? { ...fresh, text: args.list[0]?.value.text } : fresh;
    const iterator = /^(?:enumerate|filter|iter|map|reversed|zip|aiter)$/.test(name);
    return { origins: args.origins, mutable: true, iterator };
  }

  private literalCode(text: string, node: Node): Value {
    const parsed = parse(text.trim());
    if (parsed.error) return fresh;
    const before = this.elsewhere;
    this.elsewhere = this.range(node);
    const { length } = parsed.statements;
    const last = parsed.statements[length - 1];
    let value = fresh;
    if (length === 1 && last?.kind === 'expression') value = this.evaluate(last.value, true);
    else this.statements(parsed.statements);
    this.elsewhere = before;
    return value;
  }

  private callLibrary(e: CallExpr, full: string, base: Value, dropped: boolean): Value {
    const value = this.callKnown(e, full, base, dropped);
    const kind = stays(full);
    return kind ? { ...value, stays: kind } : value;
  }

  /** A function of an imported module, by its full name. */
  private callKnown(e: CallExpr, full: string, base: Value, dropped: boolean): Value {
    if (full.startsWith('get_ipython()')) return this.callIPython(e, full.slice('get_ipython().'.length));
    const last = full.slice(full.lastIndexOf('.') + 1);
    const args = this.arguments(e.arguments);
    this.keywords(e, args);
    const known = knownCall(full);
    const channels = known ?? channelsOfCall(full);
    this.channels(channels.reads, channels.writes);
    if (drawsWithoutSeed(last)) this.draws(e);
    this.fileArguments(e, fileFunction(full), args);
    if (copies(full)) {
      this.path(args.list[0]?.value.text, 'read', e);
      this.path(args.list[1]?.value.text, 'write', e);
    }
    if (runsCommands(full)) {
      this.channels(['@environ', '@cwd'], []);
      this.effects.files.readsAny = true;
      this.effects.files.writesAny = true;
    }
    if (/^(?:pandas)\.eval$/.test(full)) {
      const text = args.list[0]?.value.text;
      if (text === undefined) this.dynamic('pandas.eval of a computed text', e, true, false);
      else this.literalCode(unescaped(text).replaceAll('@', ''), e);
    }
    // An instance method of something of the module (`logging.getLogger().setLevel`) was decided by its name already.
    const root = dottedText(e.callee);
    if (root && !root.startsWith('get_ipython')) this.pushCall(root, args.names, dropped, e);
    if (!known) {
      if (dropped) this.mutate(args.origins, `${root || full}(...)`, e);
      return part(args.origins);
    }
    const changes = known.changes === 'all' ? args.list.map((_, i) => i) : known.changes;
    for (const position of changes) this.mutate(args.list[position]?.value.origins ?? nothing, `${root || full}(...)`, e);
    for (const a of args.list) if (a.value.iterator) this.mutate(a.value.origins, `${root || full}(...)`, e);
    if (full === 'os.path.join' && args.list.length && args.list.every(a => a.value.text !== undefined))
      return { ...fresh, text: args.list.map(a => a.value.text).join('/') };
    if (full === 'pathlib.Path' && args.list.length === 1 && args.list[0]?.value.text !== undefined)
      return { ...fresh, text: args.list[0].value.text };
    if (known.result === 'new') return fresh;
    const module = base.origins.length > 0 && /^[A-Z]/.test(last) ? fresh.origins : nothing;
    return {
      origins: union(args.origins, module),
      mutable: true,
      iterator: /^(?:itertools|glob\.iglob|os\.(?:walk|scandir)|csv\.)/.test(full),
    };
  }

  private callIPython(e: CallExpr, method: string): Value {
    const args = this.arguments(e.arguments);
    const text = (i: number) => args.list[i]?.value.text;
    const first = text(0);
    const second = text(1) ?? '';
    switch (method) {
      case 'run_line_magic':
      case 'magic':
      case 'run_cell_magic': {
        if (first === undefined) break;
        const split = method === 'magic' ? /^%?(\S*)\s*(.*)$/s.exec(first) : null;
        this.magic(split ? calledMagic(split[1] as string, split[2] as string, e.from) : calledMagic(first, second, e.from), e);
        return fresh;
      }
      case 'system':
      case 'getoutput':
      case 'getoutputs':
        if (first === undefined) {
          this.effects.files.readsAny = true;
          this.effects.files.writesAny = true;
        } else this.magic(shellCommand(first, e.from), e);
        return fresh;
      default:
        if (!/^(?:run_cell|run_code|ex|ev|push|user_ns|safe_execfile|reset|drop_by_id|del_var)/.test(method)) return fresh;
    }
    this.dynamic(`get_ipython().${method}()`, e, true, true);
    return fresh;
  }

  private callMethod(e: CallExpr, base: Value, callee: Expr & { kind: 'attribute' }, dropped: boolean): Value {
    const method = callee.attribute;
    const args = this.arguments(e.arguments);
    const inplace = this.keywords(e, args);
    let kind = methodKind(method);
    const text = args.list[0]?.value.text;
    if ((method === 'query' || method === 'eval') && e.arguments.length) {
      if (text !== undefined)
        for (const at of text.matchAll(/@([\p{L}_][\p{L}\p{N}_]*)/gu)) this.load(at[1] as string, e.arguments[0] as Node);
      else if (e.arguments[0]?.value.kind !== 'joined') this.dynamic(`${method} of a computed text`, e, true, false);
      kind = 'reads';
    }
    // `ax.plot(x, y)` draws into the axes; `df.plot()`, `df.plot(kind='bar')` and `df.plot('a', 'b')` only look at the frame.
    if (/^(?:plot|hist|boxplot|hexbin)$/.test(method) && e.arguments[0] && !e.arguments[0].keyword && text === undefined) kind = 'changes';
    // `df.plot.bar()` draws from the frame, where `ax.bar()` draws into the axes.
    if (callee.value.kind === 'attribute' && callee.value.attribute === 'plot') kind = 'reads';
    if (/^(?:plot|hist|boxplot|scatter|bar|show|savefig|imshow)$/.test(method)) this.channels(['@matplotlib'], []);
    if (drawsWithoutSeed(method) && !(method === 'shuffle' && base.origins.length === 0)) this.draws(e);
    if (method === 'setLevel' || method === 'addHandler' || method === 'removeHandler')
      this.channels([], base.known?.startsWith('logging') ? ['@logging'] : []);
    if (base.text !== undefined) this.pathMethod(e, method, base.text, args);
    this.fileArguments(e, fileMethod(method), args);
    if (inplace && !args.out) this.mutate(base.origins, `${method}(inplace=True)`, e);
    const path = `${method}()`;
    for (const origin of base.origins.length > 4 ? base.origins.slice(0, 4) : base.origins) {
      const inside = callee.value.kind === 'name' ? '' : dottedRest(callee.value);
      this.pushCall(`${origin}${inside}.${method}`, args.names, dropped, e);
    }
    switch (kind) {
      case 'changes':
        this.mutate(base.origins, path, e);
        if (methodChangesArguments(method)) this.mutate(args.origins, path, e);
        if (keepsArguments(method)) this.link(base.origins, args.origins);
        return givesNew(method) ? fresh : part(base.origins);
      case 'views':
        return part(base.origins);
      case 'reads':
        return inplace ? part(base.origins) : fresh;
      default:
        if (dropped) {
          this.mutate(base.origins, path, e);
          this.mutate(args.origins, path, e);
        }
        return part(union(base.origins, args.origins));
    }
  }

  /** Keywords that mean the same everywhere: `inplace=`, `out=`, `ax=`. True when the call works in place. */
  private keywords(e: CallExpr, args: Arguments): boolean {
    let inplace = false;
    for (const [i, a] of e.arguments.entries()) {
      const value = args.list[i]?.value ?? fresh;
      if (a.keyword === 'out' || a.keyword === 'where_out') {
        this.mutate(value.origins, 'out=', e);
        args.out = true;
      } else if (a.keyword === 'ax' || a.keyword === 'axes') this.mutate(value.origins, 'ax=', e);
      else if (a.keyword === 'inplace') inplace = !(a.value.kind === 'constant' && this.source.slice(a.value.from, a.value.to) === 'False');
    }
    if (inplace) args.out = false;
    return inplace;
  }

  private draws(e: CallExpr): void {
    const seed = e.arguments.find(a => a.keyword === 'random_state' || a.keyword === 'seed' || a.keyword === 'rng');
    if (seed && !(seed.value.kind === 'constant' && seed.value.type === 'none')) return;
    this.channels(['@numpy.random'], ['@numpy.random']);
  }

  private arguments(list: Argument[]): Arguments {
    const args: Arguments = { list: [], names: [], origins: nothing, out: false };
    list.forEach((a, i) => {
      const value = this.evaluate(a.value);
      args.list.push({ value, keyword: a.keyword, stars: a.stars });
      args.origins = union(args.origins, value.origins);
      for (const name of value.origins.length > 8 ? value.origins.slice(0, 8) : value.origins) {
        if (a.keyword) args.names.push({ name, keyword: a.keyword });
        else if (a.stars) args.names.push({ name });
        else args.names.push({ name, position: i });
      }
    });
    return args;
  }

  // Files.

  private path(text: string | undefined, how: 'read' | 'write' | 'both', node: Node): void {
    if (this.again) return;
    const { files } = this.effects;
    if (text === undefined) {
      if (how !== 'write') files.readsAny = true;
      if (how !== 'read') files.writesAny = true;
      return;
    }
    const path = plainPath(unescaped(text));
    if (!path) return;
    if (how !== 'write') files.reads.push({ path, range: this.range(node) });
    if (how !== 'read') files.writes.push({ path, range: this.range(node) });
  }

  private fileArguments(e: CallExpr, call: FileCall | undefined, args: Arguments): void {
    if (!call) return;
    let index = e.arguments.findIndex(a => a.keyword !== undefined && call.keyword.includes(a.keyword));
    if (index < 0 && e.arguments[call.position] && !e.arguments[call.position]?.keyword) index = call.position;
    // `df.to_csv()` without a path gives a text.
    if (index < 0) {
      if (call.how === 'list') this.effects.files.readsAny = true;
      return;
    }
    const value = args.list[index]?.value ?? fresh;
    if (call.how === 'list') {
      this.effects.files.readsAny = true;
      return;
    }
    if (call.how === 'open') {
      this.openFile(e, args);
      return;
    }
    this.path(value.text, call.how, e);
  }

  private openFile(e: CallExpr, given?: Arguments): readonly string[] {
    const args = given ?? this.arguments(e.arguments);
    const mode =
      args.list.find(a => a.keyword === 'mode')?.value ??
      (e.arguments[1] && !e.arguments[1].keyword ? args.list[1]?.value : { ...constant, text: 'r' });
    const file = args.list.find(a => a.keyword === 'file')?.value ?? args.list[0]?.value;
    const text = mode?.text ?? 'r+';
    this.path(file?.text, /[+a]/.test(text) ? 'both' : /[wx]/.test(text) ? 'write' : 'read', e);
    return nothing;
  }

  private pathMethod(e: CallExpr, method: string, text: string, args: Arguments): void {
    switch (method) {
      case 'read_text':
      case 'read_bytes':
      case 'exists':
      case 'is_file':
      case 'is_dir':
      case 'stat':
        this.path(text, 'read', e);
        return;
      case 'write_text':
      case 'write_bytes':
      case 'mkdir':
      case 'touch':
      case 'unlink':
      case 'rmdir':
        this.path(text, 'write', e);
        return;
      case 'iterdir':
      case 'glob':
      case 'rglob':
        this.effects.files.readsAny = true;
        return;
      case 'open': {
        const mode = e.arguments.length ? (args.list[0]?.value.text ?? 'r+') : 'r';
        this.path(text, /[+a]/.test(mode) ? 'both' : /[wx]/.test(mode) ? 'write' : 'read', e);
        return;
      }
      default:
    }
  }
}

interface Arguments {
  list: { value: Value; keyword?: string; stars: number }[];
  names: { name: string; position?: number; keyword?: string }[];
  origins: readonly string[];
  out: boolean;
}

/** `a.b.c` as written, or '' when the expression is no plain chain of names. */
export function dottedText(e: Expr): string {
  const parts: string[] = [];
  let at = e;
  while (at.kind === 'attribute') {
    parts.push(at.attribute);
    at = at.value;
  }
  return at.kind === 'name' ? [at.name, ...parts.reverse()].join('.') : '';
}
/** `.b.c` of `a.b.c`; '' for anything else. */
function dottedRest(e: Expr): string {
  const text = dottedText(e);
  return text.includes('.') ? text.slice(text.indexOf('.')) : '';
}

const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r', "'": "'", '"': '"', '\\': '\\', '\n': '' };
/** The text of a plain string literal, with the escapes that matter to code and paths. */
function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\([ntr'"\\\n])/g, (_, c: string) => escapes[c] as string) : text;
}
