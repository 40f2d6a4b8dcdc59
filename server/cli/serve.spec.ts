/** The service as it is used: a process that is started, asked, stopped and killed. Runs what `npm run build` built. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { root } from '../installation';
import { choosePython, interpreterIn } from '../targets/local/interpreter';
import { marked } from '../targets/local/processes';

const python = interpreterIn(join(root, '.venv')) ?? choosePython({ root }).python;
const secret = 'a-secret-for-these-tests';
jest.setTimeout(60_000);

let base: string;
let home: string;
let services: Service[];
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), 'sw-serve-')));
  home = join(base, 'home');
  mkdirSync(join(base, 'work'));
  services = [];
});
afterEach(async () => {
  for (const { child } of services) child.kill('SIGKILL');
  await Promise.all(services.map(({ ended }) => ended));
  rmSync(base, { recursive: true, force: true });
});

/** Of whatever answer, what these tests look at. */
interface Body {
  id: string;
  status: string;
  stepRuns: { attempts: number }[];
  items: object[];
}

interface Service {
  child: ChildProcess;
  /** What it printed first: its address. Rejects with its complaint when it ends before. */
  address: Promise<string>;
  ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; err: string }>;
}

function serve(args: string[] = ['--port', '0'], env: NodeJS.ProcessEnv = { STEPWELL_SECRET: secret }): Service {
  const child = spawn(join(root, 'bin', 'stepwell'), ['serve', '--python', python, ...args], {
    cwd: base,
    env: { ...process.env, VIRTUAL_ENV: undefined, CONDA_PREFIX: undefined, STEPWELL_HOME: home, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let err = '';
  child.stderr.on('data', part => (err += part));
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null; err: string }>(resolve =>
    child.on('close', (code, signal) => resolve({ code, signal, err })),
  );
  let out = '';
  const address = new Promise<string>((resolve, reject) => {
    child.stdout.on('data', part => {
      out += part;
      if (out.includes('\n')) resolve(out.split('\n')[0]!);
    });
    void ended.then(end => reject(new Error(end.err)));
  });
  address.catch(() => {});
  const service = { child, address, ended };
  services.push(service);
  return service;
}

async function ask(
  service: Service,
  path: string,
  body?: object,
  authorization = `Bearer ${secret}`,
): Promise<{ status: number; body: Body }> {
  const address = await service.address;
  const where = address.startsWith('unix:') ? { socketPath: address.slice(5) } : { host: '127.0.0.1', port: new URL(address).port };
  return new Promise((resolve, reject) => {
    const headers = { ...(authorization ? { authorization } : {}), ...(body ? { 'content-type': 'application/json' } : {}) };
    const asked = request({ ...where, path, method: body ? 'POST' : 'GET', headers, agent: false }, answer => {
      let text = '';
      answer.on('data', part => (text += part));
      answer.on('end', () => resolve({ status: answer.statusCode!, body: text.startsWith('{') ? JSON.parse(text) : text }));
    });
    asked.on('error', reject);
    asked.end(body && JSON.stringify(body));
  });
}

const notebook = (cells: Record<string, string>) => ({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: {},
  cells: Object.entries(cells).map(([step, source], i) => ({
    cell_type: 'code',
    id: `c${i}`,
    metadata: { tags: [`step:${step}`] },
    source,
    outputs: [],
    execution_count: null,
  })),
});

async function start(service: Service, cells: Record<string, string>): Promise<string> {
  const { status, body } = await ask(service, '/api/v1/runs', { path: join(base, 'work', 'n.ipynb'), notebook: notebook(cells) });
  expect([status, body]).toEqual([201, expect.objectContaining({ id: expect.any(String) })]);
  return body.id;
}

/** Asks until it holds. */
async function until<T>(look: () => Promise<T | undefined | false> | T | undefined | false): Promise<T> {
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    await sleep(20);
  }
}

const ended = (service: Service, run: string) =>
  until(async () => {
    const { body } = await ask(service, `/api/v1/runs/${run}`);
    return ['succeeded', 'failed', 'cancelled'].includes(body.status) && body;
  });

/** Three steps that each note that they ran; the second sleeps until there is a file. */
const story = (log: string) => ({
  first: `open("${log}", "a").write("first ")\nx = 1`,
  slow: `import os, time\nopen("${log}", "a").write("slow ")\nwhile not os.path.exists("${log}.go"): time.sleep(0.02)\ny = x + 1`,
  last: `open("${log}", "a").write("last")\nprint(y)`,
});
const asleep = (log: string) => until(() => existsSync(log) && readFileSync(log, 'utf8').includes('slow'));
/** Processes that steps of this home have left. */
const left = async (pid: number) => (await marked([`HOME_OF_TEST=${home}`])).filter(one => one !== pid);

describe('the service', () => {
  it('goes on after kill -9 with what ran: nothing is done twice, no process is left', async () => {
    const log = join(base, 'log');
    const env = { STEPWELL_SECRET: secret, HOME_OF_TEST: home };
    const first = serve(undefined, env);
    const run = await start(first, story(log));
    await asleep(log);
    first.child.kill('SIGKILL');
    await first.ended;
    // Its steps end with it, before anybody starts it again; one that lived on would finish as soon as it may.
    await until(async () => (await left(first.child.pid!)).length === 0);
    writeFileSync(`${log}.go`, '');
    const second = serve(undefined, env);
    const { status, stepRuns } = await ended(second, run);
    expect(status).toBe('succeeded');
    expect(stepRuns.map(one => one.attempts)).toEqual([1, 2, 1]);
    expect(readFileSync(log, 'utf8')).toBe('first slow slow last');
    second.child.kill('SIGTERM');
    expect(await second.ended).toMatchObject({ code: 0 });
    await until(async () => (await left(second.child.pid!)).length === 0);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)('stops at %s, ends with 0, and goes on with the run when it is started again', async signal => {
    const log = join(base, 'log');
    const first = serve();
    const run = await start(first, story(log));
    await asleep(log);
    first.child.kill(signal);
    expect(await first.ended).toMatchObject({ code: 0, err: expect.stringMatching(/go on at the next start/) });
    writeFileSync(`${log}.go`, '');
    const second = serve();
    expect((await ended(second, run)).status).toBe('succeeded');
    expect(readFileSync(log, 'utf8')).toBe('first slow slow last');
  });

  it('ends with the program that started it', async () => {
    const service = serve(['--port', '0', '--parent']);
    expect((await ask(service, '/api/v1/service')).body).toMatchObject({ withJupyter: true });
    service.child.stdin!.end();
    expect(await service.ended).toMatchObject({ code: 0 });
  });

  it('shows runs that the command line starts', async () => {
    const service = serve();
    await service.address;
    const file = join(base, 'work', 'n.ipynb');
    writeFileSync(file, JSON.stringify(notebook({ a: 'print(1)' })));
    const command = spawn(join(root, 'bin', 'stepwell'), ['run', file, '--python', python], {
      env: { ...process.env, STEPWELL_HOME: home },
    });
    await new Promise(resolve => command.on('close', resolve));
    const [run] = (await ask(service, '/api/v1/runs')).body.items;
    expect(run).toMatchObject({ status: 'succeeded', steps: { succeeded: 1 } });
  });
});

describe('its secret', () => {
  it('comes from the environment and goes no further', async () => {
    const service = serve();
    const out = join(base, 'environment');
    const run = await start(service, { a: `import os\nopen("${out}", "w").write(str(dict(os.environ)))` });
    expect((await ended(service, run)).status).toBe('succeeded');
    expect(readFileSync(out, 'utf8')).not.toContain(secret);
    expect(existsSync(join(home, 'secret'))).toBe(false);
  });

  it('is asked of everybody', async () => {
    const service = serve();
    expect((await ask(service, '/api/v1/runs', undefined, '')).status).toBe(401);
    expect((await ask(service, '/api/v1/runs', undefined, 'Bearer something else')).status).toBe(401);
    expect((await ask(service, '/healthz', undefined, '')).status).toBe(200);
  });

  it('is made at the first start of one that stands alone, kept for its owner, and used again', async () => {
    const env = { STEPWELL_SECRET: undefined };
    const first = serve(undefined, env);
    await first.address;
    const file = join(home, 'secret');
    const kept = readFileSync(file, 'utf8').trim();
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect((await ask(first, '/api/v1/service', undefined, `Bearer ${kept}`)).status).toBe(200);
    first.child.kill('SIGTERM');
    const { err } = await first.ended;
    expect(err).toContain(file);
    expect(err).not.toContain(kept);
    const second = serve(undefined, env);
    expect((await ask(second, '/api/v1/service', undefined, `Bearer ${kept}`)).status).toBe(200);
  });

  it('is refused when it is easily guessed', async () => {
    const service = serve(undefined, { STEPWELL_SECRET: 'short' });
    expect(await service.ended).toMatchObject({ code: 2, err: expect.stringMatching(/16 printable characters/) });
  });
});

describe('its socket', () => {
  it('is for its owner alone, is cleared when a killed service left it, and is refused when one listens', async () => {
    const path = join(base, 'run', 'service.sock');
    const first = serve(['--socket', path]);
    expect(await first.address).toBe(`unix:${path}`);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const second = serve(['--socket', path]);
    expect(await second.ended).toMatchObject({ code: 2, err: expect.stringMatching(/Another service listens/) });
    first.child.kill('SIGKILL');
    await first.ended;
    expect(existsSync(path)).toBe(true);
    const third = serve(['--socket', path]);
    expect((await ask(third, '/api/v1/service')).status).toBe(200);
  });

  it.each<[string, () => string[] | Promise<string[]>, RegExp]>([
    [
      'is a file of somebody',
      () => {
        writeFileSync(join(base, 'file'), '');
        return ['--socket', join(base, 'file')];
      },
      /is there and is no socket/,
    ],
    ['has a path that is too long', () => ['--socket', join(base, 'x'.repeat(120))], /too long/],
    ['is a port that is in use', async () => ['--port', `${await takenPort()}`], /in use by another program/],
    ['is on an address that is not ours', () => ['--port', '0', '--host', '203.0.113.1'], /no address of this machine/],
  ])('is told in a sentence when it %s', async (_name, args, message) => {
    const service = serve(await args());
    expect(await service.ended).toMatchObject({ code: 2, err: expect.stringMatching(message) });
  });

  let taken: ReturnType<typeof createServer> | undefined;
  afterEach(() => {
    taken?.close();
    taken = undefined;
  });
  const takenPort = () =>
    new Promise<number>(resolve => {
      const server = createServer();
      taken = server;
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port));
    });
});
