/**
 * What every target must do, tried with real task documents and the real runner. A target's spec calls `targetSuite` with a way to make
 * one; what only that target can suffer is in its own spec.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { type TaskDocument, taskFormat } from '../../pipeline/model/task';
import { attemptFolder, attemptKey } from './attempt';
import type { Target, TargetEvent } from './target';

/** Where one test's target and tasks keep their things. */
export interface Place {
  home: string;
  folder: string;
}

export function makePlace(): Place {
  const root = mkdtempSync(join(tmpdir(), 'stepwell-target-'));
  const place = { home: join(root, 'home'), folder: join(root, 'notebook') };
  for (const folder of [place.home, place.folder, join(place.home, 'artifacts')]) mkdirSync(folder, { recursive: true });
  return place;
}

export const removePlace = ({ home }: Place) => rmSync(join(home, '..'), { recursive: true, force: true });

let count = 0;

/** A task that runs these cells. */
export function someTask({ home, folder }: Place, cells: string[], more: Partial<TaskDocument> = {}): TaskDocument {
  const id = { run: more.run ?? `r${++count}`, step: more.step ?? 'train', attempt: more.attempt ?? 1 };
  return {
    format: taskFormat,
    ...id,
    token: `token-${count}`,
    prelude: [],
    parameters: {},
    sharedCells: [],
    sources: [],
    inputs: { values: {}, channels: {}, files: {} },
    cells: cells.map((source, cell) => ({ cell, source, executionCount: cell + 1 })),
    wanted: [],
    definitions: [],
    metrics: [],
    freshRandom: true,
    looksAt: [],
    folder,
    workspace: join(home, 'runs', id.run, id.step, `${id.attempt}`, 'workspace'),
    artifacts: join(home, 'artifacts'),
    attemptFolder: attemptFolder(home, id),
    env: {},
    limits: {},
    ...more,
  };
}

/** Everything a target tells, by attempt, and ways to wait for it. */
export class Ear {
  readonly heard: TargetEvent[] = [];
  private readonly waiting = new Set<() => void>();
  readonly stop: () => void;

  constructor(target: Target) {
    this.stop = target.watch(event => {
      this.heard.push(event);
      for (const look of this.waiting) look();
    });
  }

  of(task: TaskDocument): TargetEvent[] {
    return this.heard.filter(one => attemptKey(one.id) === attemptKey(task));
  }

  /** What the attempt printed. */
  printed(task: TaskDocument): string {
    return this.of(task)
      .map(one =>
        one.what === 'event' && one.event.type === 'output' && one.event.output.output_type === 'stream' ? one.event.output.text : '',
      )
      .join('');
  }

  until<T>(look: () => T | undefined | false): Promise<T> {
    return new Promise(resolve => {
      const again = () => {
        const found = look();
        if (found === undefined || found === false) return;
        this.waiting.delete(again);
        resolve(found);
      };
      this.waiting.add(again);
      again();
    });
  }

  ended(task: TaskDocument): Promise<Extract<TargetEvent, { what: 'ended' }>> {
    return this.until(() => this.of(task).find(one => one.what === 'ended') as Extract<TargetEvent, { what: 'ended' }> | undefined);
  }
}

/** Whether a process is there, other than as a zombie that waits to be noticed. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat[stat.lastIndexOf(')') + 2] !== 'Z';
  } catch (error) {
    return process.platform !== 'linux' && (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Prints the pid of a process that the cell starts and leaves running, in a group of its own if `escapes`. */
const leavesBehind = (escapes: boolean) => `
import subprocess
left = subprocess.Popen(["sleep", "600"], start_new_session=${escapes ? 'True' : 'False'})
print("left", left.pid, flush=True)
`;
const waits = 'import time\nprint("waiting", flush=True)\ntime.sleep(600)';

/** Whether a process that an attempt has started is gone, or goes by itself where its end was only certain. */
export type Gone = (task: TaskDocument, pid: number) => Promise<boolean>;

