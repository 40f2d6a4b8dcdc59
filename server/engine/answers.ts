/**
 * Earlier answers for the loop: looks one up before a unit starts, and keeps what a finished one was made from. What is kept is found by its
 * key only once all that the step used is known, so nothing half known is ever used again.
 */
import type { Digest } from '../../pipeline/model/artifact';
import type { StepKey } from '../../pipeline/model/reuse';
import type { TaskResult } from '../../pipeline/model/task';
import type { Artifacts } from '../artifacts';
import type { Store } from '../store';
import { type Answer, answerFrom, type Question } from './candidate';
import type { Places } from './document';
import { Fingerprints } from './fingerprints';
import { keyDigest, keyParts } from './key';
import { standing } from './place';
import { addressesIn, fingerprintOf } from './remote';
import type { Reservations } from './reservations';
import type { Given, RunState } from './state';
import type { Unit } from './units';
import { usedBy } from './used';

export interface AnswersParts {
  state: RunState;
  store: Store;
  artifacts: Artifacts;
  places: Places;
  now: () => number;
  /** What steps are started with; default: this process's own. */
  env?: NodeJS.ProcessEnv;
  /** Shared by the runs of a process. */
  reservations?: Reservations;
}

interface Made {
  given: Given;
  key: StepKey;
  imports: string[];
  /** What the addresses among its sources gave before it ran. */
  remote: Record<string, string | undefined>;
}

/** Answers to one key that are looked at, newest first; more differ in what they had read. */
const most = 20;

export class Answers {
  private readonly fingerprints: Fingerprints;
  /** By unit name, what it is being made from. */
  private readonly making = new Map<string, Made>();
  /** By unit name, what gives back the key that it holds. */
  private readonly reserved = new Map<string, () => void>();

  constructor(private readonly parts: AnswersParts) {
    this.fingerprints = new Fingerprints(parts.store, parts.now);
  }

  /** What the unit's answer is made from, as far as it is known when it starts. */
  key(unit: Unit, given: Given): StepKey {
    return this.made(unit, given).key;
  }

  /**
   * An earlier answer that holds today. `wait`: another run is working it out; `free` is called when that has ended. Undefined: there is none,
   * and from now on the unit is the one who works it out, until `release`.
   */
  async find(unit: Unit, given: Given, free?: () => void): Promise<Answer | 'wait' | undefined> {
    const { state, places, now, env = process.env } = this.parts;
    const { key, imports, remote } = this.made(unit, given);
    const question = { state, unit, given, imports, places, env, now: now() };
    const digest = keyDigest(key.parts);
    // Before looking: an answer that is given back meanwhile is then found.
    const release = free && this.parts.reservations?.take(digest, free);
    if (free && this.parts.reservations && !release) return 'wait';
    this.release(unit);
    const answer = await this.lookUp(digest, question, key);
    if (answer) release?.();
    else if (release) this.reserved.set(unit.name, release);
    if (!answer) await askAll(remote);
    return answer;
  }

  /** The unit no longer works out what it reserved. Does nothing when it has reserved nothing. */
  release(unit: Pick<Unit, 'name'>): void {
    this.reserved.get(unit.name)?.();
    this.reserved.delete(unit.name);
  }

  /** Gives back what units have reserved that are not among these. */
  releaseAllBut(names: ReadonlySet<string>): void {
    for (const name of [...this.reserved.keys()]) if (!names.has(name)) this.release({ name });
  }

  private async lookUp(digest: string, question: Question, key: StepKey): Promise<Answer | undefined> {
    const { store, artifacts } = this.parts;
    for (const candidate of await store.findReusable(digest, most)) {
      const answer = await answerFrom(candidate, question, artifacts, this.fingerprints);
      if (!('missed' in answer)) return answer;
      key.missed ??= answer.missed;
    }
    return undefined;
  }

  /** Keeps what a finished unit was made from. To be called when its result is a blob. */
  async keep(unit: Unit, given: Given, result: TaskResult, digest: Digest): Promise<void> {
    const { state, store, artifacts, places, now, env = process.env } = this.parts;
    const { key, imports, remote } = this.made(unit, given);
    if (result.status !== 'succeeded') return;
    const made = new Date(now()).toISOString();
    const { run, folder } = places;
    const finish = {
      run,
      unit,
      given,
      result,
      digest,
      standing: standing(state, unit, places),
      imports,
      folder,
      made,
      target: String(key.parts.settings.target),
      env,
      remote,
    };
    const used = await usedBy(finish, artifacts, this.fingerprints);
    const whole: StepKey = 'unfit' in used ? { ...key, unfit: used.unfit } : { ...key, used };
    const steps = unit.steps.map(({ name }) => name);
    await store.keepKey(run, steps, digest, whole, 'unfit' in used ? undefined : keyDigest(key.parts));
  }

  private made(unit: Unit, given: Given): Made {
    const known = this.making.get(unit.name);
    if (known?.given === given) return known;
    const { parts, imports } = keyParts(this.parts.state, unit, given, this.parts.places);
    const addresses = addressesIn(unit.steps.flatMap(({ settings }) => settings.sources ?? []));
    const made: Made = { given, key: { parts }, imports, remote: Object.fromEntries(addresses.map(address => [address, undefined])) };
    this.making.set(unit.name, made);
    return made;
  }
}

async function askAll(remote: Made['remote']): Promise<void> {
  const found = await Promise.all(Object.keys(remote).map(async address => [address, await fingerprintOf(address)] as const));
  for (const [address, fingerprint] of found) remote[address] = fingerprint;
}
