/**
 * The Kubernetes target: one plain pod per attempt, in the *restricted* profile, under a name that run, step and attempt fix. What became of
 * an attempt is asked in this order: was a result committed; what does its pod's state say (`verdict.ts`); is the pod not there at all.
 * A watch event, a line of the log, a request of the pod: each only makes us look again.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskError } from '../../../pipeline/model/failure';
import type { StepSettings } from '../../../pipeline/model/pipeline';
import type { TaskDocument, TaskEvent, TaskResult } from '../../../pipeline/model/task';
import { attemptFolder, attemptKey } from '../attempt';
import { parseObject } from '../local/lines';
import { Record as AttemptRecord } from '../local/record';
import { TargetProblem } from '../problem';
import { readShortened } from '../shorten';
import type { AttemptId, Target, TargetEvent } from '../target';
import { type Cluster, passing, Refusal, sleep } from './cluster';
import type { KubernetesConfig } from './config';
import type { DataPath, Permission } from './data';
import { PodLog } from './log';
import { labels, podName, podOf, secretOf, tokenAnnotation, tokenDigest } from './pod';
import { type Pod, Reflector } from './reflector';
import { type Verdict, verdict } from './verdict';

export { Cluster } from './cluster';
export { type KubernetesConfig, readKubernetesConfig } from './config';
export type { DataPath } from './data';
export { examineCluster } from './examine';

export interface KubernetesTargetOptions {
  cluster: Cluster;
  config: KubernetesConfig;
  data: DataPath;
  /** Attempts' folders are in `<home>/runs`. */
  home: string;
  /** Tells this installation's pods from others' in the same namespace. */
  owner: string;
  name?: string;
  /** Seconds between asking a pod to stop and killing it. */
  grace?: number;
}

export function createKubernetesTarget(options: KubernetesTargetOptions): KubernetesTarget {
  return new KubernetesTarget(options);
}

interface Running {
  id: AttemptId;
  key: string;
  task: TaskDocument;
  /** Its pod's name. */
  pod: string;
  record: AttemptRecord;
  log?: PodLog;
  /** The cluster has taken the pod. */
  created?: number;
  /** It was seen among the pods. */
  seen: boolean;
  result: boolean;
  stopped: boolean;
  /** Its end is being told. */
  finishing: boolean;
  why?: string;
  timer?: NodeJS.Timeout;
  over: Promise<void>;
  tellOver: () => void;
}

/** Milliseconds: for the last lines of a log, for a pod that was created and is in no list, for a pod that was asked to stop. */
const drainPatience = 2000;
const absence = 10_000;
const stubborn = 10_000;

export class KubernetesTarget implements Target {
  readonly name: string;
  readonly reflector: Reflector;
  private readonly cluster: Cluster;
  private readonly data: DataPath;
  private readonly listeners = new Set<(event: TargetEvent) => void>();
  /** By attempt. */
  private readonly running = new Map<string, Running>();
  private readonly byPod = new Map<string, Running>();
  /** What goes on after an attempt has ended. */
  private readonly behind = new Set<Promise<unknown>>();
  private readonly unlisten: () => void;
  private closing: Promise<void> | undefined;
  private readonly end = new AbortController();

  constructor(private readonly options: KubernetesTargetOptions) {
    this.name = options.name ?? 'kubernetes';
    this.cluster = options.cluster;
    this.data = options.data;
    this.reflector = new Reflector({
      cluster: options.cluster,
      selector: `${labels.managed}=stepwell,${labels.owner}=${options.owner}`,
      changed: name => {
        const one = this.byPod.get(name);
        if (one) void this.look(one);
      },
    });
    this.unlisten = options.data.listen({
      asked: id => {
        const one = this.running.get(attemptKey(id));
        if (one) this.follow(one);
      },
      committed: id => {
        const one = this.running.get(attemptKey(id));
        if (one) void this.finish(one, undefined);
      },
    });
  }

