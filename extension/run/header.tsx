/** The head of a run's tab: what it is, how it stands, and what can be done with it. */
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CellError, RunDetail } from '../../pipeline/model/protocol';
import { hasEnded } from '../runs/changes';
import { progress } from '../runs/progress';
import { nameOf } from '../runs/rows';
import { StatusIcon, statusWord } from '../runs/status';
import { duration, moment, secondsBetween, ticking } from '../runs/time';
import { useNow } from '../runs/usenow';

export interface RunActions {
  stop(): void;
  resume(): void;
  again(): void;
  openNotebook(): void;
  saveExecuted(): void;
  /** Absent where the notebook is not open. */
  bring?(): void;
}

interface HeaderProps {
  run: RunDetail;
  /** Of the first cell that failed. */
  error?: CellError;
  actions: RunActions;
  trans: TranslationBundle;
}

export function Header({ run, error, actions, trans }: HeaderProps): JSX.Element {
  const over = hasEnded(run.status);
  const now = useNow(!over);
  const { done, all } = progress(run);
  const took = run.started === undefined ? undefined : secondsBetween(run.started, run.ended, now);
  const facts = [
    moment(run.created, now),
    took !== undefined && (run.ended === undefined ? ticking(took, trans) : duration(took, trans)),
    trans.__('%1/%2 steps', done, all),
    run.startedBy && trans.__('by %1', run.startedBy),
    run.experiment && trans.__('experiment %1', run.experiment),
    run.from && trans.__('from step %1', run.from),
    trans.__('version %1', run.version),
    run.target !== 'local' && run.target,
  ].filter(Boolean);
  const parameters = Object.entries(run.parameters);
  return (
    <header className="stepwell-run-header">
      <div className="stepwell-run-title">
        <StatusIcon status={run.status} trans={trans} silent />
        <h2>
          {nameOf(run.path)} <span className="stepwell-run-word">{statusWord(run.status, trans)}</span>
        </h2>
        <div className="stepwell-run-actions">
          {!over && <Action label={trans.__('Stop')} act={actions.stop} />}
          {over && run.status !== 'succeeded' && (
            <Action label={trans.__('Resume')} title={trans.__('Go on from where it stopped, as it was started')} act={actions.resume} />
          )}
          {over && (
            <Action
              label={trans.__('Run again')}
              title={trans.__('The same notebook and parameters, every step anew')}
              act={actions.again}
            />
          )}
          <Action label={trans.__('Open notebook')} title={run.path} act={actions.openNotebook} />
          <Action
            label={trans.__('Save executed notebook…')}
            title={trans.__('A copy with the outputs of this run')}
            act={actions.saveExecuted}
          />
          {over && actions.bring && (
            <Action
              label={trans.__('Bring outputs in')}
              title={trans.__('Into the open notebook, where cells are as they ran')}
              act={actions.bring}
            />
          )}
        </div>
      </div>
      <p className="stepwell-run-facts">{facts.join(' · ')}</p>
      {parameters.length > 0 && (
        <ul className="stepwell-run-parameters" aria-label={trans.__('Parameters')}>
          {parameters.map(([name, value]) => (
            <li key={name} title={`${name} = ${JSON.stringify(value)}`}>
              {name} = <code>{JSON.stringify(value).slice(0, 60)}</code>
            </li>
          ))}
        </ul>
      )}
      {run.reason && run.status !== 'succeeded' && (
        <p className="stepwell-run-reason" data-status={run.status}>
          {sentenceOf(run.reason)}
          {error && <code>{`${error.ename}: ${error.evalue}`.slice(0, 300)}</code>}
        </p>
      )}
    </header>
  );
}

function Action({ label, title, act }: { label: string; title?: string; act: () => void }): JSX.Element {
  return (
    <button type="button" className="stepwell-action" title={title} onClick={act}>
      {label}
    </button>
  );
}

/** Reasons are written to follow a word; here they stand alone. */
const sentenceOf = (reason: string): string => `${reason.charAt(0).toUpperCase()}${reason.slice(1)}`;
