/** Schemas of what the service says and is told (`pipeline/model/protocol.ts`). Requests are validated by them; the document is made from them. */
import { z } from 'zod';
import {
  type ApiProblem,
  type ArtifactView,
  type AttemptView,
  apiProblemTypes,
  type CellError,
  type CellRun,
  type CompileAnswer,
  type CompileRequest,
  type LogLine,
  type MetricView,
  type Page,
  type PipelineSummary,
  type RunDetail,
  type RunSummary,
  type ServiceInfo,
  type StartRunRequest,
  type StepRunView,
  type Subscription,
  type TargetInfo,
  type VersionDetail,
  type VersionSummary,
  type WarmRequest,
} from '../../../pipeline/model/protocol';
import type { Output } from '../../../pipeline/model/task';
import {
  AttemptStatuses,
  Digests,
  Instants,
  Literals,
  Notebooks,
  Overheads,
  Pipelines,
  Previews,
  Problems,
  RunStatuses,
  StepRunStatuses,
  TaskErrors,
} from './model';
import { bytes, count, inside, json, largest, name, oneOf, seconds, shape } from './shape';

export const page = <T>(id: string, items: z.ZodType<T>): z.ZodType<Page<T>> =>
  shape<Page<T>>()(id, { items: z.array(items), next: z.string().optional() } as never);

export const RunId = z.string().regex(/^[0-9a-z]{16}$/, 'expected the id of a run');
export const PipelineId = z.string().regex(/^[0-9a-z]{16}$/, 'expected the id of a pipeline');

export const ApiProblems = shape<ApiProblem>()('ApiProblem', {
  type: z.enum(apiProblemTypes),
  title: z.string(),
  status: z.int(),
  detail: z.string(),
  errors: z.array(z.strictObject({ path: z.string(), message: z.string() })).optional(),
  problems: z.array(Problems).optional(),
});

export const ServiceInfos = shape<ServiceInfo>()('ServiceInfo', {
  version: z.string(),
  user: z.string().optional(),
  withJupyter: z.boolean(),
  home: z.string(),
});
export const TargetInfos = shape<TargetInfo>()('TargetInfo', {
  name: z.string(),
  kind: z.literal('local'),
  cores: z.int(),
  memory: bytes,
  running: count,
});

export const CompileRequests = shape<CompileRequest>()('CompileRequest', { notebook: Notebooks, name: name(200).optional() });
export const CompileAnswers = shape<CompileAnswer>()('CompileAnswer', { pipeline: Pipelines.optional(), problems: z.array(Problems) });

const path = name(4096);
export const WarmRequests = shape<WarmRequest>()('WarmRequest', { path, notebook: Notebooks });
export const StartRunRequests = shape<StartRunRequest>()('StartRunRequest', {
  path,
  notebook: Notebooks,
  parameters: z.record(z.string(), Literals).optional(),
  experiment: name(200).optional(),
  from: name(500).optional(),
  reuse: z.boolean().optional(),
  keepGoing: z.boolean().optional(),
  workers: z.int().min(1).max(1024).optional(),
  target: name(200).optional(),
});

const summary = {
  id: RunId,
  pipeline: PipelineId,
  pipelineName: z.string(),
  version: z.int().min(1),
  experiment: z.string().optional(),
  status: RunStatuses,
  reason: z.string().optional(),
  created: Instants,
  started: Instants.optional(),
  ended: Instants.optional(),
  path: z.string(),
  target: z.string(),
  startedBy: z.string().optional(),
  steps: z.partialRecord(StepRunStatuses, count),
  sequence: count,
};
export const RunSummaries = shape<RunSummary>()('RunSummary', summary);
export const StepRunViews = shape<StepRunView>()('StepRunView', {
  step: z.string(),
  status: StepRunStatuses,
  attempts: count,
  unit: z.string().optional(),
  reason: z.string().optional(),
  started: Instants.optional(),
  ended: Instants.optional(),
});
const CellErrors = shape<CellError>()('CellError', {
  ename: z.string(),
  evalue: z.string(),
  line: count.optional(),
  traceback: z.array(z.string()),
});
export const CellRuns = shape<CellRun>()('CellRun', {
  cell: count,
  id: z.string().optional(),
  step: z.string(),
  attempt: count,
  status: StepRunStatuses,
  executionCount: count.optional(),
  started: Instants.optional(),
  seconds: seconds.optional(),
  error: CellErrors.optional(),
});
export const RunDetails = shape<RunDetail>()('RunDetail', {
  ...summary,
  parameters: z.record(z.string(), Literals),
  keepGoing: z.boolean(),
  from: z.string().optional(),
  document: Pipelines,
  stepRuns: z.array(StepRunViews),
  cells: z.array(CellRuns),
});
export const AttemptViews = shape<AttemptView>()('AttemptView', {
  step: z.string(),
  attempt: count,
  status: AttemptStatuses,
  error: TaskErrors.optional(),
  overhead: Overheads.optional(),
  peakMemory: bytes.optional(),
  cpuSeconds: seconds.optional(),
  started: Instants.optional(),
  ended: Instants.optional(),
});

