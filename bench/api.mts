/**
 * The API under load: a page of runs out of a million, a thousand clients on one run, and ten. The server and the store are real; runs
 * move when the bench says so, so that what is measured is the way from the store to the client and nothing else.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { figure, root, row, temporary, title } from './measure.mts';

const require = createRequire(import.meta.url);
const secret = 'the-secret-of-the-bench-0123456789';
const headers = { authorization: `Bearer ${secret}`, 'content-type': 'application/json' };

export async function api(): Promise<void> {
  const folder = temporary();
  const { openStore } = require(`${root}/lib/server/store/index.js`);
  const { openArtifacts } = require(`${root}/lib/server/artifacts/index.js`);
  const { startServer } = require(`${root}/lib/server/api/index.js`);
  const { RunsForTests } = require(`${root}/lib/server/api/runs-for-tests.js`);
  const database = join(folder, 'stepwell.db');
  const store = await openStore({ url: `sqlite://${database}` });
  const artifacts = openArtifacts(join(folder, 'artifacts'));
  const runs = new RunsForTests(store);
  const config = { home: folder, database: '', artifacts: artifacts.folder, debug: false };
  const { Writable } = await import('node:stream');
  const log = new Writable({ write: (_part, _encoding, done) => done() });
  const server = await startServer({ runs, store, artifacts, config, version: '0', listen: { host: '127.0.0.1', port: 0 }, secret, log });
  try {
    const answer = await fetch(`${server.address}/api/v1/runs`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ path: join(folder, 'a.ipynb'), notebook }),
    });
    const { id } = (await answer.json()) as { id: string };
    title('API');
    await watchers(server.address, runs, id, 10, 1, 200, 20, 'an event, to ten watchers of one run');
    await watchers(server.address, runs, id, 1000, 4, 40, 250, 'an event, to a thousand clients of one run');
    fill(database, id);
    await pages(server.address, 'the newest 50 of 1,000,000 runs', '');
    await pages(server.address, 'those that failed', '&status=failed');
    await pages(server.address, 'those of one notebook that failed', `&status=failed&path=${encodeURIComponent(join(folder, '70.ipynb'))}`);
    await pages(server.address, 'those of an experiment', '&experiment=e3');
  } finally {
    await server.close();
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

const notebook = {
  nbformat: 4,
  nbformat_minor: 5,
  metadata: {},
  cells: [{ cell_type: 'code', id: 'a', metadata: { tags: ['step:load'] }, outputs: [], execution_count: null, source: 'x = 1' }],
};

/** Rows as 1,000 notebooks leave them, a thousand runs each, three steps a run. */
function fill(database: string, like: string): void {
  const db = new DatabaseSync(database);
  db.exec('pragma foreign_keys = off; pragma synchronous = off; begin');
  const folder = join(database, '..');
  db.exec(`
    insert into pipelines (id, name, notebook_path, created)
      with recursive n(i) as (select 0 union all select i + 1 from n where i < 999)
      select printf('0p%014d', i), 'notebook ' || i, '${folder}/' || i || '.ipynb', '2026-01-01T00:00:00.000Z' from n;
    insert into versions (pipeline, number, digest, document, notebook_digest, created)
      select id, 1, id, '{}', id, created from pipelines where id like '0p%';
    insert into runs (id, pipeline, version, experiment, status, options, created, started, ended, notebook_path, folder, target, sequence)
      with recursive n(i) as (select 0 union all select i + 1 from n where i < 999999)
      select printf('0r%014d', i), printf('0p%014d', i % 1000), 1, 'e' || (i % 7),
        case i % 10 when 0 then 'failed' when 1 then 'cancelled' else 'succeeded' end,
        (select options from runs where id = '${like}'), '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:01.000Z', '2026-01-01T00:00:09.000Z',
        '${folder}/' || (i % 1000) || '.ipynb', '${folder}', 'local', 9 from n;
    insert into step_runs (run, step, position, status, attempts)
      select id, 's' || i, i, status, 1 from runs, (select 0 as i union select 1 union select 2) where id like '0r%';
    commit; analyze`);
  db.close();
}

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

/** Clients in processes of their own, so that they are not waited for by the server's loop. */
async function watchers(
  address: string,
  runs: { move(run: string, ...changes: object[]): Promise<void> },
  run: string,
  clients: number,
  processes: number,
  events: number,
  pause: number,
  name: string,
): Promise<void> {
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
