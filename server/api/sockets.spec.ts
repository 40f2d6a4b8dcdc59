/** Live changes, through real sockets: in order, once, through lost connections, and never at the price of the service. */
import { createServer, request as httpRequest } from 'node:http';
import { connect as netConnect } from 'node:net';
import { io, type Socket } from 'socket.io-client';
import type { ClientEvents, LoggedTaskEvent, RunSummary, ServerEvents, SocketAnswer } from '../../pipeline/model/protocol';
import { openServer, secret, small, type TestServer, v1 } from './server-for-tests';

// Each test has a server of its own; on a busy machine a few seconds pass.
jest.setTimeout(30_000);

type Client = Socket<ServerEvents, ClientEvents>;

let server: TestServer;
const clients: Client[] = [];
beforeEach(async () => {
  server = await openServer();
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await server.close();
});

const connect = (more: object = {}, address = server.address): Client => {
  const client: Client = io(address, {
    transports: ['websocket'],
    extraHeaders: { 'x-stepwell-secret': secret },
    forceNew: true,
    reconnection: false,
    ...more,
  });
  clients.push(client);
  return client;
};
const subscribe = (client: Client, to: unknown): Promise<SocketAnswer> =>
  new Promise(resolve => client.emit('subscribe', to as never, resolve));
const start = async () => (await server.ask<RunSummary>('POST', `${v1}/runs`, { path: 'a.ipynb', notebook: small })).body.id;
const until = async (condition: () => boolean) => {
  while (!condition()) await new Promise(resolve => setTimeout(resolve, 5));
};
const at = new Date(0).toISOString();
const printed = (text: string): LoggedTaskEvent => ({
  type: 'output',
  at,
  cell: 0,
  output: { output_type: 'stream', name: 'stdout', text },
});

describe.each([['websocket'], ['polling']])('over %s', transport => {
  it('sends the log of a run from where it was asked, then what happens', async () => {
    const run = await start();
    await server.runs.move(run, { what: 'run', status: 'running' }, { what: 'plan', reason: 'a' });
    const client = connect({ transports: [transport] });
    const seen: number[] = [];
    client.on('events', ({ events }) => seen.push(...events.map(({ sequence }) => sequence)));
    expect(await subscribe(client, { to: 'run', run, after: 1 })).toEqual({ ok: true });
    await until(() => seen.length === 2);
    await server.runs.move(run, { what: 'plan', reason: 'b' });
    await until(() => seen.length === 3);
    expect(seen).toEqual([2, 3, 4]);
  });

  it('sends cells whole and then as they change', async () => {
    const run = await start();
    const cell = { cell: 0, step: 'load', attempt: 1, status: 'queued' as const };
    server.runs.stand(run, cell);
    const client = connect({ transports: [transport] });
    const seen: unknown[] = [];
    client.on('cells', ({ cells, whole }) => seen.push([whole, cells]));
    await subscribe(client, { to: 'run', run, after: 0 });
    await until(() => seen.length === 1);
    server.runs.stand(run, { ...cell, status: 'running' });
    await until(() => seen.length === 2);
    expect(seen).toEqual([
      [true, [cell]],
      [false, [{ ...cell, status: 'running' }]],
    ]);
  });
});

it('misses nothing and doubles nothing while connections come and go and events are written', async () => {
  const run = await start();
  const total = 300;
  let going = true;
  const seen: number[][] = [[], [], []];
  const followers = seen.map(async (numbers, index) => {
    let random = index + 1;
    const chance = (most: number) => {
      random = (random * 48271) % 2147483647;
      return random % most;
    };
    while (numbers.at(-1) !== total) {
      const client = connect({ transports: [index === 2 ? 'polling' : 'websocket'] });
      client.on('events', ({ events }) => numbers.push(...events.map(({ sequence }) => sequence)));
      await subscribe(client, { to: 'run', run, after: numbers.at(-1) ?? 0 });
      const enough = numbers.length + 1 + chance(40);
      await until(() => numbers.length >= enough || numbers.at(-1) === total);
      client.close();
    }
  });
  for (let sequence = 1; sequence < total; ) {
    const many = Math.min(1 + (sequence % 7), total - sequence);
    await server.runs.move(run, ...Array.from({ length: many }, () => ({ what: 'plan' as const, reason: 'x' })));
    sequence += many;
    if (sequence % 5 === 0) await new Promise(resolve => setImmediate(resolve));
  }
  await Promise.all(followers);
  going = false;
  for (const numbers of seen) expect(numbers).toEqual(Array.from({ length: total }, (_, i) => i + 1));
  expect(going).toBe(false);
});

