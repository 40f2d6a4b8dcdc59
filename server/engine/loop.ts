/**
 * The thin loop around `advance`: takes in what targets say, asks what happens next, writes it to the store in one transaction, and only
 * then does it. A crash between writing and doing is mended on resume, since an attempt is known by (run, step, attempt) alone.
 */

import type { Digest } from '../../pipeline/model/artifact';
import type { TaskError } from '../../pipeline/model/failure';
import type { Attempt, Change, MadeArtifact, Overhead, RunEvent } from '../../pipeline/model/run';
import { type TaskDocument, type TaskEvent, type TaskResult, taskFormat } from '../../pipeline/model/task';
import { type Artifacts, digestOf } from '../artifacts';
import type { Store } from '../store';
import { TargetProblem } from '../targets/problem';
import type { AttemptId, Target, TargetEvent } from '../targets/target';
import { advance, type Decision, ended, type Limits, wakeAt } from './advance';
import { type Places, taskDocument } from './document';
import { LiveOutputs } from './outputs';
import { codeKey } from './reuse';
import type { Finished, RunState } from './state';
import type { Unit } from './units';

export interface Parts {
  store: Store;
  artifacts: Artifacts;
  target: Target;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

export interface Listener {
  /** Rows of the log, as they were written. */
  events?(events: RunEvent[]): void;
  /** What a step says while it runs; not kept in the log. */
  task?(step: string, event: TaskEvent): void;
}

/** An attempt that was started and has not ended. */
interface Running {
  task: Pick<TaskDocument, 'run' | 'step' | 'attempt' | 'token'>;
  /** Absent when the plan of a resumed run no longer has the unit. */
  unit: Unit | undefined;
  ready: number;
  started: number;
  firstEvent?: number;
  outputs: LiveOutputs;
  result?: TaskResult;
}

export interface LoopOptions {
  state: RunState;
  /** Number of the run's last event. */
  sequence: number;
  /** What the first commit says. */
  first: Change[];
  finished: Map<string, Finished>;
  parts: Parts;
  places: Places;
  limits: Limits;
  listener?: Listener;
}

export class Loop {
  /** By unit name, results that count. */
  readonly finished: Map<string, Finished>;
  /** Why the run ended as it did. */
  reason: string | undefined;
  private readonly state: RunState;
  private readonly parts: Parts;
  private readonly places: Places;
  private readonly limits: Limits;
  private readonly listener: Listener;
  private sequence: number;
  private first: Change[];
  private readonly running = new Map<string, Running>();
  private readonly inbox: TargetEvent[] = [];
  private readonly writing = new Set<Promise<unknown>>();
  private readonly unwatch: () => void;
  private readonly now: () => number;
  private passing = false;
  /** Something happened since the last pass began. */
  private asked = false;
  private timer: NodeJS.Timeout | undefined;
  private done!: () => void;
  private failed!: (error: unknown) => void;
  private readonly over = new Promise<void>((resolve, reject) => {
    this.done = resolve;
    this.failed = reject;
  });

  constructor({ state, sequence, first, finished, parts, places, limits, listener = {} }: LoopOptions) {
    this.state = state;
    this.sequence = sequence;
    this.first = first;
    this.finished = finished;
    this.parts = parts;
    this.places = places;
    this.limits = limits;
    this.listener = listener;
    this.now = parts.now ?? Date.now;
    this.unwatch = parts.target.watch(event => {
      this.inbox.push(event);
      this.wake();
    });
  }

  /** Moves the run until it is over. `interrupted` are attempts that an earlier process left running. The signal cancels the run. */
  async run(interrupted: Attempt[], signal?: AbortSignal): Promise<void> {
    const cancel = () => {
      this.state.cancelling = true;
      this.wake();
    };
    if (signal?.aborted) cancel();
    signal?.addEventListener('abort', cancel);
    this.state.status = 'running';
    try {
      if (interrupted.length > 0) await this.adopt(interrupted);
      this.wake();
      await this.over;
    } finally {
      signal?.removeEventListener('abort', cancel);
      clearTimeout(this.timer);
      this.unwatch();
    }
  }

