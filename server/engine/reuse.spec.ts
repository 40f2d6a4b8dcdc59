/** Earlier answers used again: real notebooks, run twice, with something changed in between. What has to run again is told step by step. */
import { readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import type { RunOptions } from '../../pipeline/model/run';
import { type Bench, type Cells, edited, openBench, ran, shown } from './notebook-for-tests';
import type { RunReport } from './run';
import { whyStep } from './why';

jest.setTimeout(60_000);

let bench: Bench;
let place: string;
let folder: string;
/** What a server gives. */
let content = '';

beforeEach(async () => {
  bench = await openBench();
  ({ place, folder } = bench);
});
afterEach(() => bench.close());

const run: Bench['run'] = (...asked) => bench.run(...asked);
const write: Bench['write'] = (...file) => bench.write(...file);

const chain: Cells = [
  ['parameters', 'depth = 3\nwidth = 2'],
  ['functions', 'import math\ndef clean(x):\n    return trim(x)\ndef trim(x):\n    return x + 1\ndef unused():\n    return 0'],
  ['load', 'import json\nrows = json.load(open("rows.json"))\nprint(rows)'],
  ['clean', 'cleaned = [clean(x) for x in rows]\ncleaned'],
  ['grow', 'grown = [x * depth for x in cleaned]\nprint(grown)'],
  ['end', 'print(sum(grown), math.floor(2.5))'],
];

describe('a run of a notebook that has run before', () => {
  beforeEach(() => write('rows.json', '[1, 2]'));

  it('runs nothing when nothing has changed, and hands back the same outputs', async () => {
    const first = await run(chain);
    expect(ran(first)).toEqual(['load', 'clean', 'grow', 'end']);
    const second = await run(chain);
    expect(ran(second)).toEqual([]);
    expect(second.status).toBe('succeeded');
    expect(second.cells).toEqual(first.cells);
  });

  const edits: [what: string, edit: (cells: Cells) => Cells | undefined, reruns: string[], options?: Partial<RunOptions>][] = [
    ['a comment', cells => edited(cells, 'clean', /^/, '# why\n'), []],
    ['the layout of a call', cells => edited(cells, 'grow', 'print(grown)', 'print( grown )'), []],
    ['a comment in a function', cells => edited(cells, 'functions', 'return x + 1', '# more\n    return x + 1'), []],
    ['a function that nobody calls', cells => edited(cells, 'functions', 'return 0', 'return 1'), []],
    ['the name of a function that nobody calls', cells => edited(cells, 'functions', 'unused', 'spare'), []],
    ['one more function', cells => edited(cells, 'functions', /$/, '\ndef more():\n    pass'), []],
    ['a function called by a function', cells => edited(cells, 'functions', 'x + 1', 'x + 2'), ['clean', 'grow', 'end']],
    ['a function, with the same result', cells => edited(cells, 'functions', 'x + 1', '1 + x'), ['clean']],
    ['an import that nobody needs', cells => edited(cells, 'functions', 'import math', 'import math\nimport string'), []],
    ['a parameter that one step reads', cells => cells, ['grow', 'end'], { parameters: { depth: 4 } }],
    ['a parameter that no step reads', cells => cells, [], { parameters: { width: 5 } }],
    ['the default of a parameter that no step reads', cells => edited(cells, 'parameters', 'width = 2', 'width = 9'), []],
    ['the default of a parameter that one step reads', cells => edited(cells, 'parameters', 'depth = 3', 'depth = 9'), ['grow', 'end']],
    ['the last step', cells => edited(cells, 'end', 'sum', 'max'), ['end']],
    ['a step, with the same result', cells => edited(cells, 'grow', 'x * depth', 'depth * x'), ['grow']],
    ['the content of a file', () => void write('rows.json', '[1, 3]'), ['load', 'clean', 'grow', 'end']],
    ['the layout of a file', () => void write('rows.json', '[1,  2]'), ['load']],
    ['a file that nobody reads', () => void write('other.json', '[]'), []],
    ['the time of a file', () => void utimesSync(join(folder, 'rows.json'), 1, 1), []],
    ['text above the cells', cells => [['markdown', '# Title'], ...cells], []],
    ['a step before all others', cells => [...cells.slice(0, 2), ['zero', 'print("zero")'], ...cells.slice(2)], ['zero']],
    ['whether steps are reused', cells => cells, ['load', 'clean', 'grow', 'end'], { reuse: false }],
  ];

  it.each(edits)('runs no more than it must after a change of %s', async (_what, edit, reruns, options = {}) => {
    await run(chain);
    const cells = edit(chain) ?? chain;
    const report = await run(cells, options);
    expect(report.status).toBe('succeeded');
    expect(ran(report)).toEqual(reruns);
    const fresh = await run(cells, { ...options, reuse: false });
    expect(shown(report)).toEqual(shown(fresh));
  });

  it('goes back to an answer of long ago', async () => {
    await run(chain);
    await run(edited(chain, 'grow', 'x * depth', 'x + depth'));
    expect(ran(await run(chain))).toEqual([]);
    write('rows.json', '[5]');
    await run(chain);
    write('rows.json', '[1, 2]');
    expect(ran(await run(chain))).toEqual([]);
  });
});

describe('what a step had read', () => {
  it('is noticed when it changes without its size and its modification time', async () => {
    write('a.txt', 'one');
    const cells: Cells = [['read', 'print(open("a.txt").read())']];
    await run(cells);
    const { atime, mtime } = statSync(join(folder, 'a.txt'));
    write('a.txt', 'two');
    utimesSync(join(folder, 'a.txt'), atime, mtime);
    expect(shown(await run(cells))).toEqual([[0, 1, ['two\n']]]);
  });

  it.each([
    [
      'a module beside the notebook',
      'helper.py',
      'def f():\n    return 1\n',
      'def f():\n    return 2\n',
      'import helper\nprint(helper.f())',
    ],
    ['a module in a package', 'lib/part.py', 'x = 1\n', 'x = 2\n', 'from lib import part\nprint(part.x)'],
    ['a file read by a library', 'a.csv', 'x\n1\n', 'x\n2\n', 'import pandas\nprint(pandas.read_csv("a.csv").x[0])'],
    ['a folder', 'in/a.txt', '', undefined, 'import os\nprint(len(os.listdir("in")))'],
    ['the files of a pattern', 'in/a.txt', '', undefined, 'import glob\nprint(len(glob.glob("in/*.txt")))'],
  ])('is noticed when it is %s', async (_what, name, before, after, code) => {
    write(name, before);
    const cells: Cells = [
      ['one', 'print("one")'],
      ['read', code],
    ];
    const first = await run(cells);
    expect(ran(await run(cells))).toEqual([]);
    if (after === undefined) write('in/b.txt', '');
    else write(name, after);
    const report = await run(cells);
    expect(ran(report)).toEqual(['read']);
    expect(shown(report)).not.toEqual(shown(first));
  });

  it('is noticed outside of the notebook’s folder', async () => {
    const file = join(place, 'far.txt');
    writeFileSync(file, 'near');
    const cells: Cells = [['read', `name = ${JSON.stringify(place)} + "/far" + ".txt"\nprint(open(name).read())`]];
    await run(cells);
    expect(ran(await run(cells))).toEqual([]);
    writeFileSync(file, 'farther');
    expect(shown(await run(cells))).toEqual([[0, 1, ['farther\n']]]);
  });

  it('is noticed when it was not there before', async () => {
    const cells: Cells = [['read', 'try:\n    print(open("maybe.txt").read())\nexcept FileNotFoundError:\n    print("nothing")']];
    await run(cells);
    expect(ran(await run(cells))).toEqual([]);
    write('maybe.txt', 'something');
    expect(shown(await run(cells))).toEqual([[0, 1, ['something\n']]]);
  });

  it('is noticed when it is a variable of the environment', async () => {
    const cells: Cells = [['read', 'import os\nprint(os.environ.get("SW_" + "TEST", "none"))']];
    await run(cells);
    expect(ran(await run(cells))).toEqual([]);
    process.env.SW_TEST = 'set';
    try {
      expect(ran(await run(cells))).toEqual(['read']);
    } finally {
      delete process.env.SW_TEST;
    }
  });

  it('is noticed when it is in a folder that the step declares, whoever reads it', async () => {
    write('in/deep/a.txt', 'a');
    const cells: Cells = [['read', 'print("read by a library in C")']];
    const sources = { read: { sources: ['in'] } };
    await run(cells, {}, sources);
    expect(ran(await run(cells, {}, sources))).toEqual([]);
    write('in/deep/a.txt', 'b');
    expect(ran(await run(cells, {}, sources))).toEqual(['read']);
    write('in/deep/b.txt', 'b');
    expect(ran(await run(cells, {}, sources))).toEqual(['read']);
    expect(ran(await run(cells, {}, sources))).toEqual([]);
  });

  it.each([
    ['ETag', () => ({ etag: `"${content.length}"` })],
    ['length and date', () => ({ 'content-length': String(content.length), 'last-modified': 'Thu, 01 Jan 1970 00:00:00 GMT' })],
    ['content', () => ({})],
  ])('is noticed when it is an address that the step declares, by its %s', async (_what, headers) => {
    content = 'one';
    const server = createServer((request, response) => {
      response.writeHead(200, headers());
      response.end(request.method === 'HEAD' ? undefined : content);
    });
    await new Promise<void>(listening => server.listen(0, '127.0.0.1', listening));
    const address = `http://127.0.0.1:${(server.address() as { port: number }).port}/data.csv?token=secret`;
    const cells: Cells = [['read', `import urllib.request\nprint(urllib.request.urlopen("${address}").read())`]];
    const sources = { read: { sources: [address] } };
    try {
      await run(cells, {}, sources);
      expect(ran(await run(cells, {}, sources))).toEqual([]);
      content = 'other';
      const report = await run(cells, {}, sources);
      expect(shown(report)).toEqual([[0, 1, ["b'other'\n"]]]);
      const { reasons } = await whyStep(bench.store, report.run, 'read');
      expect(reasons).toEqual([expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+\/data\.csv has new content\.$/)]);
    } finally {
      server.closeAllConnections();
      server.close();
    }
    // Nobody knows what it would give.
    expect(ran(await run(cells, {}, sources).catch(() => ({ steps: [{ name: 'read', status: 'failed' }] }) as RunReport))).toEqual([
      'read',
    ]);
  });

  it('is followed through files that steps hand on', async () => {
    write('in.txt', 'a');
    const cells: Cells = [
      ['make', 'open("out.txt", "w").write(open("in.txt").read().strip())'],
      ['take', 'print(open("out.txt").read())'],
    ];
    await run(cells);
    expect(ran(await run(cells))).toEqual([]);
    write('in.txt', 'a\n');
    expect(ran(await run(cells))).toEqual(['make']);
    write('in.txt', 'b');
    const report = await run(cells);
    expect(ran(report)).toEqual(['make', 'take']);
    expect(shown(report).at(-1)).toEqual([1, 2, ['b\n']]);
  });

  it('is looked at again when a step above writes it in the same run, where nothing said that it would', async () => {
    const file = `${JSON.stringify(place)} + "/pass" + ".txt"`;
    const cells: Cells = [
      ['write', `path = ${file}\nwith open(path, "w") as f:\n    f.write("one")\ndel path`],
      ['read', `print(open(${file}).read())`],
    ];
    writeFileSync(join(place, 'pass.txt'), '');
    await run(cells, { workers: 1 });
    expect(ran(await run(cells, { workers: 1 }))).toEqual([]);
    const report = await run(edited(cells, 'write', 'one', 'two'), { workers: 1 });
    expect(shown(report).at(-1)).toEqual([1, 2, ['two\n']]);
    expect(ran(report)).toEqual(['write', 'read']);
  });

  it('is written again where what it wrote elsewhere is gone', async () => {
    const file = join(place, 'result.txt');
    const cells: Cells = [['write', `with open(${JSON.stringify(place)} + "/result.txt", "w") as f:\n    f.write("done")`]];
    await run(cells);
    expect(ran(await run(cells))).toEqual([]);
    rmSync(file);
    expect(ran(await run(cells))).toEqual(['write']);
    expect(readFileSync(file, 'utf8')).toBe('done');
  });
});

