/** Finds a cell of a run in the run's executed notebook, into which a cell that holds the given parameters may have been put. */
import { type Notebook, type NotebookCell, text } from '../../pipeline/model/notebook';

/** By its id; in a notebook without ids, by its place and its code. */
export function executedCell(
  { cells }: Notebook,
  { cell, id, source }: { cell: number; id?: string; source?: string },
): NotebookCell | undefined {
  if (id !== undefined) return cells.find(each => each.id === id);
  return [cells[cell], cells[cell + 1]].find(each => each && (source === undefined || text(each.source) === source));
}
