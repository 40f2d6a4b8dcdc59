/** The collector: what no run names goes, and nothing else ever, also while runs write. */
import { existsSync, readdirSync, renameSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { openArtifacts } from '../artifacts';
import { collect } from './collect';
import { type Bench, type Cells, edited, openBench, ran } from './notebook-for-tests';
import type { RunReport } from './run';

jest.setTimeout(60_000);

let bench: Bench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => bench.close());

const cells: Cells = [
  ['make', 'x = list(range(1000))'],
  ['take', 'y = sum(x)\nprint(y)'],
];
const other = edited(cells, 'make', '1000', '2000');

const blobs = (): string[] => {
  const all = join(bench.artifacts.folder, 'sha256');
  return (existsSync(all) ? readdirSync(all) : []).flatMap(first => readdirSync(join(all, first)).map(rest => join(all, first, rest)));
};
const age = () => {
  for (const path of blobs()) utimesSync(path, 1000, 1000);
};
const gc = (more: object = {}) => collect({ ...bench, retention: {}, dryRun: false, ...more });
const isWhole = async (report: RunReport) => {
  const digests = report.steps.flatMap(({ outputs }) => outputs.flatMap(({ digest }) => digest ?? []));
  const whole = await Promise.all(digests.map(digest => bench.artifacts.verify(digest)));
  return digests.length > 0 && whole.every(Boolean);
};

it('removes what no run names and nobody has touched for an hour', async () => {
  const report = await bench.run(cells);
  const { digest } = await bench.artifacts.put('nobody’s');
  expect(await gc()).toMatchObject({ blobs: 0, young: 1 });
  age();
  const dry = await gc({ dryRun: true });
  expect(dry).toMatchObject({ blobs: 1, bytes: Buffer.byteLength('nobody’s'), runs: [] });
  expect(bench.artifacts.has(digest)).toBe(true);
  expect(await gc()).toEqual(dry);
  expect(bench.artifacts.has(digest)).toBe(false);
  expect(await isWhole(report)).toBe(true);
});

it('removes no run unless asked to, and then neither pinned ones nor the newest that are to stay', async () => {
  const reports: RunReport[] = [];
  for (const range of ['1', '2', '3', '4']) reports.push(await bench.run(edited(cells, 'make', '1000', range)));
  const [first, second, third, fourth] = reports.map(({ run }) => run);
  age();
  expect(await gc()).toMatchObject({ runs: [], blobs: 0 });
  await bench.store.pinRun(first!, true);
  const retention = { keep: 1, before: new Date(Date.now() + 1000).toISOString() };
  expect(await gc({ retention, dryRun: true })).toMatchObject({ runs: [second, third] });
  expect(await gc({ retention })).toMatchObject({ runs: [second, third] });
  expect((await bench.store.listRuns({})).map(({ id }) => id)).toEqual([fourth, first]);
  expect(existsSync(join(bench.home, 'runs', second!))).toBe(false);
  expect(await isWhole(reports[0]!)).toBe(true);
  expect(await isWhole(reports[3]!)).toBe(true);
  expect(await isWhole(reports[1]!)).toBe(false);
  expect(await gc({ retention: { before: new Date(0).toISOString() } })).toMatchObject({ runs: [] });
});

it('leaves a run that was reused from what it needs when the first one goes, and its answers are found still', async () => {
  await bench.run(cells);
  const second = await bench.run(cells);
  expect(ran(second)).toEqual([]);
  age();
  expect((await gc({ retention: { keep: 1 } })).runs).toHaveLength(1);
  expect(await isWhole(second)).toBe(true);
  expect(ran(await bench.run(cells))).toEqual([]);
});

it('takes nothing from runs that go on meanwhile', async () => {
  let over = false;
  const collecting = (async () => {
    while (!over) await gc({ retention: { keep: 1 } });
  })();
  try {
    for (let round = 0; round < 6; round++) {
      age();
      const report = await bench.run(round % 2 ? cells : other);
      expect(report.status).toBe('succeeded');
      expect(await isWhole(report)).toBe(true);
    }
  } finally {
    over = true;
    await collecting;
  }
});

it('takes no blob that is written again or touched while it is looked at', async () => {
  for (let round = 0; round < 200; round++) {
    const { digest } = await bench.artifacts.put('again and again');
    age();
    const [, found] = await Promise.all([
      bench.artifacts.collect(digest, Date.now() - 1000),
      round % 2 ? bench.artifacts.put('again and again').then(() => true) : bench.artifacts.touch(digest),
    ]);
    // Who is told that it is there finds it there.
    if (found) expect(await bench.artifacts.verify(digest)).toBe(true);
  }
});

it('puts back what a collector that was killed had put aside', async () => {
  const { digest } = await bench.artifacts.put('aside');
  const path = bench.artifacts.path(digest);
  await bench.artifacts.collect(digest, 0);
  renameSync(path, join(bench.artifacts.folder, 'collecting', digest.slice(7)));
  const again = openArtifacts(bench.artifacts.folder);
  for await (const _one of again.list());
  expect(await again.verify(digest)).toBe(true);
});
