/**
 * A run from its start, or its resumption, to its report. The command line and the service both come here; there is no second way of
 * running.
 */
import { availableParallelism, hostname } from 'node:os';
import { dirname } from 'node:path';
import { type Notebook, text } from '../../pipeline/model/notebook';
import type { Pipeline } from '../../pipeline/model/pipeline';
import type { Attempt, Change, RunOptions } from '../../pipeline/model/run';
import type { TaskResult } from '../../pipeline/model/task';
import { newId } from '../store';
import type { AttemptId, Target } from '../targets/target';
import type { Places } from './document';
import { type Listener, Loop, type Parts } from './loop';
import { type PlannedStep, planOfRun } from './plan';
import { RunProblem } from './problem';
import { type RunReport, report } from './report';
import { takeFrom, takeOver } from './reuse';
import { seedsGenerators } from './seeds';
import { createRunState, type Finished, learn, type RunState, replan } from './state';

export { RunProblem } from './problem';
export type { RunReport, StepReport } from './report';

export interface Surroundings extends Omit<Parts, 'target'> {
  /** Where steps run; or how to come by it when it is the run's turn, until which it is queued. */
  target: Target | Turn;
  attemptFolder(id: AttemptId): string;
  listener?: Listener & { /** The run has its rows; from here on it can be resumed. */ created?(run: string): void | Promise<void> };
  /** Cancels: steps are stopped and the run ends as cancelled. A text as its reason is the run's. */
  signal?: AbortSignal;
  /** Leaves the run where it stands, claimed by this process, for the next one to take up. The call then rejects with a `stopping` problem. */
  leave?: AbortSignal;
  /** Who moves the run; default: this process. */
  owner?: string;
  /** Nobody wants the cells' outputs in the report: where they are very long they may be left shortened. */
  withoutOutputs?: boolean;
}

export interface Turn {
  readonly name: string;
  /** Called once. Does not wait when the signal is aborted. */
  turn(signal?: AbortSignal): Promise<Target>;
}

export interface NewRun {
  notebook: Notebook;
  /** Absolute. Its folder is what steps see as theirs. */
  notebookPath: string;
  pipeline: Pipeline;
  options: RunOptions;
  startedBy?: string;
  /** Rejects with a `conflict` when a run has been started with it. `request` is the digest of what was asked. */
  idempotency?: { key: string; request: string };
}

export async function startRun(asked: NewRun, around: Surroundings): Promise<RunReport> {
  const { notebook, notebookPath, pipeline, options } = asked;
  const { store } = around;
  const folder = dirname(notebookPath);
  const id = newId();
  const { state, finished } = await prepare(id, asked, around);
  const { pipelineId, version } = await store.saveVersion({
    name: pipeline.name,
    notebookPath,
    document: pipeline,
    notebook: JSON.stringify(notebook),
  });
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
    startedBy: asked.startedBy,
    idempotencyKey: asked.idempotency?.key,
    request: asked.idempotency?.request,
    claim: { owner: ownerOf(around), seconds: claimSeconds },
  });
  if (sequence === false) throw new RunProblem('conflict', `Another run has been started with the same idempotency key.`);
  return drive({ id, notebook, folder, sequence, state, finished, interrupted: [], first: [] }, around);
}

/** What a run would do, without doing it. Keeps nothing but what it finds out about files. */
export async function planRun(
  asked: NewRun,
  around: Pick<Surroundings, 'store' | 'artifacts' | 'env' | 'now' | 'attemptFolder'>,
): Promise<PlannedStep[]> {
  const { notebook, notebookPath } = asked;
  const { state } = await prepare('plan', asked, around);
  const { store, artifacts, env, now = Date.now } = around;
  return planOfRun(state, notebookPath, { store, artifacts, env, now, places: places('plan', notebook, dirname(notebookPath), around) });
}

/** The state of a run that has not begun, and what is taken over into it. */
async function prepare(
  id: string,
  { notebook, notebookPath, pipeline, options }: NewRun,
  around: Pick<Surroundings, 'store' | 'artifacts' | 'attemptFolder'>,
): Promise<{ state: RunState; finished: Map<string, Finished> }> {
  const { store, artifacts } = around;
  const folder = dirname(notebookPath);
  const state = createRunState(pipeline, options, await seedsGenerators(notebook, folder));
  if (options.reuse) foresee(state, await store.latestPlan(notebookPath));
  restrict(state);
  const from = options.from === undefined ? undefined : unitNamed(state, options.from);
  const finished =
    from === undefined
      ? new Map<string, Finished>()
      : await takeFrom(state, from, notebookPath, places(id, notebook, folder, around), { store, artifacts });
  return { state, finished };
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
  const plan = (loaded.run.plan ?? { learned: {} }) as Plan;
  const state = createRunState(loaded.document, loaded.run.options, await seedsGenerators(notebook, loaded.run.folder), plan.joins);
  for (const [step, names] of Object.entries(plan.learned)) for (const name of names) learn(state, state.unitOf.get(step)!, name);
  restrict(state);
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
  // What is not taken over waits once more.
  const first = loaded.steps.flatMap(({ step, status }): Change[] => {
    const now = state.states[state.unitOf.get(step)!]!.status;
    return now === 'waiting' && status !== 'waiting' ? [{ what: 'step', step, status: 'waiting' }] : [];
  });
  const { folder, sequence } = loaded.run;
  await claim(id, around);
  return drive({ id, notebook, folder, sequence, state, finished, interrupted, first }, around);
}

/** A run that is claimed by this process. */
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
  /** What is to be said before anything else. */
  first: Change[];
}

