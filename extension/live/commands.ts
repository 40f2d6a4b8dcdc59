/** What people do with the run of a notebook, as commands: for the toolbar, the palette, shortcuts, and the menu on a cell's badge. */
import { Notification } from '@jupyterlab/apputils';
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { listIcon, refreshIcon, stopIcon } from '@jupyterlab/ui-components';
import type { CommandRegistry } from '@lumino/commands';
import { hasEnded } from '../runs/changes';
import type { Launcher } from '../runs/launch';
import { sentence } from '../service/fault';
import type { INotebookPipelines, IRunModel, IRuns, IService } from '../tokens';
import { bringOutputs } from './bring';
import { runPipelineIcon } from './icons';

export const CommandIds = {
  run: 'stepwell:run-notebook',
  runWith: 'stepwell:run-with-options',
  runFrom: 'stepwell:run-from-step',
  runAgain: 'stepwell:run-again',
  stop: 'stepwell:stop-run',
  resume: 'stepwell:resume-run',
  bring: 'stepwell:bring-outputs',
  hide: 'stepwell:hide-run',
  /** Of the run tab: `{run?, step?}`; without them, the run that the notebook shows. */
  open: 'stepwell:open-run',
} as const;

export interface CommandsOptions {
  commands: CommandRegistry;
  tracker: INotebookTracker;
  runs: IRuns;
  service: IService;
  pipelines: INotebookPipelines;
  launcher: Launcher;
  trans: TranslationBundle;
}

export function addCommands({ commands, tracker, runs, service, pipelines, launcher, trans }: CommandsOptions): void {
  const panel = (): NotebookPanel | null => tracker.currentWidget;
  const shown = (): IRunModel | null => (panel() ? runs.shownIn(panel()!) : null);
  const going = (): boolean => shown()?.detail !== undefined && !hasEnded(shown()!.detail!.status);
  const ended = (): boolean => shown()?.detail !== undefined && hasEnded(shown()!.detail!.status);
  const stepOfActiveCell = (): string | undefined => {
    const cell = panel()?.content.activeCell;
    return cell ? pipelines.of(panel()!).placeOf(cell.model.id)?.step : undefined;
  };
  const tell = (what: string) => (error: unknown) => {
    Notification.error(`${what} ${sentence(error)}`, { autoClose: 8000 });
  };

  commands.addCommand(CommandIds.run, {
    label: trans.__('Run as Pipeline'),
    caption: trans.__('Run the notebook as a pipeline, as it is in the editor'),
    icon: runPipelineIcon,
    isEnabled: () => panel() !== null,
    execute: () => panel() && launcher.launch(panel()!),
  });
  commands.addCommand(CommandIds.runWith, {
    label: trans.__('Run with Options…'),
    caption: trans.__('Run the notebook as a pipeline: with other parameters, in an experiment, without earlier results'),
    isEnabled: () => panel() !== null,
    execute: () => panel() && launcher.launch(panel()!, { ask: true }),
  });
  commands.addCommand(CommandIds.runFrom, {
    label: ({ step }) =>
      typeof step === 'string' ? trans.__('Continue from Step %1', step) : trans.__('Continue from the Step of This Cell'),
    caption: trans.__('Run this step and those below anew; those above are taken from the last run'),
    icon: runPipelineIcon,
    isEnabled: ({ step }) => panel() !== null && !going() && (typeof step === 'string' || stepOfActiveCell() !== undefined),
    execute: ({ step }) => {
      const from = typeof step === 'string' ? step : stepOfActiveCell();
      return panel() && from && launcher.launch(panel()!, { from, again: shown() ?? undefined });
    },
  });
  commands.addCommand(CommandIds.runAgain, {
    label: trans.__('Run Again'),
    caption: trans.__('Run the notebook as it is now with the same parameters, every step anew'),
    icon: refreshIcon,
    isEnabled: ended,
    execute: () => panel() && launcher.launch(panel()!, { again: shown() ?? undefined }),
  });
  commands.addCommand(CommandIds.stop, {
    label: trans.__('Stop Pipeline Run'),
    icon: stopIcon,
    isEnabled: going,
    execute: () =>
      shown()
        ?.cancel()
        .catch(tell(trans.__('The run was not stopped.'))),
  });
  commands.addCommand(CommandIds.resume, {
    label: trans.__('Resume Pipeline Run'),
    caption: trans.__('Go on with the run as it was started, from where it stopped'),
    isEnabled: () => ended() && shown()!.detail!.status !== 'succeeded',
    execute: () =>
      shown()
        ?.resume()
        .catch(tell(trans.__('The run was not resumed.'))),
  });
  commands.addCommand(CommandIds.bring, {
    label: trans.__('Bring Outputs into the Notebook'),
    caption: trans.__('Fill the outputs of the run into the cells that it ran, where they are as they ran'),
    icon: listIcon,
    isEnabled: ended,
    execute: async () => {
      if (!panel() || !shown()) return;
      try {
        const { cells, left } = await bring(panel()!, shown()!, service);
        const words = trans._n('The outputs of %1 cell are in the notebook.', 'The outputs of %1 cells are in the notebook.', cells);
        const rest =
          left > 0
            ? ` ${trans._n('%1 cell was left out: its code was changed since.', '%1 cells were left out: their code was changed since.', left)}`
            : '';
        Notification.info(words + rest, { autoClose: 5000 });
      } catch (error) {
        tell(trans.__('The outputs could not be had.'))(error);
      }
    },
  });
  commands.addCommand(CommandIds.hide, {
    label: trans.__('Hide Marks of the Run'),
    caption: trans.__('Take badges and tracebacks off the cells, until the next run'),
    isEnabled: () => shown() !== null,
    execute: () => panel() && runs.show(panel()!, null),
  });
}

export async function bring(panel: NotebookPanel, run: IRunModel, service: IService): Promise<ReturnType<typeof bringOutputs>> {
  const executed = await service.executed(run.id);
  const { model } = panel.content;
  return model ? bringOutputs(model.sharedModel, executed, run.cells.values()) : { cells: 0, left: 0 };
}
