/**
 * The order in which cells run, made safe. Shared cells run before every step and a step's cells run together; where either would give
 * another answer than top to bottom, the cell is put where it stands: a shared cell joins the step above it, a step that is left and
 * taken up again becomes two.
 */
import type { Problem } from '../../model/problem';
import type { ReadCell, Reading, ReadStep } from '../1-read/read';
import { isBuiltin } from '../2-analyse';
import type { CellAnalysis } from '../analysis';
import type { Effects } from './effects';
import { summary } from './summary';

/** A cell where it runs, with what is known of it. */
export interface PlacedCell extends ReadCell {
  analysis: CellAnalysis;
}

export interface PlacedStep extends ReadStep {
  cells: PlacedCell[];
}

export interface Arrangement {
  shared: PlacedCell[];
  parameters: PlacedCell[];
  steps: PlacedStep[];
  problems: Problem[];
}

export function arrange(reading: Reading, cells: PlacedCell[], effects: Effects): Arrangement {
  const problems: Problem[] = [];
  const placed = settleShared(reading, cells, problems);
  const settings = new Map(reading.steps.map(step => [step.name, step.settings]));
  const taken = new Set(settings.keys());
  const steps: PlacedStep[] = [];
  /** The part of each named step that cells are added to now, and all its parts. */
  const open = new Map<string, PlacedStep>();
  const parts = new Map<string, string[]>();
  let last: PlacedStep | undefined;
  for (const cell of placed) {
    if (cell.role !== 'step') continue;
    let step = open.get(cell.step);
    if (step && step !== last && !mayMove(cell, steps, step, effects)) {
      const name = another(cell.step, taken);
      problems.push({
        code: 'step-defined-twice',
        severity: 'warning',
        message: `Cell ${cell.cell + 1} continues the step "${cell.step}" after other steps whose code it depends on or changes; from here on it runs as a step of its own, "${name}".`,
        cell: cell.cell,
        step: name,
      });
      step = undefined;
      parts.get(cell.step)!.push(name);
      const { inputs: _, outputs: __, ...kept } = settings.get(cell.step) ?? {};
      step = { name, settings: kept, cells: [] };
      steps.push(step);
      open.set(cell.step, step);
    }
    if (!step) {
      step = { name: cell.step, settings: settings.get(cell.step) ?? {}, cells: [] };
      steps.push(step);
      open.set(cell.step, step);
      parts.set(cell.step, [cell.step]);
    }
    step.cells.push(cell);
    last = step;
  }
  if (steps.length === 0) for (const step of reading.steps) steps.push({ ...step, cells: [] });
  for (const step of steps) {
    const { after } = step.settings;
    if (!after?.some(name => (parts.get(name)?.length ?? 0) > 1)) continue;
    step.settings = { ...step.settings, after: after.flatMap(name => parts.get(name) ?? [name]).filter(name => name !== step.name) };
  }
  return {
    shared: placed.filter(cell => cell.role === 'shared'),
    parameters: placed.filter(cell => cell.role === 'parameters'),
    steps,
    problems,
  };
}

function another(name: string, taken: Set<string>): string {
  for (let count = 2; ; count++) {
    const candidate = `${name.slice(0, 59)}-${count}`;
    if (taken.has(candidate)) continue;
    taken.add(candidate);
    return candidate;
  }
}

/** Shared cells that depend on where they stand become cells of the step above them. */
function settleShared(reading: Reading, cells: PlacedCell[], problems: Problem[]): PlacedCell[] {
  if (!cells.some(cell => cell.role === 'shared')) return cells;
  const stepNames = new Set<string>();
  for (const { role, analysis } of cells) {
    if (role === 'shared') continue;
    for (const { name } of analysis.assigns) stepNames.add(name);
    for (const name of summary(analysis).defined) stepNames.add(name);
  }
  const sharedNames = new Set<string>();
  const bound = new Set<string>();
  let current = reading.steps[0]?.name ?? 'notebook';
  let below = false;
  const result: PlacedCell[] = [];
  for (const cell of cells) {
    const { analysis } = cell;
    const { exposed, defined } = summary(analysis);
    let placed = cell;
    if (cell.role === 'step') {
      current = cell.step;
      below = true;
    } else if (cell.role === 'shared') {
      const reason = whyNotShared(cell, below, name => stepNames.has(name) && !sharedNames.has(name), bound);
      if (reason) {
        problems.push({
          code: 'tag-conflict',
          severity: 'warning',
          message: `Cell ${cell.cell + 1} can't run before every step, because it ${reason}; it runs as part of the step "${current}".`,
          cell: cell.cell,
          step: current,
        });
        placed = { ...cell, role: 'step', step: current };
        for (const { name } of analysis.assigns) stepNames.add(name);
        for (const name of defined) stepNames.add(name);
      } else {
        for (const { name } of analysis.assigns) sharedNames.add(name);
        for (const name of defined) sharedNames.add(name);
      }
    }
    for (const { name } of analysis.assigns) bound.add(name);
    for (const name of defined) bound.add(name);
    // A cell above that reads a name early would see what this one binds only in top-to-bottom order.
    if (placed.role === 'step') for (const name of exposed.keys()) if (!isBuiltin(name)) bound.add(name);
    result.push(placed);
  }
  return result;
}

