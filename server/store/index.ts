/**
 * The store: what is remembered of pipelines, versions and runs, in SQLite or PostgreSQL; the only room that knows knex.
 *
 * A run is written by one call, `commit`: the state and the events that tell of it change together, or not at all. The number of the
 * run's last event is its fence: whoever names another number than the stored one has been overtaken, and nothing of his is written.
 */
import { createHash } from 'node:crypto';
import type { Knex } from 'knex';
import type { Digest } from '../../pipeline/model/artifact';
import type { Instant } from '../../pipeline/model/instant';
import type { Pipeline } from '../../pipeline/model/pipeline';
import type { Attempt, Change, LoggedChange, Run, RunEvent, RunOptions, StepRun, StepRunStatus } from '../../pipeline/model/run';
import { type Connection, connect } from './connect';
import { newId } from './id';
import * as lists from './lists';
import { migrate } from './migrate';
import { storeProblem } from './problem';
import * as rows from './rows';

export { idAt, newId } from './id';
export type { ActiveRun, ListedPipeline, ListedVersion, RunFilter } from './lists';
export { StoreProblem, type StoreTrouble } from './problem';

export interface NewVersion {
  name: string;
  notebookPath: string;
  document: Pipeline;
  /** The notebook as it was, so that a run of long ago can be opened; or only its digest. */
  notebook: string | { digest: string };
}

export interface NewRun {
  id: string;
  pipeline: string;
  version: number;
  experiment?: string;
  options: RunOptions;
  folder: string;
  notebookPath: string;
  target: string;
  /** Names, in notebook order. */
  steps: string[];
  startedBy?: string;
  /** At most one run has this key. */
  idempotencyKey?: string;
  /** Digest of the request that the key came with. */
  request?: string;
  /** Who moves it from the start, and for how many seconds that holds. */
  claim?: { owner: string; seconds: number };
}

export interface LoadedRun {
  run: Run;
  /** In notebook order. */
  steps: StepRun[];
  /** By step and number. */
  attempts: Attempt[];
  document: Pipeline;
}

export interface Reusable {
  run: string;
  step: string;
  result: Digest;
  ended: Instant;
}

/** Connects and brings the tables up to date. Rejects with a `StoreProblem` if the database cannot be used. */
export async function openStore({ url }: { url: string }): Promise<Store> {
  const connection = connect(url);
  try {
    await migrate(connection.knex, connection.where);
  } catch (error) {
    await connection.knex.destroy().catch(() => {});
    throw storeProblem(error, connection.where);
  }
  return new Store(connection);
}

/** Rows in one insert: both databases limit the number of values in a statement. */
const batch = 500;

export class Store {
  private readonly knex: Knex;
  /** The end of the last commit of each run, so that commits of one run arrive in the order in which they were asked for. */
  private readonly queues = new Map<string, Promise<unknown>>();

