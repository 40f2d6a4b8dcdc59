/**
 * Typed parameters: read from the cells tagged `parameters`, checked against what is given when a run starts. Assignments of literals
 * are parameters; everything else in such a cell is code that runs and nothing more.
 */
import type { Literal, Parameter, ParameterType } from '../../model/parameter';
import type { Cell } from '../../model/pipeline';
import type { Problem } from '../../model/problem';
import { closest } from '../../model/settings';
import { type Line, logicalLines, readLiteral, readString, type Token } from './literal';

/** The parameters of these cells, in order. A name assigned twice keeps its last value, as Python does. */
export function readParameters(cells: readonly Cell[]): { parameters: Parameter[]; problems: Problem[] } {
  const found = new Map<string, Parameter & { annotated?: boolean }>();
  const problems: Problem[] = [];
  for (const { cell, source } of cells) {
    for (const line of logicalLines(source)) {
      const statement = readStatement(line, source);
      if (statement.kind === 'code') {
        if (!statement.quiet) {
          const quoted = shorten(source.slice(line.from, line.to));
          problems.push({
            code: 'bad-parameter',
            severity: 'warning',
            message: `\`${quoted}\` in the parameters cell is no assignment of a literal: it runs, but makes no parameter.`,
            cell,
            range: { from: line.from, to: line.to },
          });
        }
        // `n = 3` and then `n = n * 2`: what is left behind is computed, so nothing can be given for it.
        for (const name of statement.names) found.delete(name);
        continue;
      }
      for (const name of statement.names) {
        const before = found.get(name);
        found.delete(name);
        found.set(name, {
          name,
          // An annotation of an earlier line still holds: `n: int` and below it `n = 3`.
          type: statement.annotated || !before?.annotated ? statement.type : before.type,
          ...(statement.source === undefined
            ? statement.value === undefined
              ? {}
              : { default: statement.value }
            : { source: statement.source }),
          ...((line.comment ?? before?.description) ? { description: line.comment ?? before?.description } : {}),
          cell,
          annotated: statement.annotated || before?.annotated,
        });
        if (statement.annotated && statement.value !== undefined && !fits(statement.value, statement.type)) {
          problems.push({
            code: 'bad-parameter',
            severity: 'warning',
            message: `The parameter "${name}" is annotated as ${typeName(statement.type)}, but its default is ${shorten(JSON.stringify(statement.value))}.`,
            cell,
            range: { from: line.from, to: line.to },
          });
        }
      }
    }
  }
  return { parameters: [...found.values()].map(({ annotated: _, ...parameter }) => parameter), problems };
}

type Statement =
  | { kind: 'parameter'; names: string[]; value?: Literal; source?: string; type: ParameterType; annotated?: boolean }
  | { kind: 'code'; names: string[]; quiet: boolean };

const isOperator = (token: Token | undefined, text: string): boolean => token?.kind === 'operator' && token.text === text;

function readStatement(line: Line, text: string): Statement {
  const { tokens } = line;
  const [first, second] = tokens;
  const quiet = first!.kind === 'string' || ['import', 'from', 'pass'].includes(first!.text) || /^[%!?]/.test(first!.text);
  if (line.indented || first!.kind !== 'name') return { kind: 'code', names: [], quiet };
  if (isOperator(second, ':') && !keywords.has(first!.text)) {
    const equals = topLevel(tokens, '=', 2);
    const type = readType(tokens.slice(2, equals < 0 ? undefined : equals));
    const name = first!.text;
    if (!type) return { kind: 'code', names: [name], quiet: false };
    if (equals < 0) return { kind: 'parameter', names: [name], type, annotated: true };
    const literal = readLiteral(tokens, equals + 1);
    if (!literal) return { kind: 'code', names: [name], quiet: false };
    return { kind: 'parameter', names: [name], value: literal.value, ...inexact(equals + 1), type, annotated: true };
  }
  // `a = b = 1` makes two parameters.
  const names: string[] = [];
  let at = 0;
  while (tokens[at]?.kind === 'name' && isOperator(tokens[at + 1], '=')) {
    names.push(tokens[at]!.text);
    at += 2;
  }
  if (names.length === 0) return { kind: 'code', names: assigned(tokens), quiet };
  const literal = readLiteral(tokens, at);
  if (!literal) return { kind: 'code', names, quiet: false };
  return { kind: 'parameter', names, value: literal.value, ...inexact(at), type: literalType(literal.value, literal.type) };

  function inexact(start: number): { source?: string } {
    return readLiteral(tokens, start)?.exact ? {} : { source: text.slice(tokens[start]!.from, tokens.at(-1)!.to) };
  }
}

