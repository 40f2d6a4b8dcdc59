/** Many runs in one process: real notebooks, the local target, SQLite. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../../pipeline/compile';
import type { CellRun, LoggedTaskEvent } from '../../pipeline/model/protocol';
import type { Run, RunEvent, RunOptions } from '../../pipeline/model/run';
import { openArtifacts } from '../artifacts';
import { openStore, type Store } from '../store';
import { attemptFolder } from '../targets/attempt';
import { Pool } from '../targets/local/pool';
import { python } from '../targets/local/python-for-tests';
import { openRuns } from './many';
import { ownerName, startRun } from './run';
import type { Runs, RunToStart } from './runs';

const root = join(__dirname, '..', '..');
jest.setTimeout(60_000);

let place: string;
let home: string;
let folder: string;
let store: Store;
let runs: Runs;
let ear: Ear;

/** All that is told, and ways to wait for it. */
class Ear {
  readonly events = new Map<string, RunEvent[]>();
  readonly cells = new Map<string, Map<number, CellRun>>();
  readonly statuses = new Map<string, string[]>();
  readonly lines: { run: string; step: string; attempt: number; number: number; event: LoggedTaskEvent }[] = [];
  readonly cellHistory: CellRun[] = [];
  private readonly looks = new Set<() => void>();

  constructor(on: Runs) {
    on.listen({
      run: ({ id, status }) => {
        const known = this.statuses.get(id) ?? [];
        if (known.at(-1) !== status) known.push(status);
        this.statuses.set(id, known);
        this.look();
      },
      events: (run, events) => {
        this.events.set(run, [...(this.events.get(run) ?? []), ...events]);
        this.look();
      },
      cells: (run, cells) => {
        this.cellHistory.push(...cells);
        const known = this.cells.get(run) ?? new Map();
        for (const cell of cells) known.set(cell.cell, cell);
        this.cells.set(run, known);
        this.look();
      },
      line: (run, step, attempt, number, event) => {
        this.lines.push({ run, step, attempt, number, event });
        this.look();
      },
    });
  }

  private look() {
    for (const one of this.looks) one();
  }

  until(holds: () => boolean): Promise<void> {
    return new Promise(resolve => {
      const look = () => {
        if (!holds()) return;
        this.looks.delete(look);
        resolve();
      };
      this.looks.add(look);
      look();
    });
  }

  ended(run: string): Promise<void> {
    return this.until(() => ['succeeded', 'failed', 'cancelled'].includes(this.statuses.get(run)?.at(-1) ?? ''));
  }

  stands(run: string): string[] {
    return [...(this.cells.get(run) ?? [])].sort(([a], [b]) => a - b).map(([, cell]) => cell.status);
  }
}

const make = (workers = 2, idle?: number) =>
  openRuns({
    store,
    artifacts: openArtifacts(join(home, 'artifacts')),
    pool: new Pool({ root, runnerPath: join(root, 'runner'), home, idle }),
    home,
    workers,
    trouble: error => console.error(error),
  });

beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), 'sw-runs-'));
  home = join(place, 'home');
  folder = join(place, 'project');
  mkdirSync(home);
  mkdirSync(folder);
  store = await openStore({ url: `sqlite://${join(home, 'stepwell.db')}` });
  runs = make();
  ear = new Ear(runs);
});

afterEach(async () => {
  await runs.close();
  await store.close();
  rmSync(place, { recursive: true, force: true });
});

function request(
  cells: Record<string, string>,
  more: Partial<Omit<RunToStart, 'options'>> & { options?: Partial<RunOptions>; at?: string } = {},
): RunToStart {
  const notebook = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: 'python3', language: 'python', display_name: 'Python 3' } },
    cells: Object.entries(cells).map(([tag, source], i) => ({
      cell_type: 'code',
      id: `cell-${i}`,
      metadata: { tags: [tag.includes(':') ? tag : `step:${tag.replace(/\d*$/, '')}`] },
      source,
      outputs: [],
      execution_count: null,
    })),
  };
  const { pipeline, problems } = compile(notebook, { name: 'test' });
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([]);
  const { at = folder, options, ...rest } = more;
  return {
    notebook,
    notebookPath: join(at, 'notebook.ipynb'),
    pipeline: pipeline!,
    // What these runs do is to be done, though others did the same.
    options: { parameters: {}, reuse: false, keepGoing: false, python, ...options },
    ...rest,
  };
}

