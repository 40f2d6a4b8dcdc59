/**
 * What `metadata.stepwell` may hold, as small checks that say which path is wrong. The types are in `pipeline.ts`; this table is
 * their image at run time, and the compiler refuses to build it when a key of the type has no check.
 *
 * Plain functions and no schema library: this runs on every keystroke in the browser and at the start of every command.
 */
import type { PipelineSettings, StepSettings } from './pipeline';

/** A value that is not what a setting takes. `path` counts from `metadata.stepwell`. */
export interface BadSetting {
  path: (string | number)[];
  expected: string;
  got: unknown;
  /** True for a key nobody knows: it is kept, and told. */
  unknown?: boolean;
}

type Path = (string | number)[];
/** Adds what is wrong with `value` to `bad`. */
type Check = (value: unknown, path: Path, bad: BadSetting[]) => void;

const is =
  (expected: string, test: (value: unknown) => boolean): Check =>
  (value, path, bad) => {
    if (!test(value)) bad.push({ path, expected, got: value });
  };

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const count = (value: unknown): boolean => typeof value === 'number' && Number.isInteger(value) && value >= 0;
const positive = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value > 0;
const notNegative = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value) && value >= 0;

const text = is('text', value => typeof value === 'string');
const anything: Check = () => {};

const listOf =
  (item: Check, expected: string): Check =>
  (value, path, bad) => {
    if (!Array.isArray(value)) bad.push({ path, expected, got: value });
    else value.forEach((one, index) => void item(one, [...path, index], bad));
  };

const mapOf =
  (item: Check, expected: string): Check =>
  (value, path, bad) => {
    if (!isObject(value)) bad.push({ path, expected, got: value });
    else for (const key of Object.keys(value)) item(value[key], [...path, key], bad);
  };

/** An object with these keys; others are told as unknown. */
const record =
  (keys: Record<string, Check>, expected: string, required: string[] = []): Check =>
  (value, path, bad) => {
    if (!isObject(value)) {
      bad.push({ path, expected, got: value });
      return;
    }
    for (const key of required) if (!Object.hasOwn(value, key)) bad.push({ path: [...path, key], expected: `${expected}`, got: undefined });
    for (const key of Object.keys(value)) {
      if (value[key] === undefined) continue;
      if (Object.hasOwn(keys, key)) keys[key]!(value[key], [...path, key], bad);
      else bad.push({ path: [...path, key], expected: closest(key, Object.keys(keys)), got: value[key], unknown: true });
    }
  };

const either =
  (test: (value: unknown) => boolean, inner: Check, expected: string): Check =>
  (value, path, bad) => {
    if (test(value)) return;
    if (isObject(value)) inner(value, path, bad);
    else bad.push({ path, expected, got: value });
  };

/** A Python name that can be a variable. */
export const isPythonName = (value: unknown): value is string => typeof value === 'string' && /^[\p{L}_][\p{L}\p{N}_]*$/u.test(value);

const pythonNames = listOf(is('a variable name', isPythonName), 'a list of variable names');
const texts = listOf(text, 'a list of texts');
const textMap = mapOf(text, 'an object of texts');
const quantity = (value: unknown): boolean =>
  notNegative(value) ||
  (typeof value === 'string' && /^\d+(\.\d+)?([eE][+-]?\d+)?(m|k|K|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?$/.test(value.trim()));

const resources: Check = (value, path, bad) => {
  if (!isObject(value)) {
    bad.push({ path, expected: 'an object such as {"cpu": 2, "memory": "4Gi"}', got: value });
    return;
  }
  for (const key of Object.keys(value)) {
    if (key === 'gpu') is('a whole number', count)(value[key], [...path, key], bad);
    else is('a number or a quantity such as "500m" or "2Gi"', quantity)(value[key], [...path, key], bad);
  }
};

/** Keys that the types name, without the index signature. */
type Known<T> = { [K in keyof T as string extends K ? never : number extends K ? never : K]: T[K] };

const step: Record<keyof Known<StepSettings>, Check> = {
  inputs: pythonNames,
  outputs: pythonNames,
  after: listOf(text, 'a list of step names'),
  sources: texts,
  files: texts,
  target: text,
  image: text,
  resources,
  env: mapOf(text, 'an object of texts, such as {"OMP_NUM_THREADS": "1"}'),
  secrets: mapOf(record({ secret: text, key: text }, '{"secret": …, "key": …}', ['secret', 'key']), 'an object of secrets'),
  retries: is('a whole number, 0 or more', count),
  backoff: either(
    notNegative,
    record(
      {
        first: is('seconds, 0 or more', notNegative),
        factor: is('a number above 0', positive),
        limit: is('seconds, 0 or more', notNegative),
      },
      'a backoff',
    ),
    'seconds, or {"first": …, "factor": …, "limit": …}',
  ),
  timeout: is('seconds, more than 0', positive),
  reuse: either(
    value => typeof value === 'boolean',
    record({ maxAge: is('seconds, 0 or more', notNegative) }, '{"maxAge": seconds}', ['maxAge']),
    'true, false or {"maxAge": seconds}',
  ),
  onFailure: is('"stop" or "continue"', value => value === 'stop' || value === 'continue'),
  when: text,
  map: text,
  metrics: pythonNames,
  labels: textMap,
  annotations: textMap,
  nodeSelector: textMap,
  tolerations: listOf(anything, 'a list'),
  affinity: is('an object, as in a pod', isObject),
  priorityClass: text,
  volumes: listOf(anything, 'a list'),
  sharedMemory: is('a quantity such as "1Gi"', quantity),
  imagePullSecrets: texts,
  imagePullPolicy: is('"Always", "IfNotPresent" or "Never"', value => ['Always', 'IfNotPresent', 'Never'].includes(value as string)),
  queue: text,
};

const stepSettings = record(step, 'an object of settings');

const pipeline: Record<keyof Known<PipelineSettings> | 'steps', Check> = {
  version: is('a whole number', count),
  name: is('a name that is not empty', value => typeof value === 'string' && value.trim() !== ''),
  description: text,
  environment: anything,
  defaults: stepSettings,
  returns: pythonNames,
  steps: mapOf(stepSettings, 'an object with one entry per step'),
};

const pipelineSettings = record(pipeline, 'an object');

/** Everything wrong with `metadata.stepwell`, in the order of its keys. An empty list means it can be used as it is. */
export function checkSettings(settings: unknown): BadSetting[] {
  const bad: BadSetting[] = [];
  if (settings !== undefined && settings !== null) pipelineSettings(settings, [], bad);
  return bad;
}

/** Keys that a step's settings may have. */
export const stepSettingKeys = Object.keys(step);

/** The known word that `word` is probably meant to be, or an empty text. One or two letters may differ. */
export function closest(word: string, known: readonly string[]): string {
  let best = '';
  let least = word.length <= 4 ? 2 : 3;
  for (const candidate of known) {
    const far = distance(word.toLowerCase(), candidate.toLowerCase(), least);
    if (far < least) [least, best] = [far, candidate];
  }
  return best;
}

/** Edits between two words; a swap of neighbours counts once. Gives up at `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let least = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, before[j - 2]! + 1);
      row.push(least);
    }
    before = last;
    last = row;
  }
  return last[b.length]!;
}
