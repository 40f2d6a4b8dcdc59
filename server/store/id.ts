/** Ids of runs and pipelines: 16 characters that sort by time, nine of them the millisecond and seven chance. */
import { randomBytes } from 'node:crypto';

/** Digits and lower-case letters without i, l, o and u: nothing to misread, the same order in every collation. */
const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
let last = 0;

/** A new id; later ids of this process sort after earlier ones, and other processes' by the millisecond. */
export function newId(now = Date.now()): string {
  last = Math.max(now, last + 1);
  let id = idAt(last);
  for (const byte of randomBytes(7)) id += alphabet[byte % 32];
  return id;
}

/** Sorts before every id that was made in this millisecond or later. */
export function idAt(time: number): string {
  let id = '';
  for (let rest = time, i = 0; i < 9; i++, rest = Math.floor(rest / 32)) id = alphabet[rest % 32] + id;
  return id;
}
