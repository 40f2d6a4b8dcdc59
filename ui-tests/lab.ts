/**
 * JupyterLab with Stepwell as its user sees it: the steps that the stories are told in. Things are found by role and label; what has none is
 * a fault of the product, not a reason for a selector here.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { IJupyterLabPageFixture } from '@jupyterlab/galata';
import type { Locator } from '@playwright/test';
import type { Notebook } from '../pipeline/model/notebook';
import type { Jupyter } from './test';

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

  /** Writes a notebook to the disk and opens it. */
  async open(name: string, content?: Notebook): Promise<Locator> {
    if (content) {
      mkdirSync(dirname(this.file(name)), { recursive: true });
      writeFileSync(this.file(name), JSON.stringify(content));
    }
    await this.page.notebook.openByPath(`${this.folder}/${name}`);
    await this.page.notebook.activate(name.split('/').at(-1)!);
    return this.notebook;
  }

  /** The notebook in front. */
  get notebook(): Locator {
    return this.page.locator('.jp-NotebookPanel:not(.lm-mod-hidden)');
  }

  /** The code or text cell at this place, counted from 0. */
  cell(index: number): Locator {
    return this.notebook.locator(`.jp-Cell[data-windowed-list-index="${index}"]`);
  }
}
