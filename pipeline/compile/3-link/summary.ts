/** A cell's analysis in the form in which linking asks it: sets and maps, made once per analysis and kept as long as the analysis is. */
import { isHistory } from '../2-analyse';
import type { CellAnalysis, Use } from '../analysis';

export interface Summary {
  /** Names that the cell reads from above. */
  exposed: Map<string, Use>;
  /** Offset from which a name is certainly bound by the cell itself. */
  settled: Map<string, number>;
  /** Names bound as code, certainly. */
  defined: Set<string>;
  /** Every name that it loads. */
  uses: Set<string>;
  /** It reads IPython's memory of earlier cells, as far as nobody binds those names. */
  remembers: boolean;
  /** It binds a name to something that certainly can't leave its process. */
  keeps: boolean;
}

const kept = new WeakMap<CellAnalysis, Summary>();

export function summary(analysis: CellAnalysis): Summary {
  let one = kept.get(analysis);
  if (!one) {
    one = summarise(analysis);
    kept.set(analysis, one);
  }
  return one;
}

function summarise({ reads, uses, assigns, definitions }: CellAnalysis): Summary {
  const settled = new Map<string, number>();
  const settle = (name: string, at: number): void => {
    const before = settled.get(name);
    if (before === undefined || at < before) settled.set(name, at);
  };
  for (const { name, certain, settled: at, range } of assigns) if (certain) settle(name, at ?? range.to);
  const defined = new Set<string>();
  for (const { names, certain, range } of definitions) {
    if (!certain) continue;
    for (const name of names) {
      if (name === '*') continue;
      settle(name, range.to);
      defined.add(name);
    }
  }
  return {
    exposed: new Map(reads.map(use => [use.name, use])),
    settled,
    defined,
    uses: new Set(uses.map(use => use.name)),
    remembers: reads.some(({ name }) => isHistory(name)),
    keeps: assigns.some(one => one.stays !== undefined),
  };
}
