/** How far a run has come. */
import type { RunSummary } from '../../pipeline/model/protocol';

/** How many steps have what they are to give, of how many. One that failed or was left out has not. */
export function progress({ steps }: Pick<RunSummary, 'steps'>): { done: number; all: number } {
  let done = 0;
  let all = 0;
  for (const [status, count] of Object.entries(steps)) {
    all += count;
    if (status === 'succeeded' || status === 'reused') done += count;
  }
  return { done, all };
}
