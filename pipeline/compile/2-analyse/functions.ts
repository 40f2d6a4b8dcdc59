/** Functions and classes: what making them needs, and what calling them does, each body gone through once as if it were called. */
import type { Call, FunctionEffect } from '../analysis';
import { Blocks } from './blocks';
import { absorb, type Effects, noEffects } from './effects';
import type { Frames } from './frames';
import type { Magic } from './ipython';
import type { ClassDefinition, Expr, FunctionDefinition, Import, Lambda, Node, Parameter, Statement, TypeParameter } from './python/tree';
import { scopeOf, walrusNames } from './scopes';
import { canChange } from './state';
import { type Bound, fresh, noNames, originName } from './value';

/** What `definitions.ts` is told about while the cell is gone through. */
export interface Definer {
  import(s: Import, certain: boolean): void;
  definition(s: FunctionDefinition | ClassDefinition, needs: Set<string>, certain: boolean): void;
  setup(s: Statement, expression: Expr, needs: Set<string>, certain: boolean, flow: Frames): void;
  magic(node: Node, magic: Magic, certain: boolean): void;
}

export abstract class Functions extends Blocks {
  readonly functions: FunctionEffect[] = [];
  /** Magics and aliases that the cell makes. */
  readonly magics: string[] = [];
  protected futureAnnotations = false;
  private className = '';

  constructor(
    readonly source: string,
    protected readonly definer: Definer,
  ) {
    super();
  }

  private heads(parameters: Parameter[], returns: Expr | undefined): void {
    for (const p of parameters) {
      if (p.default) this.evaluate(p.default);
      if (p.annotation && !this.futureAnnotations) this.evaluate(p.annotation);
    }
    if (returns && !this.futureAnnotations) this.evaluate(returns);
  }

  /** A decorator is called with what it decorates, and may keep it: `@f.register` changes `f`. */
  private decorate(decorators: Expr[]): void {
    for (const decorator of decorators) {
      const value = this.evaluate(decorator, true);
      if (decorator.kind === 'attribute' && !value.known && !/^(?:setter|getter|deleter)$/.test(decorator.attribute))
        this.mutate(value.origins, `@.${decorator.attribute}`, decorator);
    }
  }

  protected functionStatement(s: FunctionDefinition): void {
    const outer = this.needs;
    this.needs = new Set();
    this.decorate(s.decorators);
    if (s.decorators.some(d => /\bregister_(?:line|cell|line_cell)_magic\b/.test(this.source.slice(d.from, d.to))))
      this.magics.push(s.name.name);
    let effect: FunctionEffect | undefined;
    let effects: Effects | undefined;
    this.inTypeParameters(s.typeParameters, () => {
      this.heads(s.parameters, s.returns);
      const { needs } = this;
      this.needs = undefined;
      [effect, effects] = this.body(this.className ? `${this.className}.${s.name.name}` : s.name.name, s.parameters, s.body);
      this.needs = needs;
    });
    const needs = this.needs;
    this.needs = outer;
    if (outer) for (const name of needs) outer.add(name);
    if (!effect || !effects) return;
    const isGlobal = this.frame.kind === 'module' || this.frame.globals.has(s.name.name);
    if (this.atTop) this.definer.definition(s, needs, this.branches === 0);
    if (isGlobal || (this.frame.kind === 'class' && this.inFlow)) this.addFunction(effect);
    else this.absorbFunction(effect, effects);
    this.bindName(s.name.name, s.name, { ...fresh, effect });
  }

  protected addFunction(effect: FunctionEffect): void {
    if (this.again) return;
    this.functions.push(effect);
  }
  protected absorbFunction(effect: FunctionEffect, effects?: Effects): void {
    const found = effects ?? this.bodies.get(effect);
    if (found) absorb(this.effects, found);
  }
  private readonly bodies = new WeakMap<FunctionEffect, Effects>();

  protected functionEffect(name: string, node: Lambda): FunctionEffect {
    return this.body(name, node.parameters, node.body)[0];
  }