function whyNotShared(
  { analysis }: PlacedCell,
  below: boolean,
  fromStep: (name: string) => boolean,
  bound: Set<string>,
): string | undefined {
  const { exposed, defined } = summary(analysis);
  for (const name of exposed.keys()) if (fromStep(name)) return `needs "${name}"`;
  if (!below) return undefined;
  for (const { name, code } of analysis.assigns) if (!code && bound.has(name)) return `gives "${name}" a value again`;
  for (const { names, certain, kind } of analysis.definitions) {
    if (certain && kind !== 'import') for (const name of names) if (bound.has(name)) return `defines "${name}" again`;
  }
  for (const { name } of analysis.mutates) if (bound.has(name) && !defined.has(name)) return `changes "${name}"`;
  if (analysis.channels.changes.length > 0) return `changes ${analysis.channels.changes[0]}`;
  if (analysis.files.writesAny || analysis.files.writes.length > 0) return 'writes a file';
  if (analysis.dynamic.some(one => one.writes)) return 'runs code that cannot be followed';
  return undefined;
}

/** Whether a cell gives the same answer when it runs with `step`, above all steps that began after it. */
function mayMove(cell: PlacedCell, steps: PlacedStep[], step: PlacedStep, effects: Effects): boolean {
  const moved = touched(cell, effects);
  if (moved.any) return false;
  for (const other of steps.slice(steps.indexOf(step) + 1)) {
    for (const passed of other.cells) {
      if (passed.cell > cell.cell) continue;
      const met = touched(passed, effects);
      if (met.any || meet(met.writes, moved.reads) || meet(moved.writes, met.reads) || meet(moved.writes, met.writes)) return false;
    }
  }
  return true;
}

interface Touched {
  reads: Set<string>;
  writes: Set<string>;
  /** It changes an object it did not make, or runs code that cannot be followed: anything may share that object. */
  any: boolean;
}

function touched({ analysis }: PlacedCell, effects: Effects): Touched {
  const { defined, settled } = summary(analysis);
  const reads = new Set<string>(analysis.channels.reads);
  const writes = new Set<string>([...defined, ...analysis.channels.changes, ...analysis.assigns.map(({ name }) => name)]);
  let any = analysis.dynamic.length > 0 || analysis.files.readsAny || analysis.files.writesAny || analysis.errors.length > 0;
  for (const { path } of analysis.files.reads) reads.add(`file:${path}`);
  for (const { path } of analysis.files.writes) writes.add(`file:${path}`);
  const queue = analysis.uses.map(({ name }) => name);
  const changed = [...analysis.mutates.map(({ name }) => name), ...analysis.calls.flatMap(call => effects.changed(call))];
  while (queue.length > 0) {
    const name = queue.pop()!;
    if (reads.has(name)) continue;
    reads.add(name);
    const effect = effects.get(name);
    if (!effect) continue;
    queue.push(...effect.reads);
    changed.push(...effect.mutates);
    for (const one of effect.assigns) writes.add(one);
    for (const one of effect.channels.reads) reads.add(one);
    for (const one of effect.channels.changes) writes.add(one);
    if (effect.dynamic.reads || effect.dynamic.writes || effect.files.writesAny || effect.files.readsAny) any = true;
    for (const { path } of effect.files.reads) reads.add(`file:${path}`);
    for (const { path } of effect.files.writes) writes.add(`file:${path}`);
  }
  for (const name of changed) if (!settled.has(name)) any = true;
  return { reads, writes, any };
}

function meet(a: Set<string>, b: Set<string>): boolean {
  for (const one of a) if (b.has(one)) return true;
  return false;
}
