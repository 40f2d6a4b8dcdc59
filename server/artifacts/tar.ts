/**
 * A folder as one stream in the tar format, the same bytes for the same content whoever makes it: sorted, no owners. Names and sizes that
 * the old header cannot hold are told in a pax header before it.
 */
import { createReadStream } from 'node:fs';

export interface TarEntry {
  /** From the folder, with slashes. */
  name: string;
  kind: 'file' | 'folder' | 'link';
  /** Permission bits. */
  mode: number;
  /** Seconds since the epoch. */
  time: number;
  size: number;
  /** Where a link leads, relative to it. */
  leads?: string;
  /** Where a file's content is. */
  path?: string;
}

const block = 512;
const types = { file: '0', folder: '5', link: '2' };

/** Throws when a file has become shorter or longer than its entry says. */
export async function* tar(entries: Iterable<TarEntry>): AsyncGenerator<Uint8Array> {
  for (const entry of entries) {
    const pax = [
      ...(fits(entry.name, 100) ? [] : [record('path', entry.name)]),
      ...(entry.leads === undefined || fits(entry.leads, 100) ? [] : [record('linkpath', entry.leads)]),
      ...(entry.size < 8 ** 11 ? [] : [record('size', `${entry.size}`)]),
    ];
    if (pax.length > 0) {
      const body = Buffer.concat(pax);
      yield header({ name: 'pax', kind: 'file', mode: 0o644, time: 0, size: body.length }, 'x');
      yield padded(body);
    }
    yield header(entry, types[entry.kind]);
    if (entry.kind !== 'file' || entry.size === 0) continue;
    let size = 0;
    for await (const piece of createReadStream(entry.path!, { end: entry.size - 1 })) {
      size += (piece as Buffer).length;
      yield piece as Buffer;
    }
    if (size !== entry.size) throw new Error(`${entry.path} changed while it was read`);
    if (size % block > 0) yield Buffer.alloc(block - (size % block));
  }
  yield Buffer.alloc(2 * block);
}

function header(entry: TarEntry, type: string): Buffer {
  const bytes = Buffer.alloc(block);
  const text = (value: string, at: number, length: number) => Buffer.from(value).copy(bytes, at, 0, length);
  const octal = (value: number, at: number, length: number) => text(`${value.toString(8).padStart(length - 1, '0')}\0`, at, length);
  text(entry.name, 0, 100);
  octal(entry.mode & 0o7777, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(entry.size < 8 ** 11 ? entry.size : 0, 124, 12);
  octal(Math.max(0, Math.floor(entry.time)), 136, 12);
  text('        ', 148, 8);
  text(type, 156, 1);
  if (entry.leads !== undefined) text(entry.leads, 157, 100);
  text('ustar\x0000', 257, 8);
  let sum = 0;
  for (const byte of bytes) sum += byte;
  text(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 8);
  return bytes;
}

/** `<length> key=value\n`, where the length counts itself. */
function record(key: string, value: string): Buffer {
  const rest = Buffer.byteLength(` ${key}=${value}\n`);
  let length = rest + `${rest}`.length;
  if (`${length}`.length > `${rest}`.length) length = rest + `${length}`.length;
  return Buffer.from(`${length} ${key}=${value}\n`);
}

const fits = (text: string, length: number) => Buffer.byteLength(text) <= length && /^[\x20-\x7e]*$/.test(text);

const padded = (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc((block - (bytes.length % block)) % block)]);
