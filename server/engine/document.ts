/** Writes the task document of an attempt: everything the runner needs to know, and nothing else. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Literal, ParameterType } from '../../pipeline/model/parameter';
import type { Cell, Definition } from '../../pipeline/model/pipeline';
import { type TaskCell, type TaskDocument, taskFormat } from '../../pipeline/model/task';
import { looksAt } from './looks';
import type { Given, RunState } from './state';
import type { Unit } from './units';

/** Index of the cell that sets the given parameters; it is in no notebook until the executed one is written. */
export const injectedCell = -1;

export interface Places {
  run: string;
  /** The notebook's folder. */
  folder: string;
  artifacts: string;
  /** Folder of one attempt. */
  attemptFolder(unit: string, attempt: number): string;
  /** The text of a cell of the notebook. */
  source(cell: number): string;
  /** Number that each code cell would have in a run from top to bottom. */
  executionCount(cell: number): number;
  /** Cells that nbclient lets fail (tag `raises-exception`). */
  mayRaise(cell: number): boolean;
}

export function taskDocument(state: RunState, unit: Unit, attempt: number, given: Given, places: Places): TaskDocument {
  const { pipeline, options } = state;
  const first = unit.index === 0;
  const shared = first ? [] : pipeline.sharedCells.map(asDefinition);
  const attemptFolder = places.attemptFolder(unit.name, attempt);
  const cell = (one: Cell): TaskCell => ({
    ...one,
    executionCount: places.executionCount(one.cell),
    ...(places.mayRaise(one.cell) ? { mayRaise: true } : {}),
  });
  const parameters: Record<string, Literal> = {};
  for (const { name, type, default: value } of pipeline.parameters) {
    if (!first && !unit.parameters.includes(name)) continue;
    if (Object.hasOwn(options.parameters, name)) parameters[name] = asTyped(options.parameters[name]!, type);
    else if (value !== undefined) parameters[name] = value;
  }
  const prelude = [...shared, ...unit.prelude];
  const origins = [...new Set(prelude.map(definition => definition.cell))].filter(one => !unit.cells.some(({ cell }) => cell === one));
  return {
    format: taskFormat,
    run: places.run,
    step: unit.name,
    attempt,
    token: randomBytes(16).toString('hex'),
    prelude,
    sources: origins.map(one => cell({ cell: one, source: places.source(one) })),
    parameters,
    inputs: given,
    sharedCells: first ? [...pipeline.sharedCells.map(cell), ...pipeline.parameterCells.map(cell)].sort((a, b) => a.cell - b.cell) : [],
    cells: unit.cells.map(cell),
    wanted: given.wanted,
    definitions: [...new Set([...unit.definitions, ...pipeline.steps.flatMap(step => step.defines)])],
    metrics: unit.metrics,
    freshRandom: !state.seeded,
    looksAt: looksAt(state, unit, places.folder),
    folder: places.folder,
    workspace: join(attemptFolder, 'workspace'),
    artifacts: places.artifacts,
    attemptFolder,
    env: unit.settings.env ?? {},
    limits: { memory: bytes(unit.settings.resources?.memory), timeout: unit.settings.timeout },
  };
}

/** A whole number that stands for a float is written `2.0`, which JSON can say and JavaScript's numbers cannot. */
function asTyped(value: Literal, type: ParameterType): Literal {
  if (type.kind === 'optional') return value === null ? null : asTyped(value, type.of);
  if (type.kind === 'number') return Number.isInteger(value) && !String(value).includes('e') ? rawJson(`${value}.0`) : value;
  if (type.kind === 'list' && Array.isArray(value)) return value.map(one => asTyped(one, type.of));
  if (type.kind !== 'dict' || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, asTyped(one, type.of)]));
}

/** Node 24 has it; the language's types do not yet. What it gives is only good for `JSON.stringify`. */
const rawJson = (JSON as unknown as { rawJSON(text: string): Literal }).rawJSON;

const asDefinition = (cell: Cell): Definition => ({ names: [], kind: 'setup', source: cell.source, cell: cell.cell, line: 0 });

const factors: Record<string, number> = {
  '': 1,
  k: 1e3,
  K: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};

/** Bytes of a quantity as Kubernetes writes them (`2Gi`, `500M`). Undefined for none, or for what is no quantity. */
export function bytes(quantity: number | string | undefined): number | undefined {
  if (quantity === undefined || typeof quantity === 'number') return quantity;
  const match = /^(\d+(?:\.\d+)?)(k|K|M|G|T|Ki|Mi|Gi|Ti)?$/.exec(quantity.trim());
  return match ? Math.round(Number(match[1]) * factors[match[2] ?? '']!) : undefined;
}