  constructor(private readonly connection: Connection) {
    this.knex = connection.knex;
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.queues.values());
    await this.knex.destroy();
  }

  /** The same document and notebook are the same version, however often they are saved. A notebook's path is its pipeline's identity. */
  saveVersion({ name, notebookPath, document, notebook }: NewVersion): Promise<{ pipelineId: string; version: number }> {
    return this.write(async knex => {
      const created = new Date().toISOString();
      await knex('pipelines')
        .insert({ id: newId(), name: rows.plain(name), notebook_path: notebookPath, created })
        .onConflict('notebook_path')
        .merge(['name']);
      // For the rest of the transaction this row is ours: two programs that save the same notebook at once number their versions one after the other.
      const pipeline = await knex('pipelines').where({ notebook_path: notebookPath }).first('id').modify(forUpdate);
      const text = JSON.stringify(document);
      const notebookDigest = typeof notebook === 'string' ? sha256(notebook) : notebook.digest;
      const digest = sha256(`${notebookDigest}\n${text}`);
      const same = await knex('versions').where({ pipeline: pipeline.id, digest }).first('number');
      if (same) return { pipelineId: pipeline.id, version: Number(same.number) };
      const last = await knex('versions').where({ pipeline: pipeline.id }).max({ number: 'number' }).first();
      const number = Number(last?.number ?? 0) + 1;
      const notebookText = typeof notebook === 'string' ? JSON.stringify(notebook) : null;
      await knex('versions').insert({
        pipeline: pipeline.id,
        number,
        digest,
        document: text,
        notebook_digest: notebookDigest,
        notebook: notebookText,
        created,
      });
      return { pipelineId: pipeline.id, version: number };
    });
  }

  async loadVersion(
    pipeline: string,
    number: number,
  ): Promise<{ document: Pipeline; notebook?: string; digest: string; created: Instant } | undefined> {
    const row = await this.ask(this.knex('versions').where({ pipeline, number }).first('document', 'notebook', 'digest', 'created'));
    if (!row) return undefined;
    const { digest, created, document, notebook } = row;
    return { document: JSON.parse(document), notebook: notebook === null ? undefined : JSON.parse(notebook), digest, created };
  }

  /**
   * Makes the run, its waiting steps and its first event; gives the number of that event, which the first `commit` names. Gives false, with
   * nothing written, when there is a run with its idempotency key.
   */
  createRun(run: NewRun, at: Date = new Date()): Promise<number | false> {
    return this.write(async knex => {
      const created = at.toISOString();
      const { claim, idempotencyKey = null } = run;
      const row = {
        id: run.id,
        pipeline: run.pipeline,
        version: run.version,
        experiment: run.experiment === undefined ? null : rows.plain(run.experiment),
        status: 'queued',
        options: JSON.stringify(run.options),
        created,
        notebook_path: run.notebookPath,
        folder: run.folder,
        target: run.target,
        sequence: 1,
        started_by: run.startedBy === undefined ? null : rows.plain(run.startedBy),
        idempotency_key: idempotencyKey,
        request: run.request ?? null,
        owner: claim?.owner ?? null,
        owned_until: claim ? this.later(claim.seconds) : null,
      };
      const made = await knex('runs').insert(row).onConflict('idempotency_key').ignore().returning('id');
      if (made.length === 0) return false;
      await insertAll(
        knex('step_runs'),
        run.steps.map((step, position) => ({ run: run.id, step, position, status: 'waiting' })),
      );
      await knex('events').insert({
        run: run.id,
        sequence: 1,
        at: created,
        change: JSON.stringify({ what: 'run', status: 'queued' } satisfies LoggedChange),
      });
      return 1;
    });
  }

  /**
   * Applies the changes and appends an event for each, in one transaction, and gives those events; or gives false, with nothing written,
   * when the run's last event is not `expectedSequence` (somebody else moved it, or it is gone). Commits of one run are done in the
   * order of the calls, so one need not wait for the answer of the last.
   */
  commit(run: string, expectedSequence: number, changes: Change[], at: Date = new Date()): Promise<RunEvent[] | false> {
    const before = this.queues.get(run);
    const now = () => this.commitNow(run, expectedSequence, changes, at.toISOString());
    const done = before ? before.then(now, now) : now();
    this.queues.set(run, done);
    const forget = () => {
      if (this.queues.get(run) === done) this.queues.delete(run);
    };
    done.then(forget, forget);
    return done;
  }

  private async commitNow(run: string, expectedSequence: number, changes: Change[], at: Instant): Promise<RunEvent[] | false> {
    const events = changes.map((change, index): RunEvent => ({ sequence: expectedSequence + index + 1, at, change: rows.logged(change) }));
    const logged = events.map(({ sequence, change }) => ({ run, sequence, at, change: JSON.stringify(change) }));
    const written = rows.written(run, changes, at);
    const columns: Record<string, Knex.Value | Knex.Raw | null> = { ...written.run, sequence: expectedSequence + changes.length };
    // A run that is resumed began when it first began.
    if (written.run.started) columns.started = this.knex.raw('coalesce(started, ?)', [written.run.started]);
    return this.write(async knex => {
      if ((await knex('runs').where({ id: run, sequence: expectedSequence }).update(columns)) !== 1) return false;
      await upsertAll(knex, 'step_runs', ['run', 'step'], written.steps);
      await upsertAll(knex, 'attempts', ['run', 'step', 'attempt'], written.attempts);
      await upsertAll(knex, 'artifacts', ['run', 'step', 'attempt', 'name'], written.artifacts);
      await insertAll(knex('events'), logged);
      return events;
    });
  }

  /** Everything needed to go on with a run. */
  async loadRun(id: string): Promise<LoadedRun | undefined> {
    const [row] = await this.ask<rows.Row[]>(lists.runsWithNames(this.knex, ['plan']).where('runs.id', id));
    if (!row) return undefined;
    const [steps, attempts, version] = await Promise.all([
      this.ask(this.knex('step_runs').where({ run: id }).orderBy(['position', 'step'])),
      this.ask(this.knex('attempts').where({ run: id }).orderBy(['step', 'attempt'])),
      this.loadVersion(String(row.pipeline), Number(row.version)),
    ]);
    return { run: rows.run(row), steps: steps.map(rows.stepRun), attempts: attempts.map(rows.attempt), document: version!.document };
  }

  /** Events with a number above `after`, in order. */
  async events(run: string, after = 0, limit = 1000): Promise<RunEvent[]> {
    const found = await this.ask(this.knex('events').where({ run }).where('sequence', '>', after).orderBy('sequence').limit(limit));
    return found.map(rows.event);
  }

  /** The run alone, without its plan. */
  async findRun(id: string): Promise<Run | undefined> {
    const [row] = await this.ask<rows.Row[]>(lists.runsWithNames(this.knex).where('runs.id', id));
    return row && rows.run(row);
  }

  /** The run that was started with this key, and the digest of the request. */
  async findStarted(idempotencyKey: string): Promise<{ run: Run; request?: string } | undefined> {
    const query = lists.runsWithNames(this.knex, ['request']).where('runs.idempotency_key', idempotencyKey);
    const [row] = await this.ask<rows.Row[]>(query);
    return row && { run: rows.run(row), request: row.request === null ? undefined : String(row.request) };
  }

  /** Newest first. The next page is asked for with `before`. Without their plans. */
  listRuns(filter: lists.RunFilter = {}): Promise<Run[]> {
    return this.ask(lists.runs(this.knex, filter));
  }

  stepCounts(runs: string[]): Promise<Map<string, Partial<Record<StepRunStatus, number>>>> {
    return this.ask(lists.stepCounts(this.knex, runs));
  }

  findPipeline(id: string): Promise<lists.ListedPipeline | undefined> {
    return this.ask(lists.pipeline(this.knex, id));
  }

  listPipelines(page: { limit: number; before?: string }): Promise<lists.ListedPipeline[]> {
    return this.ask(lists.pipelines(this.knex, page));
  }

  listVersions(page: { pipeline: string; limit: number; before?: number }): Promise<lists.ListedVersion[]> {
    return this.ask(lists.versions(this.knex, page));
  }

  activeRuns(after: string): Promise<lists.ActiveRun[]> {
    return this.ask(lists.activeRuns(this.knex, after, this.clock));
  }

  async latestRun(notebookPath: string): Promise<Run | undefined> {
    return (await this.listRuns({ notebookPath, limit: 1 }))[0];
  }

  /** Artifacts of a run, by step, attempt and name. */
  async artifacts(
    run: string,
  ): Promise<{ step: string; attempt: number; name: string; digest: Digest; size: number; type?: string; preview?: unknown }[]> {
    const found = await this.ask(this.knex('artifacts').where({ run }).orderBy(['step', 'attempt', 'name']));
    return found.map(({ step, attempt, name, digest, size, type, preview }) => ({
      step,
      attempt,
      name,
      digest,
      size: Number(size),
      type: type ?? undefined,
      preview: preview === null ? undefined : JSON.parse(preview),
    }));
  }

  /** Makes `owner` the one who moves the run forward for so many seconds, or lengthens his claim; false while another's holds. By the database's clock. */
  async claimRun(id: string, owner: string, seconds: number): Promise<boolean> {
    const free = (query: Knex.QueryBuilder) => query.whereNull('owner').orWhere({ owner }).orWhereRaw(`owned_until < ${this.clock}`);
    const claimed = this.knex('runs')
      .where({ id })
      .where(free)
      .update({ owner, owned_until: this.later(seconds) });
    return (await this.ask(claimed)) === 1;
  }

  /** Gives a claim back; does nothing when it is another's. */
  async releaseRun(id: string, owner: string): Promise<void> {
    await this.ask(this.knex('runs').where({ id, owner }).update({ owner: null, owned_until: null }));
  }

  /** The newest finished step run with this reuse key. */
  async findReusable(key: string): Promise<Reusable | undefined> {
    const query = this.knex('step_runs').where({ reuse_key: key }).whereIn('status', ['succeeded', 'reused']).whereNotNull('result');
    const row = await this.ask(query.orderBy('ended', 'desc').first('run', 'step', 'result', 'ended'));
    return row && { run: row.run, step: row.step, result: row.result, ended: row.ended };
  }

  private later(seconds: number): Knex.Raw {
    return this.knex.raw(`${this.clock} + ?`, [Math.round(seconds * 1000)]);
  }

  /** Milliseconds since 1970 by the database's clock. */
  private get clock(): string {
    return this.connection.kind === 'sqlite'
      ? "cast(unixepoch('subsec') * 1000 as integer)"
      : 'cast(extract(epoch from clock_timestamp()) * 1000 as bigint)';
  }

  private async write<T>(work: (knex: Knex.Transaction) => Promise<T>): Promise<T> {
    try {
      return await this.knex.transaction(work);
    } catch (error) {
      throw storeProblem(error, this.connection.where);
    }
  }

  private async ask<T>(query: PromiseLike<T>): Promise<T> {
    try {
      return await query;
    } catch (error) {
      throw storeProblem(error, this.connection.where);
    }
  }
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

/** Locks the row; SQLite, where a writing transaction is alone anyway, leaves the words out. */
const forUpdate = (query: Knex.QueryBuilder) => void query.forUpdate();

async function insertAll(table: Knex.QueryBuilder, all: rows.Row[]): Promise<void> {
  for (let from = 0; from < all.length; from += batch) await table.clone().insert(all.slice(from, from + batch));
}

/** Inserts or updates, one statement for all rows that set the same columns. */
async function upsertAll(knex: Knex.Transaction, table: string, key: string[], all: Map<string, rows.Row>): Promise<void> {
  const alike = new Map<string, rows.Row[]>();
  for (const row of all.values()) {
    const columns = Object.keys(row).sort().join();
    const group = alike.get(columns);
    if (group) group.push(row);
    else alike.set(columns, [row]);
  }
  for (const group of alike.values()) {
    const set = Object.keys(group[0]!).filter(column => !key.includes(column));
    for (let from = 0; from < group.length; from += batch) {
      await knex(table)
        .insert(group.slice(from, from + batch))
        .onConflict(key)
        .merge(set);
    }
  }
}
