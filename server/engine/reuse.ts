/** Results of earlier attempts as the state of a unit: taken over by a resumed run, or by one that starts "from" a step. */
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../pipeline/model/artifact';
import type { StepKey } from '../../pipeline/model/reuse';
import type { Attempt, StepRun } from '../../pipeline/model/run';
import type { TaskResult } from '../../pipeline/model/task';
import type { Artifacts } from '../artifacts';
import type { EarlierStep, Store } from '../store';
import { readShortened } from '../targets/shorten';
import type { Places } from './document';
import { codeDigest, type KeyPlaces, keyParts } from './key';
import { placed } from './place';
import { type Finished, type Given, isLost, type RunState } from './state';
import type { Unit } from './units';

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

/** Step runs of one step that are looked through for a result of the same code. */
const recent = 20;

/**
 * For a run that starts from a step: the units above it with their latest results, where their code is the same. What they had read from
 * this machine may have changed since: whoever starts in the middle wants what is above as it was.
 */
export async function takeFrom(
  state: RunState,
  start: number,
  notebookPath: string,
  places: Places,
  { store, artifacts }: { store: Store; artifacts: Artifacts },
): Promise<Map<string, Finished>> {
  const finished = new Map<string, Finished>();
  for (const unit of state.units.slice(0, start)) {
    const rows = await store.earlierSteps({ notebookPath, step: unit.steps[0]!.name, limit: recent });
    const row = rows.find(one => isSame(state, unit, one, places));
    const done = row && (await takeOver(state, unit, 'reused', { row, attempt: undefined, folder: undefined }, artifacts));
    const cells = done && placed(done.cells, row.key.used ?? { text: '', counts: [] }, state, unit, places);
    if (cells) finished.set(unit.name, { ...done, cells, key: taken(row) });
    else if (done) Object.assign(state.states[unit.index]!, { status: 'waiting', given: undefined, outcome: undefined });
  }
  return finished;
}

function isSame(state: RunState, unit: Unit, row: EarlierStep, places: KeyPlaces): boolean {
  if (!row.result || !row.given || (row.status !== 'succeeded' && row.status !== 'reused') || (row.unit ?? row.step) !== unit.name)
    return false;
  return codeDigest(row.key.parts) === codeDigest(keyParts(state, unit, row.given as Given, places).parts);
}

const taken = ({ run, step, ended, key: { parts, used, from, outputs } }: EarlierStep): StepKey => ({
  parts,
  from: from ?? { run, step, made: used?.made ?? ended ?? '' },
  outputs: outputs ?? (Object.keys(used?.blobs ?? {}) as Digest[]),
});