  /** The target tells what became of them, as if they had been started here. */
  private async adopt(interrupted: Attempt[]): Promise<void> {
    const ids = interrupted.map(({ step, attempt }) => ({ run: this.places.run, step, attempt }));
    for (const { step, attempt, token } of interrupted) {
      const unit = this.state.units.find(one => one.name === step);
      this.running.set(keyOf({ step, attempt }), {
        task: { run: this.places.run, step, attempt, token: token! },
        unit,
        ready: this.now(),
        started: this.now(),
        outputs: new LiveOutputs(),
      });
    }
    await this.parts.target.recover(ids);
  }

  private wake(): void {
    this.asked = true;
    if (this.passing) return;
    this.passing = true;
    this.passes().catch(error => this.failed(error));
  }

  private async passes(): Promise<void> {
    while (this.asked) {
      this.asked = false;
      await this.pass();
    }
    this.passing = false;
  }

  private async pass(): Promise<void> {
    const changes: Change[] = this.first.splice(0);
    for (const event of this.inbox.splice(0)) this.absorb(event, changes);
    const decisions = advance(this.state, this.now(), this.limits);
    const tasks = decisions.flatMap(decision => this.describe(decision, changes));
    if (changes.length > 0) {
      const events = await this.parts.store.commit(this.places.run, this.sequence, changes);
      if (!events) throw new Error(`Run ${this.places.run} is moved by another process.`);
      this.sequence += changes.length;
      this.listener.events?.(events);
    }
    for (const decision of decisions) {
      if (decision.do === 'stop') void this.parts.target.stop(this.id(decision.unit, decision.attempt));
    }
    for (const task of tasks) this.start(task);
    clearTimeout(this.timer);
    const at = wakeAt(this.state);
    if (at !== undefined) this.timer = setTimeout(() => this.wake(), Math.min(Math.max(at - this.now(), 1), 2 ** 31 - 1));
    if (this.state.status !== 'running' && this.running.size === 0) {
      await Promise.all(this.writing);
      await this.parts.artifacts.settle();
      this.done();
    }
  }

  private id(unit: Unit, attempt: number): AttemptId {
    return { run: this.places.run, step: unit.name, attempt };
  }

  private start(task: TaskDocument): void {
    this.parts.target.start(task).catch(error => {
      const id = { run: task.run, step: task.step, attempt: task.attempt };
      this.inbox.push({
        what: 'ended',
        id,
        error: { kind: error instanceof TargetProblem ? 'environment' : 'platform', message: sentence(error) },
      });
      this.wake();
    });
  }

  /** Takes in one thing a target said. */
  private absorb(event: TargetEvent, changes: Change[]): void {
    if (event.id.run !== this.places.run) return;
    const key = keyOf(event.id);
    const running = this.running.get(key);
    if (!running) return;
    if (event.what === 'event') {
      if (event.event.token !== running.task.token) return;
      running.firstEvent ??= this.now();
      running.outputs.accept(event.event);
      this.listener.task?.(event.id.step, event.event);
      if (event.event.type === 'result') {
        running.result = event.event.result;
        // The next step starts now; what is left of this process ends behind it.
        this.close(running, running.result, changes);
      }
      return;
    }
    this.running.delete(key);
    if (!running.result) this.close(running, withoutResult(running, event.error), changes);
  }

  private close(running: Running, result: TaskResult, changes: Change[]): void {
    const { unit, task } = running;
    const index = unit && this.state.unitOf.get(unit.steps[0]!.name);
    const current = index !== undefined && this.state.units[index]!.name === task.step && ended(this.state, index, task.attempt, result);
    const text = JSON.stringify(result);
    const digest = this.keep(text);
    const overhead = parts(running, result, this.now());
    changes.push({
      what: 'attempt',
      step: task.step,
      attempt: task.attempt,
      status: current ? result.status : 'cancelled',
      error: result.error,
      overhead,
      peakMemory: result.peakMemory,
      cpuSeconds: result.cpuSeconds,
      result: digest,
    });
    if (!unit || !current) return;
    this.finished.set(unit.name, {
      cells: result.cells,
      result: digest,
      overhead,
      peakMemory: result.peakMemory,
      cpuSeconds: result.cpuSeconds,
    });
    const reuseKey = codeKey(this.state, unit);
    const artifacts = made(result);
    if (artifacts.length > 0) changes.push({ what: 'artifacts', step: unit.name, attempt: task.attempt, artifacts });
    for (const step of unit.steps) {
      changes.push({
        what: 'step',
        step: step.name,
        status: result.status,
        result: digest,
        unit: unit.steps.length > 1 ? unit.name : undefined,
        reason: result.error?.message,
        reuseKey,
      });
    }
  }