/** `make` gives a target for the place that is ready to be used; it is closed after each test. */
export function targetSuite(
  name: string,
  make: (place: Place) => Promise<Target> | Target,
  gone: Gone = async (_task, pid) => !alive(pid),
): void {
  describe(`the target ${name}`, () => {
    let place: Place;
    let target: Target;
    let ear: Ear;
    beforeEach(async () => {
      place = makePlace();
      target = await make(place);
      ear = new Ear(target);
    });
    afterEach(async () => {
      await target.close();
      removePlace(place);
    });
    const task = (cells: string[], more?: Partial<TaskDocument>) => someTask(place, cells, more);
    const run = async (one: TaskDocument) => {
      await target.start(one);
      return ear.ended(one);
    };
    const leftPid = (one: TaskDocument) => ear.until(() => Number(/left (\d+)/.exec(ear.printed(one))?.[1]) || undefined);

    it('tells what an attempt says in order, its result last, then that it ended', async () => {
      const one = task(['print("first")', 'x = 6 * 7\nx']);
      expect(await run(one)).toEqual({ what: 'ended', id: { run: one.run, step: 'train', attempt: 1 } });
      const types = ear.of(one).map(event => (event.what === 'event' ? event.event.type : 'ended'));
      expect(types).toEqual([
        'started',
        'inputs-restored',
        ...['cell-started', 'output', 'cell-finished'],
        ...['cell-started', 'output', 'cell-finished'],
        'result',
        'ended',
      ]);
      expect(ear.printed(one)).toBe('first\n');
      const result = ear.of(one).find(event => event.what === 'event' && event.event.type === 'result');
      expect(result).toMatchObject({ event: { token: one.token, result: { status: 'succeeded', run: one.run, token: one.token } } });
    });

    it('starts an attempt once though asked twice', async () => {
      const one = task(['from uuid import uuid4\nprint(uuid4())']);
      await Promise.all([target.start(one), target.start(one)]);
      await target.start(one);
      await ear.ended(one);
      expect(ear.printed(one).trim().split('\n')).toHaveLength(1);
      expect(ear.of(one).filter(event => event.what === 'ended')).toHaveLength(1);
    });

    it('runs attempts at the same time, each told under its own name', async () => {
      const tasks = ['a', 'b', 'c', 'd'].map(step => task([`print("${step}")`], { step }));
      await Promise.all(tasks.map(one => run(one)));
      for (const one of tasks) expect(ear.printed(one)).toBe(`${one.step}\n`);
    });

    it('tells a failure of the code by its result', async () => {
      const one = task(['1 / 0']);
      expect((await run(one)).error).toBeUndefined();
      const result = ear.of(one).find(event => event.what === 'event' && event.event.type === 'result');
      expect(result).toMatchObject({
        event: { result: { status: 'failed', error: { kind: 'user', ename: 'ZeroDivisionError', cell: 0 } } },
      });
    });

    it.each([
      ['ends its process', 'import os\nos._exit(3)', 'user', /"train".*exit code 3/],
      ['ends its process as if all were well', 'import os\nos._exit(0)', 'user', /"train".*exit code 0/],
      ['crashes in compiled code', 'import ctypes\nctypes.string_at(0)', 'user', /"train".*SIGSEGV/],
      ['is killed from outside', 'import os, signal\nos.kill(os.getpid(), signal.SIGKILL)', 'killed', /"train".*SIGKILL/],
    ])('tells when a step %s', async (_what, code, kind, message) => {
      const ended = await run(task(['print("before", flush=True)', code]));
      expect(ended.error).toMatchObject({ kind, message: expect.stringMatching(message) });
      expect(ear.heard.filter(one => one.what === 'event' && one.event.type === 'output')).toHaveLength(1);
    });

    it('goes on after a crash', async () => {
      await run(task(['import ctypes\nctypes.string_at(0)']));
      expect((await run(task(['print(1)']))).error).toBeUndefined();
    });

    it('stops an attempt and what it started', async () => {
      const one = task([leavesBehind(false), waits]);
      await target.start(one);
      const left = await leftPid(one);
      await ear.until(() => ear.printed(one).includes('waiting'));
      await target.stop({ run: one.run, step: one.step, attempt: one.attempt });
      const ended = await ear.ended(one);
      // Code that is interrupted may still commit a result; what counts is that it has ended.
      if (ended.error) expect(ended.error.kind).toBe('killed');
      expect(await gone(one, left)).toBe(true);
    });

    it('stops an attempt that does not want to', async () => {
      const one = task([
        'import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nsignal.signal(signal.SIGINT, signal.SIG_IGN)',
        waits,
      ]);
      await target.start(one);
      await ear.until(() => ear.printed(one).includes('waiting'));
      await target.stop(one);
      expect((await ear.ended(one)).error).toMatchObject({ kind: 'killed' });
    });

    it('takes stopping what is gone, or never was, as nothing', async () => {
      const one = task(['1']);
      await target.stop(one);
      await run(one);
      await target.stop(one);
      expect(ear.of(one).filter(event => event.what === 'ended')).toHaveLength(1);
    });

    it('ends what a step left running when it has finished', async () => {
      const one = task([leavesBehind(false)]);
      await run(one);
      expect(await gone(one, await leftPid(one))).toBe(true);
    });

    it('stops a step that takes longer than it may', async () => {
      const one = task([leavesBehind(false), waits], { limits: { timeout: 0.5 } });
      expect((await run(one)).error).toMatchObject({ kind: 'timeout', message: expect.stringMatching(/"train".*0\.5 seconds/) });
      expect(await gone(one, await leftPid(one))).toBe(true);
    });

    it('stops a step that uses more memory than it may', async () => {
      const limits = { memory: 300 * 1024 * 1024 };
      const one = task(
        ['import time\nheld = []\nfor _ in range(200):\n    held.append(bytearray(b"x" * 10_000_000))\n    time.sleep(0.02)'],
        { limits },
      );
      expect((await run(one)).error).toMatchObject({ kind: 'out-of-memory', message: expect.stringMatching(/"train".*300 MiB/) });
    });

    it('tells output of many megabytes whole', async () => {
      const one = task(['print("é" * 5_000_000)']);
      await run(one);
      expect(ear.printed(one)).toBe(`${'é'.repeat(5_000_000)}\n`);
    });

    it('leaves nothing behind when it is closed', async () => {
      const one = task([leavesBehind(true), waits]);
      await target.start(one);
      const left = await leftPid(one);
      const started = ear.of(one)[0];
      const pid = started?.what === 'event' && started.event.type === 'started' ? started.event.pid : 0;
      await target.close();
      await ear.ended(one);
      expect(await Promise.all([pid, left].map(each => gone(one, each)))).toEqual([true, true]);
      await expect(target.start(task(['1']))).rejects.toThrow(/closed/);
    });

    describe('after a crash of the engine', () => {
      let later: Target;
      let laterEar: Ear;
      afterEach(() => later?.close());
      const recover = async (tasks: TaskDocument[]) => {
        later = await make(place);
        laterEar = new Ear(later);
        await later.recover(tasks.map(({ run, step, attempt }) => ({ run, step, attempt })));
      };

      it('tells the result of what had committed one, and of the rest that it ended', async () => {
        const [done, never] = [task(['print("done")']), task(['1'])];
        await run(done);
        await target.close();
        await recover([done, never]);
        expect(laterEar.of(done)).toMatchObject([
          { event: { type: 'result', token: done.token, result: { status: 'succeeded' } } },
          { what: 'ended' },
        ]);
        expect(laterEar.of(done)[1]).not.toHaveProperty('error');
        expect(laterEar.of(never)).toMatchObject([
          { what: 'ended', error: { kind: 'platform', message: expect.stringContaining('"train"') } },
        ]);
      });
    });
  });
}
