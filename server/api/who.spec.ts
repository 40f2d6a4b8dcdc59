/** Who is let in, and as whom: a table of headers, and the same over every way there is to ask. */
import { request } from 'node:http';
import { io } from 'socket.io-client';
import { routes } from './routes';
import { openServer, secret, type TestServer, v1 } from './server-for-tests';
import { makeWho } from './who';

// Each test has a server of its own; on a busy machine a few seconds pass.
jest.setTimeout(30_000);

const who = makeWho(secret);
const trusted = { 'x-stepwell-secret': secret, host: 'hub.example:8000' };
const bearer = { authorization: `Bearer ${secret}`, host: 'localhost' };

it.each<[string, Record<string, string>, object]>([
  ['the proxy names the user', { ...trusted, 'x-stepwell-user': 'ann' }, { user: 'ann' }],
  ['a name of any letters', { ...trusted, 'x-stepwell-user': '%E6%9D%8E%20%C3%BC' }, { user: '李 ü' }],
  ['a name that is not encoded', { ...trusted, 'x-stepwell-user': '100%' }, { user: '100%' }],
  ['a name with control characters', { ...trusted, 'x-stepwell-user': 'a%0A%1B[31mb' }, { user: 'a[31mb' }],
  ['no name', trusted, { user: undefined }],
  ['a bearer names nobody', { ...bearer, 'x-stepwell-user': 'root' }, {}],
  ['our own page', { ...trusted, origin: 'https://hub.example:8000' }, { user: undefined }],
  ['the usual port', { ...bearer, host: 'hub.example', origin: 'https://hub.example:443' }, {}],
  ['capitals', { ...bearer, host: 'HUB.example', origin: 'http://hub.EXAMPLE' }, {}],
])('lets in: %s', (_name, headers, caller) => {
  expect(who({ headers })).toEqual(caller);
});

