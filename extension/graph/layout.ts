/**
 * Where the steps of a graph stand: in layers, each step below all those it waits for. Within a layer the order follows the neighbours
 * (barycentres, a few sweeps), then each step moves as near to its neighbours' middle as the others in its layer let it. A link that passes
 * layers takes a place in each, so that it runs between the steps and not across them.
 *
 * Steps come in notebook order and links only go down, which makes all this linear: 300 steps take a few milliseconds, so that the graph is
 * drawn anew at each edit without a worker. (A general library took up to a second for the same graph.)
 */
export interface Link {
  from: string;
  to: string;
}

export interface Sizes {
  /** Along a layer, and from layer to layer. */
  breadth: number;
  depth: number;
  gap: number;
  layerGap: number;
}

export interface Placed {
  /** The middle of each step: across (along its layer) and down (its layer). */
  steps: Map<string, Point>;
  /** For each link, the points that it passes between its ends. */
  bends: Point[][];
}

export interface Point {
  across: number;
  down: number;
}

interface Spot {
  layer: number;
  breadth: number;
  across: number;
  above: Spot[];
  below: Spot[];
}

/** More places than this for links that pass, and they are drawn straight. */
const mostBends = 3000;

export function layout(steps: readonly string[], links: readonly Link[], sizes: Sizes): Placed {
  const spots = new Map<string, Spot>(steps.map(name => [name, { layer: 0, breadth: sizes.breadth, across: 0, above: [], below: [] }]));
  const drawn = links.filter(({ from, to }) => spots.has(from) && spots.has(to));
  const into = new Map<string, string[]>();
  for (const { from, to } of drawn) into.set(to, [...(into.get(to) ?? []), from]);
  for (const name of steps) {
    const spot = spots.get(name)!;
    for (const from of into.get(name) ?? []) spot.layer = Math.max(spot.layer, spots.get(from)!.layer + 1);
  }
  const layers: Spot[][] = [];
  const place = (spot: Spot): Spot => {
    const layer = layers[spot.layer] ?? [];
    layers[spot.layer] = layer;
    layer.push(spot);
    return spot;
  };
  for (const name of steps) place(spots.get(name)!);

  const passed = drawn.reduce((sum, { from, to }) => sum + Math.max(0, spots.get(to)!.layer - spots.get(from)!.layer - 1), 0);
  // Links of one step share their way down.
  const ways = new Map<string, Spot>();
  const connect = (above: Spot, below: Spot): void => {
    if (above.below.includes(below)) return;
    above.below.push(below);
    below.above.push(above);
  };
  const chains = links.map(({ from, to }): Spot[] => {
    const [start, end] = [spots.get(from), spots.get(to)];
    if (!start || !end) return [];
    const chain: Spot[] = [];
    let last = start;
    for (let layer = start.layer + 1; passed <= mostBends && layer < end.layer; layer++) {
      const key = `${layer} ${from}`;
      const way = ways.get(key) ?? place({ layer, breadth: sizes.gap, across: 0, above: [], below: [] });
      ways.set(key, way);
      connect(last, way);
      chain.push(way);
      last = way;
    }
    connect(last, end);
    return chain;
  });

  for (const layer of layers) settle(layer, sizes, () => undefined);
  for (let sweep = 0; sweep < 4; sweep++) {
    for (const layer of layers) arrange(layer, sizes, ({ above }) => above);
    for (const layer of [...layers].reverse()) arrange(layer, sizes, ({ below }) => below);
  }
  for (let sweep = 0; sweep < 4; sweep++) {
    for (const layer of layers) settle(layer, sizes, ({ above, below }) => middle(sweep % 2 ? [...above, ...below] : above));
    for (const layer of [...layers].reverse()) settle(layer, sizes, ({ above, below }) => middle(sweep % 2 ? [...above, ...below] : below));
  }

  const point = ({ across, layer }: Spot): Point => ({ across, down: layer * (sizes.depth + sizes.layerGap) });
  return {
    steps: new Map([...spots].map(([name, spot]) => [name, point(spot)])),
    bends: chains.map(chain => chain.map(point)),
  };
}

const middle = (spots: readonly Spot[]): number | undefined =>
  spots.length === 0 ? undefined : spots.reduce((sum, { across }) => sum + across, 0) / spots.length;

/** Brings a layer into the order of its neighbours' middles; who has none stays between those beside it. */
function arrange(layer: Spot[], sizes: Sizes, neighbours: (spot: Spot) => Spot[]): void {
  const wanted = new Map(layer.map(spot => [spot, middle(neighbours(spot)) ?? spot.across]));
  layer.sort((a, b) => wanted.get(a)! - wanted.get(b)!);
  settle(layer, sizes, spot => wanted.get(spot));
}

/**
 * Moves the spots of a layer, in their order, to where the sum of squared distances from the wanted places is least while nothing overlaps:
 * pools of neighbours that would overlap move as one to their mean.
 */
function settle(layer: readonly Spot[], { gap }: Sizes, wanted: (spot: Spot) => number | undefined): void {
  const offsets: number[] = [];
  for (const [index, { breadth }] of layer.entries()) {
    offsets.push(index === 0 ? 0 : offsets[index - 1]! + (layer[index - 1]!.breadth + breadth) / 2 + gap);
  }
  const pools: { sum: number; count: number }[] = [];
  for (const [index, spot] of layer.entries()) {
    let pool = { sum: (wanted(spot) ?? spot.across) - offsets[index]!, count: 1 };
    for (let last = pools.at(-1); last && last.sum / last.count >= pool.sum / pool.count; last = pools.at(-1)) {
      pool = { sum: last.sum + pool.sum, count: last.count + pool.count };
      pools.pop();
    }
    pools.push(pool);
  }
  let index = 0;
  for (const { sum, count } of pools) {
    for (const end = index + count; index < end; index++) layer[index]!.across = sum / count + offsets[index]!;
  }
}
