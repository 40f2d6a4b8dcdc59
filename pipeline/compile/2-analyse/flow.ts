/**
 * Goes through statements in the order Python runs them, keeping for each path what is bound for certain. Where paths meet, a name is certain only if it is on both. A name that is read
 * before it is certain comes from above the cell.
 */
import type { Call, FunctionEffect } from '../analysis';
import { absorb, type Effects, noEffects } from './effects';
import { type Bound, Evaluator, type Frame, fresh, originName, type State, union, type Value } from './evaluate';
import { lineMagic, type Magic, madeMagic } from './ipython';
import { parse } from './python/parse';
import type {
  ClassDefinition,
  Expr,
  For,
  FunctionDefinition,
  If,
  Import,
  Lambda,
  Match,
  Node,
  Parameter,
  Statement,
  Try,
  TypeParameter,
  While,
  With,
} from './python/tree';
import { scopeOf, walrusNames } from './scopes';
import { canChange } from './state';

const noNames: ReadonlySet<string> = new Set();

/** What `definitions.ts` is told about while the cell is gone through. */
export interface Definer {
  import(s: Import, certain: boolean): void;
  definition(s: FunctionDefinition | ClassDefinition, needs: Set<string>, certain: boolean): void;
  setup(s: Statement, expression: Expr, needs: Set<string>, certain: boolean, evaluator: Flow): void;
  magic(node: Node, magic: Magic, certain: boolean): void;
}

export class Flow extends Evaluator {
  readonly module: Frame;
  frame: Frame;
  /** Global names bound, in order, with where it first happened. */
  readonly first = new Map<string, Node>();
  /** How often each of them was bound. */
  readonly bindings = new Map<string, number>();
  /** Offset from which a name is certainly bound. */
  readonly settled = new Map<string, number>();
  readonly functions: FunctionEffect[] = [];
  /** Magics and aliases that the cell makes. */
  readonly magics: string[] = [];
  private branches = 0;
  private loops = 0;
  private end = 0;
  private readonly exits: { breaks: State[]; continues: State[] }[] = [];
  private futureAnnotations = false;
  private className = '';

  constructor(
    readonly source: string,
    private readonly definer: Definer,
  ) {
    super();
    this.module = {
      mark: '\0module:',
      kind: 'module',
      state: { env: new Map(), dead: false },
      locals: noNames,
      globals: noNames,
      nonlocals: noNames,
      effects: noEffects(),
    };
    this.frame = this.module;
  }

  private get inFlow(): boolean {
    return this.frame.effects === this.module.effects;
  }
  private get atTop(): boolean {
    return this.frame === this.module && !this.elsewhere && !this.again;
  }

  // Binding.

  protected bindName(name: string, node: Node, value: Value, end = this.end): void {
    let frame = this.frame;
    // Only a comprehension's own targets are its locals; a walrus binds outside it.
    while (frame.kind === 'comprehension' && !frame.locals.has(name) && frame.parent) frame = frame.parent;
    if (frame.kind === 'module') {
      this.bindModule(name, node, value, end);
      return;
    }
    if (frame.globals.has(name)) {
      if (frame.effects === this.module.effects) {
        this.bindModule(name, node, value, end);
        return;
      }
      frame.effects.binds.add(name);
    } else if (frame.nonlocals.has(name)) {
      for (let f = frame.parent; f; f = f.parent) {
        if (f.kind !== 'class' && f.locals.has(name)) {
          const before = f.state.env.get(name);
          f.state.env.set(name, { ...value, origins: union(before?.origins ?? [], value.origins), certain: false, deleted: false });
          return;
        }
      }
      return;
    }
    this.set(frame.state.env, name, value);
  }

  private set(env: Map<string, Bound>, name: string, value: Value): void {
    if (this.maybe) {
      const before = env.get(name);
      env.set(name, {
        origins: union(before?.origins ?? [], value.origins),
        mutable: true,
        certain: before?.certain ?? false,
        deleted: false,
      });
    } else env.set(name, { ...value, certain: true, deleted: false });
  }

