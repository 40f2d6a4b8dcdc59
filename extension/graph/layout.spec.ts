import { type Link, layout } from './layout';

const sizes = { breadth: 100, depth: 40, gap: 20, layerGap: 30 };
const link = (text: string): Link[] =>
  text.split(' ').map(one => {
    const [from, to] = one.split('>');
    return { from: from!, to: to! };
  });

it('puts each step below those it waits for', () => {
  const { steps } = layout(['a', 'b', 'c', 'd'], link('a>b a>c b>d c>d'), sizes);
  const down = (name: string) => steps.get(name)!.down;
  expect([down('a'), down('b'), down('c'), down('d')]).toEqual([0, 70, 70, 140]);
});

it('lets no two steps of a layer overlap', () => {
  const names = Array.from({ length: 12 }, (_, index) => `s${index}`);
  const { steps } = layout(
    ['top', ...names],
    names.map(to => ({ from: 'top', to })),
    sizes,
  );
  const across = names.map(name => steps.get(name)!.across).sort((a, b) => a - b);
  for (const [index, at] of across.entries()) if (index > 0) expect(at - across[index - 1]!).toBeGreaterThanOrEqual(119.99);
  expect(steps.get('top')!.across).toBeCloseTo((across[0]! + across.at(-1)!) / 2);
});

it('orders a layer so that links do not cross without need', () => {
  const { steps } = layout(['a', 'b', 'x', 'y'], link('a>y b>x'), sizes);
  const left = (name: string) => steps.get(name)!.across;
  expect(left('a') < left('b')).toBe(left('y') < left('x'));
});

it('leads a link that passes a layer beside the steps that stand there', () => {
  const { steps, bends } = layout(['a', 'b', 'c'], link('a>b b>c a>c'), sizes);
  expect(bends.map(points => points.length)).toEqual([0, 0, 1]);
  expect(Math.abs(bends[2]![0]!.across - steps.get('b')!.across)).toBeGreaterThanOrEqual(60);
});

it('stands a single step, and none, and links to steps that are not drawn', () => {
  expect(layout(['a'], link('gone>a'), sizes).steps.get('a')).toEqual({ across: 0, down: 0 });
  expect(layout([], [], sizes)).toEqual({ steps: new Map(), bends: [] });
});

it('stays readable and small for a chain that everything hangs on', () => {
  const names = Array.from({ length: 300 }, (_, index) => `s${index}`);
  const links = names.flatMap((to, index) =>
    index === 0 ? [] : [{ from: names[index - 1]!, to }, ...(index > 1 ? [{ from: 's0', to }] : [])],
  );
  const { steps, bends } = layout(names, links, sizes);
  expect(new Set([...steps.values()].map(({ down }) => down)).size).toBe(300);
  expect(bends).toHaveLength(links.length);
});