const start = async (cells: Record<string, string>, more?: Parameters<typeof request>[1]): Promise<Run> =>
  (await runs.start(request(cells, more))).run;

describe('a start', () => {
  it('resolves with the run’s row and tells its log from the first event to the last', async () => {
    const { run, repeated } = await runs.start(request({ load: 'x = 20', add: 'print(x + 1)' }, { by: 'ann' }));
    expect(repeated).toBe(false);
    expect(run).toMatchObject({ status: 'queued', startedBy: 'ann', pipelineName: 'test', target: 'local' });
    await ear.ended(run.id);
    expect(ear.statuses.get(run.id)).toEqual(['queued', 'running', 'succeeded']);
    const told = ear.events.get(run.id)!;
    expect(told).toEqual(await store.events(run.id));
    expect(told.map(({ sequence }) => sequence)).toEqual(told.map((_, index) => index + 1));
  });

  it('shows each cell as it goes', async () => {
    const { id } = await start({ load: 'x = 1', load2: 'y = 2', add: 'print(x + y)' });
    await ear.ended(id);
    await ear.until(() => ear.stands(id).every(status => status === 'succeeded'));
    const [first] = [...ear.cells.get(id)!.values()];
    expect(first).toMatchObject({ cell: 0, id: 'cell-0', step: 'load', attempt: 1, executionCount: 1, seconds: expect.any(Number) });
    const history = (cell: number) => ear.cellHistory.filter(one => one.cell === cell).map(({ status }) => status);
    expect(history(0)).toEqual([...new Set(history(0))]);
    expect(await runs.cells(id)).toEqual([...ear.cells.get(id)!.values()]);
  });

  it('of the same key and request is one run, of another request a conflict', async () => {
    const asked = request({ a: 'x = 1' }, { idempotencyKey: 'key' });
    const all = await Promise.all(Array.from({ length: 20 }, () => runs.start(asked)));
    expect(new Set(all.map(({ run }) => run.id)).size).toBe(1);
    expect(all.filter(({ repeated }) => !repeated)).toHaveLength(1);
    await expect(runs.start(request({ a: 'x = 2' }, { idempotencyKey: 'key' }))).rejects.toMatchObject({
      name: 'RunProblem',
      trouble: 'conflict',
    });
    expect(await store.listRuns()).toHaveLength(1);
  });

  it('says what is not in order', async () => {
    await expect(start({ a: 'x = 1' }, { options: { python: '/no/python' } })).rejects.toMatchObject({ trouble: 'invalid' });
    await expect(start({ a: 'x = 1' }, { options: { from: 'never' } })).rejects.toMatchObject({ trouble: 'invalid' });
    expect(await store.listRuns()).toEqual([]);
  });

  it('finds a warm Python that an earlier run has left, and another one when its packages or modules have changed', async () => {
    const pids = async () => {
      const { id } = await start({ a: 'import os, tool\nprint(os.getppid(), tool.value)' });
      await ear.ended(id);
      const { event } = ear.lines.find(one => one.run === id && one.event.type === 'output') as never;
      return (event as { output: { text: string } }).output.text.trim().split(' ');
    };
    const library = join(place, 'library');
    mkdirSync(library);
    const value = (text: string, seconds: number) => {
      writeFileSync(join(library, 'tool.py'), `value = "${text}"\n`);
      utimesSync(join(library, 'tool.py'), seconds, seconds);
    };
    value('old', 1000);
    process.env.PYTHONPATH = library;
    try {
      const [first, old] = await pids();
      const [second] = await pids();
      expect(second).toBe(first);
      expect(old).toBe('old');
      value('new', 2000);
      const [third, found] = await pids();
      expect(third).not.toBe(first);
      expect(found).toBe('new');
    } finally {
      delete process.env.PYTHONPATH;
    }
  });
});