  private bindModule(name: string, node: Node, value: Value, end: number): void {
    if (!this.first.has(name)) this.first.set(name, this.range(node));
    this.bindings.set(name, (this.bindings.get(name) ?? 0) + 1);
    this.set(this.module.state.env, name, value);
    if (!this.branches && !this.maybe && !this.settled.has(name)) this.settled.set(name, this.elsewhere ? this.elsewhere.to : end);
  }
  protected bindGlobal(name: string, node: Node, value: Value): void {
    if (this.inFlow) this.bindModule(name, node, value, this.end);
    else this.effects.binds.add(name);
  }

  private unbind(name: string, node: Node): void {
    this.load(name, node);
    this.bindName(name, node, fresh);
    for (let f: Frame | undefined = this.frame; f; f = f.parent) {
      const bound = f.state.env.get(name);
      if (!bound) continue;
      bound.deleted = !this.maybe;
      return;
    }
  }

  // Paths.

  private fork(): State {
    return { env: new Map(this.frame.state.env), dead: this.frame.state.dead };
  }
  private join(a: State, b: State): State {
    if (a.dead) return b;
    if (b.dead) return a;
    if (a.env === b.env) return a;
    const env = new Map(a.env);
    for (const [name, x] of a.env) {
      const y = b.env.get(name);
      if (x === y) continue;
      if (!y) env.set(name, { ...x, certain: false });
      else env.set(name, this.meet(x, y));
    }
    for (const [name, y] of b.env) if (!a.env.has(name)) env.set(name, { ...y, certain: false });
    return { env, dead: false };
  }
  private meet(x: Bound, y: Bound): Bound {
    return {
      origins: union(x.origins, y.origins),
      mutable: x.mutable || y.mutable,
      iterator: x.iterator || y.iterator,
      known: x.known === y.known ? x.known : undefined,
      text: x.text === y.text ? x.text : undefined,
      stays: x.stays === y.stays ? x.stays : undefined,
      effect: x.effect === y.effect ? x.effect : undefined,
      certain: x.certain && y.certain,
      deleted: x.deleted && y.deleted,
    };
  }
  /** After a compound statement: names that all its paths bound are settled from its end. */
  private settle(end: number): void {
    if (this.branches || this.frame !== this.module || this.module.state.dead) return;
    for (const name of this.first.keys())
      if (!this.settled.has(name) && this.module.state.env.get(name)?.certain) this.settled.set(name, end);
  }
  /** Runs what may not happen. */
  private branch(run: () => void): State {
    this.branches++;
    run();
    this.branches--;
    return this.frame.state;
  }

  // Statements.

  statements(body: Statement[]): void {
    for (const s of body) this.statement(s);
  }

  private statement(s: Statement): void {
    this.end = s.to;
    switch (s.kind) {
      case 'expression':
        if (s.value.kind === 'call') this.configures(s, s.value, () => this.evaluate(s.value, true));
        else this.evaluate(s.value, true);
        return;
      case 'assign':
        this.assignment(s.targets, s.value, s);
        return;
      case 'annotated': {
        const evaluated = (this.frame.kind === 'module' || this.frame.kind === 'class') && !this.futureAnnotations;
        if (s.value) this.assignment([s.target], s.value, s);
        if (evaluated) this.evaluate(s.annotation);
        else if (!s.value && s.target.kind !== 'name') this.evaluate(s.target);
        return;
      }
      case 'augmented':
        this.augmented(s);
        return;
      case 'delete':
        for (const target of s.targets) this.remove(target);
        return;
      case 'return':
        if (s.value) this.evaluate(s.value);
        this.frame.state = { ...this.frame.state, dead: true };
        return;
      case 'raise':
        for (const value of s.values) this.evaluate(value);
        this.frame.state = { ...this.frame.state, dead: true };
        return;
      case 'break':
      case 'continue': {
        const exits = this.exits[this.exits.length - 1];
        if (exits) (s.kind === 'break' ? exits.breaks : exits.continues).push(this.frame.state);
        this.frame.state = { env: new Map(this.frame.state.env), dead: true };
        return;
      }
      case 'assert':
        this.evaluate(s.test);
        if (s.message) this.evaluate(s.message);
        return;
      case 'import':
        this.importing(s);
        return;
      case 'type':
        this.typeAlias(s);
        return;
      case 'if':
        this.ifStatement(s);
        return;
      case 'while':
        this.whileStatement(s);
        return;
      case 'for':
        this.forStatement(s);
        return;
      case 'try':
        this.tryStatement(s);
        return;
      case 'with':
        this.withStatement(s);
        return;
      case 'function':
        this.functionStatement(s);
        return;
      case 'class':
        this.classStatement(s);
        return;
      case 'match':
        this.matchStatement(s);
        return;
      case 'magic': {
        const magic = lineMagic(s.text, s.from);
        const made = madeMagic(s.text);
        if (made) this.magics.push(made);
        if (this.atTop && magic.setup) this.definer.magic(s, magic, this.branches === 0);
        this.magic(magic, s);
        return;
      }
      default:
    }
  }

