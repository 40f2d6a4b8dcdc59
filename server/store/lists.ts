/** Lists, newest first, a page at a time: the next page is asked for with the id (or number) of the last one seen. Each is one query along one index. */
import type { Knex } from 'knex';
import type { Instant } from '../../pipeline/model/instant';
import { type Run, type RunStatus, runStatuses, type StepRunStatus } from '../../pipeline/model/run';
import * as rows from './rows';

export interface RunFilter {
  pipeline?: string;
  experiment?: string;
  status?: RunStatus;
  notebookPath?: string;
  limit?: number;
  /** The id of the last run of the page before. */
  before?: string;
}

export interface ListedPipeline {
  id: string;
  name: string;
  notebookPath: string;
  created: Instant;
  /** Number of the newest version. */
  version: number;
}

export interface ListedVersion {
  pipeline: string;
  number: number;
  digest: string;
  created: Instant;
}

/** A run that somebody should be moving, as little of it as it takes to notice that it moved. */
export interface ActiveRun {
  id: string;
  status: RunStatus;
  sequence: number;
  owner?: string;
  /** The owner's claim has not run out. */
  held: boolean;
}

/** All but the plan, which only the engine reads and which may be long. */
const runColumns = [
  'id',
  'pipeline',
  'version',
  'experiment',
  'status',
  'options',
  'reason',
  'created',
  'started',
  'ended',
  'owner',
  'notebook_path',
  'folder',
  'target',
  'sequence',
  'started_by',
];

export const runsWithNames = (knex: Knex, more: string[] = []): Knex.QueryBuilder =>
  knex('runs')
    .join('pipelines', 'pipelines.id', 'runs.pipeline')
    .select([...runColumns, ...more].map(column => `runs.${column}`))
    .select('pipelines.name as pipeline_name');

export function runs(knex: Knex, { limit = 50, before, notebookPath, pipeline, experiment, status }: RunFilter): Promise<Run[]> {
  // The page is found along an index first; only its rows are read and joined.
  const page = knex('runs').select('id').orderBy('id', 'desc').limit(limit);
  for (const [column, value] of Object.entries({ pipeline, experiment, status })) if (value !== undefined) page.where(column, value);
  if (notebookPath !== undefined) page.where('pipeline', knex('pipelines').where({ notebook_path: notebookPath }).select('id'));
  if (before !== undefined) page.where('id', '<', before);
  const query = runsWithNames(knex)
    .whereIn('runs.id', knex.select('id').from(page.as('page')))
    .orderBy('runs.id', 'desc');
  return query.then(found => found.map(rows.run));
}

/** How many steps stand where, for each of these runs. */
export async function stepCounts(knex: Knex, ids: string[]): Promise<Map<string, Partial<Record<StepRunStatus, number>>>> {
  const counts = new Map<string, Partial<Record<StepRunStatus, number>>>(ids.map(id => [id, {}]));
  if (ids.length === 0) return counts;
  const query = knex('step_runs').whereIn('run', ids).groupBy('run', 'status').count({ count: '*' }).select('run', 'status');
  const found: rows.Row[] = await query;
  for (const { run, status, count } of found) counts.get(String(run))![status as StepRunStatus] = Number(count);
  return counts;
}

/** A pipeline by its id. */
export const pipeline = async (knex: Knex, id: string): Promise<ListedPipeline | undefined> =>
  (await pipelinesWithVersions(knex).where({ id }).limit(1)).map(listedPipeline)[0];

export async function pipelines(knex: Knex, { limit, before }: { limit: number; before?: string }): Promise<ListedPipeline[]> {
  const query = pipelinesWithVersions(knex).orderBy('id', 'desc').limit(limit);
  if (before !== undefined) query.where('id', '<', before);
  return (await query).map(listedPipeline);
}

const pipelinesWithVersions = (knex: Knex): Knex.QueryBuilder => {
  const newest = knex('versions').max('number').whereRaw('versions.pipeline = pipelines.id').as('version');
  return knex('pipelines').select('id', 'name', 'notebook_path', 'created', newest);
};

const listedPipeline = ({ id, name, notebook_path, created, version }: rows.Row): ListedPipeline => ({
  id: String(id),
  name: String(name),
  notebookPath: String(notebook_path),
  created: String(created),
  version: Number(version ?? 0),
});

export async function versions(
  knex: Knex,
  { pipeline: id, limit, before }: { pipeline: string; limit: number; before?: number },
): Promise<ListedVersion[]> {
  const query = knex('versions').where({ pipeline: id }).orderBy('number', 'desc').limit(limit);
  if (before !== undefined) query.where('number', '<', before);
  const found = await query.select('pipeline', 'number', 'digest', 'created');
  return found.map(row => ({ ...row, number: Number(row.number) }));
}

const over = new Set<RunStatus>(['succeeded', 'failed', 'cancelled']);
const active = runStatuses.filter(status => !over.has(status));

/** Every run that is queued or running, and every run made since `after` (an id), over or not. */
export async function activeRuns(knex: Knex, after: string, clock: string): Promise<ActiveRun[]> {
  const held = knex.raw(`case when owned_until > ${clock} then 1 else 0 end as held`);
  const columns = ['id', 'status', 'sequence', 'owner', held];
  const found: rows.Row[] = await knex('runs')
    .whereIn('status', active)
    .select(columns)
    .union(knex('runs').where('id', '>', after).select(columns))
    .orderBy('id');
  return found.map(({ id, status, sequence, owner, held: isHeld }) => ({
    id: String(id),
    status: status as RunStatus,
    sequence: Number(sequence),
    owner: owner === null ? undefined : String(owner),
    held: Number(isHeld) === 1,
  }));
}
