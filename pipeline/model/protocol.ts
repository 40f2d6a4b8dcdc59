/**
 * What the service says and is told: bodies of requests and answers under `/api/v1`, and socket events. Both ends import these types; the
 * service's schemas (`server/api/schemas.ts`) are checked against them by the compiler, and the OpenAPI document is made from those.
 *
 * Everything that tells of a run comes in one of three ways, each of which can be taken up again after a lost connection:
 *   events   rows of the run's log, numbered from 1 without gaps (`RunEvent.sequence`): ask for those after the last one seen
 *   cells    where each cell stands now: state, not history; sent whole on subscription, then what changed
 *   lines    what an attempt said, numbered from 1 without gaps within the attempt (`LogLine.number`)
 *
 * Routes, under `/api/v1`; the whole of it is the OpenAPI document at `/api/v1/openapi.json`. Lists are `Page`s: ask for the next with
 * `?cursor=` (runs, pipelines, versions) or `?after=` (events, lines), both with `limit`.
 *
 *   GET  service · targets                              ServiceInfo · Page<TargetInfo>
 *   POST compile · warm                                 CompileAnswer · 204
 *   POST runs                                           RunSummary: 201, or 200 when the key was used before for the same
 *   GET  runs?status=&pipeline=&path=&experiment=       Page<RunSummary>, newest first
 *   GET  runs/{run}                                     RunDetail
 *   POST runs/{run}/cancel · runs/{run}/resume          RunSummary: 202
 *   GET  runs/{run}/events · cells                      Page<RunEvent> · Page<CellRun>
 *   GET  runs/{run}/steps · steps/{step}                Page<StepRunView> · StepRunView
 *   GET  runs/{run}/steps/{step}/why                    Why
 *   GET  runs/{run}/attempts · attempts/{step}/{n}      Page<AttemptView> · AttemptView
 *   GET  runs/{run}/attempts/{step}/{n}/lines           Page<LogLine>
 *   GET  runs/{run}/artifacts · artifacts/{digest}      Page<ArtifactView> · the bytes, as an attachment
 *   GET  runs/{run}/metrics                             Page<MetricView>
 *   GET  runs/{run}/notebook · executed                 the notebook as it was · with the outputs of this run
 *   GET  pipelines · pipelines/{pipeline}               Page<PipelineSummary> · PipelineSummary
 *   GET  pipelines/{pipeline}/versions · versions/{n}   Page<VersionSummary> · VersionDetail
 *   GET  pipelines/{pipeline}/versions/{n}/notebook     the notebook as it was
 */
import type { Digest, Preview } from './artifact';
import type { Instant } from './instant';
import type { Notebook } from './notebook';
import type { Literal } from './parameter';
import type { Pipeline } from './pipeline';
import type { Problem } from './problem';
import type { Attempt, RunEvent, RunStatus, StepRun, StepRunStatus } from './run';
import type { TaskEvent } from './task';

/** One page of a list; `next` is the cursor of the page after it, absent on the last. */
export interface Page<T> {
  items: T[];
  next?: string;
}

/** RFC 9457, as `application/problem+json`. `type` is a stable word, `errors` say which fields of the body are wrong. */
export interface ApiProblem {
  type: ApiProblemType;
  title: string;
  status: number;
  /** One sentence for a person: what, where, what to do. */
  detail: string;
  /** What is wrong in the body, the query or the path: `path` as a JSON pointer (`/parameters/rate`). */
  errors?: { path: string; message: string }[];
  /** For `notebook-has-problems`. */
  problems?: Problem[];
}

export const apiProblemTypes = [
  'bad-request',
  'unauthorized',
  'forbidden',
  'not-found',
  'method-not-allowed',
  'wrong-state',
  'conflict',
  'too-large',
  'unsupported-media-type',
  'invalid-body',
  'notebook-has-problems',
  'stopping',
  'storage',
  'internal',
] as const;
export type ApiProblemType = (typeof apiProblemTypes)[number];

/** `GET /service`: whom one talks to, and as whom. */
export interface ServiceInfo {
  version: string;
  user?: string;
  /** Started by Jupyter, and so ends with it. */
  withJupyter: boolean;
  /** Where it keeps things, for people to read. */
  home: string;
}

/** `GET /targets`. */
export interface TargetInfo {
  name: string;
  kind: 'local';
  cores: number;
  /** Bytes. */
  memory: number;
  /** Attempts that run there now. */
  running: number;
}

/** `POST /compile`: the notebook as it is in the editor. */
export interface CompileRequest {
  notebook: Notebook;
  /** The pipeline's name where the notebook gives none. */
  name?: string;
}

export interface CompileAnswer {
  pipeline?: Pipeline;
  problems: Problem[];
}

/** `POST /warm`: the notebook will probably be run soon; a Python gets ready. Answered at once. */
export interface WarmRequest {
  path: string;
  notebook: Notebook;
}

