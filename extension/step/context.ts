/** What every part of a step's form needs, handed down once. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { createContext, useContext } from 'react';
import type { Pipeline, Step } from '../../pipeline/model/pipeline';
import type { INotebookPipeline, IProblemActions } from '../tokens';
import type { Settings } from './settings';

export interface StepShown {
  notebook: INotebookPipeline;
  pipeline: Pipeline;
  /** As it was compiled last. */
  step: Step;
  /** Tells the step from others, under whatever name: its notebook and first cell. */
  owner: string;
  settings: Settings;
  actions: IProblemActions;
  trans: TranslationBundle;
}

const context = createContext<StepShown | undefined>(undefined);

export const ShowStep = context.Provider;

export function useStep(): StepShown {
  const shown = useContext(context);
  if (!shown) throw new Error('A part of the step form stands outside of it.');
  return shown;
}
