/** Compiles open notebooks while people type. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { INotebookPipelines } from '../tokens';
import type { Pace } from './live';
import { NotebookPipelines } from './pipelines';

const id = 'stepwell:notebook';

export const notebookPlugin: JupyterFrontEndPlugin<INotebookPipelines> = {
  id,
  description: 'Compiles open notebooks to pipelines while people type.',
  autoStart: true,
  provides: INotebookPipelines,
  requires: [INotebookTracker],
  optional: [ISettingRegistry],
  activate: (_app: JupyterFrontEnd, tracker: INotebookTracker, registry: ISettingRegistry | null): INotebookPipelines => {
    const pace: Pace = { delay: 40, atLatest: 400 };
    void registry?.load(id).then(settings => {
      const update = () => {
        pace.delay = settings.get('compileDelay').composite as number;
      };
      settings.changed.connect(update);
      update();
    });
    return new NotebookPipelines(tracker, pace);
  },
};
