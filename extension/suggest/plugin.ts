/** Proposes steps for a notebook that has none, and rewrites Kale's tags as ours: shown first, written when people say so. */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';
import { type CellProposal, convertKaleTags, suggest } from '../../pipeline/compile';
import { setTags } from '../notebook/writing';
import { type INotebookPipeline, INotebookPipelines } from '../tokens';
import { askForProposal } from './dialog';
import { preview } from './preview';

export const commands = { suggest: 'stepwell:suggest-steps', convert: 'stepwell:convert-kale-tags' } as const;

export const suggestions: JupyterFrontEndPlugin<void> = {
  id: 'stepwell:suggestions',
  description: 'Proposes steps, and converts tags of Kale.',
  autoStart: true,
  requires: [INotebookPipelines],
  optional: [ICommandPalette, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    pipelines: INotebookPipelines,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
  ): void => {
    const trans = (translator ?? nullTranslator).load('stepwell');
    const editable = () => pipelines.current !== null && pipelines.current.panel.content.model?.readOnly === false;

    const propose = async (title: string, intro: string, none: string, proposalsOf: (notebook: unknown) => CellProposal[]) => {
      const notebook = pipelines.current;
      if (!notebook) return;
      const snapshot = notebook.snapshot();
      const proposals = proposalsOf(snapshot);
      if (proposals.length === 0) {
        Notification.info(none, { autoClose: 5000 });
        return;
      }
      const ids = snapshot.cells.map(({ id }) => id);
      if (!(await askForProposal(title, intro, preview(snapshot, proposals), trans))) return;
      write(notebook, proposals, ids);
    };

    app.commands.addCommand(commands.suggest, {
      label: trans.__('Suggest Steps…'),
      caption: trans.__('Propose steps from the headings of the notebook and from what its cells use'),
      isEnabled: editable,
      execute: () =>
        propose(
          trans.__('Suggested steps'),
          trans.__('Cells that are tagged already keep their tags. Nothing is written before you say so.'),
          trans.__('Every code cell of this notebook has its place already.'),
          suggest,
        ),
    });
    app.commands.addCommand(commands.convert, {
      label: trans.__("Convert Kale's Tags…"),
      caption: trans.__("Write the tags of a notebook made for Kale in Stepwell's words"),
      isEnabled: editable,
      execute: () =>
        propose(
          trans.__("Kale's tags in Stepwell's words"),
          trans.__("Kale's notebooks run as they are; converted, they can be edited here. Nothing is written before you say so."),
          trans.__('There are no tags of Kale to convert in this notebook.'),
          convertKaleTags,
        ),
    });
    for (const command of Object.values(commands)) palette?.addItem({ command, category: 'Stepwell' });
  },
};

function write(notebook: INotebookPipeline, proposals: readonly CellProposal[], ids: readonly (string | undefined)[]): void {
  const shared = notebook.panel.content.model?.sharedModel;
  if (!shared) return;
  const tags = proposals.flatMap(({ cell, tags }): [string, string[]][] => (ids[cell] === undefined ? [] : [[ids[cell], tags]]));
  setTags(shared, new Map(tags));
}