async function drive(driven: Driven, around: Surroundings): Promise<RunReport> {
  const { id, notebook, folder, state, finished, interrupted } = driven;
  const { store, artifacts, listener, signal, leave } = around;
  const renewal = renew(id, around);
  let left = false;
  try {
    await listener?.created?.(id);
    let { sequence, first } = driven;
    if (first.length > 0 && 'turn' in around.target) {
      const events = await store.commit(id, sequence, [{ what: 'run', status: 'queued' }, ...first]);
      if (!events) throw new RunProblem('conflict', `Run ${id} is moved by another process.`);
      sequence += events.length;
      first = [];
      listener?.events?.(events);
    }
    const target = await turnOf(around);
    left = target === undefined;
    if (!target) throw leftRun(id);
    const reused = state.units.flatMap((unit): Change[] => {
      const { status, given } = state.states[unit.index]!;
      if (status !== 'reused') return [];
      const { result, key } = finished.get(unit.name) ?? {};
      const reason = key?.from && `as in run ${key.from.run}`;
      return unit.steps.map(({ name }) => ({ what: 'step', step: name, status, reason, result, given, key }));
    });
    const beyond = state.units.flatMap(({ index, steps }): Change[] =>
      state.states[index]!.status === 'skipped'
        ? steps.map(({ name }) => ({
            what: 'step',
            step: name,
            status: 'skipped',
            reason: `below "${state.options.to}", where the run was to end`,
          }))
        : [],
    );
    const loop = new Loop({
      state,
      sequence,
      first: [{ what: 'run', status: 'running' }, ...first, ...reused, ...beyond],
      finished,
      parts: { ...around, target },
      places: places(id, notebook, folder, around),
      limits: { workers: state.options.workers ?? target.room ?? availableParallelism() },
      listener,
    });
    await loop.run(interrupted, signal, leave);
    left = loop.left && state.status === 'running';
    if (left) throw leftRun(id);
    if (!around.withoutOutputs) await fillIn(loop.finished, artifacts);
    return report(id, state, loop.finished, loop.reason);
  } finally {
    clearInterval(renewal);
    if (!left) await store.releaseRun(id, ownerOf(around)).catch(() => {});
  }
}

interface Plan {
  joins?: [string, string][];
  learned: Record<string, string[]>;
}

/** Reads that an earlier run of the notebook has learnt are read from the start; where the code has changed since they do no harm. */
function foresee(state: RunState, plan: unknown): void {
  let found = false;
  for (const [step, names] of Object.entries((plan as Plan | undefined)?.learned ?? {})) {
    const unit = state.unitOf.get(step);
    if (unit === undefined) continue;
    for (const name of names) learn(state, unit, name);
    found = true;
  }
  if (found) replan(state);
}

/** Leaves out what is below the last step that is asked for. */
function restrict(state: RunState): void {
  const { from, to } = state.options;
  const first = from === undefined ? undefined : unitNamed(state, from);
  const last = to === undefined ? undefined : unitNamed(state, to);
  if (first !== undefined && last !== undefined && last < first)
    throw new RunProblem('invalid', `The run would end with "${to}", which is above "${from}", where it is to start.`);
  for (const { index } of state.units) {
    if (last !== undefined && index > last) Object.assign(state.states[index]!, { status: 'skipped', settled: true, broken: true });
  }
}

function unitNamed(state: RunState, step: string): number {
  const unit = state.unitOf.get(step);
  if (unit !== undefined) return unit;
  throw new RunProblem(
    'invalid',
    `There is no step "${step}". The steps are ${state.pipeline.steps.map(({ name }) => `"${name}"`).join(', ')}.`,
  );
}

const leftRun = (id: string) =>
  new RunProblem('stopping', `Stepwell was stopped while run ${id} was not over; it goes on when Stepwell is started again.`);

/** Undefined when the run was left before its turn. */
async function turnOf({ target, signal, leave }: Surroundings): Promise<Target | undefined> {
  if (!('turn' in target)) return target;
  const left = new Promise<undefined>(resolve => {
    if (leave?.aborted) resolve(undefined);
    leave?.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  return Promise.race([left, target.turn(signal)]);
}

/** Gives shortened results the outputs that the blob has. */
async function fillIn(finished: Map<string, Finished>, artifacts: Parts['artifacts']): Promise<void> {
  for (const one of finished.values()) {
    if (!one.shortened) continue;
    const result: TaskResult = JSON.parse((await artifacts.read(one.result!)).toString());
    one.cells = result.cells;
  }
}

function places(run: string, notebook: Notebook, folder: string, around: Pick<Surroundings, 'artifacts' | 'attemptFolder'>): Places {
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

/** The name of this process as one that moves runs. What comes after the number says what it is. */
export const ownerName = (kind = '') => `${hostname()}:${process.pid}${kind && `:${kind}`}`;

const ownerOf = ({ owner = ownerName() }: Surroundings) => owner;

/** Makes this process the only one that moves the run. */
async function claim(id: string, around: Surroundings): Promise<void> {
  const { store } = around;
  const owner = ownerOf(around);
  const other = (await store.findRun(id))?.owner;
  if (other && other !== owner && isDead(other)) await store.releaseRun(id, other);
  if (!(await store.claimRun(id, owner, claimSeconds))) {
    throw new RunProblem(
      'conflict',
      `Run ${id} is being moved by another process (${other ?? 'just started'}). Stop that one first, or wait ${claimSeconds} s after it died.`,
    );
  }
}

/** Keeps the claim until it is told not to. */
function renew(id: string, around: Surroundings): NodeJS.Timeout {
  const claimAgain = () => void around.store.claimRun(id, ownerOf(around), claimSeconds).catch(() => {});
  return setInterval(claimAgain, (claimSeconds * 1000) / 4).unref();
}

/** Whether an owner was a process of this machine that is gone. */
export function isDead(owner: string): boolean {
  const [host, pid] = owner.split(':');
  if (host !== hostname() || !pid) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
