/** The commands that tag cells. They work on the selected code cells of the notebook in front, and write through its shared model. */
import type { ISharedNotebook } from '@jupyter/ydoc';
import { Notification } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { CommandRegistry } from '@lumino/commands';
import { isStepName, readTags } from '../../pipeline/compile/1-read/tags';
import { stepIcon } from '../icons';
import { asOne, renameStep, setTags, tagsOf } from '../notebook/writing';
import type { INotebookPipeline, INotebookPipelines } from '../tokens';
import { askForStep } from './ask';
import { inStep, marked, splitStep, type WordRole, withoutPlace } from './tags';

export const commandIds = {
  put: 'stepwell:put-in-step',
  remove: 'stepwell:remove-from-step',
  mark: 'stepwell:mark-cells',
  rename: 'stepwell:rename-step',
  merge: 'stepwell:merge-steps',
  split: 'stepwell:split-step',
} as const;

export const wordRoles: readonly WordRole[] = ['parameters', 'imports', 'functions', 'skip'];

/** What the commands work on: the notebook as it is now, and its selected code cells. */
interface Selection {
  notebook: INotebookPipeline;
  shared: ISharedNotebook;
  cells: string[];
  active: string | undefined;
  steps: string[];
}

export function addCommands(commands: CommandRegistry, pipelines: INotebookPipelines, trans: TranslationBundle): void {
  const writable = (): boolean => pipelines.current !== null && !pipelines.current.readOnly;
  const active = () => {
    const id = pipelines.current?.panel.content.activeCell?.model.id;
    return id === undefined ? undefined : pipelines.current?.placeOf(id);
  };
  const inSomeStep = (): boolean => writable() && active()?.step !== undefined;
  const selection = (): Selection | undefined => {
    const notebook = pipelines.current;
    const shared = notebook?.panel.content.model?.sharedModel;
    if (!notebook || !shared || notebook.readOnly) return undefined;
    notebook.refresh();
    const { content } = notebook.panel;
    const cells = content.widgets
      .filter(cell => content.isSelectedOrActive(cell) && cell.model.type === 'code')
      .map(({ model }) => model.id);
    if (cells.length === 0) {
      Notification.info(trans.__('Select code cells first: text cells belong to no step.'), { autoClose: 4000 });
      return undefined;
    }
    return { notebook, shared, cells, active: content.activeCell?.model.id, steps: notebook.pipeline?.steps.map(({ name }) => name) ?? [] };
  };
  /** Changes the tags of each selected cell. */
  const retag = ({ notebook, shared, cells }: Selection, change: (tags: string[]) => string[]): void => {
    const chosen = shared.cells.filter(({ id }) => cells.includes(id));
    setTags(shared, new Map(chosen.map(cell => [cell.id, change(tagsOf(cell))])));
    notebook.refresh();
  };

  commands.addCommand(commandIds.put, {
    label: trans.__('Put in Step…'),
    caption: trans.__('Put the selected cells in a step of the pipeline'),
    icon: stepIcon,
    isEnabled: writable,
    describedBy: { args: { type: 'object', properties: { step: { type: 'string' } } } },
    execute: async args => {
      const selected = selection();
      if (!selected) return;
      const { notebook, cells, steps } = selected;
      const place = cells.map(id => notebook.placeOf(id)?.step).find(step => step !== undefined);
      const title = trans._n('Put the cell in a step', 'Put %1 cells in a step', cells.length);
      const given = typeof args.step === 'string' && isStepName(args.step) ? args.step : undefined;
      const step = given ?? (await askForStep({ title, steps, value: place ?? '', existing: true }, trans));
      if (step !== undefined) retag(selected, tags => inStep(tags, step));
      notebook.panel.content.activate();
    },
  });

  commands.addCommand(commandIds.remove, {
    label: trans.__('Remove from Step'),
    caption: trans.__('Take the tag off the selected cells; a cell without a tag joins the step above it'),
    isEnabled: writable,
    execute: () => {
      const selected = selection();
      if (selected) retag(selected, withoutPlace);
    },
  });

  const roleLabels: Record<WordRole, string> = {
    parameters: trans.__('Mark as Parameters'),
    imports: trans.__('Mark as Imports, Run Before Every Step'),
    functions: trans.__('Mark as Functions, Run Before Every Step'),
    skip: trans.__('Leave out of the Pipeline'),
  };
  commands.addCommand(commandIds.mark, {
    label: args => roleLabels[args.role as WordRole] ?? trans.__('Mark Cells'),
    caption: trans.__('Say what the selected cells are to the pipeline'),
    isEnabled: writable,
    isToggleable: true,
    isToggled: args => active()?.role === args.role,
    describedBy: { args: { type: 'object', properties: { role: { type: 'string', enum: [...wordRoles] } } } },
    execute: args => {
      const role = args.role as WordRole;
      const selected = wordRoles.includes(role) ? selection() : undefined;
      if (selected) retag(selected, tags => marked(tags, role));
    },
  });

  commands.addCommand(commandIds.rename, {
    label: trans.__('Rename Step…'),
    caption: trans.__('Give the step of the active cell another name, in all its cells and settings'),
    isEnabled: inSomeStep,
    execute: async () => {
      const selected = selection();
      const step = selected && taggedStep(selected, selected.active);
      if (!selected || step === undefined) return;
      const others = selected.steps.filter(name => name !== step);
      const name = await askForStep({ title: trans.__('Rename the step "%1"', step), steps: others, value: step, existing: false }, trans);
      if (name !== undefined && name !== step) rename(selected, [step], name);
    },
  });

  commands.addCommand(commandIds.merge, {
    label: trans.__('Merge Steps'),
    caption: trans.__('Make one step of the steps of the selected cells, or of this step and the one above it'),
    isEnabled: inSomeStep,
    execute: () => {
      const selected = selection();
      if (!selected) return;
      const { cells, steps } = selected;
      const chosen = new Set(cells.map(id => taggedStep(selected, id)));
      const [first, ...others] = steps.filter(step => chosen.has(step));
      if (first === undefined) return;
      const above = steps[steps.indexOf(first) - 1];
      if (others.length > 0) rename(selected, others, first);
      else if (above !== undefined) rename(selected, [first], above);
      else Notification.info(trans.__('"%1" is the first step: there is none above it to merge with.', first), { autoClose: 4000 });
    },
  });

  commands.addCommand(commandIds.split, {
    label: trans.__('Split Step Here…'),
    caption: trans.__('Make a new step of the cells from the active one on'),
    isEnabled: () => inSomeStep() && active()?.first === false,
    execute: async () => {
      const selected = selection();
      const step = active()?.step;
      if (!selected || step === undefined || selected.active === undefined) return;
      const { notebook, shared, steps } = selected;
      const members = notebook.pipeline!.steps.find(({ name }) => name === step)!.cells.map(({ cell }) => notebook.cells[cell]!);
      const name = await askForStep(
        { title: trans.__('Split the step "%1": name of the second part', step), steps, value: freeName(step, steps), existing: false },
        trans,
      );
      if (name === undefined) return;
      splitStep(shared, step, members, selected.active, name);
      notebook.refresh();
    },
  });
}

function rename({ notebook, shared }: Selection, from: readonly string[], to: string): void {
  asOne(shared, () => {
    for (const step of from) renameStep(shared, step, to);
  });
  notebook.refresh();
}

/** The name in the tags: a step that is taken up again further down runs under a name of its own, which no tag says. */
function taggedStep({ notebook, shared }: Selection, id: string | undefined): string | undefined {
  const cell = shared.cells.find(cell => cell.id === id);
  return cell && (readTags(tagsOf(cell)).step ?? notebook.placeOf(cell.id)?.step);
}

/** `train` → `train-2`, or the next that is free. */
function freeName(step: string, taken: readonly string[]): string {
  const stem = step.replace(/-\d+$/, '').slice(0, 58);
  for (let count = 2; ; count++) if (!taken.includes(`${stem}-${count}`)) return `${stem}-${count}`;
}
