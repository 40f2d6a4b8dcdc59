/** The pictures of the README and the docs, taken anew by `UPDATE_PICTURES=1 npm run ui-tests`, so that they show what there is. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Gate } from '../gate.ts';
import type { Lab } from '../lab.ts';
import { notebook, step } from '../notebook.ts';
import { test } from '../test.ts';

const images = join(import.meta.dirname, '..', '..', 'docs', 'images');
mkdirSync(images, { recursive: true });
test.use({ viewport: { width: 1180, height: 800 }, deviceScaleFactor: 1 });

const wines = (compare: string) =>
  notebook([
    {
      code: [
        'from sklearn.datasets import load_wine',
        'from sklearn.linear_model import LogisticRegression',
        'from sklearn.model_selection import train_test_split',
        'from sklearn.tree import DecisionTreeClassifier',
        'from training import train',
      ].join('\n'),
      tags: ['imports'],
    },
    { code: 'depth: int = 4', tags: ['parameters'] },
    step('prepare', 'wine = load_wine(as_frame=True)\ntrain_set, test_set = train_test_split(wine.frame, random_state=0)'),
    step('linear', 'linear = train(LogisticRegression(max_iter=5000), train_set)'),
    step('tree', 'tree = train(DecisionTreeClassifier(max_depth=depth, random_state=0), train_set)'),
    step('compare', compare),
  ]);

const best = `rows, labels = test_set.drop(columns='target'), test_set.target
scores = {'linear': linear.score(rows, labels), 'tree': tree.score(rows, labels)}
scores`;

/** What the notebook imports from beside it; it trains when the gate is open. */
function training(lab: Lab, gate: Gate): void {
  const wait = gate.code.replaceAll('\n', '\n    ');
  writeFileSync(
    lab.file('training.py'),
    `def train(model, data):\n    ${wait}\n    return model.fit(data.drop(columns='target'), data.target)\n`,
  );
}

/** The notebook and the panel, and nothing else. */
async function openBeside(lab: Lab, compare: string): Promise<void> {
  await lab.open('wine.ipynb', wines(compare));
  await lab.panel('Pipeline');
  await lab.page.sidebar.close('left');
  await lab.page.getByRole('main').locator('.lm-TabBar-tab', { hasText: 'Launcher' }).locator('.lm-TabBar-tabCloseIcon').click();
  await lab.show('wine.ipynb');
  await lab.page.sidebar.setWidth(330, 'right');
}

test('a tagged notebook with the panel; a run of it; its tab', async ({ lab, page }) => {
  const gate = lab.gate();
  training(lab, gate);
  await openBeside(lab, best);
  await lab.select(3);
  await lab.take(join(images, 'tagged.png'));

  await lab.run();
  await lab.dialog.getByRole('button', { name: 'Run', exact: true }).click();
  await lab.expectCell(3, 'running');
  await lab.expectCell(4, 'running');
  await lab.take(join(images, 'running.png'));

  gate.open();
  await lab.expectRun('succeeded');
  await lab.dismissToast();
  await lab.openRun();
  await page.getByRole('tab', { name: 'Stepwell' }).click();
  await lab.look('compare');
  await lab.section('Timeline');
  await lab.take(join(images, 'run.png'));
});

test('a failure at its line', async ({ lab }) => {
  const gate = lab.gate();
  gate.open();
  training(lab, gate);
  await openBeside(lab, `${best}['forest']`);
  await lab.run();
  await lab.dialog.getByRole('button', { name: 'Run', exact: true }).click();
  await lab.expectRun('failed');
  await lab.dismissToast();
  await lab.cell(5).getByRole('group', { name: /^Why/ }).scrollIntoViewIfNeeded();
  await lab.select(5);
  await lab.take(join(images, 'failed.png'));
});
