/**
 * Does anything in the notebook, or in the modules beside it, seed a random generator? If not, what it draws differs from run to run
 * anyway, there is no order to keep, and steps that draw may run side by side.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Notebook, text } from '../../pipeline/model/notebook';

const seeding = /seed|set_?state|set_rng/i;
const mostFiles = 200;
const mostBytes = 1_000_000;

export async function seedsGenerators(notebook: Notebook, folder: string): Promise<boolean> {
  if (notebook.cells.some(cell => cell.cell_type === 'code' && seeding.test(text(cell.source)))) return true;
  const modules = (await readdir(folder).catch(() => [])).filter(name => name.endsWith('.py')).slice(0, mostFiles);
  for (const name of modules) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (!found?.isFile() || found.size > mostBytes) continue;
    if (seeding.test(await readFile(path, 'utf8').catch(() => ''))) return true;
  }
  return false;
}
