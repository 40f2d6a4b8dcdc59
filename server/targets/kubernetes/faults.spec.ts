/** What only pods can suffer, done to real ones: removed, evicted, out of memory, without a node, image or secret; and a cluster that cannot be reached for a while. */

import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { createServer, connect as dial, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { SavedValue } from '../../../pipeline/model/artifact';
import type { StepSettings } from '../../../pipeline/model/pipeline';
import type { TaskDocument } from '../../../pipeline/model/task';
import { openArtifacts } from '../../artifacts';
import { Bucket } from '../../artifacts/bucket';
import { Mailbox } from '../../artifacts/mailbox';
import { hasStore, TestStore } from '../../artifacts/store-for-tests';
import { describeOnCluster, TestNamespace } from '../../engine/cluster-for-tests';
import { attemptFolder } from '../attempt';
import { Ear, makePlace, type Place, removePlace, someTask } from '../suite';
import type { Target } from '../target';
import { podName } from './pod';

jest.setTimeout(120_000);

const waits = 'import time\nprint("waiting", flush=True)\ntime.sleep(600)';
const impatient = { patience: { unschedulable: 1000, image: 1000, config: 1000 } };

describeOnCluster('pods that suffer', () => {
  const namespace = new TestNamespace();
  beforeAll(() => namespace.make());
  afterAll(() => namespace.remove());

  let place: Place;
  const targets: Target[] = [];
  beforeEach(() => {
    place = makePlace();
  });
  afterEach(async () => {
    for (const target of targets.splice(0)) await target.close();
    // Nothing of any attempt is left, whatever became of it.
    await namespace.until(async () => (await namespace.pods()).length === 0);
    const secrets = await namespace.until(async () => {
      const { items } = await namespace.cluster.call<{ items: unknown[] }>('GET', namespace.cluster.path('secrets'));
      return items.length === 0 && items;
    });
    expect(secrets).toEqual([]);
    removePlace(place);
  });
  const open = async (...more: Parameters<TestNamespace['target']> extends [Place, ...infer Rest] ? Rest : never) => {
    const target = await namespace.target(place, ...more);
    targets.push(target);
    return { target, ear: new Ear(target) };
  };
  const running = async (target: Target, ear: Ear, task: TaskDocument, settings?: StepSettings) => {
    await target.start(task, settings);
    await ear.until(() => ear.printed(task).includes('waiting'));
  };
  const remove = (task: TaskDocument) => namespace.cluster.call('DELETE', namespace.cluster.path('pods', podName(task)));

  it('tells that somebody removed a pod', async () => {
    const { target, ear } = await open();
    const task = someTask(place, [waits]);
    await running(target, ear, task);
    await remove(task);
    const { error } = await ear.ended(task);
    // Interrupted code may still commit a result, which then says that it was interrupted.
    if (error) expect(error).toMatchObject({ message: expect.stringMatching(/"train".*(removed|ended from outside)/) });
    else expect(JSON.stringify(ear.of(task))).toMatch(/KeyboardInterrupt|SystemExit|Terminated/);
  });

  it('tells of an eviction', async () => {
    const { target, ear } = await open();
    const task = someTask(place, ['import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)', waits]);
    await running(target, ear, task);
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: podName(task) }, deleteOptions: { gracePeriodSeconds: 2 } };
    await namespace.cluster.call('POST', `${namespace.cluster.path('pods', podName(task))}/eviction`, { body });
    expect((await ear.ended(task)).error).toMatchObject({ kind: 'evicted', message: expect.stringMatching(/"train" was evicted/) });
  });

  it('tells of memory that ran out in one gulp, with the limit', async () => {
    const { target, ear } = await open();
    const limits = { memory: 256 * 2 ** 20 };
    const task = someTask(place, ['held = bytearray(b"x") * (2 << 30)'], { limits });
    await target.start(task, { resources: { memory: '256Mi' } });
    const { error } = await ear.ended(task);
    const result = ear.of(task).find(one => one.what === 'event' && one.event.type === 'result');
    if (result) expect(JSON.stringify(result)).toContain('MemoryError');
    else expect(error).toMatchObject({ kind: 'out-of-memory', message: expect.stringMatching(/256 MiB/) });
  });

  it.each<[string, StepSettings, string, RegExp]>([
    ['a node that has what is asked for', { resources: { cpu: '1000' } }, 'unschedulable', /Insufficient cpu/],
    ['a node of that kind', { nodeSelector: { disk: 'imaginary' } }, 'unschedulable', /didn't match/],
    ['the image', { image: 'localhost/nothing:1', imagePullPolicy: 'Never' }, 'image', /localhost\/nothing:1/],
    ['an image that a registry has', { image: 'localhost:9/nothing:1' }, 'image', /localhost:9\/nothing:1/],
    ['a name that an image can have', { image: 'UPPER/case' }, 'image', /UPPER\/case/],
    ['the secret', { secrets: { A: { secret: 'nothing', key: 'k' } } }, 'config', /secret "nothing" not found/],
  ])('says why a pod cannot run: there is not %s', async (_what, settings, kind, message) => {
    const { target, ear } = await open(impatient);
    const task = someTask(place, ['1']);
    await target.start(task, settings);
    expect((await ear.ended(task)).error).toMatchObject({ kind, message: expect.stringMatching(message) });
  });

  it('says before anything is made what the cluster refuses, in its words', async () => {
    const { target } = await open();
    const task = someTask(place, ['1']);
    await expect(target.start(task, { labels: { '!': 'x' } })).rejects.toThrow(/refused the pod of step "train".*metadata\.labels/);
    await expect(target.start(task, { priorityClass: 'imaginary' })).rejects.toThrow(/no PriorityClass/);
    expect(await namespace.pods()).toEqual([]);
  });

  it('goes on with a pod after the service was gone, and tells all that it said', async () => {
    const port = await freePort();
    const first = await open({}, port);
    const task = someTask(place, ['import time\nprint("waiting", flush=True)\ntime.sleep(6)\nprint("done")']);
    await running(first.target, first.ear, task);
    // As if it had been killed: nothing is told, nothing is removed.
    targets.splice(0);
    await first.target.leave!();
    const second = await open({}, port);
    await second.target.recover([task]);
    await second.ear.until(() => second.ear.printed(task).includes('waiting'));
    expect((await second.ear.ended(task)).error).toBeUndefined();
    expect(second.ear.printed(task)).toBe('waiting\ndone\n');
    const said = readFileSync(join(attemptFolder(place.home, task), 'events.jsonl'), 'utf8')
      .trimEnd()
      .split('\n');
    expect(said.filter(line => line.includes('"started"'))).toHaveLength(1);
  });

  const withStore = hasStore ? it : it.skip;
  withStore('brings outputs to a bucket that was away when they were offered (needs versitygw)', async () => {
    const store = await TestStore.start(join(place.home, 'store'), await namespace.cluster.ownAddress());
    const artifacts = openArtifacts(join(place.home, 'artifacts'), store.address);
    const bucket = Bucket.open(store.address);
    const mailbox = new Mailbox({ artifacts, bucket, attemptFolder: attemptFolder.bind(null, place.home) });
    const { target, ear } = await open({}, 0, undefined, mailbox);
    const task = someTask(place, ['import time\nprint("waiting", flush=True)\ntime.sleep(2)\nx = list(range(1000))'], { wanted: ['x'] });
    await running(target, ear, task);
    await store.stop();
    await ear.until(() => ear.of(task).some(one => one.what === 'event' && one.event.type === 'cell-finished'));
    await store.restart();
    expect((await ear.ended(task)).error).toBeUndefined();
    const result = ear.of(task).flatMap(one => (one.what === 'event' && one.event.type === 'result' ? [one.event.result] : []))[0]!;
    const { digest } = result.provided.x as SavedValue;
    expect(artifacts.has(digest)).toBe(false);
    await artifacts.bring([digest]);
    expect(await artifacts.verify(digest)).toBe(true);
    await artifacts.settle();
    await store.stop();
  });

  it('notices a result though the cluster cannot be reached, and what happened meanwhile when it can', async () => {
    const proxy = await Road.towards(new URL(namespace.cluster.server));
    const kubeconfig = join(place.home, 'kubeconfig');
    const text = readFileSync(process.env.KUBECONFIG!, 'utf8').replace(/server: "?https:[^\s",}]+"?/, `server: "${proxy.url}"`);
    writeFileSync(kubeconfig, text.replace(/(server: "[^"]+")/, '$1, tls-server-name: localhost'));
    const { target, ear } = await open({}, 0, kubeconfig);
    const [quick, gone] = [someTask(place, ['import time\nprint("waiting", flush=True)\ntime.sleep(4)\n6 * 7']), someTask(place, [waits])];
    await running(target, ear, quick);
    await running(target, ear, gone);
    proxy.cut();
    await remove(gone);
    expect((await ear.ended(quick)).error).toBeUndefined();
    await namespace.until(async () => (await namespace.pod(podName(gone))) === undefined);
    expect(ear.of(gone).some(one => one.what === 'ended')).toBe(false);
    proxy.mend();
    await ear.ended(gone);
    // Before the namespace is looked at: what could not be removed while it was away is removed now.
    await target.close();
    await proxy.close();
  });
});

/** A way to the API server that can be cut. */
class Road {
  private readonly sockets = new Set<Socket>();
  private open = true;

  private constructor(
    private readonly server: Server,
    readonly url: string,
  ) {}

  static async towards(target: URL): Promise<Road> {
    const server = createServer(socket => {
      socket.on('error', () => {});
      if (!proxy.open) return socket.destroy();
      const other = dial({ host: target.hostname, port: Number(target.port) });
      other.on('error', () => socket.destroy());
      for (const one of [socket, other]) {
        proxy.sockets.add(one);
        one.on('close', () => proxy.sockets.delete(one));
      }
      return socket.pipe(other).pipe(socket);
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    const proxy = new Road(server, `https://127.0.0.1:${(server.address() as AddressInfo).port}`);
    return proxy;
  }

  cut(): void {
    this.open = false;
    for (const socket of this.sockets) socket.destroy();
  }

  mend(): void {
    this.open = true;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise(resolve => this.server.close(resolve));
  }
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise(resolve => {
    server.listen(0, () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}
