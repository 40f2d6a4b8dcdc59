/** Two notebooks run at once; each shows its own run. */
import { notebook, step } from '../notebook.ts';
import { expect, test } from '../test.ts';

test('two notebooks at once', async ({ lab }) => {
  const [first, second] = [lab.gate(), lab.gate()];
  await lab.open('first.ipynb', notebook([step('one', first.code), step('after', 'x = 1')]));
  await lab.run();
  await lab.expectCell(0, 'running');
  await lab.open('second.ipynb', notebook([step('two', second.code)]));
  await expect(lab.badge(0)).toHaveCount(0);
  await lab.run();
  await lab.expectCell(0, 'running');

  first.open();
  await lab.show('first.ipynb');
  await lab.expectCell(1, 'succeeded');
  await lab.expectRun('succeeded');
  await lab.show('second.ipynb');
  await lab.expectCell(0, 'running');
  await lab.expectRun('running');

  second.open();
  await lab.expectRun('succeeded');
});
