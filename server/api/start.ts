/** From a request to a run: where the notebook lies, what it compiles to, and whether what was given for its parameters fits. */
import { basename } from 'node:path';
import { checkParameters } from '../../pipeline/compile';
import type { Notebook } from '../../pipeline/model/notebook';
import type { Pipeline } from '../../pipeline/model/pipeline';
import type { Problem } from '../../pipeline/model/problem';
import type { StartRunRequest } from '../../pipeline/model/protocol';
import type { RunToStart } from '../engine/runs';
import { targetName } from '../targets/routed';
import { ApiError } from './errors';
import type { Service } from './service';

const wrong = (path: string, message: string) => new ApiError('invalid-body', message, { errors: [{ path, message }] });

/** What the engine is asked to run. Throws what to answer when it cannot be run as it is. */
export async function readStart(
  request: StartRunRequest,
  { paths, background }: Service,
): Promise<Omit<RunToStart, 'by' | 'idempotencyKey'>> {
  const { path, notebook, parameters = {}, experiment, only, reuse = true, keepGoing = false, workers, target = 'local' } = request;
  const { from = only, to = only } = request;
  const notebookPath = paths.notebook(path);
  checkTarget(target);
  for (const [name, value] of Object.entries(parameters))
    if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
      throw wrong(
        `/parameters/${name}`,
        `The number given for "${name}" is too large to be carried exactly by JSON; set it in the notebook.`,
      );
  const name = basename(notebookPath).replace(/\.ipynb$/, '');
  const { pipeline, problems } = await background.ask('compile', { notebook: forCompiler(notebook), name });
  const given = pipeline ? checkParameters(pipeline.parameters, parameters) : { values: {}, problems: [] };
  const all = [...problems, ...given.problems];
  if (!pipeline || all.some(isError)) {
    const errors = all.filter(isError);
    throw new ApiError('notebook-has-problems', errors[0]?.message ?? 'The notebook has nothing to run.', { problems: all });
  }
  if (only !== undefined && (request.from !== undefined || request.to !== undefined))
    throw wrong('/only', 'Give `only`, or `from` and `to`: one step alone has no beginning and end.');
  checkSteps(pipeline, request);
  return {
    notebook: withoutOutputs(notebook, pipeline),
    notebookPath,
    pipeline,
    options: { parameters: given.values, experiment, from, to, reuse, keepGoing, workers, target },
  };
}

/** Throws for a step that is named and not there, and for an end that is above the beginning. */
function checkSteps({ steps }: Pipeline, request: StartRunRequest): void {
  const place = (key: 'from' | 'to' | 'only') => {
    const at = steps.findIndex(({ name }) => name === request[key]);
    if (request[key] === undefined || at >= 0) return at;
    throw wrong(`/${key}`, `There is no step "${request[key]}"; the steps are ${steps.map(({ name }) => `"${name}"`).join(', ')}.`);
  };
  place('only');
  const [first, last] = [place('from'), place('to')];
  if (first >= 0 && last >= 0 && last < first)
    throw wrong('/to', `Step "${request.to}" is above "${request.from}", where the run is to start.`);
}

function checkTarget(target: string): void {
  try {
    targetName(target);
  } catch (error) {
    throw wrong('/target', (error as Error).message);
  }
}

/**
 * What the cells that are going to run printed some other time is no part of what runs: it would be replaced by this run's outputs, make another
 * version each time, and be carried, some fifty megabytes of it, wherever the notebook goes. Other cells keep theirs.
 */
function withoutOutputs(notebook: Notebook, { parameterCells, sharedCells, steps }: Pipeline): Notebook {
  const runs = new Set([...parameterCells, ...sharedCells, ...steps.flatMap(({ cells }) => cells)].map(({ cell }) => cell));
  const cells = notebook.cells.map((cell, index) => (runs.has(index) ? { ...cell, outputs: [], execution_count: null } : cell));
  return { ...notebook, cells };
}

/** The compiler reads no outputs, so they need not be copied to its thread. */
export const forCompiler = (notebook: Notebook): Notebook => ({
  ...notebook,
  cells: notebook.cells.map(({ outputs: _, ...cell }) => cell),
});

const isError = ({ severity }: Problem): boolean => severity === 'error';
