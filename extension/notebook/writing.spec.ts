import { YNotebook } from '@jupyter/ydoc';
import type { JSONObject } from '@lumino/coreutils';
import { renameStep, tagsOf } from './writing';

function notebook(tags: unknown[], stepwell?: JSONObject) {
  const shared = new YNotebook();
  shared.fromJSON({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: stepwell ? { stepwell } : {},
    cells: tags.map((tags, index) => ({
      cell_type: 'code',
      id: `cell-${index}`,
      source: '',
      metadata: { tags } as JSONObject,
      outputs: [],
      execution_count: null,
    })),
  });
  shared.clearUndoHistory();
  return { shared, tags: () => shared.cells.map(tagsOf), settings: () => shared.getMetadata('stepwell') as unknown };
}

describe('a step that gets another name', () => {
  it('has it on all its cells; other tags stay as and where they are', () => {
    const { shared, tags } = notebook([['hide-input', 'step:a', 'mine'], ['step:ab'], ['step: a'], ['a', 'stepped:a'], ['skip', 'step:a']]);
    renameStep(shared, 'a', 'b');
    expect(tags()).toEqual([['hide-input', 'step:b', 'mine'], ['step:ab'], ['step:b'], ['a', 'stepped:a'], ['skip', 'step:b']]);
  });

  it("keeps Kale's tags as Kale's, and what is to run after it", () => {
    const { shared, tags } = notebook([
      ['block:a', 'image:a', 'label:a:b'],
      ['block:c', 'prev:a', 'prev:z'],
    ]);
    renameStep(shared, 'a', 'b');
    expect(tags()).toEqual([
      ['block:b', 'image:a', 'label:a:b'],
      ['block:c', 'prev:b', 'prev:z'],
    ]);
  });

  it('takes its settings along, in their place, and is named in those of others', () => {
    const { shared, settings } = notebook([['step:a']], {
      version: 1,
      odd: 'kept',
      steps: { first: { after: ['a', 'z'] }, a: { retries: 2, unknown: [1] }, last: { after: 'a' } },
    });
    renameStep(shared, 'a', 'b');
    expect(settings()).toEqual({
      version: 1,
      odd: 'kept',
      steps: { first: { after: ['b', 'z'] }, b: { retries: 2, unknown: [1] }, last: { after: 'a' } },
    });
    expect(Object.keys((settings() as { steps: object }).steps)).toEqual(['first', 'b', 'last']);
  });

  it.each([
    ['before', { a: { retries: 2, after: ['x', 'b'] }, b: { retries: 1, timeout: 9 } }],
    ['after', { b: { retries: 1, timeout: 9 }, a: { retries: 2, after: ['x', 'b'] } }],
  ])('is one with the step that has the name already, be its settings %s', (_, steps) => {
    const { shared, tags, settings } = notebook([['step:a', 'step:b'], ['step:a']], { steps });
    renameStep(shared, 'a', 'b');
    expect(tags()).toEqual([['step:b'], ['step:b']]);
    expect(settings()).toEqual({ steps: { b: { retries: 2, timeout: 9, after: ['x'] } } });
  });

  it('is one change to those who share the notebook, and one undo brings the tags back', () => {
    const { shared, tags } = notebook([['step:a'], ['step:a'], ['step:c']], { steps: { a: { retries: 2 } } });
    let transactions = 0;
    shared.ydoc.on('afterTransaction', ({ changed }) => (transactions += changed.size > 0 ? 1 : 0));
    renameStep(shared, 'a', 'b');
    expect(transactions).toBe(1);
    shared.undo();
    expect(tags()).toEqual([['step:a'], ['step:a'], ['step:c']]);
  });

  it('leaves metadata alone that could not be meant', () => {
    const { shared, tags, settings } = notebook([['step:a'], 'step:a', [1, 'step:a'], undefined], { steps: 'a', odd: 1 });
    renameStep(shared, 'a', '$&');
    expect(tags()).toEqual([['step:$&'], [], ['step:$&'], []]);
    expect(settings()).toEqual({ steps: 'a', odd: 1 });
  });
});
