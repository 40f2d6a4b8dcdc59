/** What the end of a process that committed no result means: who has to do something about it. */
import { constants } from 'node:os';
import type { TaskError } from '../../../pipeline/model/failure';
import type { Ended } from './parent';

export interface Circumstances {
  step: string;
  /** The engine asked for it. */
  stopped: boolean;
  limits: { memory?: number; timeout?: number };
  /** No room is left where results are written. */
  diskFull: boolean;
  /** The last that its process or its parent complained of. */
  complaint?: string;
}

/** What the runner exits with when it fails itself (`CRASHED` in its parent.py). */
const runnerCrashed = 70;

/** Signals that a process gets for what its own code did. */
const crashes = new Set(['SIGSEGV', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGILL', 'SIGSYS', 'SIGTRAP']);

const signalNames = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));

export function errorOf(ended: Ended, { step, stopped, limits, diskFull, complaint }: Circumstances): TaskError {
  if (stopped) return { kind: 'killed', message: `Step "${step}" was stopped.` };
  if (ended.reason === 'memory') {
    const limit = limits.memory ? ` than its limit of ${bytes(limits.memory)}` : ' than there is';
    return {
      kind: 'out-of-memory',
      message: `Step "${step}" used more memory${limit} and was stopped; give it more with resources.memory, or make it need less.`,
    };
  }
  if (ended.reason === 'timeout') {
    const limit = limits.timeout ? ` than its limit of ${limits.timeout} seconds` : ' than it may';
    return { kind: 'timeout', message: `Step "${step}" took longer${limit} and was stopped; raise its timeout, or make it quicker.` };
  }
  if (ended.signal !== null) {
    const name = signalNames.get(ended.signal) ?? `signal ${ended.signal}`;
    if (crashes.has(name))
      return {
        kind: 'user',
        message: `Step "${step}" crashed its Python process (${name}): a compiled library or ctypes did something it must not.`,
      };
    const why = name === 'SIGKILL' ? ', which the system does when memory runs out' : '';
    return { kind: 'killed', message: `Step "${step}" was killed from outside (${name})${why}.` };
  }
  if (diskFull)
    return { kind: 'storage', message: `Step "${step}" could not write its result: the disk is full; make room and resume the run.` };
  if (ended.exit === runnerCrashed)
    return { kind: 'platform', message: `Step "${step}" failed inside Stepwell's runner${complaint ? `: ${complaint}` : ''}.` };
  return {
    kind: 'user',
    message: `Step "${step}" ended its Python process with exit code ${ended.exit ?? 'unknown'} before its cells had finished (os._exit does that).`,
  };
}

function bytes(count: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  let unit = 0;
  let value = count;
  for (; value >= 1024 && unit < units.length - 1; unit++) value /= 1024;
  return `${Number(value.toPrecision(3))} ${units[unit]}`;
}
