/** The inside of a run's tab: its head, its steps on the left, and on the right what one wants to know of them. */

import type { IOutput } from '@jupyterlab/nbformat';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { type KeyboardEvent, type ReactNode, useEffect, useId, useMemo, useState } from 'react';
import type { RunDetail, StepRunView } from '../../pipeline/model/protocol';
import { StepGraph } from '../graph/graph';
import { StepList } from '../graph/list';
import { graphOf } from '../graph/steps';
import { hasEnded } from '../runs/changes';
import { executedCell } from '../runs/executedcell';
import { stepStates } from '../runs/stepstates';
import { sentence } from '../service/fault';
import { Artifacts } from './artifacts';
import { attemptOf, type RunData } from './data';
import { Header, type RunActions } from './header';
import { LogView } from './logview';
import { Metrics } from './metrics';
import { type CellWithOutputs, cellsOf, Outputs } from './outputs';
import { Timeline } from './timeline';

export const sections = ['timeline', 'log', 'outputs', 'artifacts', 'metrics'] as const;
export type Section = (typeof sections)[number];

export interface RunViewProps {
  data: RunData;
  run: RunDetail;
  /** Goes up with each change of the data, which is built up in place. */
  version: number;
  /** The step that is looked at; absent until somebody chose. */
  chosen: string | undefined;
  section: Section;
  choose: (step: string | undefined, section: Section) => void;
  actions: RunActions;
  fetch: (digest: string) => Promise<Blob>;
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}

export function RunView({
  data,
  run,
  version,
  chosen: wanted,
  section,
  choose,
  actions,
  fetch,
  rendermime,
  trans,
}: RunViewProps): JSX.Element {
  const [asList, setAsList] = useState(false);
  const graph = useMemo(() => graphOf(run.document), [run.document]);
  const states = useMemo(() => stepStates(run, trans), [run, trans]);
  const chosen = run.stepRuns.some(({ step }) => step === wanted) ? wanted : worthALook(run);
  const step = run.stepRuns.find(each => each.step === chosen);
  const attempt = step && attemptOf(step, data.attempts ?? []);
  useEffect(() => {
    data.want('attempts');
    if (section === 'artifacts' || section === 'metrics') data.want(section);
    if (section === 'outputs' && step && !attempt && hasEnded(step.status)) data.want('executed');
  });
  useEffect(() => {
    data.wantLog(section === 'log' || section === 'outputs' ? attempt && { step: attempt.step, attempt: attempt.attempt } : undefined);
  }, [data, section, attempt?.step, attempt?.attempt]);
  const inside: Record<Section, () => ReactNode> = {
    timeline: () => (
      <Timeline
        run={run}
        attempts={data.attempts ?? []}
        chosen={attempt?.step}
        onChoose={unit => choose(run.stepRuns.find(each => (each.unit ?? each.step) === unit)?.step ?? unit, 'log')}
        trans={trans}
      />
    ),
    log: () =>
      data.log ? (
        <LogView key={`${attempt?.step} ${attempt?.attempt}`} log={data.log} rows={data.log.rows} trans={trans} />
      ) : data.attempts ? (
        <Nothing step={step} trans={trans} />
      ) : (
        <Loading data={data} trans={trans} />
      ),
    outputs: () => {
      const cells = step && outputsOf(run, step, data);
      return cells ? (
        <Outputs cells={cells} rendermime={rendermime} trans={trans} />
      ) : data.attempts ? (
        <Nothing step={step} trans={trans} large={data.executed === null} />
      ) : (
        <Loading data={data} trans={trans} />
      );
    },
    artifacts: () =>
      data.artifacts ? <Artifacts artifacts={data.artifacts} fetch={fetch} trans={trans} /> : <Loading data={data} trans={trans} />,
    metrics: () => (data.metrics ? <Metrics metrics={data.metrics} trans={trans} /> : <Loading data={data} trans={trans} />),
  };
  return (
    <div className="stepwell-run" data-version={version}>
      <Header
        run={run}
        error={[...data.run.cells.values()].find(({ status }) => status === 'failed')?.error}
        actions={actions}
        trans={trans}
      />
      <div className="stepwell-run-body">
        <section className="stepwell-run-steps" aria-label={trans.__('Steps')}>
          <button type="button" className="stepwell-link stepwell-run-turn" aria-pressed={asList} onClick={() => setAsList(!asList)}>
            {asList ? trans.__('As a graph') : trans.__('As a list')}
          </button>
          {asList ? (
            <StepList data={graph} trans={trans} states={states} chosen={chosen} onChoose={name => choose(name, section)} />
          ) : (
            <StepGraph data={graph} trans={trans} states={states} chosen={chosen} onChoose={name => choose(name, section)} />
          )}
        </section>
        <Tabs
          section={section}
          label={(one: Section) =>
            ({
              timeline: trans.__('Timeline'),
              log: trans.__('Log'),
              outputs: trans.__('Outputs'),
              artifacts: trans.__('Artifacts'),
              metrics: trans.__('Metrics'),
            })[one]
          }
          choose={one => choose(wanted, one)}
          aside={section === 'log' || section === 'outputs' ? trans.__('Step %1', chosen ?? '') : ''}
        >
          {inside[section]()}
        </Tabs>
      </div>
    </div>
  );
}

