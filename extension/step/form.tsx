/**
 * The form for one step: what the notebook says of it, beside what follows from its code. It keeps no fact of its own; everything it shows is read
 * from the notebook's shared model and its last compilation each time one of them changes, whoever changed it.
 */
import type { TranslationBundle } from '@jupyterlab/translation';
import { type ReactNode, useLayoutEffect, useReducer, useRef } from 'react';
import type { INotebookPipeline, IProblemActions } from '../tokens';
import { ShowStep, useStep } from './context';
import { Data } from './data';
import { Environment } from './environment';
import { Name } from './name';
import { Other } from './other';
import { Running } from './running';
import { Settings } from './settings';

export interface StepFormProps {
  notebook: INotebookPipeline;
  /** Its name. Where no step has it any more, the form stays with the cells that it showed. */
  step: string;
  readOnly: boolean;
  actions: IProblemActions;
  trans: TranslationBundle;
}

export function StepForm({ notebook, step: name, readOnly, actions, trans }: StepFormProps) {
  useNotebook(notebook);
  const { pipeline } = notebook;
  const shared = notebook.panel.content.model?.sharedModel;
  const place = useRef<string | undefined>(undefined);
  const ownerOf = (cell: string | undefined) => `${notebook.panel.id} ${cell}`;
  const step =
    pipeline?.steps.find(one => one.name === name) ??
    pipeline?.steps.find(({ cells }) => cells.some(({ id }) => ownerOf(id) === place.current));
  const owner = step && ownerOf(step.cells[0]?.id ?? step.name);
  useLayoutEffect(() => {
    place.current = owner;
  });
  if (!pipeline || !shared || !step || !owner) return null;
  return (
    <ShowStep
      value={{
        notebook,
        pipeline,
        step,
        owner,
        settings: new Settings(notebook, shared, pipeline, step),
        actions,
        trans,
      }}
    >
      <section className="stepwell-step-form" aria-label={trans.__('Settings of the step %1', step.name)}>
        {readOnly && <p className="stepwell-step-form-hint">{trans.__('The notebook is read-only.')}</p>}
        <fieldset disabled={readOnly}>
          <Name />
          <Groups />
        </fieldset>
      </section>
    </ShowStep>
  );
}

const groups = {
  data: ['inputs', 'outputs', 'after'],
  running: ['retries', 'timeout', 'backoff', 'reuse', 'onFailure'],
  environment: ['target', 'resources', 'env'],
};
const withField = Object.values(groups).flat();

function Groups() {
  const { settings, trans } = useStep();
  const set = Object.keys(settings.all());
  const other = set.filter(key => !withField.includes(key));
  const among = (keys: readonly string[]) => set.filter(key => keys.includes(key)).length;
  return (
    <>
      <Group title={trans.__('Data')} set={among(groups.data)} open>
        <Data />
      </Group>
      <Group title={trans.__('Running')} set={among(groups.running)}>
        <Running />
      </Group>
      <Group title={trans.__('Environment')} set={among(groups.environment)}>
        <Environment />
      </Group>
      {other.length > 0 && (
        <Group title={trans.__('Other settings')} set={other.length}>
          <Other keys={other} />
        </Group>
      )}
    </>
  );
}

/** A part of the form that can be folded; what is set in it shows when it is. */
function Group({ title, set, open, children }: { title: string; set: number; open?: boolean; children: ReactNode }) {
  const { trans } = useStep();
  return (
    <details open={open}>
      <summary>
        {title} {set > 0 && <span className="stepwell-step-form-aside">{trans.__('%1 set', set)}</span>}
      </summary>
      {children}
    </details>
  );
}

/** Draws again when the notebook was compiled, and when its metadata change. */
function useNotebook(notebook: INotebookPipeline): void {
  const [, redraw] = useReducer((times: number) => times + 1, 0);
  const shared = notebook.panel.content.model?.sharedModel;
  useLayoutEffect(() => {
    const slot = () => redraw();
    notebook.changed.connect(slot);
    shared?.metadataChanged.connect(slot);
    return () => {
      notebook.changed.disconnect(slot);
      shared?.metadataChanged.disconnect(slot);
    };
  }, [notebook, shared]);
}