const data = { data: z.record(z.string(), json), metadata: z.record(z.string(), json) };
const Outputs = oneOf<Output>()(
  'Output',
  inside<Extract<Output, { output_type: 'stream' }>>()({
    output_type: z.literal('stream'),
    name: z.enum(['stdout', 'stderr']),
    text: z.string(),
  }),
  inside<Extract<Output, { output_type: 'display_data' }>>()({ output_type: z.literal('display_data'), ...data }),
  inside<Extract<Output, { output_type: 'execute_result' }>>()({
    output_type: z.literal('execute_result'),
    ...data,
    execution_count: count,
  }),
  inside<Extract<Output, { output_type: 'error' }>>()({
    output_type: z.literal('error'),
    ename: z.string(),
    evalue: z.string(),
    traceback: z.array(z.string()),
  }),
);
type Said<T extends LogLine['event']['type']> = Extract<LogLine['event'], { type: T }>;
const said = <T extends string>(type: T) => ({ type: z.literal(type), at: Instants });
const Events = oneOf<LogLine['event']>()(
  'TaskEvent',
  inside<Said<'started'>>()({ ...said('started'), pid: count, startTime: z.number() }),
  inside<Said<'inputs-restored'>>()({ ...said('inputs-restored'), seconds }),
  inside<Said<'cell-started'>>()({ ...said('cell-started'), cell: count, executionCount: count }),
  inside<Said<'output'>>()({ ...said('output'), cell: count, output: Outputs, displayId: z.string().optional() }),
  inside<Said<'update-display'>>()({ ...said('update-display'), displayId: z.string(), ...data }),
  inside<Said<'clear-output'>>()({ ...said('clear-output'), cell: count }),
  inside<Said<'cell-finished'>>()({ ...said('cell-finished'), cell: count, status: z.enum(['ok', 'error']), seconds }),
  inside<Said<'metric'>>()({ ...said('metric'), name: z.string(), value: z.number(), step: z.number().optional() }),
);
export const LogLines = shape<LogLine>()('LogLine', { number: z.int().min(1), event: Events, cut: bytes.optional() });

export const ArtifactViews = shape<ArtifactView>()('ArtifactView', {
  step: z.string(),
  attempt: count,
  name: z.string(),
  digest: Digests,
  size: bytes,
  type: z.string().optional(),
  preview: Previews.optional(),
});
export const MetricViews = shape<MetricView>()('MetricView', {
  step: z.string(),
  name: z.string(),
  value: z.number(),
  at: z.number().optional(),
});
export const PipelineSummaries = shape<PipelineSummary>()('PipelineSummary', {
  id: PipelineId,
  name: z.string(),
  path: z.string(),
  created: Instants,
  version: z.int().min(1),
});
const version = { pipeline: PipelineId, number: z.int().min(1), digest: z.string(), created: Instants };
export const VersionSummaries = shape<VersionSummary>()('VersionSummary', version);
export const VersionDetails = shape<VersionDetail>()('VersionDetail', { ...version, document: Pipelines, notebook: Notebooks.optional() });

const after = count.max(largest);
type To<T extends Subscription['to']> = Extract<Subscription, { to: T }>;
/** What a socket may subscribe to. */
export const Subscriptions = oneOf<Subscription>()(
  'Subscription',
  inside<To<'runs'>>()({ to: z.literal('runs') }),
  inside<To<'run'>>()({ to: z.literal('run'), run: RunId, after }),
  inside<To<'log'>>()({ to: z.literal('log'), run: RunId, step: name(4096), attempt: z.int().min(1).max(largest), after }),
);
