/** How the steps of a notebook stand in the run that its cells show. A step that was edited since has no state: the run says nothing of it any more. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Pipeline, Step } from '../../pipeline/model/pipeline';
import type { RunDetail, StepRunView } from '../../pipeline/model/protocol';
import type { StepState } from '../graph/steps';
import { statusWord } from '../runs/status';

export function statesOf(pipeline: Pipeline, run: RunDetail | undefined, trans: TranslationBundle): Map<string, StepState> | undefined {
  if (!run) return undefined;
  const ran = new Map(run.document.steps.map(step => [step.name, sourceOf(step)]));
  const now = new Map(pipeline.steps.map(step => [step.name, sourceOf(step)]));
  const same = run.stepRuns.filter(({ step }) => now.has(step) && now.get(step) === ran.get(step));
  return new Map(same.map(one => [one.step, stateOf(one, trans)]));
}

function stateOf({ status, started, ended }: StepRunView, trans: TranslationBundle): StepState {
  const state: StepState = { status, label: statusWord(status, trans) };
  if (started && ended) state.note = trans.__('%1 s', ((Date.parse(ended) - Date.parse(started)) / 1000).toFixed(1));
  return state;
}

const sourceOf = ({ cells }: Step): string => cells.map(({ source }) => source).join('\n');
