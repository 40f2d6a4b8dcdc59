/**
 * Live changes over socket.io: who may listen, what they ask for, and who is told what. Websocket where it gets through, polling where not; every
 * request of either is checked like any other.
 */
import type { Server as HttpServer, IncomingMessage, ServerResponse } from 'node:http';
import { Server } from 'socket.io';
import type { ClientEvents, ServerEvents, SocketAnswer, Subscription } from '../../pipeline/model/protocol';
import { checkBody } from './body';
import { Client, keyOf } from './client';
import { cutEvent, cutLine } from './cut';
import { apiError, kinds, problem } from './errors';
import { describe, type Log } from './log';
import { Newest } from './newest';
import { Subscriptions } from './schemas/protocol';
import type { Service } from './service';
import { summaries } from './views';
import type { Who } from './who';

export interface Heartbeat {
  /** Milliseconds between two, and until an answer must have come. A client that does not read does not answer, and is dropped. */
  pingInterval: number;
  pingTimeout: number;
}

export interface Sockets {
  close(): void;
}

export function openSockets(http: HttpServer, service: Service, who: Who, log: Log, heartbeat: Partial<Heartbeat> = {}): Sockets {
  const io = new Server<ClientEvents, ServerEvents>(http, {
    path: '/socket.io/',
    serveClient: false,
    perMessageDeflate: false,
    httpCompression: false,
    // Clients only say what they want to follow.
    maxHttpBufferSize: 64 * 1024,
    ...heartbeat,
  });
  io.engine.use((request: IncomingMessage, response: ServerResponse, next: () => void) => {
    try {
      who(request);
    } catch (error) {
      refuse(request, response, error);
      return;
    }
    next();
  });
  // How long a client that polls is waited for, once it is to go: engine.io keeps half a minute, which would hold up the end of the process.
  io.engine.on('connection', ({ transport }: { transport: { closeTimeout?: number } }) => {
    if (transport.closeTimeout !== undefined) transport.closeTimeout = 1000;
  });
  const failed = (error: unknown) => log.error(describe(error), 'a client could not be told something yet');
  const clients = new Set<Client>();
  const newest = new Newest({
    summaries: runs => summaries(runs, service),
    send(found) {
      for (const client of clients) client.moved(found);
    },
    failed,
    wanted: () => [...clients].some(({ wantsList }) => wantsList),
  });
  const unlisten = service.runs.listen({
    run(run) {
      newest.tell(run);
    },
    events(run, events) {
      for (const { change } of events) if (change.what === 'run') service.metrics.run(change.status);
      const key = keyOf({ to: 'run', run, after: 0 });
      const cut = events.map(cutEvent);
      for (const client of clients) client.runs.get(key)?.events(cut);
    },
    cells(run, cells) {
      const key = keyOf({ to: 'run', run, after: 0 });
      for (const client of clients) client.runs.get(key)?.cells(cells);
    },
    line(run, step, attempt, number, event) {
      const key = keyOf({ to: 'log', run, step, attempt, after: 0 });
      const followers = [...clients].flatMap(client => client.logs.get(key) ?? []);
      if (followers.length === 0) return;
      const cut = cutLine({ number, event });
      for (const follower of followers) follower.line(cut);
    },
  });
  io.on('connection', socket => {
    const client = new Client(socket, service, failed);
    clients.add(client);
    service.metrics.connected(1);
    socket.on(
      'subscribe',
      asked(log, to => client.follow(to)),
    );
    socket.on(
      'unsubscribe',
      asked(log, async from => client.leave(from)),
    );
    socket.on('disconnect', () => {
      client.end();
      clients.delete(client);
      service.metrics.connected(-1);
    });
  });
  return {
    close() {
      unlisten();
      newest.close();
      io.disconnectSockets(true);
      void io.engine.close();
    },
  };
}

/** What a client sends may be anything, its place for the answer too. */
function asked(log: Log, work: (subscription: Subscription) => Promise<void>): ClientEvents['subscribe'] {
  return async (given: unknown, ...rest: unknown[]) => {
    const last = rest.at(-1) ?? given;
    const answer = (typeof last === 'function' ? last : () => {}) as (answer: SocketAnswer) => void;
    try {
      await work(checkBody(Subscriptions, given));
      answer({ ok: true });
    } catch (error) {
      const told = apiError(error, 'of a socket');
      if (told.type === 'internal') log.error(describe(error), 'unexpected');
      answer({ ok: false, problem: problem(told) });
    }
  };
}

/** An upgrade has no response yet: there the connection itself is written to. */
function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  const told = apiError(error, 'of a socket');
  const { status, title } = kinds[told.type];
  const body = Buffer.from(JSON.stringify(problem(told)));
  const headers = { 'Content-Type': 'application/problem+json', 'Content-Length': String(body.length), Connection: 'close' };
  if (request.headers.upgrade === undefined) {
    response.writeHead(status, headers).end(body);
    return;
  }
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  request.socket.end(Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${title}\r\n${head.join('')}\r\n`), body]));
}
