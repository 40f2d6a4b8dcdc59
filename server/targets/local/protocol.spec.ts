/** The local target against a parent that does what no good one does, and against Pythons that cannot run steps. */
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { Ear, makePlace, type Place, removePlace, someTask } from '../suite';
import { createLocalTarget, type LocalTarget, type LocalTargetOptions } from './index';
import { Lines } from './lines';
import { python } from './python-for-tests';

jest.setTimeout(30_000);

const runnerPath = join(__dirname, 'fake');
const started = { type: 'started', pid: 1, startTime: 1 };
const result = { type: 'result', result: { status: 'succeeded' } };
type Action = [string, unknown?];

let place: Place;
const targets: LocalTarget[] = [];
beforeEach(() => {
  place = makePlace();
});
afterEach(async () => {
  await Promise.all(targets.splice(0).map(target => target.close()));
  removePlace(place);
});

function make(fake: object = {}, more: Partial<LocalTargetOptions> = {}): LocalTarget {
  const env = { ...process.env, FAKE: JSON.stringify(fake), ...more.env };
  const target = createLocalTarget({ python, runnerPath, home: place.home, folder: place.folder, modules: [], ...more, env });
  targets.push(target);
  return target;
}

const scripted = (actions: Action[]) => someTask(place, [JSON.stringify(actions)]);

async function told(actions: Action[], target = make()): Promise<string[]> {
  const ear = new Ear(target);
  const task = scripted(actions);
  await target.start(task);
  await ear.ended(task);
  return ear.of(task).map(one => {
    if (one.what === 'event') return one.event.type;
    return one.what === 'ended' && one.error ? `ended ${one.error.kind}` : one.what;
  });
}

