/** Schemas of the words of the field (`pipeline/model/`): what pipelines, problems, runs' logs and attempts look like in answers. */
import { z } from 'zod';
import type { Digest, Preview } from '../../../pipeline/model/artifact';
import { failureKinds, type TaskError } from '../../../pipeline/model/failure';
import type { Instant } from '../../../pipeline/model/instant';
import type { Notebook, NotebookCell } from '../../../pipeline/model/notebook';
import type { Literal, Parameter, ParameterType } from '../../../pipeline/model/parameter';
import type { Cell, Definition, Pipeline, PipelineSettings, Read, Step, StepSettings, Write } from '../../../pipeline/model/pipeline';
import { type Fix, type Problem, problemCodes, type Range } from '../../../pipeline/model/problem';
import {
  attemptStatuses,
  type LoggedChange,
  type MadeArtifact,
  type Overhead,
  type RunEvent,
  runStatuses,
  stepRunStatuses,
} from '../../../pipeline/model/run';
import { bytes, count, inside, json, oneOf, seconds, shape } from './shape';

export const Instants: z.ZodType<Instant> = z.iso.datetime().meta({ id: 'Instant' });
export const Digests = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/)
  .meta({ id: 'Digest' }) as unknown as z.ZodType<Digest>;
export const Literals: z.ZodType<Literal> = json;

export const RunStatuses = z.enum(runStatuses).meta({ id: 'RunStatus' });
export const StepRunStatuses = z.enum(stepRunStatuses).meta({ id: 'StepRunStatus' });
export const AttemptStatuses = z.enum(attemptStatuses).meta({ id: 'AttemptStatus' });

const multiline = z.union([z.string(), z.array(z.string())]);
const NotebookCells = z.looseObject({
  cell_type: z.string(),
  id: z.string().optional(),
  source: multiline,
  metadata: z.looseObject({ tags: z.array(z.string()).optional() }),
  outputs: z.array(json).optional(),
  execution_count: z.int().nullable().optional(),
}) satisfies z.ZodType<NotebookCell>;
/** nbformat as far as Stepwell reads it; everything else passes through. */
export const Notebooks: z.ZodType<Notebook> = z
  .looseObject({
    nbformat: z.int(),
    nbformat_minor: z.int(),
    metadata: z.looseObject({}),
    cells: z.array(NotebookCells),
  })
  .meta({ id: 'Notebook' });

const Ranges = shape<Range>()('Range', { from: count, to: count });
const place = { cell: count.optional(), range: Ranges.optional(), step: z.string().optional() };
const fix = <T extends Fix['do']>(does: T) => ({ do: z.literal(does), label: z.string() });
const Fixes = oneOf<Fix>()(
  'Fix',
  inside<Extract<Fix, { do: 'set-step-setting' }>>()({ ...fix('set-step-setting'), step: z.string(), key: z.string(), value: json }),
  inside<Extract<Fix, { do: 'remove-step-setting' }>>()({ ...fix('remove-step-setting'), step: z.string(), key: z.string() }),
  inside<Extract<Fix, { do: 'set-cell-tags' }>>()({ ...fix('set-cell-tags'), cell: count, tags: z.array(z.string()) }),
  inside<Extract<Fix, { do: 'replace-text' }>>()({ ...fix('replace-text'), cell: count, range: Ranges, text: z.string() }),
);
export const Problems = shape<Problem>()('Problem', {
  ...place,
  code: z.enum(problemCodes),
  severity: z.enum(['error', 'warning', 'info']),
  message: z.string(),
  fix: Fixes.optional(),
});

const ParameterTypes: z.ZodType<ParameterType> = z
  .lazy(() =>
    z.union([
      z.strictObject({ kind: z.enum(['integer', 'number', 'string', 'boolean', 'any']) }),
      z.strictObject({ kind: z.literal('literal'), values: z.array(Literals) }),
      z.strictObject({ kind: z.enum(['optional', 'list', 'dict']), of: ParameterTypes }),
    ]),
  )
  .meta({ id: 'ParameterType' }) as z.ZodType<ParameterType>;
