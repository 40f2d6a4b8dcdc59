/** How far a run has come. */
import type { RunSummary } from '../../pipeline/model/protocol';
import type { StepRunStatus } from '../../pipeline/model/run';
import { hasEnded } from './changes';

/** How many steps have come to their end, of how many. */
export function progress({ steps }: Pick<RunSummary, 'steps'>): { done: number; all: number } {
  let done = 0;
  let all = 0;
  for (const [status, count] of Object.entries(steps)) {
    all += count;
    if (hasEnded(status as StepRunStatus)) done += count;
  }
  return { done, all };
}
