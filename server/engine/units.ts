/**
 * A unit is what one attempt runs: a step, or several neighbouring steps that had to be joined because a value cannot leave its process
 * (rule 6 of docs/running.md). Units are in notebook order, and "above" and "below" in this room mean that order.
 */
import type { Cell, Definition, Pipeline, Step, StepSettings } from '../../pipeline/model/pipeline';

export interface Unit {
  index: number;
  /** `load`, or for joined steps `load+train`, `load+2+train` (with two between them). */
  name: string;
  steps: Step[];
  cells: Cell[];
  reads: string[];
  /** Predicted: name → whether it is certainly assigned. */
  writes: Map<string, boolean>;
  prelude: Definition[];
  definitions: string[];
  parameters: string[];
  after: string[];
  settings: StepSettings;
  metrics: string[];
}

/** Steps from the first to the last name, notebook order, run in one process. */
export type Join = [first: string, last: string];

/** The pipeline's steps as units, with the given joins. Overlapping joins become one. */
export function units(pipeline: Pipeline, joins: readonly Join[]): Unit[] {
  const position = new Map(pipeline.steps.map((step, index) => [step.name, index]));
  const joinedToNext = new Array<boolean>(pipeline.steps.length).fill(false);
  for (const [first, last] of joins) {
    for (let i = position.get(first)!; i < position.get(last)!; i++) joinedToNext[i] = true;
  }
  const result: Unit[] = [];
  for (let i = 0; i < pipeline.steps.length; i++) {
    const members = [pipeline.steps[i]!];
    while (joinedToNext[i]) members.push(pipeline.steps[++i]!);
    result.push(unit(result.length, members));
  }
  return result;
}

function unit(index: number, steps: Step[]): Unit {
  const reads = new Set<string>();
  const writes = new Map<string, boolean>();
  const own = new Set(steps.flatMap(step => step.cells.map(cell => cell.cell)));
  const prelude = new Map<string, Definition>();
  for (const step of steps) {
    for (const read of step.reads) if (!writes.get(read.name)) reads.add(read.name);
    for (const write of step.writes) writes.set(write.name, write.certain || writes.get(write.name) === true);
    for (const definition of step.prelude) {
      if (!own.has(definition.cell)) prelude.set(`${definition.cell}:${definition.line}:${definition.source}`, definition);
    }
  }
  return {
    index,
    name: unitName(steps),
    steps,
    cells: steps.flatMap(step => step.cells).sort((a, b) => a.cell - b.cell),
    reads: [...reads],
    writes,
    prelude: [...prelude.values()].sort((a, b) => a.cell - b.cell || a.line - b.line),
    definitions: [...new Set(steps.flatMap(step => [...step.prelude.flatMap(definition => definition.names), ...step.defines]))],
    parameters: [...new Set(steps.flatMap(step => step.parameters))],
    after: [...new Set(steps.flatMap(step => step.settings.after ?? []))],
    settings: settings(steps),
    metrics: [...new Set(steps.flatMap(step => step.settings.metrics ?? []))],
  };
}

function unitName(steps: Step[]): string {
  const [first, last] = [steps[0]!.name, steps.at(-1)!.name];
  if (steps.length === 1) return first;
  return steps.length === 2 ? `${first}+${last}` : `${first}+${steps.length - 2}+${last}`;
}

/** Joined steps share one process: the largest limit holds, the kindest failure policy does not (one `stop` is `stop`). */
function settings(steps: Step[]): StepSettings {
  if (steps.length === 1) return steps[0]!.settings;
  const all = steps.map(step => step.settings);
  const timeouts = all.map(one => one.timeout);
  return {
    ...Object.assign({}, ...all),
    env: Object.assign({}, ...all.map(one => one.env)),
    retries: Math.max(...all.map(one => one.retries ?? 0)),
    timeout: timeouts.some(timeout => timeout === undefined) ? undefined : timeouts.reduce<number>((sum, timeout) => sum + timeout!, 0),
    onFailure: all.every(one => one.onFailure === 'continue') ? 'continue' : 'stop',
    outputs: undefined,
    inputs: undefined,
  };
}

/** For each unit, the variables that a unit below may read before certainly assigning them. `keep` are wanted from whoever provides them last. */
export function wanted(all: readonly Unit[], learned: ReadonlyMap<number, ReadonlySet<string>>, keep: readonly string[]): Set<string>[] {
  const result: Set<string>[] = new Array(all.length);
  const live = new Set(keep);
  for (let i = all.length - 1; i >= 0; i--) {
    const one = all[i]!;
    result[i] = new Set(live);
    for (const step of one.steps) for (const name of step.settings.outputs ?? []) result[i]!.add(name);
    for (const [name, certain] of one.writes) if (certain) live.delete(name);
    for (const name of one.reads) if (!name.startsWith('@') && !name.startsWith('file:')) live.add(name);
    for (const name of learned.get(i) ?? []) live.add(name);
  }
  return result;
}
