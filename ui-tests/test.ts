/**
 * What every story starts with: Galata's JupyterLab page, logged in as a user is (a cookie, not a header, so that Jupyter's cross-site checks
 * hold), and `lab`, the steps that they are told in. A story fails when the page throws, and when a dialog of the browser opens: nothing here does.
 */
import { test as galata } from '@jupyterlab/galata';
import { expect } from '@playwright/test';
import { Lab } from './lab.ts';

/** The JupyterLab that `scripts/ui-tests.mjs` has started. */
export interface Jupyter {
  url: string;
  token: string;
  /** Holds all that it writes. */
  folder: string;
  /** What its file browser shows. */
  notebooks: string;
  /** Stepwell's store. */
  home: string;
  /** The version of its Python. */
  python: string;
  /** Chromium's path. */
  browser: string;
}

if (!process.env.STEPWELL_UI) throw new Error('Start the stories with `npm run ui-tests`: it starts the JupyterLab that they need.');
export const jupyter = JSON.parse(process.env.STEPWELL_UI) as Jupyter;

export const test = galata.extend<{ lab: Lab }>({
  // Galata's own errands (the folder of a test, kernels to end) go by the token.
  request: async ({ playwright }, use) => {
    const request = await playwright.request.newContext({
      baseURL: jupyter.url,
      extraHTTPHeaders: { authorization: `token ${jupyter.token}` },
    });
    await use(request);
    await request.dispose();
  },
  context: async ({ context }, use) => {
    await context.request.get(`${jupyter.url}/lab?token=${jupyter.token}`);
    await use(context);
  },
  lab: async ({ page, tmpPath }, use) => {
    const thrown: string[] = [];
    page.on('pageerror', error => thrown.push(error.stack ?? error.message));
    page.on('dialog', dialog => {
      thrown.push(`A dialog of the browser opened: ${dialog.message()}`);
      void dialog.dismiss();
    });
    const lab = new Lab(page, jupyter, tmpPath);
    await use(lab);
    lab.openGates();
    expect(thrown, 'what the page threw').toEqual([]);
  },
});

export { expect };
