/**
 * A run from its start, or its resumption, to its report. The command line and the service both come here; there is no second way of
 * running.
 */
import { availableParallelism, hostname } from 'node:os';
import { dirname } from 'node:path';
import { type Notebook, text } from '../../pipeline/model/notebook';
import type { Pipeline } from '../../pipeline/model/pipeline';
import type { Attempt, Change, RunOptions } from '../../pipeline/model/run';
import { newId } from '../store';
import type { AttemptId } from '../targets/target';
import type { Places } from './document';
import { type Listener, Loop, type Parts } from './loop';
import { RunProblem } from './problem';
import { type RunReport, report } from './report';
import { codeKey, takeFrom, takeOver } from './reuse';
import { seedsGenerators } from './seeds';
import { createRunState, type Finished, learn, type RunState, replan } from './state';

export { RunProblem } from './problem';
export type { RunReport, StepReport } from './report';

export interface Surroundings extends Parts {
  attemptFolder(id: AttemptId): string;
  listener?: Listener & { /** The run has its rows; from here on it can be resumed. */ created?(run: string): void };
  /** Cancels: steps are stopped and the run ends as cancelled. */
  signal?: AbortSignal;
}

export interface NewRun {
  notebook: Notebook;
  /** Absolute. Its folder is what steps see as theirs. */
  notebookPath: string;
  pipeline: Pipeline;
  options: RunOptions;
}

export async function startRun({ notebook, notebookPath, pipeline, options }: NewRun, around: Surroundings): Promise<RunReport> {
  const { store, artifacts } = around;
  const folder = dirname(notebookPath);
  const state = createRunState(pipeline, options, await seedsGenerators(notebook, folder));
  const finished =
    options.from === undefined
      ? new Map<string, Finished>()
      : await takeFrom(state, options.from, notebookPath, store, artifacts, around.attemptFolder);
  const { pipelineId, version } = await store.saveVersion({
    name: pipeline.name,
    notebookPath,
    document: pipeline,
    notebook: JSON.stringify(notebook),
  });
  const id = newId();
  const steps = pipeline.steps.map(step => step.name);
  const target = around.target.name;
  const sequence = await store.createRun({
    id,
    pipeline: pipelineId,
    version,
    experiment: options.experiment,
    options,
    folder,
    notebookPath,
    target,
    steps,
  });
  if (sequence === false) throw new RunProblem('conflict', `Another run has been started with the same idempotency key.`);
  return drive({ id, notebook, folder, sequence, state, finished, interrupted: [] }, around);
}

/** Goes on with a run whose process died, or that failed or was cancelled. What has finished is not done again. */
export async function resumeRun(id: string, around: Surroundings): Promise<RunReport> {
  const loaded = await around.store.loadRun(id);
  if (!loaded) throw new RunProblem('not-found', `There is no run "${id}". \`stepwell runs\` lists them.`);
  if (loaded.run.status === 'succeeded') throw new RunProblem('wrong-state', `Run ${id} has succeeded; there is nothing left to resume.`);
  const version = await around.store.loadVersion(loaded.run.pipeline, loaded.run.version);
  if (!version?.notebook)
    throw new RunProblem('wrong-state', `The notebook of run ${id} was not kept, so the run cannot be resumed; start a new one.`);
  const notebook: Notebook = JSON.parse(version.notebook);
  const plan = (loaded.run.plan ?? { learned: {} }) as { joins?: [string, string][]; learned: Record<string, string[]> };
  const state = createRunState(loaded.document, loaded.run.options, await seedsGenerators(notebook, loaded.run.folder), plan.joins);
  for (const [step, names] of Object.entries(plan.learned)) for (const name of names) learn(state, state.unitOf.get(step)!, name);
  const finished = new Map<string, Finished>();
  const interrupted = loaded.attempts.filter(attempt => attempt.status === 'running');
  for (const unit of state.units) {
    const one = state.states[unit.index]!;
    const rows = loaded.steps.filter(row => unit.steps.some(step => step.name === row.step));
    one.attempt = Math.max(0, ...rows.map(row => row.attempts));
    const row = rows[0];
    if (!row?.given || (row.unit ?? row.step) !== unit.name) continue;
    if (row.result && (row.status === 'succeeded' || row.status === 'reused')) {
      const attempt = loaded.attempts.find(({ result }) => result === row.result);
      const folder = attempt && around.attemptFolder({ run: id, step: attempt.step, attempt: attempt.attempt });
      const done = await takeOver(state, unit, row.status, { row, attempt, folder }, around.artifacts);
      if (done) finished.set(unit.name, done);
    } else if (row.status === 'running' && interrupted.some(({ step, attempt }) => step === unit.name && attempt === one.attempt)) {
      Object.assign(one, { status: 'running', given: row.given });
    }
  }
  replan(state);
  return drive({ id, notebook, folder: loaded.run.folder, sequence: loaded.run.sequence, state, finished, interrupted }, around);
}