const keywords = new Set(['if', 'for', 'while', 'with', 'try', 'else', 'finally', 'except', 'class', 'def', 'match', 'lambda', 'async']);

/** Names that a line assigns in a form we don't take apart (`a, b = 1, 2`, `a += 1`). */
function assigned(tokens: readonly Token[]): string[] {
  const equals = tokens.findIndex(
    token => token.kind === 'operator' && /^(=|\+=|-=|\*=|\/=|\/\/=|%=|\*\*=|&=|\|=|\^=|@=|>>=|<<=)$/.test(token.text),
  );
  return equals < 0
    ? []
    : tokens
        .slice(0, equals)
        .filter(token => token.kind === 'name')
        .map(token => token.text);
}

function topLevel(tokens: readonly Token[], text: string, from: number): number {
  let depth = 0;
  for (let at = from; at < tokens.length; at++) {
    const token = tokens[at]!;
    if (token.kind !== 'operator') continue;
    if ('([{'.includes(token.text)) depth++;
    else if (')]}'.includes(token.text)) depth--;
    else if (depth === 0 && token.text === text) return at;
  }
  return -1;
}

function split(tokens: readonly Token[], by: string): Token[][] {
  const parts: Token[][] = [];
  let from = 0;
  for (let at = topLevel(tokens, by, 0); at >= 0; at = topLevel(tokens, by, from)) {
    parts.push(tokens.slice(from, at));
    from = at + 1;
  }
  parts.push(tokens.slice(from));
  return parts.filter((part, index) => part.length > 0 || index < parts.length - 1);
}

const plain: Record<string, ParameterType> = {
  int: { kind: 'integer' },
  float: { kind: 'number' },
  complex: { kind: 'any' },
  str: { kind: 'string' },
  bool: { kind: 'boolean' },
  Any: { kind: 'any' },
  object: { kind: 'any' },
  Text: { kind: 'string' },
  None: { kind: 'literal', values: [null] },
  list: { kind: 'list', of: { kind: 'any' } },
  dict: { kind: 'dict', of: { kind: 'any' } },
};
for (const [alias, name] of [
  ['List', 'list'],
  ['Sequence', 'list'],
  ['Iterable', 'list'],
  ['Collection', 'list'],
  ['tuple', 'list'],
  ['Tuple', 'list'],
  ['Dict', 'dict'],
  ['Mapping', 'dict'],
  ['MutableMapping', 'dict'],
] as const) {
  plain[alias] = plain[name]!;
}