  async start(task: TaskDocument, settings: StepSettings = {}): Promise<void> {
    const id = { run: task.run, step: task.step, attempt: task.attempt };
    if (this.running.has(attemptKey(id))) return;
    if (this.closing) throw new TargetProblem('The Kubernetes target has been closed.');
    const pod = podOf(task, settings, this.options.config, this.options.owner);
    const one = this.remember(id, task, pod.metadata.name);
    try {
      const permission = await this.data.open(task);
      await this.create(one, pod, permission);
    } catch (error) {
      this.forget(one);
      // Whether the cluster has it is not known when the answer did not come.
      if (passing(error)) this.removePod(one.pod);
      throw problemOf(error, id.step);
    }
    one.created = Date.now();
    if (one.stopped) await this.askToStop(one);
    this.lookAt(one, Date.now() + absence);
    void this.look(one);
  }

  /** Resolves when it has ended. */
  async stop(id: AttemptId): Promise<void> {
    const one = this.running.get(attemptKey(id));
    if (!one) return;
    if (!one.stopped) {
      one.stopped = true;
      if (one.created !== undefined) void this.askToStop(one);
    }
    await one.over;
  }

  async flush(id: AttemptId): Promise<void> {
    await this.running.get(attemptKey(id))?.record.flush();
    await Promise.all([...this.behind]);
  }

