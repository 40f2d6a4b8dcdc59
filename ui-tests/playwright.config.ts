/** How the stories are told: on the system's Chromium, one after the other (they share one Jupyter), without second tries. */
import { defineConfig } from '@playwright/test';
import { jupyter } from './test.ts';

export default defineConfig({
  projects: [
    { name: 'stories', testDir: 'stories' },
    // Said by name only: the pictures of the docs, and the figures of the bench.
    { name: 'pictures', testDir: 'pictures' },
    { name: 'figures', testDir: 'figures' },
  ],
  outputDir: '../build/tests/ui-tests',
  workers: 1,
  retries: 0,
  forbidOnly: Boolean(process.env.CI),
  timeout: 120_000,
  expect: { timeout: Number(process.env.PATIENCE ?? 30_000) },
  reporter: [['list'], ['json']],
  use: {
    baseURL: jupyter.url,
    viewport: { width: 1400, height: 900 },
    actionTimeout: Number(process.env.PATIENCE ?? 30_000),
    screenshot: 'only-on-failure',
    trace: process.env.TRACE ? 'on' : 'off',
    launchOptions: {
      executablePath: jupyter.browser,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
