/** Results of earlier attempts as the state of a unit: taken over by a resumed run, or by one that starts "from" a step. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Attempt, StepRun } from '../../pipeline/model/run';
import type { TaskResult } from '../../pipeline/model/task';
import type { Artifacts } from '../artifacts';
import type { Store } from '../store';
import { readShortened } from '../targets/shorten';
import type { AttemptId } from '../targets/target';
import { RunProblem } from './problem';
import { type Finished, type Given, isLost, type RunState } from './state';
import type { Unit } from './units';

/** Digest of the code that a unit runs and the parameters it reads: what has to be equal, besides what it is given, for a result to count again. */
export function codeKey(state: RunState, unit: Unit): string {
  const { pipeline, options } = state;
  const code = [...pipeline.sharedCells, ...pipeline.parameterCells, ...unit.cells].map(cell => cell.source);
  const prelude = unit.prelude.map(definition => definition.source);
  const parameters = unit.parameters.map(name => [name, options.parameters[name] ?? null]);
  return createHash('sha256')
    .update(JSON.stringify([code, prelude, parameters]))
    .digest('hex');
}

export interface Earlier {
  row: StepRun;
  /** The attempt that gave the result; absent when that was in another run. */
  attempt: Attempt | undefined;
  /** Where that attempt wrote its `result.json`. */
  folder: string | undefined;
}

/** Gives the unit an earlier result, if all that it wrote is still there. */
export async function takeOver(
  state: RunState,
  unit: Unit,
  status: 'succeeded' | 'reused',
  { row, attempt, folder }: Earlier,
  artifacts: Artifacts,
): Promise<Finished | undefined> {
  const found = (await readShortened<TaskResult>(artifacts.path(row.result!))) ?? (await told(attempt, folder, artifacts));
  const result = found?.value;
  if (result?.status !== 'succeeded') return undefined;
  const needed = Object.values(result.provided).flatMap(value => ('digest' in value && !isLost(value) ? [value.digest] : []));
  const there = await Promise.all(needed.map(digest => artifacts.reaches(digest)));
  if (there.includes(false)) return undefined;
  Object.assign(state.states[unit.index]!, {
    status,
    given: row.given as Given,
    outcome: { status: 'succeeded', provided: result.provided, used: result.used, defined: new Set(result.defined) },
  });
  return {
    cells: result.cells,
    ...(found!.left > 0 ? { shortened: true } : {}),
    result: row.result,
    overhead: attempt?.overhead,
    peakMemory: result.peakMemory,
    cpuSeconds: result.cpuSeconds,
  };
}

/** A process that was killed just after a step had finished may not have kept the result as a blob; the runner's own file is there since before that. */
async function told(
  attempt: Attempt | undefined,
  folder: string | undefined,
  artifacts: Artifacts,
): Promise<{ value: TaskResult; left: number } | undefined> {
  if (!attempt?.token || !folder) return undefined;
  const file = join(folder, 'result.json');
  const found = await readShortened<TaskResult>(file);
  if (found?.value.token !== attempt.token) return undefined;
  if (found.left > 0) await artifacts.put(createReadStream(file), { durable: false });
  else await artifacts.put(JSON.stringify(found.value), { durable: false });
  return found;
}

/** For a run that starts from a step: the units above it with their results from the latest run of the notebook, where their code is the same. */
export async function takeFrom(
  state: RunState,
  from: string,
  notebookPath: string,
  store: Store,
  artifacts: Artifacts,
  attemptFolder: (id: AttemptId) => string,
): Promise<Map<string, Finished>> {
  const start = state.unitOf.get(from);
  if (start === undefined) {
    throw new RunProblem(
      'invalid',
      `There is no step "${from}" to start from. The steps are ${state.units.map(unit => `"${unit.name}"`).join(', ')}.`,
    );
  }
  const latest = (await store.listRuns({ notebookPath, limit: 20 })).find(run => run.status !== 'queued');
  const loaded = latest && (await store.loadRun(latest.id));
  const finished = new Map<string, Finished>();
  for (const unit of state.units.slice(0, start)) {
    const row = loaded?.steps.find(({ step }) => step === unit.steps[0]!.name);
    if (!row?.result || !row.given || (row.status !== 'succeeded' && row.status !== 'reused') || row.reuseKey !== codeKey(state, unit))
      continue;
    const attempt = loaded!.attempts.find(({ result }) => result === row.result);
    const folder = attempt && attemptFolder({ run: latest!.id, step: attempt.step, attempt: attempt.attempt });
    const done = await takeOver(state, unit, 'reused', { row, attempt, folder }, artifacts);
    if (done) finished.set(unit.name, done);
  }
  return finished;
}
