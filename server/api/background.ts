/** The service's side of the thread (`thread.ts`): jobs go there, answers come back. A thread that dies, or thinks for too long, is replaced. */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Jobs, Message } from './thread';

interface Waiting {
  resolve(answer: never): void;
  reject(error: unknown): void;
  timer: NodeJS.Timeout;
}

export interface BackgroundOptions {
  /** Where blobs are. */
  artifacts: string;
  /** The compiled `thread.ts`; specs name one that compiles it first. */
  program?: string;
  /** Milliseconds that a job may take. */
  patience?: number;
}

export class Background {
  private thread: Worker | undefined;
  private readonly waiting = new Map<number, Waiting>();
  private count = 0;
  private closed = false;

  constructor(private readonly options: BackgroundOptions) {
    // The first notebook should not wait for the compiler to load.
    this.start();
  }

  ask<J extends keyof Jobs>(job: J, asked: Jobs[J]['asked']): Promise<Jobs[J]['answer']> {
    if (this.closed) return Promise.reject(new Error('The thread was asked for something after it was closed.'));
    const thread = this.thread ?? this.start();
    const id = ++this.count;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.replace(new Error(`The job "${job}" took too long.`)), this.options.patience ?? 60_000);
      this.waiting.set(id, { resolve, reject, timer });
      thread.postMessage({ id, job, asked, artifacts: this.options.artifacts } satisfies Message);
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    this.fail(new Error('The service is stopping.'));
    await this.thread?.terminate();
  }

  private start(): Worker {
    // Nothing of ours in its environment, and nothing of it on our standard output.
    const thread = new Worker(this.options.program ?? join(__dirname, 'thread.js'), { env: {}, stdout: true });
    thread.unref();
    thread.on('message', ({ id, answer, error }: { id: number; answer: never; error?: unknown }) => {
      const one = this.waiting.get(id);
      if (!one) return;
      this.waiting.delete(id);
      clearTimeout(one.timer);
      if (error === undefined) one.resolve(answer);
      else one.reject(error);
    });
    thread.on('error', error => this.lost(thread, error));
    thread.on('exit', () => this.lost(thread, new Error('The thread ended.')));
    this.thread = thread;
    return thread;
  }

  private replace(error: Error): void {
    void this.thread?.terminate();
    this.lost(this.thread, error);
  }

  private lost(thread: Worker | undefined, error: unknown): void {
    if (thread === undefined || this.thread !== thread) return;
    this.thread = undefined;
    this.fail(error);
  }

  private fail(error: unknown): void {
    for (const { reject, timer } of this.waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    this.waiting.clear();
  }
}
