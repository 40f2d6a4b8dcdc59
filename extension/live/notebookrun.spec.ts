import type { Cell } from '@jupyterlab/cells';
import type { NotebookPanel } from '@jupyterlab/notebook';
import { RenderMimeRegistry, standardRendererFactories } from '@jupyterlab/rendermime';
import { nullTranslator } from '@jupyterlab/translation';
import { Signal } from '@lumino/signaling';
import { Panel, Widget } from '@lumino/widgets';
import type { CellRun } from '../../pipeline/model/protocol';
import type { IRunModel, IRuns } from '../tokens';
import { NotebookRun } from './notebookrun';

/** What a cell of a notebook is to a badge. */
class FakeCell extends Panel {
  readonly contentChanged = new Signal<this, void>(this);
  readonly ready = Promise.resolve();
  readonly editor = null;
  readonly model: { id: string; contentChanged: Signal<FakeCell, void>; sharedModel: { getSource(): string } };

  constructor(
    id: string,
    public source: string,
  ) {
    super();
    this.model = { id, contentChanged: this.contentChanged, sharedModel: { getSource: () => this.source } };
    for (const name of ['jp-CellHeader', 'jp-Cell-inputWrapper', 'jp-Cell-outputWrapper']) {
      const part = new Widget();
      part.addClass(name);
      this.addWidget(part);
    }
  }

  edit(source: string): void {
    this.source = source;
    this.contentChanged.emit();
  }

  get badge(): HTMLElement | null {
    return this.node.querySelector('.jp-Cell-inputWrapper > .stepwell-badge');
  }

  get failure(): HTMLElement | null {
    return this.node.querySelector('.stepwell-failure');
  }
}

class FakeRun {
  readonly changed = new Signal<this, void>(this);
  readonly cells = new Map<number, CellRun>();
  detail = {
    document: {
      parameterCells: [],
      sharedCells: [],
      steps: [{ cells: ['a', 'b'].map((id, cell) => ({ id, cell, source: `source of ${id}` })) }],
    },
    stepRuns: [{ step: 'a', status: 'failed', attempts: 1, reason: 'It took too long.' }],
  };

  tell(...cells: Partial<CellRun>[]): void {
    for (const cell of cells) this.cells.set(cell.cell!, { step: 'a', attempt: 1, status: 'running', ...cell } as CellRun);
    this.changed.emit();
  }
}

const rendermime = new RenderMimeRegistry({ initialFactories: standardRendererFactories });
const actions = { openMenu: jest.fn(), continueFrom: jest.fn(), openRun: jest.fn() };
const settle = () => new Promise(resolve => setTimeout(resolve));
let cells: FakeCell[];
let cellsChanged: Signal<object, void>;
let shown: FakeRun | null;
let shownChanged: Signal<object, NotebookPanel>;
let panel: NotebookPanel;
let run: FakeRun;
let marks: NotebookRun;

beforeEach(() => {
  jest.clearAllMocks();
  const owner = {};
  cells = [new FakeCell('a', 'source of a'), new FakeCell('b', 'source of b'), new FakeCell('other', 'x')];
  cellsChanged = new Signal<object, void>(owner);
  shownChanged = new Signal<object, NotebookPanel>(owner);
  panel = {
    disposed: new Signal<object, void>(owner),
    content: {
      modelChanged: new Signal<object, void>(owner),
      model: { cells: { changed: cellsChanged } },
      activate: jest.fn(),
      get widgets() {
        return cells as unknown as Cell[];
      },
    },
  } as unknown as NotebookPanel;
  run = new FakeRun();
  shown = run;
  const runs = { shownIn: () => shown as unknown as IRunModel | null, shownChanged } as unknown as IRuns;
  marks = new NotebookRun(panel, runs, rendermime, actions, nullTranslator.load('stepwell'));
});
afterEach(() => marks.dispose());

it('marks the cells of the run, and no others', async () => {
  run.tell({ cell: 0, id: 'a' }, { cell: 1, id: 'b', status: 'queued' });
  await settle();
  expect(cells.map(({ badge }) => badge?.dataset.status)).toEqual(['running', 'queued', undefined]);
  run.tell({ cell: 0, id: 'a', status: 'succeeded', seconds: 2 });
  expect(cells.map(({ badge }) => badge?.textContent)).toEqual(['2.0 s', 'queued', undefined]);
});

it('finds cells that were moved, and lets go of those that went', async () => {
  run.tell({ cell: 0, id: 'a' }, { cell: 1, id: 'b' });
  await settle();
  const [a] = cells;
  const moved = new FakeCell('b', 'source of b');
  cells = [moved, a!];
  cellsChanged.emit();
  await settle();
  expect(cells.map(({ badge }) => badge?.dataset.status)).toEqual(['running', 'running']);
});

it('says of a cell that it was edited since, and takes it back when it is as it was', async () => {
  run.tell({ cell: 0, id: 'a', status: 'succeeded' });
  await settle();
  const stale = () => cells[0]!.badge!.classList.contains('stepwell-mod-stale');
  cells[0]!.edit('something else');
  expect(stale()).toBe(true);
  cells[0]!.edit('source of a');
  expect(stale()).toBe(false);
});

it('shows what failed under its input until it is dismissed, and again when it fails again', async () => {
  const error = { ename: 'E', evalue: 'v', traceback: ['trace'], line: 0 };
  run.tell({ cell: 0, id: 'a', status: 'failed', error });
  await settle();
  expect(cells[0]!.failure!.previousElementSibling!.className).toContain('jp-Cell-inputWrapper');
  cells[0]!.failure!.querySelector<HTMLElement>('[aria-label=Dismiss]')!.click();
  expect(cells[0]!.failure).toBeNull();
  run.tell({ cell: 0, id: 'a', status: 'failed', error });
  await settle();
  expect(cells[0]!.failure).toBeNull();
  run.tell({ cell: 0, id: 'a', attempt: 2 });
  run.tell({ cell: 0, id: 'a', attempt: 2, status: 'failed', error });
  await settle();
  expect(cells[0]!.failure).not.toBeNull();
});

it('shows why a step was stopped where its code raised nothing', async () => {
  run.tell({ cell: 0, id: 'a', status: 'failed' });
  for (let i = 0; i < 50 && !cells[0]!.failure?.textContent?.includes('too long'); i++) await settle();
  expect(cells[0]!.failure!.textContent).toContain('It took too long.');
});

it('shows another run in place of the one before, and nothing when there is none', async () => {
  run.tell({ cell: 0, id: 'a', status: 'failed' }, { cell: 1, id: 'b', status: 'skipped' });
  await settle();
  shown = new FakeRun();
  shown.tell({ cell: 1, id: 'b', status: 'queued' });
  shownChanged.emit(panel);
  await settle();
  expect(cells.map(({ badge, failure }) => [badge?.dataset.status, failure])).toEqual([
    [undefined, null],
    ['queued', null],
    [undefined, null],
  ]);
  run.tell({ cell: 0, id: 'a' });
  await settle();
  expect(cells[0]!.badge).toBeNull();
  shown = null;
  shownChanged.emit(panel);
  expect(cells[1]!.badge).toBeNull();
});

it('opens the menu of the cell as it stands now', async () => {
  run.tell({ cell: 0, id: 'a' });
  await settle();
  run.tell({ cell: 0, id: 'a', status: 'succeeded' });
  cells[0]!.badge!.click();
  expect(actions.openMenu).toHaveBeenCalledWith(cells[0]!.badge, run, expect.objectContaining({ status: 'succeeded' }));
});
