/**
 * A small model of notebooks and steps, for testing `advance` against its promise: whatever the analysis misses and in whatever order
 * attempts end, what the steps see is what they would see from top to bottom. Test code: an independent implementation of "run the cells
 * in order", and of a runner that is honest about what it changed.
 */
import { createHash } from 'node:crypto';
import type { Digest, Provided, SavedState, SavedValue } from '../../pipeline/model/artifact';
import { type Pipeline, pipelineFormat } from '../../pipeline/model/pipeline';
import type { TaskResult } from '../../pipeline/model/task';
import { advance, ended, noReuse, reuse, unseen } from './advance';
import { difference } from './binding';
import { createRunState, type Given } from './state';
import type { Unit } from './units';

/** One statement. Values are texts that hold their whole history, so equal values mean equal computations. */
export type Op =
  | { op: 'assign'; name: string; from: string[] }
  | { op: 'mutate'; name: string; from: string[] }
  | { op: 'alias'; name: string; of: string }
  | { op: 'draw'; name: string }
  | { op: 'write'; file: string; from: string[] }
  | { op: 'read'; file: string }
  /** Fails when there is no such file. */
  | { op: 'need'; file: string }
  | { op: 'print'; names: string[] };

export interface Program {
  steps: {
    ops: Op[] /** Which of its true writes and reads the analysis sees, by position, cyclic. */;
    sees: boolean[] /** Names that the analysis thinks it may change, though it never does. */;
    suspects?: string[];
  }[];
  /** Names whose value cannot leave a process. */
  unpicklable: string[];
}

const hash = (...parts: string[]): string => createHash('sha256').update(parts.join('\0')).digest('hex');
const digest = (text: string): Digest => `sha256:${hash(text)}`;

interface Machine {
  names: Map<string, { value: string }>;
  channel: string;
  files: Map<string, string>;
}

class MissingFile extends Error {}

class MissingName extends Error {
  constructor(readonly missing: string) {
    super(missing);
  }
}

function execute(
  step: number,
  ops: Op[],
  machine: Machine,
  seen: { changed: Set<{ value: string }>; assigned: Set<string>; used: Set<string> },
): string[] {
  const printed: string[] = [];
  const look = (name: string) => {
    const found = machine.names.get(name);
    if (!found) throw new MissingName(name);
    return found;
  };
  for (const [index, op] of ops.entries()) {
    const place = `${step}.${index}`;
    if (op.op === 'assign') {
      machine.names.set(op.name, { value: hash(place, ...op.from.map(name => look(name).value)) });
      seen.assigned.add(op.name);
    } else if (op.op === 'mutate') {
      const from = op.from.map(name => look(name).value);
      const object = look(op.name);
      object.value = hash(place, object.value, ...from);
      seen.changed.add(object);
    } else if (op.op === 'alias') {
      machine.names.set(op.name, look(op.of));
      seen.assigned.add(op.name);
    } else if (op.op === 'draw') {
      machine.channel = hash(machine.channel);
      seen.used.add('@random');
      machine.names.set(op.name, { value: hash(place, machine.channel) });
      seen.assigned.add(op.name);
    } else if (op.op === 'write') {
      machine.files.set(op.file, hash(place, ...op.from.map(name => look(name).value)));
    } else if (op.op === 'need') {
      if (!machine.files.has(op.file)) throw new MissingFile(op.file);
      printed.push(machine.files.get(op.file)!);
    } else if (op.op === 'read') {
      seen.used.add(`file:${op.file}`);
      printed.push(machine.files.get(op.file) ?? 'no file');
    } else {
      for (const name of op.names) printed.push(look(name).value);
    }
  }
  return printed;
}

/** What each step prints from top to bottom; stops at a missing name. */
export function topToBottom(program: Program): string[][] {
  const machine: Machine = { names: new Map(), channel: 'start', files: new Map() };
  const result: string[][] = [];
  for (const [index, step] of program.steps.entries()) {
    try {
      result.push(execute(index, step.ops, machine, { changed: new Set(), assigned: new Set(), used: new Set() }));
    } catch (error) {
      if (error instanceof MissingName || error instanceof MissingFile) break;
      throw error;
    }
  }
  return result;
}