  /** Runs `run`; if the statement configures a module, it is a setup definition as well. */
  private configures(s: Statement, expression: Expr, run: () => void): void {
    if (!this.atTop) {
      run();
      return;
    }
    const outer = this.needs;
    this.needs = new Set();
    run();
    const { needs } = this;
    this.needs = outer;
    if (outer) for (const name of needs) outer.add(name);
    this.definer.setup(s, expression, needs, this.branches === 0, this);
  }

  private assignment(targets: Expr[], value: Expr, s: Statement): void {
    const [target] = targets;
    const only = targets.length === 1 && target?.kind === 'name' ? target : undefined;
    if (only && value.kind === 'lambda' && !this.owner(only.name)) {
      for (const p of value.parameters) if (p.default) this.evaluate(p.default);
      const effect = this.functionEffect(only.name, value);
      this.bindName(only.name, only, { ...fresh, effect });
      if (this.inFlow) this.addFunction(effect);
      else this.absorbFunction(effect);
      return;
    }
    if (only?.name === '_' || (only && /^_+$/.test(only.name))) {
      this.bindName(only.name, only, this.evaluate(value, true));
      return;
    }
    const assign = () => {
      const result = this.evaluate(value);
      for (const t of targets) {
        if (
          value.kind === 'tuple' &&
          t.kind === 'tuple' &&
          value.items.length === t.items.length &&
          ![...value.items, ...t.items].some(i => i.kind === 'starred')
        )
          this.unpack(t.items, value.items);
        else this.assign(t, result);
      }
    };
    if (target && (target.kind === 'attribute' || target.kind === 'subscript')) this.configures(s, target, assign);
    else assign();
  }
  /** `a, b = x, y`: each name gets its own value. Values are looked at once more, but what they do is known already. */
  private unpack(targets: Expr[], values: Expr[]): void {
    this.again++;
    const results = values.map(value => this.evaluate(value));
    this.again--;
    targets.forEach((target, i) => {
      this.assign(target, results[i] ?? fresh);
    });
  }

  private augmented(s: Statement & { kind: 'augmented' }): void {
    const { target } = s;
    if (target.kind === 'name') {
      const before = this.load(target.name, target);
      const value = this.evaluate(s.value);
      if (before.mutable) this.mutate(before.origins, s.operator, s);
      if (before.mutable && /^[+|]/.test(s.operator)) this.link(before.origins, value.origins);
      const text = s.operator === '+=' && before.text !== undefined && value.text !== undefined ? before.text + value.text : undefined;
      this.bindName(target.name, target, { origins: before.origins.filter(o => o !== target.name), mutable: before.mutable, text });
      return;
    }
    if (target.kind !== 'attribute' && target.kind !== 'subscript') return;
    this.configures(s, target, () => {
      if (
        target.kind === 'subscript' &&
        this.isNamespace(target.value) &&
        target.index.kind === 'constant' &&
        target.index.text !== undefined
      )
        this.load(target.index.text, target);
      const value = this.evaluate(s.value);
      this.assign(target, value);
    });
  }

