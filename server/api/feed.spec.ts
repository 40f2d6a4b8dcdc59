/** Feeds under everything that can happen at once: items that are written while others are read, clients that stop and go, reads that fail. */
import * as fc from 'fast-check';
import { Feed, State } from './feed';

interface Item {
  n: number;
}

/** Turns of the event loop: what was begun goes on. */
const turns = async (count: number) => {
  for (let i = 0; i < count; i++) await new Promise(resolve => setImmediate(resolve));
};

/** What may happen next. */
const happening = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('write' as const), items: fc.integer({ min: 1, max: 5 }), told: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('turn' as const), times: fc.integer({ min: 1, max: 4 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('open' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('repeat' as const), back: fc.integer({ min: 1, max: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('fail' as const) }) },
);

it('sends each item once and in order, whatever happens in between', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(happening, { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 0, max: 4 }),
      fc.integer({ min: 1, max: 3 }),
      async (story, after, batch) => {
        const written: Item[] = Array.from({ length: 4 }, (_, i) => ({ n: i + 1 }));
        const sent: number[] = [];
        const outlet = { open: true };
        let failing = 0;
        const feed = new Feed<Item>({
          outlet,
          after,
          numberOf: ({ n }) => n,
          async read(from) {
            await turns(1);
            if (failing > 0) {
              failing--;
              throw new Error('the disk is busy');
            }
            const found = written.slice(from, from + batch);
            await turns(1);
            return { items: found, more: from + batch < written.length };
          },
          send(items) {
            // As a client would: what is handed over while it is behind would pile up.
            expect(outlet.open).toBe(true);
            sent.push(...items.map(({ n }) => n));
          },
          failed() {},
        });
        feed.go();
        for (const one of story) {
          if (one.do === 'write') {
            const fresh = Array.from({ length: one.items }, (_, i) => ({ n: written.length + i + 1 }));
            written.push(...fresh);
            if (one.told) feed.tell(fresh);
          } else if (one.do === 'turn') await turns(one.times);
          else if (one.do === 'close') outlet.open = false;
          else if (one.do === 'open') {
            outlet.open = true;
            feed.go();
          } else if (one.do === 'repeat') feed.tell(written.slice(-one.back));
          else failing = 1;
        }
        outlet.open = true;
        failing = 0;
        feed.tell(written.slice(-1));
        for (let i = 0; i < 100 && sent.length < written.length - after; i++) await new Promise(resolve => setTimeout(resolve, 1));
        await turns(10);
        feed.end();
        expect(sent).toEqual(written.slice(after).map(({ n }) => n));
      },
    ),
    { numRuns: 150 },
  );
});

it('says no more once it has ended', async () => {
  const sent: Item[] = [];
  const feed = new Feed<Item>({
    outlet: { open: true },
    after: 0,
    numberOf: ({ n }) => n,
    read: async () => ({ items: [{ n: 1 }], more: false }),
    send: items => void sent.push(...items),
    failed() {},
  });
  feed.go();
  feed.end();
  feed.tell([{ n: 1 }]);
  await turns(5);
  expect(sent).toEqual([]);
});

it('reads on by itself when what it heard of is not written yet', async () => {
  const written: Item[] = [];
  const sent: number[] = [];
  const done = new Promise<void>(resolve => {
    const feed = new Feed<Item>({
      outlet: { open: true },
      after: 0,
      numberOf: ({ n }) => n,
      read: async from => ({ items: written.slice(from), more: false }),
      send(items) {
        sent.push(...items.map(({ n }) => n));
        resolve();
      },
      failed() {},
    });
    // The second was told, the first is not to be skipped.
    feed.tell([{ n: 2 }]);
    setTimeout(() => written.push({ n: 1 }, { n: 2 }), 30);
  });
  await done;
  expect(sent).toEqual([1, 2]);
});

describe('a state', () => {
  interface Part {
    key: string;
    value: number;
  }
  const make = (load: () => Promise<Part[]>, outlet = { open: true }) => {
    const sent: [boolean, Part[]][] = [];
    const state = new State<string, Part>({
      outlet,
      load,
      keyOf: ({ key }) => key,
      send: (items, whole) => void sent.push([whole, items]),
      failed() {},
    });
    return { state, sent, outlet };
  };

  it('is sent whole, then what changed, also while it was being read', async () => {
    let give: (parts: Part[]) => void = () => {};
    const { state, sent } = make(() => new Promise(resolve => (give = resolve)));
    state.go();
    state.tell([{ key: 'a', value: 2 }]);
    give([{ key: 'a', value: 1 }]);
    await turns(2);
    state.tell([{ key: 'b', value: 1 }]);
    expect(sent).toEqual([
      [true, [{ key: 'a', value: 1 }]],
      [false, [{ key: 'a', value: 2 }]],
      [false, [{ key: 'b', value: 1 }]],
    ]);
  });

  it('leaves out for a slow client what is not so any more', async () => {
    const { state, sent, outlet } = make(async () => []);
    state.go();
    await turns(2);
    outlet.open = false;
    for (let value = 0; value < 1000; value++) state.tell([{ key: 'a', value }]);
    expect(sent).toHaveLength(1);
    outlet.open = true;
    state.go();
    expect(sent[1]).toEqual([false, [{ key: 'a', value: 999 }]]);
  });
});
