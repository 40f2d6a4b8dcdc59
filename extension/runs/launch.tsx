/**
 * From a click on Run to a run that has begun: what is wrong with the notebook is said first, parameters are asked for when there are any,
 * and what the service has against it is shown in the same way.
 */
import { Dialog, Notification, ReactWidget } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Problem } from '../../pipeline/model/problem';
import type { StartRunRequest } from '../../pipeline/model/protocol';
import { ServiceFault, sentence } from '../service/fault';
import type { INotebookPipeline, INotebookPipelines, IRunModel, IRuns } from '../tokens';
import { askForRun, noWishes, type Wishes } from './form';

export interface Launch {
  /** The step to start at. */
  from?: string;
  /** With the parameters of this run, unasked. */
  again?: IRunModel;
  /** Show the form even where there is no parameter to ask for. */
  ask?: boolean;
}

export class Launcher {
  constructor(
    private readonly _runs: IRuns,
    private readonly _pipelines: INotebookPipelines,
    private readonly _trans: TranslationBundle,
  ) {}

  async launch(panel: NotebookPanel, { from, again, ask = false }: Launch = {}): Promise<IRunModel | undefined> {
    const trans = this._trans;
    const notebook = this._pipelines.of(panel);
    notebook.refresh();
    const errors = notebook.problems.filter(({ severity }) => severity === 'error');
    if (errors.length > 0 || !notebook.pipeline || notebook.pipeline.steps.length === 0) {
      await this._tell(notebook, errors);
      return undefined;
    }
    const { name, parameters } = notebook.pipeline;
    const before = this._wishes.get(panel) ?? noWishes;
    let request: Omit<StartRunRequest, 'path' | 'notebook'>;
    if (again?.detail) {
      const { detail } = again;
      const known = new Set(parameters.map(parameter => parameter.name));
      request = {
        parameters: Object.fromEntries(Object.entries(detail.parameters).filter(([parameter]) => known.has(parameter))),
        experiment: detail.experiment,
        keepGoing: detail.keepGoing,
        from,
        // To run again is to want it done again; to continue is not.
        reuse: from !== undefined,
      };
    } else {
      const asked = ask || parameters.length > 0 ? await askForRun(name, parameters, before, trans) : { wishes: before, values: {} };
      if (!asked) return undefined;
      const { wishes, values } = asked;
      this._wishes.set(panel, wishes);
      const { experiment, reuse, keepGoing } = wishes;
      request = { parameters: values, experiment: experiment.trim() || undefined, reuse, keepGoing, from };
    }
    try {
      return await this._runs.start(panel, request);
    } catch (error) {
      if (error instanceof ServiceFault && error.more.problems?.length) await this._tell(notebook, error.more.problems);
      else Notification.error(trans.__('The run was not started. %1', sentence(error)), { autoClose: 8000 });
      return undefined;
    }
  }

  private async _tell(notebook: INotebookPipeline, problems: readonly Problem[]): Promise<void> {
    const trans = this._trans;
    const dialog: Dialog<void> = new Dialog({
      title: problems.length > 0 ? trans.__('The notebook cannot run yet') : trans.__('The notebook has no steps yet'),
      body: ReactWidget.create(
        problems.length > 0 ? (
          <ProblemList problems={problems} cells={notebook.cells.length} trans={trans} go={problem => go(dialog, notebook, problem)} />
        ) : (
          <p>{trans.__('Select a cell and put it in a step: with the button in its toolbar, or in the panel on the right.')}</p>
        ),
      ),
      buttons: [Dialog.okButton({ label: trans.__('Close') })],
    });
    await dialog.launch();
  }

  private readonly _wishes = new WeakMap<NotebookPanel, Wishes>();
}

function go(dialog: Dialog<void>, notebook: INotebookPipeline, { cell, range }: Problem): void {
  if (cell === undefined) return;
  dialog.reject();
  notebook.reveal(cell, range);
}

interface ProblemListProps {
  problems: readonly Problem[];
  /** How many cells the notebook has. */
  cells: number;
  trans: TranslationBundle;
  go: (problem: Problem) => void;
}

export function ProblemList({ problems, cells, trans, go }: ProblemListProps): JSX.Element {
  return (
    <ul className="stepwell-problem-list">
      {problems.map((problem, index) => (
        <li key={index}>
          <span>{problem.message}</span>
          {problem.cell !== undefined && problem.cell < cells && (
            <button type="button" className="stepwell-link" onClick={() => go(problem)}>
              {trans.__('Go to cell %1', problem.cell + 1)}
            </button>
          )}
        </li>
      ))}
    </ul>
  );
}
