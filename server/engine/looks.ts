/** Files that a step's code names: its sources even where it is not seen to open them, by a library in C or by asking whether they exist. */
import { readdirSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileName, isFile } from '../../pipeline/model/name';
import type { RunState } from './state';
import type { Unit } from './units';

/** Files that the unit looks at for certain, as far as its code tells: declared sources, predicted reads, and texts that name a file. */
export function looksAt(state: RunState, unit: Unit, folder: string): string[] {
  const paths = unit.steps.flatMap(({ settings }) => settings.sources ?? []).filter(source => !/^\w[\w+.-]+:\/\//.test(source));
  const declared = paths.flatMap(path => [path, ...inside(folder, path)]);
  const predicted = unit.reads.filter(name => isFile(name) && name !== 'file:*').map(name => name.slice('file:'.length));
  const parameters = unit.parameters.map(name => state.options.parameters[name] ?? null);
  const texts = [...unit.cells, ...unit.prelude].flatMap(({ source }) => source.match(quoted)?.map(text => text.slice(1, -1)) ?? []);
  const named = [...texts, ...parameters].filter(
    (text): text is string =>
      typeof text === 'string' && text.length < 300 && /[./]/.test(text) && !unit.writes.has(fileName(text)) && isOneFile(folder, text),
  );
  return [...new Set([...declared, ...predicted, ...named, ...readAtImport])].sort();
}

/** Read when a library is imported, which may happen before the step has begun. */
const readAtImport = ['matplotlibrc', '~/.config/matplotlib/matplotlibrc'];

const quoted = /'[^'\n]{1,300}'|"[^"\n]{1,300}"/g;

/** More of a declared folder are not looked at. */
const most = 10_000;

/** All that is in a declared folder, folders too, so that what comes and goes is told. */
function inside(folder: string, path: string): string[] {
  const full = resolved(folder, path);
  if (!statSync(full, { throwIfNoEntry: false })?.isDirectory()) return [];
  return readdirSync(full, { recursive: true, encoding: 'utf8' })
    .slice(0, most)
    .map(name => join(path, name));
}

const resolved = (folder: string, path: string): string => (path.startsWith('~/') ? join(homedir(), path.slice(2)) : resolve(folder, path));

function isOneFile(folder: string, text: string): boolean {
  const path = resolved(folder, text);
  try {
    return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
  } catch {
    return false;
  }
}
