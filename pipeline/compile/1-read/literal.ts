/**
 * Python's literals, read without a parser library: enough of a tokenizer to cut a cell into logical lines, and a descent over one
 * line's tokens. Whatever is more than a literal makes `undefined`, never a guess.
 */
import type { Literal } from '../../model/parameter';

export interface Token {
  kind: 'name' | 'number' | 'string' | 'operator';
  text: string;
  from: number;
  to: number;
}

/** A logical line: brackets and `\` continue it, `;` ends it. */
export interface Line {
  tokens: Token[];
  /** The comment at its end, without `#`. */
  comment?: string;
  indented: boolean;
  from: number;
  to: number;
}

const opening = '([{';
const closing = ')]}';
const operators = /\*\*=|\/\/=|>>=|<<=|\.\.\.|->|:=|\*\*|\/\/|<<|>>|[-+*/%&|^@<>=!]=|[-+*/%@&|^~<>()[\]{},:.;=!?$]/y;
const word = /[\p{L}_][\p{L}\p{N}_]*/uy;
const number = /(?:0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*)?\.?\d[\d_]*\.?(?:[eE][-+]?\d[\d_]*)?)[jJ]?/y;

/** Cuts a cell into logical lines. Text that is no Python ends up in lines that no literal can be read from. */
export function logicalLines(source: string): Line[] {
  const lines: Line[] = [];
  let tokens: Token[] = [];
  let comment: string | undefined;
  let depth = 0;
  let indented = false;
  let lineStart = true;
  let at = 0;
  const end = (): void => {
    if (tokens.length > 0) lines.push({ tokens, comment, indented, from: tokens[0]!.from, to: tokens.at(-1)!.to });
    tokens = [];
    comment = undefined;
  };
  while (at < source.length) {
    const c = source[at]!;
    if (c === '\n' || c === '\r') {
      if (depth === 0) end();
      lineStart = true;
      at++;
    } else if (c === '\\' && /\r?\n/y.test(source.slice(at + 1, at + 3))) {
      at += source[at + 1] === '\r' ? 3 : 2;
    } else if (/\s/.test(c)) {
      at++;
    } else if (c === '#') {
      let stop = source.indexOf('\n', at);
      if (stop < 0) stop = source.length;
      // A comment inside brackets describes one item, not the parameter.
      if (tokens.length > 0 && depth === 0) comment = source.slice(at + 1, stop).trim();
      at = stop;
    } else {
      if (lineStart && tokens.length === 0) indented = at > 0 && /[ \t]/.test(source[at - 1]!);
      lineStart = false;
      const token = readToken(source, at);
      at = token.to;
      if (token.text === ';' && depth === 0) {
        const before = lines.length;
        end();
        if (lines.length > before) indented = false;
        continue;
      }
      if (token.kind === 'operator' && opening.includes(token.text)) depth++;
      if (token.kind === 'operator' && closing.includes(token.text)) depth = Math.max(0, depth - 1);
      tokens.push(token);
    }
  }
  end();
  return lines;
}

