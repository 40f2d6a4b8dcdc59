import { suggest } from '../../pipeline/compile';
import type { Notebook } from '../../pipeline/model/notebook';
import { preview } from './preview';

const notebook = (...sources: string[]): Notebook => ({
  nbformat: 4,
  nbformat_minor: 5,
  metadata: { language_info: { name: 'python' } },
  cells: sources.map((source, index) => ({
    cell_type: source.startsWith('#') ? 'markdown' : 'code',
    id: `c${index}`,
    source,
    metadata: {},
    outputs: [],
    execution_count: null,
  })),
});

it('shows the steps that headings would make, with what crosses between them', () => {
  const one = notebook(
    'import math',
    '## Load',
    'rows = list(range(3))\nspare = len(rows)',
    '## Sum',
    'total = math.fsum(rows)',
    'print(total)',
  );
  const before = structuredClone(one);
  const { groups, errors } = preview(one, suggest(one));
  expect(
    groups.map(({ name, step, reads, writes, cells }) => ({ name, step, reads, writes, cells: cells.map(({ cell }) => cell) })),
  ).toEqual([
    { name: 'imports', step: false, reads: [], writes: [], cells: [0] },
    { name: 'load', step: true, reads: [], writes: ['rows'], cells: [2] },
    { name: 'sum', step: true, reads: ['rows'], writes: [], cells: [4, 5] },
  ]);
  expect(errors).toEqual([]);
  expect(one).toEqual(before);
});

it('names the line of a cell that says something', () => {
  const one = notebook('## A', '%matplotlib inline\nx = 1', '## B', '\n\nprint(x)  # shows');
  expect(preview(one, suggest(one)).groups.map(({ cells }) => cells.map(({ line }) => line))).toEqual([
    ['%matplotlib inline'],
    ['print(x)  # shows'],
  ]);
});

it('tells what would still be wrong', () => {
  const one = notebook('## A', 'x = (', '## B', 'print(x)');
  expect(preview(one, suggest(one)).errors).toHaveLength(1);
});