  private remove(target: Expr): void {
    switch (target.kind) {
      case 'name':
        this.unbind(target.name, target);
        return;
      case 'tuple':
      case 'list':
        for (const item of target.items) this.remove(item);
        return;
      case 'subscript':
        if (this.isNamespace(target.value)) {
          if (target.index.kind === 'constant' && target.index.text !== undefined) {
            if (this.frame === this.module) this.unbind(target.index.text, target);
            return;
          }
          this.dynamic('names deleted by a computed text', target, false, true);
          return;
        }
        this.change(target, fresh, 'del [...]');
        return;
      case 'attribute':
        this.change(target, fresh, `del .${target.attribute}`);
        return;
      default:
        this.evaluate(target);
    }
  }

  private importing(s: Import): void {
    if (s.module === '__future__' && s.names.some(n => n.name === 'annotations')) this.futureAnnotations = true;
    for (const n of s.names) {
      if (n.name === '*') {
        this.dynamic(`from ${s.module} import *`, s, false, false, [s.module as string]);
        continue;
      }
      const known = s.module === undefined ? (n.as ? n.name : n.bound) : `${s.module}.${n.name}`;
      this.bindName(n.bound, { from: n.from, to: n.to }, { ...fresh, known });
    }
    if (this.atTop) this.definer.import(s, this.branches === 0);
  }

