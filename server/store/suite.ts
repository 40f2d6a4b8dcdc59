/** What the store must do on every database: the specs of SQLite and PostgreSQL both run this. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Digest } from '../../pipeline/model/artifact';
import type { Pipeline } from '../../pipeline/model/pipeline';
import type { Change, RunOptions } from '../../pipeline/model/run';
import { connect } from './connect';
import { idAt, type NewRun, newId, openStore, type Store, StoreProblem } from './index';
import { migrate, migrations, rollBack } from './migrate';

export const document = (name = 'iris'): Pipeline => ({
  format: 1,
  name,
  language: 'python',
  parameters: [],
  parameterCells: [],
  sharedCells: [],
  steps: [],
  returns: [],
  settings: {},
});

export const options: RunOptions = { parameters: { rate: 0.1 }, reuse: true, keepGoing: false };
const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;

/** A run with these steps, at its first event. */
export async function someRun(
  store: Store,
  steps: string[] = ['load', 'train'],
  more: { notebookPath?: string } & Partial<NewRun> = {},
): Promise<string> {
  const notebookPath = more.notebookPath ?? '/work/iris.ipynb';
  const { pipelineId, version } = await store.saveVersion({ name: 'iris', notebookPath, document: document(), notebook: '{}' });
  const id = newId();
  const made = await store.createRun({
    id,
    pipeline: pipelineId,
    version,
    options,
    folder: '/work',
    notebookPath,
    target: 'local',
    steps,
    ...more,
  });
  return made === false ? 'none' : id;
}

