/**
 * The thin loop around `advance`: takes in what targets say, asks what happens next, writes it to the store in one transaction, and only
 * then does it. A crash between writing and doing is mended on resume, since an attempt is known by (run, step, attempt) alone.
 */

import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import type { Digest } from '../../pipeline/model/artifact';
import type { TaskError } from '../../pipeline/model/failure';
import type { Attempt, Change, MadeArtifact, Overhead, RunEvent } from '../../pipeline/model/run';
import { type TaskDocument, type TaskEvent, type TaskResult, taskFormat } from '../../pipeline/model/task';
import { type Artifacts, digestOf } from '../artifacts';
import type { Store } from '../store';
import { TargetProblem } from '../targets/problem';
import type { AttemptId, Target, TargetEvent } from '../targets/target';
import { advance, type Decision, ended, type Limits, noReuse, reuse, wakeAt } from './advance';
import { Answers } from './answers';
import type { Answer } from './candidate';
import { cellTimes } from './cells';
import { type Places, taskDocument } from './document';
import { LiveOutputs } from './outputs';
import type { Reservations } from './reservations';
import type { Slots } from './slots';
import type { Finished, Given, RunState } from './state';
import type { Unit } from './units';

export interface Parts {
  store: Store;
  artifacts: Artifacts;
  target: Target;
  /** What the machine takes on at once, where several runs share it. */
  slots?: Slots;
  /** The environment that steps are started with; default: this process's own. */
  env?: NodeJS.ProcessEnv;
  /** Keys that are being worked out, where several runs share them. */
  reservations?: Reservations;
  /** Milliseconds since the epoch. */
  now?: () => number;
}

export interface Listener {
  /** Rows of the log, as they were written. */
  events?(events: RunEvent[]): void;
  /** What a step (or unit) says while it runs; not kept in the log. All but a result is numbered from 1 within the attempt. */
  task?(step: string, event: TaskEvent, attempt: number, number: number | undefined): void;
}

