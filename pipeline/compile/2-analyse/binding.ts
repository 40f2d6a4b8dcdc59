/**
 * What is bound for certain, path by path. Where paths meet, a name is certain only if it is on both. A name that is read before it is certain comes from above the cell.
 */
import { noEffects } from './effects';
import { Evaluator } from './evaluate';
import type { Node } from './python/tree';
import { type Bound, type Frame, fresh, noNames, type State, union, type Value } from './value';

export abstract class Binding extends Evaluator {
  readonly module: Frame;
  frame: Frame;
  /** Global names bound, in order, with where it first happened. */
  readonly first = new Map<string, Node>();
  /** How often each of them was bound. */
  readonly bindings = new Map<string, number>();
  /** Offset from which a name is certainly bound. */
  readonly settled = new Map<string, number>();
  protected branches = 0;
  protected loops = 0;
  protected end = 0;

  constructor() {
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

  protected get inFlow(): boolean {
    return this.frame.effects === this.module.effects;
  }
  protected get atTop(): boolean {
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

  protected set(env: Map<string, Bound>, name: string, value: Value): void {
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

  protected bindModule(name: string, node: Node, value: Value, end: number): void {
    if (!this.first.has(name)) this.first.set(name, this.range(node));
    this.bindings.set(name, (this.bindings.get(name) ?? 0) + 1);
    this.set(this.module.state.env, name, value);
    if (!this.branches && !this.maybe && !this.settled.has(name)) this.settled.set(name, this.elsewhere ? this.elsewhere.to : end);
  }
  protected bindGlobal(name: string, node: Node, value: Value): void {
    if (this.inFlow) this.bindModule(name, node, value, this.end);
    else this.effects.binds.add(name);
  }

  protected unbind(name: string, node: Node): void {
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

  protected fork(): State {
    return { env: new Map(this.frame.state.env), dead: this.frame.state.dead };
  }
  protected join(a: State, b: State): State {
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
  protected meet(x: Bound, y: Bound): Bound {
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
  protected settle(end: number): void {
    if (this.branches || this.frame !== this.module || this.module.state.dead) return;
    for (const name of this.first.keys())
      if (!this.settled.has(name) && this.module.state.env.get(name)?.certain) this.settled.set(name, end);
  }
  /** Runs what may not happen. */
  protected branch(run: () => void): State {
    this.branches++;
    run();
    this.branches--;
    return this.frame.state;
  }
}
