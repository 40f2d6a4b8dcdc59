/** The command as people use it: a process with arguments, an exit code, and what it prints. Runs what `npm run build` built. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, version } from '../installation';
import { choosePython, interpreterIn } from '../targets/local/interpreter';

// The runner's tests and these want the same Python: the checkout's own where there is one, else whatever has IPython.
const python = interpreterIn(join(root, '.venv')) ?? choosePython({ root }).python;
const command = join(root, 'bin', 'stepwell');

let base: string;
let home: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'stepwell-cli-')));
  home = join(base, 'home');
  mkdirSync(join(base, 'work'));
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

interface Answer {
  code: number | null;
  out: string;
  err: string;
}

interface Around {
  env?: NodeJS.ProcessEnv;
  program?: string;
  /** Called with what it has printed so far, to send a signal at the right moment. */
  seen?: (out: string, kill: (signal: NodeJS.Signals) => void) => void;
}

function stepwell(args: string[], { env = {}, program = command, seen }: Around = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: join(base, 'work'),
      env: { ...process.env, VIRTUAL_ENV: undefined, CONDA_PREFIX: undefined, STEPWELL_HOME: home, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const answer: Answer = { code: null, out: '', err: '' };
    child.stdout.on('data', part => {
      answer.out += part;
      seen?.(answer.out, signal => child.kill(signal));
    });
    child.stderr.on('data', part => (answer.err += part));
    child.on('error', reject);
    child.on('close', code => resolve({ ...answer, code }));
  });
}

type Cell = [tags: string, source: string];

function notebook(name: string, cells: Cell[], metadata: object = {}): string {
  const document = {
    nbformat: 4,
    nbformat_minor: 4,
    metadata,
    cells: cells.map(([tags, source]) => ({
      cell_type: 'code',
      metadata: { tags: tags.split(' ') },
      source,
      execution_count: null,
      outputs: [],
    })),
  };
  return file(name, JSON.stringify(document));
}

function file(name: string, text: string): string {
  writeFileSync(join(base, 'work', name), text);
  return name;
}

const outputs = (path: string) =>
  (JSON.parse(readFileSync(path, 'utf8')).cells as { outputs: { text?: string[] }[] }[]).map(cell =>
    cell.outputs.map(({ text }) => text?.join('')).join(''),
  );

const threeSteps: Cell[] = [
  ['parameters', 'n: int = 2\nrate = 1.0'],
  ['step:one', 'values = list(range(n))\nprint(values)'],
  ['step:two', 'values.append(rate)'],
  ['step:three', 'print(values)'],
];

