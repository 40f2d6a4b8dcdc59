import { compile } from '../../pipeline/compile';
import type { NotebookCell } from '../../pipeline/model/notebook';
import { placesOf } from '../notebook/place';
import type { INotebookPipeline } from '../tokens';
import { looksOf } from './look';

function looks(sources: [string, ...string[]][], stepwell?: object) {
  const cells = sources.map(([source, ...tags], index): NotebookCell => {
    const cell_type = source.startsWith('#') ? 'markdown' : 'code';
    return { cell_type, id: `c${index}`, source, metadata: tags.length > 0 ? { tags } : {} };
  });
  const { pipeline, problems } = compile({ nbformat: 4, nbformat_minor: 5, metadata: { stepwell }, cells });
  const places = placesOf(cells, pipeline);
  const notebook = { pipeline, problems, cells: cells.map(({ id }) => id!), placeOf: (id: string) => places.get(id) };
  return looksOf(notebook as unknown as INotebookPipeline);
}
const names = (list: { name: string }[] | undefined) => list?.map(({ name }) => name);

it('shows at a step its name, what it takes and what it gives', () => {
  const all = looks([
    ['a = 1\nb = 2', 'step:load'],
    ['print(a)', 'step:show'],
  ]);
  expect(all.get('c0')!.chip).toMatchObject({ step: 'load', index: 0, continued: false });
  expect(names(all.get('c0')!.chip!.flow!.outputs)).toEqual(['a']);
  expect(names(all.get('c1')!.chip!.flow!.inputs)).toEqual(['a']);
});

it('tells what is declared from what was found', () => {
  const all = looks(
    [
      ['a = 1\nb = 2', 'step:load'],
      ['print(a, b)', 'step:show'],
    ],
    { steps: { load: { outputs: ['a'] } } },
  );
  expect(all.get('c0')!.chip!.flow!.outputs).toEqual([
    { name: 'a', declared: true },
    { name: 'b', declared: false },
  ]);
});

it('says once where a stretch of cells belongs, and again where it goes on', () => {
  const all = looks([['a = 1', 'step:x'], ['a2 = 2', 'step:x'], ['# text'], ['b = 1', 'step:y'], ['c = 3', 'step:x']]);
  expect(all.get('c1')!.chip).toBeUndefined();
  expect(all.has('c2')).toBe(false);
  expect(all.get('c4')!.chip).toMatchObject({ step: 'x', continued: true });
  expect(all.get('c4')!.chip!.flow).toBeUndefined();
});

it('marks cells that belong to no step with their role', () => {
  const all = looks([
    ['n = 1', 'parameters'],
    ['import os', 'imports'],
    ['import sys', 'imports'],
    ['1/0', 'skip'],
    ['print(n)', 'step:x'],
  ]);
  expect(['c0', 'c1', 'c2', 'c3'].map(id => all.get(id)!.chip?.role)).toEqual(['parameters', 'imports', undefined, 'skip']);
});

it('shows problems that no code can be underlined for', () => {
  const all = looks([
    ['a = 1', 'step:x'],
    ['b = 1', 'step:x', 'step:y'],
  ]);
  expect(all.get('c1')!.chip!.problems).toHaveLength(1);
});

it('looks at nothing where there is no pipeline', () => {
  expect(looks([['x <- 1']]).get('c0')?.chip?.step).not.toBe('x');
  expect(looksOf({ pipeline: undefined, problems: [], cells: ['c0'], placeOf: () => undefined } as unknown as INotebookPipeline).size).toBe(
    0,
  );
});
