/**
 * Numbers that a library counts per process and writes into what it shows: scikit-learn numbers the models it draws. Steps run in processes of
 * their own, so each counts from 1; in the notebook, where they follow each other, the count goes on.
 */
import type { CellResult, Output } from '../../pipeline/model/task';

const counted = /\b(sk-(?:container|estimator)-id)-(\d+)\b/g;

/** The cells of all units in one list, ids counted through. `units` are in notebook order, each the cells of one process; none of them is changed. */
export function countedThrough(units: readonly CellResult[][]): CellResult[] {
  const before = new Map<string, number>();
  return units.flatMap(cells => {
    const here = new Map<string, number>();
    const through = (text: string): string =>
      text.replace(counted, (_all, id: string, number: string) => {
        here.set(id, Math.max(here.get(id) ?? 0, Number(number)));
        return `${id}-${Number(number) + (before.get(id) ?? 0)}`;
      });
    const result = cells.map(cell => ({ ...cell, outputs: cell.outputs.map(output => renumbered(output, through)) }));
    for (const [id, last] of here) before.set(id, (before.get(id) ?? 0) + last);
    return result;
  });
}

function renumbered(output: Output, through: (text: string) => string): Output {
  if (output.output_type !== 'display_data' && output.output_type !== 'execute_result') return output;
  const html = output.data['text/html'];
  return typeof html === 'string' ? { ...output, data: { ...output.data, 'text/html': through(html) } } : output;
}