it('sends lines by number, cut where they are long', async () => {
  const run = await start();
  for (let i = 0; i < 500; i++) server.runs.say(run, 'load', 1, printed(`${i}\n`));
  server.runs.say(run, 'load', 1, printed('x'.repeat(1_000_000)));
  const client = connect();
  const seen: { number: number; cut?: number }[] = [];
  client.on('log', ({ lines }) => seen.push(...lines));
  await subscribe(client, { to: 'log', run, step: 'load', attempt: 1, after: 100 });
  for (let i = 0; i < 100; i++) server.runs.say(run, 'load', 1, printed(`late ${i}\n`));
  server.runs.say(run, 'load', 2, printed('of another attempt'));
  await until(() => seen.at(-1)?.number === 601);
  expect(seen.map(({ number }) => number)).toEqual(Array.from({ length: 501 }, (_, i) => i + 101));
  expect(seen[400]?.cut).toBe(1_000_000 - 64 * 1024);
});

it('tells of runs in general, the newest state of each and not too often', async () => {
  const client = connect();
  const seen: RunSummary[] = [];
  client.on('runs', ({ run }) => seen.push(run));
  expect(await subscribe(client, { to: 'runs' })).toEqual({ ok: true });
  const [one, other] = [await start(), await start()];
  await until(() => seen.some(({ id }) => id === one) && seen.some(({ id }) => id === other));
  const began = performance.now();
  for (let i = 0; i < 100; i++) await server.runs.move(one, { what: 'plan', reason: 'x' });
  await server.runs.move(one, { what: 'run', status: 'succeeded' }, { what: 'step', step: 'load', status: 'succeeded' });
  await until(() => seen.at(-1)?.status === 'succeeded');
  expect(seen.at(-1)).toMatchObject({ id: one, sequence: 103, steps: { succeeded: 1, waiting: 1 }, path: 'a.ipynb' });
  const looks = Math.ceil((performance.now() - began) / 250) + 2;
  expect(seen.filter(({ id }) => id === one).length).toBeLessThanOrEqual(looks + 1);
});

it('leaves when it is asked to', async () => {
  const run = await start();
  const client = connect();
  const seen: string[] = [];
  client.onAny(name => seen.push(name));
  for (const to of [{ to: 'runs' }, { to: 'run', run, after: 1 }, { to: 'log', run, step: 'load', attempt: 1, after: 0 }]) {
    expect(await subscribe(client, to)).toEqual({ ok: true });
    expect(await new Promise(resolve => client.emit('unsubscribe', to as never, resolve))).toEqual({ ok: true });
  }
  seen.splice(0);
  await server.runs.move(run, { what: 'run', status: 'running' });
  server.runs.say(run, 'load', 1, printed('x'));
  // The answer comes after whatever was sent before it.
  await subscribe(client, { to: 'log', run, step: 'none', attempt: 1, after: 0 });
  expect(seen).toEqual([]);
});

it('answers what cannot be followed with a problem, and lives through anything', async () => {
  const run = await start();
  const client = connect();
  const type = async (to: unknown) => {
    const answer = await subscribe(client, to);
    return answer.ok ? 'ok' : answer.problem.type;
  };
  expect(await type({ to: 'run', run: '0'.repeat(16), after: 0 })).toBe('not-found');
  for (const bad of [
    null,
    1,
    'runs',
    [],
    {},
    { to: 'everything' },
    { to: 'run' },
    { to: 'run', run, after: -1 },
    { to: 'run', run, after: 0.5 },
    { to: 'run', run, after: '0' },
    { to: 'run', run: '../../etc', after: 0 },
    { to: 'run', run, after: 0, more: 1 },
    { to: 'log', run, step: 'a', attempt: 0, after: 0 },
    { to: 'log', run, step: 'a\0', attempt: 1, after: 0 },
    JSON.parse('{"__proto__": {"to": "runs"}}'),
  ])
    expect(await type(bad)).toBe('invalid-body');
  const loose = client as unknown as { emit(...all: unknown[]): void };
  loose.emit('subscribe');
  loose.emit('subscribe', { to: 'run', run, after: 0 });
  loose.emit('subscribe', { to: 'runs' }, 'no function');
  loose.emit('subscribe', () => {});
  loose.emit('no-such-event', 1, 2);
  loose.emit('unsubscribe', { to: 'run', run: 'x' });
  loose.emit('subscribe', 'a', Buffer.from('x'));
  expect(await type({ to: 'runs' })).toBe('ok');
});

