/** The Pipeline tab: the steps of the notebook in front, its problems, and the settings of the step that one is in. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { type ReactNode, useRef } from 'react';
import type { RunDetail } from '../../pipeline/model/protocol';
import { type Direction, StepGraph } from '../graph/graph';
import { StepList } from '../graph/list';
import { graphOf } from '../graph/steps';
import { StepForm } from '../step/form';
import type { INotebookPipeline, IProblemActions } from '../tokens';
import { ProblemList } from './problems';
import { statesOf } from './states';

export type View = 'graph' | 'list';

export interface PipelineViewProps {
  notebook: INotebookPipeline | null;
  /** The step that the active cell is in, or was in last. */
  chosen: string | undefined;
  /** The run whose state the notebook's cells show. */
  run: RunDetail | undefined;
  view: View;
  direction: Direction;
  commands: CommandRegistry;
  actions: IProblemActions;
  trans: TranslationBundle;
  onView: (view: View) => void;
  onChoose: (step: string) => void;
}

export function PipelineView(props: PipelineViewProps) {
  const { notebook, trans } = props;
  if (!notebook) return <p className="stepwell-quiet">{trans.__('Open a notebook to see its steps here.')}</p>;
  if (!notebook.pipeline) return <Untagged {...props} notebook={notebook} />;
  return <Tagged {...props} notebook={notebook} />;
}

function Untagged({ notebook, commands, trans }: PipelineViewProps & { notebook: INotebookPipeline }) {
  const [problem] = notebook.problems;
  if (problem) return <p className="stepwell-quiet">{problem.message}</p>;
  return (
    <div className="stepwell-welcome">
      <h3>{trans.__('This notebook has no steps yet')}</h3>
      <p>
        {trans.__('Put cells in steps, and the notebook runs as a pipeline. What each step takes and gives is worked out from the code.')}
      </p>
      {notebook.readOnly ? (
        <p>{trans.__('It was opened read-only, so nothing can be written to it.')}</p>
      ) : (
        <>
          <CommandButton command="stepwell:suggest-steps" commands={commands} accept />
          <CommandButton command="stepwell:put-in-step" commands={commands} />
          <p>
            {trans.__(
              'Or select cells in the notebook and press %1; the button in the toolbar of a cell does the same.',
              keysOf(commands, 'stepwell:put-in-step'),
            )}
          </p>
        </>
      )}
    </div>
  );
}

function Tagged(props: PipelineViewProps & { notebook: INotebookPipeline }) {
  const { notebook, chosen, run, view, direction, commands, actions, trans, onView, onChoose } = props;
  const problems = useStable(notebook.problems);
  const pipeline = notebook.pipeline!;
  const data = useStable(graphOf(pipeline, problems));
  const states = useStable(statesOf(pipeline, run, trans), of => JSON.stringify([...(of ?? [])]));
  const shared = { data, trans, onChoose, ...(states ? { states } : {}), ...(chosen === undefined ? {} : { chosen }) };
  const serious = problems.filter(({ severity }) => severity !== 'info').length;
  return (
    <>
      <div className="stepwell-head">
        <div className="stepwell-head-name" title={pipeline.description ?? pipeline.name}>
          {pipeline.name}
        </div>
        <fieldset className="stepwell-toggle">
          <legend className="stepwell-hidden">{trans.__('Show the steps as')}</legend>
          <Toggle label={trans.__('Graph')} on={view === 'graph'} onClick={() => onView('graph')} />
          <Toggle label={trans.__('List')} on={view === 'list'} onClick={() => onView('list')} />
        </fieldset>
      </div>
      <p className="stepwell-summary">
        {trans._n('%1 step', '%1 steps', pipeline.steps.length)}
        {pipeline.parameters.length > 0
          ? ` · ${trans._n('parameter', 'parameters', pipeline.parameters.length)} ${pipeline.parameters.map(({ name }) => name).join(', ')}`
          : ''}
        {pipeline.sharedCells.length > 0
          ? ` · ${trans._n('%1 cell runs before every step', '%1 cells run before every step', pipeline.sharedCells.length)}`
          : ''}
      </p>
      {notebook.kale && !notebook.readOnly ? (
        <div className="stepwell-notice">
          {trans.__('Tagged for Kale; it runs as it is.')}
          <CommandButton command="stepwell:convert-kale-tags" commands={commands} />
        </div>
      ) : null}
      <div className={view === 'graph' ? 'stepwell-steps stepwell-steps-graph' : 'stepwell-steps'}>
        {view === 'graph' ? <StepGraph {...shared} direction={direction} /> : <StepList {...shared} />}
      </div>
      <Section title={trans.__('Problems')} count={serious}>
        <ProblemList notebook={notebook} problems={problems} readOnly={notebook.readOnly} actions={actions} trans={trans} />
      </Section>
      {chosen === undefined ? null : (
        <Section title={trans.__('Step "%1"', chosen)}>
          <StepForm notebook={notebook} step={chosen} readOnly={notebook.readOnly} actions={actions} trans={trans} />
        </Section>
      )}
    </>
  );
}

/** The value of the last time, as long as it says the same: most edits change nothing that the graph shows. */
function useStable<T>(value: T, say: (value: T) => string = value => JSON.stringify(value)): T {
  const text = say(value);
  const kept = useRef({ text, value });
  if (kept.current.text !== text) kept.current = { text, value };
  return kept.current.value;
}

function Toggle({ label, on, onClick }: { label: string; on: boolean; onClick: () => void }) {
  return (
    <button type="button" aria-pressed={on} onClick={onClick}>
      {label}
    </button>
  );
}

function Section({ title, count, children }: { title: string; count?: number; children: ReactNode }) {
  return (
    <details className="stepwell-section" open>
      <summary>
        {title}
        {count ? <span className="stepwell-count">{count}</span> : null}
      </summary>
      {children}
    </details>
  );
}

/** The keys that people press for a command, as their settings have it. */
function keysOf(commands: CommandRegistry, command: string): string {
  const binding = commands.keyBindings.find(one => one.command === command);
  return binding ? CommandRegistry.formatKeystroke(binding.keys) : '…';
}

function CommandButton({ command, commands, accept = false }: { command: string; commands: CommandRegistry; accept?: boolean }) {
  if (!commands.hasCommand(command)) return null;
  return (
    <button
      type="button"
      className={accept ? 'stepwell-button stepwell-button-first' : 'stepwell-button'}
      title={commands.caption(command)}
      onClick={() => void commands.execute(command)}
    >
      {commands.label(command)}
    </button>
  );
}
