/**
 * The key of a step: everything that decides what it gives and is known before it runs. Two units with the same key do the same, as long as
 * what they read outside of the run is the same too; that is compared by `candidate.ts`.
 */
import { createHash } from 'node:crypto';
import { codeText, holdsLiteralsOnly, sharedCode, wordsOf } from '../../pipeline/compile/code';
import type { Literal } from '../../pipeline/model/parameter';
import type { Pipeline } from '../../pipeline/model/pipeline';
import type { KeyParts } from '../../pipeline/model/reuse';
import { bind } from './binding';
import type { Places } from './document';
import type { Given, RunState } from './state';
import type { Unit } from './units';

/** Where a run's steps are, as far as the key has to know. */
export type KeyPlaces = Pick<Places, 'folder' | 'mayRaise'>;

export function keyParts(state: RunState, unit: Unit, given: Given, places: KeyPlaces): { parts: KeyParts; imports: string[] } {
  const { pipeline, options } = state;
  const first = unit.index === 0;
  const texts = unit.cells.map(cell => textOf(cell.source));
  const words = wordsOf([...texts, ...unit.prelude.map(one => textOf(one.source))].join('\n'));
  for (const value of Object.values(given.values)) for (const name of value.needs ?? []) words.add(name);
  if (unit.reads.includes('*')) words.add('*');
  const shared = sharedCode(pipeline.sharedCells, words);
  // What the cell of the parameters does beyond naming literals, it does in the first step.
  const plain = holdsLiteralsOnly(pipeline.parameterCells);
  const parameterTexts = first && !plain ? pipeline.parameterCells.map(cell => textOf(cell.source)) : [];
  const code: Record<string, string> = {};
  const setup = [...shared.always, ...parameterTexts];
  for (const { names, kind, source } of unit.prelude) {
    const name = `${names.join()}${kind === 'function' ? '()' : ''}`;
    if (names.length === 0) setup.push(textOf(source));
    else code[name] = sha256(`${code[name] ?? ''}${textOf(source)}`);
  }
  for (const [names, text] of Object.entries(shared.reached)) code[names] = sha256(`${code[names] ?? ''}${text}`);
  const inputs: KeyParts['inputs'] = {};
  for (const [name, { digest }] of Object.entries(given.values)) {
    const binding = bind(state, unit.index, name);
    inputs[name] = { digest, ...('by' in binding ? { by: state.units[binding.by]!.name } : {}) };
  }
  return {
    imports: shared.imports,
    parts: {
      cells: unit.cells.map((cell, i) => `${places.mayRaise(cell.cell) ? 'may raise ' : ''}${sha256(texts[i]!)}`),
      code,
      setup: sha256(JSON.stringify(setup)),
      parameters: parametersOf(pipeline, options.parameters, first && !plain ? undefined : unit.parameters),
      inputs,
      settings: settingsOf(state, unit, places.folder),
    },
  };
}

/** What earlier answers are looked up by. */
export const keyDigest = ({ inputs, ...parts }: KeyParts): string =>
  sha256(stable({ ...parts, inputs: Object.fromEntries(Object.entries(inputs).map(([name, { digest }]) => [name, digest])) }));

/** The part of the key that is the person's doing, without what came from elsewhere. */
export const codeDigest = ({ inputs: _inputs, ...parts }: KeyParts): string => sha256(stable(parts));

/** Whether a step's settings let an earlier answer count, and how old it may be in seconds. `asked`: they say so in so many words. */
export function reuseSetting(unit: Unit): { allowed: boolean; maxAge: number; asked: boolean } {
  const settings = unit.steps.map(({ settings }) => settings.reuse);
  const ages = settings.flatMap(one => (typeof one === 'object' ? [one.maxAge] : []));
  return {
    allowed: settings.every(one => one !== false),
    maxAge: Math.min(Number.POSITIVE_INFINITY, ...ages),
    asked: settings.every(one => one === true || typeof one === 'object'),
  };
}

function parametersOf(
  { parameters }: Pipeline,
  chosen: Record<string, Literal>,
  names: readonly string[] | undefined,
): Record<string, Literal> {
  const values: Record<string, Literal> = {};
  for (const { name, default: value, source } of parameters) {
    if (names !== undefined && !names.includes(name)) continue;
    const one = Object.hasOwn(chosen, name) ? chosen[name] : value === undefined ? source : value;
    if (one !== undefined) values[name] = one;
  }
  return values;
}

/** Settings that can change the answer. Retries, limits and resources decide whether there is one. */
function settingsOf(state: RunState, unit: Unit, folder: string): Record<string, unknown> {
  const { pipeline, options } = state;
  const { env, secrets, image, target } = unit.settings;
  const touched = new Set([...unit.reads, ...unit.writes.keys()]);
  const definitions = [...unit.definitions, ...definedIn(pipeline)].filter(name => touched.has(name));
  return {
    env: env ?? {},
    secrets: secrets ?? {},
    image: image ?? null,
    target: target ?? options.target ?? 'local',
    python: options.python ?? null,
    metrics: unit.metrics,
    'seeded generators': state.seeded,
    'types of parameters': pipeline.parameters.filter(({ name }) => unit.parameters.includes(name)).map(({ name, type }) => [name, type]),
    'names that travel as code': [...new Set(definitions)].sort(),
    folder,
  };
}

const defined = new WeakMap<Pipeline, Set<string>>();

/** Names that any step defines as code. */
function definedIn(pipeline: Pipeline): Set<string> {
  let names = defined.get(pipeline);
  if (!names) {
    names = new Set(pipeline.steps.flatMap(step => step.defines));
    defined.set(pipeline, names);
  }
  return names;
}

/** The text of a cell stays what it is: kept by source. */
const kept = new Map<string, string>();

function textOf(source: string): string {
  let text = kept.get(source);
  if (text === undefined) {
    if (kept.size > 20_000) kept.clear();
    text = codeText(source);
    kept.set(source, text);
  }
  return text;
}

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** JSON with keys in order, so that equal values are equal texts. */
function stable(value: unknown): string {
  return JSON.stringify(value, (_key, one) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}