  /** Keeps the result as a blob. It need not be on the disk before the next step starts; `settle` waits for it before the run is over. */
  private keep(text: string): Digest {
    const written = this.parts.artifacts.put(text, { durable: false }).catch(error => this.failed(error));
    this.writing.add(written);
    void written.then(() => this.writing.delete(written));
    return digestOf(text);
  }

  /** What a decision changes in the store; for a start also the task to hand over once that is written. */
  private describe(decision: Decision, changes: Change[]): TaskDocument[] {
    switch (decision.do) {
      case 'finish':
        this.reason = decision.reason;
        changes.push({ what: 'run', status: decision.status, reason: decision.reason });
        return [];
      case 'plan':
        changes.push({ what: 'plan', steps: decision.steps, reason: decision.reason, plan: planOf(this.state) });
        return [];
      case 'status':
        for (const step of decision.unit.steps)
          changes.push({ what: 'step', step: step.name, status: decision.status, reason: decision.reason });
        return [];
      case 'stop':
        return [];
      case 'start': {
        const { unit, attempt, given } = decision;
        const task = taskDocument(this.state, unit, attempt, given, this.places);
        const now = this.now();
        this.running.set(keyOf(task), { task, unit, ready: decision.ready, started: now, outputs: new LiveOutputs() });
        changes.push({ what: 'attempt', step: unit.name, attempt, status: 'running', token: task.token });
        for (const step of unit.steps) {
          changes.push({
            what: 'step',
            step: step.name,
            status: 'running',
            attempts: attempt,
            given,
            unit: unit.steps.length > 1 ? unit.name : undefined,
          });
        }
        return [task];
      }
    }
  }
}

const keyOf = (id: { step: string; attempt: number }): string => `${id.step}/${id.attempt}`;

/** What the engine keeps of its plan, so that a resumed run knows what was learnt. */
export function planOf(state: RunState): { joins: RunState['joins']; learned: Record<string, string[]> } {
  const learned: Record<string, string[]> = {};
  for (const [index, names] of state.learned) learned[state.units[index]!.steps[0]!.name] = [...names];
  return { joins: state.joins, learned };
}

function withoutResult(running: Running, error: TaskError | undefined): TaskResult {
  const { task, outputs } = running;
  return {
    format: taskFormat,
    run: task.run,
    step: task.step,
    attempt: task.attempt,
    token: task.token,
    status: 'failed',
    provided: {},
    used: [],
    defined: [],
    cells: outputs.cells,
    metrics: [],
    error: error ?? { kind: 'platform', message: `Step "${task.step}" ended without a result.` },
    seconds: { start: 0, inputs: 0, user: 0, outputs: 0 },
    peakMemory: 0,
    cpuSeconds: 0,
  };
}

function made(result: TaskResult): MadeArtifact[] {
  return Object.entries(result.provided).flatMap(([name, value]) => {
    if (!('digest' in value)) return [];
    return [{ name, digest: value.digest, size: value.size, ...('type' in value ? { type: value.type, preview: value.preview } : {}) }];
  });
}

function parts(running: Running, result: TaskResult, now: number): Overhead {
  const { start, inputs, user, outputs } = result.seconds;
  const whole = (now - running.started) / 1000;
  const create = Math.max(0, ((running.firstEvent ?? now) - running.started) / 1000);
  return {
    queued: Math.max(0, (running.started - running.ready) / 1000),
    create,
    start,
    inputs,
    user,
    outputs,
    observed: Math.max(0, whole - create - start - inputs - user - outputs),
  };
}

const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));