describe('stepwell run', () => {
  it('hands back the executed notebook and leaves the given one alone', async () => {
    const name = notebook('a.ipynb', threeSteps);
    const before = readFileSync(join(base, 'work', name), 'utf8');
    const { code, out } = await stepwell(['run', name, '--python', python, '--out', 'done.ipynb']);
    expect(out).toMatch(/^three {2}succeeded/m);
    expect(out).toContain('Executed notebook: ');
    expect(code).toBe(0);
    expect(outputs(join(base, 'work', 'done.ipynb'))).toEqual(['', '[0, 1]\n', '', '[0, 1, 1.0]\n']);
    expect(readFileSync(join(base, 'work', name), 'utf8')).toBe(before);
  }, 60_000);

  it('takes parameters, and prints one JSON document on standard output', async () => {
    const name = notebook('a.ipynb', threeSteps);
    const { code, out, err } = await stepwell([
      'run',
      name,
      '--python',
      python,
      '--json',
      '-p',
      'n=1',
      '-p',
      'rate=3',
      '--experiment',
      'e',
    ]);
    expect(code).toBe(0);
    const report = JSON.parse(out);
    expect(report).toMatchObject({
      status: 'succeeded',
      run: expect.any(String),
      steps: [{ name: 'one' }, { name: 'two' }, { name: 'three' }],
    });
    expect(report.steps[0]).toMatchObject({
      status: 'succeeded',
      attempts: 1,
      seconds: { user: expect.any(Number) },
      peakMemory: expect.any(Number),
    });
    expect(report.steps[1].inputs[0]).toMatchObject({
      name: 'values',
      type: expect.stringContaining('list'),
      digest: expect.stringMatching(/^sha256:/),
      size: expect.any(Number),
    });
    expect(outputs(report.executed)).toEqual(['', '', '[0]\n', '', '[0, 3.0]\n']);
    expect(err).toMatch(/^one {2}succeeded/m);
  }, 60_000);

  it('tells the cell, the traceback and what to do when a step fails, and goes on when asked to resume', async () => {
    const name = notebook('a.ipynb', [
      ['step:one', 'print("made")\nvalue = [1]'],
      ['step:two', 'import os\nvalue.append(2)\nif not os.path.exists(os.environ["MARK"]): raise ValueError("not yet")\nprint(value)'],
    ]);
    const env = { MARK: join(base, 'mark') };
    const failed = await stepwell(['run', name, '--python', python], { env });
    expect(failed.code).toBe(1);
    expect(failed.out).toMatch(/Step "two" failed.*cell 2/i);
    expect(failed.out).toMatch(/ValueError\s+Traceback/);
    expect(failed.out).toContain('What to do: ');
    expect(failed.out).not.toMatch(/at .*\.(js|ts):\d+/);
    writeFileSync(env.MARK, '');
    const resumed = await stepwell(['run', '--resume', 'last', '--json'], { env });
    expect(resumed.code).toBe(0);
    const report = JSON.parse(resumed.out);
    expect(report.steps.map(({ attempts }: { attempts: number }) => attempts)).toEqual([1, 2]);
    expect(outputs(report.executed)).toEqual(['made\n', '[1, 2]\n']);
  }, 90_000);

  it('stops the steps on Ctrl-C and says how to go on', async () => {
    const name = notebook('a.ipynb', [
      ['step:one', 'value = 1'],
      ['step:two', 'import time\nprint(value)\ntime.sleep(600)'],
    ]);
    let sent = false;
    const { code, out } = await stepwell(['run', name, '--python', python], {
      seen: (text, kill) => {
        if (sent || !/^two {2}running/m.test(text)) return;
        sent = true;
        kill('SIGINT');
      },
    });
    expect(code).toBe(130);
    expect(out).toMatch(/cancelled/);
    expect(out).toMatch(/stepwell run --resume \w+/);
  }, 60_000);
});

