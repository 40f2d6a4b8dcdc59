/** A notebook that means harm: nothing in its names, tags, outputs or errors runs as script in JupyterLab's page. */
import { notebook, step } from '../notebook.ts';
import { expect, test } from '../test.ts';

/** Each sets `window.hacked` if it runs. */
const image = `<img src=x onerror="window.hacked='image'">`;
const script = `<script>window.hacked='script'</script>`;
const svg = `<svg xmlns="http://www.w3.org/2000/svg" onload="window.hacked='svg'"><script>window.hacked='svg script'</script><text y="20">drawn</text></svg>`;
const link = `[here](javascript:window.hacked='link')`;
const terminalLink = `\u001b]8;;javascript:window.hacked='ansi'\u0007click\u001b]8;;\u0007 \u001b[31mred\u001b[0m`;

test.afterEach(async ({ page }) => {
  expect(await page.evaluate(() => (window as unknown as { hacked?: string }).hacked), 'what ran as script').toBeUndefined();
});

test('outputs and errors that mean harm are shown and do nothing', async ({ lab }) => {
  await lab.open(
    'outputs.ipynb',
    notebook([
      step(
        'show',
        [
          'from IPython.display import HTML, SVG, Markdown, Javascript, display',
          `display(HTML(${JSON.stringify(`<b>bold words</b>${image}${script}`)}))`,
          `display(SVG(${JSON.stringify(svg)}))`,
          `display(Markdown(${JSON.stringify(`# heading ${image} ${link}`)}))`,
          `display(Javascript("window.hacked='javascript'"))`,
          `print(${JSON.stringify(`${terminalLink} ${image}`)})`,
          `value = ${JSON.stringify(image)}`,
        ].join('\n'),
      ),
      step('fail', `raise ValueError(value)`),
    ]),
  );
  await lab.run();
  await lab.expectCell(1, 'failed');
  await expect(lab.cell(1).getByRole('group', { name: /^Why/ })).toContainText('<img src=x onerror');

  await lab.openRun();
  await lab.look('show');
  await expect(await lab.section('Outputs')).toContainText('bold words');
  await expect(lab.runView.locator('script, [onerror], [onload]')).toHaveCount(0);
  await expect(await lab.section('Log')).toContainText('<img src=x onerror');
  await expect(lab.runView.locator('a[href^="javascript:" i], img[src="x"]')).toHaveCount(0);
  await expect(await lab.section('Artifacts')).toContainText('value');
  await expect(lab.runView.locator('img[src="x"]')).toHaveCount(0);

  // Brought into the notebook, they are as untrusted as those of a file from elsewhere.
  await lab.show('outputs.ipynb');
  await lab.bringOutputs();
  await expect(lab.cell(0)).toContainText('bold words');
  await expect(lab.cell(0).locator('.jp-OutputArea').locator('script, [onerror], [onload]')).toHaveCount(0);
});

test('names that mean harm are only text', async ({ lab }) => {
  await lab.open(
    '<img src=x onerror=window.hacked=1>.ipynb',
    notebook([{ code: 'a = 1', tags: [`step:${image}`] }, step('good', 'print(1)'), { code: 'b: str = "x"', tags: ['parameters'] }], {
      stepwell: {
        version: 1,
        name: image,
        description: script,
        steps: { [image]: { after: [script] }, good: { env: { [image]: image }, inputs: [image] } },
      },
    }),
  );
  const pipeline = await lab.panel('Pipeline');
  await expect(pipeline).toContainText('<img src=x');
  await lab.select(1);
  await lab.run();
  await expect(lab.dialog).toContainText('<img src=x');
  await expect(lab.page.locator('img[src="x"]')).toHaveCount(0);
  await lab.dialog.getByRole('button', { name: 'Close' }).click();
});

test('a run whose names mean harm is only text in the list and in its view', async ({ lab }) => {
  const name = '<b onmouseover=window.hacked=1>b.ipynb';
  lab.write(name, notebook([step('say', `print(${JSON.stringify(image)})`)]));
  await lab.command('run', name, '--experiment', image);
  const runs = await lab.panel('Runs');
  await runs.getByRole('option', { name: /onmouseover/ }).click();
  await expect(lab.runView).toContainText(image);
  await expect(lab.page.locator('img[src="x"], b[onmouseover]')).toHaveCount(0);
});
