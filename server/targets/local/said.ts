/**
 * Reads back what an attempt said, from its `events.jsonl`: the line's place in the file is its number. A page is read from the nearest
 * place that an earlier page has found, so neither the whole file nor a long line's remains are ever in memory.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoggedTaskEvent } from '../../../pipeline/model/protocol';
import { parseObject } from './lines';

export interface Said {
  /** From 1, without gaps. */
  number: number;
  event: Exclude<LoggedTaskEvent, { type: 'result' }>;
}

/** Bytes read at once, bytes after which a page is full, lines between two noted places, files whose places are kept. */
const piece = 1 << 16;
const fullPage = 4 << 20;
const between = 512;
const mostFiles = 200;

/** By file, where lines 1, 513, 1025, … begin. */
const places = new Map<string, number[]>();

/** Up to `limit` lines after the one with that number; fewer when they are long. Empty when nothing was said, or not yet. */
export async function readSaid(folder: string, after: number, limit: number): Promise<Said[]> {
  const path = join(folder, 'events.jsonl');
  const file = await open(path).catch(() => undefined);
  if (!file) return [];
  try {
    return await page(file, placesOf(path), after, limit);
  } finally {
    await file.close();
  }
}

async function page(file: FileHandle, known: number[], after: number, limit: number): Promise<Said[]> {
  const nearest = Math.min(Math.floor(after / between), known.length - 1);
  let number = nearest * between;
  let begin = known[nearest]!;
  let bytes = 0;
  let held: Buffer[] = [];
  const found: Said[] = [];
  for (let position = begin; ; ) {
    const buffer = Buffer.allocUnsafe(piece);
    const { bytesRead } = await file.read(buffer, 0, piece, position);
    // What has no end yet is half a line, of a writer that goes on or was killed.
    if (bytesRead === 0) return found;
    let from = 0;
    for (let end = buffer.indexOf(10); end >= 0 && end < bytesRead; end = buffer.indexOf(10, from)) {
      number++;
      if (number > after) {
        held.push(buffer.subarray(from, end));
        const line = Buffer.concat(held).toString();
        bytes += line.length;
        const said = told(number, line);
        if (said) found.push(said);
      }
      held = [];
      from = end + 1;
      begin = position + from;
      if (number % between === 0 && known.length === number / between) known.push(begin);
      if (found.length >= limit || bytes >= fullPage) return found;
    }
    if (number >= after) held.push(buffer.subarray(from, bytesRead));
    position += bytesRead;
  }
}

/** Undefined for what is no line of ours. */
function told(number: number, line: string): Said | undefined {
  const event = parseObject(line);
  if (typeof event?.type !== 'string' || event.type === 'result') return undefined;
  const { token: _token, ...rest } = event;
  return { number, event: rest as Said['event'] };
}

function placesOf(path: string): number[] {
  const known = places.get(path) ?? [0];
  places.delete(path);
  places.set(path, known);
  if (places.size > mostFiles) places.delete(places.keys().next().value!);
  return known;
}
