/** Shows a run where it happens: on the notebook. Badges and failures on its cells, the pill and the Run button on its toolbar. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, IToolbarWidgetRegistry } from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { Menu } from '@lumino/widgets';
import { hasEnded } from '../runs/changes';
import { Launcher } from '../runs/launch';
import { INotebookPipelines, type IRunModel, IRuns, IService } from '../tokens';
import { addCommands, bring, CommandIds } from './commands';
import { tellEnd } from './ended';
import { NotebookRun, type NotebookRunActions } from './notebookrun';
import { Pill } from './pill';

const id = 'stepwell:live';

export const livePlugin: JupyterFrontEndPlugin<void> = {
  id,
  description: 'Runs notebooks from their toolbar and shows on their cells how it goes.',
  autoStart: true,
  requires: [IRuns, IService, INotebookPipelines, INotebookTracker, IRenderMimeRegistry],
  optional: [ITranslator, ICommandPalette, IToolbarWidgetRegistry, ISettingRegistry],
  activate: (
    app: JupyterFrontEnd,
    runs: IRuns,
    service: IService,
    pipelines: INotebookPipelines,
    tracker: INotebookTracker,
    rendermime: IRenderMimeRegistry,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    toolbars: IToolbarWidgetRegistry | null,
    registry: ISettingRegistry | null,
  ) => {
    const { commands } = app;
    const trans = (translator ?? nullTranslator).load('stepwell');
    const launcher = new Launcher(runs, pipelines, trans);
    addCommands({ commands, tracker, runs, service, pipelines, launcher, trans });
    for (const command of Object.values(CommandIds))
      if (command !== CommandIds.open) palette?.addItem({ command, category: trans.__('Stepwell') });

    const open = (run: IRunModel, step?: string) =>
      void commands.execute(CommandIds.open, { run: run.id, ...(step === undefined ? {} : { step }) });
    // Commands are about the notebook in front.
    const inFront = (panel: NotebookPanel, command: string) => {
      app.shell.activateById(panel.id);
      void commands.execute(command);
    };
    const actions: NotebookRunActions = {
      openRun: open,
      continueFrom: (_, step) => void commands.execute(CommandIds.runFrom, { step }),
      openMenu: (anchor, run, { step }) => {
        const menu = new Menu({ commands });
        menu.addItem({ command: CommandIds.open, args: { run: run.id, step } });
        menu.addItem({ type: 'separator' });
        menu.addItem({ command: CommandIds.runFrom, args: { step } });
        for (const command of [CommandIds.runWith, CommandIds.runAgain, CommandIds.resume, CommandIds.stop]) menu.addItem({ command });
        menu.addItem({ type: 'separator' });
        for (const command of [CommandIds.bring, CommandIds.hide]) menu.addItem({ command });
        // The command that was chosen still has to be read from the menu when it closes.
        menu.aboutToClose.connect(() => requestAnimationFrame(() => menu.dispose()));
        const { left, bottom } = anchor.getBoundingClientRect();
        menu.open(left, bottom);
      },
    };

    let bringAtEnd = false;
    void registry?.load(id).then(settings => {
      const update = () => {
        bringAtEnd = settings.get('bringOutputs').composite === true;
      };
      settings.changed.connect(update);
      update();
    });
    const attend = (panel: NotebookPanel) => {
      new NotebookRun(panel, runs, rendermime, actions, trans);
      onEnd(panel, runs, run => {
        if (bringAtEnd) bring(panel, run, service).catch(error => console.warn('The outputs of the run could not be had.', error));
        const actions = {
          open: () => open(run),
          ...(bringAtEnd ? {} : { bring: () => inFront(panel, CommandIds.bring) }),
          goToFailure: () => {
            // Which cell it was may be told a moment after the run's end.
            const failed = [...run.cells.values()].find(({ status }) => status === 'failed');
            const here = pipelines.of(panel).cells.indexOf(failed?.id ?? '');
            app.shell.activateById(panel.id);
            if (here >= 0) pipelines.of(panel).reveal(here);
          },
        };
        tellEnd(run.detail!, actions, trans);
      });
    };
    tracker.forEach(attend);
    tracker.widgetAdded.connect((_, panel) => attend(panel));
    toolbars?.addFactory<NotebookPanel>(
      'Notebook',
      'stepwell-state',
      panel => new Pill(panel, runs, pipelines.of(panel), { open, stop: () => void commands.execute(CommandIds.stop) }, trans),
    );
    const changed = () => {
      for (const command of Object.values(CommandIds)) if (commands.hasCommand(command)) commands.notifyCommandChanged(command);
    };
    runs.shownChanged.connect((_, panel) => {
      changed();
      runs.shownIn(panel)?.changed.connect(changed);
    });
    tracker.currentChanged.connect(changed);
  },
};

/** Tells of each run that the notebook shows when it ends; not of those that were over when the notebook was opened. */
function onEnd(panel: NotebookPanel, runs: IRuns, ended: (run: IRunModel) => void): void {
  const opened = Date.now();
  let was: { run: IRunModel; going: boolean } | undefined;
  const look = (run: IRunModel) => {
    if (!run.detail) return;
    const going = !hasEnded(run.detail.status);
    const before = was?.run === run ? was.going : Date.parse(run.detail.created) > opened;
    if (before && !going) ended(run);
    was = { run, going };
  };
  runs.shownChanged.connect((_, shown) => {
    const run = shown === panel ? runs.shownIn(panel) : null;
    if (!run || run === was?.run) return;
    run.changed.connect(look);
    look(run);
  });
}
