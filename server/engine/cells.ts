/**
 * Where each code cell of a run stands, from what is known of the steps and of the attempts that count. A step's own code is what a
 * person sees running: until it has begun, and where it never does, a cell stands where its step stands.
 */
import type { TaskError } from '../../pipeline/model/failure';
import type { Cell, Pipeline } from '../../pipeline/model/pipeline';
import type { CellError, CellRun } from '../../pipeline/model/protocol';
import type { CellTime, LoggedChange, StepRun, StepRunStatus } from '../../pipeline/model/run';
import type { TaskEvent, TaskResult } from '../../pipeline/model/task';

export type Standing = Pick<StepRun, 'step' | 'status' | 'attempts' | 'unit'>;

/** What an attempt has shown of its cells. */
export interface Shown {
  cells: CellTime[];
  error?: TaskError;
}

/** By unit and number. */
export type Attempts = (unit: string, attempt: number) => Shown | undefined;

/** In notebook order. Shared and parameter cells belong to the first step, which is the one that shows their outputs. */
export function cellRuns({ steps, sharedCells, parameterCells }: Pipeline, standings: readonly Standing[], attempts: Attempts): CellRun[] {
  const runs = steps.flatMap(({ name, cells }, index): CellRun[] => {
    const own = index === 0 ? [...sharedCells, ...parameterCells, ...cells].sort((a, b) => a.cell - b.cell) : cells;
    const standing = standings.find(({ step }) => step === name) ?? { step: name, status: 'waiting', attempts: 0 };
    const shown = standing.attempts > 0 ? attempts(standing.unit ?? name, standing.attempts) : undefined;
    const failing = standing.status === 'failed' ? failingCell(shown, standing.unit === undefined ? own[0]?.cell : undefined) : undefined;
    return own.map(cell => cellRun(cell, standing, shown, failing));
  });
  return runs.sort((a, b) => a.cell - b.cell);
}

function cellRun({ cell, id }: Cell, { step, status, attempts }: Standing, shown: Shown | undefined, failing: number | undefined): CellRun {
  const time = shown?.cells.findLast(one => one.cell === cell);
  const own = { cell, ...(id === undefined ? {} : { id }), step, attempt: attempts };
  const spent = time && { executionCount: time.executionCount, started: time.started, ...(time.ended ? { seconds: time.seconds } : {}) };
  const failed = cell === failing;
  return {
    ...own,
    status: failed ? 'failed' : cellStatus(status, time),
    ...spent,
    ...(failed && shown?.error ? { error: cellError(shown.error) } : {}),
  };
}

function cellStatus(step: StepRunStatus, time: CellTime | undefined): StepRunStatus {
  if (step === 'waiting' || step === 'queued' || step === 'reused' || step === 'skipped') return step;
  if (time?.ended) return 'succeeded';
  switch (step) {
    case 'running':
      return time ? 'running' : 'queued';
    case 'failed':
      return 'skipped';
    default:
      return step;
  }
}

/** The cell that a failure is shown on: the one that raised it, else the one that ran when it came, else `first`, since nothing had begun. */
function failingCell(shown: Shown | undefined, first: number | undefined): number | undefined {
  const { error, cells = [] } = shown ?? {};
  return error?.cell ?? (cells.find(({ ended }) => !ended) ?? cells.at(-1))?.cell ?? first;
}

const titles: Partial<Record<TaskError['kind'], string>> = {
  'out-of-memory': 'Out of memory',
  timeout: 'Timeout',
  killed: 'Killed',
  'lost-value': 'Value lost',
};

/** Lines of a traceback that are shown on a cell; the log has all of them. */
const mostLines = 400;
const longestText = 20_000;

function cellError({ kind, message, ename, evalue, line, traceback = [] }: TaskError): CellError {
  const lines = traceback.length > mostLines ? [...traceback.slice(0, 10), '…', ...traceback.slice(11 - mostLines)] : traceback;
  return {
    ename: ename ?? titles[kind] ?? 'Error',
    evalue: (evalue ?? message).slice(0, longestText),
    ...(line === undefined ? {} : { line }),
    traceback: lines.map(text => text.slice(0, longestText)),
  };
}

/** How the cells of a finished attempt went. */
export const cellTimes = ({ cells }: Pick<TaskResult, 'cells'>): CellTime[] =>
  cells.map(({ cell, executionCount, started, seconds, status }) => ({ cell, executionCount, started, seconds, ended: status }));

/** Takes in a thing that an attempt said; true when it changes where a cell stands. */
export function hear(cells: CellTime[], event: Omit<TaskEvent, 'token'>): boolean {
  const said = event as TaskEvent;
  if (said.type === 'cell-started') cells.push({ cell: said.cell, executionCount: said.executionCount, started: said.at });
  else if (said.type === 'cell-finished') {
    const time = cells.findLast(({ cell }) => cell === said.cell);
    if (time) Object.assign(time, { seconds: said.seconds, ended: said.status });
  } else return false;
  return true;
}

/** The cells of a run that is followed as it goes. */
export class CellBoard {
  private readonly standings = new Map<string, Standing>();
  private readonly shown = new Map<string, Shown>();
  /** By cell, what was told last. */
  private readonly told = new Map<number, string>();

  constructor(
    private readonly pipeline: Pipeline,
    standings: readonly Standing[],
    attempts: readonly ({ step: string; attempt: number } & Partial<Shown>)[],
  ) {
    for (const { step, status, attempts: count, unit } of standings) this.standings.set(step, { step, status, attempts: count, unit });
    for (const { step, attempt, cells = [], error } of attempts) this.shown.set(`${step}/${attempt}`, { cells: [...cells], error });
    this.changed();
  }

  take(change: LoggedChange): void {
    if (change.what === 'attempt') {
      if (change.error) this.attempt(change.step, change.attempt).error = change.error;
    } else if (change.what === 'step') {
      const before = this.standings.get(change.step);
      const { step, status, attempts = before?.attempts ?? 0, unit = before?.unit } = change;
      this.standings.set(step, { step, status, attempts, unit });
    }
  }

  /** True when it may have changed where a cell stands. */
  hear(unit: string, attempt: number, event: Omit<TaskEvent, 'token'>): boolean {
    return hear(this.attempt(unit, attempt).cells, event);
  }

  all(): CellRun[] {
    return cellRuns(this.pipeline, [...this.standings.values()], (unit, attempt) => this.shown.get(`${unit}/${attempt}`));
  }

  /** Cells that stand elsewhere than when this was asked last. */
  changed(): CellRun[] {
    return this.all().filter(run => {
      const text = JSON.stringify(run);
      if (this.told.get(run.cell) === text) return false;
      this.told.set(run.cell, text);
      return true;
    });
  }

  private attempt(unit: string, number: number): Shown {
    const key = `${unit}/${number}`;
    const known = this.shown.get(key) ?? { cells: [] };
    this.shown.set(key, known);
    return known;
  }
}
