import { YNotebook } from '@jupyter/ydoc';
import type { Fix, Problem } from '../../pipeline/model/problem';
import { applyFix, byCell } from './fix';

function notebook() {
  const shared = new YNotebook();
  shared.fromJSON({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { stepwell: { version: 1, odd: 'kept', steps: { a: { retrys: 1, inputs: ['x'] } } } },
    cells: [
      { cell_type: 'code', id: 'one', source: 'a = 1', metadata: { tags: ['step:a', 'mine'] }, outputs: [], execution_count: null },
      { cell_type: 'code', id: 'two', source: 'print(aa)', metadata: {}, outputs: [], execution_count: null },
    ],
  });
  const was = shared.cells.map(({ id, source }) => ({ id, source }));
  return { shared, apply: (fix: Fix) => applyFix(shared, fix, cell => was[cell]) };
}

describe('a fix', () => {
  it.each<[Fix, object]>([
    [
      { do: 'set-step-setting', label: '', step: 'a', key: 'retries', value: 1 },
      { version: 1, odd: 'kept', steps: { a: { retrys: 1, inputs: ['x'], retries: 1 } } },
    ],
    [
      { do: 'set-step-setting', label: '', step: 'b', key: 'after', value: ['a'] },
      { version: 1, odd: 'kept', steps: { a: { retrys: 1, inputs: ['x'] }, b: { after: ['a'] } } },
    ],
    [
      { do: 'remove-step-setting', label: '', step: 'a', key: 'retrys' },
      { version: 1, odd: 'kept', steps: { a: { inputs: ['x'] } } },
    ],
  ])('writes settings and leaves the others alone: %j', (fix, expected) => {
    const { shared, apply } = notebook();
    expect(apply(fix)).toBe(true);
    expect(shared.getMetadata('stepwell')).toEqual(expected);
  });

  it('takes out a step whose last setting goes', () => {
    const { shared, apply } = notebook();
    apply({ do: 'remove-step-setting', label: '', step: 'a', key: 'retrys' });
    apply({ do: 'remove-step-setting', label: '', step: 'a', key: 'inputs' });
    expect(shared.getMetadata('stepwell')).toEqual({ version: 1, odd: 'kept' });
  });

  it('replaces the text of the cell it was made for, also after the cell has moved', () => {
    const { shared, apply } = notebook();
    shared.moveCell(1, 0);
    expect(apply({ do: 'replace-text', label: '', cell: 1, range: { from: 6, to: 8 }, text: 'a' })).toBe(true);
    expect(shared.cells[0]!.source).toBe('print(a)');
  });

  it('leaves a cell alone that has another text by now, or is gone', () => {
    const { shared, apply } = notebook();
    const fix: Fix = { do: 'replace-text', label: '', cell: 1, range: { from: 6, to: 8 }, text: 'a' };
    shared.cells[1]!.setSource('print(aaa)');
    expect(apply(fix)).toBe(false);
    expect(shared.cells[1]!.source).toBe('print(aaa)');
    shared.deleteCell(1);
    expect(apply(fix)).toBe(false);
  });

  it('sets tags, and one undo brings them back', () => {
    const { shared, apply } = notebook();
    shared.clearUndoHistory();
    expect(apply({ do: 'set-cell-tags', label: '', cell: 0, tags: ['step:b', 'mine'] })).toBe(true);
    expect(shared.cells[0]!.getMetadata('tags')).toEqual(['step:b', 'mine']);
    shared.undo();
    expect(shared.cells[0]!.getMetadata('tags')).toEqual(['step:a', 'mine']);
  });
});

it('shows a problem at its cell, at its step, or at none', () => {
  const problem = (place: Partial<Problem>): Problem => ({ code: 'bad-setting', severity: 'error', message: 'm', ...place });
  const [here, step, nowhere, gone] = [problem({ cell: 1 }), problem({ step: 'a' }), problem({}), problem({ cell: 7 })];
  const found = byCell([here, step, nowhere, gone], ['one', 'two'], name => (name === 'a' ? 0 : undefined));
  expect(found).toEqual(
    new Map([
      ['two', [here]],
      ['one', [step]],
    ]),
  );
});
