/** What is kept and for how long: which runs may go, what is gone with them, and which blobs those that stay have named. */
import type { Knex } from 'knex';
import type { Digest } from '../../pipeline/model/artifact';
import { runStatuses } from '../../pipeline/model/run';
import type { Row } from './rows';

/** Without either nothing goes. Active and pinned runs always stay. */
export interface Retention {
  /** An instant: runs that were started before may go. */
  before?: string;
  /** The newest of each notebook stay. */
  keep?: number;
}

const ended = runStatuses.filter(status => status !== 'queued' && status !== 'running');
const page = 500;

/** Ids of runs that may go, oldest first. */
export async function removableRuns(knex: Knex, { before, keep }: Retention): Promise<string[]> {
  if (before === undefined && keep === undefined) return [];
  const ranked = knex('runs')
    .select('id', 'created', 'status', 'pinned', 'owner')
    .select(knex.raw('row_number() over (partition by pipeline order by id desc) as place'))
    .as('ranked');
  const query = knex.from(ranked).whereIn('status', ended).whereNull('pinned').whereNull('owner').orderBy('id');
  if (before !== undefined) query.where('created', '<', before);
  if (keep !== undefined) query.where('place', '>', keep);
  return query.pluck('id');
}

/** Removes runs with all that is theirs; gives those that were removed. Answers that a run which stays was reused from are handed on to it. */
export async function removeRuns(transaction: Knex.Transaction, ids: string[]): Promise<string[]> {
  const removed: string[] = [];
  for (let from = 0; from < ids.length; from += page) {
    const some = ids.slice(from, from + page);
    const answers: Row[] = await transaction('step_runs')
      .whereIn('run', some)
      .whereNotNull('reuse_key')
      .select('run', 'step', 'result', 'reuse_key', 'key_parts');
    for (const answer of answers) await handOn(transaction, answer, ids);
    const query = transaction('runs').whereIn('id', some).whereIn('status', ended).whereNull('pinned').whereNull('owner');
    const gone: string[] = await query.forUpdate().pluck('id');
    await transaction('runs').whereIn('id', gone).delete();
    removed.push(...gone);
  }
  return removed;
}

/** The newest step run that took this very answer stands for it from now on. */
async function handOn(transaction: Knex.Transaction, { run, step, result, reuse_key, key_parts }: Row, leaving: string[]): Promise<void> {
  const heirs: Row[] = await transaction('step_runs')
    .where({ step, result, reused_from: run })
    .orderBy('run', 'desc')
    .select('run', 'key_parts');
  const gone = new Set(leaving);
  const heir = heirs.find(one => !gone.has(String(one.run)));
  if (!heir) return;
  const key = { ...JSON.parse(String(heir.key_parts)), used: JSON.parse(String(key_parts)).used };
  await transaction('step_runs')
    .where({ run: heir.run, step })
    .update({ reuse_key, key_parts: JSON.stringify(key) });
}

const digests = /sha256:[0-9a-f]{64}/g;

/** Every digest that a run which is there has named, apart from those `without`: what its steps were given and gave, its results, and what it takes to use them again. */
export async function* namedDigests(knex: Knex, without: string[] = []): AsyncIterable<Digest[]> {
  const gone = new Set(without);
  const tables = [
    { table: 'step_runs', key: ['run', 'step'], columns: ['result', 'given', 'key_parts'] },
    { table: 'attempts', key: ['run', 'step', 'attempt'], columns: ['result'] },
    { table: 'artifacts', key: ['run', 'step', 'attempt', 'name'], columns: ['digest'] },
  ];
  for (const { table, key, columns } of tables) {
    let last: Row | undefined;
    for (;;) {
      const query = knex(table)
        .select(...key, ...columns)
        .orderBy(key)
        .limit(page);
      if (last) {
        const after = last;
        const marks = key.map(() => '?').join();
        query.whereRaw(`(${key.map(() => '??').join()}) > (${marks})`, [...key, ...key.map(column => after[column]!)]);
      }
      const rows: Row[] = await query;
      if (rows.length === 0) break;
      yield rows
        .filter(row => !gone.has(String(row.run)))
        .flatMap(row => columns.flatMap(column => String(row[column] ?? '').match(digests) ?? [])) as Digest[];
      last = rows.at(-1);
    }
  }
}