/** The type an annotation names. An annotation that means something else to Python (`Path`, `pd.Timestamp`) makes no parameter type: any. */
function readType(tokens: readonly Token[]): ParameterType | undefined {
  if (tokens.length === 0) return undefined;
  if (tokens.length === 1 && tokens[0]!.kind === 'string') {
    const quoted = readString(tokens[0]!.text);
    const inner = quoted === undefined ? [] : logicalLines(quoted);
    return inner.length === 1 ? readType(inner[0]!.tokens) : { kind: 'any' };
  }
  const union = split(tokens, '|');
  if (union.length > 1) return unionOf(union);
  // `typing.Optional[int]`: the last part of a dotted name counts.
  let at = 0;
  while (tokens[at]?.kind === 'name' && isOperator(tokens[at + 1], '.') && tokens[at + 2]?.kind === 'name') at += 2;
  const name = tokens[at];
  if (name?.kind !== 'name') return { kind: 'any' };
  if (tokens.length === at + 1) return at > 0 && !/^[A-Z]/.test(name.text) ? { kind: 'any' } : (plain[name.text] ?? { kind: 'any' });
  if (!isOperator(tokens[at + 1], '[') || !isOperator(tokens.at(-1), ']')) return { kind: 'any' };
  const inner = split(tokens.slice(at + 2, -1), ',');
  const of = (index: number): ParameterType => (inner[index] ? (readType(inner[index]) ?? { kind: 'any' }) : { kind: 'any' });
  switch (name.text) {
    case 'Literal': {
      const values = inner.map(part => readLiteral(part));
      return values.every(value => value !== undefined) ? { kind: 'literal', values: values.map(value => value.value) } : { kind: 'any' };
    }
    case 'Optional':
      return { kind: 'optional', of: of(0) };
    case 'Union':
      return unionOf(inner);
    case 'Annotated':
    case 'Final':
    case 'ClassVar':
      return of(0);
    default: {
      const outer = plain[name.text];
      if (outer?.kind === 'dict') return { kind: 'dict', of: of(1) };
      if (outer?.kind !== 'list') return { kind: 'any' };
      const same = inner.length === 1 || (inner.length === 2 && isOperator(inner[1]![0], '...'));
      return { kind: 'list', of: same ? of(0) : { kind: 'any' } };
    }
  }
}

function unionOf(parts: Token[][]): ParameterType {
  const types = parts.map(part => readType(part) ?? ({ kind: 'any' } as ParameterType));
  const isNone = (type: ParameterType): boolean => type.kind === 'literal' && type.values.length === 1 && type.values[0] === null;
  const others = types.filter(type => !isNone(type));
  const kinds = new Set(others.map(type => JSON.stringify(type)));
  let of: ParameterType = { kind: 'any' };
  if (kinds.size === 1) of = others[0]!;
  else if (others.every(type => type.kind === 'integer' || type.kind === 'number')) of = { kind: 'number' };
  else if (others.every(type => type.kind === 'literal'))
    of = { kind: 'literal', values: others.flatMap(type => (type.kind === 'literal' ? type.values : [])) };
  return others.length < types.length ? { kind: 'optional', of } : of;
}

function literalType(value: Literal, type: string): ParameterType {
  if (type === 'int') return { kind: 'integer' };
  if (type === 'float') return { kind: 'number' };
  return typeOf(value);
}

/** The type a default suggests. None suggests nothing. */
function typeOf(value: Literal | undefined): ParameterType {
  if (typeof value === 'boolean') return { kind: 'boolean' };
  if (typeof value === 'number') return { kind: Number.isInteger(value) ? 'integer' : 'number' };
  if (typeof value === 'string') return { kind: 'string' };
  if (Array.isArray(value)) return { kind: 'list', of: { kind: 'any' } };
  if (typeof value === 'object' && value !== null) return { kind: 'dict', of: { kind: 'any' } };
  return { kind: 'any' };
}

/** Whether a JSON value can stand for the type. An integer stands for a number, as in Python. */
export function fits(value: Literal, type: ParameterType): boolean {
  switch (type.kind) {
    case 'any':
      return true;
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value);
    case 'number':
      return typeof value === 'number';
    case 'string':
      return typeof value === 'string';
    case 'boolean':
      return typeof value === 'boolean';
    case 'literal':
      return type.values.some(one => JSON.stringify(one) === JSON.stringify(value));
    case 'optional':
      return value === null || fits(value, type.of);
    case 'list':
      return Array.isArray(value) && value.every(item => fits(item, type.of));
    case 'dict':
      return (
        typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(item => fits(item, type.of))
      );
  }
}

/** A type in Python's words. */
export function typeName(type: ParameterType): string {
  switch (type.kind) {
    case 'any':
      return 'any value';
    case 'integer':
      return 'int';
    case 'number':
      return 'float';
    case 'string':
      return 'str';
    case 'boolean':
      return 'bool';
    case 'literal':
      return `one of ${type.values.map(value => JSON.stringify(value)).join(', ')}`;
    case 'optional':
      return `${typeName(type.of)} or None`;
    case 'list':
      return type.of.kind === 'any' ? 'list' : `list of ${typeName(type.of)}`;
    case 'dict':
      return type.of.kind === 'any' ? 'dict' : `dict of ${typeName(type.of)}`;
  }
}

