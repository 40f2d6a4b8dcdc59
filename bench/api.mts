/**
 * The API under load: a page of runs out of a million, a thousand clients on one run, and ten. The server and the store are real; runs
 * move when the bench says so, so that what is measured is the way from the store to the client and nothing else.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { database } from './lists.mts';
import { figure, root, row, temporary, title } from './measure.mts';

const require = createRequire(import.meta.url);
const secret = 'the-secret-of-the-bench-0123456789';
const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };

export async function api(): Promise<void> {
  title('API');
  await withServer(undefined, async (address, runs) => {
    const body = JSON.stringify({ path: '/tmp/bench.ipynb', notebook });
    const answer = await fetch(`${address}/api/v1/runs`, { method: 'POST', headers, body });
    const { id } = (await answer.json()) as { id: string };
    await watchers({ address, runs, run: id, clients: 10, processes: 1, events: 200, pause: 20 }, 'an event, to ten watchers of one run');
    await watchers(
      { address, runs, run: id, clients: 1000, processes: 4, events: 40, pause: 250 },
      'an event, to a thousand clients of one run',
    );
  });
  await withServer(await database(), async address => {
    await pages(address, 'the newest 50 of 1,000,000 runs', '');
    await pages(address, 'those that failed', '&status=failed');
    await pages(address, 'those of one notebook', `&path=${encodeURIComponent('/work/notebook-7.ipynb')}`);
    await pages(address, 'those of an experiment', '&experiment=experiment-3');
  });
}

type MovableRuns = { move(run: string, ...changes: object[]): Promise<void> };

/** A server on a database, or on one in memory, for as long as the work takes. */
async function withServer(database: string | undefined, work: (address: string, runs: MovableRuns) => Promise<void>): Promise<void> {
  const { openStore } = require(`${root}/lib/server/store/index.js`);
  const { openArtifacts } = require(`${root}/lib/server/artifacts/index.js`);
  const { startServer } = require(`${root}/lib/server/api/index.js`);
  const { RunsForTests } = require(`${root}/lib/server/api/runs-for-tests.js`);
  const home = temporary();
  const store = await openStore({ url: database ? `sqlite://${database}` : 'sqlite::memory:' });
  const artifacts = openArtifacts(join(home, 'artifacts'));
  const runs = new RunsForTests(store);
  const config = { home, database: '', artifacts: artifacts.folder, debug: false };
  const log = new Writable({ write: (_part, _encoding, done) => done() });
  const server = await startServer({ runs, store, artifacts, config, version: '0', listen: { host: '127.0.0.1', port: 0 }, secret, log });
  try {
    await work(server.address, runs);
  } finally {
    await server.close();
    await store.close();
    rmSync(home, { recursive: true, force: true });
  }
}

const notebook = {
  nbformat: 4,
  nbformat_minor: 5,
  metadata: {},
  cells: [{ cell_type: 'code', id: 'a', metadata: { tags: ['step:load'] }, outputs: [], execution_count: null, source: 'x = 1' }],
};

async function pages(address: string, name: string, filter: string): Promise<void> {
  const samples: number[] = [];
  for (let turn = 0; turn < 550; turn++) {
    const start = performance.now();
    const answer = await fetch(`${address}/api/v1/runs?limit=50${filter}`, { headers });
    const { items } = (await answer.json()) as { items: unknown[] };
    if (items.length < 50) throw new Error(`Only ${items.length} runs came back: ${JSON.stringify(items).slice(0, 200)}`);
    // The first ones warm up both ends.
    if (turn >= 50) samples.push(performance.now() - start);
  }
  spread(name, samples);
}

interface Watching {
  address: string;
  runs: MovableRuns;
  run: string;
  clients: number;
  processes: number;
  events: number;
  /** Milliseconds between two. */
  pause: number;
}

/** Clients in processes of their own, so that they are not waited for by the server's loop. */
async function watchers({ address, runs, run, clients, processes, events, pause }: Watching, name: string): Promise<void> {
  const answer = await fetch(`${address}/api/v1/runs/${run}`, { headers });
  const { sequence: after } = (await answer.json()) as { sequence: number };
  const children = Array.from({ length: processes }, () => {
    const child = fork(join(import.meta.dirname, 'watcher.mts'), { stdio: 'inherit' });
    child.send({ address, secret, run, after, clients: clients / processes, events });
    return child;
  });
  const said = (child: ChildProcess) => new Promise<unknown>(resolve => child.once('message', resolve));
  await Promise.all(children.map(said));
  const done = Promise.all(children.map(said));
  for (let i = 0; i < events; i++) {
    // The reason carries the time, as exactly as both ends know it.
    await runs.move(run, { what: 'plan', reason: String(performance.timeOrigin + performance.now()) });
    await new Promise(resolve => setTimeout(resolve, pause));
  }
  const samples = ((await done) as number[][]).flat();
  for (const child of children) child.disconnect();
  if (samples.length !== clients * events) throw new Error(`${samples.length} of ${clients * events} events arrived.`);
  spread(name, samples);
}

function spread(name: string, samples: number[]): void {
  row(name, figure(samples));
  const sorted = [...samples].sort((a, b) => a - b);
  const at = (part: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))]!.toFixed(1);
  console.log(`  ${''.padEnd(58)} p95 ${at(0.95)} ms, p99 ${at(0.99)} ms`);
}
