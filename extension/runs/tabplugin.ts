/** Puts the Runs tab into the side panel. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { INotebookTracker } from '@jupyterlab/notebook';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { IService, ISidePanel } from '../tokens';
import { RunsTab } from './tab';

export const runsTabPlugin: JupyterFrontEndPlugin<void> = {
  id: 'stepwell:runs-tab',
  description: 'Lists runs in the side panel.',
  autoStart: true,
  requires: [ISidePanel, IService, INotebookTracker],
  optional: [ITranslator, ICommandPalette],
  activate: (
    app: JupyterFrontEnd,
    side: ISidePanel,
    service: IService,
    tracker: INotebookTracker,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
  ) => {
    const trans = (translator ?? nullTranslator).load('stepwell');
    const { contents } = app.serviceManager;
    const tab = new RunsTab({
      service,
      currentPath: () => tracker.currentWidget?.context.path && contents.localPath(tracker.currentWidget.context.path),
      currentPathChanged: tracker.currentChanged,
      open: run => void app.commands.execute('stepwell:open-run', { run }),
      trans,
    });
    side.add(tab, 200);
    const command = 'stepwell:show-runs';
    app.commands.addCommand(command, { label: trans.__('Show Pipeline Runs'), execute: () => side.show(tab.id) });
    palette?.addItem({ command, category: trans.__('Stepwell') });
  },
};
