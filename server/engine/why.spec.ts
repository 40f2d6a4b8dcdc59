/** Why steps run, told after a run and before one. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyDigest } from './key';
import { type Bench, type Cells, edited, openBench } from './notebook-for-tests';
import { whyStep } from './why';

jest.setTimeout(60_000);

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
  bench.write('data/iris.csv', 'a,b\n1,2\n');
});
afterEach(() => bench.close());

const cells: Cells = [
  ['parameters', 'depth = 3'],
  ['functions', 'def clean(x):\n    return x.strip()'],
  ['load', 'frame = open("data/iris.csv").read()'],
  ['tidy', 'tidied = clean(frame)'],
  ['fit', 'fitted = tidied * depth\nprint(fitted)'],
];

async function why(step: string): Promise<string[]> {
  const { id } = (await bench.store.latestRun(bench.notebookPath))!;
  return (await whyStep(bench.store, id, step)).reasons;
}

it('a step that has never run had not run before', async () => {
  await bench.run(cells);
  expect(await why('load')).toEqual(['It had not run before.']);
});

it('a reused step names the run that it was taken from', async () => {
  const { run } = await bench.run(cells);
  const second = await bench.run(cells);
  expect(await whyStep(bench.store, second.run, 'fit')).toEqual({
    step: 'fit',
    status: 'reused',
    comparedWith: { run, made: expect.stringMatching(/Z$/) },
    reasons: [`Nothing that it uses has changed since run ${run}.`],
  });
});

const changes: [what: string, change: () => { cells?: Cells; depth?: number }, told: Record<string, string[]>][] = [
  ['a parameter', () => ({ depth: 5 }), { fit: ['Parameter depth 3 → 5.'] }],
  [
    'a function',
    () => ({ cells: edited(cells, 'functions', 'x.strip()', 'x.strip() + "!"') }),
    { tidy: ['`clean()` changed.'], fit: ['Input tidied has other content, made by tidy.'] },
  ],
  [
    'a file',
    () => {
      bench.write('data/iris.csv', 'a,b\n3,4\n');
      return {};
    },
    { load: ['data/iris.csv has new content.'], tidy: ['Input frame has other content, made by load.'] },
  ],
  [
    'the code of a step',
    () => ({ cells: edited(cells, 'tidy', 'clean(frame)', 'clean(frame).upper()') }),
    { tidy: ['Its own code changed.'] },
  ],
];

it.each(changes)('tells a change of %s, after the run and before it', async (_what, change, told) => {
  await bench.run(cells);
  const { cells: now = cells, depth } = change();
  const options = depth === undefined ? {} : { parameters: { depth } };
  const planned = await bench.plan(now, options);
  const first = Object.keys(told)[0]!;
  expect(planned.find(({ step }) => step === first)).toMatchObject({ does: 'runs', reasons: told[first] });
  await bench.run(now, options);
  for (const [step, reasons] of Object.entries(told)) expect(await why(step)).toEqual(reasons);
});

it('tells before a run what depends on what runs', async () => {
  await bench.run(cells);
  const planned = await bench.plan(edited(cells, 'tidy', 'clean(frame)', '(clean(frame))'));
  expect(planned.map(({ step, does }) => [step, does])).toEqual([
    ['load', 'reused'],
    ['tidy', 'runs'],
    ['fit', 'depends'],
  ]);
  expect(planned[2]!.reasons).toEqual(['It is reused if tidy gives the same again.']);
});

it('a plan starts nothing and changes nothing', async () => {
  const { run } = await bench.run(cells);
  await bench.plan(edited(cells, 'tidy', 'clean(frame)', '"other"'));
  expect((await bench.store.listRuns({})).map(({ id }) => id)).toEqual([run]);
});

it('tells an upgrade of a package and of Python', async () => {
  const { run } = await bench.run(cells);
  const loaded = (await bench.store.loadRun(run))!;
  const { key, result } = loaded.steps.find(({ step }) => step === 'load')!;
  const [name, version] = Object.entries(key!.used!.environment.packages)[0]!;
  key!.used!.environment.packages[name] = '0.0.1';
  await bench.store.keepKey(run, ['load'], result!, key!, keyDigest(key!.parts));
  await bench.run(cells);
  expect(await why('load')).toEqual([`${name} 0.0.1 → ${version}.`]);
});

it('tells an output that is gone, and one that is damaged', async () => {
  const report = await bench.run(cells);
  const path = bench.artifacts.path(report.steps[0]!.outputs.find(({ name }) => name === 'frame')!.digest!);
  const bytes = readFileSync(path);
  rmSync(path);
  await bench.run(cells);
  expect(await why('load')).toEqual(['One of its outputs is no longer among the artifacts.']);
  bytes[0]! ^= 1;
  writeFileSync(path, bytes);
  await bench.run(cells);
  expect(await why('load')).toEqual(['One of its outputs is damaged.']);
  expect(await bench.artifacts.verify(report.steps[0]!.outputs.find(({ name }) => name === 'frame')!.digest!)).toBe(true);
});

it('tells what was asked for', async () => {
  await bench.run(cells);
  await bench.run(cells, { reuse: false });
  expect(await why('tidy')).toEqual(['The run was started without reuse.']);
  await bench.run(cells, { from: 'tidy' });
  expect(await why('fit')).toEqual(['The run was to run everything from "tidy" on.']);
});

it('tells a program that a step ran', async () => {
  const shell: Cells = [['list', '!echo hello']];
  await bench.run(shell);
  await bench.run(shell);
  expect((await why('list'))[0]).toMatch(/^The earlier run of it ran a program \(a shell line\), and what that read is not known/);
});

it('does not tell what a secret is', async () => {
  process.env.SW_SECRET = 'hunter-2';
  try {
    const secret: Cells = [['read', 'import os\nos.environ.get("SW_SECRET") is None']];
    await bench.run(secret);
    process.env.SW_SECRET = 'hunter-3';
    await bench.run(secret);
  } finally {
    delete process.env.SW_SECRET;
  }
  expect(await why('read')).toEqual(['The environment variable SW_SECRET has another value.']);
  expect(readFileSync(join(bench.home, 'stepwell.db')).includes('hunter-')).toBe(false);
  expect(readFileSync(join(bench.home, 'stepwell.db-wal')).includes('hunter-')).toBe(false);
});

it('rejects what is not there', async () => {
  const { run } = await bench.run(cells);
  await expect(whyStep(bench.store, 'nobody', 'load')).rejects.toThrow('There is no run "nobody".');
  await expect(whyStep(bench.store, run, 'nobody')).rejects.toThrow(`There is no step "nobody" in run ${run}`);
});
