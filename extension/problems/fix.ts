/** Applies a problem's fix to the notebook's shared model; and finds the cell that a problem is shown at. */
import type { ISharedNotebook } from '@jupyter/ydoc';
import type { Fix, Problem } from '../../pipeline/model/problem';
import { setStepSetting, setTags } from '../notebook/writing';

/** A cell as it was compiled: a fix was made for this text. */
export interface CompiledCell {
  id: string;
  source: string;
}

/** False when the fix no longer fits: its cell is gone, or the cell's text is another one by now. */
export function applyFix(notebook: ISharedNotebook, fix: Fix, compiled: (cell: number) => CompiledCell | undefined): boolean {
  if (fix.do === 'set-step-setting' || fix.do === 'remove-step-setting') {
    setStepSetting(notebook, fix.step, fix.key, fix.do === 'set-step-setting' ? fix.value : undefined);
    return true;
  }
  const was = compiled(fix.cell);
  const cell = was && notebook.cells.find(({ id }) => id === was.id);
  if (!cell) return false;
  if (fix.do === 'set-cell-tags') {
    setTags(notebook, new Map([[cell.id, fix.tags]]));
    return true;
  }
  if (cell.getSource() !== was.source) return false;
  cell.updateSource(fix.range.from, fix.range.to, fix.text);
  return true;
}

/** Problems by the id of the cell that they are shown at: their own, or their step's first. */
export function byCell(
  problems: readonly Problem[],
  cells: readonly string[],
  firstOf: (step: string) => number | undefined,
): Map<string, Problem[]> {
  const found = new Map<string, Problem[]>();
  for (const problem of problems) {
    const place = problem.cell ?? (problem.step === undefined ? undefined : firstOf(problem.step));
    const id = place === undefined ? undefined : cells[place];
    if (id === undefined) continue;
    const others = found.get(id);
    if (others) others.push(problem);
    else found.set(id, [problem]);
  }
  return found;
}
