/** What calls do, by what is called: a builtin, a function of a library, one of the notebook's own, or a method of something. */
import type { FunctionEffect } from '../analysis';
import { copies, fileFunction, fileMethod, runsCommands } from './files';
import { calledMagic, shellCommand } from './ipython';
import { isBuiltin } from './names';
import { type Arguments, Opening } from './opening';
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
import type { CallExpr, Expr, Node } from './python/tree';
import { stays } from './staying';
import { channelOfAttribute, dottedRest, dottedText, fresh, nothing, part, unescaped, union, type Value } from './value';

export abstract class Calls extends Opening {
  protected call(e: CallExpr, dropped: boolean): Value {
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
}
