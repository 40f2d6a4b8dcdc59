/**
 * What an address gives, known without fetching it where its server says so: by ETag, or by length and date; else by the digest of its
 * content. Only addresses that a step declares among its `sources` are looked at.
 */
import { createHash } from 'node:crypto';

/** Milliseconds that a server has to answer. */
const patience = 10_000;
const isAddress = /^https?:\/\//i;

export const addressesIn = (sources: readonly string[]): string[] => [...new Set(sources.filter(source => isAddress.test(source)))].sort();

/** Undefined when the server cannot be reached or does not give it. */
export async function fingerprintOf(address: string): Promise<string | undefined> {
  try {
    const signal = AbortSignal.timeout(patience);
    const head = await fetch(address, { method: 'HEAD', signal });
    await head.body?.cancel();
    const told = head.ok ? fromHeaders(head.headers) : undefined;
    if (told !== undefined) return told;
    const answer = await fetch(address, { signal });
    if (!answer.ok || !answer.body) {
      await answer.body?.cancel();
      return undefined;
    }
    const hash = createHash('sha256');
    for await (const part of answer.body) hash.update(part);
    return `content ${hash.digest('hex')}`;
  } catch {
    return undefined;
  }
}

/** The address without what may be a password or a token. */
export function shownAddress(address: string): string {
  const url = URL.parse(address);
  return url ? `${url.origin}${url.pathname}` : 'an address';
}

function fromHeaders(headers: Headers): string | undefined {
  const etag = headers.get('etag');
  if (etag) return `etag ${etag}`;
  const [length, date] = [headers.get('content-length'), headers.get('last-modified')];
  return length && date ? `${length} bytes of ${date}` : undefined;
}