interface Driven {
  id: string;
  notebook: Notebook;
  folder: string;
  sequence: number;
  state: RunState;
  /** Results taken over from earlier. */
  finished: Map<string, Finished>;
  /** Attempts that were running when an earlier process died. */
  interrupted: Attempt[];
}

async function drive({ id, notebook, folder, sequence, state, finished, interrupted }: Driven, around: Surroundings): Promise<RunReport> {
  const release = await claim(id, around);
  try {
    around.listener?.created?.(id);
    const first: Change[] = [{ what: 'run', status: 'running' }];
    for (const unit of state.units) {
      const one = state.states[unit.index]!;
      if (one.status !== 'reused') continue;
      const result = finished.get(unit.name)?.result;
      for (const step of unit.steps)
        first.push({ what: 'step', step: step.name, status: 'reused', result, given: one.given, reuseKey: codeKey(state, unit) });
    }
    const loop = new Loop({
      state,
      sequence,
      first,
      finished,
      parts: around,
      places: places(id, notebook, folder, around),
      limits: { workers: state.options.workers ?? availableParallelism() },
      listener: around.listener,
    });
    await loop.run(interrupted, around.signal);
    return report(id, state, loop.finished, loop.reason);
  } finally {
    await release();
  }
}

function places(run: string, notebook: Notebook, folder: string, around: Surroundings): Places {
  const counts = new Map<number, number>();
  const raising = new Set<number>();
  for (const [index, cell] of notebook.cells.entries()) {
    if (cell.cell_type !== 'code' || text(cell.source).trim() === '') continue;
    const tags = cell.metadata?.tags ?? [];
    if (tags.includes('skip') || tags.includes('skip-execution')) continue;
    counts.set(index, counts.size + 1);
    if (tags.includes('raises-exception')) raising.add(index);
  }
  return {
    run,
    folder,
    artifacts: around.artifacts.folder,
    attemptFolder: (step, attempt) => around.attemptFolder({ run, step, attempt }),
    source: cell => text(notebook.cells[cell]?.source ?? ''),
    executionCount: cell => counts.get(cell) ?? 0,
    mayRaise: cell => raising.has(cell),
  };
}

/** Seconds that a claim holds without being renewed: how long a run stays shut after the one who moved it died on another machine. */
const claimSeconds = 10;

/** Makes this process the only one that moves the run. Gives back how to end that. */
async function claim(id: string, { store }: Parts): Promise<() => Promise<void>> {
  const owner = `${hostname()}:${process.pid}`;
  const { owner: other } = (await store.loadRun(id))!.run;
  if (other && other !== owner && isDead(other)) await store.releaseRun(id, other);
  if (!(await store.claimRun(id, owner, claimSeconds))) {
    throw new RunProblem(
      'conflict',
      `Run ${id} is being moved by another process (${other ?? 'just started'}). Stop that one first, or wait ${claimSeconds} s after it died.`,
    );
  }
  const renewal = setInterval(() => void store.claimRun(id, owner, claimSeconds).catch(() => {}), (claimSeconds * 1000) / 4);
  renewal.unref();
  return async () => {
    clearInterval(renewal);
    await store.releaseRun(id, owner).catch(() => {});
  };
}

/** Whether an owner was a process of this machine that is gone. */
function isDead(owner: string): boolean {
  const [host, pid] = owner.split(':');
  if (host !== hostname() || !pid) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