describe('a step', () => {
  const draw: Cells = [['draw', 'import random\nprint(random.random())']];

  it('is not reused where its setting says so', async () => {
    await run(draw);
    expect(ran(await run(draw, {}, { draw: { reuse: false } }))).toEqual(['draw']);
    expect(ran(await run(draw, {}, { draw: { reuse: { maxAge: 0 } } }))).toEqual(['draw']);
    expect(ran(await run(draw, {}, { draw: { reuse: { maxAge: 1000 } } }))).toEqual([]);
  });

  it('that ran a program is reused only where its setting asks for it', async () => {
    const cells: Cells = [['list', '!echo hello']];
    await run(cells);
    expect(ran(await run(cells))).toEqual(['list']);
    expect(ran(await run(cells, {}, { list: { reuse: true } }))).toEqual(['list']);
    expect(ran(await run(cells, {}, { list: { reuse: true } }))).toEqual([]);
  });

  it('follows seeded generators through steps that are reused', async () => {
    const cells: Cells = [
      ['seed', 'import random\nrandom.seed(1)'],
      ['first', 'a = random.random()\nprint(a)'],
      ['second', 'print(random.random())'],
    ];
    await run(cells);
    expect(ran(await run(cells))).toEqual([]);
    const changed = edited(cells, 'first', 'a = ', 'random.random(); a = ');
    const report = await run(changed);
    expect(ran(report)).toEqual(['first', 'second']);
    expect(shown(report)).toEqual(shown(await run(changed, { reuse: false })));
  });

  it('runs again when a step below needs something that it did not keep', async () => {
    const cells: Cells = [
      ['make', 'a = 1\nb = 2'],
      ['take', 'print(a)'],
    ];
    await run(cells);
    const report = await run(edited(cells, 'take', 'print(a)', 'print(a, b)'));
    expect(ran(report)).toEqual(['make', 'take']);
    expect(shown(report).at(-1)).toEqual([1, 2, ['1 2\n']]);
    expect(ran(await run(cells))).toEqual([]);
  });

  it('with an output that shows its place runs again when the place changes', async () => {
    const cells: Cells = [['warn', 'import warnings\nwarnings.warn("careful")']];
    await run(cells);
    expect(ran(await run(cells))).toEqual([]);
    const moved: Cells = [['zero', 'pass'], ...edited(cells, 'warn', /^/, '# a line\n')];
    const report = await run(moved);
    expect(ran(report)).toEqual(['zero', 'warn']);
    expect(shown(report)).toEqual(shown(await run(moved, { reuse: false })));
  });

  it('whose value cannot leave its process is reused together with those that need it', async () => {
    const cells: Cells = [
      ['open', 'import threading\nlock = [threading.Lock()]\nprint("made")'],
      ['use', 'print(lock[0].locked())'],
      ['after', 'print("after")'],
    ];
    const first = await run(cells);
    const second = await run(cells);
    expect(ran(second)).toEqual([]);
    expect(shown(second)).toEqual(shown(first));
  });
});

