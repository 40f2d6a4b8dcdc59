import { YNotebook } from '@jupyter/ydoc';
import { compile } from '../../pipeline/compile';
import { asOne, renameStep, setTags, tagsOf } from '../notebook/writing';
import { inStep, marked, splitStep, withoutPlace } from './tags';

it.each([
  [
    ['hide-input', 'step:a'],
    ['hide-input', 'step:b'],
  ],
  [
    ['block:a', 'prev:x', 'limit:cpu:2'],
    ['prev:x', 'limit:cpu:2', 'step:b'],
  ],
  [
    ['parameters', 'raises-exception'],
    ['raises-exception', 'step:b'],
  ],
  [
    ['step:', 'slideshow'],
    ['slideshow', 'step:b'],
  ],
  [[], ['step:b']],
])('puts a cell tagged %j in a step', (before, after) => {
  expect(inStep(before, 'b')).toEqual(after);
});

it('marks a cell, and takes the mark off again', () => {
  expect(marked(['step:a', 'mine'], 'imports')).toEqual(['mine', 'imports']);
  expect(marked(['mine', 'imports'], 'imports')).toEqual(['mine']);
  expect(marked(['pipeline-parameters'], 'parameters')).toEqual([]);
  expect(withoutPlace(['imports', 'functions', 'tagged'])).toEqual(['tagged']);
});

function notebookOf(cells: [string, ...string[]][], stepwell?: object): YNotebook {
  const notebook = YNotebook.create();
  if (stepwell) notebook.setMetadata('stepwell', stepwell as never);
  notebook.insertCells(
    0,
    cells.map(([source, ...tags], index) => ({ id: `c${index}`, cell_type: 'code', source, metadata: tags.length > 0 ? { tags } : {} })),
  );
  notebook.clearUndoHistory();
  return notebook;
}
const stepsOf = (notebook: YNotebook) =>
  compile(notebook.toJSON()).pipeline!.steps.map(({ name, cells }) => `${name} ${cells.map(({ cell }) => cell)}`);

describe('a step that is split', () => {
  const cells: [string, ...string[]][] = [['a = 1', 'step:load'], ['b = 2'], ['c = 3', 'step:load'], ['d = 4'], ['print(a)', 'step:show']];

  it('goes on under the new name from the cell on, tagged or not', () => {
    const notebook = notebookOf(cells);
    splitStep(notebook, 'load', ['c0', 'c1', 'c2', 'c3'], 'c1', 'more');
    expect(stepsOf(notebook)).toEqual(['load 0', 'more 1,2,3', 'show 4']);
    expect(notebook.cells.map(tagsOf)).toEqual([['step:load'], ['step:more'], ['step:more'], [], ['step:show']]);
  });

  it('keeps how it runs for both parts, and is waited for as a whole', () => {
    const notebook = notebookOf(cells, {
      steps: { load: { retries: 2, outputs: ['a'], mine: 1 }, show: { after: ['load'] } },
      other: true,
    });
    splitStep(notebook, 'load', ['c0', 'c1', 'c2', 'c3'], 'c2', 'more');
    expect(notebook.getMetadata('stepwell')).toEqual({
      other: true,
      steps: { load: { retries: 2, outputs: ['a'], mine: 1 }, show: { after: ['load', 'more'] }, more: { retries: 2, mine: 1 } },
    });
  });
});

describe('one undo', () => {
  it('takes a rename back, with its settings, and leaves what was typed before', () => {
    const notebook = notebookOf(
      [
        ['a = 1', 'step:load'],
        ['b = a', 'step:load'],
      ],
      { steps: { load: { retries: 1 } } },
    );
    notebook.transact(() => notebook.cells[0]!.setSource('a = 2'));
    renameStep(notebook, 'load', 'read');
    expect(notebook.getMetadata('stepwell')).toEqual({ steps: { read: { retries: 1 } } });
    notebook.undo();
    expect(notebook.cells.map(tagsOf)).toEqual([['step:load'], ['step:load']]);
    expect(notebook.getMetadata('stepwell')).toEqual({ steps: { load: { retries: 1 } } });
    expect(notebook.cells[0]!.getSource()).toBe('a = 2');
  });

  it('takes the tags of many cells back together', () => {
    const notebook = notebookOf([['a = 1'], ['b = 2'], ['c = 3']]);
    setTags(notebook, new Map(notebook.cells.map(({ id }) => [id, ['step:x']])));
    notebook.undo();
    expect(notebook.cells.map(tagsOf)).toEqual([[], [], []]);
    notebook.redo();
    expect(notebook.cells.map(tagsOf)).toEqual([['step:x'], ['step:x'], ['step:x']]);
  });

  it('takes several changes made as one back together', () => {
    const notebook = notebookOf([
      ['a = 1', 'step:a'],
      ['b = 2', 'step:b'],
      ['c = 3', 'step:c'],
    ]);
    asOne(notebook, () => {
      renameStep(notebook, 'b', 'a');
      renameStep(notebook, 'c', 'a');
    });
    expect(notebook.cells.map(tagsOf)).toEqual([['step:a'], ['step:a'], ['step:a']]);
    notebook.undo();
    expect(notebook.cells.map(tagsOf)).toEqual([['step:a'], ['step:b'], ['step:c']]);
  });
});