  private typeAlias(s: Statement & { kind: 'type' }): void {
    // The value is evaluated when it is first asked for.
    this.inTypeParameters(s.typeParameters, () => this.evaluate(s.value));
    this.bindName(s.name.name, s.name, fresh);
  }
  private inTypeParameters(parameters: TypeParameter[], run: () => void): void {
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

  /** `True`, `False`, numbers and `__name__ == '__main__'` are known; undefined for anything else. */
  private truth(test: Expr): boolean | undefined {
    if (test.kind === 'constant') {
      const text = this.source.slice(test.from, test.to);
      if (test.type === 'bool') return text === 'True';
      if (test.type === 'none') return false;
      if (test.type === 'number') return /[1-9]/.test(text) ? true : /^0$/.test(text) ? false : undefined;
      return undefined;
    }
    if (test.kind === 'operation' && test.items.length === 2) {
      const text = this.source.slice(test.from, test.to);
      if (/^__name__\s*==\s*(['"])__main__\1$/.test(text) || /^(['"])__main__\1\s*==\s*__name__$/.test(text)) return true;
    }
    return undefined;
  }

  private ifStatement(s: If): void {
    const { branches } = this;
    const ends: State[] = [];
    let open = true;
    for (const { test, body } of s.branches) {
      this.evaluate(test);
      const truth = this.elsewhere ? undefined : this.truth(test);
      if (truth === false) continue;
      if (truth === true) {
        // Nothing after it is reached; alone, it is no branch at all.
        this.statements(body);
        open = false;
        break;
      }
      const before = this.fork();
      ends.push(this.branch(() => this.statements(body)));
      this.frame.state = before;
      // What follows runs only if this test failed.
      this.branches = branches + 1;
    }
    if (open && s.otherwise) this.statements(s.otherwise);
    this.branches = branches;
    this.frame.state = ends.reduce((a, b) => this.join(a, b), this.frame.state);
    this.settle(s.to);
  }

  private whileStatement(s: While): void {
    const always = !this.elsewhere && this.truth(s.test) === true;
    this.evaluate(s.test);
    this.loop(s.body, s.otherwise, always, always, () => this.evaluate(s.test));
    this.settle(s.to);
  }
  private forStatement(s: For): void {
    const items = this.iterate(s.iterable);
    this.loop(s.body, s.otherwise, this.certainlyHasItems(s.iterable), false, () => this.assign(s.target, items, s.iterable.to));
    this.settle(s.to);
  }
  private certainlyHasItems(e: Expr): boolean {
    if (e.kind === 'list' || e.kind === 'tuple' || e.kind === 'set') return e.items.some(i => i.kind !== 'starred');
    if (e.kind === 'dict') return e.keys.some(k => k !== undefined);
    if (e.kind === 'constant') return !!e.text;
    if (e.kind !== 'call' || e.callee.kind !== 'name' || this.owner(e.callee.name) || this.module.state.env.has(e.callee.name))
      return false;
    const [first, second] = e.arguments;
    if (e.callee.name === 'range') {
      const number = (x: Expr | undefined) =>
        x?.kind === 'constant' && x.type === 'number' ? Number(this.source.slice(x.from, x.to).replaceAll('_', '')) : Number.NaN;
      if (!first || this.elsewhere) return false;
      return e.arguments.length === 1 ? number(first.value) > 0 : e.arguments.length === 2 && number(second?.value) > number(first.value);
    }
    return (
      ['enumerate', 'list', 'sorted', 'reversed', 'tuple', 'tqdm'].includes(e.callee.name) &&
      first !== undefined &&
      this.certainlyHasItems(first.value)
    );
  }

  private loop(body: Statement[], otherwise: Statement[] | undefined, once: boolean, forever: boolean, head: () => void): void {
    const before = this.fork();
    const exits = { breaks: [] as State[], continues: [] as State[] };
    this.exits.push(exits);
    this.loops++;
    // What surely runs once is no branch, as far as nothing leaves it before its end.
    const pass = () => {
      exits.breaks.length = 0;
      exits.continues.length = 0;
      this.branches++;
      head();
      this.statements(body);
      this.branches--;
      return exits.continues.reduce((a, b) => this.join(a, b), this.frame.state);
    };
    let after = pass();
    if (this.loops === 1 && this.shares(before, after)) {
      const breaks = [...exits.breaks];
      this.frame.state = this.join(before, after);
      this.again++;
      const second = pass();
      this.again--;
      // Sharing found the second time counts, certainty comes from the first.
      for (const [name, value] of second.env) {
        const known = after.env.get(name);
        if (known && known.origins !== value.origins) after.env.set(name, { ...known, origins: union(known.origins, value.origins) });
      }
      exits.breaks = breaks;
    }
    this.loops--;
    this.exits.pop();
    if (forever) after = { ...after, dead: true };
    else if (!once) after = this.join(before, after);
    this.frame.state = { env: new Map(after.env), dead: after.dead };
    if (otherwise) this.branch(() => this.statements(otherwise));
    // What the body binds after a `break` may have been bound in a pass before the one that left.
    const passed = { env: new Map(after.env), dead: false };
    this.frame.state = exits.breaks.reduce((a, b) => this.join(a, { ...this.join(b, passed), dead: b.dead }), this.frame.state);
  }
  /** Whether a pass through the body made some name share with more than before. */
  private shares(before: State, after: State): boolean {
    for (const [name, value] of after.env) if (value.origins.length && before.env.get(name)?.origins !== value.origins) return true;
    return false;
  }

  private tryStatement(s: Try): void {
    const before = this.fork();
    this.branches++;
    this.statements(s.body);
    // A handler starts after any part of the body.
    const body = this.frame.state;
    const broken = this.join(before, { ...body, dead: false });
    if (s.otherwise) {
      this.frame.state = { env: new Map(body.env), dead: body.dead };
      this.statements(s.otherwise);
    }
    let end = this.frame.state;
    for (const handler of s.handlers) {
      this.frame.state = { env: new Map(broken.env), dead: false };
      if (handler.test) this.evaluate(handler.test);
      if (handler.name) this.bindName(handler.name.name, handler.name, fresh);
      this.statements(handler.body);
      if (handler.name) this.forget(handler.name.name, before);
      end = this.join(end, this.frame.state);
    }
    this.branches--;
    if (s.finally) {
      const last = s.finally;
      // It runs after success and after failure alike; what is certain comes from success.
      this.frame.state = this.join({ ...broken, env: new Map(broken.env) }, { ...end, dead: false });
      this.branches++;
      this.statements(last);
      this.branches--;
      this.frame.state = { env: new Map(end.env), dead: end.dead };
      this.again++;
      this.statements(last);
      this.again--;
    } else this.frame.state = end;
    this.settle(s.to);
  }
  /** The name of a handler is gone after it; one that was there before is too, if the handler ran. */
  private forget(name: string, before: State): void {
    if (this.owner(name)?.kind === 'function') return;
    const bound = this.frame.state.env.get(name);
    if (bound) this.frame.state.env.set(name, { ...bound, origins: [], certain: before.env.get(name)?.certain ?? false, deleted: true });
  }

  private withStatement(s: With): void {
    let suppresses = false;
    for (const item of s.items) {
      const value = this.evaluate(item.value, !item.target);
      if (/\b(?:suppress|raises|assertRaises|ignored)\b/.test(this.source.slice(item.value.from, item.value.to))) suppresses = true;
      // What a `with` gives may be something else than what it holds.
      if (item.target) this.assign(item.target, value.stays ? { ...value, stays: undefined } : value, item.value.to);
    }
    if (!suppresses) {
      this.statements(s.body);
      return;
    }
    const before = this.fork();
    const after = this.branch(() => this.statements(s.body));
    this.frame.state = this.join(before, { ...after, dead: false });
    this.settle(s.to);
  }

  private matchStatement(s: Match): void {
    const subject = this.evaluate(s.subject);
    const ends: State[] = [];
    let open = true;
    this.branches++;
    for (const option of s.cases) {
      const before = this.fork();
      for (const value of option.pattern.reads) this.evaluate(value);
      for (const name of option.pattern.captures) this.bindName(name.name, name, { origins: subject.origins, mutable: true });
      if (option.guard) this.evaluate(option.guard);
      // Captures stay bound when the guard fails.
      const failed = option.guard || !option.pattern.always ? this.join(before, this.fork()) : before;
      this.statements(option.body);
      ends.push(this.frame.state);
      this.frame.state = failed;
      if (option.pattern.always && !option.guard) {
        open = false;
        break;
      }
    }
    this.branches--;
    if (open || !ends.length) ends.push(this.frame.state);
    this.frame.state = ends.reduce((a, b) => this.join(a, b));
    this.settle(s.to);
  }

  // Functions and classes.

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

  private functionStatement(s: FunctionDefinition): void {
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

  private addFunction(effect: FunctionEffect): void {
    if (this.again) return;
    this.functions.push(effect);
  }
  private absorbFunction(effect: FunctionEffect, effects?: Effects): void {
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

  private classStatement(s: ClassDefinition): void {
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

  // IPython.

  /** Runs statements whose names are gone afterwards. */
  locally(body: Statement[]): void {
    const outer = this.frame;
    this.frame = this.openFrame('function', scopeOf(body).locals);
    this.branch(() => this.statements(body));
    this.frame = outer;
  }

  magic(magic: Magic, node: Node): void {
    for (const r of magic.reads) this.load(r.name, r);
    for (const [from, to] of magic.expressions) {
      const parsed = parse(this.source, from, to);
      // Braces that hold no Python stay as they are.
      if (!parsed.error) for (const s of parsed.statements) if (s.kind === 'expression') this.evaluate(s.value);
    }
    for (const [from, to] of magic.python) {
      const parsed = parse(this.source, from, to);
      if (parsed.error) continue;
      if (magic.local) this.locally(parsed.statements);
      else this.statements(parsed.statements);
    }
    for (const a of magic.assigns) this.bindGlobal(a.name, a, fresh);
    this.channels(magic.channels.reads, magic.channels.writes);
    const { files } = this.effects;
    const range = this.range(node);
    if (!this.again) {
      files.reads.push(...magic.files.reads.map(path => ({ path, range })));
      files.writes.push(...magic.files.writes.map(path => ({ path, range })));
    }
    files.readsAny ||= magic.files.readsAny;
    files.writesAny ||= magic.files.writesAny;
    if (magic.dynamic) {
      if (magic.dynamic.reason === '%pylab') this.dynamic('%pylab', node, false, false, ['numpy', 'matplotlib.pyplot']);
      else this.dynamic(magic.dynamic.reason, node, magic.dynamic.reads, magic.dynamic.writes);
    }
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
