/** Who may do what at the gateway, tried as strangers, as late attempts and as the real runner. */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { python } from '../targets/local/python-for-tests';
import { someTask } from '../targets/suite';
import { Gateway, partSize } from './gateway';
import { type Artifacts, digestOf, openArtifacts } from './index';

jest.setTimeout(60_000);

let root: string;
let artifacts: Artifacts;
let gateway: Gateway;
const asked: string[] = [];
const committed: string[] = [];
const key = 'run/train/1';
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'gateway-'));
  artifacts = openArtifacts(join(root, 'artifacts'));
  gateway = await open();
});
afterEach(async () => {
  await gateway.close();
  await artifacts.settle();
  rmSync(root, { recursive: true, force: true });
  asked.length = 0;
  committed.length = 0;
});
const open = () =>
  Gateway.listen({
    artifacts,
    home: root,
    host: '127.0.0.1',
    port: 0,
    listener: { asked: one => asked.push(one), committed: one => committed.push(one) },
  });
const grant = (more: Partial<Parameters<Gateway['grant']>[0]> = {}) =>
  gateway.grant({ key, token: 't', envelope: '{}', readable: new Set(), folder: join(root, 'attempt'), ...more });
const call = async (url: string, access: string, method = 'GET', body?: string | Uint8Array<ArrayBuffer>) => {
  const answer = await fetch(url, { method, body, headers: { Authorization: `Bearer ${access}` } });
  return { status: answer.status, text: await answer.text() };
};

it('lets nobody in without the permission of that very attempt', async () => {
  const one = grant();
  const other = grant({ key: 'run/train/2', token: 'other' });
  for (const access of ['', 'nothing', other.access, one.access.slice(1)]) {
    for (const [method, path] of [
      ['GET', 'task'],
      ['POST', 'outputs'],
      ['PUT', 'result'],
      ['GET', `blobs/${'0'.repeat(64)}`],
    ])
      expect((await call(`${one.url}/${path}`, access, method, method === 'GET' ? undefined : '{}')).status).toBe(401);
  }
  expect(readdirSync(root)).not.toContain('attempt');
});

it('gives an attempt its inputs and nothing else', async () => {
  const mine = await artifacts.put('mine');
  const others = await artifacts.put('others');
  const { url, access } = grant({ readable: new Set([mine.digest]) });
  expect(await call(`${url}/blobs/${mine.digest.slice(7)}`, access)).toEqual({ status: 200, text: 'mine' });
  expect((await call(`${url}/blobs/${others.digest.slice(7)}`, access)).status).toBe(403);
  for (const path of ['blobs/..%2f..%2fgateway.key', '../../../../gateway.key', 'blobs/', 'nothing', '%2e%2e/task'])
    expect((await call(`${url}/${path}`, access)).status).toBeGreaterThanOrEqual(400);
});

it('takes the content that was offered under its digest and no other', async () => {
  const { url, access } = grant();
  const digest = digestOf('content');
  const address = `${url}/blobs/${digest.slice(7)}`;
  expect((await call(address, access, 'PUT', 'content')).status).toBe(403);
  const offered = await call(`${url}/outputs`, access, 'POST', JSON.stringify({ blobs: [{ digest, size: 7 }] }));
  expect(JSON.parse(offered.text)).toEqual({ missing: [{ digest, size: 7, put: address }] });
  expect((await call(address, access, 'PUT', 'CONTENT')).status).toBe(422);
  expect((await call(address, access, 'PUT', 'longer content')).status).toBe(400);
  expect(artifacts.has(digest)).toBe(false);
  expect((await call(address, access, 'PUT', 'content')).status).toBe(200);
  expect((await artifacts.read(digest)).toString()).toBe('content');
  const again = await call(`${url}/outputs`, access, 'POST', JSON.stringify({ blobs: [{ digest, size: 7 }] }));
  expect(JSON.parse(again.text)).toEqual({ missing: [] });
});

it('puts parts together that come in any order, and more than once', async () => {
  const { url, access } = grant();
  const content = Buffer.alloc(partSize + 1000, 'abc');
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}` as const;
  const offer = await call(`${url}/outputs`, access, 'POST', JSON.stringify({ blobs: [{ digest, size: content.length }] }));
  const [{ parts, complete }] = JSON.parse(offer.text).missing;
  for (const { url: part, start, size } of [parts[1], parts[0], parts[1]])
    expect((await call(part, access, 'PUT', new Uint8Array(content.subarray(start, start + size)))).status).toBe(200);
  expect((await call(complete, access, 'POST')).status).toBe(200);
  expect((await call(complete, access, 'POST')).status).toBe(200);
  expect(await artifacts.verify(digest)).toBe(true);
  await artifacts.settle();
});

it('refuses what a replaced attempt still writes', async () => {
  const { url, access } = grant();
  const digest = digestOf('late');
  await call(`${url}/outputs`, access, 'POST', JSON.stringify({ blobs: [{ digest, size: 4 }] }));
  gateway.shut(key);
  jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 3_600_000);
  expect((await call(`${url}/blobs/${digest.slice(7)}`, access, 'PUT', 'late')).status).toBe(409);
  expect((await call(`${url}/result`, access, 'PUT', '{}')).status).toBe(409);
  jest.restoreAllMocks();
  expect(committed).toEqual([]);
  expect(artifacts.has(digest)).toBe(false);
});

it('asks those it does not know yet to come again, just after a restart, and knows their permission then', async () => {
  const { access } = grant({ envelope: '{"a":1}' });
  await gateway.close();
  gateway = await open();
  expect((await call(`${gateway.address(key)}/task`, access)).status).toBe(503);
  const again = grant({ envelope: '{"a":1}' });
  expect(again.access).toBe(access);
  expect(await call(`${gateway.address(key)}/task`, access)).toEqual({ status: 200, text: '{"a":1}' });
});

it('serves the real runner from its task to its result', async () => {
  const place = { home: root, folder: join(root, 'notebook') };
  mkdirSync(place.folder);
  const task = someTask(place, ['import os\nx = os.urandom(20_000_000)\nprint("done")'], { run: 'run', wanted: ['x'] });
  const envelope = { format: 1, task, bundle: null, store: { kind: 'gateway', url: gateway.address(key) } };
  const { url, access } = grant({ token: task.token, envelope: JSON.stringify(envelope), folder: task.attemptFolder });
  const child = spawn(python, ['-m', 'stepwell.pod'], {
    env: {
      PATH: process.env.PATH,
      HOME: root,
      PYTHONPATH: join(__dirname, '..', '..', 'runner'),
      STEPWELL_PACKAGES: join(__dirname, '..', '..', 'build', 'packages'),
      STEPWELL_TASK: `${url}/task`,
      STEPWELL_ACCESS: access,
      STEPWELL_WORK: join(root, 'work'),
      STEPWELL_TERMINATION: join(root, 'end'),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', piece => {
    said += piece;
  });
  expect(await new Promise(resolve => child.on('close', resolve))).toBe(0);
  expect([asked, committed]).toEqual([[key], [key]]);
  expect(said).toMatch(/^1 \{.*"type":"started"/m);
  expect(said.trimEnd().split('\n').at(-1)).toBe('0 {"say":"ended","result":true}');
  const result = JSON.parse(readFileSync(join(task.attemptFolder, 'result.json'), 'utf8'));
  expect(result).toMatchObject({ status: 'succeeded', token: task.token, provided: { x: { size: expect.any(Number) } } });
  expect(await artifacts.verify(result.provided.x.digest)).toBe(true);
});
