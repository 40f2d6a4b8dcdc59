/** A step's number in its colour, and how it goes in a run: a sign beside the word, so that colour alone says nothing. */
import type { StepRunStatus } from '../../pipeline/model/run';
import type { StepState } from './steps';

/** Steps share eight colours; with the number beside them, ten thousand are told apart. */
export const colourOf = (index: number): string => `stepwell-colour-${index % 8}`;

const signs: Record<StepRunStatus, string> = {
  waiting: '○',
  queued: '◔',
  running: '◐',
  succeeded: '✓',
  reused: '↻',
  failed: '✕',
  cancelled: '■',
  skipped: '–',
};

export function StepNumber({ index }: { index: number }) {
  return (
    <span className={`stepwell-number ${colourOf(index)}`} aria-hidden="true">
      {index + 1}
    </span>
  );
}

export function StepStatus({ state: { status, label, note } }: { state: StepState }) {
  return (
    <span className="stepwell-status" data-status={status}>
      <span className="stepwell-status-sign" aria-hidden="true">
        {signs[status]}
      </span>
      {label}
      {note === undefined ? null : ` · ${note}`}
    </span>
  );
}