/** `makeUrl` gives the address of a new, empty database. */
export function storeSuite(name: string, makeUrl: () => Promise<string>): void {
  describe(`the store on ${name}`, () => {
    let url: string;
    let store: Store;
    beforeAll(async () => {
      url = await makeUrl();
      store = await openStore({ url });
    });
    afterAll(() => store.close());

    describe('versions', () => {
      const save = (notebookPath: string, doc: Pipeline, notebook: string) =>
        store.saveVersion({ name: doc.name, notebookPath, document: doc, notebook });

      it('numbers from 1, and gives the same number for the same document and notebook', async () => {
        const first = await save('/v.ipynb', document(), 'a');
        expect(first.version).toBe(1);
        expect(await save('/v.ipynb', document(), 'b')).toEqual({ ...first, version: 2 });
        expect(await save('/v.ipynb', { ...document(), returns: ['x'] }, 'b')).toEqual({ ...first, version: 3 });
        expect(await save('/v.ipynb', document(), 'a')).toEqual(first);
      });

      it('gives back what was saved, odd characters and all', async () => {
        const odd = { ...document(), description: 'NUL \0, half a pair \ud83d, ünïcode 😀' };
        const notebook = '{"source": "\0 \ud83d 😀"}';
        const { pipelineId, version } = await save('/odd.ipynb', odd, notebook);
        expect(await store.loadVersion(pipelineId, version)).toMatchObject({ document: odd, notebook });
      });

      it('gives one version when two programs save at once', async () => {
        const other = await openStore({ url });
        // In memory, every connection is a database of its own.
        const both = url === 'sqlite::memory:' ? [store, store] : [store, other];
        const saved = await Promise.all(
          [...both, ...both].map(one =>
            one.saveVersion({ name: 'x', notebookPath: '/at-once.ipynb', document: document(), notebook: 'n' }),
          ),
        );
        await other.close();
        expect(new Set(saved.map(one => JSON.stringify(one))).size).toBe(1);
      });
    });

    describe('commit', () => {
      let run: string;
      beforeEach(async () => {
        run = await someRun(store);
      });

      it('writes state and events together, numbered on from the last', async () => {
        const at = new Date('2026-01-02T03:04:05.678Z');
        const changes: Change[] = [
          { what: 'run', status: 'running' },
          { what: 'step', step: 'load', status: 'running', attempts: 1, given: { wanted: ['df'] } },
          { what: 'attempt', step: 'load', attempt: 1, status: 'running', token: 't' },
          { what: 'plan', reason: 'learned', plan: { joins: [['load', 'train']] } },
        ];
        const events = await store.commit(run, 1, changes, at);
        expect(events).toEqual([
          { sequence: 2, at: at.toISOString(), change: { what: 'run', status: 'running' } },
          { sequence: 3, at: at.toISOString(), change: { what: 'step', step: 'load', status: 'running', attempts: 1 } },
          { sequence: 4, at: at.toISOString(), change: { what: 'attempt', step: 'load', attempt: 1, status: 'running' } },
          { sequence: 5, at: at.toISOString(), change: { what: 'plan', reason: 'learned' } },
        ]);
        expect(await store.events(run, 1)).toEqual(events);
        expect(await store.events(run, 3, 1)).toEqual(events ? [events[2]] : []);
        const loaded = await store.loadRun(run);
        expect(loaded?.run).toMatchObject({
          id: run,
          status: 'running',
          started: at.toISOString(),
          ended: undefined,
          plan: { joins: [['load', 'train']] },
          sequence: 5,
          options,
        });
        expect(loaded?.steps).toEqual([
          { step: 'load', status: 'running', attempts: 1, given: { wanted: ['df'] }, started: at.toISOString() },
          { step: 'train', status: 'waiting', attempts: 0 },
        ]);
        expect(loaded?.attempts).toEqual([{ step: 'load', attempt: 1, status: 'running', token: 't', started: at.toISOString() }]);
        expect(loaded?.document).toEqual(document());
      });

      it('keeps what a change leaves out and replaces what it names', async () => {
        const overhead = { queued: 0.1, create: 0, start: 0.01, inputs: 0, user: 2, outputs: 0, observed: 0 };
        const error = { kind: 'user' as const, message: 'Cell 2 failed', cell: 1, traceback: ['\u001b[31mboom'] };
        await store.commit(run, 1, [{ what: 'attempt', step: 'load', attempt: 1, status: 'running', token: 't' }], new Date(1000));
        await store.commit(
          run,
          2,
          [
            {
              what: 'attempt',
              step: 'load',
              attempt: 1,
              status: 'failed',
              error,
              overhead,
              peakMemory: 5_000_000_000,
              cpuSeconds: 1.5,
              result: digest('a'),
            },
            { what: 'step', step: 'load', status: 'failed', reason: 'Cell 2 failed', result: digest('a') },
          ],
          new Date(3000),
        );
        const loaded = await store.loadRun(run);
        const times = { started: new Date(1000).toISOString(), ended: new Date(3000).toISOString() };
        expect(loaded?.attempts).toEqual([
          {
            step: 'load',
            attempt: 1,
            token: 't',
            status: 'failed',
            error,
            overhead,
            peakMemory: 5_000_000_000,
            cpuSeconds: 1.5,
            result: digest('a'),
            ...times,
          },
        ]);
        expect(loaded?.steps[0]).toMatchObject({ status: 'failed', reason: 'Cell 2 failed', result: digest('a'), ended: times.ended });
        await store.commit(run, 4, [{ what: 'step', step: 'load', status: 'waiting' }]);
        const again = (await store.loadRun(run))?.steps[0];
        expect(again).toMatchObject({ status: 'waiting', reason: undefined, ended: undefined, result: digest('a') });
      });

      it('lets later changes of one commit win, and keeps all their events', async () => {
        const events = await store.commit(run, 1, [
          { what: 'step', step: 'load', status: 'running', attempts: 1 },
          { what: 'step', step: 'load', status: 'succeeded' },
          { what: 'step', step: 'load+train', status: 'waiting', unit: 'load+train' },
        ]);
        expect(events ? events.map(one => one.sequence) : []).toEqual([2, 3, 4]);
        const steps = (await store.loadRun(run))?.steps;
        expect(steps?.find(one => one.step === 'load')).toMatchObject({ status: 'succeeded', attempts: 1 });
        expect(steps?.find(one => one.step === 'load+train')).toMatchObject({ unit: 'load+train' });
      });

      it('refuses, writing nothing, whoever names another last event', async () => {
        await store.commit(run, 1, [{ what: 'run', status: 'running' }]);
        const before = await store.loadRun(run);
        expect(await store.commit(run, 1, [{ what: 'step', step: 'load', status: 'failed' }])).toBe(false);
        expect(await store.commit(run, 3, [{ what: 'step', step: 'load', status: 'failed' }])).toBe(false);
        expect(await store.commit('no-such-run', 1, [{ what: 'run', status: 'failed' }])).toBe(false);
        expect(await store.loadRun(run)).toEqual(before);
        expect(await store.events(run)).toHaveLength(2);
      });

      it('lets one of two writers through at a time', async () => {
        const other = url === 'sqlite::memory:' ? store : await openStore({ url });
        const won = await Promise.all([store, other, store, other].map(one => one.commit(run, 1, [{ what: 'run', status: 'running' }])));
        if (other !== store) await other.close();
        expect(won.filter(Boolean)).toHaveLength(1);
        expect(await store.events(run)).toHaveLength(2);
      });

      it('takes commits in the order of the calls without waiting between them', async () => {
        const all = await Promise.all(
          Array.from({ length: 20 }, (_, i) => store.commit(run, i + 1, [{ what: 'step', step: 'load', status: 'running', attempts: i }])),
        );
        expect(all.every(Boolean)).toBe(true);
        expect((await store.loadRun(run))?.steps[0]?.attempts).toBe(19);
      });

      it('writes nothing when a change cannot be written', async () => {
        const bad = {
          what: 'artifacts',
          step: 'load',
          attempt: 1,
          artifacts: [{ name: 'df', digest: null, size: 1 }],
        } as unknown as Change;
        await expect(store.commit(run, 1, [{ what: 'run', status: 'failed' }, bad])).rejects.toThrow();
        expect((await store.loadRun(run))?.run).toMatchObject({ status: 'queued', sequence: 1 });
        expect(await store.commit(run, 1, [{ what: 'run', status: 'running' }])).toHaveLength(1);
      });

      it('keeps artifacts with their previews, which events leave out', async () => {
        const made = { name: 'df', digest: digest('b'), size: 7, type: 'DataFrame', preview: { text: '1 × 1' } };
        const events = await store.commit(run, 1, [
          { what: 'artifacts', step: 'load', attempt: 1, artifacts: [made, { name: '@random', digest: digest('c'), size: 1 }] },
        ]);
        expect(events && events[0]!.change).toEqual({
          what: 'artifacts',
          step: 'load',
          attempt: 1,
          artifacts: [
            { name: 'df', digest: digest('b'), size: 7, type: 'DataFrame' },
            { name: '@random', digest: digest('c'), size: 1 },
          ],
        });
        expect(await store.artifacts(run)).toEqual(expect.arrayContaining([{ step: 'load', attempt: 1, ...made }]));
      });

      it('remembers when a resumed run first started', async () => {
        await store.commit(run, 1, [{ what: 'run', status: 'running' }], new Date(1000));
        await store.commit(run, 2, [{ what: 'run', status: 'failed', reason: 'disk full\0' }], new Date(2000));
        await store.commit(run, 3, [{ what: 'run', status: 'running' }], new Date(3000));
        expect((await store.loadRun(run))?.run).toMatchObject({
          started: new Date(1000).toISOString(),
          ended: undefined,
          reason: undefined,
        });
      });
    });

    it('makes a run of 3,000 steps', async () => {
      const steps = Array.from({ length: 3000 }, (_, i) => `s${i}`);
      const run = await someRun(store, steps);
      expect((await store.loadRun(run))?.steps.map(one => one.step)).toEqual(steps);
      await store.commit(
        run,
        1,
        steps.map(step => ({ what: 'step', step, status: 'skipped', reason: 'cancelled' })),
      );
      expect((await store.loadRun(run))?.steps.every(one => one.status === 'skipped')).toBe(true);
    });

    it('lists runs newest first, page by page, by what is asked', async () => {
      const notebookPath = '/list.ipynb';
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) ids.unshift(await someRun(store, [], { notebookPath, experiment: i % 2 ? 'odd' : 'even' }));
      const list = async (filter: object) => (await store.listRuns({ notebookPath, ...filter })).map(run => run.id);
      expect(await list({})).toEqual(ids);
      expect(await list({ limit: 2 })).toEqual(ids.slice(0, 2));
      expect(await list({ limit: 2, before: ids[1]! })).toEqual(ids.slice(2, 4));
      expect(await list({ experiment: 'odd' })).toEqual([ids[1], ids[3]]);
      await store.commit(ids[2]!, 1, [{ what: 'run', status: 'running' }]);
      expect(await list({ status: 'running' })).toEqual([ids[2]]);
      expect((await store.latestRun(notebookPath))?.id).toBe(ids[0]);
      expect(await store.latestRun('/never.ipynb')).toBeUndefined();
      expect(await store.loadRun('never')).toBeUndefined();
    });

    it('counts where the steps of many runs stand in one go', async () => {
      const [one, two] = [await someRun(store, ['a', 'b', 'c']), await someRun(store, ['a'])];
      await store.commit(one, 1, [
        { what: 'step', step: 'a', status: 'succeeded' },
        { what: 'step', step: 'b', status: 'running' },
      ]);
      const counts = await store.stepCounts([one, two, 'never']);
      expect([...counts]).toEqual([
        [one, { succeeded: 1, running: 1, waiting: 1 }],
        [two, { waiting: 1 }],
        ['never', {}],
      ]);
    });

    it('lists pipelines and their versions newest first, page by page', async () => {
      const save = (name: string, notebook: string) =>
        store.saveVersion({ name, notebookPath: `/listed/${name}`, document: document(name), notebook });
      const { pipelineId: old } = await save('old', '1');
      await save('old', '2');
      const { pipelineId: young } = await save('young', '1');
      const [first] = await store.listPipelines({ limit: 1 });
      expect(first).toMatchObject({ id: young, name: 'young', notebookPath: '/listed/young', version: 1 });
      const [second] = await store.listPipelines({ limit: 1, before: young });
      expect(second).toMatchObject({ id: old, version: 2 });
      expect(await store.findPipeline(old)).toEqual(second);
      expect(await store.findPipeline('never')).toBeUndefined();
      const numbers = async (page: object) => (await store.listVersions({ pipeline: old, limit: 5, ...page })).map(({ number }) => number);
      expect(await numbers({})).toEqual([2, 1]);
      expect(await numbers({ before: 2 })).toEqual([1]);
      expect(await numbers({ limit: 1 })).toEqual([2]);
    });

    it('keeps who started a run and makes one run of an idempotency key', async () => {
      const idempotencyKey = newId();
      const request = { idempotencyKey, request: 'digest', startedBy: 'ann\0é', claim: { owner: 'me', seconds: 60 } };
      const ids = await Promise.all([1, 2, 3].map(() => someRun(store, ['a'], request)));
      const made = ids.filter(id => id !== 'none');
      expect(made).toHaveLength(1);
      const run = await store.findRun(made[0]!);
      expect(run).toMatchObject({ id: made[0], pipelineName: 'iris', startedBy: 'anné', owner: 'me' });
      expect(await store.findStarted(idempotencyKey)).toEqual({ run, request: 'digest' });
      expect(await store.findStarted('never')).toBeUndefined();
      expect(await store.claimRun(made[0]!, 'you', 1)).toBe(false);
      expect(await someRun(store)).toHaveLength(16);
    });

    it('tells which runs somebody should be moving, and those made lately', async () => {
      const before = idAt(Date.now());
      const [active, over] = [await someRun(store), await someRun(store)];
      await store.commit(over, 1, [{ what: 'run', status: 'failed' }]);
      const all = (after: string) => store.activeRuns(after).then(runs => runs.filter(({ id }) => id === active || id === over));
      expect(await all(before)).toEqual([
        { id: active, status: 'queued', sequence: 1, held: false },
        { id: over, status: 'failed', sequence: 2, held: false },
      ]);
      await store.claimRun(active, 'me', 60);
      expect(await all(newId())).toEqual([{ id: active, status: 'queued', sequence: 1, owner: 'me', held: true }]);
    });

    it('keeps the time at which a run first began when it is queued again', async () => {
      const run = await someRun(store);
      await store.commit(run, 1, [{ what: 'run', status: 'running' }], new Date(1000));
      await store.commit(run, 2, [{ what: 'run', status: 'failed' }], new Date(2000));
      await store.commit(run, 3, [{ what: 'run', status: 'queued' }], new Date(3000));
      await store.commit(run, 4, [{ what: 'run', status: 'running' }], new Date(4000));
      const { started, ended } = (await store.findRun(run))!;
      expect([started, ended]).toEqual([new Date(1000).toISOString(), undefined]);
    });

    it('lets one owner claim a run until its deadline has passed', async () => {
      const run = await someRun(store);
      expect(await store.claimRun(run, 'a', 60)).toBe(true);
      expect(await store.claimRun(run, 'b', 60)).toBe(false);
      expect(await store.claimRun(run, 'a', 60)).toBe(true);
      await store.releaseRun(run, 'b');
      expect(await store.claimRun(run, 'b', 60)).toBe(false);
      await store.releaseRun(run, 'a');
      expect(await store.claimRun(run, 'b', -1)).toBe(true);
      expect(await store.claimRun(run, 'a', 60)).toBe(true);
      expect(await store.claimRun('never', 'a', 60)).toBe(false);
    });

    it('finds the newest finished step run with a reuse key', async () => {
      const key = newId();
      const [early, late, failed] = [await someRun(store), await someRun(store), await someRun(store)];
      const done = (run: string, status: 'succeeded' | 'failed', time: number, result: Digest) =>
        store.commit(run!, 1, [{ what: 'step', step: 'train', status, reuseKey: key, result }], new Date(time));
      expect(await store.findReusable(key)).toBeUndefined();
      await done(early!, 'succeeded', 1000, digest('1'));
      await done(late!, 'succeeded', 2000, digest('2'));
      await done(failed!, 'failed', 3000, digest('3'));
      expect(await store.findReusable(key)).toEqual({ run: late, step: 'train', result: digest('2'), ended: new Date(2000).toISOString() });
    });

    describe('migrations', () => {
      // In memory every connection is another database, so nothing can be left there for a later program to find.
      const given = url === 'sqlite::memory:' ? it.skip : it;
      const open = async () => {
        const other = await makeUrl();
        return { other, ...connect(other) };
      };

      given.each(Object.keys(migrations).map((name, index) => [name, index] as const))(
        'go up to and down from %s with rows in the tables',
        async (_name, index) => {
          const { knex, where } = await open();
          try {
            await migrate(knex, where, index);
            const filled = index > 0 ? ['before'] : [];
            for (const id of filled) await fill(knex, id);
            await migrate(knex, where, index + 1);
            await fill(knex, 'up');
            await rollBack(knex, where, index);
            await migrate(knex, where, index + 1);
            await fill(knex, 'again');
            await migrate(knex, where);
            // Down to nothing takes the rows along; any other way down and up keeps them.
            expect(await knex('runs').pluck('id').orderBy('id')).toEqual(index > 0 ? ['again', 'before', 'up'] : ['again']);
            expect(await knex('stepwell_migrations').pluck('name')).toHaveLength(Object.keys(migrations).length);
          } finally {
            await knex.destroy();
          }
        },
      );

      given('are done once when several programs open a new database at once', async () => {
        const other = await makeUrl();
        const stores = await Promise.all([1, 2, 3].map(() => openStore({ url: other })));
        expect(await someRun(stores[0]!)).toHaveLength(16);
        await Promise.all(stores.map(one => one.close()));
      });

      given('refuse a database that a newer program made', async () => {
        const { knex, where, other } = await open();
        await migrate(knex, where);
        await knex('stepwell_migrations').insert({ name: '9-from-the-future' });
        await knex.destroy();
        const refused = openStore({ url: other });
        await expect(refused).rejects.toThrow(StoreProblem);
        await expect(refused).rejects.toThrow(/newer Stepwell.*9-from-the-future.*update Stepwell/);
      });
    });
  });
}

/** A row in every table, of columns that were there from the first migration on. */
async function fill(knex: ReturnType<typeof connect>['knex'], id: string): Promise<void> {
  const text = { created: 'now', notebook_path: `/${id}` };
  await knex('pipelines').insert({ id, name: 'p', ...text });
  await knex('versions').insert({ pipeline: id, number: 1, digest: 'd', document: '{}', notebook_digest: 'd', created: 'now' });
  const run = { id, pipeline: id, version: 1, status: 'queued', options: '{}', ...text, folder: '/', target: 'local', sequence: 1 };
  await knex('runs').insert(run);
  await knex('step_runs').insert({ run: id, step: 's', status: 'waiting' });
  await knex('attempts').insert({ run: id, step: 's', attempt: 1, status: 'queued' });
  await knex('events').insert({ run: id, sequence: 1, at: 'now', change: '{}' });
  await knex('artifacts').insert({ run: id, step: 's', attempt: 1, name: 'n', digest: 'd', size: 1 });
}
