/**
 * JupyterLab with Stepwell as its user sees it: the steps that the stories are told in. Things are found by role and label; what has none is
 * a fault of the product, not a reason for a selector here.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import { expect, type Locator } from '@playwright/test';
import type { Notebook } from '../pipeline/model/notebook';
import type { Jupyter } from './test.ts';

const root = join(import.meta.dirname, '..');

export class Lab {
  constructor(
    readonly page: IJupyterLabPageFixture,
    readonly jupyter: Jupyter,
    /** The folder of this story, from Jupyter's root. */
    readonly folder: string,
  ) {}

  /** Where a file of this story lies on the disk. */
  file(name: string): string {
    return join(this.jupyter.notebooks, this.folder, name);
  }

  write(name: string, content: Notebook): void {
    mkdirSync(dirname(this.file(name)), { recursive: true });
    writeFileSync(this.file(name), JSON.stringify(content));
  }

  read(name: string): Notebook {
    return JSON.parse(readFileSync(this.file(name), 'utf8'));
  }

  /** Opens a notebook; with `content`, writes it to the disk before. */
  async open(name: string, content?: Notebook): Promise<void> {
    if (content) this.write(name, content);
    await this.page.notebook.openByPath(`${this.folder}/${name}`);
    await this.show(name);
  }

  /** Brings an open notebook to the front. */
  async show(name: string): Promise<void> {
    await this.page
      .getByRole('main')
      .getByRole('tab', { name: basename(name) })
      .click();
    await expect(this.notebook.locator('.jp-Cell').first()).toBeVisible();
  }

  /** `stepwell …` in a terminal, with the same store. */
  async command(...args: string[]): Promise<string> {
    const env = { ...process.env, STEPWELL_HOME: this.jupyter.home };
    const { stdout } = await promisify(execFile)(join(root, 'bin', 'stepwell'), args, {
      env,
      cwd: join(this.jupyter.notebooks, this.folder),
    });
    return stdout;
  }

  /** The notebook in front. */
  get notebook(): Locator {
    return this.page.locator('.jp-NotebookPanel:visible');
  }

  /** The cell at this place, counted from 0. */
  cell(index: number): Locator {
    return this.notebook.locator(`.jp-Cell[data-windowed-list-index="${index}"]`);
  }

  /** Where one types in it. */
  editor(index: number): Locator {
    return this.cell(index).getByRole('textbox');
  }

  /** Replaces the text of a cell by typing. */
  async type(index: number, code: string): Promise<void> {
    await this.editor(index).click();
    await this.page.keyboard.press('ControlOrMeta+a');
    await this.page.keyboard.insertText(code);
  }

  /** Selects cells, as one does with the prompt and Shift. */
  async select(first: number, last = first): Promise<void> {
    await this.cell(first).locator('.jp-InputPrompt').first().click();
    if (last !== first)
      await this.cell(last)
        .locator('.jp-InputPrompt')
        .first()
        .click({ modifiers: ['Shift'] });
  }

  /** A button of the notebook's toolbar. */
  button(name: string | RegExp): Locator {
    return this.notebook.getByRole('toolbar', { name: 'main area toolbar' }).getByRole('button', { name });
  }

  /** Chooses a command from the palette by its name. */
  async choose(command: string): Promise<void> {
    await this.page.keyboard.press('ControlOrMeta+Shift+c');
    const palette = this.page.locator('#modal-command-palette');
    await palette.getByPlaceholder('SEARCH').fill(command);
    await expect(palette.locator('.lm-CommandPalette-item').first()).toContainText(command);
    await this.page.keyboard.press('Enter');
  }
}
