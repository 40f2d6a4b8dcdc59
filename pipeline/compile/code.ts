/**
 * Code as far as it decides what a step gives: comments and layout are left out, and so are those definitions of shared cells that the step
 * does not reach. In doubt more is taken than is needed: that costs a rerun, while too little would pass off an old answer as a new one.
 */
import type { Cell } from '../model/pipeline';
import { bareMagic } from './2-analyse/ipython';
import { parse } from './2-analyse/python/parse';
import { T, tokenize } from './2-analyse/python/tokens';
import type { Argument, ClassDefinition, Expr, FunctionDefinition, Import, Statement } from './2-analyse/python/tree';

/** Code that may show its own text, where comments and line numbers are part of the answer. */
const showsItself =
  /\binspect\b|\bgetsource|\bhelp\s*\(|\?|\b_ih?\b|\bIn\b|\b_i\d*\b|\blinecache\b|\btraceback\b|\b__file__\b|\bget_ipython\b|\bf_lineno\b|\bstacklevel\b|%(?:psource|pfile|pinfo|hist|history|save|recall|rerun|macro|notebook|edit|lprun|mprun|prun|pycat|load)\b/;
const pythonCell = /^\s*%%(?:time|timeit|capture)\b[^\n]*(?:\n|$)/;

/** Two sources with the same text do the same. Not Python any more. */
export function codeText(source: string): string {
  const magic = pythonCell.exec(source)?.[0];
  if (magic !== undefined) return `${magic.trim()}\n${codeText(source.slice(magic.length))}`;
  if (showsItself.test(source) || /^\s*(?:%%|>>>)/.test(source)) return source;
  if (!source.trim().includes('\n') && bareMagic(source, !parse(source).error)) return source.trim();
  const tokens = tokenize(source);
  if (tokens.error) return source;
  const words: string[] = [];
  for (let i = 0; i < tokens.kind.length; i++) {
    const kind = tokens.kind[i]!;
    if (kind === T.end) break;
    if (kind === T.fstart) {
      // Blanks inside `{x = }` are printed.
      const from = tokens.from[i]!;
      for (let depth = 1; depth > 0 && ++i < tokens.kind.length; )
        depth += tokens.kind[i] === T.fstart ? 1 : tokens.kind[i] === T.fend ? -1 : 0;
      words.push(source.slice(from, tokens.to[i]));
    } else if (kind === T.newline) words.push('\n');
    else if (kind === T.indent) words.push('\u0001');
    else if (kind === T.dedent) words.push('\u0002');
    else words.push(tokens.text[i]!);
  }
  // What a blank line at the end, or none, leaves.
  while (words.at(-1) === '\n') words.pop();
  return words.join(' ');
}

/** Every word that could be a name, those inside texts too: `df.query('@limit > 3')`, `globals()['clean']`. */
export const wordsOf = (text: string): Set<string> => new Set(text.match(/[\p{L}_][\p{L}\p{N}_]*/gu));

export interface SharedCode {
  /** What runs in every step whatever it uses: code that is more than definitions. */
  always: string[];
  /** By name (`clean()` for functions), definitions that the step reaches. */
  reached: Record<string, string>;
  /** Imports that it does not name. They may still have done something to a module that it uses. */
  imports: string[];
}

/** What shared cells are to a step that consists of these words; `*`: to one that may use anything. */
export function sharedCode(cells: readonly Cell[], words: ReadonlySet<string>): SharedCode {
  const all = words.has('*');
  const always: string[] = [];
  const waiting: Required<Piece>[] = [];
  for (const { source } of cells) {
    for (const { names, text, kind } of piecesOf(source)) {
      if (names === undefined || all) always.push(text);
      else waiting.push({ names, text, kind });
    }
  }
  const known = new Set(words);
  for (const text of always) for (const word of wordsOf(text)) known.add(word);
  const reached: [string, string][] = [];
  for (let found = true; found; ) {
    found = false;
    for (let i = 0; i < waiting.length; i++) {
      const { names, text, kind } = waiting[i]!;
      if (!names.some(name => known.has(name))) continue;
      for (const word of wordsOf(text)) known.add(word);
      reached.push([`${names.join()}${kind === 'function' ? '()' : ''}`, text]);
      waiting.splice(i--, 1);
      found = true;
    }
  }
  const byName: Record<string, string> = {};
  for (const [name, text] of reached.sort(([a, x], [b, y]) => (a < b ? -1 : a > b ? 1 : x < y ? -1 : 1)))
    byName[name] = name in byName ? `${byName[name]}\n${text}` : text;
  return { always, reached: byName, imports: waiting.filter(({ kind }) => kind === 'import').map(({ text }) => text) };
}

/** A statement at the top of a shared cell. `names`: it does nothing but bind them. */
interface Piece {
  names?: string[];
  text: string;
  kind: Statement['kind'] | 'cell';
}

/** Kept by source, since every step of a run asks. */
const pieces = new Map<string, Piece[]>();

function piecesOf(source: string): Piece[] {
  let found = pieces.get(source);
  if (!found) {
    if (pieces.size > 1000) pieces.clear();
    found = split(source);
    pieces.set(source, found);
  }
  return found;
}

function split(source: string): Piece[] {
  const { statements, error } = parse(source);
  if (error || /^\s*%%/.test(source) || showsItself.test(source)) return [{ text: source, kind: 'cell' }];
  return statements.map(statement => {
    const hidden = statement.kind === 'expression' && statement.silent ? ' ;' : '';
    const text = codeText(source.slice(statement.from, statement.to)) + hidden;
    return { ...(isInert(statement) ? { names: namesOf(statement) } : {}), text, kind: statement.kind };
  });
}

/** Whether cells only give names to literals, so that a step that is not given a name is not touched by its value. */
export function holdsLiteralsOnly(cells: readonly Cell[]): boolean {
  return cells.every(({ source }) => {
    const { statements, error } = parse(source);
    return (
      !error &&
      statements.every(one => {
        if (one.kind === 'assign') return one.targets.every(({ kind }) => kind === 'name') && isPlain(one.value) && !namesIn(one.value);
        return one.kind === 'annotated' && one.target.kind === 'name' && (!one.value || (isPlain(one.value) && !namesIn(one.value)));
      })
    );
  });
}

/** Making it does nothing but bind its names. */
function isInert(statement: Statement): boolean {
  if (statement.kind === 'import') return !statement.names.some(({ name }) => name === '*');
  if (statement.kind === 'function') return isInertFunction(statement);
  return statement.kind === 'class' && isInertClass(statement);
}

const isInertFunction = ({ decorators, parameters, returns }: FunctionDefinition): boolean =>
  decorators.length === 0 &&
  parameters.every(one => (!one.default || isPlain(one.default)) && (!one.annotation || isPlain(one.annotation))) &&
  (!returns || isPlain(returns));

/** Classes that register what derives from them would notice; these do not. */
const quietBases =
  /^(?:\w+\.)*(?:object|Exception|ValueError|RuntimeError|Module|Dataset|BaseEstimator|TransformerMixin|ClassifierMixin|RegressorMixin)$/;

function isInertClass({ decorators, arguments: bases, body }: ClassDefinition): boolean {
  return (
    decorators.length === 0 &&
    bases.every((base: Argument) => base.keyword === undefined && base.stars === 0 && quietBases.test(dotted(base.value))) &&
    body.every(one => {
      if (one.kind === 'function')
        return isInertFunction({ ...one, decorators: one.decorators.filter(each => !quietDecorators.test(dotted(each))) });
      if (one.kind === 'assign') return one.targets.every(({ kind }) => kind === 'name') && isPlain(one.value);
      if (one.kind === 'annotated') return isPlain(one.annotation) && (!one.value || isPlain(one.value));
      return one.kind === 'pass' || (one.kind === 'expression' && one.value.kind === 'constant');
    })
  );
}

const quietDecorators = /^(?:staticmethod|classmethod|property)$/;

/** Evaluating it runs nobody's code. */
function isPlain(e: Expr): boolean {
  switch (e.kind) {
    case 'constant':
    case 'name':
      return true;
    case 'attribute':
      return isPlain(e.value);
    case 'tuple':
    case 'list':
    case 'set':
    case 'operation':
    case 'boolean':
      return e.items.every(isPlain);
    case 'subscript':
      return /^(?:list|dict|tuple|set|type|Optional|Union|List|Dict|Tuple|Callable|Iterable|Sequence|Literal|Any)$/.test(
        dotted(e.value).split('.').at(-1)!,
      );
    case 'dict':
      return [...e.keys, ...e.values].every(one => one === undefined || isPlain(one));
    default:
      return false;
  }
}

const namesIn = (e: Expr): boolean => /"kind":"(?:name|attribute)"/.test(JSON.stringify(e));

const dotted = (e: Expr): string => (e.kind === 'name' ? e.name : e.kind === 'attribute' ? `${dotted(e.value)}.${e.attribute}` : '');

function namesOf(statement: Statement): string[] {
  if (statement.kind === 'import') return (statement as Import).names.map(({ bound }) => bound);
  return statement.kind === 'function' || statement.kind === 'class' ? [statement.name.name] : [];
}
