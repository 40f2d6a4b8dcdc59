/** What Stepwell adds to the start of JupyterLab, and how large its bundle is on the wire. The same page is loaded with and without it, in turn. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Page } from '@playwright/test';
import { figure, root, row, title } from '../../bench/measure.mts';
import { jupyter, test } from '../test.ts';

test.use({ autoGoto: false });

test('how long JupyterLab takes to start', async ({ context }) => {
  test.setTimeout(300_000);
  const times = { with: [] as number[], without: [] as number[] };
  for (let round = 0; round < 11; round++) {
    for (const kind of round % 2 ? (['with', 'without'] as const) : (['without', 'with'] as const)) {
      const page = await context.newPage();
      const ms = await start(page, kind === 'with');
      // The first of each fills the browser's cache.
      if (round > 0) times[kind].push(ms);
      await page.close();
    }
  }
  title('JupyterLab from navigation to restored, in the browser');
  const without = figure(times.without);
  row('without Stepwell', without);
  row('with Stepwell', figure(times.with), { name: 'without', figure: without });
  row('added, pair by pair', figure(times.with.map((ms, index) => ms - times.without[index]!)));
});

test('how large the bundle is', () => {
  const folder = join(root, 'build', 'labextensions', 'stepwell', 'static');
  const files = readdirSync(folder).filter(name => /\.(js|css)$/.test(name));
  const compressed = files.map(name => gzipSync(readFileSync(join(folder, name))).length).reduce((sum, size) => sum + size, 0);
  const plain = files.map(name => statSync(join(folder, name)).size).reduce((sum, size) => sum + size, 0);
  title('The bundle');
  console.log(`  ${files.length} files, ${(plain / 1000).toFixed(0)} KB, ${(compressed / 1000).toFixed(0)} KB compressed`);
});

/** Milliseconds from navigation until JupyterLab says that it is restored. */
async function start(page: Page, stepwell: boolean): Promise<number> {
  await page.route(/\/lab\?reset/, async route => {
    const answer = await route.fetch();
    const body = (await answer.text()).replace(/(<script id="jupyter-config-data"[^>]*>)([\s\S]*?)(<\/script>)/, (_, open, json, close) => {
      const config = JSON.parse(json);
      const keep = ({ name }: { name: string }) => stepwell || name !== 'stepwell';
      return open + JSON.stringify({ ...config, federated_extensions: config.federated_extensions.filter(keep) }) + close;
    });
    await route.fulfill({ response: answer, body });
  });
  await page.addInitScript(() => {
    Object.defineProperty(window, 'jupyterapp', {
      set(app: { restored: Promise<void> }) {
        app.restored.then(() => Object.assign(window, { restoredAfter: performance.now() }));
      },
    });
  });
  await page.goto(`${jupyter.url}/lab?reset`);
  const restored = await page.waitForFunction(() => (window as unknown as { restoredAfter?: number }).restoredAfter);
  return (await restored.jsonValue())!;
}
