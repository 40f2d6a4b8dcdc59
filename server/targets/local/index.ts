/**
 * The local target: steps are processes on this machine, forked by a warm Python parent. `start` is one write to the parent's input, with
 * nothing awaited once the parent is ready. What children say comes by a socket (`events.ts`), their ends from the parent (`parent.ts`);
 * here both become the one ordered story of an attempt that `target.ts` promises.
 */
import { readFileSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { TaskError } from '../../../pipeline/model/failure';
import type { TaskDocument, TaskEvent, TaskResult } from '../../../pipeline/model/task';
import { attemptFolder, attemptKey } from '../attempt';
import { folderProblem, TargetProblem } from '../problem';
import { readShortened } from '../shorten';
import type { AttemptId, Target, TargetEvent } from '../target';
import { EventSocket } from './events';
import { parseObject } from './lines';
import { dropMark, markName, newMark, sweep } from './marks';
import { errorOf } from './outcome';
import { type Ended, Parent } from './parent';
import { killMarked } from './processes';
import { type Death, explain, versionProblem } from './python';
import { Record as AttemptRecord } from './record';

export { attemptFolder } from '../attempt';
export { TargetProblem } from '../problem';

export interface LocalTargetOptions {
  /** The Python that runs the steps. */
  python: string;
  /** The folder that holds the package `stepwell`. */
  runnerPath: string;
  /** A folder with packages for a Python that lacks them. */
  packages?: string;
  /** Attempts' folders are in `<home>/runs`. */
  home: string;
  /** What the warm parent imports. */
  modules: string[];
  /** The notebook's folder. */
  folder: string;
  /** The environment of the steps; default: ours. */
  env?: NodeJS.ProcessEnv;
  /** Milliseconds between asking a step to stop and killing it. */
  grace?: number;
  /** The parent is started when it is asked for: by `warm`, or by the first attempt. */
  lazy?: boolean;
}

export interface LocalTarget extends Target {
  /** Starts the parent (if it is not there) and resolves when it is ready; rejects with a `TargetProblem` when this Python cannot run steps. */
  warm(): Promise<void>;
  /** False when packages or modules that the parent has imported are others by now. */
  isFresh(): boolean;
}

/** Starts its warm parent at once, unless it is lazy. Throws a `TargetProblem` when `home` cannot be written. */
export function createLocalTarget(options: LocalTargetOptions): LocalTarget {
  return new Local(options);
}

interface Running {
  id: AttemptId;
  key: string;
  task: TaskDocument;
  record: AttemptRecord;
  /** The parent has its line. */
  sent: boolean;
  /** It has told its result. */
  result: boolean;
  stopped: boolean;
  /** It is being or has been told as ended. */
  ending: boolean;
  timers: NodeJS.Timeout[];
  over: Promise<void>;
  tellOver: () => void;
}

interface Committed {
  result: TaskResult;
  /** Bytes that were left out of long strings. */
  left: number;
}

/** Milliseconds that a socket may stay open after its process is gone. */
const drainPatience = 2000;
/** Room below which a result without a file is blamed on the disk. */
const leastRoom = 1 << 20;

class Local implements LocalTarget {
  readonly name = 'local';
  private readonly socket: EventSocket;
  private readonly mark: string;
  private readonly listeners = new Set<(event: TargetEvent) => void>();
  private readonly running = new Map<string, Running>();
  private parent: Parent | undefined;
  private parents = 0;
  private isReady = false;
  private watched: Record<string, string> = {};
  private ready: Promise<void> = Promise.resolve();
  private noisy: string[];
  /** Records of attempts that have ended, on their way to the disk. */
  private readonly writing = new Set<Promise<void>>();
  private closing: Promise<void> | undefined;

  constructor(private readonly options: LocalTargetOptions) {
    try {
      this.mark = newMark(options.home);
    } catch (error) {
      throw folderProblem(error, options.home);
    }
    this.socket = new EventSocket((key, line, left) => this.heard(key, line, left));
    this.noisy = this.readNoisy();
    if (!options.lazy) this.startParent();
  }

  warm(): Promise<void> {
    if (!this.parent && !this.closing) this.startParent();
    return this.ready;
  }

  isFresh(): boolean {
    return Object.entries(this.watched).every(
      ([path, time]) => String(statSync(path, { bigint: true, throwIfNoEntry: false })?.mtimeNs) === time,
    );
  }

  start(task: TaskDocument): Promise<void> {
    try {
      const id = { run: task.run, step: task.step, attempt: task.attempt };
      const key = attemptKey(id);
      if (this.running.has(key)) return Promise.resolve();
      if (this.closing) return Promise.reject(new TargetProblem('The local target has been closed.'));
      let tellOver!: () => void;
      const over = new Promise<void>(resolve => {
        tellOver = resolve;
      });
      const record = new AttemptRecord(attemptFolder(this.options.home, id));
      const one: Running = { id, key, task, record, sent: false, result: false, stopped: false, ending: false, timers: [], over, tellOver };
      this.running.set(key, one);
      if (this.isReady) {
        this.send(one);
        return Promise.resolve();
      }
      return this.warm().then(
        // Sent by `becameReady`, in the order of the calls, before this.
        () => {},
        error => {
          this.running.delete(key);
          one.tellOver();
          throw error;
        },
      );
    } catch (error) {
      return Promise.reject(folderProblem(error, this.options.home));
    }
  }

  /** Resolves when it has ended. Asks first; what has not ended after the grace is killed, and the parent too if even that is not answered. */
  stop(id: AttemptId): Promise<void> {
    const one = this.running.get(attemptKey(id));
    if (!one) return Promise.resolve();
    if (!one.stopped) {
      one.stopped = true;
      if (!one.sent) void this.end(one, this.errorOf(one));
      else {
        const grace = this.options.grace ?? 2000;
        this.parent?.stop(one.key, 'term');
        one.timers.push(
          setTimeout(() => this.parent?.stop(one.key, 'kill'), grace),
          setTimeout(() => this.parent?.kill(), grace + 8000),
        );
      }
    }
    return one.over;
  }

  async flush(id: AttemptId): Promise<void> {
    await this.running.get(attemptKey(id))?.record.flush();
    // Those that have just ended are no longer told apart.
    await Promise.all(this.writing);
  }

  watch(listener: (event: TargetEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async recover(ids: AttemptId[]): Promise<void> {
    const lost = ids.filter(id => !this.running.has(attemptKey(id)));
    // What an earlier process started ended with it, except what escaped: that still carries a mark.
    await sweep(this.options.home);
    await killMarked(lost.map(id => `STEPWELL_ATTEMPT=${attemptKey(id)}`));
    for (const id of lost) {
      const found = await this.committed(id);
      if (found) this.tellResult(id, found);
      const error: TaskError = { kind: 'platform', message: `Step "${id.step}" was interrupted: Stepwell ended while it ran.` };
      this.tell(found ? { what: 'ended', id } : { what: 'ended', id, error });
    }
  }

  close(): Promise<void> {
    this.closing ??= this.closeNow();
    return this.closing;
  }

  private async closeNow(): Promise<void> {
    for (const one of this.running.values()) one.stopped = true;
    // A parent that is still getting ready runs nothing that would need a proper end.
    if (!this.isReady) this.parent?.kill();
    await this.parent?.end(3000);
    await Promise.all([...this.running.values()].map(one => one.over));
    await Promise.all(this.writing);
    this.socket.close();
    const left = await dropMark(this.options.home, this.mark);
    if (left.length > 0) throw new TargetProblem(`Processes of steps could not be ended: ${left.join(', ')}.`);
  }

  private startParent(): void {
    const { python, runnerPath, modules, folder } = this.options;
    let became!: () => void;
    let failed!: (error: Error) => void;
    this.ready = new Promise((resolve, reject) => {
      became = resolve;
      failed = reject;
    });
    const first = this.parents === 0;
    // Whoever starts an attempt is told; a parent that nobody waits for may fail unheard.
    this.ready.then(
      () => first && setImmediate(() => void sweep(this.options.home).catch(() => {})),
      () => {},
    );
    this.isReady = false;
    const start = () => {
      const known = modules.filter(name => !this.noisy.includes(name));
      const mark = `${this.mark}.${++this.parents}`;
      const parent: Parent = new Parent(
        { python, runnerPath, modules: known, folder, env: { ...this.environment(), STEPWELL_PARENT: mark } },
        {
          ready: message => {
            const news = message.noisy.filter(name => !this.noisy.includes(name));
            const problem = versionProblem(python, message.python);
            if (news.length > 0 && !problem && !this.closing) {
              this.rememberNoisy(news);
              this.parent = undefined;
              parent.kill();
              start();
            } else if (problem) {
              failed(problem);
              parent.kill();
            } else {
              this.watched = message.watched;
              this.becameReady();
              became();
            }
          },
          started: (key, pid, startTime) => this.running.get(key)?.record.other(`started as process ${pid} (${startTime})`),
          event: (key, event) => this.heard(key, JSON.stringify(event)),
          ended: (key, ended) => void this.processEnded(key, ended),
          gone: death => {
            if (this.parent !== parent) return;
            this.parent = undefined;
            if (this.closing && !this.isReady) failed(new TargetProblem('The local target has been closed.'));
            else if (this.isReady) void this.parentDied(death, mark);
            else void explain(python, runnerPath, death).then(failed);
            this.isReady = false;
          },
        },
      );
      this.parent = parent;
    };
    start();
  }

  private becameReady(): void {
    this.isReady = true;
    for (const one of this.running.values()) if (!one.sent && !one.ending) this.send(one);
  }

  private send(one: Running): void {
    one.sent = true;
    this.parent!.start(one.key, one.task);
  }

  private heard(key: string, line: string, left = 0): void {
    const one = this.running.get(key);
    if (!one || one.ending) return;
    const event = parseObject(line) as TaskEvent | undefined;
    if (!event || typeof event.type !== 'string') {
      one.record.other(line);
      return;
    }
    // Somebody who is not, or is no more, this attempt.
    if (event.token !== one.task.token) return;
    // A result is the last word, and has its own file.
    if (one.result) return;
    if (event.type === 'result') one.result = true;
    const number = one.result ? undefined : one.record.event(line);
    this.tell({ what: 'event', id: one.id, event, number, ...(left > 0 ? { left } : {}) });
  }

  private async processEnded(key: string, ended: Ended): Promise<void> {
    const one = this.running.get(key);
    if (!one) return;
    if (!one.result) await this.socket.drained(key, drainPatience);
    await this.end(one, this.errorOf(one, ended));
  }

  /** Tells that an attempt has ended, once; as failed only when it has left no result. */
  private async end(one: Running, error: () => TaskError): Promise<void> {
    if (one.ending) return;
    if (!one.result && one.sent) {
      const found = await this.committed(one.id);
      if (found?.result.token === one.task.token && !one.result && !one.ending) {
        one.result = true;
        this.tellResult(one.id, found);
      }
    }
    if (one.ending) return;
    one.ending = true;
    for (const timer of one.timers) clearTimeout(timer);
    this.running.delete(one.key);
    this.tell(one.result ? { what: 'ended', id: one.id } : { what: 'ended', id: one.id, error: error() });
    const written = one.record.flush();
    this.writing.add(written);
    await written;
    this.writing.delete(written);
    one.tellOver();
  }

  /** Every attempt that ran under it is over; what it left behind is killed first, so that `ended` is true. */
  private async parentDied(death: Death, mark: string): Promise<void> {
    const orphans = [...this.running.values()].filter(one => one.sent);
    await killMarked([`STEPWELL_PARENT=${mark}`]);
    const how = death.signal ? `was ended by ${death.signal}` : `ended with exit code ${death.code}`;
    const last = lastLine(death.complaint);
    for (const one of orphans) {
      await this.socket.drained(one.key, drainPatience);
      const message = `Step "${one.id.step}" was interrupted: the Python process that starts steps ${how}${last ? ` (${last})` : ''}.`;
      await this.end(one, one.stopped ? this.errorOf(one) : () => ({ kind: 'platform', message }));
    }
  }

  /** What its end means; asked for when it has left no result. */
  private errorOf(one: Running, ended: Ended = { exit: null, signal: null, reason: null }): () => TaskError {
    const { id, stopped, task } = one;
    return () =>
      errorOf(ended, {
        step: id.step,
        stopped,
        limits: task.limits,
        diskFull: full(attemptFolder(this.options.home, id)),
        complaint: lastLine(this.parent?.complaint),
      });
  }

  private async committed(id: AttemptId): Promise<Committed | undefined> {
    const found = await readShortened<TaskResult>(join(attemptFolder(this.options.home, id), 'result.json'));
    if (!found) return undefined;
    const { value: result, left } = found;
    return result?.run === id.run && result.step === id.step && result.attempt === id.attempt ? { result, left } : undefined;
  }

  private tellResult(id: AttemptId, { result, left }: Committed): void {
    const event: TaskEvent = { token: result.token, at: new Date().toISOString(), type: 'result', result };
    this.tell({ what: 'event', id, event, ...(left > 0 ? { left } : {}) });
  }

  private tell(event: TargetEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  /**
   * The user's environment, our package found first, and nothing of our own settings, which may hold a password. `STEPWELL_RESTORE` says
   * what the runner puts back once it is loaded, so that steps see the environment that a kernel would. Bytecode is written for our own
   * package even where people forbid it, since compiling it anew for each run costs more than everything else.
   */
  private environment(): NodeJS.ProcessEnv {
    const user = this.options.env ?? process.env;
    const env = Object.fromEntries(Object.entries(user).filter(([name]) => !name.startsWith('STEPWELL_')));
    const restore = { PYTHONPATH: env.PYTHONPATH ?? null, PYTHONDONTWRITEBYTECODE: env.PYTHONDONTWRITEBYTECODE ?? null };
    env.PYTHONPATH = [this.options.runnerPath, env.PYTHONPATH].filter(Boolean).join(delimiter);
    delete env.PYTHONDONTWRITEBYTECODE;
    if (this.options.packages) env.STEPWELL_PACKAGES = this.options.packages;
    return { ...env, STEPWELL_EVENTS: this.socket.path, STEPWELL_RESTORE: JSON.stringify(restore), [markName]: this.mark };
  }

  private get noisyFile(): string {
    return join(this.options.home, 'noisy.json');
  }

  private readNoisy(): string[] {
    const all = readNoisyFile(this.noisyFile);
    return all[this.options.python] ?? [];
  }

  private rememberNoisy(news: string[]): void {
    this.noisy = [...this.noisy, ...news];
    const all = { ...readNoisyFile(this.noisyFile), [this.options.python]: this.noisy };
    try {
      writeFileSync(this.noisyFile, JSON.stringify(all));
    } catch {
      // Learned again next time.
    }
  }
}

function readNoisyFile(file: string): { [python: string]: string[] } {
  try {
    const all = Object.entries(parseObject(readFileSync(file, 'utf8')) ?? {});
    return Object.fromEntries(all.map(([python, names]) => [python, Array.isArray(names) ? names.map(String) : []]));
  } catch {
    return {};
  }
}

const lastLine = (text = '') => text.trim().split('\n').at(-1)?.trim().slice(0, 300);

function full(folder: string): boolean {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize < leastRoom;
  } catch {
    return false;
  }
}
