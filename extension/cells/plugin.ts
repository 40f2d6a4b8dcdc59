/** Shows on the cells which step they are in, and what the step takes and gives. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { INotebookPipelines } from '../tokens';
import { CellMark } from './chip';
import { CellMarks } from './marks';

const id = 'stepwell:cells';

export const cellsPlugin: JupyterFrontEndPlugin<void> = {
  id,
  description: 'Marks cells with their step.',
  autoStart: true,
  requires: [INotebookTracker, INotebookPipelines],
  optional: [ISettingRegistry, ITranslator],
  activate: (
    { commands }: JupyterFrontEnd,
    tracker: INotebookTracker,
    pipelines: INotebookPipelines,
    registry: ISettingRegistry | null,
    translator: ITranslator | null,
  ): void => {
    const trans = (translator ?? nullTranslator).load('stepwell');
    const shown = { bar: true, chips: true };
    const apply = ({ content }: NotebookPanel) => {
      content.toggleClass('stepwell-without-bars', !shown.bar);
      content.toggleClass('stepwell-without-chips', !shown.chips);
    };
    const follow = (panel: NotebookPanel) => {
      const make = () =>
        new CellMark(
          trans,
          step => void commands.execute('stepwell:show-step', { step }),
          () => void commands.execute('stepwell:show-pipeline'),
        );
      const marks = new CellMarks(pipelines.of(panel), make);
      panel.disposed.connect(() => marks.dispose());
      apply(panel);
    };
    tracker.forEach(follow);
    tracker.widgetAdded.connect((_, panel) => follow(panel));
    void registry?.load(id).then(settings => {
      const update = () => {
        shown.bar = settings.get('bar').composite === true;
        shown.chips = settings.get('chips').composite === true;
        tracker.forEach(apply);
      };
      settings.changed.connect(update);
      update();
    });
  },
};
