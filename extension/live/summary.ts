/** A run in a few words, as the pill on the toolbar has them. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { RunDetail } from '../../pipeline/model/protocol';
import { progress } from '../runs/progress';
import { statusWord } from '../runs/status';
import { duration, secondsBetween, ticking } from '../runs/time';

export function runWords(run: RunDetail, now: number, trans: TranslationBundle): string {
  const word = statusWord(run.status, trans);
  const { done, all } = progress(run);
  const took = run.started === undefined ? undefined : secondsBetween(run.started, run.ended, now);
  switch (run.status) {
    case 'queued':
      return word;
    case 'running':
      return trans.__('%1 %2/%3 · %4', word, done, all, ticking(took ?? 0, trans));
    case 'failed': {
      const step = run.stepRuns.find(({ status }) => status === 'failed')?.step;
      return step === undefined ? word : trans.__('failed at %1', step);
    }
    default:
      return took === undefined ? word : trans.__('%1 · %2', word, duration(took, trans));
  }
}
