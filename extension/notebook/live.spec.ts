import { YNotebook } from '@jupyter/ydoc';
import { LiveNotebook } from './live';

interface CellText {
  source: string;
  tags?: string[];
  markdown?: boolean;
}

function notebookOf(cells: CellText[], metadata: Record<string, unknown> = { language_info: { name: 'python' } }): YNotebook {
  const notebook = YNotebook.create();
  notebook.setMetadata(metadata as never);
  notebook.insertCells(
    0,
    cells.map(({ source, tags, markdown }, index) => ({
      id: `c${index}`,
      cell_type: markdown ? 'markdown' : 'code',
      source,
      metadata: tags ? { tags } : {},
    })),
  );
  return notebook;
}

const live = (notebook: YNotebook) => new LiveNotebook(notebook, () => 'demo', { delay: 40, atLatest: 400 });
const train: CellText[] = [
  { source: '# Title', markdown: true },
  { source: 'a = 1', tags: ['step:load'] },
  { source: 'print(a)' },
  { source: 'b = a + 1', tags: ['step:train'] },
];

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

it('compiles what is there when it opens', () => {
  const { compiled, tagged } = live(notebookOf(train));
  expect(tagged).toBe(true);
  expect(compiled.pipeline!.name).toBe('demo');
  expect(compiled.pipeline!.steps.map(({ name, cells }) => [name, cells.map(({ cell }) => cell)])).toEqual([
    ['load', [1, 2]],
    ['train', [3]],
  ]);
});

it('says of each cell where it stands', () => {
  const notebook = live(notebookOf([...train, { source: 'import os', tags: ['imports'] }, { source: '1/0', tags: ['skip'] }]));
  expect(notebook.placeOf('c0')).toBeUndefined();
  expect(notebook.placeOf('c1')).toEqual({ role: 'step', step: 'load', index: 0, first: true, implied: false });
  expect(notebook.placeOf('c2')).toEqual({ role: 'step', step: 'load', index: 0, first: false, implied: true });
  expect(notebook.placeOf('c3')).toMatchObject({ step: 'train', index: 1, first: true });
  expect(notebook.placeOf('c4')).toEqual({ role: 'imports', first: false, implied: false });
  expect(notebook.placeOf('c5')).toMatchObject({ role: 'skip' });
});

it('leaves an untagged notebook alone', () => {
  const notebook = live(notebookOf([{ source: 'print(nobody)' }]));
  expect(notebook.tagged).toBe(false);
  expect(notebook.compiled).toEqual({ problems: [] });
  expect(notebook.placeOf('c0')).toBeUndefined();
});

it('makes no pipeline of a notebook in another language', () => {
  const { compiled } = live(notebookOf([{ source: 'x <- 1', tags: ['step:a'] }], { language_info: { name: 'R' } }));
  expect(compiled.pipeline).toBeUndefined();
  expect(compiled.problems.map(({ code }) => code)).toEqual(['wrong-language']);
});

describe('after a change', () => {
  const changes: [string, (notebook: YNotebook) => void, (live: LiveNotebook) => unknown, unknown][] = [
    [
      'of the code',
      n => n.cells[1]!.setSource('a = undefined_name'),
      l => l.compiled.problems.map(({ code }) => code).includes('unknown-name'),
      true,
    ],
    [
      'of tags',
      n => n.cells[3]!.setMetadata('tags', ['step:fit']),
      l => l.compiled.pipeline!.steps.map(({ name }) => name),
      ['load', 'fit'],
    ],
    ['of the order', n => n.moveCells(3, 1), l => l.compiled.pipeline!.steps.map(({ name }) => name), ['train', 'load']],
    ['of the settings', n => n.setMetadata('stepwell', { name: 'wine' }), l => l.compiled.pipeline!.name, 'wine'],
    ['that takes a cell out', n => n.deleteCell(3), l => l.compiled.pipeline!.steps.map(({ name }) => name), ['load']],
    [
      'of a cell that came later',
      n => {
        n.addCell({ cell_type: 'code', source: '', metadata: {} });
        n.cells[4]!.setMetadata('tags', ['step:new']);
        n.cells[4]!.setSource('c = 1');
      },
      l => l.compiled.pipeline!.steps.map(({ name }) => name),
      ['load', 'train', 'new'],
    ],
  ];
  it.each(changes)('%s it compiles anew', (_, change, read, expected) => {
    const notebook = notebookOf(train);
    const one = live(notebook);
    const told = jest.fn();
    one.changed.connect(told);
    change(notebook);
    expect(told).not.toHaveBeenCalled();
    jest.advanceTimersByTime(40);
    expect(told).toHaveBeenCalledTimes(1);
    expect(read(one)).toEqual(expected);
  });
});

it('waits while someone types, but not forever', () => {
  const notebook = notebookOf(train);
  const one = live(notebook);
  const told = jest.fn();
  one.changed.connect(told);
  for (let key = 0; key < 15; key++) {
    notebook.cells[1]!.updateSource(0, 0, 'x');
    jest.advanceTimersByTime(30);
  }
  expect(told).toHaveBeenCalledTimes(1);
});

it('does not compile because a cell printed something', () => {
  const notebook = notebookOf(train);
  const one = live(notebook);
  const told = jest.fn();
  one.changed.connect(told);
  const cell = notebook.cells[1] as unknown as { setOutputs(outputs: unknown[]): void; execution_count: number };
  cell.setOutputs([{ output_type: 'stream', name: 'stdout', text: 'hello' }]);
  cell.execution_count = 3;
  jest.advanceTimersByTime(1000);
  expect(told).not.toHaveBeenCalled();
});

it('gives the notebook as it is in the editor, without the outputs that a run makes', () => {
  const notebook = notebookOf([...train, { source: '1/0', tags: ['skip'] }]);
  const one = live(notebook);
  const output = { output_type: 'stream', name: 'stdout', text: 'kept\n' };
  for (const index of [1, 4]) (notebook.cells[index] as unknown as { setOutputs(outputs: unknown[]): void }).setOutputs([output]);
  notebook.cells[1]!.setSource('a = 2');
  const { cells, nbformat, nbformat_minor } = one.snapshot();
  expect([nbformat, nbformat_minor]).toEqual([4, 5]);
  expect(cells[0]).toMatchObject({ cell_type: 'markdown', source: '# Title' });
  expect(cells[1]).toEqual({
    cell_type: 'code',
    id: 'c1',
    source: 'a = 2',
    metadata: { tags: ['step:load'] },
    outputs: [],
    execution_count: null,
  });
  expect(cells[4]).toMatchObject({ outputs: [output] });
});

it('compiles at once when asked, and once only', () => {
  const notebook = notebookOf(train);
  const one = live(notebook);
  const told = jest.fn();
  one.changed.connect(told);
  notebook.cells[1]!.setSource('a = 2');
  one.refresh();
  one.refresh();
  jest.advanceTimersByTime(1000);
  expect(told).toHaveBeenCalledTimes(1);
});

it('is silent once it is disposed of', () => {
  const notebook = notebookOf(train);
  const one = live(notebook);
  const told = jest.fn();
  one.changed.connect(told);
  notebook.cells[1]!.setSource('a = 2');
  one.dispose();
  notebook.cells[1]!.setSource('a = 3');
  jest.advanceTimersByTime(1000);
  expect(told).not.toHaveBeenCalled();
});
