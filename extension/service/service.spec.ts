/** @jest-environment node */
import { createServer, type Server as HttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { ServerConnection } from '@jupyterlab/services';
import { Server } from 'socket.io';
import type { CellRun, ClientEvents, LogLine, ServerEvents, Subscription } from '../../pipeline/model/protocol';
import type { RunEvent } from '../../pipeline/model/run';
import { ServiceFault } from './fault';
import { Service } from './service';

/** A service that says what it is told to, at Jupyter's address with a base URL. */
class Pretended {
  answer: (request: IncomingMessage, response: ServerResponse) => void = (_, response) => json(response, 200, { items: [] });
  readonly asked: Subscription[] = [];
  allow = true;
  posts: (string | undefined)[] = [];
  http!: HttpServer;
  io!: Server<ClientEvents, ServerEvents>;

  async listen(port = 0, transports: ('websocket' | 'polling')[] = ['websocket', 'polling']): Promise<void> {
    this.http = createServer((request, response) => this.answer(request, response));
    this.io = new Server(this.http, { path: '/user/ann/stepwell/socket.io/', transports });
    this.io.engine.on('initial_headers', (_headers: unknown, request: IncomingMessage) =>
      this.posts.push(request.headers['x-xsrftoken'] as string | undefined),
    );
    this.io.use((_, next) => (this.allow ? next() : next(new Error('not yet'))));
    this.io.on('connection', socket => {
      socket.on('subscribe', (to, answer) => {
        this.asked.push(to);
        answer({ ok: true });
        for (const each of this._waiting.splice(0)) each();
      });
      socket.on('unsubscribe', (_, answer) => answer({ ok: true }));
    });
    await new Promise<void>(resolve => this.http.listen(port, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.http.address() as AddressInfo).port;
  }

  /** The next subscription that comes in. */
  subscribed(): Promise<void> {
    return new Promise(resolve => this._waiting.push(resolve));
  }

  async close(): Promise<void> {
    await this.io.close();
  }

  private readonly _waiting: (() => void)[] = [];
}

const json = (response: ServerResponse, status: number, body: unknown, type = 'application/json') =>
  response.writeHead(status, { 'Content-Type': type }).end(JSON.stringify(body));
const event = (sequence: number): RunEvent => ({ sequence, at: '', change: { what: 'run', status: 'running' } });
const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise(resolve => setImmediate(resolve));
};

const pretended = new Pretended();
let service: Service;

function talkTo({ port }: Pretended): Service {
  const settings = ServerConnection.makeSettings({ baseUrl: `http://127.0.0.1:${port}/user/ann/`, appendToken: false, token: '' });
  return new Service(settings, { first: 5, longest: 20 });
}

beforeEach(async () => {
  pretended.asked.length = 0;
  pretended.posts.length = 0;
  pretended.allow = true;
  pretended.answer = (_, response) => json(response, 200, { items: [] });
  await pretended.listen();
  service = talkTo(pretended);
  // All that is asked of a page here. Settings are made before, since with a page they would want more of it.
  Object.assign(globalThis, { document: { cookie: 'a=b; _xsrf=2|abc; c=d' } });
});

afterEach(async () => {
  Reflect.deleteProperty(globalThis, 'document');
  service.dispose();
  await pretended.close();
});

describe('a followed run', () => {
  it('is told each event once and in order, over lost connections, repeats and gaps', async () => {
    const seen: number[] = [];
    const all = Array.from({ length: 400 }, (_, index) => event(index + 1));
    pretended.answer = (request, response) => {
      const after = Number(new URL(request.url!, 'http://x').searchParams.get('after'));
      json(response, 200, { items: request.url!.includes('/events') ? all.slice(after, after + 7) : [] });
    };
    const first = pretended.subscribed();
    service.followRun('r', 0, { events: events => seen.push(...events.map(({ sequence }) => sequence)), cells: () => {} });
    service.connect();
    await first;
    // A stream as bad as can be, the same each time: it repeats, jumps ahead and breaks off.
    let chance = 7;
    const random = (below: number) => {
      chance = (chance * 1103515245 + 12345) % 2147483648;
      return chance % below;
    };
    let sent = 0;
    while (sent < all.length) {
      const from = Math.max(0, sent - random(5) + (random(4) === 0 ? 5 : 0));
      const to = Math.min(all.length, from + 1 + random(20));
      pretended.io.emit('events', { run: 'r', events: all.slice(from, to) });
      sent = Math.max(sent, to);
      if (random(6) === 0) {
        const again = pretended.subscribed();
        for (const socket of pretended.io.sockets.sockets.values()) socket.conn.close();
        await again;
        const { after } = pretended.asked.at(-1) as { after: number };
        expect([0, ...seen]).toContain(after);
      }
    }
    pretended.io.emit('events', { run: 'r', events: all.slice(-1) });
    await until(() => seen.length >= all.length);
    expect(seen).toEqual(all.map(({ sequence }) => sequence));
  });

  it('hears nothing of other runs, and nothing at all once it is let go', async () => {
    const seen: unknown[] = [];
    const cell = { cell: 1, step: 'a', attempt: 1, status: 'running' } satisfies CellRun;
    const first = pretended.subscribed();
    const following = service.followRun('r', 0, {
      events: events => seen.push(events.length),
      cells: (cells, whole) => seen.push([cells, whole]),
    });
    service.connect();
    await first;
    pretended.io.emit('events', { run: 'other', events: [event(1)] });
    pretended.io.emit('cells', { run: 'r', cells: [cell], whole: true });
    await until(() => seen.length === 1);
    expect(seen).toEqual([[[cell], true]]);
    following.dispose();
    const last = pretended.subscribed();
    service.followRuns(() => {});
    await last;
    pretended.io.emit('events', { run: 'r', events: [event(1)] });
    const lines = pretended.subscribed();
    service.followLog({ run: 'r', step: 'a', attempt: 1 }, 3, () => {});
    await lines;
    expect(seen.length).toBe(1);
    expect(pretended.asked.at(-1)).toEqual({ to: 'log', run: 'r', step: 'a', attempt: 1, after: 3 });
  });
});

it('follows the lines of one attempt from the number it is given', async () => {
  const seen: number[] = [];
  const line = (number: number): LogLine => ({ number, event: { type: 'clear-output', at: '', cell: 0 } });
  const first = pretended.subscribed();
  service.followLog({ run: 'r', step: 'a', attempt: 2 }, 5, lines => seen.push(...lines.map(({ number }) => number)));
  service.connect();
  await first;
  pretended.io.emit('log', { run: 'r', step: 'a', attempt: 1, lines: [line(6)] });
  pretended.io.emit('log', { run: 'r', step: 'a', attempt: 2, lines: [line(5), line(6), line(7)] });
  await until(() => seen.length === 2);
  expect(seen).toEqual([6, 7]);
});

describe('the connection', () => {
  it('comes back by itself when the service does', async () => {
    const states: string[] = [];
    const { port } = pretended;
    service.connectionChanged.connect((_, state) => states.push(state));
    service.connect();
    await until(() => service.connection === 'connected');
    await pretended.close();
    await until(() => service.connection === 'down');
    await pretended.listen(port);
    await until(() => service.connection === 'connected');
    expect(states).toEqual(['connected', 'connecting', 'down', 'connected']);
  });

  it('tries again after it was refused', async () => {
    pretended.allow = false;
    service.connect();
    await until(() => service.connection === 'down');
    pretended.allow = true;
    await until(() => service.connection === 'connected');
  });

  it('falls back to polling with the token against forged requests where no websocket can be had', async () => {
    const { port } = pretended;
    await pretended.close();
    await pretended.listen(port, ['polling']);
    service.connect();
    await until(() => service.connection === 'connected');
    expect(pretended.posts).toContain('2|abc');
  });
});

describe('a request', () => {
  const cases: [string, number, unknown, string, string, RegExp][] = [
    [
      'a problem of the service',
      404,
      { type: 'not-found', title: '', status: 404, detail: 'There is no run r.' },
      'application/problem+json',
      'not-found',
      /^There is no run r\.$/,
    ],
    ['an answer of Jupyter', 404, { message: 'not found' }, 'application/json', 'unreachable', /server extension enabled/],
    ['a lost login', 403, '<html>', 'text/html', 'forbidden', /log in again/],
    ['a proxy that is down', 502, '<html>', 'text/html', 'unreachable', /502/],
  ];
  it.each(cases)('turns %s into a fault with a sentence', async (_, status, body, type, kind, message) => {
    pretended.answer = (_request, response) => json(response, status, body, type);
    const fault = await service.run('r').catch((error: unknown) => error);
    expect(fault).toBeInstanceOf(ServiceFault);
    expect(fault).toMatchObject({ kind, message: expect.stringMatching(message) });
  });

  it('says so when what comes is not JSON', async () => {
    pretended.answer = (_request, response) => response.writeHead(200).end('<html>');
    await expect(service.run('r')).rejects.toMatchObject({ kind: 'unreachable' });
  });

  it('says so when nobody is there', async () => {
    await pretended.close();
    await expect(service.run('r')).rejects.toMatchObject({ kind: 'unreachable', message: 'Jupyter does not answer.' });
    await pretended.listen();
  });

  it('carries the token against forged requests, the key, and names that cannot leave their place in the address', async () => {
    const requests: [string, string | undefined, string | undefined][] = [];
    pretended.answer = (request, response) => {
      requests.push([request.url!, request.headers['x-xsrftoken'] as string, request.headers['idempotency-key'] as string]);
      json(response, 200, {});
    };
    await service.start({ path: 'a.ipynb', notebook: { nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [] } }, 'key');
    await service.cancel('../../api/shutdown?x#');
    expect(requests).toEqual([
      ['/user/ann/stepwell/api/v1/runs', '2|abc', 'key'],
      ['/user/ann/stepwell/api/v1/runs/..%2F..%2Fapi%2Fshutdown%3Fx%23/cancel', '2|abc', undefined],
    ]);
  });
});
