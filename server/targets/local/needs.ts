/** What a notebook needs of Python before any of it runs: an interpreter, and modules to have ready. */
import type { Notebook } from '../../../pipeline/model/notebook';
import { choosePython, type Wishes } from './interpreter';
import { modulesToWarm } from './modules';

/** Throws a `TargetProblem` when there is no Python for it. `folder` is the notebook's. */
export function needsOf(notebook: Notebook, folder: string, wishes: Omit<Wishes, 'kernel'>): { python: string; modules: string[] } {
  const { python } = choosePython({ ...wishes, kernel: notebook.metadata?.kernelspec?.name });
  const sources = notebook.cells.filter(cell => cell?.cell_type === 'code').map(({ source }) => [source ?? ''].flat().join(''));
  return { python, modules: modulesToWarm(sources, folder) };
}
