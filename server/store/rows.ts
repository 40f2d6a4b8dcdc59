/** Rows of the tables and the model's types, each way, once. */
import type { Digest } from '../../pipeline/model/artifact';
import type {
  Attempt,
  AttemptStatus,
  Change,
  LoggedChange,
  Run,
  RunEvent,
  RunStatus,
  StepRun,
  StepRunStatus,
} from '../../pipeline/model/run';

export type Row = Record<string, string | number | null>;

/** Text that both databases take: PostgreSQL refuses the NUL character, and neither keeps half a surrogate pair. */
export const plain = (text: string): string => text.toWellFormed().replaceAll('\0', '');

export const json = (value: unknown): string => JSON.stringify(value);
const parsed = <T>(value: string | number | null | undefined): T | undefined => (typeof value === 'string' ? JSON.parse(value) : undefined);
const text = (value: string | number | null | undefined) => (value === null || value === undefined ? undefined : String(value));
const number = (value: string | number | null | undefined) => (value === null || value === undefined ? undefined : Number(value));

export function run(row: Row): Run {
  return {
    id: String(row.id),
    pipeline: String(row.pipeline),
    pipelineName: String(row.pipeline_name),
    version: Number(row.version),
    experiment: text(row.experiment),
    status: row.status as RunStatus,
    options: parsed(row.options)!,
    plan: parsed(row.plan),
    reason: text(row.reason),
    created: String(row.created),
    started: text(row.started),
    ended: text(row.ended),
    owner: text(row.owner),
    notebookPath: String(row.notebook_path),
    folder: String(row.folder),
    target: String(row.target),
    sequence: Number(row.sequence),
    startedBy: text(row.started_by),
  };
}

export function stepRun(row: Row): StepRun {
  return {
    step: String(row.step),
    status: row.status as StepRunStatus,
    attempts: Number(row.attempts),
    unit: text(row.unit),
    reason: text(row.reason),
    started: text(row.started),
    ended: text(row.ended),
    result: text(row.result) as Digest | undefined,
    given: parsed(row.given),
    key: parsed(row.key_parts),
  };
}

export function attempt(row: Row): Attempt {
  return {
    step: String(row.step),
    attempt: Number(row.attempt),
    token: text(row.token),
    status: row.status as AttemptStatus,
    error: parsed(row.error),
    overhead: parsed(row.overhead),
    peakMemory: number(row.peak_memory),
    cpuSeconds: number(row.cpu_seconds),
    result: text(row.result) as Digest | undefined,
    cells: parsed(row.cells),
    started: text(row.started),
    ended: text(row.ended),
  };
}

export const event = (row: Row): RunEvent => ({ sequence: Number(row.sequence), at: String(row.at), change: parsed(row.change)! });

/** What the log keeps of a change. */
export function logged(change: Change): LoggedChange {
  switch (change.what) {
    case 'step': {
      const { given: _given, key: _key, ...rest } = change;
      return rest;
    }
    case 'attempt': {
      const { token: _token, cells: _cells, ...rest } = change;
      return rest;
    }
    case 'plan': {
      const { plan: _plan, ...rest } = change;
      return rest;
    }
    case 'artifacts':
      return { ...change, artifacts: change.artifacts.map(({ preview: _preview, ...rest }) => rest) };
    default:
      return change;
  }
}

/** What a list of changes comes to in the tables: one row of columns to set for each thing changed, later changes over earlier ones. */
export interface Written {
  run: Row;
  steps: Map<string, Row>;
  attempts: Map<string, Row>;
  artifacts: Map<string, Row>;
}

const finished = new Set<string>(['succeeded', 'reused', 'failed', 'cancelled', 'skipped'] satisfies (
  | StepRunStatus
  | RunStatus
  | AttemptStatus
)[]);

/** Started and ended follow from the status: what runs again has not ended, what waits again has not started either. */
function times(status: string, at: string): Row {
  if (status === 'running') return { started: at, ended: null };
  if (finished.has(status)) return { ended: at };
  return { started: null, ended: null };
}

export function written(run: string, changes: Change[], at: string): Written {
  const rows: Written = { run: {}, steps: new Map(), attempts: new Map(), artifacts: new Map() };
  const merge = (map: Map<string, Row>, key: string, columns: Record<string, string | number | null | undefined>) => {
    const row = map.get(key) ?? {};
    for (const [column, value] of Object.entries(columns)) if (value !== undefined) row[column] = value;
    map.set(key, row);
  };
  const maybe = (value: unknown) => (value === undefined ? undefined : json(value));
  for (const change of changes) {
    switch (change.what) {
      case 'run':
        // What is queued again keeps the time when it first began.
        Object.assign(rows.run, change.status === 'queued' ? { ended: null } : times(change.status, at), {
          status: change.status,
          reason: change.reason === undefined ? null : plain(change.reason),
        });
        break;
      case 'plan':
        if (change.plan !== undefined) rows.run.plan = json(change.plan);
        break;
      case 'step':
        merge(rows.steps, change.step, {
          run,
          step: change.step,
          status: change.status,
          ...times(change.status, at),
          // A reason belongs to the status it came with.
          reason: change.reason === undefined ? null : plain(change.reason),
          attempts: change.attempts,
          unit: change.unit,
          result: change.result,
          given: maybe(change.given),
          key_parts: maybe(change.key),
          // Another key is another answer, found by nobody until all that it used is known.
          ...(change.key ? { reuse_key: null, reused_from: change.key.from?.run ?? null } : {}),
        });
        break;
      case 'attempt':
        merge(rows.attempts, `${change.step} ${change.attempt}`, {
          run,
          step: change.step,
          attempt: change.attempt,
          status: change.status,
          ...times(change.status, at),
          token: change.token,
          error: maybe(change.error),
          overhead: maybe(change.overhead),
          peak_memory: change.peakMemory,
          cpu_seconds: change.cpuSeconds,
          result: change.result,
          cells: maybe(change.cells),
        });
        break;
      case 'artifacts':
        for (const one of change.artifacts) {
          merge(rows.artifacts, `${change.step} ${change.attempt} ${one.name}`, {
            run,
            step: change.step,
            attempt: change.attempt,
            name: plain(one.name),
            digest: one.digest,
            size: one.size,
            type: one.type === undefined ? null : plain(one.type),
            preview: one.preview === undefined ? null : json(one.preview),
          });
        }
        break;
    }
  }
  return rows;
}
