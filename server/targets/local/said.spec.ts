import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Record } from './record';
import { readSaid } from './said';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'said-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const line = (cell: number, text = '') =>
  JSON.stringify({ token: 'secret', at: 'now', type: 'output', cell, output: { output_type: 'stream', name: 'stdout', text } });
const numbers = async (after: number, limit: number) => (await readSaid(folder, after, limit)).map(one => one.number);

it('gives back what was recorded under the numbers that it was given, without the token', async () => {
  const record = new Record(folder);
  const given = [1, 2, 3].map(cell => record.event(line(cell)));
  record.other('noise');
  expect(given).toEqual([1, 2, 3]);
  await record.flush();
  const said = await readSaid(folder, 1, 10);
  expect(said.map(({ number }) => number)).toEqual([2, 3]);
  expect(said[0]!.event).toMatchObject({ type: 'output', cell: 2 });
  expect(JSON.stringify(said)).not.toContain('secret');
});

it('reads page by page, in any order, whatever the length of lines', async () => {
  const count = 3000;
  writeFileSync(
    join(folder, 'events.jsonl'),
    Array.from({ length: count }, (_, i) => `${line(i, 'x'.repeat((i * 7919) % 700))}\n`).join(''),
  );
  const all: number[] = [];
  for (let after = 0; ; ) {
    const page = await readSaid(folder, after, 137);
    if (page.length === 0) break;
    for (const { number, event } of page) {
      expect(event).toMatchObject({ cell: number - 1 });
      all.push(number);
    }
    after = all.at(-1)!;
  }
  expect(all).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  for (const after of [2990, 511, 512, 513, 0, 1024]) expect((await numbers(after, 2))[0]).toBe(after + 1);
  expect(await numbers(count, 5)).toEqual([]);
  expect(await numbers(count + 5000, 5)).toEqual([]);
});

it('does not tell half a line, and tells it when it has its end', async () => {
  writeFileSync(join(folder, 'events.jsonl'), `${line(0)}\n${line(1).slice(0, 20)}`);
  expect(await numbers(0, 10)).toEqual([1]);
  appendFileSync(join(folder, 'events.jsonl'), `${line(1).slice(20)}\n`);
  expect(await numbers(0, 10)).toEqual([1, 2]);
});

it('ends a page early when lines are long', async () => {
  writeFileSync(join(folder, 'events.jsonl'), `${line(0, 'x'.repeat(3 << 20))}\n`.repeat(4));
  expect(await numbers(0, 100)).toEqual([1, 2]);
  expect(await numbers(2, 100)).toEqual([3, 4]);
});

it('is empty for an attempt that has said nothing', async () => {
  expect(await numbers(0, 10)).toEqual([]);
});
