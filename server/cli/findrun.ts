/** A run by what a person types: its id, the beginning of it, or `last`. */
import type { Run } from '../../pipeline/model/run';
import type { Store } from '../store';
import { Fault } from './fault';

/** Throws a `Fault` when there is none, or more than one. */
export async function findRun(store: Store, named: string): Promise<Run> {
  if (named === 'last') {
    const [latest] = await store.listRuns({ limit: 1 });
    if (!latest) throw new Fault('There has been no run yet.');
    return latest;
  }
  const exact = /^[\w+-]+$/.test(named) ? await store.loadRun(named) : undefined;
  if (exact) return exact.run;
  const matching = named.length >= 4 ? (await store.listRuns({ limit: 1000 })).filter(({ id }) => id.startsWith(named)) : [];
  if (matching.length === 1) return matching[0]!;
  if (matching.length > 1)
    throw new Fault(`${matching.length} runs begin with "${named}"; give more of the id ("stepwell runs" lists them).`);
  throw new Fault(`There is no run "${named}". "stepwell runs" lists them.`);
}
