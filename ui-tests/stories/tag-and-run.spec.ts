/** The main job: cells become steps, the pipeline shows what they take and give, a press on Run, and the answer is there. */
import { notebook, step } from '../notebook.ts';
import { expect, test } from '../test.ts';

test('tag cells, see inputs and outputs, run, and read the answer', async ({ lab }) => {
  await lab.open(
    'totals.ipynb',
    notebook([{ code: 'numbers = list(range(10))' }, { code: 'total = sum(numbers)' }, { code: "print('The total is', total)" }]),
  );
  await lab.tag('load', 0);
  await lab.tag('add', 1);
  await lab.tag('say', 2);
  await expect(lab.chip('add').getByRole('note')).toHaveAccessibleName('takes numbers, gives total');
  const pipeline = await lab.panel('Pipeline');
  await expect(pipeline).toContainText('3 steps');
  for (const name of ['load', 'add', 'say'])
    await expect(pipeline.getByRole('group', { name: new RegExp(`^Step ${name},`) })).toBeVisible();

  await lab.run();
  for (const cell of [0, 1, 2]) await lab.expectCell(cell, 'succeeded');
  await lab.expectRun('succeeded');

  await lab.bringOutputs();
  await expect(lab.output(2)).toHaveText('The total is 45');
});

test('several cells become one step, and undo takes it back', async ({ lab, page }) => {
  await lab.open('several.ipynb', notebook([{ code: 'a = 1' }, { code: 'b = a + 1' }, { code: 'print(b)' }]));
  await lab.tag('count', 0, 1);
  await expect(lab.chip('count')).toBeVisible();
  await lab.tag('say', 2);
  await expect(lab.chip('say').getByRole('note')).toHaveAccessibleName('takes b, gives nothing');

  await lab.select(0);
  await page.keyboard.press('z');
  await expect(lab.chip('say')).toHaveCount(0);
  await page.keyboard.press('z');
  await expect(lab.chips).toHaveCount(0);
});

test('a step is renamed, split and merged', async ({ lab, page }) => {
  await lab.open('reshape.ipynb', notebook([step('one', 'a = 1'), step('one', 'b = a'), step('two', 'print(b)')], settings()));
  await expect(lab.chip('one')).toBeVisible();
  await lab.select(0);
  await lab.choose('Rename Step…');
  await lab.nameStep('load');
  await expect(lab.chip('load')).toBeVisible();
  await lab.select(1);
  await lab.choose('Split Step Here…');
  await lab.nameStep('derive');
  await expect(lab.chip('derive').getByRole('note')).toHaveAccessibleName('takes a, gives b');
  await lab.select(1, 2);
  await lab.choose('Merge Steps');
  await expect(lab.chip('two')).toHaveCount(0);
  await page.notebook.save();
  const saved = lab.read('reshape.ipynb');
  expect(saved.cells.map(cell => cell.metadata.tags)).toEqual([['step:load'], ['step:derive'], ['step:derive']]);
  expect(saved.metadata.stepwell).toMatchObject({ steps: { load: { retries: 2 } } });

  function settings() {
    return { stepwell: { version: 1, steps: { one: { retries: 2 }, two: { after: ['one'] } } } };
  }
});

test('unsaved changes run too', async ({ lab }) => {
  await lab.open('unsaved.ipynb', notebook([step('say', 'print(1 + 1)')]));
  await lab.type(0, 'print(40 + 2)');
  await lab.run();
  await lab.expectRun('succeeded');
  await lab.bringOutputs();
  await expect(lab.output(0)).toHaveText('42');
  expect(JSON.stringify(lab.read('unsaved.ipynb'))).toContain('1 + 1');
});

test('parameters are asked for, with their defaults', async ({ lab }) => {
  await lab.open(
    'parameters.ipynb',
    notebook([{ code: "times: int = 3\nword: str = 'well'", tags: ['parameters'] }, step('say', 'print(word * times)')]),
  );
  await lab.run();
  const times = lab.dialog.getByRole('textbox', { name: /^times/ });
  await expect(times).toHaveValue('3');
  await times.fill('two');
  await expect(lab.dialog.getByRole('alert')).toBeVisible();
  await times.fill('2');
  await lab.dialog.getByRole('button', { name: 'Run', exact: true }).click();
  await lab.expectRun('succeeded');
  await lab.bringOutputs();
  await expect(lab.output(1)).toHaveText('wellwell');
});

test('an edited cell says that its state is of an earlier text', async ({ lab }) => {
  await lab.open('stale.ipynb', notebook([step('say', 'print(1)')]));
  await lab.run();
  await lab.expectCell(0, 'succeeded');
  await lab.type(0, 'print(2)');
  await lab.expectCell(0, /chang|edit/);
});
