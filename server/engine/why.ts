/**
 * Why a step ran, in words: what differs between what it was made from and what the closest earlier run of it was made from. The parts of
 * each key are kept with the step run, so the question can be asked of runs of long ago.
 */
import type { KeyParts, StepKey, Used, Why } from '../../pipeline/model/reuse';
import type { EarlierStep, Store } from '../store';
import { RunProblem } from './problem';
import { shownAddress } from './remote';

/** Earlier step runs that are compared. */
const most = 30;

/** Rejects with a `not-found` problem when there is no such run or step. */
export async function whyStep(store: Store, run: string, step: string): Promise<Why> {
  const loaded = await store.loadRun(run);
  const row = loaded?.steps.find(one => one.step === step);
  if (!loaded) throw new RunProblem('not-found', `There is no run "${run}".`);
  if (!row)
    throw new RunProblem(
      'not-found',
      `There is no step "${step}" in run ${run}; its steps are ${loaded.steps.map(one => one.step).join(', ')}.`,
    );
  const { status, key } = row;
  if (!key)
    return {
      step,
      status,
      reasons: [row.reason ?? (status === 'waiting' ? 'It has not started.' : 'What it was made from was not kept.')],
    };
  if (key.from) {
    const { run: from, made } = key.from;
    return { step, status, comparedWith: { run: from, made }, reasons: [`Nothing that it uses has changed since run ${from}.`] };
  }
  const { options, notebookPath } = loaded.run;
  const earlier = await closest(store, notebookPath, step, key, run);
  const asked = options.reuse ? whyAlways(loaded.document.steps, step, options.from) : ['The run was started without reuse.'];
  return { step, status, ...against(earlier, key, asked) };
}

/** The earlier step run that differs least, the newest of those; those that finished come before those that did not. */
export async function closest(
  store: Store,
  notebookPath: string,
  step: string,
  key: StepKey,
  before?: string,
): Promise<EarlierStep | undefined> {
  const rows = await store.earlierSteps({ notebookPath, step, before, limit: most });
  const finished = rows.filter(({ status }) => status === 'succeeded' || status === 'reused');
  let best: { row: EarlierStep; count: number } | undefined;
  for (const row of finished.length > 0 ? finished : rows) {
    const count = differences(row.key, key).length;
    if (!best || count < best.count) best = { row, count };
  }
  return best?.row;
}

/** What it was compared with, and all reasons that are known. `asked`: why it would have run anyway. */
export function against(earlier: EarlierStep | undefined, key: StepKey, asked: string[]): Pick<Why, 'comparedWith' | 'reasons'> {
  if (!earlier) return { reasons: [...asked, 'It had not run before.'] };
  const differ = differences(earlier.key, key).map(sentence);
  const other = [key.missed, earlier.key.unfit && `the earlier run of it ${earlier.key.unfit}`].filter(
    text => text !== undefined && text !== '',
  );
  const reasons = [...asked, ...differ];
  for (const text of other) if (differ.length === 0) reasons.push(sentence(text!));
  if (reasons.length === 0) {
    const done = earlier.status === 'succeeded' || earlier.status === 'reused';
    reasons.push(done ? 'The earlier answer was not found.' : `It had not succeeded before (${earlier.status}).`);
  }
  return { comparedWith: { run: earlier.run, ...(earlier.key.used ? { made: earlier.key.used.made } : {}) }, reasons };
}

/** Reasons to run whatever there is from earlier. */
export function whyAlways(
  steps: readonly { name: string; settings: { reuse?: unknown } }[],
  step: string,
  from: string | undefined,
): string[] {
  const at = steps.findIndex(({ name }) => name === step);
  const start = steps.findIndex(({ name }) => name === from);
  return [
    ...(steps[at]?.settings.reuse === false ? ['Its reuse is off.'] : []),
    ...(start >= 0 && at >= start ? [`The run was to run everything from "${from}" on.`] : []),
  ];
}

