/** Two thousand cells, fifty megabytes of output, and a line without an end: the page goes on answering. */
import { notebook, step } from '../notebook.ts';
import { expect, test } from '../test.ts';

test('a notebook with 2,000 cells is shown, typed in, run and stopped', async ({ lab }) => {
  test.setTimeout(300_000);
  const cells = Array.from({ length: 2000 }, (_, index) =>
    step(`s${Math.floor(index / 20)}`, index === 0 ? 'x0 = 1' : `x${index} = x${index - 1} + 1`),
  );
  await lab.open('long.ipynb', notebook(cells));
  await expect(lab.chip('s0').getByRole('note')).toHaveAccessibleName('takes nothing, gives x19');
  await lab.type(1, 'x1 = x0 + 10\nx_new = 1');
  await lab.type(2, 'x2 = x1');
  await expect(lab.editor(2)).toHaveText('x2 = x1');
  const pipeline = await lab.panel('Pipeline');
  await expect(pipeline).toContainText('100 steps');
  await pipeline.getByRole('button', { name: 'List' }).click();
  await expect(pipeline.getByRole('option', { name: /s99/ })).toBeAttached();
  await lab.run();
  await lab.expectCell(0, 'succeeded', { timeout: 60_000 });
  await lab.type(3, 'x3 = x2 + 1 # typed while it runs');
  await expect(lab.editor(3)).toContainText('typed while it runs');
  await lab.button('Stop').click();
  await lab.expectRun('cancelled', { timeout: 60_000 });
});

test('an output of 50 MB and a line of 100 MB without an end do not freeze the page', async ({ lab }) => {
  test.setTimeout(300_000);
  await lab.open(
    'large.ipynb',
    notebook([
      step('html', "from IPython.display import HTML, display\ndisplay(HTML('<p>' + 'word ' * 10_000_000 + '</p>'))"),
      step('line', "import sys\nfor _ in range(100):\n    sys.stdout.write('x' * 1_000_000)\nsys.stdout.flush()"),
    ]),
  );
  await lab.run();
  await lab.expectCell(0, 'succeeded', { timeout: 120_000 });
  await lab.expectCell(1, 'succeeded', { timeout: 120_000 });
  await lab.type(0, 'x = 1');
  await expect(lab.editor(0)).toHaveText('x = 1');

  await lab.openRun();
  await lab.look('line');
  await expect(await lab.section('Log')).toContainText('xxxx');
  await lab.look('html');
  await expect(await lab.section('Outputs')).toContainText(/left out|too large|MB/);
  await lab.section('Timeline');
  await expect(lab.runView.getByRole('table')).toContainText('line');
});
