/** Statements that hold others: which of them run for certain, and what is bound after them. */
import { Binding } from './binding';
import type { Expr, For, If, Match, Statement, Try, While, With } from './python/tree';
import { fresh, type State, union } from './value';

export abstract class Blocks extends Binding {
  protected readonly exits: { breaks: State[]; continues: State[] }[] = [];

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

  protected ifStatement(s: If): void {
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

  protected whileStatement(s: While): void {
    const always = !this.elsewhere && this.truth(s.test) === true;
    this.evaluate(s.test);
    this.loop(s.body, s.otherwise, always, always, () => this.evaluate(s.test));
    this.settle(s.to);
  }
  protected forStatement(s: For): void {
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

  protected tryStatement(s: Try): void {
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

  protected withStatement(s: With): void {
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

  protected matchStatement(s: Match): void {
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
}
