import fc from 'fast-check';
import { type Op, type Program, simulate, topToBottom } from './simulation';

const names = ['a', 'b', 'c', 'd'];
const name = fc.constantFrom(...names);
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('assign' as const), name, from: fc.uniqueArray(name, { maxLength: 2 }) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('mutate' as const), name, from: fc.uniqueArray(name, { maxLength: 1 }) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('alias' as const), name, of: name }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('draw' as const), name }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('write' as const), file: fc.constantFrom('x', 'y'), from: fc.uniqueArray(name, { maxLength: 1 }) }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('read' as const), file: fc.constantFrom('x', 'y') }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('print' as const), names: fc.uniqueArray(name, { minLength: 1, maxLength: 2 }) }) },
);
const program = (sees: fc.Arbitrary<boolean[]>): fc.Arbitrary<Program> =>
  fc.record({
    steps: fc
      .array(fc.record({ ops: fc.array(op, { minLength: 1, maxLength: 4 }), sees }), { minLength: 2, maxLength: 6 })
      .map(steps => [{ ops: names.map(one => ({ op: 'assign' as const, name: one, from: [] })), sees: [true] }, ...steps]),
    unpicklable: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.uniqueArray(name, { maxLength: 1 }) }),
  });

function check(one: Program, workers: number, order: number[]): void {
  let turn = 0;
  const got = simulate(one, workers, running => (order[turn++ % order.length] ?? 0) % running);
  expect(got.status).toBe('succeeded');
  expect(got.printed).toEqual(topToBottom(one));
}

const order = fc.array(fc.nat(7), { minLength: 1, maxLength: 12 });
const workers = fc.integer({ min: 1, max: 4 });

describe('advance', () => {
  it('gives the answer of top to bottom when the analysis sees everything but shared objects', () => {
    fc.assert(fc.property(program(fc.constant([true])), workers, order, check), { numRuns: 1500 });
  });

  it('gives it when the analysis overlooks reads and writes', () => {
    fc.assert(fc.property(program(fc.array(fc.boolean(), { minLength: 1, maxLength: 5 })), workers, order, check), { numRuns: 3000 });
  });
});
