/** A problem is seen before the run, where it is, and goes with one click. */
import { notebook, step } from '../notebook.ts';
import { expect, test } from '../test.ts';

test('see a problem and fix it', async ({ lab, page }) => {
  await lab.open(
    'problem.ipynb',
    notebook([step('load', 'rows = [1, 2]'), step('count', 'n = len(rows)\nprint(n)')], {
      stepwell: { version: 1, steps: { count: { inputs: [] } } },
    }),
  );
  const pipeline = await lab.panel('Pipeline');
  const problem = pipeline.getByRole('listitem').filter({ hasText: '"rows"' });
  await expect(problem).toBeVisible();
  await expect(lab.underlined(1)).toHaveText('rows');

  await problem.getByRole('button', { name: 'What does this mean?' }).click();
  await expect(lab.dialog).toContainText('"rows"');
  await lab.dialog.getByRole('button', { name: 'Close' }).click();

  await lab.underlined(1).hover();
  await page.locator('.cm-tooltip').getByRole('button').first().click();
  await expect(lab.underlined(1)).toHaveCount(0);
  await expect(problem).toHaveCount(0);
  await lab.run();
  await lab.expectCell(1, 'succeeded');
});

test('a notebook with an error is not started, and says where it is', async ({ lab }) => {
  await lab.open('broken.ipynb', notebook([step('load', 'rows = [1, 2'), step('count', 'print(len(rows))')]));
  await lab.select(1);
  await lab.run();
  await expect(lab.dialog).toContainText('The notebook cannot run yet');
  await lab.dialog.getByRole('button', { name: 'Go to cell 1' }).click();
  await expect(lab.dialog).toHaveCount(0);
  await expect(lab.cell(0)).toHaveClass(/jp-mod-active/);
  await expect(lab.badge(0)).toHaveCount(0);
});

test('a notebook that was opened before it had steps is left alone', async ({ lab }) => {
  await lab.open('plain.ipynb', notebook([{ code: 'a = undefined_name' }, { code: 'b = [1, 2' }]));
  const pipeline = await lab.panel('Pipeline');
  await expect(pipeline).toContainText('no steps yet');
  await expect(lab.underlined(0)).toHaveCount(0);
  await expect(lab.chips).toHaveCount(0);
});
