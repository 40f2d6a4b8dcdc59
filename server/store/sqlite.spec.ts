/** The store on SQLite: what every database must do, and what only a file can suffer. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { newId, openStore, StoreProblem } from './index';
import { patience } from './sqlite';
import { someRun, storeSuite } from './suite';

const folder = mkdtempSync(join(tmpdir(), 'stepwell-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const file = () => join(folder, newId(), 'stepwell.db');
const url = (path: string) => `sqlite://${path}`;

storeSuite('SQLite', async () => url(file()));

describe('a SQLite file', () => {
  it('is made with its folder, for its owner alone', async () => {
    const path = file();
    await (await openStore({ url: url(path) })).close();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(path, '..')).mode & 0o777).toBe(0o700);
  });

  it('keeps its rows for the next program, and is whole', async () => {
    const path = file();
    const first = await openStore({ url: url(path) });
    const run = await someRun(first);
    await first.close();
    const second = await openStore({ url: url(path) });
    expect((await second.loadRun(run))?.steps).toHaveLength(2);
    await second.close();
  });

  it('may have a name with odd characters', async () => {
    const path = join(folder, 'a b%20ü?#', 'x.db');
    const store = await openStore({ url: `sqlite://${encodeURI(path).replaceAll('?', '%3F').replaceAll('#', '%23')}` });
    await store.close();
    expect(statSync(path).isFile()).toBe(true);
  });

  it('lives in memory on request', async () => {
    const store = await openStore({ url: 'sqlite::memory:' });
    const run = await someRun(store);
    expect(await store.commit(run, 1, [{ what: 'run', status: 'running' }])).toHaveLength(1);
    await store.close();
  });

  it('says in a sentence that it is no database', async () => {
    const path = join(folder, 'text.db');
    writeFileSync(path, 'not a database, but long enough to be looked at as one\n'.repeat(50));
    await expect(openStore({ url: url(path) })).rejects.toMatchObject({
      name: 'StoreProblem',
      trouble: 'corrupt',
      message: expect.stringContaining(path),
    });
  });

  it('says in a sentence that its pages are damaged', async () => {
    const path = file();
    const store = await openStore({ url: url(path) });
    await someRun(store);
    await store.close();
    const { readFileSync } = await import('node:fs');
    const bytes = readFileSync(path);
    bytes.fill(0x5a, 4096);
    writeFileSync(path, bytes);
    const damaged = (async () => {
      const again = await openStore({ url: url(path) });
      try {
        await someRun(again);
      } finally {
        await again.close();
      }
    })();
    await expect(damaged).rejects.toMatchObject({ name: 'StoreProblem', trouble: 'corrupt' });
  });

  it('says in a sentence that its folder is a file', async () => {
    const blocked = join(folder, 'file');
    writeFileSync(blocked, '');
    await expect(openStore({ url: url(join(blocked, 'x.db')) })).rejects.toMatchObject({
      name: 'StoreProblem',
      message: expect.stringContaining(blocked),
    });
  });

  // Root may write everywhere, so nothing is refused to it.
  (process.getuid?.() === 0 ? it.skip : it)('says in a sentence that it cannot be written', async () => {
    const path = file();
    await (await openStore({ url: url(path) })).close();
    chmodSync(path, 0o400);
    chmodSync(join(path, '..'), 0o500);
    const store = await openStore({ url: url(path) });
    await expect(someRun(store)).rejects.toMatchObject({ name: 'StoreProblem', trouble: 'read-only' });
    await store.close();
    chmodSync(join(path, '..'), 0o700);
  });

  it('says in a sentence that the disk is full, and goes on when there is room', async () => {
    const path = file();
    const store = await openStore({ url: url(path) });
    const run = await someRun(store);
    // A limit on the file's pages is told by SQLite with the same code as a full disk.
    const knex = (store as unknown as { knex: { raw(sql: string): Promise<unknown> } }).knex;
    await knex.raw('pragma max_page_count = 1');
    const big = store.commit(run, 1, [{ what: 'plan', reason: 'x', plan: 'x'.repeat(1_000_000) }]);
    await expect(big).rejects.toMatchObject({ name: 'StoreProblem', trouble: 'full', message: expect.stringContaining('make room') });
    await knex.raw('pragma max_page_count = 1000000');
    expect(await store.commit(run, 1, [{ what: 'plan', reason: 'x', plan: 'x'.repeat(1_000_000) }])).toHaveLength(1);
    await store.close();
  });

  it('says in a sentence that another program will not let go of it', async () => {
    const path = file();
    const store = await openStore({ url: url(path) });
    const run = await someRun(store);
    patience.polite = 100;
    const other = new DatabaseSync(path);
    other.exec('begin immediate');
    await expect(store.commit(run, 1, [{ what: 'run', status: 'running' }])).rejects.toMatchObject({
      name: 'StoreProblem',
      trouble: 'locked',
    });
    other.exec('rollback');
    other.close();
    expect(await store.commit(run, 1, [{ what: 'run', status: 'running' }])).toHaveLength(1);
    await store.close();
  });

  it.each(['mysql://x/y', 'sqlite:relative.db', 'x.db', ''])('refuses the address %j', async address => {
    await expect(openStore({ url: address })).rejects.toThrow(StoreProblem);
  });

  it('loses no acknowledged commit and tears none when its writer is killed', async () => {
    const path = file();
    const store = await openStore({ url: url(path) });
    const runs = [await someRun(store), await someRun(store), await someRun(store)];
    await store.close();
    for (const run of runs) {
      const acknowledged = await writeUntilKilled(path, run);
      const again = await openStore({ url: url(path) });
      const loaded = (await again.loadRun(run))!;
      const events = await again.events(run, 0, 1_000_000);
      expect(loaded.run.sequence).toBeGreaterThanOrEqual(acknowledged);
      expect(events.map(event => event.sequence)).toEqual(Array.from({ length: loaded.run.sequence }, (_, i) => i + 1));
      // Each commit writes three events: what the tables say is what the last of them says.
      expect((loaded.run.sequence - 1) % 3).toBe(0);
      expect(loaded.steps[0]?.attempts).toBe((loaded.run.sequence - 1) / 3);
      expect(loaded.attempts).toHaveLength((loaded.run.sequence - 1) / 3);
      const check = new DatabaseSync(path);
      expect(check.prepare('pragma integrity_check').get()).toEqual({ integrity_check: 'ok' });
      check.close();
      await again.close();
    }
  }, 60_000);
});

/** Kills a program in the middle of its commits; gives the number of the last event that it was told is written. */
function writeUntilKilled(path: string, run: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(process.execPath, [join(__dirname, 'writer.js'), url(path), run], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      said += chunk;
      if (said.split('\n').length > 40) child.kill('SIGKILL');
    });
    child.on('error', reject);
    child.on('close', (_code, signal) => {
      if (signal !== 'SIGKILL') return reject(new Error(`the writer ended by itself: ${said}`));
      resolve(Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1)));
    });
  });
}
