/**
 * What the service tells of itself: one JSON line a request. It is made from a closed list of fields, the pattern of the route instead of the
 * address among them, so that no header, query, body or secret can get in by accident.
 */
import pino, { type Logger } from 'pino';

export type Log = Logger;

export interface Line {
  /** The request's id, which answers carry as `X-Request-Id`. */
  request: string;
  method: string;
  /** `/api/v1/runs/{run}`; absent where no route matched. */
  route?: string;
  status: number;
  ms: number;
  user?: string;
}

/** To standard error, or wherever tests want it. */
export function openLog(to?: NodeJS.WritableStream): Log {
  const options = { base: undefined, timestamp: pino.stdTimeFunctions.isoTime };
  return to ? pino(options, to as pino.DestinationStream) : pino(options, pino.destination({ dest: 2, sync: false }));
}

/** An error that nobody expected, for us to mend: what kind and where. Of a failed query, the database's words and not the query's values. */
export function describe(error: unknown): { error: string; message: string; code?: string; at?: string[] } {
  if (!(error instanceof Error)) return { error: typeof error, message: '' };
  const code = (error as NodeJS.ErrnoException).code;
  const message = /^(?:insert|select|update|delete|with|begin|commit)\b/i.test(error.message)
    ? (error.message.split(' - ').at(-1) ?? '')
    : error.message;
  const at = error.stack?.split('\n').filter(line => /^\s+at /.test(line));
  return {
    error: error.name,
    message: message.slice(0, 300),
    ...(code === undefined ? {} : { code: String(code) }),
    ...(at ? { at: at.map(line => line.trim()).slice(0, 12) } : {}),
  };
}
