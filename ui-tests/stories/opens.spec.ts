/** Before every other story: JupyterLab opens with Stepwell in it, and says nothing about it that worries anybody. */
import { expect, test } from '../test.ts';

test('JupyterLab opens with Stepwell in it', async ({ page }) => {
  const extensions = await page.evaluate(() => {
    const config = JSON.parse(document.getElementById('jupyter-config-data')?.textContent ?? '{}');
    return (config.federated_extensions as { name: string }[]).map(({ name }) => name);
  });
  expect(extensions).toContain('stepwell');
  const plugins = await page.evaluate(() => {
    const { app } = window.galata as unknown as {
      app: { pluginRegistry: { listPlugins(): string[]; isPluginActivated(id: string): boolean } };
    };
    const { pluginRegistry } = app;
    return pluginRegistry.listPlugins().filter(id => id.startsWith('stepwell:') && !pluginRegistry.isPluginActivated(id));
  });
  expect(plugins, 'plugins that could not start').toEqual([]);
});