/** What a compiler would make of it that overlooks whatever `sees` hides; it never claims a certain write that isn't one. */
function compiled(program: Program): Pipeline {
  return {
    format: pipelineFormat,
    name: 'simulated',
    language: 'python',
    parameters: [],
    parameterCells: [],
    sharedCells: [],
    returns: [],
    settings: {},
    steps: program.steps.map((step, index) => {
      const reads = new Set<string>();
      const writes = new Map<string, boolean>();
      let position = 0;
      const sees = () => step.sees[position++ % step.sees.length] ?? true;
      const read = (name: string) => {
        if (!writes.get(name) && sees()) reads.add(name);
      };
      for (const op of step.ops) {
        if ('from' in op) op.from.forEach(read);
        if (op.op === 'print') op.names.forEach(read);
        if (op.op === 'alias') read(op.of);
        if (op.op === 'mutate') read(op.name);
        if (op.op === 'draw' && sees()) {
          reads.add('@random');
          writes.set('@random', false);
        }
        if ((op.op === 'read' || op.op === 'need') && sees()) reads.add(`file:${op.file}`);
        if (op.op === 'write' && sees()) writes.set(`file:${op.file}`, false);
        if ((op.op === 'assign' || op.op === 'alias' || op.op === 'draw') && sees()) writes.set(op.name, true);
        if (op.op === 'mutate' && sees() && !writes.has(op.name)) writes.set(op.name, false);
      }
      for (const name of step.suspects ?? []) if (!writes.has(name)) writes.set(name, false);
      return {
        name: `s${index}`,
        cells: [{ cell: index, source: '' }],
        settings: {},
        reads: [...reads].sort().map(name => ({ name })),
        writes: [...writes].map(([name, certain]) => ({ name, certain })),
        prelude: [],
        defines: [],
        parameters: [],
        files: { reads: [], writes: [] },
        dependsOn: [],
      };
    }),
  };
}

/** What earlier runs have worked out, for later ones to use again. */
export interface Memory {
  blobs: Blobs;
  attempts: { code: string; given: Given; result: ReturnType<typeof attemptOnce> }[];
}

/**
 * Runs the program through `advance`, attempts ending in the order that `pick` says. Returns what the final attempts printed, and how many
 * ran. With a memory, what it holds is used again.
 */
export function simulate(
  program: Program,
  workers: number,
  pick: (running: number) => number,
  memory?: Memory,
): { status: string; printed: string[][]; attempts: number; reason?: string } {
  const blobs: Blobs = memory?.blobs ?? new Map();
  const state = createRunState(compiled(program), { parameters: {}, reuse: memory !== undefined, keepGoing: false }, true);
  const codeOf = (steps: number[]) => JSON.stringify([steps.map(step => [step, program.steps[step]!.ops]), program.unpicklable]);
  state.status = 'running';
  const running: { steps: number[]; name: string; attempt: number; given: Given }[] = [];
  const printed = new Map<number, string[]>();
  let attempts = 0;
  let idle = 0;
  for (let turn = 0; turn < 2000; turn++) {
    for (const decision of advance(state, turn * 1e6, { workers })) {
      if (decision.do === 'finish') {
        const counted = state.units
          .slice(0, Math.min(state.stoppedAt, state.units.length))
          .flatMap(unit => unit.cells.map(cell => cell.cell));
        return { status: decision.status, reason: decision.reason, attempts, printed: counted.map(step => printed.get(step)!) };
      }
      if (decision.do === 'look') {
        const { unit, given } = decision;
        const found = memory!.attempts.find(one => one.code === codeOf(unit.cells.map(({ cell }) => cell)) && holds(one, given, unit));
        if (!found) {
          noReuse(state, unit.index, given);
          continue;
        }
        const { provided, used, defined } = found.result;
        const outcome = { status: 'succeeded' as const, provided, used, defined: new Set(defined) };
        if (!reuse(state, unit.index, given, { given: { ...given, wanted: found.given.wanted }, outcome, sources: new Set() })) continue;
        for (const [step, lines] of found.result.printed) printed.set(step, lines);
      }
      if (decision.do === 'start') {
        attempts++;
        const { unit, attempt, given } = decision;
        running.push({ steps: unit.cells.map(cell => cell.cell), name: unit.name, attempt, given });
      }
    }
    if (running.length === 0) {
      if (memory && ++idle > 50) throw new Error('the run stands still');
      continue;
    }
    idle = 0;
    const [task] = running.splice(pick(running.length), 1);
    const unit = state.units.findIndex(one => one.name === task!.name);
    if (unit < 0) continue;
    const result = attemptOnce(program, task!.steps, task!.given, blobs);
    if (result.status === 'succeeded') memory?.attempts.push({ code: codeOf(task!.steps), given: task!.given, result });
    if (ended(state, unit, task!.attempt, result)) for (const [step, lines] of result.printed) printed.set(step, lines);
  }
  throw new Error('the run does not come to an end');
}

