/** A notebook without tags gets steps: proposed, looked at, written, and taken back. */
import { notebook } from '../notebook.ts';
import { expect, test } from '../test.ts';

test('suggest steps on an untagged notebook', async ({ lab, page }) => {
  await lab.open(
    'untagged.ipynb',
    notebook([
      { markdown: '# Load' },
      { code: 'rows = list(range(5))' },
      { markdown: '# Count' },
      { code: 'n = len(rows)' },
      { markdown: '# Report' },
      { code: 'print(n)' },
    ]),
  );
  const pipeline = await lab.panel('Pipeline');
  await expect(lab.chips).toHaveCount(0);
  await pipeline.getByRole('button', { name: 'Suggest Steps…' }).click();
  await expect(lab.dialog).toContainText('count');
  await expect(lab.dialog).toContainText('uses rows');
  await lab.dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(lab.chips).toHaveCount(0);

  await pipeline.getByRole('button', { name: 'Suggest Steps…' }).click();
  await lab.dialog.getByRole('button', { name: 'Write tags' }).click();
  await expect(lab.chip('count').getByRole('note')).toHaveAccessibleName('takes rows, gives n');
  await lab.run();
  await lab.expectCell(5, 'succeeded');

  await lab.select(1);
  await page.keyboard.press('z');
  await expect(lab.chips).toHaveCount(0);
});

test("Kale's tags are read, and converted", async ({ lab, page }) => {
  await lab.open(
    'kale.ipynb',
    notebook([
      { code: 'rows = [1]', tags: ['block:load'] },
      { code: 'print(rows)', tags: ['block:say', 'prev:load'] },
    ]),
  );
  await expect(lab.chip('say').getByRole('note')).toHaveAccessibleName('takes rows, gives nothing');
  await (await lab.panel('Pipeline')).getByRole('button', { name: "Convert Kale's Tags…" }).click();
  await lab.dialog.getByRole('button', { name: 'Write tags' }).click();
  await page.notebook.save();
  const saved = JSON.stringify(lab.read('kale.ipynb'));
  expect(saved).toContain('step:say');
  expect(saved).not.toContain('block:');
});
