/** A real store: what its signed addresses allow and what not, and the real runner between its task and its result with nothing but such addresses. */
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attemptFolder } from '../targets/attempt';
import { python } from '../targets/local/python-for-tests';
import { someTask } from '../targets/suite';
import { Bucket, blobKey } from './bucket';
import { type Artifacts, digestOf, openArtifacts } from './index';
import { Mailbox } from './mailbox';
import { describeWithStore, TestStore } from './store-for-tests';

jest.setTimeout(60_000);

describeWithStore('a bucket', () => {
  let root: string;
  let store: TestStore;
  let bucket: Bucket;
  let artifacts: Artifacts;
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'bucket-'));
    store = await TestStore.start(join(root, 'store'));
  });
  afterAll(async () => {
    await store.stop();
    rmSync(root, { recursive: true, force: true });
  });
  beforeEach(() => {
    bucket = Bucket.open(store.address);
    artifacts = openArtifacts(join(root, 'artifacts'), store.address);
  });
  afterEach(async () => {
    bucket.close();
    await artifacts.settle();
  });

  it('keeps blobs under their digest, small and in parts', async () => {
    for (const size of [0, 10, 70 * 2 ** 20]) {
      const content = Buffer.alloc(size, 'abc');
      const path = join(root, 'content');
      writeFileSync(path, content);
      const digest = digestOf(content);
      expect(await bucket.has(digest)).toBe(false);
      await bucket.upload(digest, path, size);
      expect(await bucket.has(digest, size)).toBe(true);
      expect(await bucket.missing([{ digest, size }])).toEqual([]);
      expect(await artifacts.reaches(digest)).toBe(true);
      await artifacts.bring([digest]);
      expect(await artifacts.verify(digest)).toBe(true);
    }
  });

  it('lets whoever has an address do that one thing, with that one content', async () => {
    const digest = digestOf('content');
    const [{ put, headers }] = (await bucket.missing([{ digest, size: 7 }])) as unknown as [
      { put: string; headers: Record<string, string> },
    ];
    const send = (body: string, url = put, more = headers) =>
      fetch(url, { method: 'PUT', body, headers: more }).then(({ status }) => status);
    expect(await send('CONTENT')).toBeGreaterThanOrEqual(400);
    expect(await send('content', put, {})).toBeGreaterThanOrEqual(400);
    expect(await send('content', put.replace(digest.slice(9), digestOf('other').slice(9)))).toBe(403);
    expect(await fetch(put).then(({ status }) => status)).toBe(403);
    expect(await bucket.has(digest)).toBe(false);
    expect(await send('content')).toBe(200);
    const reading = await bucket.reading(blobKey(digest));
    expect(await fetch(reading).then(answer => answer.text())).toBe('content');
    expect(await send('other', reading)).toBe(403);
    expect(put).not.toContain('testtesttest');
  });

  it('refuses an address that is none, and says what is wrong with a store that is away', async () => {
    for (const address of ['s3://', 'http://x/y', 's3://key:secret@bucket'])
      expect(() => Bucket.open(address)).toThrow(/STEPWELL_ARTIFACTS/);
    const away = Bucket.open('s3://artifacts?endpoint=http://127.0.0.1:9');
    await expect(away.has(digestOf('x'))).rejects.toThrow(/The bucket "artifacts" cannot be used/);
    away.close();
  });

  it('serves the real runner from its task to its result, which reaches nothing else', async () => {
    const home = join(root, 'home');
    const place = { home, folder: join(root, 'notebook') };
    mkdirSync(place.folder, { recursive: true });
    writeFileSync(join(place.folder, 'data.txt'), '42');
    const mailbox = new Mailbox({ artifacts, bucket: Bucket.open(store.address), attemptFolder: id => attemptFolder(home, id) });
    const code = 'import os\nx = os.urandom(1_000_000)\ny = os.urandom(70 << 20)\nprint(open("data.txt").read())';
    const task = someTask(place, [code], { run: 'run', wanted: ['x', 'y'] });
    const { task: address } = await mailbox.open({ ...task, artifacts: artifacts.folder });
    expect(await mailbox.committed(task)).toBe(false);
    const child = spawn(python, ['-m', 'stepwell.pod'], {
      env: {
        PATH: process.env.PATH,
        HOME: root,
        PYTHONPATH: join(__dirname, '..', '..', 'runner'),
        STEPWELL_PACKAGES: join(__dirname, '..', '..', 'build', 'packages'),
        STEPWELL_TASK: address,
        STEPWELL_WORK: join(root, 'work'),
        STEPWELL_TERMINATION: join(root, 'end'),
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    child.stdout.on('data', piece => {
      said += piece;
      const offer = /^0 (\{"say":"offer".*\})$/m.exec(said)?.[1];
      if (!offer) return;
      said = said.replace(`0 ${offer}`, '');
      const { answer, blobs } = JSON.parse(offer);
      void mailbox.offered(task, answer, blobs);
    });
    expect(await new Promise(resolve => child.on('close', resolve))).toBe(0);
    expect(said).toContain('"text":"42\\n"');
    expect(await mailbox.committed(task)).toBe(true);
    const result = JSON.parse(readFileSync(join(attemptFolder(home, task), 'result.json'), 'utf8'));
    expect(result.status).toBe('succeeded');
    await artifacts.bring([result.provided.x.digest, result.provided.y.digest]);
    expect(await artifacts.verify(result.provided.y.digest)).toBe(true);
    await mailbox.close();
  });
});
