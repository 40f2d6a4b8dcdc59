/** Whole runs: real notebooks through the compiler, the engine, SQLite, the local target and the Python runner. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compile } from '../../pipeline/compile';
import type { StepSettings } from '../../pipeline/model/pipeline';
import type { RunEvent, RunOptions } from '../../pipeline/model/run';
import { type Artifacts, openArtifacts } from '../artifacts';
import { openStore, type Store } from '../store';
import { attemptFolder, createLocalTarget, type LocalTarget } from '../targets/local';
import { python } from '../targets/local/python-for-tests';
import { type RunReport, resumeRun, startRun } from './run';

const root = join(__dirname, '..', '..');
const runnerPath = join(root, 'runner');
jest.setTimeout(60_000);

let place: string;
let home: string;
let folder: string;
let store: Store;
let artifacts: Artifacts;
let target: LocalTarget;
let events: RunEvent[];

beforeEach(async () => {
  place = mkdtempSync(join(tmpdir(), 'sw-run-'));
  home = join(place, 'home');
  folder = join(place, 'project');
  mkdirSync(home);
  mkdirSync(folder);
  events = [];
  store = await openStore({ url: `sqlite://${join(home, 'stepwell.db')}` });
  artifacts = openArtifacts(join(home, 'artifacts'));
  target = createLocalTarget({ python, runnerPath, home, folder, modules: [] });
});

afterEach(async () => {
  await target.close();
  await store.close();
  rmSync(place, { recursive: true, force: true });
});

type Cells = Record<string, string>;

function notebook(cells: Cells, steps: Record<string, StepSettings> = {}) {
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: 'python3', language: 'python', display_name: 'Python 3' }, stepwell: { version: 1, steps } },
    cells: Object.entries(cells).map(([step, source], i) => ({
      cell_type: 'code',
      id: `cell-${i}`,
      metadata: { tags: [`step:${step}`] },
      source,
      outputs: [],
      execution_count: null,
    })),
  };
}

const around = (signal?: AbortSignal) => ({
  store,
  artifacts,
  target,
  attemptFolder: (id: { run: string; step: string; attempt: number }) => attemptFolder(home, id),
  listener: { events: (rows: RunEvent[]) => void events.push(...rows) },
  signal,
});

async function run(made: ReturnType<typeof notebook>, options: Partial<RunOptions> = {}, signal?: AbortSignal): Promise<RunReport> {
  const { pipeline, problems } = compile(made);
  expect(problems.filter(problem => problem.severity === 'error')).toEqual([]);
  const notebookPath = join(folder, 'notebook.ipynb');
  return startRun(
    {
      notebook: made,
      notebookPath,
      pipeline: pipeline!,
      options: { parameters: {}, reuse: false, keepGoing: false, workers: 2, ...options },
    },
    around(signal),
  );
}

const printed = (report: RunReport): string[] =>
  report.cells.map(cell =>
    cell.outputs
      .map(output => (output.output_type === 'stream' ? output.text : output.output_type === 'error' ? `${output.ename}!` : '?'))
      .join(''),
  );
const statuses = (report: RunReport) => Object.fromEntries(report.steps.map(step => [step.name, step.status]));
const attempts = (report: RunReport) => Object.fromEntries(report.steps.map(step => [step.name, step.attempts]));
const counted = (file: string) => readFileSync(file, 'utf8').split('\n').filter(Boolean);

describe('a run', () => {
  it('hands values, in-place changes, definitions and files from step to step', async () => {
    const report = await run(
      notebook({
        load: 'import json\nclass Point:\n    def __init__(self, x):\n        self.x = x\npoints = [Point(1), Point(2)]\nalso = points',
        move: 'def shift(ps):\n    for p in ps:\n        p.x += 10\nshift(points)\nopen("out.txt", "w").write("moved")\nprint(len(points))',
        show: 'print([p.x for p in also], also is points, isinstance(points[0], Point), open("out.txt").read(), json.dumps({}))',
      }),
    );
    expect(printed(report)).toEqual(['', '2\n', '[11, 12] True True moved {}\n']);
    expect(existsSync(join(folder, 'out.txt'))).toBe(false);
  });

  it('runs steps again whose inputs an unforeseen change above made old', async () => {
    const report = await run(
      notebook({
        make: 'box = {"n": 1}\nalias = {"inner": box}',
        change: 'import time\ntime.sleep(0.3)\nalias["in" + "ner"].update(n=2)',
        read: 'print(box["n"])',
      }),
    );
    expect(printed(report).at(-1)).toBe('2\n');
  });

  it('keeps the order in which steps draw from a seeded generator', async () => {
    const source = {
      seed: 'import random\nrandom.seed(1)',
      one: 'import time\ntime.sleep(0.2)\na = random.random()',
      two: 'b = random.random()\nprint(round(b, 6))',
    };
    const report = await run(notebook(source));
    expect(printed(report).at(-1)).toBe('0.847434\n');
  });

  it.each([
    ['found out when it runs', 'conn = [sqlite3][0].connect(":memory:")', true],
    ['foreseen', 'conn = sqlite3.connect(":memory:")', false],
  ])('joins the steps between a value that cannot leave its process and its reader: %s', async (_, made, planned) => {
    const report = await run(
      notebook({
        open: `import sqlite3\n${made}\nprint("opened")`,
        other: 'y = 1',
        ask: 'print(conn.execute("select 40 + 2").fetchone(), y)',
      }),
    );
    expect(printed(report)).toEqual(['opened\n', '', '(42,) 1\n']);
    expect(new Set(report.steps.map(step => step.unit))).toEqual(new Set(['open+1+ask']));
    expect(events.some(({ change }) => change.what === 'plan' && change.reason.includes('`conn`'))).toBe(planned);
  });

  it('joins the steps around a value that was saved and cannot be loaded', async () => {
    const report = await run(
      notebook({
        make: 'class Shy:\n    def __reduce__(self):\n        return (__import__("operator").truediv, (1, 0))\nshy = Shy()\nshy.n = 42',
        use: 'print(shy.n)',
      }),
    );
    expect(printed(report).at(-1)).toBe('42\n');
  });

  it('tries a failed step again as often as its settings say', async () => {
    const tries = join(place, 'tries');
    const source = `open(${JSON.stringify(tries)}, "a").write("x\\n")\nn = len(open(${JSON.stringify(tries)}).readlines())\nassert n == 3, n\nprint(n)`;
    const report = await run(notebook({ shaky: source }, { shaky: { retries: 2 } }));
    expect(report.status).toBe('succeeded');
    expect(attempts(report)).toEqual({ shaky: 3 });
    const once = await run(notebook({ shaky: 'assert False' }, { shaky: { retries: 1 } }));
    expect([once.status, attempts(once)]).toEqual(['failed', { shaky: 2 }]);
  });

  it('stops below a failure, and shows the outputs of what is above it', async () => {
    const report = await run(notebook({ a: 'x = 1\nprint("a")', b: 'print("b")\n1 / 0', c: 'print("c")' }));
    expect(report.status).toBe('failed');
    expect(printed(report)).toEqual(['a\n', 'b\nZeroDivisionError!']);
    expect(report.steps[1]!.error).toMatchObject({ kind: 'user', cell: 1, ename: 'ZeroDivisionError' });
  });

  it('goes on with what does not need a failed step when it is told to', async () => {
    const made = notebook({ a: '1 / 0\nx = 1', b: 'print(x)', c: 'print("c")' });
    expect(statuses(await run(made, { keepGoing: true }))).toEqual({ a: 'failed', b: 'skipped', c: 'succeeded' });
    const setting = notebook({ a: '1 / 0\nx = 1', b: 'print(x)', c: 'print("c")' }, { a: { onFailure: 'continue' } });
    expect(statuses(await run(setting))).toEqual({ a: 'failed', b: 'skipped', c: 'succeeded' });
  });

  it('ends a step that takes longer than its timeout, or more memory than its limit, and says so', async () => {
    const slow = await run(notebook({ slow: 'import time\nprint("on it")\ntime.sleep(30)' }, { slow: { timeout: 0.5 } }));
    expect(slow.steps[0]!.error).toMatchObject({ kind: 'timeout', message: expect.stringContaining('slow') });
    expect(printed(slow)).toEqual(['on it\n']);
    const large = await run(
      notebook(
        { large: 'import time\nblock = bytearray(600_000_000)\nfor i in range(0, len(block), 4096): block[i] = 1\ntime.sleep(5)' },
        { large: { resources: { memory: '200Mi' } } },
      ),
    );
    expect(large.steps[0]!.error).toMatchObject({ kind: 'out-of-memory' });
  });

  it('is cancelled by its signal, and goes on from there when resumed', async () => {
    const marks = join(place, 'marks');
    const mark = (step: string) => `open(${JSON.stringify(marks)}, "a").write("${step}\\n")`;
    const made = notebook({
      a: `x = 1\n${mark('a')}`,
      b: `import time\n${mark('b')}\ntime.sleep(x if len(open(${JSON.stringify(marks)}).readlines()) > 2 else 60)\nprint("done")`,
    });
    const stop = new AbortController();
    const waiting = setInterval(() => {
      if (existsSync(marks) && counted(marks).length === 2) stop.abort();
    }, 20);
    const first = await run(made, {}, stop.signal);
    clearInterval(waiting);
    expect([first.status, statuses(first)]).toEqual(['cancelled', { a: 'succeeded', b: 'cancelled' }]);
    const second = await resumeRun(first.run, around());
    expect([second.status, printed(second).at(-1)]).toEqual(['succeeded', 'done\n']);
    expect(counted(marks)).toEqual(['a', 'b', 'b']);
  });

  it('is cancelled by a signal that comes while the loop is at work', async () => {
    const made = notebook({ long: 'import time\ntime.sleep(300)' });
    const stop = new AbortController();
    const begun = ({ change }: RunEvent) => change.what === 'step' && change.status === 'running';
    const listener = { events: (rows: RunEvent[]) => void (rows.some(begun) && stop.abort()) };
    const { pipeline } = compile(made);
    const options = { parameters: {}, reuse: false, keepGoing: false };
    const notebookPath = join(folder, 'notebook.ipynb');
    const report = await startRun({ notebook: made, notebookPath, pipeline: pipeline!, options }, { ...around(stop.signal), listener });
    expect(statuses(report)).toEqual({ long: 'cancelled' });
  });

  it('takes the steps above --from out of the latest run, unless their code has changed', async () => {
    const marks = join(place, 'marks');
    const mark = (step: string) => `open(${JSON.stringify(marks)}, "a").write("${step}\\n")`;
    const cells = { a: `x = 20\n${mark('a')}`, b: `y = x + 1\n${mark('b')}`, c: 'print(x + y)' };
    await run(notebook(cells));
    const from = await run(notebook({ ...cells, c: 'print(x + y + 1)' }), { from: 'c' });
    expect([statuses(from), printed(from).at(-1)]).toEqual([{ a: 'reused', b: 'reused', c: 'succeeded' }, '42\n']);
    const changed = await run(notebook({ ...cells, b: `y = x + 2\n${mark('b')}` }), { from: 'c' });
    expect([statuses(changed), printed(changed).at(-1)]).toEqual([{ a: 'reused', b: 'succeeded', c: 'succeeded' }, '42\n']);
    expect(counted(marks)).toEqual(['a', 'b', 'b']);
  });

  it("is resumed from the runner's own files where a result had no time to become a blob", async () => {
    const marks = join(place, 'marks');
    const first = await run(
      notebook({
        a: `x = 41\nopen(${JSON.stringify(marks)}, "a").write("a\\n")`,
        b: `if len(open(${JSON.stringify(marks)}).readlines()) < 2:\n    open(${JSON.stringify(marks)}, "a").write("b\\n")\n    raise ValueError\nprint(x + 1)`,
      }),
    );
    expect(first.status).toBe('failed');
    const row = (await store.loadRun(first.run))!.steps.find(({ step }) => step === 'a')!;
    rmSync(artifacts.path(row.result!));
    const second = await resumeRun(first.run, around());
    expect([second.status, printed(second).at(-1)]).toEqual(['succeeded', '42\n']);
    expect(counted(marks)).toEqual(['a', 'b']);
    expect(artifacts.has(row.result!)).toBe(true);
  });

  it('writes a log without gaps, in which every step ends once', async () => {
    const report = await run(notebook({ a: 'x = 1', b: 'y = x', c: 'z = x', d: 'print(y, z)' }));
    const log = await store.events(report.run);
    expect(log.map(event => event.sequence)).toEqual(log.map((_, index) => index + 1));
    for (const step of ['a', 'b', 'c', 'd']) {
      const said = log.flatMap(({ change }) => (change.what === 'step' && change.step === step ? [change.status] : []));
      expect(said.filter(status => status === 'succeeded')).toHaveLength(1);
      expect(said.at(-1)).toBe('succeeded');
    }
    expect(log.at(-1)!.change).toMatchObject({ what: 'run', status: 'succeeded' });
  });
});

describe('kill -9 of the command', () => {
  const stepwell = join(root, 'lib', 'server', 'cli', 'main.js');
  // Told apart from the same test running beside this one.
  const nap = `61.${process.pid}`;

  it.each([1, 2, 3])('after step %i has begun loses nothing that had finished, and leaves no process behind', async begun => {
    const marks = join(place, 'marks');
    const cells: Cells = {};
    for (const step of [1, 2, 3]) {
      cells[`s${step}`] =
        `${step > 1 ? `x = x + ${step}` : 'x = 1'}\nimport time, subprocess\nopen(${JSON.stringify(marks)}, "a").write("${step}\\n")\nif len(open(${JSON.stringify(marks)}).readlines()) == ${begun}:\n    subprocess.Popen(["sleep", "${nap}"])\n    time.sleep(60)\nprint(x)`;
    }
    const path = join(folder, 'notebook.ipynb');
    writeFileSync(path, JSON.stringify(notebook(cells)));
    const env = { ...process.env, STEPWELL_HOME: home, STEPWELL_DATABASE: '', STEPWELL_ARTIFACTS: '' };
    const child = spawn(process.execPath, [stepwell, 'run', path, '--python', python], { env, stdio: 'ignore' });
    const gone = new Promise(resolve => child.once('exit', resolve));
    while (!existsSync(marks) || counted(marks).length < begun) await new Promise(resolve => setTimeout(resolve, 20));
    child.kill('SIGKILL');
    await gone;
    const done = spawnSync(process.execPath, [stepwell, 'run', '--resume', 'last', '--json'], { env, encoding: 'utf8' });
    expect(done.stderr).not.toContain('Error:');
    expect(JSON.parse(done.stdout)).toMatchObject({ status: 'succeeded' });
    expect(counted(marks)).toEqual(['1', '2', '3'].flatMap(step => (Number(step) === begun ? [step, step] : [step])));
    const left = spawnSync('pgrep', ['-f', `sleep ${nap}`], { encoding: 'utf8' });
    expect(left.stdout).toBe('');
  });
});
