/** An attempt's names: the key that targets and runner know it by, and its folder. Both are made of checked parts only. */
import { join } from 'node:path';
import type { AttemptId } from './target';

/** Runs and steps; `load+train` is a unit of two steps. No dots and no slashes: a part is never a way out of its folder. */
const part = /^[A-Za-z0-9_+-]{1,200}$/;

/** `<run>/<step>/<attempt>`. Throws when a part could be anything but a name. */
export function attemptKey({ run, step, attempt }: AttemptId): string {
  if (!part.test(run)) throw new Error(`Not the id of a run: ${JSON.stringify(run)}`);
  if (!part.test(step)) throw new Error(`Not the name of a step: ${JSON.stringify(step)}`);
  if (!Number.isSafeInteger(attempt) || attempt < 0) throw new Error(`Not the number of an attempt: ${attempt}`);
  return `${run}/${step}/${attempt}`;
}

/** Where an attempt's `result.json` and `events.jsonl` are. */
export function attemptFolder(home: string, id: AttemptId): string {
  return join(home, 'runs', ...attemptKey(id).split('/'));
}