describe('equal steps at once', () => {
  const slow: Cells = [
    ['make', 'total = 0\nfor i in range(3_000_000):\n    total += i'],
    ['show', 'print(total)'],
  ];

  it('are worked out once', async () => {
    const reports = await Promise.all([run(slow), run(slow), run(slow)]);
    expect(reports.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'succeeded']);
    expect(reports.flatMap(ran).sort()).toEqual(['make', 'show']);
    expect(reports.map(shown)).toEqual([shown(reports[0]!), shown(reports[0]!), shown(reports[0]!)]);
  });

  it('are worked out by another when the first fails', async () => {
    const failing = edited(slow, 'make', /$/, '\n1 / 0');
    const reports = await Promise.all([run(failing), run(failing)]);
    expect(reports.map(({ status }) => status)).toEqual(['failed', 'failed']);
  });
});

describe('an output', () => {
  const cells: Cells = [
    ['make', 'x = "a" * 100000'],
    ['take', 'print(len(x))'],
  ];
  const blobOf = (report: RunReport) => bench.artifacts.path(report.steps[0]!.outputs.find(({ name }) => name === 'x')!.digest!);

  it('that is missing is made again', async () => {
    const path = blobOf(await run(cells));
    rmSync(path);
    const report = await run(cells);
    expect(ran(report)).toEqual(['make']);
    expect(statSync(path).size).toBeGreaterThan(0);
  });

  it('that is damaged is noticed, and made again', async () => {
    const path = blobOf(await run(cells));
    const bytes = readFileSync(path);
    bytes[bytes.length - 1]! ^= 1;
    writeFileSync(path, bytes);
    expect(ran(await run(cells))).toEqual(['make']);
  });

  it('is kept once', async () => {
    await run(cells);
    const count = () => readdirSync(join(bench.artifacts.folder, 'sha256'), { recursive: true }).length;
    const before = count();
    await run(cells);
    expect(count()).toBe(before);
  });
});

