/** A Python that gets ready to run a notebook's steps. Loads nothing but what it takes to start it. */
import { dirname } from 'node:path';
import type { Notebook } from '../../pipeline/model/notebook';
import type { Config } from '../config';
import { packages, root, runnerPath } from '../installation';
import { createLocalTarget, type LocalTarget, TargetProblem } from '../targets/local';
import { needsOf } from '../targets/local/needs';
import { Fault } from './fault';
import type { NotebookFile } from './notebook';

export interface Warmed {
  target: LocalTarget;
  python: string;
  /** It starts when something has to run. */
  lazy: boolean;
}

/** Starts it, or only gets ready to when `lazy`; gives nothing for a file that is no notebook, since the compiler will say why it is none. */
export function warm(file: NotebookFile, named: string | undefined, config: Config, lazy = false): Warmed | undefined {
  let notebook: Notebook;
  try {
    notebook = JSON.parse(file.text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(notebook?.cells)) return undefined;
  return warmFor(notebook, dirname(file.path), named, config, lazy);
}

/** The same for a notebook that is known to be one. `folder` is where it lies. */
export function warmFor(notebook: Notebook, folder: string, named: string | undefined, config: Config, lazy = false): Warmed {
  const { python, modules } = needed(notebook, folder, named);
  return { target: createLocalTarget({ python, runnerPath, packages, home: config.home, modules, folder, lazy }), python, lazy };
}

/** A Python that was named and is not there is an option that is not in order. */
function needed(notebook: Notebook, folder: string, named: string | undefined): ReturnType<typeof needsOf> {
  try {
    return needsOf(notebook, folder, { named, root });
  } catch (error) {
    if (named !== undefined && error instanceof TargetProblem) throw new Fault(error.message);
    throw error;
  }
}
