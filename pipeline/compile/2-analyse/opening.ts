/** The files that a call reads and writes, as far as its arguments say. */
import { type FileCall, plainPath } from './files';
import { Frames } from './frames';
import type { Argument, CallExpr, Node } from './python/tree';
import { constant, fresh, nothing, unescaped, union, type Value } from './value';

/** A call's arguments, evaluated. */
export interface Arguments {
  list: { value: Value; keyword?: string; stars: number }[];
  names: { name: string; position?: number; keyword?: string }[];
  origins: readonly string[];
  out: boolean;
}

export abstract class Opening extends Frames {
  protected arguments(list: Argument[]): Arguments {
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

  protected path(text: string | undefined, how: 'read' | 'write' | 'both', node: Node): void {
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

  protected fileArguments(e: CallExpr, call: FileCall | undefined, args: Arguments): void {
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

  protected openFile(e: CallExpr, given?: Arguments): readonly string[] {
    const args = given ?? this.arguments(e.arguments);
    const mode =
      args.list.find(a => a.keyword === 'mode')?.value ??
      (e.arguments[1] && !e.arguments[1].keyword ? args.list[1]?.value : { ...constant, text: 'r' });
    const file = args.list.find(a => a.keyword === 'file')?.value ?? args.list[0]?.value;
    const text = mode?.text ?? 'r+';
    this.path(file?.text, /[+a]/.test(text) ? 'both' : /[wx]/.test(text) ? 'write' : 'read', e);
    return nothing;
  }

  protected pathMethod(e: CallExpr, method: string, text: string, args: Arguments): void {
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
