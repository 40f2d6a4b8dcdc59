/** Repeated measuring and the way figures are printed: median of several runs, smallest and largest beside it, and a ratio to a peer or a floor. */
import { type SpawnSyncOptions, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const root = join(import.meta.dirname, '..');
export const python = join(root, '.venv', 'bin', 'python');

export interface Figure {
  median: number;
  least: number;
  most: number;
  times: number;
}

export function figure(samples: number[]): Figure {
  const sorted = [...samples].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const median = sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { median, least: sorted[0]!, most: sorted.at(-1)!, times: sorted.length };
}

export const temporary = (): string => mkdtempSync(join(tmpdir(), 'stepwell-bench-'));

/** Runs a command to its end and gives its milliseconds and output. Throws when it fails: a figure of a failed run means nothing. */
export function run(command: string, args: string[], options: SpawnSyncOptions = {}): { ms: number; stdout: string } {
  const start = performance.now();
  const done = spawnSync(command, args, { encoding: 'utf8', maxBuffer: 1 << 30, ...options });
  const ms = performance.now() - start;
  if (done.status !== 0)
    throw new Error(`${command} ${args.join(' ')} ended with ${done.status ?? done.signal}:\n${done.stderr}\n${done.stdout}`);
  return { ms, stdout: String(done.stdout) };
}

export function title(text: string): void {
  console.log(`\n${text}`);
}

/** `milliseconds` in a row of its own, with the ratio to `base` when there is one. */
export function row(name: string, { median, least, most, times }: Figure, base?: { name: string; figure: Figure }, unit = 'ms'): void {
  const number = (value: number) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
  const ratio = base ? `  ${(median / base.figure.median).toFixed(3)} × ${base.name}` : '';
  console.log(`  ${name.padEnd(58)} ${number(median).padStart(8)} ${unit}  (${number(least)} to ${number(most)}, ${times} runs)${ratio}`);
}
