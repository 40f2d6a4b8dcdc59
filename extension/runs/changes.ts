/**
 * What one event of a run's log makes of what is known of the run. Pure, and the mirror of what the store does with the same change
 * (`server/store/rows.ts`): a run that is followed from its first event looks as one that is asked for at its end.
 */
import type { AttemptView, RunDetail, RunSummary, StepRunView } from '../../pipeline/model/protocol';
import type { RunEvent, RunStatus, StepRunStatus } from '../../pipeline/model/run';

const finished = new Set<RunStatus | StepRunStatus>(['succeeded', 'reused', 'failed', 'cancelled', 'skipped']);

export const hasEnded = (status: RunStatus | StepRunStatus): boolean => finished.has(status);

/** The run after these events; those that it has seen already change nothing. */
export function applyEvents(detail: RunDetail, events: readonly RunEvent[]): RunDetail {
  const fresh = events.filter(({ sequence }) => sequence > detail.sequence);
  if (fresh.length === 0) return detail;
  const places = new Map(detail.stepRuns.map(({ step }, index) => [step, index]));
  const next = { ...detail, steps: { ...detail.steps }, stepRuns: [...detail.stepRuns] };
  for (const { sequence, at, change } of fresh) {
    next.sequence = sequence;
    if (change.what === 'run') {
      next.status = change.status;
      next.reason = change.reason;
      // What is queued again keeps the time when it first began.
      if (change.status === 'running') next.started ??= at;
      next.ended = hasEnded(change.status) ? at : undefined;
    } else if (change.what === 'step') {
      const place = places.get(change.step);
      const before = place === undefined ? undefined : next.stepRuns[place];
      if (place === undefined || before === undefined) continue;
      count(next.steps, before.status, -1);
      count(next.steps, change.status, 1);
      next.stepRuns[place] = {
        ...before,
        status: change.status,
        reason: change.reason,
        attempts: change.attempts ?? before.attempts,
        unit: change.unit ?? before.unit,
        ...times(before, change.status, at),
      };
    }
  }
  return next;
}

/** The attempts of a run after these events, in the order in which they began. */
export function applyToAttempts(attempts: readonly AttemptView[], events: readonly RunEvent[]): readonly AttemptView[] {
  const changes = events.filter(({ change }) => change.what === 'attempt');
  if (changes.length === 0) return attempts;
  const next = new Map(attempts.map(attempt => [`${attempt.step} ${attempt.attempt}`, attempt]));
  for (const { at, change } of changes) {
    if (change.what !== 'attempt') continue;
    const { what: _, result: _result, ...view } = change;
    const key = `${change.step} ${change.attempt}`;
    const before = next.get(key);
    const given = Object.fromEntries(Object.entries(view).filter(([, value]) => value !== undefined));
    next.set(key, { ...before, ...(given as typeof view), ...times(before, change.status, at) });
  }
  return [...next.values()];
}

/** The summary that a list shows of the run. */
export function summaryOf(detail: RunDetail): RunSummary {
  const { parameters: _p, keepGoing: _k, from: _f, document: _d, stepRuns: _s, cells: _c, ...summary } = detail;
  return summary;
}

function times(
  before: Pick<StepRunView, 'started' | 'ended'> | undefined,
  status: StepRunStatus,
  at: string,
): Pick<StepRunView, 'started' | 'ended'> {
  if (status === 'running') return { started: at, ended: undefined };
  if (hasEnded(status)) return { started: before?.started, ended: at };
  return { started: undefined, ended: undefined };
}

function count(steps: RunSummary['steps'], status: StepRunStatus, by: number): void {
  const left = (steps[status] ?? 0) + by;
  if (left > 0) steps[status] = left;
  else delete steps[status];
}
