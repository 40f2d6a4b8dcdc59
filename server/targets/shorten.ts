/**
 * JSON made shorter as it comes in, by leaving out the inside of very long strings: what a step printed or showed may be larger than a
 * service can hold or parse in one go, and whoever follows a run needs its shape, not all of it. Bytes are looked at once, whatever the
 * pieces; of what is left out nothing is kept but its length.
 */
import { createReadStream } from 'node:fs';

/** Bytes of a string that are kept, and how many once that much of the document has been. */
const most = 1 << 20;
const mostLater = 1 << 14;
const enough = 8 << 20;
/** A document that is longer than this even so is given up. */
export const longest = 64 << 20;

const quote = 0x22;
const backslash = 0x5c;
const u = 0x75;

/** One document. `push` its pieces, then ask for `text`. */
export class Shortener {
  /** Bytes that were left out. */
  left = 0;
  private readonly pieces: Buffer[] = [];
  private kept = 0;
  private inString = false;
  /** Bytes of the string at hand that were kept. */
  private length = 0;
  /** Bytes that still belong to an escape; -1: the next one says how many. */
  private escape = 0;
  private dropping = false;
  /** Bytes left out of the string at hand. */
  private dropped = 0;
  /** While dropping: an odd number of backslashes came last, so that a quote would not end the string. */
  private odd = false;

  push(piece: Buffer): void {
    let start = 0;
    let at = 0;
    while (at < piece.length) {
      if (this.dropping) {
        at = this.drop(piece, at);
        start = at;
      } else {
        const limit = this.kept + at - start > enough ? mostLater : most;
        at = this.inString ? this.inside(piece, at, limit) : this.outside(piece, at);
        if (this.dropping) this.keep(piece.subarray(start, at));
      }
    }
    if (!this.dropping) this.keep(piece.subarray(start));
  }

  /** The document, or undefined when it was given up. */
  text(): string | undefined {
    return this.kept <= longest ? Buffer.concat(this.pieces).toString() : undefined;
  }

  private keep(bytes: Buffer): void {
    this.kept += bytes.length;
    if (this.kept > longest) this.pieces.length = 0;
    else if (bytes.length > 0) this.pieces.push(bytes);
  }

  private outside(piece: Buffer, at: number): number {
    const next = piece.indexOf(quote, at);
    if (next < 0) return piece.length;
    this.inString = true;
    this.length = 0;
    return next + 1;
  }

  /** Goes on to the string's end, or to where it has become too long, which is never within an escape or a character. */
  private inside(piece: Buffer, from: number, limit: number): number {
    for (let at = from; at < piece.length; at++) {
      const byte = piece[at]!;
      if (this.escape < 0) this.escape = byte === u ? 4 : 0;
      else if (this.escape > 0) this.escape--;
      else if (byte === quote) {
        this.inString = false;
        return at + 1;
      } else if (this.length >= limit && (byte & 0xc0) !== 0x80) {
        this.dropping = true;
        this.dropped = 0;
        this.odd = false;
        return at;
      } else if (byte === backslash) this.escape = -1;
      this.length++;
    }
    return piece.length;
  }

  /** Goes on to the quote that ends the string, and gives its position. */
  private drop(piece: Buffer, from: number): number {
    let at = from;
    for (;;) {
      const found = piece.indexOf(quote, at);
      const end = found < 0 ? piece.length : found;
      let first = end;
      while (first > at && piece[first - 1] === backslash) first--;
      const odd = ((end - first) % 2 === 1) !== (first === at && this.odd);
      if (found < 0 || odd) {
        this.dropped += (found < 0 ? end : end + 1) - at;
        this.odd = found < 0 && odd;
        at = found < 0 ? end : end + 1;
        if (at === piece.length) return at;
        continue;
      }
      this.dropped += end - at;
      this.left += this.dropped;
      this.dropping = false;
      this.odd = false;
      this.keep(Buffer.from(`… (${this.dropped} bytes are left out here)`));
      return end;
    }
  }
}

/** A JSON file, shortened; undefined when it is not there or is no JSON. Never holds more of it than `longest`. */
export async function readShortened<T>(path: string): Promise<{ value: T; left: number } | undefined> {
  const shortener = new Shortener();
  try {
    for await (const piece of createReadStream(path)) shortener.push(piece as Buffer);
    const text = shortener.text();
    return text === undefined ? undefined : { value: JSON.parse(text) as T, left: shortener.left };
  } catch {
    return undefined;
  }
}