const Parameters = shape<Parameter>()('Parameter', {
  name: z.string(),
  type: ParameterTypes,
  default: Literals.optional(),
  source: z.string().optional(),
  description: z.string().optional(),
  cell: count,
});
const Cells = shape<Cell>()('Cell', { cell: count, id: z.string().optional(), source: z.string() });
const Reads = shape<Read>()('Read', {
  name: z.string(),
  from: z.string().optional(),
  cell: count.optional(),
  range: Ranges.optional(),
  declared: z.boolean().optional(),
});
const Writes = shape<Write>()('Write', { name: z.string(), certain: z.boolean(), declared: z.boolean().optional() });
const Definitions = shape<Definition>()('Definition', {
  names: z.array(z.string()),
  kind: z.enum(['import', 'function', 'class', 'setup']),
  source: z.string(),
  cell: count,
  line: count,
});
/** As people wrote them: wrong ones are problems of the notebook, so nothing is refused here. */
const settings = z.looseObject({});
const Steps = shape<Step>()('Step', {
  name: z.string(),
  cells: z.array(Cells),
  settings: settings as z.ZodType<StepSettings>,
  reads: z.array(Reads),
  writes: z.array(Writes),
  prelude: z.array(Definitions),
  defines: z.array(z.string()),
  parameters: z.array(z.string()),
  files: z.strictObject({ reads: z.array(z.string()), writes: z.array(z.string()) }),
  dependsOn: z.array(z.string()),
  joins: z.string().optional(),
});
export const Pipelines = shape<Pipeline>()('Pipeline', {
  format: z.literal(1),
  name: z.string(),
  description: z.string().optional(),
  language: z.literal('python'),
  parameters: z.array(Parameters),
  parameterCells: z.array(Cells),
  sharedCells: z.array(Cells),
  steps: z.array(Steps),
  returns: z.array(z.string()),
  settings: settings as z.ZodType<PipelineSettings>,
});

export const Previews = shape<Preview>()('Preview', {
  text: z.string(),
  shape: z.array(z.number()).optional(),
  dtype: z.string().optional(),
  columns: z.array(z.strictObject({ name: z.string(), dtype: z.string() })).optional(),
  rows: z.array(z.array(z.string())).optional(),
  json: json.optional(),
});
export const TaskErrors = shape<TaskError>()('TaskError', {
  kind: z.enum(failureKinds),
  message: z.string(),
  name: z.string().optional(),
  cell: count.optional(),
  line: count.optional(),
  ename: z.string().optional(),
  evalue: z.string().optional(),
  traceback: z.array(z.string()).optional(),
});
export const Overheads = shape<Overhead>()('Overhead', {
  queued: seconds,
  create: seconds,
  start: seconds,
  inputs: seconds,
  user: seconds,
  outputs: seconds,
  observed: seconds,
});

type Logged<W extends LoggedChange['what']> = Extract<LoggedChange, { what: W }>;
const LoggedChanges = oneOf<LoggedChange>()(
  'LoggedChange',
  inside<Logged<'run'>>()({ what: z.literal('run'), status: RunStatuses, reason: z.string().optional() }),
  inside<Logged<'step'>>()({
    what: z.literal('step'),
    step: z.string(),
    status: StepRunStatuses,
    reason: z.string().optional(),
    unit: z.string().optional(),
    attempts: count.optional(),
    result: Digests.optional(),
  }),
  inside<Logged<'attempt'>>()({
    what: z.literal('attempt'),
    step: z.string(),
    attempt: count,
    status: AttemptStatuses,
    error: TaskErrors.optional(),
    overhead: Overheads.optional(),
    peakMemory: bytes.optional(),
    cpuSeconds: seconds.optional(),
    result: Digests.optional(),
  }),
  inside<Logged<'plan'>>()({ what: z.literal('plan'), steps: z.tuple([z.string(), z.string()]).optional(), reason: z.string() }),
  inside<Logged<'artifacts'>>()({
    what: z.literal('artifacts'),
    step: z.string(),
    attempt: count,
    artifacts: z.array(
      inside<Omit<MadeArtifact, 'preview'>>()({ name: z.string(), digest: Digests, size: bytes, type: z.string().optional() }),
    ),
  }),
);
export const RunEvents = shape<RunEvent>()('RunEvent', { sequence: z.int().min(1), at: Instants, change: LoggedChanges });
