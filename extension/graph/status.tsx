/** A step's number in its colour, and how it goes in a run: a sign beside the word, so that colour alone says nothing. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { StatusIcon } from '../runs/status';
import type { StepState } from './steps';

/** Steps share eight colours; with the number beside them, ten thousand are told apart. */
export const colourOf = (index: number): string => `stepwell-colour-${index % 8}`;

export function StepNumber({ index }: { index: number }) {
  return (
    <span className={`stepwell-number ${colourOf(index)}`} aria-hidden="true">
      {index + 1}
    </span>
  );
}

export function StepStatus({ state: { status, label, note }, trans }: { state: StepState; trans: TranslationBundle }) {
  return (
    <span className="stepwell-status">
      <StatusIcon status={status} trans={trans} silent />
      {label}
      {note === undefined ? null : ` · ${note}`}
    </span>
  );
}
