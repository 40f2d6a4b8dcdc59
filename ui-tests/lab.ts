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
import { Gate } from './gate.ts';
import { processesIn } from './jupyter.mjs';
import type { Jupyter } from './test.ts';

const root = join(import.meta.dirname, '..');

export class Lab {
  constructor(
    readonly page: IJupyterLabPageFixture,
    readonly jupyter: Jupyter,
    /** The folder of this story, from Jupyter's root. */
    readonly folder: string,
  ) {}

  /** A gate that is open at the end of the story at the latest: what waits at it holds a place on the machine. */
  gate(): Gate {
    const gate = new Gate(this.jupyter.folder);
    this._gates.push(gate);
    return gate;
  }

  openGates(): void {
    for (const gate of this._gates) gate.open();
  }

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
    // JupyterLab takes the focus once more when the kernel is there.
    await expect(this.page.locator('#jp-main-statusbar')).toContainText('| Idle');
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

  /** What it put out. */
  output(index: number): Locator {
    return this.cell(index).locator('.jp-OutputArea-output');
  }

  /** Replaces the text of a cell by typing. */
  async type(index: number, code: string): Promise<void> {
    await this.editor(index).click();
    await this.page.keyboard.press('ControlOrMeta+a');
    await this.page.keyboard.insertText(code);
  }

  /** Selects cells, as one does with the prompt and Shift. */
  async select(first: number, last = first): Promise<void> {
    // Beside the prompt's words: below them a badge has its place.
    const prompt = (index: number) => this.cell(index).locator('.jp-InputPrompt').first();
    const position = { x: 20, y: 8 };
    await prompt(first).click({ position });
    if (last !== first) await prompt(last).click({ position, modifiers: ['Shift'] });
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
    await expect(palette).toBeHidden();
  }

  get dialog(): Locator {
    return this.page.getByRole('dialog');
  }

  /** Puts cells in a step, with the button on the last of them. */
  async tag(step: string, first: number, last = first): Promise<void> {
    await this.select(first, last);
    await this.cell(last)
      .getByRole('toolbar')
      .getByRole('button', { name: /^Put .* in a step/ })
      .click();
    await this.nameStep(step);
  }

  /** Answers the question for a step. */
  async nameStep(step: string): Promise<void> {
    await this.dialog.getByRole('textbox', { name: 'Step' }).fill(step);
    await this.page.keyboard.press('Enter');
    await expect(this.dialog).toBeHidden();
  }

  /** The line above a step's first cell that says what it takes and gives. */
  chip(step: string): Locator {
    const name = this.page.getByRole('button', { name: `Step ${step}`, exact: true });
    return this.notebook.locator('.stepwell-chip').filter({ has: name });
  }

  /** Every such line: none where nothing is tagged. */
  get chips(): Locator {
    return this.notebook.getByRole('button', { name: /^Step [^:]+$/ });
  }

  /** What is underlined in a cell because of a problem. */
  underlined(cell: number): Locator {
    return this.cell(cell).locator('.cm-lintRange');
  }

  /** Presses Run; answers the form, where there is one, with what it says already. */
  async run(): Promise<void> {
    await this.button('Run as Pipeline').click();
  }

  /** How a cell stands in the run that the notebook shows. */
  badge(cell: number): Locator {
    return this.cell(cell).getByRole('button', { name: /^Step .+ Menu\.$/ });
  }

  async expectCell(cell: number, status: string | RegExp, options?: { timeout: number }): Promise<void> {
    const words = typeof status === 'string' ? new RegExp(`^Step .+: ${status}`) : status;
    await expect(this.badge(cell)).toHaveAccessibleName(words, options);
  }

  /** The line that is marked as the one that failed. */
  failedLine(cell: number): Locator {
    return this.cell(cell).locator('.stepwell-failed-line');
  }

  /** What the toolbar says of the run, in words. */
  get state(): Locator {
    return this.notebook.getByRole('toolbar', { name: 'main area toolbar' }).getByRole('status').first();
  }

  async expectRun(status: string, options?: { timeout: number }): Promise<void> {
    await expect(this.state).toContainText(`Pipeline run ${status}`, options);
  }

  /** What the toolbar says while the service is not there. */
  get unreachable(): Locator {
    return this.notebook.getByRole('toolbar', { name: 'main area toolbar' }).getByText('no connection');
  }

  /** Fills the run's outputs into the notebook. */
  async bringOutputs(): Promise<void> {
    await this.choose('Bring Outputs into the Notebook');
  }

  /** The panel on the right, at one of its tabs. */
  async panel(tab: 'Pipeline' | 'Runs'): Promise<Locator> {
    const panel = this.page.getByRole('region', { name: 'Stepwell' });
    if (!(await panel.isVisible())) await this.page.getByRole('tab', { name: 'Stepwell' }).click();
    await panel.getByRole('tab', { name: tab }).click();
    return panel.getByRole('tabpanel', { name: tab });
  }

  /** The run in front, opened as a tab. */
  get runView(): Locator {
    return this.page.getByRole('main').getByRole('tabpanel', { name: /^Run of / });
  }

  /** Opens the run that the notebook shows, by its pill. */
  async openRun(): Promise<void> {
    await this.button(/^(queued|running|succeeded|failed|cancelled)/).click();
    await expect(this.runView).toBeVisible();
  }

  /** One of the things that a run's tab tells. */
  async section(name: 'Timeline' | 'Log' | 'Outputs' | 'Artifacts' | 'Metrics'): Promise<Locator> {
    await this.runView.getByRole('tab', { name }).click();
    return this.runView.getByRole('tabpanel', { name });
  }

  /** Looks at a step in the run's tab. */
  async look(step: string): Promise<void> {
    await this.runView
      .getByRole('region', { name: 'Steps' })
      .getByRole('group', { name: new RegExp(`^Step ${step}\\b`) })
      .click();
  }

  /** Waits for what pops up at the end of a run, and puts it away. */
  async dismissToast(): Promise<void> {
    const toast = this.page.locator('.Toastify__toast');
    await toast.locator('.jp-Notification-Toast-Close').click();
    await expect(toast).toHaveCount(0);
  }

  /** Takes a picture of the page, with the pointer over nothing. */
  async take(path: string): Promise<void> {
    await this.page.mouse.move(0, 0);
    await this.page.screenshot({ path, animations: 'disabled', caret: 'hide' });
  }

  /** Presses Tab until this has the focus, as somebody without a mouse does. */
  async tabTo(target: Locator): Promise<void> {
    await expect(target).toBeVisible();
    for (let presses = 0; presses < 100; presses++) {
      if (await target.evaluate(node => node === document.activeElement)) return;
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`Tab does not lead to ${target}.`);
  }

  /** Ends the service as a crash would. */
  killService(): void {
    const service = processesIn(this.jupyter.folder).filter(({ command }) => / serve /.test(command));
    expect(service.length, 'processes of the service').toBeGreaterThan(0);
    for (const { pid } of service) process.kill(pid, 'SIGKILL');
  }

  private readonly _gates: Gate[] = [];
}
