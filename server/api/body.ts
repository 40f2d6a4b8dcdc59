/**
 * Bodies and addresses of requests, read and checked. A body is JSON, not larger than the limit, not nested deeper than anything we would make of it,
 * and as its schema says; what is wrong is told by JSON pointers, all of it at once.
 */
import type { IncomingMessage } from 'node:http';
import type { z } from 'zod';
import { ApiError } from './errors';

/** Bytes of a body. Notebooks carry their outputs, pictures among them. */
export const largestBody = 64 * 1024 * 1024;
/** Levels of objects and lists: far more than any notebook has, far fewer than what overflows a stack. */
const deepest = 256;

/** The body as JSON. Rejects with what to answer. */
export async function readJson(request: IncomingMessage, limit: number): Promise<unknown> {
  const type = (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
  if (type !== 'application/json')
    throw new ApiError('unsupported-media-type', `The body must be sent as application/json${type ? `, not as ${type}` : ''}.`);
  if ((request.headers['content-encoding'] ?? 'identity') !== 'identity')
    throw new ApiError('unsupported-media-type', 'The body must be sent as it is, without a Content-Encoding.');
  const bytes = await readAll(request, limit);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new ApiError('bad-request', 'The body is not UTF-8.');
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ApiError('bad-request', 'The body is not JSON.');
  }
  if (depth(value) > deepest) throw new ApiError('bad-request', `The body is nested deeper than ${deepest} levels.`);
  return value;
}

async function readAll(request: IncomingMessage, limit: number): Promise<Buffer> {
  const tooLarge = () =>
    new ApiError(
      'too-large',
      `The body is larger than ${Math.round(limit / 2 ** 20)} MiB; clear the outputs of the notebook and try again.`,
      {
        // What is still to come is not read: the connection cannot be used again.
        headers: { Connection: 'close' },
      },
    );
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge();
  const parts: Buffer[] = [];
  let size = 0;
  return new Promise((resolve, reject) => {
    request.on('data', (part: Buffer) => {
      size += part.length;
      if (size > limit) {
        request.pause();
        request.removeAllListeners('data');
        reject(tooLarge());
      } else parts.push(part);
    });
    request.on('end', () => resolve(Buffer.concat(parts)));
    request.on('error', () => reject(new ApiError('bad-request', 'The request was cut off.')));
    request.on('aborted', () => reject(new ApiError('bad-request', 'The request was cut off.')));
  });
}

/** Without recursion, since that is what is to be prevented. */
function depth(value: unknown): number {
  let level = [value];
  let levels = 0;
  for (; level.length > 0 && levels <= deepest; levels++) {
    const next: unknown[] = [];
    for (const one of level) {
      if (typeof one !== 'object' || one === null) continue;
      for (const item of Array.isArray(one) ? one : Object.values(one)) if (typeof item === 'object' && item !== null) next.push(item);
    }
    level = next;
  }
  return levels;
}

/** The value, if it is as the schema says; it is given back as it came, in its own order. */
export function checkBody<T>(schema: z.ZodType<T>, value: unknown): T {
  const checked = schema.safeParse(value);
  if (checked.success) return value as T;
  throw new ApiError('invalid-body', sentence('The body', checked.error), { errors: pointers(checked.error) });
}

/** What the schema makes of a query or of headers, which come as texts. */
export function checkTexts<T>(schema: z.ZodType<T>, what: 'query' | 'header', value: unknown): T {
  const checked = schema.safeParse(value);
  if (checked.success) return checked.data;
  throw new ApiError('bad-request', sentence(`The ${what}`, checked.error), { errors: pointers(checked.error) });
}

const sentence = (what: string, error: z.ZodError): string => {
  const [first, ...rest] = pointers(error);
  return `${what} is not as expected: ${first!.path || 'the whole'}: ${first!.message}${rest.length > 0 ? ` (and ${rest.length} more)` : ''}.`;
};

/** At most so many: a notebook of a thousand wrong cells is wrong in one way. */
const mostErrors = 50;

function pointers(error: z.ZodError): { path: string; message: string }[] {
  const all = error.issues.flatMap(issue => {
    const path = issue.path.map(part => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
    // An unknown key is told where it is, not where its object is.
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map(key => ({
        path: `${path}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`,
        message: 'nothing of this name is expected',
      }));
    return [{ path, message: issue.message.replace(/^[A-Z]/, letter => letter.toLowerCase()) }];
  });
  return all.slice(0, mostErrors);
}