describe('many runs', () => {
  it('take turns: the machine never runs more at once than it may, and those that wait are queued', async () => {
    const log = join(place, 'log');
    const busy = `import time\nwith open("${log}", "a") as f: f.write("+")\ntime.sleep(0.05)\nwith open("${log}", "a") as f: f.write("-")`;
    const cells = { a: busy, b: busy, c: busy };
    const all = await Promise.all(Array.from({ length: 12 }, () => start(cells)));
    expect(runs.running()).toMatchObject({ runs: 12 });
    expect(all.map(({ status }) => status)).toEqual(all.map(() => 'queued'));
    await Promise.all(all.map(({ id }) => ear.ended(id)));
    let now = 0;
    let most = 0;
    for (const sign of readFileSync(log, 'utf8')) {
      now += sign === '+' ? 1 : -1;
      most = Math.max(most, now);
    }
    expect(most).toBe(2);
    for (const { id } of all) expect(ear.statuses.get(id)).toEqual(['queued', 'running', 'succeeded']);
    expect(runs.running()).toMatchObject({ attempts: 0, waiting: 0 });
  });
});

describe('runs that would do the same', () => {
  const reuse = { options: { reuse: true } };
  const attempts = (id: string) => ear.lines.filter(one => one.run === id && one.event.type === 'started').length;

  it('at once do it once, and again not at all', async () => {
    const same = { a: 'total = 0\nfor i in range(2_000_000):\n    total += i', b: 'print(total)' };
    const all = [...(await Promise.all([start(same, reuse), start(same, reuse)]))];
    for (const { id } of all) await ear.ended(id);
    all.push(await start(same, reuse));
    await ear.ended(all[2]!.id);
    for (const { id } of all) expect(ear.statuses.get(id)!.at(-1)).toBe('succeeded');
    expect(all.reduce((sum, { id }) => sum + attempts(id), 0)).toBe(2);
    expect(attempts(all[2]!.id)).toBe(0);
    const cells = () => [...(ear.cells.get(all[2]!.id)?.values() ?? [])].map(({ status }) => status);
    await ear.until(() => cells().join() === 'reused,reused');
  });

  it('wait for no one who was cancelled', async () => {
    const same = { a: 'import time\nprint("on", flush=True)\ntime.sleep(600)' };
    const [first, second] = await Promise.all([start(same, reuse), start(same, reuse)]);
    const on = () => ear.lines.find(({ event }) => event.type === 'output');
    await ear.until(() => on() !== undefined);
    const [running, waiting] = on()!.run === first!.id ? [first!, second!] : [second!, first!];
    await runs.cancel(running.id);
    await ear.until(() => ear.lines.some(({ run, event }) => run === waiting.id && event.type === 'output'));
    await runs.cancel(waiting.id);
    await ear.ended(waiting.id);
    expect(ear.statuses.get(running.id)!.at(-1)).toBe('cancelled');
  });
});

describe('a cancel', () => {
  const sleeps = { a: 'import time\nprint("asleep", flush=True)\ntime.sleep(600)\nx = 1', b: 'print(x)' };

  it('stops what runs and ends the run as cancelled', async () => {
    const { id } = await start(sleeps);
    await ear.until(() => ear.lines.some(({ event }) => event.type === 'output'));
    await runs.cancel(id);
    await ear.ended(id);
    await ear.until(() => ear.stands(id).every(status => status === 'cancelled'));
    expect(ear.statuses.get(id)).toEqual(['queued', 'running', 'cancelled']);
    await expect(runs.cancel(id)).rejects.toMatchObject({ trouble: 'wrong-state' });
    await expect(runs.cancel('never')).rejects.toMatchObject({ trouble: 'not-found' });
  });

  it('ends a run that waits for its turn', async () => {
    const holding = await Promise.all([start(sleeps), start(sleeps)]);
    const { id } = await start({ a: 'print(1)' });
    await ear.until(() => ear.lines.filter(({ event }) => event.type === 'output').length === 2);
    expect(ear.statuses.get(id)).toEqual(['queued']);
    await runs.cancel(id);
    await ear.ended(id);
    expect(ear.statuses.get(id)!.at(-1)).toBe('cancelled');
    expect(ear.lines.some(({ run }) => run === id)).toBe(false);
    for (const one of holding) await runs.cancel(one.id);
  });
});

