/**
 * What linking hands from step to step, besides who wrote what: which names may share an object, and which definitions a value may be made with. A step's use of it is written down, so that
 * the next linking can pass by a step whose cells are the same: the entries are gone through again, and as long as every answer is what it was, so is the step.
 */
import { Aliases } from './aliases';

enum Did {
  rebound,
  joined,
  asked,
  looked,
  set,
  deleted,
}

/** What one step did, as entries of an action, a name and what belongs to it. */
export type Record = unknown[];

export class Passing {
  private readonly aliases = new Aliases();
  private readonly carried = new Map<string, bigint>();
  private record: Record = [];

  /** Begins the record of a step. */
  begin(): Record {
    this.record = [];
    return this.record;
  }

  /** The name is bound to something new. */
  rebind(name: string): void {
    this.record.push(Did.rebound, name, undefined);
    this.aliases.rebind(name);
  }

  /** The names may share an object from now on. */
  join(a: string, b: string): void {
    this.record.push(Did.joined, a, b);
    this.aliases.join(a, b);
  }

  /** Other names that may share the name's object. */
  sharing(name: string): readonly string[] {
    const names = this.aliases.of(name);
    this.record.push(Did.asked, name, names);
    return names;
  }

  /** Definitions that the name's value may be made with, as bits. */
  madeWith(name: string): bigint {
    const bits = this.carried.get(name) ?? 0n;
    this.record.push(Did.looked, name, bits);
    return bits;
  }

  mark(name: string, bits: bigint): void {
    this.record.push(Did.set, name, bits);
    this.carried.set(name, bits);
  }

  unmark(name: string): void {
    this.record.push(Did.deleted, name, undefined);
    this.carried.delete(name);
  }

  /** Does what a step did before. False when an answer is another now: then nothing of this object is of use any more. */
  again(record: Record): boolean {
    for (let i = 0; i < record.length; i += 3) {
      const name = record[i + 1] as string;
      switch (record[i]) {
        case Did.rebound:
          this.aliases.rebind(name);
          break;
        case Did.joined:
          this.aliases.join(name, record[i + 2] as string);
          break;
        case Did.asked:
          if (!equal(this.aliases.of(name), record[i + 2] as string[])) return false;
          break;
        case Did.looked:
          if ((this.carried.get(name) ?? 0n) !== record[i + 2]) return false;
          break;
        case Did.set:
          this.carried.set(name, record[i + 2] as bigint);
          break;
        default:
          this.carried.delete(name);
      }
    }
    return true;
  }
}

function equal(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((one, index) => one === b[index]);
}
