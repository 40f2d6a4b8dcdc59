import { compile } from '../../pipeline/compile';
import { around, graphOf, shown } from './steps';

const graph = (...cells: [string, string][]) => {
  const { pipeline, problems } = compile({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: cells.map(([step, source]) => ({ cell_type: 'code', source, metadata: { tags: [`step:${step}`] }, outputs: [] })),
  });
  return graphOf(pipeline!, problems);
};

it('links steps by the names that cross', () => {
  const { steps, links } = graph(['load', 'a = 1\nb = 2'], ['use', 'print(a, b)'], ['more', 'print(b)']);
  expect(links).toEqual([
    { from: 'load', to: 'use', names: ['a', 'b'] },
    { from: 'load', to: 'more', names: ['b'] },
  ]);
  expect(steps.map(({ name, inputs, outputs }) => [name, inputs, outputs])).toEqual([
    ['load', [], ['a', 'b']],
    ['use', ['a', 'b'], []],
    ['more', ['b'], []],
  ]);
});

it('counts the problems of each step', () => {
  const { steps } = graph(['good', 'a = 1'], ['bad', 'print(nobody)\nx = ('], ['worse', 'print(a, nobody)']);
  expect(steps.map(({ errors, warnings }) => [errors > 0, warnings > 0])).toEqual([
    [false, false],
    [true, expect.any(Boolean)],
    [false, true],
  ]);
});

it('takes the neighbourhood out of a graph that is too large', () => {
  const chain = Array.from({ length: 10 }, (_, index): [string, string] => [
    `s${index}`,
    `x${index} = ${index === 0 ? 1 : `x${index - 1}`}`,
  ]);
  const { steps, links } = around(graph(...chain), 's5', 2);
  expect(steps.map(({ name }) => name)).toEqual(['s3', 's4', 's5', 's6', 's7']);
  expect(links).toHaveLength(4);
});

it.each([
  ['file:data/x.csv', 'data/x.csv'],
  ['@numpy.random', 'numpy.random'],
  ['model', 'model'],
  ['*', '…'],
])('names %s as people do', (name, words) => {
  expect(shown(name)).toBe(words);
});
