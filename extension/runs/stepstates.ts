/** Where the steps of a run stand, as graphs and lists of steps show it. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { RunDetail } from '../../pipeline/model/protocol';
import type { StepState } from '../graph/steps';
import { statusWord } from './status';
import { duration, secondsBetween } from './time';

/** By the step's name; how long it took where it ran. */
export function stepStates({ stepRuns }: Pick<RunDetail, 'stepRuns'>, trans: TranslationBundle): ReadonlyMap<string, StepState> {
  return new Map(
    stepRuns.map(({ step, status, started, ended }) => {
      const took =
        started !== undefined && ended !== undefined && status !== 'reused'
          ? duration(secondsBetween(started, ended, 0), trans)
          : undefined;
      return [step, { status, label: statusWord(status, trans), ...(took === undefined ? {} : { note: took }) }];
    }),
  );
}
