/**
 * Whether an earlier answer to the same key would come out the same today: the channels and files that the step used, what it read from
 * this machine, the packages, and the blobs that hold what it gave. Cheap questions come first; the first difference is told in words.
 */
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Digest } from '../../pipeline/model/artifact';
import type { Fingerprint, Used } from '../../pipeline/model/reuse';
import type { CellResult, TaskResult } from '../../pipeline/model/task';
import type { Artifacts } from '../artifacts';
import type { Reusable } from '../store';
import { readShortened } from '../targets/shorten';
import type { Places } from './document';
import type { Fingerprints } from './fingerprints';
import { changedPackages } from './installed';
import { reuseSetting } from './key';
import { placed } from './place';
import { fingerprintOf, shownAddress } from './remote';
import type { Finished, Given, Outcome, RunState } from './state';
import type { Unit } from './units';
import { givenOf, variablesOf } from './used';

export interface Question {
  state: RunState;
  unit: Unit;
  given: Given;
  imports: string[];
  places: Pick<Places, 'folder' | 'executionCount'>;
  env: NodeJS.ProcessEnv;
  now: number;
}

export interface Answer {
  given: Given;
  outcome: Outcome;
  finished: Finished;
  used: Used;
  /** The result's cells where the step stands now, when that is elsewhere than then; to be kept as a result of its own. */
  moved?: TaskResult;
}

/** The earlier answer as this unit's, or why it does not count. */
export async function answerFrom(
  { result: digest, used }: Reusable,
  question: Question,
  artifacts: Artifacts,
  fingerprints: Fingerprints,
): Promise<Answer | { missed: string }> {
  const { state, unit, given, places } = question;
  const differs =
    differsAtOnce(used, question) ?? (await differsOnDisk(used, question, fingerprints)) ?? (await damaged(used, artifacts, fingerprints));
  if (differs) return { missed: differs };
  const found = await readShortened<TaskResult>(artifacts.path(digest));
  const result = found?.value;
  if (result?.status !== 'succeeded') return { missed: 'the earlier result cannot be read any more' };
  const asked = new Set(used.wanted);
  const definitions = new Set(unit.definitions);
  const late = given.wanted.find(name => !asked.has(name) && !definitions.has(name) && (name === '*' || result.defined.includes(name)));
  if (late !== undefined && !asked.has('*')) return { missed: `a step below needs \`${late}\` now, which was not kept` };
  const cells = placed(result.cells, used, state, unit, places);
  if (!cells || (found!.left > 0 && isMoved(cells, result.cells)))
    return { missed: 'its outputs show where its code stood, and that has moved' };
  const moved = isMoved(cells, result.cells) ? { ...result, cells } : undefined;
  return {
    given: { ...given, wanted: used.wanted },
    outcome: { status: 'succeeded', provided: result.provided, used: used.names, defined: new Set(result.defined) },
    finished: {
      cells,
      ...(found!.left > 0 ? { shortened: true } : {}),
      result: digest,
      peakMemory: result.peakMemory,
      cpuSeconds: result.cpuSeconds,
    },
    used,
    moved,
  };
}

const isMoved = (cells: readonly CellResult[], before: readonly CellResult[]): boolean =>
  cells.length !== before.length || cells.some((cell, i) => cell !== before[i]);

/** What is known without looking at a disk. */
function differsAtOnce(used: Used, { unit, given, imports, env, now }: Question): string | undefined {
  const { maxAge } = reuseSetting(unit);
  const age = now - Date.parse(used.made);
  // A clock that was set back does not make it younger.
  if (age > maxAge * 1000 || (age < 0 && maxAge < Number.POSITIVE_INFINITY)) return `its answer of ${used.made} is older than ${maxAge} s`;
  const before = used.given;
  const present = givenOf(used.names, given);
  for (const name of new Set([...Object.keys(before), ...Object.keys(present)])) {
    if (before[name] !== present[name])
      return `${name.startsWith('@') ? `\`${name}\`` : name.slice('file:'.length)} is left differently by the steps above`;
  }
  const gone = used.imports.find(one => !imports.includes(one));
  if (gone !== undefined) return `\`${gone}\` is gone from the shared cells`;
  const variables = variablesOf(Object.keys(used.variables), env);
  const other = Object.keys(variables).find(name => variables[name] !== used.variables[name]);
  return other === undefined ? undefined : `the environment variable ${other} has another value`;
}

async function differsOnDisk(used: Used, { places: { folder }, given }: Question, fingerprints: Fingerprints): Promise<string | undefined> {
  const [changed] = changedPackages(used.environment.packages, used.environment.folders);
  if (changed !== undefined) return changed;
  if (!(await fingerprints.holds(used.environment.executable, used.environment.interpreter)))
    return `Python (${used.environment.executable}) is another`;
  for (const [name, then] of Object.entries(used.files)) {
    // Given by a step above now: then that counts, and it is among the names.
    if (Object.hasOwn(given.files, name)) continue;
    if (!(await fingerprints.holds(resolve(folder, name), then))) return await newContent(resolve(folder, name), name, then);
  }
  for (const [name, then] of Object.entries(used.folders))
    if (!(await fingerprints.holds(resolve(folder, name), then)))
      return `there are other files in ${name === '.' ? "the notebook's folder" : name}`;
  for (const [address, then] of Object.entries(used.remote)) {
    const now = await fingerprintOf(address);
    if (now !== then) return `${shownAddress(address)} ${now === undefined ? 'cannot be reached' : 'has new content'}`;
  }
  for (const [name, then] of Object.entries(used.wrote))
    if (!(await fingerprints.holds(resolve(folder, name), then))) return `${name}, which it wrote, is not as it left it`;
  return undefined;
}

async function newContent(path: string, name: string, then: Fingerprint): Promise<string> {
  if (then.stamp === null) return `${name} is new`;
  return (await stat(path).catch(() => undefined)) ? `${name} has new content` : `${name} is gone`;
}

/** An output that is missing or is not what its name says. Those that are whole are kept from being collected until they are named. */
async function damaged(used: Used, artifacts: Artifacts, fingerprints: Fingerprints): Promise<string | undefined> {
  for (const [digest, stamp] of Object.entries(used.blobs) as [Digest, string][]) {
    const path = artifacts.path(digest);
    const content = { stamp, digest: digest.slice('sha256:'.length) };
    if (!artifacts.has(digest)) return 'one of its outputs is no longer among the artifacts';
    if (!(await fingerprints.holds(path, content))) return 'one of its outputs is damaged';
    if (!(await artifacts.touch(digest))) return 'one of its outputs is no longer among the artifacts';
    await fingerprints.moved(path, content);
  }
  return undefined;
}
