/** What a step that has finished turned out to use, so that it can be told later whether it would use the same again. */
import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Digest } from '../../pipeline/model/artifact';
import { fileName } from '../../pipeline/model/name';
import type { Fingerprint, Used } from '../../pipeline/model/reuse';
import type { TaskResult } from '../../pipeline/model/task';
import type { Artifacts } from '../artifacts';
import { unseen } from './advance';
import type { Fingerprints } from './fingerprints';
import { stampOf } from './fingerprints';
import { reuseSetting } from './key';
import type { Standing } from './place';
import { fingerprintOf, shownAddress } from './remote';
import { type Given, isLost } from './state';
import type { Unit } from './units';

export interface Finish {
  run: string;
  unit: Unit;
  given: Given;
  result: TaskResult;
  /** The blob that has the result. */
  digest: Digest;
  standing: Standing;
  imports: string[];
  folder: string;
  made: string;
  /** The target that it ran at. */
  target: string;
  /** The environment that steps are started with. */
  env: NodeJS.ProcessEnv;
  /** What the addresses among its sources gave before it ran; undefined where one gave nothing, or nobody has asked. */
  remote: Record<string, string | undefined>;
}

/** More are not followed one by one. */
const most = 20_000;

/** All of it, or why an answer like this cannot be recognised: the end of a sentence that begins with the step. */
export async function usedBy(done: Finish, artifacts: Artifacts, fingerprints: Fingerprints): Promise<Used | { unfit: string }> {
  const { run, unit, given, result, standing, imports, folder, made, env, remote } = done;
  const { sources, environment } = result;
  if (done.target !== 'local') return { unfit: `ran on ${done.target}, and what it read there cannot be looked at from here` };
  if (!sources || !environment) return { unfit: 'was run by a runner that does not tell what it used' };
  if (sources.programs.length > 0 && !reuseSetting(unit).asked)
    return {
      unfit: `ran a program (${sources.programs.join(', ')}), and what that read is not known; set its reuse to on to use its answer again all the same`,
    };
  if (sources.variables.includes('*')) return { unfit: 'looked through all variables of the environment' };
  if (Object.keys(sources.files).length > most) return { unfit: `opened more than ${most} files` };
  const isGiven = (name: string) => Object.hasOwn(given.files, name);
  const taken: Record<'files' | 'folders' | 'wrote', Record<string, Fingerprint>> = { files: {}, folders: {}, wrote: {} };
  for (const kind of ['files', 'folders'] as const) {
    for (const [name, stamp] of Object.entries(sources[kind])) {
      if (kind === 'files' && isGiven(name)) continue;
      const found = await fingerprints.take(resolve(folder, name), stamp);
      if (!found) return { unfit: `read ${name}, which changed meanwhile` };
      taken[kind][name] = found;
    }
  }
  for (const name of sources.wrote) {
    const found = await fingerprints.take(resolve(folder, name));
    if (!found) return { unfit: `wrote ${name}, which is still being changed` };
    taken.wrote[name] = found;
  }
  for (const [address, before] of Object.entries(remote)) {
    if (before === undefined) return { unfit: `read ${shownAddress(address)}, of which it was not known what it gave` };
    if ((await fingerprintOf(address)) !== before) return { unfit: `read ${shownAddress(address)}, which changed meanwhile` };
  }
  const interpreter = await fingerprints.take(environment.executable);
  if (!interpreter) return { unfit: 'ran in a Python that cannot be looked at' };
  const blobs: Record<Digest, string> = {};
  const outputs = Object.values(result.provided).flatMap(value => ('digest' in value && !isLost(value) ? [value.digest] : []));
  for (const digest of new Set([done.digest, ...outputs])) {
    const info = await stat(artifacts.path(digest), { bigint: true }).catch(() => undefined);
    if (!info) return { unfit: 'lost an output' };
    blobs[digest] = stampOf(info);
  }
  const names = new Set([...result.used, ...unit.reads.filter(unseen), ...Object.keys(sources.files).map(fileName)]);
  if (sources.variables.length > 0) names.add('@environ');
  return {
    run,
    step: unit.name,
    made,
    wanted: given.wanted,
    names: [...names].filter(name => !name.startsWith('file:/')).sort(),
    given: givenOf([...names], given),
    ...taken,
    remote: remote as Record<string, string>,
    variables: variablesOf([...new Set([...sources.variables, ...unasked])].sort(), env),
    environment: { ...environment, interpreter },
    imports,
    text: standing.text,
    counts: standing.counts,
    blobs,
  };
}

/** Variables that libraries ask for unseen: in C, or when they are imported. */
const unasked = [
  'CUDA_VISIBLE_DEVICES',
  'LANG',
  'LC_ALL',
  'MKL_NUM_THREADS',
  'MPLBACKEND',
  'OMP_NUM_THREADS',
  'OPENBLAS_NUM_THREADS',
  'PYTHONHASHSEED',
  'TZ',
];

/** What the channels and files of these names are in what a unit is given. */
export function givenOf(names: readonly string[], { channels, files }: Given): Used['given'] {
  const found: Used['given'] = {};
  const file = (path: string) => {
    if (Object.hasOwn(files, path)) found[fileName(path)] = files[path]?.digest ?? 'removed';
  };
  for (const name of names) {
    if (name === 'file:*') {
      found[name] = 'any';
      for (const path of Object.keys(files)) file(path);
    } else if (name.startsWith('file:')) file(name.slice('file:'.length));
    else if (channels[name]) found[name] = channels[name].digest;
  }
  return found;
}

/** Values may be secrets: kept is what tells two apart, and too little to guess one from. */
export function variablesOf(names: readonly string[], env: NodeJS.ProcessEnv): Used['variables'] {
  const digest = (name: string) => createHash('sha256').update(`${name}=${env[name]}`).digest('hex').slice(0, 8);
  return Object.fromEntries(names.map(name => [name, env[name] === undefined ? null : digest(name)]));
}
