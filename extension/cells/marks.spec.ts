import { nullTranslator } from '@jupyterlab/translation';
import { PromiseDelegate } from '@lumino/coreutils';
import { Signal } from '@lumino/signaling';
import { PanelLayout, Widget } from '@lumino/widgets';
import { compile } from '../../pipeline/compile';
import { placesOf } from '../notebook/place';
import type { CellPlace, INotebookPipeline } from '../tokens';
import { CellMark } from './chip';
import { CellMarks } from './marks';

/** A cell as JupyterLab makes it: a widget whose inside comes when it is scrolled to. */
class FakeCell extends Widget {
  readonly built = new PromiseDelegate<void>();
  readonly ready = this.built.promise;
  placeholder = true;
  constructor(readonly model: { id: string }) {
    super();
    this.layout = new PanelLayout();
  }
  isPlaceholder = () => this.placeholder;
  async build() {
    this.placeholder = false;
    this.built.resolve();
    await this.ready;
    await this.ready;
  }
}

function opened(...tags: string[]) {
  const cells = tags.map((tag, index) => ({ cell_type: 'code', id: `c${index}`, source: `a${index} = 1`, metadata: { tags: [tag] } }));
  const content = { widgets: [] as FakeCell[], model: { cells: {} as { changed: Signal<unknown, void> } } };
  content.model.cells.changed = new Signal(content);
  Object.assign(content, { modelChanged: new Signal(content) });
  let places: Map<string, CellPlace> = new Map();
  const notebook = {
    panel: { content },
    cells: [] as string[],
    problems: [],
    pipeline: undefined as unknown,
    placeOf: (id: string) => places.get(id),
  };
  const changed = new Signal(notebook);
  Object.assign(notebook, { changed });
  const made = jest.fn(
    () =>
      new CellMark(
        nullTranslator.load('stepwell'),
        () => {},
        () => {},
      ),
  );
  const marks = new CellMarks(notebook as unknown as INotebookPipeline, made as () => CellMark);
  return {
    marks,
    made,
    content,
    compile(change = (all: typeof cells) => all) {
      const now = change(cells);
      notebook.pipeline = compile({ nbformat: 4, nbformat_minor: 5, metadata: {}, cells: now }).pipeline;
      notebook.cells = now.map(({ id }) => id);
      places = placesOf(now, notebook.pipeline as never);
      changed.emit(undefined);
    },
    show() {
      content.widgets = cells.map(({ id }) => new FakeCell({ id }));
      content.model.cells.changed.emit(undefined);
    },
  };
}
const chips = (cells: readonly FakeCell[]) => cells.map(({ node }) => node.querySelector('.stepwell-chip-name')?.textContent ?? null);
const frame = () => new Promise(resolve => requestAnimationFrame(resolve));

it('marks cells that come after the notebook was compiled, each when it is built', async () => {
  const { compile, show, content, made } = opened('step:a', 'step:b');
  compile();
  show();
  await frame();
  expect(made).not.toHaveBeenCalled();
  await content.widgets[1]!.build();
  expect(chips(content.widgets)).toEqual([null, 'b']);
  await content.widgets[0]!.build();
  expect(chips(content.widgets)).toEqual(['a', 'b']);
});

it('touches only the cells whose look changed', async () => {
  const { compile, show, content } = opened('step:a', 'step:b');
  compile();
  show();
  await frame();
  for (const cell of content.widgets) await cell.build();
  const [first, second] = content.widgets.map(({ node }) => node.querySelector('.stepwell-bar'));
  compile(cells => cells.map((cell, index) => (index === 1 ? { ...cell, metadata: { tags: ['step:c'] } } : cell)));
  expect(chips(content.widgets)).toEqual(['a', 'c']);
  expect(content.widgets[0]!.node.querySelector('.stepwell-bar')).toBe(first);
  expect(content.widgets[1]!.node.querySelector('.stepwell-bar')).not.toBe(second);
});

it('takes the mark off a cell that belongs to nothing any more', async () => {
  const { compile, show, content } = opened('step:a');
  compile();
  show();
  await frame();
  await content.widgets[0]!.build();
  expect(content.widgets[0]!.hasClass('stepwell-cell')).toBe(true);
  compile(() => []);
  expect(content.widgets[0]!.node.querySelector('.stepwell-mark')).toBeNull();
  expect(content.widgets[0]!.hasClass('stepwell-cell')).toBe(false);
});

it('leaves cells alone once the notebook is closed', async () => {
  const { marks, compile, show, content } = opened('step:a');
  compile();
  show();
  await frame();
  marks.dispose();
  await content.widgets[0]!.build();
  expect(chips(content.widgets)).toEqual([null]);
});
