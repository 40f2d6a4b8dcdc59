/** The service goes away and comes back: what needs it says so, what does not goes on, and nothing is lost. */
import { notebook, step } from '../notebook.ts';
import { Road } from '../road.ts';
import { expect, test } from '../test.ts';

test.describe('the way to the service is blocked', () => {
  test.use({ autoGoto: false });

  test('lose the connection, go on tagging, and come back', async ({ lab, page }) => {
    const road = await Road.of(page);
    await page.goto(`tree/${lab.folder}?reset`);
    const gate = lab.gate();
    await lab.open('road.ipynb', notebook([step('wait', gate.code), step('say', "print('done')"), { code: 'x = 1' }]));
    await lab.run();
    await lab.expectCell(0, 'running');

    const runs = await lab.panel('Runs');
    await expect(runs.getByRole('option', { name: /road/ })).toHaveAccessibleName(/running/);

    await road.block();
    await expect(lab.unreachable).toBeVisible();
    await expect(runs).toContainText('not reachable');
    // What it has shown stays.
    await expect(runs.getByRole('option', { name: /road/ })).toBeVisible();
    await lab.tag('more', 2);
    const pipeline = await lab.panel('Pipeline');
    await expect(pipeline).toContainText('3 steps');
    gate.open();

    await road.open();
    await lab.expectCell(0, 'succeeded');
    await lab.expectCell(1, 'succeeded');
    await lab.expectRun('succeeded');
    await expect(lab.unreachable).toHaveCount(0);
    await lab.panel('Runs');
    await expect(runs).not.toContainText('not reachable');
    await expect(runs.getByRole('option', { name: /road/ })).toHaveAccessibleName(/succeeded/);
  });

  test('a run that cannot be started says so', async ({ lab, page }) => {
    const road = await Road.of(page);
    await page.goto(`tree/${lab.folder}?reset`);
    await lab.open('nobody.ipynb', notebook([step('say', "print('done')")]));
    await expect(lab.button('Run as Pipeline')).toBeEnabled();
    await road.block();
    await lab.run();
    await expect(page.getByRole('alert')).toContainText('The run was not started');
    await road.open();
    await expect(lab.unreachable).toHaveCount(0);
    await lab.run();
    await lab.expectRun('succeeded');
  });
});

test('the service is killed in the middle of a run, and the run goes on', async ({ lab }) => {
  const gate = lab.gate();
  await lab.open('killed.ipynb', notebook([step('wait', gate.code), step('say', "print('done')")]));
  await lab.run();
  await lab.expectCell(0, 'running');

  lab.killService();
  await expect(lab.unreachable).toBeVisible();
  gate.open();
  await expect(lab.unreachable).toBeHidden({ timeout: 30_000 });
  await lab.expectRun('succeeded', { timeout: 30_000 });
  await lab.expectCell(1, 'succeeded');
});
