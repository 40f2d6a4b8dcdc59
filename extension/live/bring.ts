/**
 * Brings a run's outputs into the notebook, as if its cells had been run there: through the shared model, so that all who share it see
 * them. A cell that reads otherwise than what ran is left as it is.
 */

import type { ISharedCodeCell, ISharedNotebook } from '@jupyter/ydoc';
import type { IOutput } from '@jupyterlab/nbformat';
import { type Notebook, text } from '../../pipeline/model/notebook';
import type { CellRun } from '../../pipeline/model/protocol';
import { executedCell } from '../runs/executedcell';

export interface Brought {
  cells: number;
  /** Edited or removed since. */
  left: number;
}

/** `cells`: where the cells of the run stand; those that have come to no end bring nothing. */
export function bringOutputs(notebook: ISharedNotebook, executed: Notebook, cells: Iterable<CellRun>): Brought {
  const here = new Map(notebook.cells.map(cell => [cell.getId(), cell]));
  const brought: Brought = { cells: 0, left: 0 };
  notebook.transact(() => {
    for (const one of cells) {
      const { status } = one;
      const ran = executedCell(executed, one);
      if (!ran || (status !== 'succeeded' && status !== 'reused' && status !== 'failed')) continue;
      const cell = ran.id === undefined ? undefined : here.get(ran.id);
      if (cell?.cell_type !== 'code' || cell.getSource() !== text(ran.source)) {
        brought.left++;
        continue;
      }
      const code = cell as ISharedCodeCell;
      code.setOutputs((ran.outputs ?? []) as IOutput[]);
      code.execution_count = ran.execution_count ?? null;
      brought.cells++;
    }
  }, false);
  return brought;
}