/** What differs from before to now, each as words without a full stop. */
export function differences(before: StepKey, now: StepKey): string[] {
  const { used: then } = before;
  return [...ofParts(before.parts, now.parts), ...(then && now.used ? ofUsed(then, now.used) : [])];
}

function ofParts(before: KeyParts, now: KeyParts): string[] {
  const found: string[] = [];
  if (before.cells.join() !== now.cells.join()) {
    const changed = now.cells.flatMap((cell, i) => (cell === before.cells[i] ? [] : [i + 1]));
    const which = now.cells.length > 1 && now.cells.length === before.cells.length ? ` (in its cell ${changed.join(' and ')})` : '';
    found.push(`its own code changed${which}`);
  }
  compare(before.code, now.code, (name, then, is) =>
    found.push(`\`${name}\` ${then === undefined ? 'is used now' : is === undefined ? 'is no longer used' : 'changed'}`),
  );
  if (before.setup !== now.setup) found.push('code that runs before every step changed');
  compare(before.parameters, now.parameters, (name, then, is) => found.push(`parameter ${name} ${show(then)} → ${show(is)}`));
  compare(before.inputs, now.inputs, (name, then, is) => {
    if (then && is && then.digest === is.digest) return;
    const by = is?.by ? `, made by ${is.by}` : '';
    found.push(then && is ? `input ${name} has other content${by}` : is ? `input ${name} is new${by}` : `input ${name} is no longer given`);
  });
  compare(before.settings, now.settings, (name, then, is) =>
    found.push(`${names[name] ?? `its setting ${name}`} ${name in names ? `${show(then)} → ${show(is)}` : 'changed'}`),
  );
  return found;
}

const names: Record<string, string> = {
  python: 'the interpreter',
  image: 'the image',
  target: 'the target',
  folder: 'the folder of the notebook',
};

function ofUsed(before: Used, now: Used): string[] {
  const found: string[] = [];
  compare(before.files, now.files, (name, then, is) => {
    if (then && is && then.digest !== is.digest)
      found.push(`${name} ${is.digest === null ? 'is gone' : then.digest === null ? 'is new' : 'has new content'}`);
  });
  compare(before.folders, now.folders, (name, then, is) => {
    if (then && is && then.digest !== is.digest) found.push(`there are other files in ${name === '.' ? "the notebook's folder" : name}`);
  });
  compare(before.given, now.given, name => {
    if (name !== 'file:*')
      found.push(`${name.startsWith('@') ? `\`${name}\`` : name.slice('file:'.length)} is left differently by the steps above`);
  });
  compare(before.remote, now.remote, (address, then, is) => {
    if (then && is) found.push(`${shownAddress(address)} has new content`);
  });
  if (before.environment.python !== now.environment.python) found.push(`Python ${before.environment.python} → ${now.environment.python}`);
  compare(before.environment.packages, now.environment.packages, (name, then, is) => {
    if (then && is) found.push(`${name} ${then} → ${is}`);
  });
  compare(before.variables, now.variables, (name, then, is) => {
    if (then !== undefined && is !== undefined) found.push(`the environment variable ${name} has another value`);
  });
  return found;
}

/** Calls `differ` for each name whose values are not equal. */
function compare<T>(
  before: Record<string, T>,
  now: Record<string, T>,
  differ: (name: string, then: T | undefined, is: T | undefined) => void,
): void {
  for (const name of new Set([...Object.keys(before), ...Object.keys(now)])) {
    const [then, is] = [Object.hasOwn(before, name) ? before[name] : undefined, Object.hasOwn(now, name) ? now[name] : undefined];
    if (JSON.stringify(then) !== JSON.stringify(is)) differ(name, then, is);
  }
}

const longest = 80;

function show(value: unknown): string {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? 'nothing');
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/** Names of files and packages keep their first letter. */
const sentence = (words: string): string =>
  `${words.replace(/^(?:its|input|parameter|one|a|the|code|there|what)\b/, first => first.charAt(0).toUpperCase() + first.slice(1))}.`;
