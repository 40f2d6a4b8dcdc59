/** Lists and watches of an API server that misbehaves in every way that real ones do. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, Refusal } from './cluster';
import { type Pod, Reflector } from './reflector';

jest.setTimeout(20_000);

/** Answers each request with the next function; the last one again and again. */
type Answer = (response: ServerResponse, url: URL, request: IncomingMessage) => void;
let folder: string;
let server: Server;
let cluster: Cluster;
let answers: Answer[];
let asked: URL[];
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cluster-'));
  asked = [];
  server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://x');
    asked.push(url);
    (answers.length > 1 ? answers.shift()! : answers[0]!)(response, url, request);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const file = join(folder, 'config');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'c',
    clusters: [{ name: 'c', cluster: { server: address, 'insecure-skip-tls-verify': true } }],
  };
  writeFileSync(
    file,
    JSON.stringify({
      ...config,
      users: [{ name: 'u', user: { token: 't' } }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
    }),
  );
  cluster = Cluster.load({ kubeconfig: file });
});
afterEach(async () => {
  cluster.close();
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
  rmSync(folder, { recursive: true });
});

const pod = (name: string, version = '1') => ({
  metadata: { name, uid: name, resourceVersion: version },
  spec: {},
  status: { phase: 'Running' },
});
const list =
  (names: string[], version: string, more?: string): Answer =>
  response =>
    response.end(
      JSON.stringify({ metadata: { resourceVersion: version, ...(more ? { continue: more } : {}) }, items: names.map(name => pod(name)) }),
    );
const refuse =
  (status: number, reason: string, headers = {}): Answer =>
  response =>
    response.writeHead(status, headers).end(JSON.stringify({ reason, message: `${reason} of the test` }));
const line = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`;
/** Sends these and goes on, or is cut off. */
const watch =
  (pieces: string[], cut = false): Answer =>
  response => {
    for (const piece of pieces) response.write(piece);
    if (cut) setTimeout(() => response.destroy(), 20);
  };

/** What was told, as `+name` and `-name`, and a way to wait for it. */
async function told(expected: string[], options: Partial<ConstructorParameters<typeof Reflector>[0]> = {}): Promise<Reflector> {
  const heard: string[] = [];
  let look = () => {};
  const reflector = new Reflector({
    cluster,
    selector: 'a=b',
    changed: (name, one: Pod | undefined) => {
      heard.push(`${one ? '+' : '-'}${name}`);
      look();
    },
    ...options,
  });
  try {
    await new Promise<void>(resolve => {
      look = () => expected.every(one => heard.includes(one)) && resolve();
      look();
    });
  } finally {
    await reflector.close();
  }
  expect(heard).toEqual(expected);
  return reflector;
}

it('lists in pages, then watches from there with bookmarks', async () => {
  answers = [list(['a'], '5', 'more'), list(['b'], '7'), watch([line('ADDED', pod('c', '8'))])];
  await told(['+a', '+b', '+c']);
  expect(asked.map(({ searchParams }) => [searchParams.get('continue'), searchParams.get('resourceVersion')])).toEqual([
    [null, null],
    ['more', null],
    [null, '7'],
  ]);
  expect(asked[2]!.searchParams.get('allowWatchBookmarks')).toBe('true');
});

it('goes on where a watch was cut, in the middle of a line too', async () => {
  const half = line('MODIFIED', pod('a', '9')).slice(0, 20);
  answers = [
    list(['a'], '5'),
    watch([line('BOOKMARK', { metadata: { resourceVersion: '8' } }), half], true),
    watch([line('ADDED', pod('b', '10'))]),
  ];
  await told(['+a', '+b']);
  expect(asked.at(-1)!.searchParams.get('resourceVersion')).toBe('8');
});

it.each<[string, Answer]>([
  ['as an answer', refuse(410, 'Expired')],
  ['as an event', watch([line('ERROR', { code: 410, reason: 'Expired', message: 'too old' })])],
])('makes a new list when its place is gone, told %s, and tells what went meanwhile', async (_how, gone) => {
  answers = [list(['a', 'b'], '5'), gone, list(['b', 'c'], '50'), watch([])];
  await told(['+a', '+b', '-a', '+c']);
});

it.each<[string, Answer]>([
  ['429', refuse(429, 'TooManyRequests', { 'Retry-After': '0.05' })],
  ['500', refuse(500, 'InternalError')],
  ['a page of a proxy', response => response.writeHead(502).end('<html>')],
  ['a cut connection', response => response.destroy()],
  ['half an answer', response => response.writeHead(200, { 'Content-Length': '1000' }).write('{"metadata":', () => response.destroy())],
])('tries again after %s', async (_what, failure) => {
  answers = [failure, list(['a'], '5'), watch([])];
  await told(['+a']);
});

it('notices a watch that says nothing, and one that is told less than there is', async () => {
  answers = [list(['a'], '5'), watch([]), watch([]), watch([]), list([], '9'), watch([])];
  const reflector = await told(['+a', '-a'], { silence: 30, relist: 60_000 });
  expect(reflector.figures.failures).toBe(3);
});

it('makes a list every so often though the watch seems well', async () => {
  answers = [
    list(['a'], '5'),
    (response, url) => setTimeout(() => response.end(), Number(url.searchParams.get('timeoutSeconds')) * 100),
    list(['b'], '9'),
    watch([]),
  ];
  await told(['+a', '-a', '+b'], { relist: 50 });
});

it('says what a refusal is, once trying again does not help', async () => {
  answers = [refuse(403, 'Forbidden')];
  await expect(cluster.call('GET', '/x')).rejects.toThrow(new Refusal(403, 'Forbidden', 'Forbidden of the test'));
  expect(asked).toHaveLength(1);
});
