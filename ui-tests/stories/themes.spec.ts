/** Light and dark, and for those who read the screen another way: axe finds nothing serious in what is ours. */
import AxeBuilder from '@axe-core/playwright';
import type { Page } from '@playwright/test';
import { notebook, step } from '../notebook.ts';
import { expect, test } from '../test.ts';

const example = notebook(
  [
    { code: 'times: int = 3', tags: ['parameters'] },
    step('load', 'rows = list(range(times))'),
    step('sum', 'total = sum(rows)\nprint(total)'),
    { code: 'total += missing if False else 0' },
    step('fail', 'total / 0'),
  ],
  { stepwell: { version: 1, steps: { sum: { inputs: ['rows'], retries: 1 } } } },
);

for (const theme of ['light', 'dark'] as const) {
  test(`everything can be read in the ${theme} theme`, async ({ lab, page }) => {
    test.setTimeout(240_000);
    if (theme === 'dark') await page.theme.setDarkTheme();
    await lab.open('colours.ipynb', example);
    const pipeline = await lab.panel('Pipeline');
    await lab.select(2);
    await expect(pipeline.getByRole('region', { name: 'Settings of the step sum' })).toBeVisible();
    await check(page, 'the pipeline as a graph');
    await pipeline.getByRole('button', { name: 'List' }).click();
    await check(page, 'the pipeline as a list');

    await lab.run();
    await check(page, 'the form of the parameters');
    await lab.dialog.getByRole('button', { name: 'Run', exact: true }).click();
    await lab.expectCell(4, 'failed');
    await expect(lab.cell(4).getByRole('group', { name: /^Why/ })).toBeVisible();
    await check(page, 'the notebook after a failure');

    await lab.panel('Runs');
    await check(page, 'the list of runs');
    await lab.openRun();
    for (const section of ['Timeline', 'Log', 'Outputs', 'Artifacts', 'Metrics'] as const) {
      await lab.section(section);
      await check(page, `${section} of the run`);
    }
  });
}

/** Serious and critical findings of axe in elements of ours; the editors in cells are JupyterLab's. */
async function check(page: unknown, where: string): Promise<void> {
  const { violations } = await new AxeBuilder({ page: page as Page }).include('[class*="stepwell"]').exclude('.jp-Editor').analyze();
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  const said = serious.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`));
  expect.soft(said, `axe on ${where}`).toEqual([]);
}