describe('what an attempt says', () => {
  it('is told before its end although the parent was faster', async () => {
    expect(await told([['send', started], ['ended', {}], ['sleep', 0.3], ['send', result], ['close']])).toEqual([
      'started',
      'result',
      'ended',
    ]);
  });

  it('is told although it connected after the parent said that it ended', async () => {
    // The connection waits in the listener's queue: made before, seen after.
    expect(await told([['connect'], ['ended', {}], ['send', started], ['send', result], ['close']])).toEqual([
      'started',
      'result',
      'ended',
    ]);
  });

  it('need not be anything', async () => {
    expect(await told([['ended', { exit: 1 }]])).toEqual(['ended user']);
  });

  it('ends within seconds though something holds the socket open', async () => {
    expect(
      await told([
        ['send', started],
        ['ended', { exit: null, signal: 9 }],
        ['sleep', 3600],
      ]),
    ).toEqual(['started', 'ended killed']);
  });

  it('is put together from pieces and parted from garbage, which is kept aside', async () => {
    const half = ['{"token":"TOKEN","at":"x","type":"sta', 'rted","pid":1,"startTime":1}\nnot json\n{"token":\n[1]\n"text"\n'];
    const target = make();
    const ear = new Ear(target);
    const task = scripted([]);
    const actions = [
      ['raw', half[0]!.replace('TOKEN', task.token)],
      ['sleep', 0.1],
      ['raw', half[1]],
      ['send', result],
      ['close'],
      ['ended', {}],
    ];
    task.cells[0]!.source = JSON.stringify(actions);
    await target.start(task);
    await ear.ended(task);
    expect(ear.of(task).map(one => (one.what === 'event' ? one.event.type : 'ended'))).toEqual(['started', 'result', 'ended']);
    await target.close();
    expect(readFileSync(join(task.attemptFolder, 'other.log'), 'utf8')).toMatch(/not json\n\{"token":\n\[1\]\n"text"\n/);
  });

  it('is dropped when it carries another token', async () => {
    expect(await told([['send', { ...result, token: 'old' }], ['send', started], ['close'], ['ended', { exit: 1 }]])).toEqual([
      'started',
      'ended user',
    ]);
  });

  it('is over with its result', async () => {
    expect(await told([['send', result], ['send', started], ['close'], ['ended', {}], ['ended', {}]])).toEqual(['result', 'ended']);
  });

  it('is found in its folder when it had no time to say it', async () => {
    expect(await told([['send', started], ['commit', { status: 'succeeded' }], ['ended', { exit: null, signal: 9 }], ['close']])).toEqual([
      'started',
      'result',
      'ended',
    ]);
  });

  it('is not what an earlier attempt of that name left there', async () => {
    expect(
      await told([
        ['commit', { status: 'succeeded', token: 'old' }],
        ['ended', { exit: 1 }],
      ]),
    ).toEqual(['ended user']);
  });

  it.each<[object, string]>([
    [{ reason: 'memory', exit: null, signal: 9 }, 'out-of-memory'],
    [{ reason: 'timeout', exit: null, signal: 15 }, 'timeout'],
    [{ exit: null, signal: 11 }, 'user'],
    [{ exit: null, signal: 9 }, 'killed'],
    [{ exit: 3 }, 'user'],
    [{ exit: 70 }, 'platform'],
  ])('means, when all that is known is %j, %s', async (ended, kind) => {
    expect(await told([['ended', ended]])).toEqual([`ended ${kind}`]);
  });
});

describe('the parent', () => {
  it('may print garbage', async () => {
    expect(
      await told([
        ['say', 'hello\n{"say":\n{"say":"what?"}\n{"say":"ended","key":"nobody/x/1"}\n'],
        ['send', result],
        ['close'],
        ['ended', {}],
      ]),
    ).toEqual(['result', 'ended']);
  });

  it('may die: what ran has ended, and what comes next gets another', async () => {
    const target = make();
    const ear = new Ear(target);
    const [one, two] = [
      scripted([
        ['send', started],
        ['sleep', 3600],
      ]),
      scripted([
        ['send', started],
        ['sleep', 0.2],
        ['die', 5],
      ]),
    ];
    await Promise.all([target.start(one), target.start(two)]);
    for (const task of [one, two])
      expect((await ear.ended(task)).error).toMatchObject({ kind: 'platform', message: expect.stringContaining('exit code 5') });
    const next = scripted([['send', result], ['close'], ['ended', {}]]);
    await target.start(next);
    expect((await ear.ended(next)).error).toBeUndefined();
  });

  it('is replaced by one without the modules that print, and that is remembered', async () => {
    const log = join(place.home, 'log');
    const fake = { noisy: ['tqdm.auto'], log };
    const modules = ['numpy', 'tqdm.auto'];
    const imported = () =>
      readFileSync(log, 'utf8')
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line).modules);
    await make(fake, { modules }).warm();
    expect(imported()).toEqual([modules, ['numpy']]);
    expect(await told([['send', result], ['close'], ['ended', {}]], make(fake, { modules }))).toEqual(['result', 'ended']);
    expect(imported()).toEqual([modules, ['numpy'], ['numpy']]);
  });

  it('starts what was asked for while it was getting ready, in that order', async () => {
    const target = make({ noisy: ['x'] }, { modules: ['x'] });
    const ear = new Ear(target);
    const tasks = [1, 2, 3].map(() => scripted([['send', result], ['close'], ['ended', {}]]));
    await Promise.all(tasks.map(task => target.start(task)));
    for (const task of tasks) expect((await ear.ended(task)).error).toBeUndefined();
  });

  it('need not be ready for a stop', async () => {
    const target = make();
    const ear = new Ear(target);
    const task = scripted([['sleep', 3600]]);
    const start = target.start(task);
    await target.stop(task);
    await start;
    expect((await ear.ended(task)).error).toMatchObject({ kind: 'killed' });
  });

  it('gets the user’s environment, our package first, and none of our settings', async () => {
    const log = join(place.home, 'log');
    const env = { PYTHONPATH: '/mine', PYTHONDONTWRITEBYTECODE: '1', STEPWELL_DATABASE: 'postgres://me:secret@x/y', MINE: 'ü' };
    await make({ log }, { env }).warm();
    const { environ } = JSON.parse(readFileSync(log, 'utf8'));
    expect(environ).toMatchObject({ PYTHONPATH: `${runnerPath}:/mine`, MINE: 'ü' });
    expect(JSON.parse(environ.STEPWELL_RESTORE)).toEqual({ PYTHONPATH: '/mine', PYTHONDONTWRITEBYTECODE: '1' });
    expect(environ).not.toHaveProperty('PYTHONDONTWRITEBYTECODE');
    expect(JSON.stringify(environ)).not.toContain('secret');
  });

  it('is told of by a noisy.json that nobody can read as if there were none', async () => {
    writeFileSync(join(place.home, 'noisy.json'), '{"broken');
    await make({ noisy: ['x'] }, { modules: ['x'] }).warm();
    expect(JSON.parse(readFileSync(join(place.home, 'noisy.json'), 'utf8'))).toEqual({ [python]: ['x'] });
  });
});