describe('a part of a run', () => {
  beforeEach(() => write('rows.json', '[1, 2]'));

  it('from a step takes what is above as it was, whatever has changed outside, and runs the rest', async () => {
    await run(chain);
    write('rows.json', '[5, 6]');
    const report = await run(chain, { from: 'grow' });
    expect(ran(report)).toEqual(['grow', 'end']);
    expect(shown(report)[2]).toEqual([2, 3, ['[1, 2]\n']]);
  });

  it('up to a step leaves out what is below, and keeps what that will need', async () => {
    const report = await run(chain, { to: 'clean' });
    expect(report.status).toBe('succeeded');
    expect(report.steps.map(({ status }) => status)).toEqual(['succeeded', 'succeeded', 'skipped', 'skipped']);
    expect(ran(await run(chain))).toEqual(['grow', 'end']);
  });

  it('alone runs one step on what it was given last', async () => {
    await run(chain);
    const report = await run(edited(chain, 'grow', 'x * depth', 'x + depth'), { from: 'grow', to: 'grow' });
    expect(report.steps.map(({ status }) => status)).toEqual(['reused', 'reused', 'succeeded', 'skipped']);
  });

  it('runs what is above where it has never run', async () => {
    expect(ran(await run(chain, { from: 'clean', to: 'clean' })).slice(0, 2)).toEqual(['load', 'clean']);
  });

  it('cannot end above its beginning', async () => {
    await expect(run(chain, { from: 'grow', to: 'load' })).rejects.toThrow('The run would end with "load", which is above "grow"');
    await expect(run(chain, { to: 'nobody' })).rejects.toThrow('There is no step "nobody"');
  });
});