interface TabsProps {
  section: Section;
  label: (section: Section) => string;
  choose: (section: Section) => void;
  aside: string;
  children: ReactNode;
}

function Tabs({ section, label, choose, aside, children }: TabsProps): JSX.Element {
  const id = useId();
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const next = sections[(sections.indexOf(section) + by + sections.length) % sections.length]!;
    choose(next);
    event.currentTarget.querySelector<HTMLElement>(`[data-section=${next}]`)?.focus();
  };
  return (
    <div className="stepwell-run-sections">
      <div className="stepwell-run-tabs">
        <div role="tablist" onKeyDown={onKeyDown}>
          {sections.map(one => (
            <button
              type="button"
              key={one}
              role="tab"
              id={`${id}-${one}`}
              data-section={one}
              aria-selected={one === section}
              aria-controls={`${id}-inside`}
              tabIndex={one === section ? 0 : -1}
              onClick={() => choose(one)}
            >
              {label(one)}
            </button>
          ))}
        </div>
        <span className="stepwell-run-aside">{aside}</span>
      </div>
      <div className="stepwell-run-inside" role="tabpanel" id={`${id}-inside`} aria-labelledby={`${id}-${section}`}>
        {children}
      </div>
    </div>
  );
}

function Nothing({
  step,
  trans,
  large = false,
}: {
  step: StepRunView | undefined;
  trans: TranslationBundle;
  large?: boolean;
}): JSX.Element {
  const words = large
    ? trans.__('The executed notebook is too large to show here. Save it to look at it.')
    : step?.status === 'reused'
      ? trans.__('The step was not run: an earlier run had done the same, and its results were taken.')
      : step && hasEnded(step.status)
        ? (step.reason ?? trans.__('The step was not run.'))
        : trans.__('The step has not started yet.');
  return <p className="stepwell-run-empty">{words}</p>;
}

const Loading = ({ data, trans }: { data: RunData; trans: TranslationBundle }): JSX.Element => (
  <p className="stepwell-run-empty" role="status">
    {data.fault === undefined ? trans.__('Loading…') : sentence(data.fault)}
  </p>
);

/** The step that failed, or that runs, or the first. */
function worthALook({ stepRuns }: RunDetail): string | undefined {
  return (stepRuns.find(({ status }) => status === 'failed') ?? stepRuns.find(({ status }) => status === 'running') ?? stepRuns[0])?.step;
}

/** From what the attempt said; for a step that was not run here, from the executed notebook. Undefined: neither is there. */
function outputsOf(run: RunDetail, { step }: StepRunView, { log, executed }: RunData): CellWithOutputs[] | undefined {
  const cells = cellsOf(run.document, step);
  if (log) return cells.map(cell => ({ ...cell, ...(log.outputs.get(cell.cell) ?? { outputs: [], cut: 0 }) }));
  if (!executed) return undefined;
  const ids = new Map(run.cells.map(({ cell, id }) => [cell, id]));
  return cells.map(cell => {
    const ran = executedCell(executed, { ...cell, id: ids.get(cell.cell) });
    return { ...cell, outputs: (ran?.outputs ?? []) as IOutput[], cut: 0 };
  });
}
