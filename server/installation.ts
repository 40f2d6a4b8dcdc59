/** This installation: its folder and its version. The compiled files lie in `lib/server`, their sources in `server`. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const root = findRoot(__dirname);

export const version: string = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version;

/** The folder of the Python package `stepwell`. */
export const runnerPath = join(root, 'runner');

/** Packages that the runner brings for a Python that lacks them; made by the set-up. */
export const packages = join(root, 'build', 'packages');

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error('package.json of Stepwell was not found');
  return findRoot(above);
}
