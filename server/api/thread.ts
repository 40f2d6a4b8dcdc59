/**
 * The work that takes long, on a thread of its own: compiling a notebook, and reading the results of steps, which hold all that their cells printed.
 * The loop that answers requests and sends events never does either.
 */
import { parentPort } from 'node:worker_threads';
import { createCompiler } from '../../pipeline/compile';
import type { Digest, Value } from '../../pipeline/model/artifact';
import type { Notebook } from '../../pipeline/model/notebook';
import type { Literal } from '../../pipeline/model/parameter';
import type { Pipeline } from '../../pipeline/model/pipeline';
import type { ArtifactView, CompileAnswer, MetricView } from '../../pipeline/model/protocol';
import type { TaskResult } from '../../pipeline/model/task';
import { openArtifacts } from '../artifacts';
import { executedNotebook, notebookText, parseNotebook } from '../engine/executed';
import { countedThrough } from '../engine/numbering';

/** The result of one unit, in notebook order. */
export interface UnitResult {
  unit: string;
  attempt: number;
  result: Digest;
}

export interface ExecutedJob {
  /** The notebook as it was, as text. */
  notebook: string;
  document: Pipeline;
  parameters: Record<string, Literal>;
  units: UnitResult[];
}

/** What can be asked of the thread, with what it answers. */
export interface Jobs {
  compile: { asked: { notebook: Notebook; name?: string }; answer: CompileAnswer };
  /** The notebook with the outputs of the run, as text. */
  executed: { asked: ExecutedJob; answer: Uint8Array };
  results: { asked: { units: UnitResult[] }; answer: { artifacts: ArtifactView[]; metrics: MetricView[] } };
}

export interface Message {
  id: number;
  job: keyof Jobs;
  asked: Jobs[keyof Jobs]['asked'];
  artifacts: string;
}

const compiler = createCompiler();

const work: { [J in keyof Jobs]: (asked: Jobs[J]['asked'], artifacts: string) => Promise<Jobs[J]['answer']> | Jobs[J]['answer'] } = {
  compile: ({ notebook, name }) => compiler.compile(notebook, { name }),

  async executed({ notebook, document, parameters, units }, folder) {
    const { sharedCells, parameterCells, steps } = document;
    const ran = [...sharedCells, ...parameterCells, ...steps.flatMap(({ cells }) => cells)].map(({ cell }) => cell);
    const types = Object.fromEntries(document.parameters.map(({ name, type }) => [name, type]));
    const cells = countedThrough((await readAll(units, folder)).map(({ result }) => result.cells));
    return Buffer.from(notebookText(executedNotebook(parseNotebook(notebook), { cells, ran, parameters, types })));
  },

  async results({ units }, folder) {
    const all = await readAll(units, folder);
    return {
      artifacts: all.flatMap(({ unit, attempt, result }) =>
        Object.entries(result.provided)
          .filter((one): one is [string, Extract<Value, { digest: Digest }>] => 'digest' in one[1])
          .map(([name, { digest, size, type, preview }]) => ({ step: unit, attempt, name, digest, size, type, preview })),
      ),
      metrics: all.flatMap(({ unit, result }) => result.metrics.map(({ name, value, step: at }) => ({ step: unit, name, value, at }))),
    };
  },
};

/** A result that is not kept any more leaves its cells empty. */
async function readAll(units: UnitResult[], folder: string): Promise<{ unit: string; attempt: number; result: TaskResult }[]> {
  const artifacts = openArtifacts(folder);
  const all: { unit: string; attempt: number; result: TaskResult }[] = [];
  for (const { unit, attempt, result } of units) {
    const bytes = await artifacts.read(result).catch(() => undefined);
    if (bytes) all.push({ unit, attempt, result: JSON.parse(bytes.toString()) });
  }
  return all;
}

parentPort?.on('message', async ({ id, job, asked, artifacts }: Message) => {
  try {
    const answer = await (work[job] as (asked: unknown, artifacts: string) => unknown)(asked, artifacts);
    parentPort!.postMessage({ id, answer });
  } catch (error) {
    parentPort!.postMessage({ id, error });
  }
});
