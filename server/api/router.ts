/**
 * Routes as Express serves them. Each request is named, its caller checked, its parts read by the route's schemas; what the handler gives is sent, what
 * it throws becomes a problem; a line in the log and a figure end it. Addresses and methods that no route has are problems too.
 */
import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import express, { type Express, type Request, type Response } from 'express';
import helmet from 'helmet';
import { checkBody, checkTexts, largestBody, readJson } from './body';
import { ApiError, apiError, kinds, problem } from './errors';
import { describe, type Log } from './log';
import type { Raw, Route } from './route';
import type { Service } from './service';
import type { Who } from './who';

export interface Around {
  service: Service;
  who: Who;
  log: Log;
  /** Bytes of a body. */
  largest?: number;
}

export function makeApp(routes: readonly Route[], around: Around): Express {
  const app = express();
  app.disable('x-powered-by');
  // A 304 would be an answer that no route lists; live state is not to be cached anyway.
  app.set('etag', false);
  app.set('query parser', 'simple');
  app.set('case sensitive routing', true);
  app.set('strict routing', true);
  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"], sandbox: [] } },
      crossOriginResourcePolicy: { policy: 'same-origin' },
      // Whether there is TLS is the business of whoever stands before us.
      strictTransportSecurity: false,
    }),
  );
  const byPath = Map.groupBy(routes, ({ path }) => path);
  for (const [path, methods] of byPath) {
    const place = app.route(path.replace(/\{(\w+)\}/g, ':$1'));
    for (const one of methods) place[one.method]((request, response) => serve(one, request, response, around));
    const allowed = methods.flatMap(({ method }) => (method === 'get' ? ['GET', 'HEAD'] : [method.toUpperCase()])).join(', ');
    place.all((request, response) =>
      answerFor(request, response, around, path, async () => {
        if (!methods.some(({ open }) => open)) around.who(request);
        throw new ApiError('method-not-allowed', `${request.method} is not possible here; what is: ${allowed}.`, {
          headers: { Allow: allowed },
        });
      }),
    );
  }
  app.use((request: Request, response: Response) =>
    answerFor(request, response, around, undefined, async () => {
      around.who(request);
      throw new ApiError('not-found', 'There is nothing at this address; /api/v1/openapi.json lists all there is.');
    }),
  );
  // An address that cannot be decoded fails before any route is found.
  app.use((error: unknown, request: Request, response: Response, _next: unknown) =>
    answerFor(request, response, around, undefined, async () => {
      around.who(request);
      throw error;
    }),
  );
  return app;
}

function serve(route: Route, request: Request, response: Response, around: Around): Promise<void> {
  return answerFor(request, response, around, route.path, async () => {
    const caller = route.open ? {} : around.who(request);
    response.locals.user = (caller as { user?: string }).user;
    const params = route.params ? route.params.safeParse(request.params) : { success: true, data: {} };
    if (!params.success) throw new ApiError('not-found', 'There is nothing of this name or number.');
    const query = route.query ? checkTexts(route.query, 'query', { ...request.query }) : {};
    const headers = route.headers ? checkTexts(route.headers, 'header', request.headers) : {};
    const body = route.body ? checkBody(route.body, await readJson(request, around.largest ?? largestBody)) : undefined;
    const reply = await route.handle({ params: params.data, query, headers, body, caller, service: around.service });
    response.status(reply.status).set(reply.headers ?? {});
    if (reply.body === undefined) response.end();
    else if (route.answers[reply.status]!.schema) sendJson(response, 'application/json', reply.body);
    else await sendRaw(response, reply.body as Raw);
  });
}

const sendJson = (response: Response, type: string, value: unknown) => response.type(type).end(Buffer.from(JSON.stringify(value)));

async function sendRaw(response: Response, { type, content, size }: Raw): Promise<void> {
  response.setHeader('Content-Type', type);
  if (!(content instanceof Readable)) {
    response.end(typeof content === 'string' ? Buffer.from(content) : content);
    return;
  }
  if (size !== undefined) response.setHeader('Content-Length', size);
  if (response.req.method === 'HEAD') {
    content.destroy();
    response.end();
    return;
  }
  await pipeline(content, response);
}

/** Frames an answer: an id before it, a problem instead of it where something is thrown, a line and a figure after it. */
async function answerFor(
  request: Request,
  response: Response,
  { service, log }: Around,
  route: string | undefined,
  work: () => Promise<void>,
): Promise<void> {
  const id = randomUUID();
  const started = performance.now();
  response.setHeader('X-Request-Id', id);
  response.setHeader('Cache-Control', 'no-store');
  response.once('close', () => {
    const ms = performance.now() - started;
    const { user } = response.locals as { user?: string };
    const status = response.writableFinished ? response.statusCode : 499;
    log.info({ request: id, method: request.method, route, status, ms: Math.round(ms * 10) / 10, user });
    service.metrics.request(request.method, route ?? 'none', status, ms / 1000);
  });
  try {
    await work();
  } catch (error) {
    const told = apiError(error, id);
    if (told.type === 'internal' && !response.headersSent) log.error({ request: id, route, ...describe(error) }, 'unexpected');
    if (response.headersSent) {
      // Half an answer must not look like a whole one.
      response.destroy();
      return;
    }
    response.status(kinds[told.type].status).set(told.more.headers ?? {});
    for (const header of ['Content-Length', 'Content-Disposition', 'Location']) response.removeHeader(header);
    sendJson(response, 'application/problem+json', problem(told));
    // A body that nobody reads any more keeps the connection busy.
    if (!request.complete) request.resume();
  }
}
