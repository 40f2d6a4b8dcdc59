/** Opens runs as tabs of the main area, and brings them back when the page is loaded anew. */
import { ILabShell, ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, Notification, WidgetTracker } from '@jupyterlab/apputils';
import { INotebookTracker, type NotebookPanel } from '@jupyterlab/notebook';
import { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { UUID } from '@lumino/coreutils';
import { sentence } from '../service/fault';
import { IRuns, IService } from '../tokens';
import { RunData } from './data';
import { saveExecuted } from './executed';
import type { RunActions } from './header';
import { forStrangers } from './outputs';
import { logWords, RunTab } from './tab';

const command = 'stepwell:open-run';

export const runPlugin: JupyterFrontEndPlugin<void> = {
  id: 'stepwell:run',
  description: 'Shows a run in a tab of the main area.',
  autoStart: true,
  requires: [IRuns, IService, INotebookTracker, IRenderMimeRegistry],
  optional: [ITranslator, ICommandPalette, ILayoutRestorer, ILabShell],
  activate: (
    app: JupyterFrontEnd,
    runs: IRuns,
    service: IService,
    notebooks: INotebookTracker,
    rendermime: IRenderMimeRegistry,
    translator: ITranslator | null,
    palette: ICommandPalette | null,
    restorer: ILayoutRestorer | null,
    labShell: ILabShell | null,
  ) => {
    const trans = (translator ?? nullTranslator).load('stepwell');
    const { commands, serviceManager, shell } = app;
    const { contents } = serviceManager;
    const tracker = new WidgetTracker<MainAreaWidget<RunTab>>({ namespace: 'stepwell-runs' });
    const strangers = forStrangers(rendermime);

    const shownRun = (): string | undefined => (notebooks.currentWidget && runs.shownIn(notebooks.currentWidget)?.id) || undefined;
    const panelOf = (path: string): NotebookPanel | undefined => notebooks.find(panel => contents.localPath(panel.context.path) === path);
    const trying = async (what: string, work: () => Promise<unknown>): Promise<void> => {
      try {
        await work();
      } catch (error) {
        Notification.error(`${what} ${sentence(error)}`, { autoClose: 8000 });
      }
    };

    const open = (id: string): MainAreaWidget<RunTab> => {
      const data = new RunData(runs.follow(id), service, logWords(trans));
      const { run } = data;
      const path = () => run.detail?.path ?? '';
      const actions: RunActions = {
        stop: () => void trying(trans.__('The run was not stopped.'), () => run.cancel()),
        resume: () => void trying(trans.__('The run was not resumed.'), () => run.resume()),
        again: () =>
          void trying(trans.__('The run was not started.'), async () => {
            const { parameters, experiment, keepGoing } = run.detail!;
            const notebook = await service.notebook(id);
            const next = await service.start({ path: path(), notebook, parameters, experiment, keepGoing, reuse: false }, UUID.uuid4());
            await commands.execute(command, { run: next.id });
          }),
        openNotebook: () =>
          void trying(trans.__('The notebook was not opened.'), () => commands.execute('docmanager:open', { path: path() })),
        saveExecuted: () =>
          void trying(trans.__('The executed notebook was not saved.'), async () => {
            const saved = run.detail && (await saveExecuted(run.detail, service, contents, trans));
            if (saved) await commands.execute('docmanager:open', { path: saved });
          }),
        bring: () => {
          const panel = panelOf(path());
          if (!panel) {
            Notification.info(trans.__('Open the notebook first: %1.', path()), { autoClose: 5000 });
            return;
          }
          runs.show(panel, id);
          shell.activateById(panel.id);
          void commands.execute('stepwell:bring-outputs');
        },
      };
      const content = new RunTab({ data, actions, fetch: digest => service.artifact(id, digest), rendermime: strangers, trans });
      const widget = new MainAreaWidget({ content });
      widget.id = `stepwell-run-${id}`;
      widget.title.closable = true;
      widget.toolbar.hide();
      return widget;
    };

    commands.addCommand(command, {
      label: trans.__('Open Pipeline Run'),
      caption: trans.__('Graph, timeline, log, outputs, artifacts and metrics of the run'),
      isEnabled: ({ run }) => typeof run === 'string' || shownRun() !== undefined,
      execute: async ({ run, step }) => {
        const id = typeof run === 'string' ? run : shownRun();
        if (id === undefined) return undefined;
        let widget = tracker.find(({ content }) => content.run === id);
        if (!widget) {
          widget = open(id);
          await tracker.add(widget);
          // Notebook 7's main area has its notebook and nothing else.
          shell.add(widget, labShell ? 'main' : 'down', { type: 'Run' });
        }
        if (typeof step === 'string') widget.content.look(step, 'log');
        shell.activateById(widget.id);
        return widget;
      },
    });
    palette?.addItem({ command, category: trans.__('Stepwell') });
    void restorer?.restore(tracker, {
      command,
      args: ({ content }) => ({ run: content.run }),
      name: ({ content }) => content.run,
    });
  },
};
