/** Writing for a person or for a program: colours and rewriting only where there is a terminal, and nobody minds a closed pipe. */

export interface Stream {
  write(text: string): unknown;
  isTTY?: boolean;
  columns?: number;
  rows?: number;
}

/** `stepwell runs | head` closes our output early: that is the reader's right and no error. */
export function forgiveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
    });
  }
}

export const coloured = (stream: Stream): boolean =>
  process.env.NO_COLOR
    ? false
    : process.env.FORCE_COLOR
      ? process.env.FORCE_COLOR !== '0'
      : Boolean(stream.isTTY) && process.env.TERM !== 'dumb';

const codes = { red: 31, green: 32, yellow: 33, blue: 34, grey: 90, bold: 1 } as const;
export type Colour = keyof typeof codes;

/** Gives a function that colours text for this stream, or leaves it as it is. */
export function painter(stream: Stream): (colour: Colour, text: string) => string {
  return coloured(stream) ? (colour, text) => `\x1b[${codes[colour]}m${text}\x1b[0m` : (_colour, text) => text;
}

const escapes = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\))/g;

export const withoutColours = (text: string): string => text.replace(escapes, '');

export function printJson(document: unknown): void {
  process.stdout.write(`${JSON.stringify(document, undefined, 2)}\n`);
}

export function seconds(value: number | undefined): string {
  if (value === undefined) return '';
  if (value < 0.0995) return `${Math.round(value * 1000)} ms`;
  if (value < 59.95) return `${value.toFixed(1)} s`;
  const whole = Math.round(value);
  return whole < 3600
    ? `${Math.floor(whole / 60)} min ${whole % 60} s`
    : `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

export function bytes(value: number | undefined): string {
  if (value === undefined) return '';
  if (value < 1000) return `${value} B`;
  const units = ['kB', 'MB', 'GB', 'TB'];
  let amount = value / 1000;
  let unit = 0;
  while (amount >= 999.5 && unit < units.length - 1) {
    amount /= 1000;
    unit++;
  }
  return `${amount < 9.95 ? amount.toFixed(1) : Math.round(amount)} ${units[unit]}`;
}

/** Columns with two spaces between them, as wide as they need. */
export function table(rows: string[][]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, text] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, withoutColours(text).length);
  }
  const pad = (text: string, column: number) => text + ' '.repeat(widths[column]! - withoutColours(text).length);
  return rows.map(row => row.map(pad).join('  ').trimEnd()).join('\n');
}
