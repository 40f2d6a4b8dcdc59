/** A Python that gets ready to run a notebook's steps. Loads nothing but what it takes to start it. */
import { dirname } from 'node:path';
import type { Notebook } from '../../pipeline/model/notebook';
import type { TaskDocument } from '../../pipeline/model/task';
import type { Config } from '../config';
import { packages, root, runnerPath } from '../installation';
import { createLocalTarget, TargetProblem } from '../targets/local';
import { needsOf } from '../targets/local/needs';
import { podsOfARun, Routed, targetName } from '../targets/routed';
import type { Target } from '../targets/target';
import { Fault } from './fault';
import type { NotebookFile } from './notebook';

export interface Warmed {
  target: Target;
  /** Absent where steps bring their own. */
  python?: string;
  /** Resolves when steps can run here; rejects with a `TargetProblem` when they cannot. */
  ready(): Promise<unknown>;
  /** It gets ready when something has to run, and not before. */
  lazy: boolean;
}

/** Starts it, or only gets ready to when `lazy`; gives nothing for a file that is no notebook, since the compiler will say why it is none. */
export function warm(file: NotebookFile, named: string | undefined, config: Config, place?: string, lazy = false): Warmed | undefined {
  let notebook: Notebook;
  try {
    notebook = JSON.parse(file.text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(notebook?.cells)) return undefined;
  return warmFor(notebook, dirname(file.path), named, config, place, lazy);
}

/** The same for a notebook that is known to be one. `folder` is where it lies, `place` the target of steps that name none. */
export function warmFor(
  notebook: Notebook,
  folder: string,
  named: string | undefined,
  config: Config,
  place = 'local',
  lazy = false,
): Warmed {
  const name = usual(place);
  const makeLocal = () => {
    const { python, modules } = needed(notebook, folder, named);
    return { python, target: createLocalTarget({ python, runnerPath, packages, home: config.home, modules, folder, lazy }) };
  };
  const makeKubernetes = () => {
    const { openKubernetes } = require('../engine/elsewhere') as typeof import('../engine/elsewhere');
    const { openArtifacts } = require('../artifacts') as typeof import('../artifacts');
    return openKubernetes({ home: config.home, artifacts: openArtifacts(config.artifacts, config.bucket), bucket: config.bucket });
  };
  const before = async (where: string, task: TaskDocument) => {
    if (where !== 'local' || !config.bucket) return;
    const { bringInputs } = require('../engine/elsewhere') as typeof import('../engine/elsewhere');
    const { openArtifacts } = require('../artifacts') as typeof import('../artifacts');
    await bringInputs(task, openArtifacts(config.artifacts, config.bucket));
  };
  if (name !== 'local') {
    const target = new Routed(name, { local: () => makeLocal().target, kubernetes: makeKubernetes }, podsOfARun, before);
    return { target, ready: () => target.prepare(), lazy: false };
  }
  const local = makeLocal();
  const target = new Routed(name, { local: () => local.target, kubernetes: makeKubernetes }, undefined, before);
  target.prepare().catch(() => {});
  return { target, python: local.python, ready: () => local.target.warm(), lazy };
}

function usual(place: string): string {
  try {
    return targetName(place);
  } catch (error) {
    throw new Fault((error as Error).message);
  }
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
