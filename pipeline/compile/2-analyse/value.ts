/**
 * What is known of a value while code is gone through. It is known only by its *origins*: the names whose objects it may share (`a.b[0]` has origin `a`). A change
 * of the value is then a change of its origins, however the code got there.
 */
import type { Channel } from '../../model/name';
import type { FunctionEffect } from '../analysis';
import type { Effects } from './effects';
import type { Expr } from './python/tree';

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

/** No origins. */
export const nothing: readonly string[] = [];
export const fresh: Value = { origins: nothing, mutable: true };
export const constant: Value = { origins: nothing, mutable: false };
export const noNames: ReadonlySet<string> = new Set();
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
/** A value that is, or is part of, what has these origins. */
export const part = (origins: readonly string[]): Value => (origins.length ? { origins, mutable: true } : fresh);

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
export function dottedRest(e: Expr): string {
  const text = dottedText(e);
  return text.includes('.') ? text.slice(text.indexOf('.')) : '';
}

const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r', "'": "'", '"': '"', '\\': '\\', '\n': '' };
/** The text of a plain string literal, with the escapes that matter to code and paths. */
export function unescaped(text: string): string {
  return text.includes('\\') ? text.replace(/\\([ntr'"\\\n])/g, (_, c: string) => escapes[c] as string) : text;
}
