/**
 * Who may ask. The secret is all that lets a caller in: Jupyter's proxy sends it in a header of ours and names the user beside it; without Jupyter
 * it is a bearer token. No cookie is ever read, so a page of another site has nothing to ride on; its Origin is refused all the same, for
 * the case that somebody puts a careless proxy in between.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { ApiError } from './errors';

export interface Caller {
  /** As Jupyter names them. */
  user?: string;
}

/** Tells who asks, or throws what to answer. */
export type Who = (request: Pick<IncomingMessage, 'headers'>) => Caller;

export function makeWho(secret: string): Who {
  if (!/^[\x21-\x7e]{16,}$/.test(secret))
    throw new Error('The secret of the service takes at least 16 characters, all of them printable and none a space.');
  const expected = hash(secret);
  const same = (given: string) => timingSafeEqual(hash(given), expected);
  return ({ headers }) => {
    if (!sameSite(headers)) throw new ApiError('forbidden', 'This request comes from a page of another site, which may not ask here.');
    const fromProxy = headers['x-stepwell-secret'];
    const given = typeof fromProxy === 'string' ? fromProxy : /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
    if (given === undefined || !same(given)) {
      throw new ApiError(
        'unauthorized',
        given === undefined
          ? 'The secret of the service is missing; send it as "Authorization: Bearer …".'
          : 'The secret does not match; the service says at its start where it is kept.',
        { headers: { 'WWW-Authenticate': 'Bearer realm="stepwell"' } },
      );
    }
    return typeof fromProxy === 'string' ? { user: userOf(headers) } : {};
  };
}

/** Equal length for the comparison, whatever was sent. */
const hash = (text: string) => createHash('sha256').update(text).digest();

/** The proxy sends the name percent-encoded, since a header holds no other letters. */
function userOf(headers: IncomingHttpHeaders): string | undefined {
  const given = headers['x-stepwell-user'];
  if (typeof given !== 'string' || given === '') return undefined;
  let name = given;
  try {
    name = decodeURIComponent(given);
  } catch {}
  return name.replace(/\p{Cc}/gu, '').slice(0, 200) || undefined;
}

/**
 * Whether a page that asks is one of ours. Only `Host` counts: what proxies in between say of it (`X-Forwarded-Host`) anybody can say, and
 * Jupyter's, which has checked the origin by its own settings, passes on none that differs.
 */
function sameSite({ origin, host }: IncomingHttpHeaders): boolean {
  if (origin === undefined) return true;
  try {
    const from = new URL(origin);
    return from.origin !== 'null' && host !== undefined && from.host === new URL(`${from.protocol}//${host}`).host;
  } catch {
    return false;
  }
}
