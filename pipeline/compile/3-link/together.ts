/**
 * Steps that have to run in one process, as far as it is certain before the run: what a step reads of IPython's memory of earlier cells (`_`, `Out[3]`), and values that can't
 * leave the process that made them. All else the run finds out (docs/running.md, rule 6).
 */
import type { Range } from '../../model/problem';
import { isHistory } from '../2-analyse';
import type { Arrangement, PlacedCell } from './arrange';
import type { Linked, Writer } from './link';
import { summary } from './summary';

export interface Together {
  /** Index of the step that reads, and of the one above from which on all steps run in its process. */
  reader: number;
  provider: number;
  name: string;
  /** What stays, in words; absent for IPython's memory. */
  kind?: string;
  /** Where it is made, or, for IPython's memory, used. */
  cell: number;
  range?: Range;
}

export function together(arrangement: Arrangement, linked: Linked): Together[] {
  return [...remembered(arrangement, linked), ...staying(linked), ...setUp(linked)];
}

/** Writes the joins into the steps: each names the first step of its process. */
export function join(linked: Linked, found: readonly Together[]): void {
  for (const { reader, provider } of found) {
    const { step } = linked.steps[reader]!;
    const before = step.joins === undefined ? reader : linked.steps.findIndex(one => one.step.name === step.joins);
    if (provider < before) step.joins = linked.steps[provider]!.step.name;
  }
}

function* remembered({ shared, parameters }: Arrangement, { steps, given }: Linked): Iterable<Together> {
  let order: { cell: PlacedCell; step: number }[] | undefined;
  for (const [reader, { cells, folded, reads }] of steps.entries()) {
    if (reader === 0 || !cells.some(cell => summary(cell.analysis).remembers)) continue;
    for (const [name, need] of folded.needs) {
      if (!need.direct || !isHistory(name) || reads.has(name) || given.has(name)) continue;
      order ??= [
        ...[...shared, ...parameters].map(cell => ({ cell, step: 0 })),
        ...steps.flatMap(({ cells }, step) => cells.map(cell => ({ cell, step }))),
      ]
        .filter(({ cell }) => cell.source.trim() !== '')
        .sort((a, b) => a.cell.cell - b.cell.cell);
      const provider = Math.min(...holders(name, need.cell, order));
      if (provider < reader) yield { reader, provider, name, cell: need.cell, ...(need.range ? { range: need.range } : {}) };
    }
  }
}

/** Steps with the cells whose input or result the name stands for when `cell` runs. */
function holders(name: string, cell: number, order: readonly { cell: PlacedCell; step: number }[]): number[] {
  const at = order.findIndex(one => one.cell.cell === cell);
  const numbered = (number: number): number => order[number - 1]?.step ?? 0;
  const own = /^_i?(\d+)$/.exec(name);
  if (own) return [numbered(Number(own[1]))];
  if (/^_i+$/.test(name)) return [order[at - name.length + 1]?.step ?? 0];
  if (/^_+$/.test(name)) {
    // A cell that may show nothing leaves `_` as it was.
    let missing = name.length;
    for (let i = at - 1; i >= 0; i--) if (order[i]!.cell.analysis.shows && --missing === 0) return [order[i]!.step];
    return [0];
  }
  const { source } = order[at]!.cell;
  const numbers = [...source.matchAll(new RegExp(`(?<![\\w.])${name}\\b(?:\\s*\\[\\s*(\\d+)\\s*\\])?`, 'g'))].map(match => match[1]);
  return numbers.length > 0 ? numbers.map(number => (number === undefined ? 0 : numbered(Number(number)))) : [0];
}

function* staying({ steps, definitions, writers }: Linked): Iterable<Together> {
  const made = new Set<string>();
  for (const { cells } of steps) {
    for (const { analysis } of cells) {
      if (summary(analysis).keeps) for (const { name, stays } of analysis.assigns) if (stays) made.add(name);
    }
  }
  if (made.size === 0) return;
  for (const [reader, { folded, reads }] of steps.entries()) {
    for (const name of reads.keys()) {
      const need = made.has(name) ? folded.needs.get(name) : undefined;
      if (!need?.direct || need.maybe || definitions.isCode(name)) continue;
      let writer: Writer | undefined = writers.get(name);
      while (writer && writer.step >= reader) writer = writer.before;
      // A step that only changes the object hands it on.
      for (; writer; writer = writer.before) {
        const provider = writer.step;
        const cell = steps[provider]!.cells.findLast(({ analysis }) => analysis.assigns.some(one => one.name === name));
        if (!cell) continue;
        const assign = cell.analysis.assigns.find(one => one.name === name)!;
        if (assign.stays) yield { reader, provider, name, kind: assign.stays, cell: cell.cell, range: assign.range };
        break;
      }
    }
  }
}

function* setUp({ steps }: Linked): Iterable<Together> {
  for (const [reader, { staying: setup }] of steps.entries()) {
    if (!setup) continue;
    const name = /^[\p{L}\p{N}_.]+/u.exec(setup.source)![0];
    yield { reader, provider: setup.step, name, kind: 'set with a variable', cell: setup.cell, range: setup.use.range };
  }
}
