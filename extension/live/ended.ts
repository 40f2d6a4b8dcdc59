/** Says that a run has ended, with what one wants to do next: its outputs are in the service, not yet in the notebook. */
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { RunDetail } from '../../pipeline/model/protocol';
import { duration, secondsBetween } from '../runs/time';

export interface EndActions {
  open(): void;
  /** Absent where the outputs come by themselves. */
  bring?(): void;
  /** To the cell that failed. */
  goToFailure(): void;
}

export function tellEnd(run: RunDetail, { open, bring, goToFailure }: EndActions, trans: TranslationBundle): void {
  const { status, pipelineName: name } = run;
  const took = run.started === undefined ? '' : duration(secondsBetween(run.started, run.ended, 0), trans);
  const actions = [
    ...(status === 'failed' ? [{ label: trans.__('Go to the Cell'), callback: goToFailure }] : []),
    { label: trans.__('Open Run'), callback: open },
    ...(bring
      ? [{ label: trans.__('Bring Outputs In'), caption: trans.__('Fill the outputs into the cells of the notebook'), callback: bring }]
      : []),
  ];
  if (status === 'succeeded') Notification.success(trans.__('%1 ran in %2.', name, took), { actions, autoClose: 10_000 });
  else if (status === 'failed') {
    const step = run.stepRuns.find(each => each.status === 'failed')?.step;
    const words = step === undefined ? trans.__('%1 failed.', name) : trans.__('%1 failed at step %2.', name, step);
    Notification.error(words, { actions, autoClose: 10_000 });
  }
}