describe('a failure', () => {
  it('is shown on its cell with what was raised, and a resume goes on from there', async () => {
    const flag = join(folder, 'flag');
    const cells = {
      load: 'x = 1',
      train: 'y = 2',
      train2: `import os\nif not os.path.exists("${flag}"): raise ValueError("no flag")`,
      end: 'print(y)',
    };
    const { id } = await start(cells);
    await ear.ended(id);
    await ear.until(() => ear.stands(id).join() === 'succeeded,succeeded,failed,skipped');
    const failed = ear.cells.get(id)!.get(2)!;
    expect(failed.error).toMatchObject({ ename: 'ValueError', evalue: 'no flag' });
    expect(failed.error!.traceback.join('\n')).toContain('no flag');
    const [train] = (await store.loadRun(id))!.attempts.filter(({ step }) => step === 'train');
    expect(train!.cells!.map(({ ended }) => ended)).toEqual(['ok', 'error']);
    writeFileSync(flag, '');
    expect(await runs.resume(id)).toMatchObject({ id });
    await ear.until(() => ear.statuses.get(id)!.at(-1) === 'succeeded');
    await ear.until(() => ear.stands(id).every(status => status === 'succeeded'));
    expect(ear.statuses.get(id)).toEqual(['queued', 'running', 'failed', 'queued', 'running', 'succeeded']);
    expect(ear.events.get(id)).toEqual(await store.events(id));
    const { attempts } = (await store.loadRun(id))!;
    expect(attempts.filter(({ step }) => step === 'load')).toHaveLength(1);
    await expect(runs.resume(id)).rejects.toMatchObject({ trouble: 'wrong-state' });
    await expect(runs.resume('never')).rejects.toMatchObject({ trouble: 'not-found' });
  });
});

describe('what an attempt says', () => {
  it('is told with numbers from 1 under which it is found again, also while it runs', async () => {
    const { id } = await start({ a: 'import time\nfor i in range(5): print(i, flush=True)\nprint("asleep", flush=True)\ntime.sleep(600)' });
    await ear.until(() => ear.lines.some(({ event }) => JSON.stringify(event).includes('asleep')));
    const told = ear.lines.map(({ number, event }) => ({ number, event }));
    expect(told.map(({ number }) => number)).toEqual(told.map((_, index) => index + 1));
    expect(await runs.lines(id, 'a', 1, 0, 1000)).toEqual(told);
    expect(await runs.lines(id, 'a', 1, 3, 2)).toEqual(told.slice(3, 5));
    expect(JSON.stringify(told)).not.toContain('token');
    await runs.cancel(id);
    await ear.ended(id);
    expect((await runs.lines(id, 'a', 1, 0, 1000)).slice(0, told.length)).toEqual(told);
    expect(await runs.lines(id, 'b', 1, 0, 10)).toEqual([]);
    await expect(runs.lines('../x', 'b', 1, 0, 10)).rejects.toThrow();
  });

  it('may hold 50 MB in one piece: the result is kept whole, what is told of it is short', async () => {
    const { id } = await start({
      a: 'from IPython.display import HTML, display\ndisplay(HTML("<p>" + "x\\n" * 25_000_000))',
      b: 'print(2)',
    });
    await ear.ended(id);
    expect(ear.statuses.get(id)!.at(-1)).toBe('succeeded');
    const { steps } = (await store.loadRun(id))!;
    const result = JSON.parse((await openArtifacts(join(home, 'artifacts')).read(steps[0]!.result!)).toString());
    expect(result.cells[0].outputs[0].data['text/html']).toHaveLength(50_000_003);
    const [line] = (await runs.lines(id, 'a', 1, 0, 100)).filter(({ event }) => event.type === 'output');
    expect(JSON.stringify(line)).toMatch(/bytes are left out here/);
    expect(JSON.stringify(line).length).toBeLessThan(2_000_000);
  });
});

