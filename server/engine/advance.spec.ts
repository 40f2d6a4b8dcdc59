import fc from 'fast-check';
import { type Memory, type Op, type Program, simulate, topToBottom } from './simulation';

const names = ['a', 'b', 'c', 'd'];
const name = fc.constantFrom(...names);
const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ op: fc.constant('assign' as const), name, from: fc.uniqueArray(name, { maxLength: 2 }) }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('mutate' as const), name, from: fc.uniqueArray(name, { maxLength: 1 }) }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('alias' as const), name, of: name }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('draw' as const), name }) },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('write' as const),
      file: fc.constantFrom('x', 'y'),
      from: fc.uniqueArray(name, { maxLength: 1 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('read' as const), file: fc.constantFrom('x', 'y') }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('print' as const), names: fc.uniqueArray(name, { minLength: 1, maxLength: 2 }) }) },
);
/** The same, and reads of a file that fail without it. */
const opThatMayFail = fc.oneof(
  { weight: 6, arbitrary: op },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('need' as const), file: fc.constantFrom('x', 'y') }) },
);
/** Programs whose first step assigns `given`, so that the others fail on names that are not among them and nobody assigned. */
const program = (sees: fc.Arbitrary<boolean[]>, given: string[] = names, ops: fc.Arbitrary<Op> = op): fc.Arbitrary<Program> =>
  fc.record({
    steps: fc
      .array(fc.record({ ops: fc.array(ops, { minLength: 1, maxLength: 4 }), sees, suspects: fc.uniqueArray(name, { maxLength: 2 }) }), {
        minLength: 2,
        maxLength: 6,
      })
      .map(steps => [{ ops: given.map(one => ({ op: 'assign' as const, name: one, from: [] })), sees: [true] }, ...steps]),
    unpicklable: fc.oneof(
      { weight: 3, arbitrary: fc.constant<string[]>([]) },
      { weight: 1, arbitrary: fc.uniqueArray(name, { maxLength: 1 }) },
    ),
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

  it('fails where the notebook fails, with the answers of the steps above', () => {
    const failing = (one: Program, atOnce: number, ends: number[]) => {
      let turn = 0;
      const got = simulate(one, atOnce, running => (ends[turn++ % ends.length] ?? 0) % running);
      const expected = topToBottom(one);
      // Steps that were joined fail as one, so those of them that come before the failure do not count.
      expect(got.printed).toEqual(expected.slice(0, got.printed.length));
      if (one.unpicklable.length === 0) expect(got.printed.length).toBe(expected.length);
      expect(got.status).toBe(expected.length === one.steps.length ? 'succeeded' : 'failed');
    };
    fc.assert(
      fc.property(program(fc.array(fc.boolean(), { minLength: 1, maxLength: 5 }), ['a', 'b'], opThatMayFail), workers, order, failing),
      {
        numRuns: 3000,
      },
    );
  });

  it('gives it with what earlier runs of other versions have worked out', () => {
    const edit = fc.record({ step: fc.nat(5), at: fc.nat(3), op });
    const sees = fc.array(fc.boolean(), { minLength: 1, maxLength: 5 });
    const again = (one: Program, edits: { step: number; at: number; op: Op }[], atOnce: number, ends: number[]) => {
      const memory: Memory = { blobs: new Map(), attempts: [] };
      const run = (version: Program) => {
        let turn = 0;
        const got = simulate(version, atOnce, running => (ends[turn++ % ends.length] ?? 0) % running, memory);
        expect(got.status).toBe('succeeded');
        expect(got.printed).toEqual(topToBottom(version));
        return got.attempts;
      };
      const versions = [one];
      for (const { step, at, op } of edits) {
        const steps = versions.at(-1)!.steps.map(({ ops, ...rest }, index) => {
          const changed = index === 1 + (step % (one.steps.length - 1));
          return { ...rest, ops: changed ? ops.map((before, i) => (i === at % ops.length ? op : before)) : ops };
        });
        versions.push({ ...one, steps });
      }
      for (const version of [...versions, ...versions]) run(version);
      // What has been answered as it is now needs no attempt, but for what is only learnt by failing.
      if (one.steps.every(step => step.sees.every(Boolean))) expect(run(one)).toBe(0);
    };
    fc.assert(fc.property(program(sees), fc.array(edit, { maxLength: 3 }), workers, order, again), { numRuns: 1500 });
    fc.assert(fc.property(program(fc.constant([true])), fc.array(edit, { maxLength: 3 }), workers, order, again), { numRuns: 500 });
  });
});