it('works behind a prefix that a proxy takes off', async () => {
  const target = new URL(server.address);
  const strip = (url = '') => url.replace(/^\/user\/ann\/stepwell/, '');
  const proxy = createServer((incoming, outgoing) => {
    const passed = httpRequest(
      { host: target.hostname, port: target.port, path: strip(incoming.url), method: incoming.method, headers: incoming.headers },
      answer => {
        outgoing.writeHead(answer.statusCode!, answer.headers);
        answer.pipe(outgoing);
      },
    );
    incoming.pipe(passed);
  });
  proxy.on('upgrade', (incoming, socket, head) => {
    const passed = netConnect(Number(target.port), target.hostname, () => {
      const headers = Object.entries(incoming.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      passed.write(`GET ${strip(incoming.url)} HTTP/1.1\r\n${headers.join('')}\r\n`);
      passed.write(head);
      passed.pipe(socket).pipe(passed);
    });
    passed.on('error', () => socket.destroy());
    socket.on('error', () => passed.destroy());
  });
  await new Promise<void>(resolve => proxy.listen(0, '127.0.0.1', resolve));
  const { port } = proxy.address() as { port: number };
  const run = await start();
  for (const transports of [['websocket'], ['polling'], ['polling', 'websocket']]) {
    const client = connect({ transports, path: '/user/ann/stepwell/socket.io/' }, `http://127.0.0.1:${port}`);
    const seen: number[] = [];
    client.on('events', ({ events }) => seen.push(...events.map(({ sequence }) => sequence)));
    expect(await subscribe(client, { to: 'run', run, after: 0 })).toEqual({ ok: true });
    await until(() => seen.length === 1);
    client.close();
  }
  proxy.closeAllConnections();
  await new Promise(resolve => proxy.close(resolve));
});

it('drops a client that does not read, and keeps nothing for it', async () => {
  const own = await openServer({ heartbeat: { pingInterval: 200, pingTimeout: 200 } });
  try {
    const { body } = await own.ask<RunSummary>('POST', `${v1}/runs`, { path: 'a.ipynb', notebook: small });
    const run = body.id;
    // Some 100 MB, were it kept.
    for (let i = 0; i < 1600; i++) own.runs.say(run, 'load', 1, printed('x'.repeat(64 * 1024)));
    const lines = own.runs.lines.bind(own.runs);
    const asking = new Promise<void>(resolve => {
      own.runs.lines = (...all) => {
        resolve();
        return lines(...all);
      };
    });
    const { hostname, port } = new URL(own.address);
    const silent = netConnect(Number(port), hostname);
    silent.on('error', () => {});
    const key = 'dGhlIHNhbXBsZSBub25jZQ==';
    const headers = `Host: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n`;
    silent.write(`GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nX-Stepwell-Secret: ${secret}\r\n${headers}\r\n`);
    await new Promise(resolve => silent.once('data', resolve));
    silent.write(frame('40'));
    await new Promise(resolve => silent.once('data', resolve));
    silent.pause();
    const connections = async () => /^stepwell_sockets (\d+)/m.exec((await own.ask('GET', '/metrics')).text)?.[1];
    const asked = JSON.stringify(['subscribe', { to: 'log', run, step: 'load', attempt: 1, after: 0 }]);
    const before = process.memoryUsage().arrayBuffers;
    silent.write(frame(`42${asked}`));
    await asking;
    let most = 0;
    while ((await connections()) !== '0') most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    silent.destroy();
    expect(most).toBeLessThan(40 * 1024 * 1024);
  } finally {
    await own.close();
  }
});

/** A websocket frame of a short text, masked with zeros. */
function frame(text: string): Buffer {
  const body = Buffer.from(text);
  const length = body.length < 126 ? [0x80 | body.length] : [0x80 | 126, body.length >> 8, body.length & 255];
  return Buffer.concat([Buffer.from([0x81, ...length, 0, 0, 0, 0]), body]);
}

it('ends sockets when the server closes', async () => {
  const own = await openServer();
  const client = connect({}, own.address);
  await subscribe(client, { to: 'runs' });
  const gone = new Promise<string>(resolve => client.on('disconnect', resolve));
  await own.close();
  expect(await gone).toMatch(/io server disconnect|transport close/);
});
