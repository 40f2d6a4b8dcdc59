/**
 * The warm parent: one Python process that has imported what the notebook imports and forks once per attempt. This file knows its
 * protocol (docs/running.md, "The warm parent") and nothing of what attempts mean.
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { TaskDocument } from '../../../pipeline/model/task';
import { Lines, parseObject } from './lines';

export interface ParentOptions {
  python: string;
  runnerPath: string;
  modules: string[];
  folder: string;
  env: NodeJS.ProcessEnv;
}

/** How an attempt's process group ended. */
export interface Ended {
  exit: number | null;
  signal: number | null;
  reason: 'memory' | 'timeout' | null;
}

export interface ParentListener {
  /** `watched`: modification times, in nanoseconds, of what makes it stale when it changes. */
  ready(message: { python: string; noisy: string[]; watched: Record<string, string> }): void;
  started(key: string, pid: number, startTime: number): void;
  event(key: string, event: unknown): void;
  ended(key: string, ended: Ended): void;
  /** It is gone. `error` when it could not even be started. Told once, after everything else. */
  gone(death: { code: number | null; signal: NodeJS.Signals | null; error?: Error; complaint: string }): void;
}

/** Characters of its standard error that are kept to tell why it died. */
const complaintLimit = 20_000;

export class Parent {
  private readonly process: ChildProcessByStdio<Writable, Readable, Readable>;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
  /** The end of what it, and those it forked, wrote to standard error. */
  complaint = '';

  constructor(options: ParentOptions, listener: ParentListener) {
    // Its folder is the runner's: `-m` puts the current folder before everything else, and a notebook's folder may hold a json.py.
    this.process = spawn(options.python, ['-m', 'stepwell.parent'], {
      cwd: options.runnerPath,
      env: options.env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    this.say({ do: 'prepare', modules: options.modules, folder: options.folder });
    const lines = new Lines(line => this.heard(line, listener));
    this.process.stdout.on('data', (chunk: Buffer) => lines.push(chunk));
    this.process.stderr.on('data', (chunk: Buffer) => this.complain(chunk.toString()));
    // Writing to a parent that has just died fails; `gone` tells of it.
    this.process.stdin.on('error', () => {});
    this.gone = new Promise(resolve => {
      let told = false;
      const tell = (code: number | null, signal: NodeJS.Signals | null, error?: Error) => {
        if (told) return;
        told = true;
        lines.end();
        // What escaped may hold their other ends for as long as it likes.
        this.process.stdout.destroy();
        this.process.stderr.destroy();
        listener.gone({ code, signal, error, complaint: this.complaint });
        resolve();
      };
      this.process.on('error', error => this.process.pid === undefined && tell(null, null, error));
      this.process.on('close', (code, signal) => tell(code, signal));
      // A grandchild that kept its output open would keep `close` from coming.
      this.process.on('exit', (code, signal) => setTimeout(tell, 500, code, signal).unref());
    });
  }

  start(key: string, task: TaskDocument): void {
    this.say({ do: 'start', key, task });
  }

  stop(key: string, signal: 'term' | 'kill'): void {
    this.say({ do: 'stop', key, signal });
  }

  /** Ends its input: it then kills what it started and exits. Killed itself if it does not within so many milliseconds. */
  async end(patience: number): Promise<void> {
    this.process.stdin.end();
    const timer = setTimeout(() => this.kill(), patience);
    await this.gone;
    clearTimeout(timer);
  }

  kill(): void {
    this.process.kill('SIGKILL');
  }

  private say(message: object): void {
    if (this.process.stdin.writable) this.process.stdin.write(`${JSON.stringify(message)}\n`);
  }

  private heard(line: string, listener: ParentListener): void {
    const message = parseObject(line);
    const key = typeof message?.key === 'string' ? message.key : '';
    switch (message?.say) {
      case 'ready':
        listener.ready({
          python: String(message.python),
          noisy: Array.isArray(message.noisy) ? message.noisy.map(String) : [],
          watched: typeof message.watched === 'object' ? (message.watched as Record<string, string>) : {},
        });
        break;
      case 'started':
        listener.started(key, Number(message.pid), Number(message.startTime));
        break;
      case 'event':
        listener.event(key, message.event);
        break;
      case 'ended':
        listener.ended(key, message as unknown as Ended);
        break;
      default:
        // Something that a module printed behind everybody's back.
        this.complain(`${line}\n`);
    }
  }

  private complain(text: string): void {
    this.complaint = (this.complaint + text).slice(-complaintLimit);
  }
}