  watch(listener: (event: TargetEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async recover(ids: AttemptId[]): Promise<void> {
    await Promise.all(ids.filter(id => !this.running.has(attemptKey(id))).map(id => this.recoverOne(id)));
  }

  private async recoverOne(id: AttemptId): Promise<void> {
    const known = await this.data.reopen(id);
    const name = podName(id);
    if (!known) {
      this.removePod(name);
      this.tell({ what: 'ended', id, error: interrupted(id.step) });
      return;
    }
    if (await this.data.committed(id)) {
      const told = await this.tellResult(id, known.document.token);
      this.data.shut(id);
      this.removePod(name);
      this.tell(told ? { what: 'ended', id } : { what: 'ended', id, error: unreadable(id.step) });
      return;
    }
    const one = this.remember(id, known.document, name);
    const pod = await this.findPod(name).catch(() => undefined);
    one.seen = pod !== undefined;
    one.created = Date.now();
    if (pod === undefined || pod.metadata.annotations?.[tokenAnnotation] !== tokenDigest(known.document.token)) {
      await this.finish(one, interrupted(id.step));
      return;
    }
    // It may have been made just before the crash, and its secret not yet.
    await this.createSecret(one, pod.metadata.uid, known).catch(() => {});
    this.reflector.pods.set(name, pod);
    this.follow(one);
    await this.look(one);
  }

  close(): Promise<void> {
    this.closing ??= this.closeNow(true);
    return this.closing;
  }

  leave(): Promise<void> {
    this.closing ??= this.closeNow(false);
    return this.closing;
  }

  private async closeNow(stop: boolean): Promise<void> {
    if (stop) await Promise.all([...this.running.values()].map(one => this.stop(one.id)));
    await Promise.all([...this.behind]);
    this.end.abort();
    for (const one of this.running.values()) {
      clearTimeout(one.timer);
      one.log?.close();
      await one.record.flush();
      one.tellOver();
    }
    this.running.clear();
    this.unlisten();
    await this.reflector.close();
    await this.data.close();
    this.cluster.close();
  }

  // Pods and secrets.

  private async create(one: Running, manifest: ReturnType<typeof podOf>, permission: Permission): Promise<void> {
    const pod = await this.cluster.call<Pod>('POST', this.cluster.path('pods'), { body: manifest }).catch(async error => {
      if (!(error instanceof Refusal) || error.reason !== 'AlreadyExists') throw error;
      const there = await this.findPod(one.pod);
      if (there && there.metadata.annotations?.[tokenAnnotation] === manifest.metadata.annotations[tokenAnnotation]) return there;
      throw new TargetProblem(`A pod named "${one.pod}" that is not ours is in the way of step "${one.id.step}"; remove it.`);
    });
    await this.createSecret(one, pod.metadata.uid, permission);
  }

  private async createSecret({ pod: name }: Running, uid: string, permission: Permission): Promise<void> {
    const body = secretOf({ name, uid }, this.options.owner, { task: permission.task, access: permission.access });
    await this.cluster.call('POST', this.cluster.path('secrets'), { body }).catch(error => {
      if (!(error instanceof Refusal) || error.reason !== 'AlreadyExists') throw error;
    });
  }

  private async findPod(name: string): Promise<Pod | undefined> {
    try {
      return await this.cluster.call<Pod>('GET', this.cluster.path('pods', name));
    } catch (error) {
      if (error instanceof Refusal && error.status === 404) return undefined;
      throw error;
    }
  }

  private async askToStop(one: Running): Promise<void> {
    await this.deletePod(one.pod, this.options.grace ?? 5);
    // A node that does not answer does not confirm either.
    await sleep((this.options.grace ?? 5) * 1000 + stubborn, this.end.signal);
    if (!one.finishing) await this.deletePod(one.pod, 0);
  }

  /** Removes it behind whatever comes next, for as long as that takes. */
  private removePod(name: string, grace = 1): void {
    this.afterwards(this.deletePod(name, grace));
  }

  private async deletePod(name: string, grace: number): Promise<void> {
    const path = `${this.cluster.path('pods', name)}?gracePeriodSeconds=${grace}`;
    await this.cluster.call('DELETE', path, { patience: 120_000, signal: this.end.signal }).catch(() => {});
  }

  private afterwards(work: Promise<unknown>): void {
    const done = work.catch(() => {}).finally(() => this.behind.delete(done));
    this.behind.add(done);
  }

  // An attempt, from its start to its end.

  private remember(id: AttemptId, task: TaskDocument, pod: string): Running {
    const key = attemptKey(id);
    let tellOver!: () => void;
    const over = new Promise<void>(resolve => {
      tellOver = resolve;
    });
    const folder = attemptFolder(this.options.home, id);
    // What it says is read again from the beginning.
    rmSync(join(folder, 'events.jsonl'), { force: true });
    const one: Running = {
      id,
      key,
      task,
      pod,
      record: new AttemptRecord(folder),
      seen: false,
      result: false,
      stopped: false,
      finishing: false,
      over,
      tellOver,
    };
    this.running.set(key, one);
    this.byPod.set(pod, one);
    return one;
  }

  private forget(one: Running): void {
    clearTimeout(one.timer);
    one.log?.close();
    this.data.shut(one.id);
    this.running.delete(one.key);
    this.byPod.delete(one.pod);
    one.tellOver();
  }

  private follow(one: Running): void {
    one.log ??= new PodLog(this.cluster, one.pod, {
      event: (line, left) => this.heard(one, line, left),
      said: message => {
        if (message.say === 'log') one.record.other(String(message.text).trimEnd());
        else if (message.say === 'offer') void this.offered(one, Number(message.answer), message.blobs);
        else if (message.say === 'result') void this.finish(one, undefined);
        else one.record.other(JSON.stringify(message));
      },
      other: line => one.record.other(line),
    });
  }

  /** The pod waits for the answer, so a store that is away is asked again until it is back. */
  private async offered(one: Running, answer: number, blobs: unknown): Promise<void> {
    for (let wait = 200; this.running.get(one.key) === one && !this.end.signal.aborted; wait = Math.min(wait * 2, 5000)) {
      try {
        await this.data.offered(one.id, answer, blobs);
        return;
      } catch {
        await sleep(wait, this.end.signal);
      }
    }
  }

  private heard(one: Running, line: string, left: number): void {
    if (one.result) return;
    const event = parseObject(line) as TaskEvent | undefined;
    if (!event || typeof event.type !== 'string') {
      one.record.other(line);
      return;
    }
    if (event.token !== one.task.token || event.type === 'result') return;
    const number = one.record.event(line);
    this.wait(one, undefined);
    this.tell({ what: 'event', id: one.id, event, number, ...(left > 0 ? { left } : {}) });
  }

  /** What its pod says now. */
  private async look(one: Running): Promise<void> {
    if (one.finishing || one.created === undefined) return;
    const pod = this.reflector.pods.get(one.pod);
    if (!pod) {
      if (!one.seen && Date.now() < one.created + absence) return;
      // The list may be older than the pod.
      if (!one.seen && (await this.findPod(one.pod).catch(() => 'unknown'))) return this.lookAt(one, Date.now() + absence);
      return this.finish(one, one.stopped ? stopped(one.id.step) : removed(one.id.step));
    }
    one.seen = true;
    if (this.data.blind && pod.spec.nodeName) this.follow(one);
    const found = verdict({
      pod,
      step: one.id.step,
      limits: one.task.limits,
      now: Date.now(),
      patience: this.options.config.patience,
      stopped: one.stopped,
    });
    await this.take(one, found);
  }

  private async take(one: Running, found: Verdict): Promise<void> {
    switch (found.is) {
      case 'waiting':
        this.wait(one, found.why);
        if (found.look !== undefined) this.lookAt(one, found.look);
        return;
      case 'running':
        this.wait(one, undefined);
        this.follow(one);
        return;
      case 'over':
        this.follow(one);
        one.log!.finish();
        return this.finish(one, found.error);
      case 'lost':
        return this.finish(one, found.error, 0);
    }
  }

  private lookAt(one: Running, time: number): void {
    clearTimeout(one.timer);
    if (!one.finishing) one.timer = setTimeout(() => void this.look(one), Math.max(50, time - Date.now() + 50));
  }

  private wait(one: Running, why: string | undefined): void {
    if (one.why === why || one.stopped) return;
    one.why = why;
    this.tell({ what: 'waiting', id: one.id, ...(why === undefined ? {} : { why }) });
  }

  /** Its end: with its result if it has committed one, else with what its pod's state says. `undefined`: only if it has. */
  private async finish(one: Running, error: TaskError | undefined, grace = 1): Promise<void> {
    if (one.finishing) return;
    let committed = false;
    try {
      committed = await this.data.committed(one.id);
    } catch {
      // The store is away: nothing is decided before it has been asked.
      this.lookAt(one, Date.now() + 1000);
      return;
    }
    if (one.finishing || (!committed && !error)) return;
    one.finishing = true;
    clearTimeout(one.timer);
    if (one.seen) this.follow(one);
    // What it said before its end comes before its end.
    await Promise.race([one.log?.completed, sleep(drainPatience, this.end.signal)]);
    this.data.shut(one.id);
    // Nothing can be committed any more, so now it is certain.
    committed ||= await this.data.committed(one.id).catch(() => false);
    one.result = committed && (await this.tellResult(one.id, one.task.token));
    this.forget(one);
    this.tell(one.result ? { what: 'ended', id: one.id } : { what: 'ended', id: one.id, error: error ?? unreadable(one.id.step) });
    this.removePod(one.pod, grace);
    this.afterwards(one.record.flush());
  }

  /** False when there is none of that token. */
  private async tellResult(id: AttemptId, token: string): Promise<boolean> {
    const found = await readShortened<TaskResult>(join(attemptFolder(this.options.home, id), 'result.json'));
    if (found?.value.token !== token) return false;
    const event: TaskEvent = { token, at: new Date().toISOString(), type: 'result', result: found.value };
    this.tell({ what: 'event', id, event, ...(found.left > 0 ? { left: found.left } : {}) });
    return true;
  }

  private tell(event: TargetEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}

const stopped = (step: string): TaskError => ({ kind: 'killed', message: `Step "${step}" was stopped.` });
const removed = (step: string): TaskError => ({ kind: 'platform', message: `The pod of step "${step}" was removed by somebody.` });
const interrupted = (step: string): TaskError => ({
  kind: 'platform',
  message: `Step "${step}" was interrupted: its pod is not there any more.`,
});
const unreadable = (step: string): TaskError => ({ kind: 'storage', message: `The result of step "${step}" cannot be read.` });

/** What the cluster's refusal means for the person who wrote the step, or who set up the cluster. */
function problemOf(error: unknown, step: string): unknown {
  if (!(error instanceof Refusal)) return error;
  const options = { cause: error, kind: 'config' as const };
  if (error.status === 401)
    return new TargetProblem(`The cluster does not know who we are: ${error.message}. Check the kubeconfig.`, { cause: error });
  return new TargetProblem(`The cluster refused the pod of step "${step}": ${error.message}`, options);
}
