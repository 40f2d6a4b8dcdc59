/**
 * The newest 50 of a million runs, as the service's list asks for them: the runs with their pipelines' names, and how many steps stand where.
 * Without a filter and with each of them, on SQLite, in a database that is made once and kept in `build/bench`.
 */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { figure, root, row, title } from './measure.mts';

const require = createRequire(import.meta.url);
const { openStore, idAt } = require(join(root, 'lib', 'server', 'store')) as typeof import('../server/store');

const runs = 1_000_000;
const pipelines = 2000;
const stepsOfRun = 8;
const times = 400;

export async function lists(): Promise<void> {
  const file = await database();
  const store = await openStore({ url: `sqlite://${file}` });
  const [newest] = await store.listRuns({ limit: 1 });
  const [busiest, rarest] = ['p0000000', `p${String(pipelines - 1).padStart(7, '0')}`];
  const filters: [string, object][] = [
    ['no filter', {}],
    ['a page in the middle', { before: idAt(Date.parse(newest!.created) - (runs / 2) * 1000) }],
    ['status failed', { status: 'failed' }],
    ['status running (three of them)', { status: 'running' }],
    ['the pipeline with most runs', { pipeline: busiest }],
    ['a pipeline with few runs', { pipeline: rarest }],
    ['a notebook’s path', { notebookPath: '/work/notebook-7.ipynb' }],
    ['an experiment', { experiment: 'experiment-3' }],
    ['pipeline and status that never met', { pipeline: busiest, status: 'cancelled' }],
    ['experiment and status', { experiment: 'experiment-3', status: 'failed' }],
    ['experiment and pipeline', { experiment: 'experiment-3', pipeline: busiest }],
  ];
  title(`The newest 50 of ${runs.toLocaleString('en')} runs, with counts of their ${stepsOfRun} steps`);
  for (const [name, filter] of filters) {
    const samples: number[] = [];
    for (let turn = -20; turn < times; turn++) {
      const start = performance.now();
      const page = await store.listRuns({ limit: 50, ...filter });
      await store.stepCounts(page.map(({ id }) => id));
      if (turn >= 0) samples.push(performance.now() - start);
    }
    const p99 = [...samples].sort((a, b) => a - b)[Math.floor(samples.length * 0.99)]!;
    row(`${name}: p99 ${p99.toFixed(2)} ms`, figure(samples));
  }
  await store.close();
}

/** Rows as the store writes them, put in by SQLite itself: a million transactions would take an hour. */
export async function database(): Promise<string> {
  const folder = join(root, 'build', 'bench');
  const file = join(folder, `runs-${runs}-${stepsOfRun}.db`);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  const making = `${file}.making`;
  for (const end of ['', '-wal', '-shm']) rmSync(making + end, { force: true });
  console.log('  making a database of a million runs (once; some minutes) …');
  await (await openStore({ url: `sqlite://${making}` })).close();
  const db = new DatabaseSync(making);
  db.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA foreign_keys = OFF; PRAGMA cache_size = -400000');
  db.function('run_id', (i: unknown) => idAt(Date.UTC(2025, 0, 1) + Number(i) * 1000) + String(i).padStart(7, '0'));
  db.exec(`
    BEGIN;
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${pipelines})
    INSERT INTO pipelines (id, name, notebook_path, created)
    SELECT printf('p%07d', i), 'pipeline ' || i, '/work/notebook-' || i || '.ipynb', '2025-01-01T00:00:00.000Z' FROM n;
    INSERT INTO versions (pipeline, number, digest, document, notebook_digest, created)
    SELECT id, 1, 'd', '{}', 'd', created FROM pipelines;
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${runs})
    INSERT INTO runs (id, pipeline, version, experiment, status, options, created, started, ended, notebook_path, folder, target, sequence, started_by)
    SELECT run_id(i), printf('p%07d', CASE WHEN i % 2 THEN 0 ELSE (i / 2) % ${pipelines} END), 1,
      CASE i % 5 WHEN 0 THEN 'experiment-' || ((i / 5) % 40) END,
      CASE WHEN i IN (100, 500000, 999000) THEN 'running' WHEN i % 2 = 0 AND i % 50 = 0 THEN 'cancelled' WHEN i % 11 = 0 THEN 'failed' ELSE 'succeeded' END,
      '{"parameters":{"rate":0.1},"reuse":true,"keepGoing":false,"python":"/usr/bin/python3"}',
      strftime('%Y-%m-%dT%H:%M:%fZ', 1735689600 + i, 'unixepoch'), strftime('%Y-%m-%dT%H:%M:%fZ', 1735689601 + i, 'unixepoch'),
      strftime('%Y-%m-%dT%H:%M:%fZ', 1735689630 + i, 'unixepoch'), '/work/notebook-0.ipynb', '/work', 'local', 40, 'ann'
    FROM n;
    WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ${stepsOfRun})
    INSERT INTO step_runs (run, step, position, status, attempts, given)
    SELECT runs.id, 'step' || n.i, n.i, CASE WHEN runs.status = 'succeeded' THEN 'succeeded' WHEN n.i < 4 THEN 'succeeded' ELSE 'skipped' END, 1,
      '{"values":{},"channels":{},"files":{},"wanted":["frame","model"]}'
    FROM runs CROSS JOIN n;
    COMMIT;
  `);
  db.close();
  renameSync(making, file);
  return file;
}