/** Whether an earlier attempt would see the same again, and has kept what is wanted now. */
function holds({ given: before, result }: Memory['attempts'][number], given: Given, unit: Unit): boolean {
  if (difference(given, before, [...result.used, ...unit.reads.filter(unseen)])) return false;
  return given.wanted.every(name => before.wanted.includes(name) || !result.defined.includes(name));
}

type Blobs = Map<string, { names: Map<string, number>; values: string[] } | string>;

function attemptOnce(
  program: Program,
  steps: number[],
  given: Given,
  blobs: Blobs,
): Pick<TaskResult, 'status' | 'provided' | 'used' | 'defined' | 'error'> & { printed: Map<number, string[]> } {
  const machine: Machine = { names: new Map(), channel: 'start', files: new Map() };
  const loaded = new Map<string, { value: string }[]>();
  for (const [name, value] of Object.entries(given.values)) {
    const blob = blobs.get(value.digest) as { names: Map<string, number>; values: string[] };
    let objects = loaded.get(value.digest);
    if (!objects) {
      objects = blob.values.map(one => ({ value: one }));
      loaded.set(value.digest, objects);
    }
    machine.names.set(name, objects[blob.names.get(name)!]!);
  }
  const channel = given.channels['@random'];
  if (channel) machine.channel = blobs.get(channel.digest) as string;
  for (const [path, file] of Object.entries(given.files)) if (file) machine.files.set(path, blobs.get(file.digest) as string);
  const before = { names: new Map(machine.names), channel: machine.channel, files: new Map(machine.files) };
  const seen = { changed: new Set<{ value: string }>(), assigned: new Set<string>(), used: new Set<string>() };
  const printed = new Map<number, string[]>();
  try {
    for (const step of steps) printed.set(step, execute(step, program.steps[step]!.ops, machine, seen));
  } catch (error) {
    const failed = { status: 'failed' as const, provided: {}, defined: [], printed };
    // A failed attempt does not get to say what it used.
    if (error instanceof MissingFile) return { ...failed, used: [], error: { kind: 'user', message: error.message } };
    if (!(error instanceof MissingName)) throw error;
    const message = `name '${error.missing}' is not defined`;
    return { ...failed, used: [], error: { kind: 'missing-name', message, name: error.missing } };
  }
  const provided: Provided = {};
  const wanted = new Set(given.wanted.includes('*') ? machine.names.keys() : given.wanted);
  const groups = new Map<{ value: string }, string[]>();
  for (const [name, object] of machine.names) groups.set(object, [...(groups.get(object) ?? []), name]);
  const save = (value: { value: string }, names: string[]): SavedValue => {
    const members = names.filter(name => wanted.has(name)).sort();
    const id = digest(`${members.join()}=${value.value}`);
    blobs.set(id, { names: new Map(members.map(name => [name, 0])), values: [value.value] });
    return { digest: id, members, codec: 'model', size: 1, type: 'object' };
  };
  for (const [object, names] of groups) {
    const touched = seen.changed.has(object) || names.some(name => seen.assigned.has(name) && before.names.get(name) !== object);
    if (!touched) continue;
    for (const name of names) {
      if (!wanted.has(name)) continue;
      provided[name] = program.unpicklable.includes(name) ? { lost: 'it is unpicklable', type: 'object' } : save(object, names);
    }
  }
  const text = (value: string): SavedState => {
    blobs.set(digest(value), value);
    return { digest: digest(value), size: 1 };
  };
  if (machine.channel !== before.channel) provided['@random'] = text(machine.channel);
  for (const [path, content] of machine.files) if (before.files.get(path) !== content) provided[`file:${path}`] = text(content);
  return { status: 'succeeded', provided, used: [...seen.used], defined: [...machine.names.keys()], printed };
}
