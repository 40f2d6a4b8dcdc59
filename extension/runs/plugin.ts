/** Provides runs, and has a Python kept ready for the notebook that is worked on. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { INotebookPipelines, IRuns, IService } from '../tokens';
import { Runs } from './runs';

export const runsPlugin: JupyterFrontEndPlugin<IRuns> = {
  id: 'stepwell:runs',
  description: 'Starts runs of notebooks and follows them.',
  autoStart: true,
  provides: IRuns,
  requires: [IService, INotebookPipelines, INotebookTracker],
  activate: (app: JupyterFrontEnd, service: IService, pipelines: INotebookPipelines, tracker: INotebookTracker): IRuns => {
    const runs = new Runs(service, pipelines, app.serviceManager.contents);
    const attend = (panel: NotebookPanel) => {
      runs.attend(panel);
      // The first tag comes through here, and so does all work after it.
      pipelines.of(panel).changed.connect(() => runs.keepWarm(panel));
    };
    tracker.forEach(attend);
    tracker.widgetAdded.connect((_, panel) => attend(panel));
    tracker.currentChanged.connect((_, panel) => panel && runs.keepWarm(panel));
    return runs;
  },
};
