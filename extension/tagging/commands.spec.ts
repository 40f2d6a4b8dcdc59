import { YNotebook } from '@jupyter/ydoc';
import { nullTranslator } from '@jupyterlab/translation';
import { CommandRegistry } from '@lumino/commands';
import { LiveNotebook } from '../notebook/live';
import { tagsOf } from '../notebook/writing';
import type { INotebookPipelines } from '../tokens';
import { addCommands, commandIds } from './commands';

/** A notebook in front with these cells selected; the last of them is active. */
function front(cells: [string, ...string[]][], selected: number[], readOnly = false) {
  const shared = YNotebook.create();
  shared.insertCells(
    0,
    cells.map(([source, ...tags], index) => ({
      id: `c${index}`,
      cell_type: source.startsWith('#') ? 'markdown' : 'code',
      source,
      metadata: tags.length > 0 ? { tags } : {},
    })),
  );
  const live = new LiveNotebook(shared, () => 'demo', { delay: 40, atLatest: 400 });
  const widgets = shared.cells.map(({ id, cell_type: type }) => ({ model: { id, type } }));
  const content = {
    widgets,
    activeCell: widgets[selected.at(-1)!],
    isSelectedOrActive: (widget: (typeof widgets)[number]) => selected.includes(widgets.indexOf(widget)),
    activate: () => {},
    model: { sharedModel: shared },
  };
  const current = {
    panel: { content },
    readOnly,
    get pipeline() {
      return live.compiled.pipeline;
    },
    get cells() {
      return live.cells.map(({ id }) => id!);
    },
    placeOf: (id: string) => live.placeOf(id),
    refresh: () => live.refresh(),
  };
  const commands = new CommandRegistry();
  addCommands(commands, { current } as unknown as INotebookPipelines, nullTranslator.load('stepwell'));
  return { commands, shared, tags: () => shared.cells.map(tagsOf) };
}
const answer = async (text: string) => {
  await new Promise(resolve => setTimeout(resolve));
  const dialog = document.querySelector('.jp-Dialog')!;
  const input = dialog.querySelector('input')!;
  const offered = input.value;
  input.value = text;
  input.dispatchEvent(new Event('input'));
  dialog.querySelector<HTMLElement>('.jp-mod-accept')!.click();
  return offered;
};

it('puts all selected code cells in a step, and text cells in none', async () => {
  const { commands, tags } = front([['a = 1', 'mine'], ['# text'], ['b = 1', 'step:old'], ['c = 1']], [0, 1, 2]);
  await commands.execute(commandIds.put, { step: 'load' });
  expect(tags()).toEqual([['mine', 'step:load'], [], ['step:load'], []]);
});

it('asks for the step, and offers the one that the cell is in', async () => {
  const { commands, tags } = front([['a = 1', 'step:load'], ['b = 1']], [1]);
  const done = commands.execute(commandIds.put);
  expect(await answer('train')).toBe('load');
  await done;
  expect(tags()).toEqual([['step:load'], ['step:train']]);
});

it('takes the tag off', async () => {
  const { commands, tags } = front(
    [
      ['a = 1', 'mine', 'step:load'],
      ['b = 1', 'skip'],
    ],
    [0, 1],
  );
  await commands.execute(commandIds.remove);
  expect(tags()).toEqual([['mine'], []]);
});

it('marks cells, shows that they are, and takes the mark off', async () => {
  const { commands, tags } = front(
    [
      ['import os', 'step:a'],
      ['b = 1', 'step:a'],
    ],
    [0],
  );
  await commands.execute(commandIds.mark, { role: 'imports' });
  expect(tags()[0]).toEqual(['imports']);
  expect(commands.isToggled(commandIds.mark, { role: 'imports' })).toBe(true);
  expect(commands.isToggled(commandIds.mark, { role: 'skip' })).toBe(false);
  await commands.execute(commandIds.mark, { role: 'imports' });
  expect(tags()[0]).toEqual([]);
});

it('knows no roles but ours', async () => {
  const { commands, tags } = front([['a = 1', 'step:a']], [0]);
  await commands.execute(commandIds.mark, { role: 'anything' });
  expect(tags()).toEqual([['step:a']]);
});

it('renames a step in all its cells', async () => {
  const { commands, tags, shared } = front(
    [
      ['a = 1', 'step:load'],
      ['b = 1', 'step:load'],
      ['c = a', 'step:use'],
    ],
    [0],
  );
  shared.setMetadata('stepwell', { steps: { use: { after: ['load'] } } });
  const done = commands.execute(commandIds.rename);
  expect(await answer('read')).toBe('load');
  await done;
  expect(tags()).toEqual([['step:read'], ['step:read'], ['step:use']]);
  expect(shared.getMetadata('stepwell')).toEqual({ steps: { use: { after: ['read'] } } });
});

it('merges a step with the one above it', async () => {
  const { commands, tags } = front(
    [
      ['a = 1', 'step:a'],
      ['b = 1', 'step:b'],
      ['c = 1', 'step:c'],
    ],
    [1],
  );
  await commands.execute(commandIds.merge);
  expect(tags()).toEqual([['step:a'], ['step:a'], ['step:c']]);
});

it('merges the steps of the selected cells', async () => {
  const { commands, tags } = front(
    [
      ['a = 1', 'step:a'],
      ['b = 1', 'step:b'],
      ['c = 1', 'step:c'],
    ],
    [0, 1, 2],
  );
  await commands.execute(commandIds.merge);
  expect(tags()).toEqual([['step:a'], ['step:a'], ['step:a']]);
});

it('splits a step at the active cell', async () => {
  const { commands, tags } = front([['a = 1', 'step:a'], ['b = 1'], ['c = 1', 'step:a']], [1]);
  const done = commands.execute(commandIds.split);
  expect(await answer('rest')).toBe('a-2');
  await done;
  expect(tags()).toEqual([['step:a'], ['step:rest'], ['step:rest']]);
});

it('can be used where there is something to do', () => {
  const { commands } = front([['a = 1', 'step:a'], ['b = 1']], [0]);
  expect(commands.isEnabled(commandIds.split)).toBe(false);
  expect(commands.isEnabled(commandIds.rename)).toBe(true);
});

it('writes nothing to a notebook that was opened read-only', async () => {
  const { commands, tags } = front([['a = 1', 'step:a']], [0], true);
  for (const command of Object.values(commandIds)) expect(commands.isEnabled(command)).toBe(false);
  expect(tags()).toEqual([['step:a']]);
});
