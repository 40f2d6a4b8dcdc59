/** The whole job without a mouse. */
import { notebook } from '../notebook.ts';
import { expect, test } from '../test.ts';

test('tag, run and look at a run by keyboard alone', async ({ lab, page }) => {
  await lab.open('keys.ipynb', notebook([{ code: 'rows = [1, 2]' }, { code: 'print(len(rows))' }]));
  await lab.cell(0).focus();
  await page.keyboard.press('Escape');
  await page.keyboard.press('Alt+Shift+S');
  await lab.nameStep('load');
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Alt+Shift+S');
  await lab.nameStep('count');
  await expect(lab.chip('count').getByRole('note')).toHaveAccessibleName('takes rows, gives nothing');

  await page.keyboard.press('ControlOrMeta+Alt+Enter');
  await lab.expectCell(1, 'succeeded');
  // A cell's badge, and the menu on it.
  await lab.tabTo(lab.badge(1));
  await page.keyboard.press('Enter');
  await expect(page.getByRole('menuitem', { name: /Bring outputs/i })).toBeVisible();
  await page.keyboard.press('Escape');

  await page.keyboard.press('Alt+Shift+P');
  const panel = page.getByRole('region', { name: 'Stepwell' });
  await lab.tabTo(panel.getByRole('button', { name: 'List' }));
  await page.keyboard.press('Enter');
  await lab.tabTo(panel.getByRole('option', { name: /^count/ }));
  await page.keyboard.press('ArrowUp');
  await expect(panel.getByRole('option', { name: /^load/ })).toBeFocused();

  await lab.choose('Show Pipeline Runs');
  await lab.tabTo(panel.getByRole('listbox', { name: /^Runs/ }));
  await page.keyboard.press('Enter');
  await expect(lab.runView).toContainText('succeeded');
  await lab.tabTo(lab.runView.getByRole('tab', { name: 'Timeline' }));
  await page.keyboard.press('ArrowRight');
  await expect(lab.runView.getByRole('tabpanel', { name: 'Log' })).toContainText('Cell 1 done');
});