/** `POST /runs`, with `Idempotency-Key` in the header when asking twice must start one run. */
export interface StartRunRequest {
  /** The notebook's file, from the service's root (Jupyter's folder) or absolute; steps see its folder as theirs. It need not be saved. */
  path: string;
  /** The notebook as it is in the editor: this is what runs. */
  notebook: Notebook;
  parameters?: Record<string, Literal>;
  experiment?: string;
  /** Take the steps above this one as they ran last, as far as their code is the same, and run this one and those below again. */
  from?: string;
  /** Run no step below this one. */
  to?: string;
  /** `from` and `to` this one. */
  only?: string;
  /** Default true. */
  reuse?: boolean;
  /** When a step fails, run those that do not need it. Default false. */
  keepGoing?: boolean;
  /** Steps that run at once. */
  workers?: number;
  /** Default `local`. */
  target?: string;
}

/** A run as lists show it. */
export interface RunSummary {
  id: string;
  pipeline: string;
  pipelineName: string;
  version: number;
  experiment?: string;
  status: RunStatus;
  reason?: string;
  created: Instant;
  started?: Instant;
  ended?: Instant;
  /** From the service's root where it lies in there, else absolute. */
  path: string;
  target: string;
  startedBy?: string;
  /** How many steps stand where. */
  steps: Partial<Record<StepRunStatus, number>>;
  /** Number of the run's last event. */
  sequence: number;
}

/** `GET /runs/{run}`: all that the run view needs to begin with. */
export interface RunDetail extends RunSummary {
  parameters: Record<string, Literal>;
  keepGoing: boolean;
  from?: string;
  to?: string;
  /** The pipeline as it was compiled for this run. */
  document: Pipeline;
  /** In notebook order. */
  stepRuns: StepRunView[];
  cells: CellRun[];
}

/** Of a step run, what is for everybody: a field that is added there is not told until it is named here. */
export type StepRunView = Pick<StepRun, 'step' | 'status' | 'attempts' | 'unit' | 'reason' | 'started' | 'ended'>;

/** Of an attempt likewise; its token never. */
export type AttemptView = Pick<
  Attempt,
  'step' | 'attempt' | 'status' | 'error' | 'overhead' | 'peakMemory' | 'cpuSeconds' | 'started' | 'ended'
>;

/** Where one code cell stands in a run: where its step stands, `queued` while the step runs and the cell's turn has not come. */
export interface CellRun {
  /** Its index among all cells of the notebook as it ran. */
  cell: number;
  /** The cell's id in that notebook (nbformat 4.5): how the editor finds it after edits. */
  id?: string;
  step: string;
  attempt: number;
  status: StepRunStatus;
  executionCount?: number;
  started?: Instant;
  seconds?: number;
  error?: CellError;
}

export interface CellError {
  ename: string;
  evalue: string;
  /** Line of the cell that failed, counted from 0, where it is known. */
  line?: number;
  /** As IPython printed it, with ANSI colours; cut when very long. */
  traceback: string[];
}

/** One thing an attempt said. What is very long is cut here (`cut`: bytes left out); the executed notebook has all of it. */
export interface LogLine {
  number: number;
  event: Exclude<LoggedTaskEvent, { type: 'result' }>;
  cut?: number;
}

/** A task event without the attempt's token. */
export type LoggedTaskEvent = TaskEvent extends infer E ? (E extends unknown ? Omit<E, 'token'> : never) : never;

/** `GET /runs/{run}/artifacts`. */
export interface ArtifactView {
  /** The step or unit that made it. */
  step: string;
  attempt: number;
  name: string;
  digest: Digest;
  /** Bytes. */
  size: number;
  type?: string;
  preview?: Preview;
}

export interface MetricView {
  step: string;
  name: string;
  value: number;
  /** Position in a series. */
  at?: number;
}

export interface PipelineSummary {
  id: string;
  name: string;
  path: string;
  created: Instant;
  /** Number of the newest version. */
  version: number;
}

export interface VersionSummary {
  pipeline: string;
  number: number;
  digest: string;
  created: Instant;
}

export interface VersionDetail extends VersionSummary {
  document: Pipeline;
  /** The notebook as it was, where it was kept. */
  notebook?: Notebook;
}

/** What a client asks for over the socket; each call is answered (`SocketAnswer`). */
export type Subscription =
  /** Every run that begins, moves or ends: `runs` events. */
  | { to: 'runs' }
  /** One run: its log after the event that was seen last (0: from the start) as `events`, and `cells`. */
  | { to: 'run'; run: string; after: number }
  /** What an attempt says, after the line that was seen last. */
  | { to: 'log'; run: string; step: string; attempt: number; after: number };

export type SocketAnswer = { ok: true } | { ok: false; problem: ApiProblem };

export interface ClientEvents {
  subscribe(to: Subscription, answer: (answer: SocketAnswer) => void): void;
  unsubscribe(from: Subscription, answer: (answer: SocketAnswer) => void): void;
}

export interface ServerEvents {
  runs(message: { run: RunSummary }): void;
  /** In order and without gaps, beginning after the number that was named. */
  events(message: { run: string; events: RunEvent[] }): void;
  /** `whole`: these are all cells of the run; otherwise those that changed. */
  cells(message: { run: string; cells: CellRun[]; whole: boolean }): void;
  log(message: { run: string; step: string; attempt: number; lines: LogLine[] }): void;
}
