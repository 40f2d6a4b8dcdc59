/** A Python that gets ready to run a notebook's steps. Loads nothing but what it takes to start it. */
import { dirname } from 'node:path';
import type { Notebook } from '../../pipeline/model/notebook';
import type { Config } from '../config';
import { createLocalTarget, type LocalTarget } from '../targets/local';
import { modulesToWarm } from './modules';
import type { NotebookFile } from './notebook';
import { choosePython } from './python';
import { packages, root, runnerPath } from './version';

export interface Warmed {
  target: LocalTarget;
  python: string;
}

/** Starts it; gives nothing for a file that is no notebook, since the compiler will say why it is none. */
export function warm(file: NotebookFile, named: string | undefined, config: Config): Warmed | undefined {
  let notebook: Notebook;
  try {
    notebook = JSON.parse(file.text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(notebook?.cells)) return undefined;
  return warmFor(notebook, dirname(file.path), named, config);
}

/** The same for a notebook that is known to be one. `folder` is where it lies. */
export function warmFor(notebook: Notebook, folder: string, named: string | undefined, config: Config): Warmed {
  const { python } = choosePython({ named, kernel: notebook.metadata?.kernelspec?.name, root });
  const sources = notebook.cells.filter(cell => cell?.cell_type === 'code').map(({ source }) => [source ?? ''].flat().join(''));
  return {
    target: createLocalTarget({ python, runnerPath, packages, home: config.home, modules: modulesToWarm(sources, folder), folder }),
    python,
  };
}
