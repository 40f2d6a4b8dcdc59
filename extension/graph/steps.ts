/** What the graph and the list show of a pipeline: its steps, and the names that cross between them. */
import { isChannel, isFile, isVariable } from '../../pipeline/model/name';
import type { Pipeline, Step } from '../../pipeline/model/pipeline';
import type { Problem } from '../../pipeline/model/problem';
import type { StepRunStatus } from '../../pipeline/model/run';

/** A step of a run, beside its name. `note` is what follows the status: `2.1 s`. */
export interface StepState {
  status: StepRunStatus;
  /** The status in words, translated. */
  label: string;
  note?: string;
}

export interface GraphStep {
  name: string;
  /** Position in notebook order: colours and numbers go by it. */
  index: number;
  inputs: string[];
  outputs: string[];
  parameters: string[];
  cells: number;
  errors: number;
  warnings: number;
}

/** `names` is empty where only the order is asked for (`after`). */
export interface GraphLink {
  from: string;
  to: string;
  names: string[];
}

export interface StepGraphData {
  steps: GraphStep[];
  links: GraphLink[];
}

export function graphOf(pipeline: Pipeline, problems: readonly Problem[] = []): StepGraphData {
  const stepOfCell = new Map(pipeline.steps.flatMap(({ name, cells }) => cells.map(({ cell }) => [cell, name] as const)));
  const counts = new Map<string, { errors: number; warnings: number }>();
  for (const { step, cell, severity } of problems) {
    const name = step ?? (cell === undefined ? undefined : stepOfCell.get(cell));
    if (name === undefined || severity === 'info') continue;
    const count = counts.get(name) ?? { errors: 0, warnings: 0 };
    counts.set(name, count);
    if (severity === 'error') count.errors++;
    else count.warnings++;
  }
  const taken = new Map<string, Set<string>>();
  for (const { reads } of pipeline.steps) {
    for (const { name, from } of reads) if (from !== undefined) taken.set(from, (taken.get(from) ?? new Set()).add(name));
  }
  const steps = pipeline.steps.map((step, index) => ({
    name: step.name,
    index,
    inputs: inputsOf(step),
    outputs: outputsOf(step, taken.get(step.name)),
    parameters: step.parameters,
    cells: step.cells.length,
    errors: counts.get(step.name)?.errors ?? 0,
    warnings: counts.get(step.name)?.warnings ?? 0,
  }));
  return { steps, links: pipeline.steps.flatMap(linksTo) };
}

/** What the step is given by steps above, in the order of its reads. */
export const inputsOf = ({ reads }: Step): string[] => reads.filter(({ from }) => from !== undefined).map(({ name }) => name);

/** What steps below take from it, and what the settings declare. */
export function outputsOf(step: Step, taken: ReadonlySet<string> | undefined): string[] {
  const declared = step.settings.outputs ?? [];
  return step.writes.map(({ name }) => name).filter(name => taken?.has(name) || declared.includes(name));
}

function linksTo({ name, reads, dependsOn }: Step): GraphLink[] {
  const byStep = new Map(dependsOn.map(from => [from, [] as string[]]));
  for (const read of reads) {
    if (read.from === undefined) continue;
    const names = byStep.get(read.from) ?? [];
    byStep.set(read.from, names);
    names.push(read.name);
  }
  return [...byStep].map(([from, names]) => ({ from, to: name, names }));
}

/** A name as people read it: a file by its path, a channel without its mark, anything as "everything". */
export function shown(name: string): string {
  if (name === '*') return '…';
  if (isFile(name)) return name.slice('file:'.length);
  return isChannel(name) ? name.slice(1) : name;
}

/** What kind of thing crosses. */
export const kindOf = (name: string): 'variable' | 'file' | 'channel' =>
  isVariable(name) ? 'variable' : isFile(name) ? 'file' : 'channel';

/** The steps that are at most `hops` links away from `focus`: what is drawn of a pipeline too large to be read whole. */
export function around({ steps, links }: StepGraphData, focus: string, hops: number): StepGraphData {
  const near = new Set([focus]);
  for (let hop = 0; hop < hops; hop++) {
    const reached = [...near];
    for (const { from, to } of links) {
      if (reached.includes(from)) near.add(to);
      if (reached.includes(to)) near.add(from);
    }
  }
  return { steps: steps.filter(({ name }) => near.has(name)), links: links.filter(({ from, to }) => near.has(from) && near.has(to)) };
}