  /** Goes through a function's body as if it were called now, with effects of its own. */
  private body(name: string, parameters: Parameter[], body: Statement[] | Expr): [FunctionEffect, Effects] {
    const scope = Array.isArray(body) ? scopeOf(body) : { locals: walrusNames(body), globals: noNames, nonlocals: noNames };
    const effects = noEffects();
    const mark = `\0${++this.frames}:`;
    const locals = new Set(scope.locals);
    const env = new Map<string, Bound>();
    for (const p of parameters) {
      locals.add(p.name);
      // The dictionary and tuple of the rest are new, what is in them is the caller's.
      env.set(p.name, { origins: [mark + p.name], mutable: true, certain: true, deleted: false });
    }
    const outer = this.frame;
    const { branches, maybe, loops, end, className } = this;
    const exits = this.exits.splice(0);
    this.branches = 0;
    this.maybe = 0;
    this.loops = 0;
    this.className = '';
    this.frame = {
      mark,
      kind: 'function',
      parent: outer,
      state: { env, dead: false },
      locals,
      globals: scope.globals,
      nonlocals: scope.nonlocals,
      effects,
    };
    if (Array.isArray(body)) this.statements(body);
    else this.evaluate(body);
    this.frame = outer;
    Object.assign(this, { branches, maybe, loops, end, className });
    this.exits.push(...exits);
    const changed = (p: Parameter) => effects.mutates.has(mark + p.name);
    const effect: FunctionEffect = {
      name,
      reads: [...effects.reads.keys()],
      assigns: [...effects.binds],
      mutates: [...effects.mutates.keys()].filter(key => key.charCodeAt(0) !== 0),
      parameters: parameters.map(p => ({
        name: p.name,
        mutates: changed(p),
        kind: p.kind,
        ...(canChange(p.default) ? { remembers: true as const } : {}),
      })),
      calls: callsOf(effects.calls, mark),
      channels: { reads: [...effects.channels.reads], changes: [...effects.channels.changes] },
      files: effects.files,
      dynamic: { reads: effects.dynamic.some(d => d.reads), writes: effects.dynamic.some(d => d.writes) },
    };
    this.bodies.set(effect, effects);
    return [effect, effects];
  }

  protected classStatement(s: ClassDefinition): void {
    const outer = this.needs;
    this.needs = new Set();
    this.decorate(s.decorators);
    const start = this.functions.length;
    const isGlobal = this.frame.kind === 'module' || (this.frame.globals.has(s.name.name) && this.frame.kind !== 'class');
    this.inTypeParameters(s.typeParameters, () => {
      for (const a of s.arguments) this.evaluate(a.value);
      const scope = scopeOf(s.body);
      const { frame, className } = this;
      this.className = isGlobal ? s.name.name : className ? `${className}.${s.name.name}` : s.name.name;
      this.frame = {
        mark: `\0${++this.frames}:`,
        kind: 'class',
        parent: frame,
        state: { env: new Map(), dead: false },
        locals: scope.locals,
        globals: scope.globals,
        nonlocals: scope.nonlocals,
        effects: frame.effects,
      };
      this.statements(s.body);
      this.frame = frame;
      this.className = className;
    });
    const { needs } = this;
    this.needs = outer;
    if (outer) for (const name of needs) outer.add(name);
    if (this.atTop) this.definer.definition(s, needs, this.branches === 0);
    if (isGlobal && this.inFlow && !this.again) this.functions.push(this.construction(s, this.functions.slice(start)));
    this.end = s.to;
    this.bindName(s.name.name, s.name, fresh);
  }

  /** What using a class may do: making an object runs `__init__`, and any method may follow. */
  private construction(s: ClassDefinition, methods: FunctionEffect[]): FunctionEffect {
    const make = methods.find(m => m.name === `${s.name.name}.__init__`) ?? methods.find(m => m.name === `${s.name.name}.__new__`);
    const all = <K>(of: (m: FunctionEffect) => K[]): K[] => [...new Set(methods.flatMap(of))];
    return {
      name: s.name.name,
      reads: all(m => m.reads),
      assigns: all(m => m.assigns),
      mutates: all(m => m.mutates),
      parameters: make?.parameters.slice(1) ?? [],
      calls: make?.calls ?? [],
      channels: { reads: all(m => m.channels.reads), changes: all(m => m.channels.changes) },
      files: {
        reads: methods.flatMap(m => m.files.reads),
        writes: methods.flatMap(m => m.files.writes),
        readsAny: methods.some(m => m.files.readsAny),
        writesAny: methods.some(m => m.files.writesAny),
      },
      dynamic: { reads: methods.some(m => m.dynamic.reads), writes: methods.some(m => m.dynamic.writes) },
    };
  }

  protected inTypeParameters(parameters: TypeParameter[], run: () => void): void {
    if (!parameters.length) {
      run();
      return;
    }
    const outer = this.frame;
    // A class body does not hide its names from these, so its frame stays the one looked from.
    this.frame = { ...this.openFrame('comprehension', new Set(parameters.map(p => p.name))), nonlocals: noNames };
    for (const p of parameters) {
      if (p.bound) this.evaluate(p.bound);
      if (p.default) this.evaluate(p.default);
    }
    run();
    this.frame = outer;
  }
}

/** Calls as the analysis shows them: origins become names; those of functions further in, which mean nothing here, are left out. */
export function callsOf(calls: Call[], mark: string): Call[] {
  const known = (origin: string) => origin.charCodeAt(0) !== 0 || origin.startsWith(mark);
  return calls
    .filter(c => known(c.callee))
    .map(c => ({
      ...c,
      callee: originName(c.callee),
      arguments: c.arguments.filter(a => known(a.name)).map(a => ({ ...a, name: originName(a.name) })),
    }));
}