/**
 * Text from a command line as a value of the type: `5`, `true`, `[1, 2]`, `{"a": 1}`, Python's spelling too. Text for a `str` is taken as
 * it is, quotes and all. Undefined: it can't be such a value.
 */
export function parseParameter(text: string, type: ParameterType): Literal | undefined {
  const trimmed = text.trim();
  switch (type.kind) {
    case 'string':
      return text;
    case 'boolean':
      if (/^(true|yes|on|1)$/i.test(trimmed)) return true;
      return /^(false|no|off|0)$/i.test(trimmed) ? false : undefined;
    case 'optional':
      if (/^(none|null)$/i.test(trimmed)) return null;
      return parseParameter(text, type.of);
    case 'literal': {
      if (type.values.includes(text)) return text;
      const value = parseAny(trimmed);
      return fits(value, type) ? value : undefined;
    }
    case 'any':
      return parseAny(text);
    default: {
      const value = parseAny(trimmed);
      return fits(value, type) ? value : undefined;
    }
  }
}

/** A literal in Python's or JSON's spelling; anything else is text. */
function parseAny(text: string): Literal {
  const lines = logicalLines(text.trim());
  const literal = lines.length === 1 && lines[0]!.comment === undefined ? readLiteral(lines[0]!.tokens) : undefined;
  if (literal && lines[0]!.to === text.trim().length) return literal.value;
  try {
    return JSON.parse(text) as Literal;
  } catch {
    return text;
  }
}

const isLiteral = (value: unknown): value is Literal =>
  value === null ||
  typeof value === 'boolean' ||
  (typeof value === 'number' && Number.isFinite(value)) ||
  typeof value === 'string' ||
  (Array.isArray(value) && value.every(isLiteral)) ||
  (typeof value === 'object' && Object.values(value).every(isLiteral));

/**
 * Checks what is given against the parameters. `values` holds what was given and is right; defaults are not filled in. With
 * `fromText`, texts are parsed by the parameter's type, as a command line needs.
 */
export function checkParameters(
  parameters: readonly Parameter[],
  given: Record<string, unknown>,
  options: { fromText?: boolean } = {},
): { values: Record<string, Literal>; problems: Problem[] } {
  const values: Record<string, Literal> = {};
  const problems: Problem[] = [];
  const byName = new Map(parameters.map(parameter => [parameter.name, parameter]));
  for (const [name, value] of Object.entries(given)) {
    const parameter = byName.get(name);
    if (!parameter) {
      const meant = closest(name, [...byName.keys()]);
      const known = byName.size === 0 ? 'The notebook has none: tag a cell `parameters`.' : `It has ${[...byName.keys()].join(', ')}.`;
      problems.push({
        code: 'unknown-parameter',
        severity: 'error',
        message: `The notebook has no parameter "${name}". ${meant ? `Did you mean "${meant}"?` : known}`,
      });
      continue;
    }
    const read = options.fromText && typeof value === 'string' ? parseParameter(value, parameter.type) : value;
    if (read === undefined || !isLiteral(read) || !fits(read, parameter.type)) {
      problems.push({
        code: 'bad-parameter-value',
        severity: 'error',
        message: `The parameter "${name}" takes ${typeName(parameter.type)}; ${shorten(JSON.stringify(value) ?? String(value))} was given.`,
        cell: parameter.cell,
      });
    } else values[name] = read;
  }
  for (const parameter of parameters) {
    if (parameter.default === undefined && parameter.source === undefined && !Object.hasOwn(given, parameter.name)) {
      problems.push({
        code: 'missing-parameter',
        severity: 'error',
        message: `The parameter "${parameter.name}" has no default: give it a value (${typeName(parameter.type)}).`,
        cell: parameter.cell,
      });
    }
  }
  return { values, problems };
}

const shorten = (words: string): string => {
  const line = words.replace(/\s+/g, ' ');
  return line.length > 60 ? `${line.slice(0, 57)}…` : line;
};
