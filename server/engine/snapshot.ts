/** The cells of a run that this process does not move, from what the store and the attempts' folders have of it. */
import type { CellRun } from '../../pipeline/model/protocol';
import type { Attempt, CellTime } from '../../pipeline/model/run';
import type { LoadedRun } from '../store';
import { readSaid } from '../targets/local/said';
import type { AttemptId } from '../targets/target';
import { cellRuns, hear } from './cells';

/** Lines of a running attempt that are looked through; a cell that began after so much talk is shown a little late. */
const mostLines = 20_000;
const page = 2000;

export async function snapshot({ run, document, steps, attempts }: LoadedRun, folderOf: (id: AttemptId) => string): Promise<CellRun[]> {
  const times = new Map<string, CellTime[]>();
  for (const one of attempts) times.set(keyOf(one), one.cells ?? (await heard(folderOf({ run: run.id, ...one }), one)));
  return cellRuns(document, steps, (step, attempt) => {
    const cells = times.get(keyOf({ step, attempt }));
    return cells && { cells, error: attempts.find(one => one.step === step && one.attempt === attempt)?.error };
  });
}

async function heard(folder: string, { status }: Attempt): Promise<CellTime[]> {
  const cells: CellTime[] = [];
  if (status !== 'running') return cells;
  for (let after = 0; after < mostLines; ) {
    const lines = await readSaid(folder, after, page);
    if (lines.length === 0) break;
    for (const { event } of lines) hear(cells, event);
    after = lines.at(-1)!.number;
  }
  return cells;
}

const keyOf = ({ step, attempt }: { step: string; attempt: number }) => `${step}/${attempt}`;
