/**
 * Text with ANSI colours as pieces of plain text with styles. Nothing here makes markup: what a log holds can only ever become text. Colours
 * are JupyterLab's own classes, so that they follow the theme; whatever is no colour (cursor movements, titles, links) is dropped.
 */

export interface AnsiStyle {
  fg?: string;
  bg?: string;
  bold?: boolean;
  dim?: boolean;
  italic?: boolean;
  underline?: boolean;
  inverse?: boolean;
}

export interface Piece {
  text: string;
  style: AnsiStyle;
}

const names = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
// CSI sequences, OSC sequences (ended by BEL or ST), two-character escapes, and control characters that show nothing.
const sequence = /\x1b\[([0-?]*)[ -/]*([@-~])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[ -/]*[0-~]?|[\x00-\x08\x0b-\x1a\x1c-\x1f\x7f]/g;

/** The pieces of a text that begins in this style, and the style in which it ends. */
export function readAnsi(text: string, begin: AnsiStyle = {}): { pieces: Piece[]; end: AnsiStyle } {
  const pieces: Piece[] = [];
  let style = begin;
  let from = 0;
  const put = (to: number) => {
    if (to > from) pieces.push({ text: text.slice(from, to), style });
  };
  for (const match of text.matchAll(sequence)) {
    put(match.index);
    from = match.index + match[0].length;
    if (match[2] === 'm') style = apply(style, match[1] ?? '');
  }
  put(text.length);
  return { pieces, end: style };
}

/** The text alone. */
export const plain = (text: string): string => text.replace(sequence, '');

/** Classes that JupyterLab's themes colour. */
export function classesOf({ fg, bg, bold, dim, italic, underline, inverse }: AnsiStyle): string {
  return [
    fg && !fg.startsWith('#') && `ansi-${fg}-fg`,
    bg && !bg.startsWith('#') && `ansi-${bg}-bg`,
    bold && 'ansi-bold',
    underline && 'ansi-underline',
    dim && 'stepwell-ansi-dim',
    italic && 'stepwell-ansi-italic',
    inverse && 'stepwell-ansi-inverse',
  ]
    .filter(Boolean)
    .join(' ');
}

/** Colours that are none of the sixteen. */
export const colours = ({ fg, bg }: AnsiStyle): { color?: string; backgroundColor?: string } => ({
  ...(fg?.startsWith('#') ? { color: fg } : {}),
  ...(bg?.startsWith('#') ? { backgroundColor: bg } : {}),
});

function apply(before: AnsiStyle, parameters: string): AnsiStyle {
  const codes = parameters.split(/[;:]/).map(Number);
  let style = { ...before };
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === 0) style = {};
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 3) style.italic = true;
    else if (code === 4) style.underline = true;
    else if (code === 7) style.inverse = true;
    else if (code === 22) style = { ...style, bold: undefined, dim: undefined };
    else if (code === 23) style.italic = undefined;
    else if (code === 24) style.underline = undefined;
    else if (code === 27) style.inverse = undefined;
    else if (code >= 30 && code <= 37) style.fg = names[code - 30];
    else if (code >= 40 && code <= 47) style.bg = names[code - 40];
    else if (code >= 90 && code <= 97) style.fg = `${names[code - 90]}-intense`;
    else if (code >= 100 && code <= 107) style.bg = `${names[code - 100]}-intense`;
    else if (code === 39) style.fg = undefined;
    else if (code === 49) style.bg = undefined;
    else if (code === 38 || code === 48) {
      const [colour, used] = extended(codes.slice(i + 1));
      i += used;
      if (colour !== undefined) style[code === 38 ? 'fg' : 'bg'] = colour;
    }
  }
  return style;
}

/** `5;n` or `2;r;g;b`: the colour, and how many codes say it. */
function extended(codes: number[]): [string | undefined, number] {
  const byte = (value: number | undefined) => (value !== undefined && value >= 0 && value <= 255 ? Math.floor(value) : undefined);
  const hex = (...values: number[]) => `#${values.map(value => value.toString(16).padStart(2, '0')).join('')}`;
  if (codes[0] === 2) {
    const [r, g, b] = [byte(codes[1]), byte(codes[2]), byte(codes[3])];
    return [r === undefined || g === undefined || b === undefined ? undefined : hex(r, g, b), 4];
  }
  const n = codes[0] === 5 ? byte(codes[1]) : undefined;
  if (n === undefined) return [undefined, 2];
  if (n < 8) return [names[n], 2];
  if (n < 16) return [`${names[n - 8]}-intense`, 2];
  if (n >= 232) return [hex(8 + 10 * (n - 232), 8 + 10 * (n - 232), 8 + 10 * (n - 232)), 2];
  const level = (value: number) => (value === 0 ? 0 : 55 + 40 * value);
  return [hex(level(Math.floor((n - 16) / 36)), level(Math.floor((n - 16) / 6) % 6), level((n - 16) % 6)), 2];
}
