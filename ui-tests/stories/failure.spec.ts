/** Something goes wrong on the way: it is watched, stopped, seen at its line, mended and continued. */
import { notebook, step } from '../notebook.ts';
import { expect, test } from '../test.ts';

test('watch a run, see it fail at its line, fix it, and continue from there', async ({ lab }) => {
  const gate = lab.gate();
  await lab.open(
    'failing.ipynb',
    notebook([
      step('load', `${gate.code}\nrows = [1, 2, 0]`),
      step('divide', 'shares = []\nfor row in rows:\n    shares.append(6 / row)'),
      step('say', 'print(shares)'),
    ]),
  );
  await lab.run();
  await lab.expectCell(0, 'running');
  await lab.expectCell(1, '(queued|waiting)');
  await lab.expectRun('running');

  gate.open();
  await lab.expectCell(0, 'succeeded');
  await lab.expectCell(1, 'failed');
  await lab.expectCell(2, 'skipped');
  await lab.expectRun('failed');
  const failure = lab.cell(1).getByRole('group', { name: 'Why step divide failed' });
  await expect(failure).toContainText('ZeroDivisionError: division by zero');
  await expect(lab.failedLine(1)).toHaveText('    shares.append(6 / row)');
  // The failure is shown beside the notebook's outputs, not in them.
  await lab.page.notebook.save();
  expect(JSON.stringify(lab.read('failing.ipynb'))).not.toContain('ZeroDivisionError');

  await lab.type(1, 'shares = [6 / row for row in rows if row]');
  await failure.getByRole('button', { name: 'Continue from here' }).click();
  await lab.expectCell(2, 'succeeded');
  await lab.expectCell(1, 'succeeded');
  await lab.expectCell(0, 'reused');
  await lab.expectRun('succeeded');
  await expect(failure).toHaveCount(0);
  await expect(lab.failedLine(1)).toHaveCount(0);
});

test('stop really stops', async ({ lab }) => {
  const gate = lab.gate();
  await lab.open('endless.ipynb', notebook([step('wait', `${gate.code}\nx = 1`), step('after', 'print(x)')]));
  await lab.run();
  await lab.expectCell(0, 'running');
  expect(gate.alive).toBe(true);

  await lab.button('Stop').click();
  await lab.expectRun('cancelled');
  await lab.expectCell(0, 'cancelled');
  await lab.expectCell(1, '(cancelled|skipped)');
  await expect(lab.button('Stop')).toHaveCount(0);
  await expect.poll(() => gate.alive).toBe(false);
});
