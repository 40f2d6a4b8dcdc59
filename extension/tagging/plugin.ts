/** Tagging: the commands, and where people find them besides the menus and toolbars of `schema/tagging.json`. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { INotebookPipelines } from '../tokens';
import { addCommands, commandIds, wordRoles } from './commands';

export const taggingPlugin: JupyterFrontEndPlugin<void> = {
  id: 'stepwell:tagging',
  description: 'Puts cells in steps.',
  autoStart: true,
  requires: [INotebookPipelines],
  optional: [ICommandPalette, ITranslator],
  activate: (
    { commands }: JupyterFrontEnd,
    pipelines: INotebookPipelines,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
  ): void => {
    addCommands(commands, pipelines, (translator ?? nullTranslator).load('stepwell'));
    const category = 'Stepwell';
    for (const command of Object.values(commandIds)) {
      if (command !== commandIds.mark) palette?.addItem({ command, category });
    }
    for (const role of wordRoles) palette?.addItem({ command: commandIds.mark, args: { role }, category });

    // What can be done depends on the cell that is active.
    const changed = () => {
      for (const command of Object.values(commandIds)) commands.notifyCommandChanged(command);
    };
    let followed = pipelines.current;
    const follow = () => {
      followed?.changed.disconnect(changed);
      followed?.panel.content.activeCellChanged.disconnect(changed);
      followed = pipelines.current;
      followed?.changed.connect(changed);
      followed?.panel.content.activeCellChanged.connect(changed);
      changed();
    };
    pipelines.currentChanged.connect(follow);
    follow();
  },
};
