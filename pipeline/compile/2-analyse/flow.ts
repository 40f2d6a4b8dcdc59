/** Goes through statements in the order Python runs them. Blocks are in `blocks.ts`, functions and classes in `functions.ts`; what is bound when, in `binding.ts`. */
import { Functions } from './functions';
import { lineMagic, type Magic, madeMagic } from './ipython';
import { parse } from './python/parse';
import type { Expr, Import, Node, Statement } from './python/tree';
import { scopeOf } from './scopes';
import { fresh } from './value';

export class Flow extends Functions {
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