describe('what is not in order', () => {
  const badInput: [string, () => string[], number, RegExp][] = [
    ['no such file', () => ['run', 'nowhere.ipynb'], 2, /There is no file "nowhere\.ipynb"/],
    ['a folder', () => ['run', '.'], 2, /is a folder/],
    ['an empty file', () => ['run', file('e.ipynb', '')], 2, /empty/],
    ['broken JSON', () => ['run', file('b.ipynb', '{"cells": [')], 2, /JSON is broken at line 1/],
    ['JSON that is no notebook', () => ['run', file('j.ipynb', '[1]')], 2, /not a notebook/],
    ['bytes that are no text', () => ['run', binary('x.ipynb')], 2, /not text in UTF-8/],
    ['an old notebook', () => ['run', file('o.ipynb', '{"nbformat": 3, "worksheets": []}')], 2, /nbformat 3/],
    ['another language', () => ['run', notebook('r.ipynb', [], { kernelspec: { name: 'ir', language: 'R' } })], 2, /written in R/],
    ['a syntax error', () => ['run', notebook('s.ipynb', [['step:a', 'x = = 1']])], 2, /cell 1, line 1.*\(syntax-error\)/i],
    [
      'an unknown setting',
      () => ['check', notebook('u.ipynb', [['step:a', 'x = 1']], { stepwell: { steps: { a: { retries: 'many' } } } })],
      2,
      /retries/,
    ],
    ['a parameter of the wrong type', () => ['run', notebook('p.ipynb', threeSteps), '-p', 'n=many'], 2, /"n" takes int/],
    ['a parameter that is none', () => ['run', notebook('p.ipynb', threeSteps), '-p', 'm=1'], 2, /no parameter "m"/],
    ['a parameter without a value', () => ['run', 'p.ipynb', '-p', 'n'], 2, /name=value/],
    ['a Python that is not there', () => ['run', notebook('p.ipynb', threeSteps), '--python', './none'], 2, /no Python "\.\/none"/],
    ['a file that is no Python', () => ['run', notebook('p.ipynb', threeSteps), '--python', script('no-python')], 1, /no-python/],
    [
      'a step that is none',
      () => ['run', notebook('p.ipynb', threeSteps), '--from', 'four', '--python', python],
      2,
      /no step "four".*one, two, three/,
    ],
    ['workers that are no number', () => ['run', 'p.ipynb', '--workers', 'many'], 2, /whole number/],
    ['a run that is none', () => ['run', '--resume', '0123456789abcdef'], 2, /no run "0123456789abcdef"/],
    ['no run yet', () => ['logs', 'last'], 2, /no run yet/],
    ['a notebook and a run to resume', () => ['run', 'p.ipynb', '--resume', 'last'], 2, /not both/],
    ['no notebook', () => ['run'], 2, /Which notebook/],
    ['an unknown command', () => ['fly'], 2, /unknown command 'fly'/],
    ['an unknown option', () => ['run', '--fly'], 2, /unknown option '--fly'/],
  ];

  it.each(badInput)(
    '%s gets a sentence',
    async (_name, args, code, sentence) => {
      const answer = await stepwell(args());
      expect(answer.err + answer.out).toMatch(sentence);
      expect(answer.code).toBe(code);
      expect(answer.err).not.toMatch(/\n\s+at /);
      expect(answer.err).not.toContain('fault of Stepwell');
    },
    60_000,
  );

  it('a home that cannot be made gets a sentence, and so does a database that is none', async () => {
    const name = notebook('a.ipynb', threeSteps);
    const inFile = await stepwell(['run', name, '--python', python], { env: { STEPWELL_HOME: join(base, 'work', name, 'home') } });
    expect(inFile.code).toBe(1);
    expect(inFile.err).not.toMatch(/fault of Stepwell|\n\s+at /);
    file('text.db', 'this is no database, and long enough not to be taken for an empty one '.repeat(20));
    const noDatabase = await stepwell(['runs'], { env: { STEPWELL_DATABASE: join(base, 'work', 'text.db') } });
    expect(noDatabase.err).toMatch(/text\.db is damaged or is not a Stepwell database/);
    expect(noDatabase.code).toBe(1);
  }, 60_000);

  it('problems come as JSON too', async () => {
    const { code, out } = await stepwell(['run', notebook('s.ipynb', [['step:a', 'x = = 1']]), '--json', '--python', python]);
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ status: 'problems', problems: [{ code: 'syntax-error', cell: 0 }] });
  }, 60_000);
});