describe('a home that cannot be used', () => {
  it('is told at once', () => {
    const home = join(place.home, 'file');
    writeFileSync(home, '');
    expect(() => createLocalTarget({ python, runnerPath, home, folder: place.folder, modules: [] })).toThrow(
      /cannot be made: a part of its path is a file/,
    );
  });

  it('keeps an attempt from starting', async () => {
    const target = make();
    await target.warm();
    writeFileSync(join(place.home, 'runs'), '');
    await expect(target.start(scripted([]))).rejects.toMatchObject({ name: 'TargetProblem', message: expect.stringContaining(place.home) });
  });
});

describe('a Python that cannot run steps', () => {
  const refused = async (target: LocalTarget, message: RegExp) => {
    await expect(target.warm()).rejects.toMatchObject({ name: 'TargetProblem', message: expect.stringMatching(message) });
    const task = scripted([]);
    await expect(target.start(task)).rejects.toMatchObject({ name: 'TargetProblem', message: expect.stringMatching(message) });
  };

  it('is not there', () => refused(make({}, { python: '/no/such/python' }), /no Python at "\/no\/such\/python"; install Python 3\.10/));

  it('cannot be executed', async () => {
    const file = join(place.home, 'python');
    writeFileSync(file, '');
    chmodSync(file, 0o600);
    await refused(make({}, { python: file }), /cannot be started \(EACCES\)/);
  });

  it('lacks IPython', () =>
    refused(
      make({ die: "ModuleNotFoundError: No module named 'IPython'\n" }),
      /has no package "IPython".*-m pip install ipython cloudpickle/,
    ));

  it('lacks our package', async () => {
    const empty = join(place.home, 'empty');
    mkdirSync(empty);
    // A checkout's own environment has it; without `site` a Python has nothing but what it is given.
    const bare = join(place.home, 'bare-python');
    writeFileSync(bare, `#!/bin/sh\nexec "${python}" -S "$@"\n`);
    chmodSync(bare, 0o700);
    await refused(
      make({}, { python: bare, runnerPath: empty }),
      /Stepwell's own Python package is not in ".*empty"; install Stepwell again/,
    );
  });

  it('is too old and says so by itself', () => refused(make({ python: '3.9.18' }), /is 3\.9\.18, and steps need 3\.10 or newer/));

  it('is too old even for our syntax', async () => {
    const old = join(place.home, 'old-python');
    writeFileSync(old, '#!/bin/sh\n[ "$1" = -c ] && { echo 3.6.9; exit 0; }\necho "SyntaxError: invalid syntax" >&2\nexit 1\n');
    chmodSync(old, 0o700);
    await refused(make({}, { python: old }), /is 3\.6\.9, and steps need 3\.10/);
  });

  it('dies for a reason of its own, told in its last words', () =>
    refused(make({ die: 'Traceback\n  …\nOSError: out of order\n' }), /could not get ready.*exit code 1, saying: OSError: out of order/));
});

it('removes its socket’s folder when closed', async () => {
  const log = join(place.home, 'log');
  const target = make({ log });
  await target.warm();
  const path = JSON.parse(readFileSync(log, 'utf8')).environ.STEPWELL_EVENTS;
  expect(existsSync(path)).toBe(true);
  expect(Buffer.byteLength(path)).toBeLessThan(100);
  await target.close();
  expect(existsSync(join(path, '..'))).toBe(false);
});

describe('lines', () => {
  it('are the same however the stream was cut', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' }).map(text => text.replaceAll('\n', ''))), fc.array(fc.nat(50)), (texts, cuts) => {
        const bytes = Buffer.from(texts.map(text => `${text}\n`).join(''));
        const heard: string[] = [];
        const lines = new Lines(line => heard.push(line));
        let from = 0;
        for (const cut of cuts) {
          lines.push(bytes.subarray(from, from + cut));
          from += cut;
        }
        lines.push(bytes.subarray(Math.min(from, bytes.length)));
        lines.end();
        expect(heard).toEqual(texts.filter(text => text !== ''));
      }),
    );
  });
});