it.each<[string, Record<string, string>, string]>([
  ['nobody', {}, 'unauthorized'],
  ['a wrong secret', { ...trusted, 'x-stepwell-secret': `${secret}x` }, 'unauthorized'],
  ['an empty secret', { ...trusted, 'x-stepwell-secret': '' }, 'unauthorized'],
  ['a wrong secret beside a right bearer', { ...bearer, 'x-stepwell-secret': 'x' }, 'unauthorized'],
  ['a user without a secret', { 'x-stepwell-user': 'root' }, 'unauthorized'],
  ['another scheme', { authorization: `Basic ${secret}` }, 'unauthorized'],
  ['a cookie', { cookie: `secret=${secret}` }, 'unauthorized'],
  ['a page of another site', { ...trusted, origin: 'https://evil.example' }, 'forbidden'],
  ['another port of the host', { ...trusted, origin: 'https://hub.example:9000' }, 'forbidden'],
  ['a page in a sandbox', { ...trusted, origin: 'null' }, 'forbidden'],
  ['an origin that is none', { ...trusted, origin: 'hub.example:8000' }, 'forbidden'],
  ['an origin and no host', { 'x-stepwell-secret': secret, origin: 'https://hub.example' }, 'forbidden'],
  [
    'a forged host',
    { ...trusted, origin: 'https://evil.example', 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' },
    'forbidden',
  ],
])('refuses: %s', (_name, headers, type) => {
  expect(() => who({ headers })).toThrow(expect.objectContaining({ type }));
});

it('takes no secret that could be guessed or sent wrongly', () => {
  expect(() => makeWho('short')).toThrow(/at least 16/);
  expect(() => makeWho('long enough but with spaces')).toThrow(/none a space/);
});

describe('every way in', () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await openServer();
  });
  afterAll(() => server.close());

  const closed = routes.filter(({ open }) => !open);

  it.each(closed.map(({ method, path }) => [method.toUpperCase(), path]))(
    'refuses a stranger and a page of another site: %s %s',
    async (method, path) => {
      const place = path.replace(/\{\w+\}/g, '1');
      const stranger = await server.ask(method, place, undefined, { authorization: undefined, 'x-stepwell-user': 'root' });
      expect([stranger.status, stranger.body.type]).toEqual([401, 'unauthorized']);
      expect(stranger.headers.get('www-authenticate')).toMatch(/^Bearer/);
      const foreign = await server.ask(method, place, undefined, { origin: 'https://evil.example' });
      expect([foreign.status, foreign.body.type]).toEqual([403, 'forbidden']);
    },
  );

  it('refuses a stranger before it reads what they send', async () => {
    const answer = await server.ask('POST', `${v1}/runs`, 'x'.repeat(1_000_000), {
      authorization: undefined,
      'content-type': 'text/plain',
    });
    expect(answer.status).toBe(401);
    expect((await server.ask('GET', '/nowhere', undefined, { authorization: undefined })).status).toBe(401);
    expect((await server.ask('PUT', `${v1}/runs`, undefined, { authorization: undefined })).status).toBe(401);
  });

  it('tells strangers that it is alive, and nothing else', async () => {
    for (const path of ['/healthz', '/readyz']) {
      const answer = await server.ask('GET', path, undefined, { authorization: undefined });
      expect([answer.status, answer.text]).toEqual([200, 'ok\n']);
    }
  });

  const connect = (transports: string[], extraHeaders: Record<string, string>) =>
    new Promise<string>(resolve => {
      const socket = io(server.address, { transports, extraHeaders, reconnection: false, forceNew: true });
      const end = (how: string) => {
        socket.close();
        resolve(how);
      };
      socket.on('connect', () => end('connected'));
      socket.on('connect_error', () => end('refused'));
    });

  it.each([[['websocket']], [['polling']]])(
    'over socket.io by %s lets in only who has the secret and comes from here',
    async transports => {
      const { host } = new URL(server.address);
      const own = { 'x-stepwell-secret': secret };
      expect(await connect(transports, own)).toBe('connected');
      expect(await connect(transports, { authorization: `Bearer ${secret}`, origin: `http://${host}` })).toBe('connected');
      expect(await connect(transports, {})).toBe('refused');
      expect(await connect(transports, { 'x-stepwell-user': 'root' })).toBe('refused');
      expect(await connect(transports, { ...own, origin: 'https://evil.example' })).toBe('refused');
      expect(await connect(transports, { ...own, origin: 'https://evil.example', 'x-forwarded-host': 'evil.example' })).toBe('refused');
    },
  );

  it("asks for the secret with each request of polling, so that a session's id alone is worth nothing", async () => {
    const opened = await server.ask('GET', '/socket.io/?EIO=4&transport=polling');
    expect(opened.status).toBe(200);
    const { sid } = JSON.parse(opened.text.slice(1));
    const path = `/socket.io/?EIO=4&transport=polling&sid=${sid}`;
    const stolen = await server.ask('POST', path, '40', { authorization: undefined, 'content-type': 'text/plain' });
    expect([stolen.status, stolen.body.type]).toEqual([401, 'unauthorized']);
    expect((await server.ask('GET', path, undefined, { authorization: undefined })).status).toBe(401);
    expect((await server.ask('POST', path, '40', { 'content-type': 'text/plain', origin: 'https://evil.example' })).status).toBe(403);
    expect((await server.ask('POST', path, '40', { 'content-type': 'text/plain' })).status).toBe(200);
  });

  it('answers an upgrade of a stranger with a problem', async () => {
    const answer = await new Promise<{ status?: number; type?: string }>((resolve, reject) => {
      const headers = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      };
      const asked = request(`${server.address}/socket.io/?EIO=4&transport=websocket`, { headers });
      asked.on('response', response => {
        resolve({ status: response.statusCode, type: response.headers['content-type'] });
        response.resume();
      });
      asked.on('error', reject);
      asked.end();
    });
    expect(answer).toEqual({ status: 401, type: 'application/problem+json' });
  });
});
