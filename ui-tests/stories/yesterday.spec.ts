/** A run that nobody watched: it was started in a terminal, and is opened from the list. */
import { notebook, step } from '../notebook.ts';
import { expect, test } from '../test.ts';

test('open a run from yesterday', async ({ lab, page }) => {
  lab.write('night.ipynb', notebook([step('load', 'rows = [1, 2, 3]\nprint("three rows")'), step('sum', 'total = sum(rows)\ntotal')]));
  await lab.command('run', 'night.ipynb', '--experiment', 'nightly');

  const runs = await lab.panel('Runs');
  await runs.getByRole('option', { name: /night\.ipynb/ }).click();
  const run = lab.runView;
  await expect(run).toContainText('succeeded');
  await expect(run).toContainText('nightly');
  await expect((await lab.section('Timeline')).getByRole('table')).toContainText('sum');
  await lab.look('load');
  await expect(await lab.section('Log')).toContainText('three rows');
  await lab.look('sum');
  await expect(await lab.section('Outputs')).toContainText('6');
  const artifacts = await lab.section('Artifacts');
  await expect(artifacts).toContainText('rows');

  // It is still there after the page was loaded anew.
  await page.evaluate(() => location.reload());
  await expect(lab.runView).toContainText('nightly');
});

test('a failed run is opened at what failed, and resumed', async ({ lab }) => {
  const gate = lab.gate();
  lab.write(
    'flaky.ipynb',
    notebook([
      step('load', 'rows = [1]'),
      step('fail', `import os\nif not os.path.exists(${JSON.stringify(gate.file)}): raise OSError('not yet')\nprint(rows)`),
    ]),
  );
  await lab.command('run', 'flaky.ipynb').catch(() => undefined);
  const runs = await lab.panel('Runs');
  await runs.getByRole('option', { name: /flaky\.ipynb/ }).click();
  await expect(lab.runView).toContainText('failed');
  await expect(await lab.section('Log')).toContainText('OSError: not yet');

  gate.open();
  await lab.runView.getByRole('button', { name: 'Resume' }).click();
  await expect(lab.runView).toContainText('succeeded');
});
