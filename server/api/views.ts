/** Rows of the store as the protocol shows them. */
import type { CellRun, PipelineSummary, RunDetail, RunSummary, StepRunView } from '../../pipeline/model/protocol';
import type { Attempt, Run, StepRun, StepRunStatus } from '../../pipeline/model/run';
import type { ListedPipeline, LoadedRun } from '../store';
import { cutError } from './cut';
import type { Service } from './service';

type Counts = Partial<Record<StepRunStatus, number>>;

/** Summaries of the runs, in their order; the steps of all are counted by one question. */
export async function summaries(runs: Run[], { store, paths }: Pick<Service, 'store' | 'paths'>): Promise<RunSummary[]> {
  const counts = await store.stepCounts(runs.map(({ id }) => id));
  return runs.map(run => summary(run, counts.get(run.id) ?? {}, paths.shown(run.notebookPath)));
}

function summary(run: Run, steps: Counts, path: string): RunSummary {
  const { id, pipeline, pipelineName, version, experiment, status, reason, created, started, ended, target, startedBy, sequence } = run;
  return {
    id,
    pipeline,
    pipelineName,
    version,
    experiment,
    status,
    reason,
    created,
    started,
    ended,
    path,
    target,
    startedBy,
    steps,
    sequence,
  };
}

export function detail({ run, steps, document }: LoadedRun, cells: CellRun[], { paths }: Pick<Service, 'paths'>): RunDetail {
  const counts: Counts = {};
  for (const { status } of steps) counts[status] = (counts[status] ?? 0) + 1;
  const { parameters, keepGoing, from, to } = run.options;
  return {
    ...summary(run, counts, paths.shown(run.notebookPath)),
    parameters,
    keepGoing,
    from,
    to,
    document,
    stepRuns: steps.map(stepView),
    cells,
  };
}

export const stepView = ({ step, status, attempts, unit, reason, started, ended }: StepRun): StepRunView => ({
  step,
  status,
  attempts,
  unit,
  reason,
  started,
  ended,
});

export const attemptView = ({ step, attempt, status, error, overhead, peakMemory, cpuSeconds, started, ended }: Attempt) => ({
  step,
  attempt,
  status,
  error: error && cutError(error),
  overhead,
  peakMemory,
  cpuSeconds,
  started,
  ended,
});

export const pipelineView = ({ notebookPath, ...rest }: ListedPipeline, { paths }: Pick<Service, 'paths'>): PipelineSummary => ({
  ...rest,
  path: paths.shown(notebookPath),
});