/** `whole`: the blob that has all of a result that was shortened. */
type Incoming = TargetEvent & { whole?: Digest };

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
  /** It counts among what the machine has taken on. */
  slot?: boolean;
  /** While the result is being kept: what came after it. */
  held?: TargetEvent[];
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
  /** It was left where it stands, to be taken up again. */
  left = false;
  private readonly state: RunState;
  private readonly parts: Parts;
  private readonly places: Places;
  private readonly limits: Limits;
  private readonly listener: Listener;
  private sequence: number;
  private first: Change[];
  private readonly running = new Map<string, Running>();
  private readonly inbox: Incoming[] = [];
  private readonly writing = new Set<Promise<unknown>>();
  /** By digest, results on their way to the artifacts. */
  private readonly kept = new Map<Digest, Promise<unknown>>();
  /** Units whose answers are about to be kept. */
  private readonly keeping = new Set<string>();
  /** To be done when what happened has been written. */
  private readonly after: (() => Promise<void>)[] = [];
  private readonly unwatch: () => void;
  private readonly now: () => number;
  private readonly answers: Answers;
  private passing = false;
  /** Something happened since the last pass began. */
  private asked = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly ask = () => this.wake();
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
    const { store, artifacts, env, reservations } = parts;
    this.answers = new Answers({ state, store, artifacts, places, env, reservations, now: this.now });
    this.unwatch = parts.target.watch(event => {
      this.inbox.push(event);
      this.wake();
    });
  }

  /**
   * Moves the run until it is over. `interrupted` are attempts that an earlier process left running. `signal` cancels the run; `leave` ends
   * the moving and leaves the run where it stands.
   */
  async run(interrupted: Attempt[], signal?: AbortSignal, leave?: AbortSignal): Promise<void> {
    const cancel = () => {
      this.state.cancelling = true;
      if (typeof signal?.reason === 'string') this.reason = signal.reason;
      this.wake();
    };
    const go = () => {
      this.left = true;
      this.wake();
    };
    if (signal?.aborted) cancel();
    if (leave?.aborted) this.left = true;
    signal?.addEventListener('abort', cancel);
    leave?.addEventListener('abort', go);
    this.state.status = 'running';
    try {
      if (interrupted.length > 0) await this.adopt(interrupted);
      this.wake();
      await this.over;
    } catch (error) {
      // Nobody will hear them any more.
      for (const { task } of this.running.values()) void this.parts.target.stop(task);
      throw error;
    } finally {
      signal?.removeEventListener('abort', cancel);
      leave?.removeEventListener('abort', go);
      clearTimeout(this.timer);
      this.unwatch();
      this.parts.slots?.forget(this.ask);
      this.answers.releaseAllBut(new Set());
      for (const running of this.running.values()) this.giveSlot(running);
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
    await this.parts.target.recover(ids, id => this.running.get(keyOf(id))?.unit?.settings);
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
      if (this.left) {
        await this.settle();
        return;
      }
      await this.pass();
    }
    this.passing = false;
  }

  private async pass(): Promise<void> {
    const changes: Change[] = this.first.splice(0);
    for (const event of this.inbox.splice(0)) this.absorb(event, changes);
    const decisions: Decision[] = [];
    const tasks: TaskDocument[] = [];
    for (;;) {
      const next = advance(this.state, this.now(), { workers: this.workers() });
      decisions.push(...next);
      for (const decision of next) tasks.push(...this.describe(decision, changes));
      if (!(await this.look(next, changes))) break;
    }
    if (changes.length > 0) {
      const events = await this.parts.store.commit(this.places.run, this.sequence, changes);
      if (!events) throw new Error(`Run ${this.places.run} is moved by another process.`);
      this.sequence += changes.length;
      this.listener.events?.(events);
    }
    for (const work of this.after.splice(0)) this.behind(work());
    this.reserveOnly();
    for (const decision of decisions) {
      if (decision.do === 'stop') void this.parts.target.stop(this.id(decision.unit, decision.attempt));
    }
    for (const task of tasks) this.start(task);
    if (this.state.ready.size > 0 && this.state.running.size < this.limits.workers) this.parts.slots?.want(this.ask);
    clearTimeout(this.timer);
    const at = wakeAt(this.state);
    if (at !== undefined) this.timer = setTimeout(() => this.wake(), Math.min(Math.max(at - this.now(), 1), 2 ** 31 - 1));
    if (this.state.status !== 'running' && this.running.size === 0) {
      await this.settle();
    }
  }

  /** Looks for earlier answers to what is ready. False when nothing was asked for. */
  private async look(decisions: Decision[], changes: Change[]): Promise<boolean> {
    const asked = decisions.filter(decision => decision.do === 'look');
    const found = await Promise.all(
      asked.map(async one => ({ ...one, answer: await this.answers.find(one.unit, one.given, this.free(one.unit)) })),
    );
    for (const { unit, given, answer } of found) {
      if (answer === 'wait') this.state.awaiting.add(unit.index);
      else if (answer) this.reuse(unit, given, answer, changes);
      else noReuse(this.state, unit.index, given);
    }
    return found.some(({ answer }) => answer !== 'wait');
  }

  /** Whoever waits for this run waits for steps that run, are about to, or have just ended; not for those that have to be looked at again. */
  private reserveOnly(): void {
    const { ready, running, units } = this.state;
    this.answers.releaseAllBut(new Set([...[...ready.keys(), ...running].map(unit => units[unit]!.name), ...this.keeping]));
  }

  /** Another run has worked out what the unit waits for: it is looked for again. */
  private free({ index }: Unit): () => void {
    return () => {
      this.state.awaiting.delete(index);
      this.wake();
    };
  }

  private reuse(unit: Unit, asked: Given, { given, outcome, finished, used, moved }: Answer, changes: Change[]): void {
    const key = this.answers.key(unit, asked);
    const sources = new Set([...Object.keys(used.files), ...Object.keys(used.folders)]);
    if (!reuse(this.state, unit.index, asked, { given, outcome, sources })) return;
    const result = moved ? this.keep(JSON.stringify(moved)) : finished.result;
    this.finished.set(unit.name, { ...finished, result });
    const { run, step, made } = used;
    const outputs = Object.keys(used.blobs) as Digest[];
    for (const { name } of unit.steps) {
      changes.push({
        what: 'step',
        step: name,
        status: 'reused',
        reason: `as in run ${run}`,
        result,
        given,
        unit: unit.steps.length > 1 ? unit.name : undefined,
        key: { parts: key.parts, from: { run, step, made }, outputs },
      });
    }
  }

  private async settle(): Promise<void> {
    await Promise.all(this.writing);
    await this.parts.artifacts.settle();
    this.done();
  }

  /** Attempts that may run at once now: as many as the run may have, and the machine has room for. */
  private workers(): number {
    const { slots } = this.parts;
    return slots ? Math.min(this.limits.workers, this.state.running.size + slots.free) : this.limits.workers;
  }

  private giveSlot(running: Running): void {
    if (!running.slot) return;
    running.slot = false;
    this.parts.slots?.give();
  }

  private id(unit: Unit, attempt: number): AttemptId {
    return { run: this.places.run, step: unit.name, attempt };
  }

  private start(task: TaskDocument): void {
    const settings = this.running.get(keyOf(task))?.unit?.settings;
    this.parts.target.start(task, settings).catch(error => {
      const id = { run: task.run, step: task.step, attempt: task.attempt };
      this.inbox.push({
        what: 'ended',
        id,
        error: { kind: error instanceof TargetProblem ? error.kind : 'platform', message: sentence(error) },
      });
      this.wake();
    });
  }

  /** Takes in one thing a target said. */
  private absorb(event: Incoming, changes: Change[]): void {
    if (event.id.run !== this.places.run) return;
    const key = keyOf(event.id);
    const running = this.running.get(key);
    if (!running) return;
    if (running.held) {
      running.held.push(event);
      return;
    }
    if (event.what === 'event') {
      if (event.event.token !== running.task.token) return;
      if (event.event.type === 'result' && event.left) {
        this.keepWhole(running, event);
        return;
      }
      running.firstEvent ??= this.now();
      running.outputs.accept(event.event);
      this.listener.task?.(event.id.step, event.event, event.id.attempt, event.number);
      if (event.event.type === 'result') {
        running.result = event.event.result;
        // The next step starts now; what is left of this process ends behind it.
        this.close(running, running.result, changes, event.whole);
      }
      return;
    }
    if (event.what === 'waiting') {
      const { unit, task } = running;
      const state = unit && this.state.states[unit.index];
      if (state?.status !== 'running' || state.attempt !== task.attempt) return;
      for (const { name } of unit!.steps) changes.push({ what: 'step', step: name, status: 'running', reason: event.why ?? '' });
      return;
    }
    this.running.delete(key);
    this.giveSlot(running);
    if (!running.result) this.close(running, withoutResult(running, event.error), changes);
  }

  /** `whole`: the blob that has all of the result, when this is a shortened one. */
  private close(running: Running, result: TaskResult, changes: Change[], whole?: Digest): void {
    const { unit, task } = running;
    this.giveSlot(running);
    const index = unit && this.state.unitOf.get(unit.steps[0]!.name);
    const current = index !== undefined && this.state.units[index]!.name === task.step && ended(this.state, index, task.attempt, result);
    const given = index === undefined ? undefined : this.state.states[index]!.given;
    const key = unit && current && given ? this.answers.key(unit, given) : undefined;
    const digest = whole ?? this.keep(JSON.stringify(result));
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
      cells: cellTimes(result),
    });
    if (!unit || !current) {
      if (unit) this.answers.release(unit);
      return;
    }
    this.finished.set(unit.name, {
      cells: result.cells,
      ...(whole ? { shortened: true } : {}),
      result: digest,
      overhead,
      peakMemory: result.peakMemory,
      cpuSeconds: result.cpuSeconds,
    });
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
        key,
      });
    }
    this.keepKey(unit, given!, result, digest);
  }

  /** Kept when the result is there and its row says so; the run is not over before. */
  private keepKey(unit: Unit, given: Given, result: TaskResult, digest: Digest): void {
    this.keeping.add(unit.name);
    this.after.push(async () => {
      await this.kept.get(digest);
      this.kept.delete(digest);
      await this.answers.keep(unit, given, result, digest).finally(() => {
        this.keeping.delete(unit.name);
        this.answers.release(unit);
      });
    });
  }

  /** Keeps the result as a blob. It need not be on the disk before the next step starts; `settle` waits for it before the run is over. */
  private keep(text: string): Digest {
    const written = this.parts.artifacts.put(text, { durable: false });
    const digest = digestOf(text);
    this.kept.set(digest, written);
    this.behind(written);
    return digest;
  }

  /** The run is not over before this is; if it fails, so does the run. */
  private behind(work: Promise<unknown>): void {
    const done = work.catch(error => this.failed(error));
    this.writing.add(done);
    void done.then(() => this.writing.delete(done));
  }

  /** A result that is too long for one message is kept from its file, piece by piece; what the attempt says next waits for that. */
  private keepWhole(running: Running, { left: _left, ...event }: Extract<TargetEvent, { what: 'event' }>): void {
    running.held = [];
    const file = join(this.places.attemptFolder(event.id.step, event.id.attempt), 'result.json');
    const kept = this.parts.artifacts.put(createReadStream(file), { durable: false }).then(
      ({ digest }) => {
        this.inbox.push({ ...event, whole: digest }, ...running.held!.splice(0));
        running.held = undefined;
        this.wake();
      },
      error => this.failed(error),
    );
    this.writing.add(kept);
    void kept.then(() => this.writing.delete(kept));
  }

  /** What a decision changes in the store; for a start also the task to hand over once that is written. */
  private describe(decision: Decision, changes: Change[]): TaskDocument[] {
    switch (decision.do) {
      case 'finish':
        this.reason = decision.reason ?? this.reason;
        changes.push({ what: 'run', status: decision.status, reason: this.reason });
        return [];
      case 'plan':
        changes.push({ what: 'plan', steps: decision.steps, reason: decision.reason, plan: planOf(this.state) });
        return [];
      case 'status':
        for (const step of decision.unit.steps)
          changes.push({ what: 'step', step: step.name, status: decision.status, reason: decision.reason });
        return [];
      case 'stop':
      case 'look':
        return [];
      case 'start': {
        const { unit, attempt, given } = decision;
        const task = taskDocument(this.state, unit, attempt, given, this.places);
        const now = this.now();
        const slot = this.parts.slots !== undefined;
        this.running.set(keyOf(task), { task, unit, ready: decision.ready, started: now, outputs: new LiveOutputs(), slot });
        this.parts.slots?.take();
        changes.push({ what: 'attempt', step: unit.name, attempt, status: 'running', token: task.token });
        for (const step of unit.steps) {
          changes.push({
            what: 'step',
            step: step.name,
            status: 'running',
            attempts: attempt,
            given,
            unit: unit.steps.length > 1 ? unit.name : undefined,
            key: this.answers.key(unit, given),
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