describe('the other commands', () => {
  it('compile to JSON and to a picture', async () => {
    const name = notebook('a.ipynb', threeSteps);
    const json = await stepwell(['compile', name]);
    expect(JSON.parse(json.out)).toMatchObject({ name: 'a', steps: [{ name: 'one' }, { name: 'two' }, { name: 'three' }] });
    const picture = await stepwell(['compile', name, '--to', 'mermaid']);
    expect(picture.out).toMatch(/^flowchart/);
    expect(picture.out).toContain('three');
  }, 60_000);

  it('suggest steps, write them, and have nothing more to suggest', async () => {
    const name = notebook('a.ipynb', [
      ['mine', 'import math\nvalues = [1, 2]'],
      ['mine', 'print(math.fsum(values))'],
    ]);
    const written = await stepwell(['suggest', name, '--write']);
    expect(written.code).toBe(0);
    const tags = JSON.parse(readFileSync(join(base, 'work', name), 'utf8')).cells.map(
      (cell: { metadata: { tags: string[] } }) => cell.metadata.tags,
    );
    for (const one of tags) expect(one).toEqual(['mine', expect.stringMatching(/^(step:|imports$)/)]);
    expect((await stepwell(['suggest', name])).out).toMatch(/Nothing to propose/);
    expect((await stepwell(['check', name])).code).toBe(0);
  }, 60_000);

  it('list runs and print what steps wrote', async () => {
    const name = notebook('a.ipynb', threeSteps);
    await stepwell(['run', name, '--python', python]);
    const runs = JSON.parse((await stepwell(['runs', '--json'])).out);
    expect(runs).toMatchObject([{ status: 'succeeded', notebookPath: join(base, 'work', name) }]);
    expect((await stepwell(['runs', 'last'])).out).toMatch(/^two\s+succeeded\s+1/m);
    const { out } = await stepwell(['logs', runs[0].id.slice(0, 12), 'three']);
    expect(out).toMatch(/── three {2}succeeded\n\[0, 1, 1\.0\]\n/);
    expect((await stepwell(['logs', 'last', 'four'])).err).toMatch(/no step "four"/);
  }, 60_000);

  it('show what a step was given and what it gave', async () => {
    const name = notebook('a.ipynb', [
      ['parameters', "rate: float = 2.0\nname = 'ann'"],
      ['step:load', 'rows = [rate, 2]'],
      ['step:total', 'total = sum(rows)\nprint(name)'],
      ['step:wrong', 'total / 0'],
    ]);
    await stepwell(['run', name, '--python', python, '-p', 'name=bob']);
    const given = await stepwell(['inputs', 'last', 'total']);
    expect(given.out).toMatch(/^Step "total" of run \w+:\nname\s+type\s+size\n/);
    expect(given.out).toMatch(/^name\s+parameter\s+"bob"$/m);
    expect(given.out).toMatch(/^rows\s+list\s+\d+ B\s+list of 2: \[2\.0, 2\]$/m);
    expect((await stepwell(['outputs', 'last', 'total'])).out).toMatch(/^total\s+float\s+3 B\s+4\.0$/m);
    const { inputs, artifacts, status } = JSON.parse((await stepwell(['inputs', 'last', 'wrong', '--json'])).out);
    expect([status, Object.keys(inputs.values)]).toEqual(['failed', ['total']]);
    const digits = inputs.values.total.digest.slice('sha256:'.length);
    expect(readFileSync(join(artifacts, 'sha256', digits.slice(0, 2), digits.slice(2)), 'utf8')).toBe('4.0');
    expect(await stepwell(['outputs', 'last', 'wrong'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('has no outputs: it is failed'),
    });
    expect(await stepwell(['inputs', 'last', 'four'])).toMatchObject({ code: 2, err: expect.stringContaining('has no step "four"') });
  }, 60_000);

  it('examine the machine', async () => {
    const { out } = await stepwell(['doctor', '--python', python, '--json']);
    const { findings } = JSON.parse(out) as { findings: { what: string; state: string; mend?: string }[] };
    expect(findings.map(({ what }) => what)).toEqual([
      'Node',
      'Python',
      'ipython',
      'cloudpickle',
      'Home folder',
      'Artifacts',
      'Database',
      'Disk',
    ]);
    for (const { state, mend } of findings) expect(state === 'ok' || Boolean(mend)).toBe(true);
  }, 60_000);

  it('say the version and help, from anywhere and through a link', async () => {
    expect((await stepwell(['--version'])).out.trim()).toBe(version);
    mkdirSync(join(base, 'bin'));
    symlinkSync(command, join(base, 'bin', 'first'));
    symlinkSync('first', join(base, 'bin', 'stepwell'));
    const help = await stepwell(['--help'], { program: join(base, 'bin', 'stepwell') });
    expect(help.code).toBe(0);
    for (const name of ['run', 'compile', 'check', 'suggest', 'runs', 'logs', 'doctor', 'Examples:']) expect(help.out).toContain(name);
    expect(existsSync(home)).toBe(false);
  }, 60_000);
});

function script(name: string): string {
  file(name, '#!/bin/sh\nexit 7\n');
  chmodSync(join(base, 'work', name), 0o755);
  return `./${name}`;
}

function binary(name: string): string {
  writeFileSync(join(base, 'work', name), Buffer.from([0x89, 0x50, 0xff, 0xfe, 0]));
  return name;
}