describe('runs of other processes', () => {
  it('are told as they go', async () => {
    await runs.adopt();
    const { notebook, notebookPath, pipeline, options } = request({ a: 'x = 1', b: 'print(x)' });
    const pool = new Pool({ root, runnerPath: join(root, 'runner'), home });
    const lent = pool.lend(notebook, notebookPath, python);
    const artifacts = openArtifacts(join(home, 'artifacts'));
    const report = await startRun(
      { notebook, notebookPath, pipeline, options },
      { store, artifacts, target: lent.target, attemptFolder: id => attemptFolder(home, id) },
    );
    await pool.close();
    await ear.ended(report.run);
    expect(ear.events.get(report.run)).toEqual(await store.events(report.run));
    await ear.until(() => ear.stands(report.run).join() === 'succeeded,succeeded');
  });
});

describe('a stop', () => {
  const slow = (log: string) => ({
    first: `with open("${log}", "a") as f: f.write("first ")\nx = 1`,
    slow: `import time, os\ny = x\nwith open("${log}", "a") as f: f.write("slow ")\nif not os.path.exists("${log}.go"):\n    print("asleep", flush=True)\n    time.sleep(600)`,
    last: `print(y)\nwith open("${log}", "a") as f: f.write("last")`,
  });

  it('leaves runs for the next service, which ends them with nothing done twice', async () => {
    const log = join(place, 'log');
    const { id } = await start(slow(log));
    await ear.until(() => ear.lines.some(({ event }) => event.type === 'output'));
    await runs.close();
    await expect(start({ a: '1' })).rejects.toMatchObject({ trouble: 'stopping' });
    expect(await store.findRun(id)).toMatchObject({ status: 'running', owner: ownerName('service') });
    writeFileSync(`${log}.go`, '');
    runs = make();
    ear = new Ear(runs);
    await runs.adopt();
    await ear.ended(id);
    expect(ear.statuses.get(id)!.at(-1)).toBe('succeeded');
    expect(readFileSync(log, 'utf8')).toBe('first slow slow last');
    const { attempts } = (await store.loadRun(id))!;
    expect(attempts.map(({ step, attempt }) => `${step} ${attempt}`)).toEqual(['first 1', 'last 1', 'slow 1', 'slow 2']);
  });

  it('leaves runs that wait for their turn', async () => {
    const log = join(place, 'log');
    const all = await Promise.all([start(slow(log)), start(slow(log)), start({ a: 'print(1)' })]);
    await ear.until(() => ear.lines.filter(({ event }) => event.type === 'output').length === 2);
    await runs.close();
    writeFileSync(`${log}.go`, '');
    runs = make();
    ear = new Ear(runs);
    await runs.adopt();
    await Promise.all(all.map(({ id }) => ear.ended(id)));
    for (const { id } of all) expect(ear.statuses.get(id)!.at(-1)).toBe('succeeded');
  });

  it('ends what a command that was killed has left, and says why', async () => {
    const { notebook, notebookPath, pipeline, options } = request({ a: 'print(1)' });
    const { pipelineId, version } = await store.saveVersion({
      name: 'x',
      notebookPath,
      document: pipeline,
      notebook: JSON.stringify(notebook),
    });
    const run = { pipeline: pipelineId, version, options, folder, notebookPath, target: 'local', steps: ['a'] };
    await store.createRun({ ...run, id: 'killed0000000000', claim: { owner: 'other-machine:1', seconds: -1 } });
    await runs.adopt();
    await ear.ended('killed0000000000');
    expect(await store.findRun('killed0000000000')).toMatchObject({
      status: 'cancelled',
      reason: expect.stringMatching(/the process that ran it ended/),
    });
    expect(await runs.resume('killed0000000000')).toMatchObject({ id: 'killed0000000000' });
    await ear.until(() => ear.statuses.get('killed0000000000')!.at(-1) === 'succeeded');
  });
});
