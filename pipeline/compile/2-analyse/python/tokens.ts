/**
 * Python's text as tokens, in one pass over the characters. Every token keeps its offsets in the cell, so nothing downstream has to map positions.
 * Two things make this differ from a textbook tokenizer: f-strings become a run of tokens (their expressions may hold quotes and f-strings
 * again), and a logical line that is IPython's own (`%magic`, `!cmd`, `name?`, the right side of `x = !cmd`) becomes one `magic` token.
 */
import type { Range } from '../../../model/problem';

export enum T {
  end,
  name,
  number,
  string,
  op,
  newline,
  indent,
  dedent,
  /** An f-string: `fstart`, then for each expression `fopen` … `fclose` (a format spec's expressions nest), then `fend`. */
  fstart,
  fopen,
  fclose,
  fend,
  magic,
  error,
}

export interface Tokens {
  source: string;
  kind: T[];
  from: number[];
  to: number[];
  /** The text of names and operators, the raw text of the others. */
  text: string[];
  /** The first thing wrong with the text itself: an open string or bracket, a stray character. */
  error?: { message: string; range: Range };
}

const number = /0[xX][\da-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?[jJ]?/y;
const helpLine = /^%{0,2}[\p{L}_*][\p{L}\p{N}_.*[\]'"()-]*[ \t]*\?{1,2}[ \t\r]*$/u;
const closing: Record<string, string> = { ')': '(', ']': '[', '}': '{' };
const space = 32;
const tab = 9;
const newline = 10;
const carriageReturn = 13;
const formFeed = 12;
const backslash = 92;
const hash = 35;

const isDigit = (c: number) => c >= 48 && c <= 57;
const isNameStart = (c: number) => (c >= 97 && c <= 122) || (c >= 65 && c <= 90) || c === 95 || c > 160;
const isNamePart = (c: number) => isNameStart(c) || isDigit(c);

/** Splits `source` between two offsets into tokens; never throws. Text after the first error is not looked at. */
export function tokenize(source: string, start = 0, end = source.length): Tokens {
  const tokens: Tokens = { source, kind: [], from: [], to: [], text: [] };
  const brackets: { open: string; at: number }[] = [];
  const indents: number[] = [];
  let at = start;

  const push = (kind: T, from: number, to: number, text: string) => {
    tokens.kind.push(kind);
    tokens.from.push(from);
    tokens.to.push(to);
    tokens.text.push(text);
  };
  const fail = (message: string, from: number, to: number) => {
    tokens.error ??= { message, range: { from, to: Math.min(to, end) } };
    push(T.error, from, Math.min(to, end), '');
    at = end;
  };
  const code = (i: number) => (i < end ? source.charCodeAt(i) : -1);
  const lineEnd = (from: number) => {
    const found = source.indexOf('\n', from);
    return found < 0 || found > end ? end : found;
  };
  /** The end of an IPython line: a backslash before the line end carries it on. */
  const magicEnd = (from: number) => {
    let stop = lineEnd(from);
    while (stop < end && (source[stop - 1] === '\\' || (source[stop - 1] === '\r' && source[stop - 2] === '\\'))) stop = lineEnd(stop + 1);
    return source[stop - 1] === '\r' && stop > from ? stop - 1 : stop;
  };

  /** A string from its opening quote; `prefix` starts at `from`. */
  const string = (from: number, quoteAt: number, format: boolean, raw: boolean) => {
    const quote = source[quoteAt] as string;
    const long = source.startsWith(quote.repeat(3), quoteAt) && quoteAt + 3 <= end;
    at = quoteAt + (long ? 3 : 1);
    if (format) push(T.fstart, from, at, '');
    const closes = () => source[at] === quote && (!long || (source[at + 1] === quote && source[at + 2] === quote && at + 3 <= end));
    while (at < end) {
      const c = source.charCodeAt(at);
      if (c === backslash) {
        // `\N{DASH}` in an f-string is an escape, not an expression.
        if (format && !raw && source[at + 1] === 'N' && source[at + 2] === '{') {
          const close = source.indexOf('}', at);
          at = close < 0 ? at + 2 : close + 1;
        } else if (format && (source[at + 1] === '{' || source[at + 1] === '}')) at += 1;
        else at += source[at + 1] === '\r' && source[at + 2] === '\n' ? 3 : 2;
      } else if (closes()) {
        at += long ? 3 : 1;
        if (format) push(T.fend, at - (long ? 3 : 1), at, '');
        else push(T.string, from, at, source.slice(from, at));
        return;
      } else if (c === newline && !long) break;
      else if (format && c === 123) {
        if (source[at + 1] === '{') at += 2;
        else if (!replacement(quote, long)) return;
      } else at++;
    }
    if (!tokens.error) fail('This string is not closed.', from, long ? quoteAt + 3 : Math.max(at, quoteAt + 1));
  };

  /** `{expression=!r:spec}` of an f-string, from its `{`. False when it failed. */
  const replacement = (quote: string, long: boolean): boolean => {
    const from = at;
    push(T.fopen, at, at + 1, '');
    at++;
    const depth = brackets.length;
    brackets.push({ open: '{', at: from });
    while (at < end && !tokens.error) {
      const c = source[at] as string;
      if (brackets.length === depth + 1) {
        if (c === '}') {
          brackets.pop();
          push(T.fclose, at, at + 1, '');
          at++;
          return true;
        }
        if (c === '!' && source[at + 1] !== '=') {
          at++;
          while (at < end && isNamePart(code(at))) at++;
          continue;
        }
        if (c === '=' && source[at + 1] !== '=' && /^=(?:\s|#.*\n)*[}!:]/.test(source.slice(at, at + 120))) {
          at++;
          continue;
        }
        if (c === ':') {
          at++;
          // The spec is text again; only `{` and `}` count in it.
          while (at < end) {
            if (source[at] === '}') break;
            if (source[at] === '{') {
              if (!replacement(quote, long)) return false;
            } else if (!long && (source[at] === quote || source[at] === '\n')) break;
            else at++;
          }
          if (source[at] !== '}' || at >= end) break;
          continue;
        }
      }
      if (!token()) break;
    }
    if (!tokens.error) fail("This '{' in an f-string is not closed.", from, from + 1);
    return false;
  };

  const previousText = () => (tokens.kind.length ? (tokens.text[tokens.text.length - 1] as string) : '');

  /** One token that is neither layout nor end. False when nothing can follow. */
  const token = (): boolean => {
    const c = source.charCodeAt(at);
    if (c === space || c === tab || c === formFeed) {
      at++;
      return true;
    }
    if (isNameStart(c)) {
      const from = at;
      let ascii = true;
      while (at < end) {
        const d = source.charCodeAt(at);
        if (!isNamePart(d)) break;
        if (d > 160) ascii = false;
        at++;
      }
      const text = source.slice(from, at);
      const next = code(at);
      if ((next === 39 || next === 34) && text.length <= 2 && /^(?:[bfurt]|br|rb|fr|rf|tr|rt)$/i.test(text)) {
        string(from, at, /[ft]/i.test(text), /r/i.test(text));
        return !tokens.error;
      }
      push(T.name, from, at, ascii ? text : text.normalize('NFKC'));
      return true;
    }
    if (c === 39 || c === 34) {
      string(at, at, false, false);
      return !tokens.error;
    }
    if (isDigit(c) || (c === 46 && isDigit(code(at + 1)))) {
      number.lastIndex = at;
      const match = number.exec(source);
      const to = Math.min(end, at + (match ? match[0].length : 1));
      push(T.number, at, to, source.slice(at, to));
      at = to;
      return true;
    }
    if (c === newline || c === carriageReturn) {
      if (brackets.length) {
        at++;
        return true;
      }
      push(T.newline, at, at + 1, '');
      at++;
      if (c === carriageReturn && code(at) === newline) at++;
      lineStart();
      return true;
    }
    if (c === hash) {
      at = lineEnd(at);
      return true;
    }
    if (c === backslash) {
      const next = code(at + 1);
      if (next === newline) at += 2;
      else if (next === carriageReturn) at += code(at + 2) === newline ? 3 : 2;
      else {
        fail("Unexpected '\\': only the end of the line may follow it.", at, at + 1);
        return false;
      }
      return true;
    }
    return operator(c);
  };

  const operator = (c: number): boolean => {
    const from = at;
    const one = source[at] as string;
    const two = code(at + 1);
    let size = 1;
    switch (one) {
      case '(':
      case '[':
      case '{':
        brackets.push({ open: one, at });
        break;
      case ')':
      case ']':
      case '}': {
        const open = brackets.pop();
        if (!open) {
          fail(`'${one}' has no opening '${closing[one]}'.`, at, at + 1);
          return false;
        }
        if (open.open !== closing[one]) {
          fail(`'${one}' does not close '${open.open}'.`, at, at + 1);
          return false;
        }
        break;
      }
      case '*':
      case '/':
      case '<':
      case '>':
        if (two === c) size = code(at + 2) === 61 ? 3 : 2;
        else if (two === 61 || (one === '<' && two === 62)) size = 2;
        break;
      case '-':
        if (two === 61 || two === 62) size = 2;
        break;
      case '+':
      case '%':
      case '@':
      case '&':
      case '|':
      case '^':
      case '=':
      case ':':
        if (two === 61) size = 2;
        break;
      case '!':
        if (two !== 61) {
          fail("Unexpected '!'.", at, at + 1);
          return false;
        }
        size = 2;
        break;
      case '.':
        if (two === 46 && code(at + 2) === 46) size = 3;
        break;
      case ',':
      case ';':
      case '~':
        break;
      case '?':
        // `name?` inside a longer line; IPython shows help and goes on.
        push(T.magic, at, lineEnd(at), '?');
        at = lineEnd(at);
        return true;
      default:
        fail(`Unexpected character '${String.fromCodePoint(source.codePointAt(at) as number)}'.`, at, at + 1);
        return false;
    }
    at += size;
    push(T.op, from, at, size === 1 ? one : source.slice(from, at));
    if (one === '=' && size === 1 && !brackets.length) {
      let next = at;
      while (code(next) === space || code(next) === tab) next++;
      if (code(next) === 37 || code(next) === 33) {
        const stop = magicEnd(next);
        push(T.magic, next, stop, source.slice(next, stop));
        at = stop;
      }
    }
    return true;
  };

  /** At the start of a physical line outside brackets: skips blank lines, emits indents and dedents, recognises IPython's lines. */
  const lineStart = () => {
    for (;;) {
      let column = 0;
      let i = at;
      for (; i < end; i++) {
        const c = source.charCodeAt(i);
        if (c === space) column++;
        else if (c === tab) column += 8 - (column % 8);
        else if (c === formFeed) column = 0;
        else break;
      }
      if (i >= end) {
        at = end;
        return;
      }
      const c = source.charCodeAt(i);
      if (c === newline || c === carriageReturn) {
        at = i + 1;
        continue;
      }
      if (c === hash) {
        at = lineEnd(i);
        if (at >= end) return;
        at++;
        continue;
      }
      at = i;
      // IPython takes off the indent of the first line.
      if (!indents.length) indents.push(column);
      const current = indents[indents.length - 1] as number;
      if (column > current) {
        indents.push(column);
        push(T.indent, i, i, '');
      }
      while (column < (indents[indents.length - 1] as number)) {
        indents.pop();
        if (!indents.length || column > (indents[indents.length - 1] as number)) {
          // Below the cell's own first indent counts as its first level.
          if (!indents.length) {
            indents.push(column);
            break;
          }
          fail('This indent matches no block above.', i, i + 1);
          return;
        }
        push(T.dedent, i, i, '');
      }
      if (c === 37 || c === 33 || c === 63) return ipythonLine();
      const stop = lineEnd(at);
      let last = stop - 1;
      while (last > at && (source.charCodeAt(last) === space || source.charCodeAt(last) === carriageReturn)) last--;
      if (source.charCodeAt(last) === 63 && helpLine.test(source.slice(at, stop))) return ipythonLine();
      return;
    }
  };
  const ipythonLine = () => {
    const stop = magicEnd(at);
    push(T.magic, at, stop, source.slice(at, stop));
    at = stop;
  };

  lineStart();
  while (at < end && token());
  if (!tokens.error && brackets.length) {
    const open = brackets[brackets.length - 1] as { open: string; at: number };
    fail(`'${open.open}' is never closed.`, open.at, open.at + 1);
  }
  if (tokens.kind.length && previousText() !== undefined && tokens.kind[tokens.kind.length - 1] !== T.newline)
    push(T.newline, end, end, '');
  for (let i = indents.length; i > 1; i--) push(T.dedent, end, end, '');
  push(T.end, end, end, '');
  return tokens;
}
