/** The main story, with nothing standing in for anything: a notebook is sent, runs on this machine, is watched, fails, is mended and goes on. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { io, type Socket } from 'socket.io-client';
import type { Notebook } from '../../pipeline/model/notebook';
import type {
  ArtifactView,
  CellRun,
  ClientEvents,
  LogLine,
  MetricView,
  Page,
  RunDetail,
  RunSummary,
  ServerEvents,
  SocketAnswer,
} from '../../pipeline/model/protocol';
import { openArtifacts } from '../artifacts';
import { openRuns } from '../engine/many';
import type { Runs } from '../engine/runs';
import { openStore, type Store } from '../store';
import { Pool } from '../targets/local/pool';
import { python } from '../targets/local/python-for-tests';
import { type ApiServer, startServer } from './index';
import { notebook, secret, thread, v1 } from './server-for-tests';

jest.setTimeout(60_000);
const checkout = join(__dirname, '..', '..');

let folder: string;
let store: Store;
let runs: Runs;
let server: ApiServer;
let client: Socket<ServerEvents, ClientEvents>;

beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'stepwell-story-')));
  const root = join(folder, 'notebooks');
  mkdirSync(root);
  const home = join(folder, 'home');
  store = await openStore({ url: 'sqlite::memory:' });
  const artifacts = openArtifacts(join(home, 'artifacts'));
  const packages = join(checkout, 'build', 'packages');
  const pool = new Pool({ root: checkout, runnerPath: join(checkout, 'runner'), packages, home, jupyter: python });
  runs = openRuns({ store, artifacts, pool, home });
  const config = { home, database: 'sqlite::memory:', artifacts: artifacts.folder, debug: false };
  const log = new Writable({ write: (_part, _encoding, done) => done() });
  const listen = { socket: join(folder, 'service.sock') };
  server = await startServer({
    runs,
    store,
    artifacts,
    config,
    version: '1.2.3',
    listen: { host: '127.0.0.1', port: 0 },
    secret,
    root,
    thread,
    log,
  });
  // A second one, on a socket, as Jupyter has it.
  const other = await startServer({ runs, store, artifacts, config, version: '1.2.3', listen, secret, root, thread, log });
  expect(other.address).toBe(`unix:${listen.socket}`);
  await other.close();
  client = io(server.address, { transports: ['websocket'], extraHeaders: { 'x-stepwell-secret': secret } });
});
afterAll(async () => {
  client?.close();
  await server?.close();
  await runs?.close();
  await store?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask<T>(method: string, path: string, body?: object): Promise<T> {
  const headers = { 'x-stepwell-secret': secret, 'x-stepwell-user': 'ann', ...(body ? { 'content-type': 'application/json' } : {}) };
  const answer = await fetch(`${server.address}${v1}${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(text);
  return (/json/.test(answer.headers.get('content-type') ?? '') ? JSON.parse(text) : text) as T;
}

const subscribe = (to: Parameters<ClientEvents['subscribe']>[0]) =>
  new Promise<SocketAnswer>(resolve => client.emit('subscribe', to, resolve));
const until = async (condition: () => boolean | Promise<boolean>) => {
  while (!(await condition())) await new Promise(resolve => setTimeout(resolve, 10));
};
const ended = (run: string) => until(async () => !['queued', 'running'].includes((await ask<RunDetail>('GET', `/runs/${run}`)).status));

it('runs a notebook, tells how it goes, and hands back what came of it', async () => {
  const cells = new Map<number, CellRun>();
  const sequences: number[] = [];
  const lines: LogLine[] = [];
  client.on('cells', message => {
    for (const cell of message.cells) cells.set(cell.cell, cell);
  });
  client.on('events', ({ events }) => sequences.push(...events.map(({ sequence }) => sequence)));
  client.on('log', message => lines.push(...message.lines));
  const sent = notebook(
    ['parameters', 'times: int = 1'],
    ['load', 'numbers = [1, 2, 3]'],
    ['scale', 'total = sum(numbers) * times\nprint("total", total)\ntotal'],
    ['fail', 'if total == 6:\n    raise ValueError("too small")'],
  );
  const run = await ask<RunSummary>('POST', '/runs', { path: 'story.ipynb', notebook: sent });
  expect(run).toMatchObject({ path: 'story.ipynb', startedBy: 'ann', pipelineName: 'story' });
  expect(await subscribe({ to: 'run', run: run.id, after: 0 })).toEqual({ ok: true });
  await until(() => cells.get(3)?.status === 'failed');
  await ended(run.id);
  const detail = await ask<RunDetail>('GET', `/runs/${run.id}`);
  expect(detail).toMatchObject({ status: 'failed', steps: { succeeded: 2, failed: 1 } });
  await until(() => sequences.at(-1) === detail.sequence);
  expect(sequences).toEqual(Array.from({ length: detail.sequence }, (_, i) => i + 1));
  expect(detail.cells.map(({ cell, status }) => [cell, status])).toEqual([
    [0, 'succeeded'],
    [1, 'succeeded'],
    [2, 'succeeded'],
    [3, 'failed'],
  ]);
  expect(cells.get(3)?.error).toMatchObject({ ename: 'ValueError', evalue: 'too small', line: 1 });

  await subscribe({ to: 'log', run: run.id, step: 'scale', attempt: 1, after: 0 });
  await until(() => lines.some(({ event }) => event.type === 'cell-finished'));
  const fetched = await ask<Page<LogLine>>('GET', `/runs/${run.id}/attempts/scale/1/lines`);
  expect(lines).toEqual(fetched.items);
  expect(lines.map(({ number }) => number)).toEqual(lines.map((_, i) => i + 1));
  expect(JSON.stringify(lines)).toContain('total 6');

  const executed = await ask<Notebook>('GET', `/runs/${run.id}/executed`);
  expect(executed.cells[2]!.outputs).toMatchObject([{ name: 'stdout', text: ['total 6\n'] }, { data: { 'text/plain': ['6'] } }]);
  expect(executed.cells[3]!.outputs).toMatchObject([{ output_type: 'error', ename: 'ValueError' }]);
  expect(await ask('GET', `/runs/${run.id}/notebook`)).toEqual(sent);
  const artifacts = await ask<Page<ArtifactView>>('GET', `/runs/${run.id}/artifacts`);
  const total = artifacts.items.find(({ name }) => name === 'total');
  expect(total).toMatchObject({ step: 'scale', attempt: 1, type: 'int', preview: { json: 6 } });
  const headers = { authorization: `Bearer ${secret}` };
  const bytes = await fetch(`${server.address}${v1}/runs/${run.id}/artifacts/${total!.digest}`, { headers });
  expect((await bytes.arrayBuffer()).byteLength).toBe(total!.size);
  expect(await ask<Page<MetricView>>('GET', `/runs/${run.id}/metrics`)).toEqual({ items: [] });

  // Mended by a parameter; what is the same above is taken over.
  const from = await ask<RunSummary>('POST', '/runs', { path: 'story.ipynb', notebook: sent, parameters: { times: 2 }, from: 'scale' });
  await ended(from.id);
  const second = await ask<RunDetail>('GET', `/runs/${from.id}`);
  expect(second).toMatchObject({ status: 'succeeded', parameters: { times: 2 }, steps: { reused: 1, succeeded: 2 } });
  expect(JSON.stringify(await ask('GET', `/runs/${from.id}/executed`))).toContain('total 12');
  const taken = await ask<Page<ArtifactView>>('GET', `/runs/${from.id}/artifacts`);
  expect(taken.items.map(({ step, name }) => [step, name])).toContainEqual(['load', 'numbers']);
  expect(await ask<Page<RunSummary>>('GET', '/runs?path=story.ipynb')).toMatchObject({ items: [{ id: from.id }, { id: run.id }] });
});

it('stops a run when it is asked to', async () => {
  const waits = notebook(['wait', 'import time\ntime.sleep(600)']);
  const run = await ask<RunSummary>('POST', '/runs', { path: 'wait.ipynb', notebook: waits });
  await until(async () => (await ask<Page<CellRun>>('GET', `/runs/${run.id}/cells`)).items[0]?.status === 'running');
  expect((await ask<RunSummary>('POST', `/runs/${run.id}/cancel`)).id).toBe(run.id);
  await ended(run.id);
  expect(await ask<RunDetail>('GET', `/runs/${run.id}`)).toMatchObject({ status: 'cancelled', steps: { cancelled: 1 } });
  await expect(ask('POST', `/runs/${run.id}/cancel`)).rejects.toThrow(/wrong-state/);
});