function readToken(source: string, from: number): Token {
  const string = /(?:[rRbBuUfFtT]{0,2})("""|'''|"|')/y;
  string.lastIndex = from;
  const opened = string.exec(source);
  if (opened) {
    const quote = opened[1]!;
    let at = string.lastIndex;
    while (at < source.length && !source.startsWith(quote, at)) {
      if (quote.length === 1 && source[at] === '\n') return { kind: 'operator', text: source.slice(from, at), from, to: at };
      at += source[at] === '\\' ? 2 : 1;
    }
    const to = Math.min(source.length, at + quote.length);
    return { kind: at < source.length ? 'string' : 'operator', text: source.slice(from, to), from, to };
  }
  for (const [kind, pattern] of [
    ['name', word],
    ['number', number],
    ['operator', operators],
  ] as const) {
    pattern.lastIndex = from;
    const match = pattern.exec(source);
    if (match && match[0] !== '' && !(kind === 'number' && match[0] === '.')) return { kind, text: match[0], from, to: pattern.lastIndex };
  }
  return { kind: 'operator', text: source[from]!, from, to: from + 1 };
}

/** A literal's value. `exact` is false when JSON says it less well than Python (`1.0`, a tuple, an integer beyond 2**53). */
export interface ReadLiteral {
  value: Literal;
  type: 'None' | 'bool' | 'int' | 'float' | 'str' | 'list' | 'dict';
  exact: boolean;
}

/** The literal that the tokens from `start` to the end are, or undefined. */
export function readLiteral(tokens: readonly Token[], start = 0): ReadLiteral | undefined {
  const found = readValue(tokens, start);
  return found && { ...found, exact: found.exact && !tuple(tokens, start) };
}

/** Whether a tuple is among the tokens: `(1, 2)`, `()`, `1, 2`. */
function tuple(tokens: readonly Token[], start: number): boolean {
  const open: { round: boolean; commas: number; items: boolean }[] = [{ round: true, commas: 0, items: true }];
  for (let at = start; at < tokens.length; at++) {
    const { kind, text } = tokens[at]!;
    const top = open.at(-1)!;
    if (kind === 'operator' && opening.includes(text)) {
      top.items = true;
      open.push({ round: text === '(', commas: 0, items: false });
    } else if (kind === 'operator' && closing.includes(text)) {
      if (top.round && (top.commas > 0 || !top.items)) return true;
      if (open.length > 1) open.pop();
    } else if (kind === 'operator' && text === ',') top.commas++;
    else top.items = true;
  }
  return open[0]!.commas > 0;
}

function readValue(tokens: readonly Token[], start: number): ReadLiteral | undefined {
  let at = start;
  let exact = true;
  const peek = (text: string): boolean => tokens[at]?.kind === 'operator' && tokens[at]!.text === text;
  const accept = (text: string): boolean => peek(text) && ++at > 0;

  function one(): ReadLiteral | undefined {
    const token = tokens[at];
    if (!token) return undefined;
    if (token.kind === 'number') {
      at++;
      const found = readNumber(token.text);
      if (found && !found.exact) exact = false;
      return found;
    }
    if (token.kind === 'string') return strings();
    if (token.kind === 'name') {
      at++;
      if (token.text === 'None') return { value: null, type: 'None', exact };
      if (token.text === 'True' || token.text === 'False') return { value: token.text === 'True', type: 'bool', exact };
      return undefined;
    }
    if (peek('-') || peek('+')) {
      at++;
      const inner = one();
      if (typeof inner?.value !== 'number') return undefined;
      // Python's -0 is 0, and -0.0 is a float of its own; JSON has neither apart.
      if (inner.value === 0 && token.text === '-' && inner.type === 'float') exact = false;
      return { ...inner, value: token.text === '-' && inner.value !== 0 ? -inner.value : inner.value };
    }
    if (accept('[')) return sequence(']');
    if (accept('(')) {
      if (accept(')')) return { value: [], type: 'list', exact };
      const first = one();
      if (!first) return undefined;
      if (accept(')')) return first;
      if (!accept(',')) return undefined;
      return sequence(')', [first.value]);
    }
    if (accept('{')) return dict();
    return undefined;
  }

  function sequence(close: string, value: Literal[] = []): ReadLiteral | undefined {
    while (!accept(close)) {
      const item = one();
      if (!item) return undefined;
      value.push(item.value);
      if (!accept(',') && !peek(close)) return undefined;
    }
    return { value, type: 'list', exact };
  }

  function dict(): ReadLiteral | undefined {
    const value: { [key: string]: Literal } = {};
    while (!accept('}')) {
      const key = one();
      if (key?.type !== 'str' || !accept(':')) return undefined;
      const item = one();
      if (!item) return undefined;
      Object.defineProperty(value, key.value as string, { value: item.value, enumerable: true, configurable: true, writable: true });
      if (!accept(',') && !peek('}')) return undefined;
    }
    return { value, type: 'dict', exact };
  }

  function strings(): ReadLiteral | undefined {
    let value = '';
    while (tokens[at]?.kind === 'string') {
      const part = readString(tokens[at]!.text);
      if (part === undefined) return undefined;
      value += part;
      at++;
    }
    return { value, type: 'str', exact };
  }

  const first = one();
  if (!first) return undefined;
  if (at === tokens.length) return { ...first, exact };
  // A tuple without parentheses.
  if (!accept(',')) return undefined;
  const items = [first.value];
  while (at < tokens.length) {
    const item = one();
    if (!item) return undefined;
    items.push(item.value);
    if (at < tokens.length && !accept(',')) return undefined;
  }
  return { value: items, type: 'list', exact: false };
}

function readNumber(text: string): ReadLiteral | undefined {
  const plain = text.replaceAll('_', '');
  if (/[jJ]$/.test(plain)) return undefined;
  const whole = /^(0[xXoObB][\da-fA-F]+|\d+)$/.test(plain);
  if (whole && /^0\d/.test(plain) && !/^0+$/.test(plain)) return undefined;
  const value = Number(plain);
  if (!Number.isFinite(value)) return undefined;
  return { value, type: whole ? 'int' : 'float', exact: whole ? Number.isSafeInteger(value) : !Number.isInteger(value) };
}

/** Text of one string token; undefined for bytes and for f-strings that compute something. */
export function readString(token: string): string | undefined {
  const match = /^([a-zA-Z]*)("""|'''|"|')([\s\S]*)\2$/.exec(token);
  if (!match) return undefined;
  const prefix = match[1]!.toLowerCase();
  let body = match[3]!.replaceAll('\r\n', '\n');
  if (prefix.includes('b') || prefix.includes('t')) return undefined;
  if (prefix.includes('f')) {
    if (/[{}]/.test(body.replaceAll('{{', '').replaceAll('}}', ''))) return undefined;
    body = body.replaceAll('{{', '{').replaceAll('}}', '}');
  }
  if (prefix.includes('r')) return body;
  let known = true;
  const value = body.replace(
    /\\(\n|[0-7]{1,3}|x[\da-fA-F]{2}|u[\da-fA-F]{4}|U[\da-fA-F]{8}|N\{[^}]*\}|[\s\S])/g,
    (match, sequence: string) => {
      if (sequence === '\n') return '';
      if (/^[0-7]/.test(sequence)) return String.fromCharCode(Number.parseInt(sequence, 8));
      if (/^[xuU]./.test(sequence)) {
        const code = Number.parseInt(sequence.slice(1), 16);
        if (code > 0x10ffff) known = false;
        return code > 0x10ffff ? match : String.fromCodePoint(code);
      }
      if (sequence.startsWith('N{')) known = false;
      return simple[sequence] ?? match;
    },
  );
  return known ? value : undefined;
}

const simple: Record<string, string> = { '\\': '\\', "'": "'", '"': '"', a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' };
