/** The table of contents of the JupyterLab extension: its plugins, in the order in which they need each other. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker } from '@jupyterlab/notebook';
import { compile } from '../pipeline/compile';

const plugin: JupyterFrontEndPlugin<void> = {
  id: 'stepwell:plugin',
  description: 'Tags cells as steps.',
  autoStart: true,
  requires: [INotebookTracker],
  activate: (_app: JupyterFrontEnd, tracker: INotebookTracker) => {
    tracker.currentChanged.connect(() => console.log(compile(tracker.currentWidget?.content.model?.toJSON())));
  },
};

export default [plugin];
