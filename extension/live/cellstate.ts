/** What a cell's badge says: worked out from where the cell stands, apart from how it is drawn. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CellRun } from '../../pipeline/model/protocol';
import type { StepRunStatus } from '../../pipeline/model/run';
import { statusWord } from '../runs/status';
import { duration, secondsBetween, ticking } from '../runs/time';

export interface BadgeState {
  status: StepRunStatus;
  /** Beside the icon; short, the prompt is narrow. */
  text: string;
  /** All of it, for tooltips and screen readers. */
  label: string;
  /** The cell reads otherwise than what ran. */
  stale: boolean;
}

export function badgeState(cell: CellRun, stale: boolean, now: number, trans: TranslationBundle): BadgeState {
  const { status, step } = cell;
  const word = statusWord(status, trans);
  const length =
    status === 'running' && cell.started !== undefined
      ? ticking(secondsBetween(cell.started, undefined, now), trans)
      : (status === 'succeeded' || status === 'failed') && cell.seconds !== undefined
        ? duration(cell.seconds, trans)
        : undefined;
  const place = trans.__('Step %1: %2', step, length === undefined ? word : `${word}, ${length}`);
  return { status, text: length ?? word, label: stale ? trans.__('%1. The cell was edited since.', place) : place, stale };
}
