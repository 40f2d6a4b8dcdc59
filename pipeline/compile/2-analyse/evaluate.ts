/** What evaluating an expression reads, changes and shares, and what assigning to a target does. Calls are in `calls.ts`. */
import { Calls } from './calls';
import { lineMagic } from './ipython';
import type { Comprehension, Expr, Lambda, Node } from './python/tree';
import { targetNames, walrusNames } from './scopes';
import { channelOfAttribute, constant, fresh, nothing, part, union, type Value } from './value';

export abstract class Evaluator extends Calls {
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
}
