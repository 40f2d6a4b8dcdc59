/** The artifact folder: what it keeps it gives back whole, under its digest and nowhere else. */
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import type { Digest } from '../../pipeline/model/artifact';
import { type Artifacts, openArtifacts, StorageProblem } from './index';
import { storageProblem } from './problem';

const root = mkdtempSync(join(tmpdir(), 'stepwell-artifacts-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let count = 0;
let artifacts: Artifacts;
beforeEach(() => {
  artifacts = openArtifacts(join(root, `${++count}`, 'artifacts'));
});

const sha256 = (bytes: Uint8Array | string): Digest => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
const missing: Digest = `sha256:${'0'.repeat(64)}`;
const temporary = () => readdirSync(join(artifacts.folder, 'tmp'));

async function* pieces(bytes: Buffer, cuts: number[]) {
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b)) {
    yield bytes.subarray(from, Math.min(cut, bytes.length));
    from = Math.min(cut, bytes.length);
  }
  yield bytes.subarray(from);
}

it('gives back what was put, however it came', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 5000 }), fc.array(fc.nat(5000)), fc.boolean(), async (content, cuts, stream) => {
      const bytes = Buffer.from(content);
      const put = await artifacts.put(stream ? pieces(bytes, cuts) : bytes);
      expect(put).toEqual({ digest: sha256(bytes), size: bytes.length });
      expect(artifacts.has(put.digest)).toBe(true);
      expect(await artifacts.read(put.digest)).toEqual(bytes);
      expect(await artifacts.verify(put.digest)).toBe(true);
    }),
    { numRuns: 50 },
  );
  expect(temporary()).toEqual([]);
});

it('keeps text as UTF-8', async () => {
  const { digest } = await artifacts.put('grün 😀');
  expect((await artifacts.read(digest)).toString()).toBe('grün 😀');
});

it('lays blobs out as docs/running.md says, for their owner alone', async () => {
  const { digest } = await artifacts.put('x');
  const hex = digest.slice(7);
  expect(artifacts.path(digest)).toBe(join(artifacts.folder, 'sha256', hex.slice(0, 2), hex.slice(2)));
  expect(statSync(artifacts.folder).mode & 0o777).toBe(0o700);
  expect(statSync(artifacts.path(digest)).mode & 0o777).toBe(0o600);
});

it('keeps equal content once, as new: a damaged blob is mended, and one that was about to be collected stays', async () => {
  const { digest } = await artifacts.put('same');
  for (const put of [
    () => artifacts.put('same'),
    () => artifacts.put('same', { durable: false }),
    () => artifacts.put(pieces(Buffer.from('same'), [2])),
  ]) {
    writeFileSync(artifacts.path(digest), 'sand');
    utimesSync(artifacts.path(digest), 1, 1);
    await put();
    expect(await artifacts.verify(digest)).toBe(true);
    expect(await artifacts.collect(digest, 2000)).toBe(false);
  }
  const all: Digest[] = [];
  for await (const one of artifacts.list()) all.push(one.digest);
  expect(all).toEqual([digest]);
  expect(temporary()).toEqual([]);
});

it('takes the same new content from many at once', async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => artifacts.put(Buffer.alloc(100_000, 7))));
  expect(new Set(all.map(one => one.digest)).size).toBe(1);
  expect(await artifacts.verify(all[0]!.digest)).toBe(true);
  expect(temporary()).toEqual([]);
});

it('leaves the syncing for later on request', async () => {
  const { digest } = await artifacts.put('later', { durable: false });
  expect((await artifacts.read(digest)).toString()).toBe('later');
  await artifacts.settle();
  expect(await artifacts.verify(digest)).toBe(true);
});

it('notices a blob that is damaged, and mends one that is short', async () => {
  const { digest } = await artifacts.put('0123456789');
  writeFileSync(artifacts.path(digest), '012345678x');
  await expect(artifacts.read(digest)).rejects.toMatchObject({ trouble: 'damaged', message: expect.stringContaining(digest) });
  expect(await artifacts.verify(digest)).toBe(false);
  truncateSync(artifacts.path(digest), 3);
  await artifacts.put('0123456789');
  expect(await artifacts.verify(digest)).toBe(true);
});

it('says in a sentence that a blob is missing', async () => {
  expect(artifacts.has(missing)).toBe(false);
  expect(await artifacts.verify(missing)).toBe(false);
  await expect(artifacts.read(missing)).rejects.toMatchObject({
    name: 'StorageProblem',
    trouble: 'missing',
    message: expect.stringContaining(missing),
  });
});

it.each([
  '',
  '../../../etc/passwd',
  'sha256:../../x',
  `sha256:${'0'.repeat(63)}`,
  `sha256:${'G'.repeat(64)}`,
  `sha256:${'0'.repeat(64)}\n`,
  `sha256:${'0'.repeat(60)}/../`,
  `md5:${'0'.repeat(64)}`,
  null,
  7,
])('refuses %j, which is no digest', async wrong => {
  const digest = wrong as unknown as Digest;
  expect(() => artifacts.path(digest)).toThrow(StorageProblem);
  expect(() => artifacts.has(digest)).toThrow(StorageProblem);
  await expect(artifacts.read(digest)).rejects.toThrow(StorageProblem);
  await expect(artifacts.verify(digest)).rejects.toThrow(StorageProblem);
});

it('leaves nothing when its source fails', async () => {
  async function* broken() {
    yield 'half';
    throw new Error('the source broke');
  }
  await expect(artifacts.put(broken())).rejects.toThrow('the source broke');
  expect(temporary()).toEqual([]);
  expect(existsSync(join(artifacts.folder, 'sha256'))).toBe(false);
});

it('removes temporary files that are older than a day, and no others', async () => {
  const [old, young] = [join(artifacts.folder, 'tmp', 'old'), join(artifacts.folder, 'tmp', 'young')];
  for (const file of [old, young]) writeFileSync(file, '');
  const before = Date.now() / 1000 - 25 * 60 * 60;
  utimesSync(old, before, before);
  openArtifacts(artifacts.folder);
  for (let i = 0; existsSync(old) && i < 1000; i++) await new Promise(resolve => setTimeout(resolve, 5));
  expect(temporary()).toEqual(['young']);
});

describe('says in a sentence', () => {
  it('that its folder is a file', () => {
    const file = join(root, 'file');
    writeFileSync(file, '');
    expect(() => openArtifacts(join(file, 'artifacts'))).toThrow(/cannot be made: a part of its path is a file/);
  });

  it('that its folder is gone', async () => {
    rmSync(artifacts.folder, { recursive: true });
    await expect(artifacts.put('x')).rejects.toMatchObject({ name: 'StorageProblem', trouble: 'folder' });
  });

  it.each([
    ['ENOSPC', 'full', /disk that holds the artifacts in \/a is full; make room/],
    ['EDQUOT', 'full', /is full/],
    ['EACCES', 'read-only', /\/a cannot be written/],
    ['EROFS', 'read-only', /\/a cannot be written/],
  ])('what %s means', (code, trouble, message) => {
    const problem = storageProblem(Object.assign(new Error(code), { code }), '/a');
    expect(problem).toMatchObject({ name: 'StorageProblem', trouble, message: expect.stringMatching(message) });
  });

  const device = '/dev/full';
  (existsSync(device) ? it : it.skip)('that the disk is full when it is', async () => {
    // A device that is always full in place of the next temporary file's folder is not to be had; the source of a stream can meet one.
    const { open } = await import('node:fs/promises');
    async function* full() {
      const file = await open(device, 'w');
      try {
        await file.writeFile('x');
        yield 'never';
      } finally {
        await file.close();
      }
    }
    await expect(artifacts.put(full())).rejects.toMatchObject({ name: 'StorageProblem', trouble: 'full' });
  });

  (process.getuid?.() === 0 ? it.skip : it)('that it cannot be written', async () => {
    const { chmodSync } = await import('node:fs');
    chmodSync(join(artifacts.folder, 'tmp'), 0o500);
    await expect(artifacts.put('x')).rejects.toMatchObject({ trouble: 'read-only' });
    chmodSync(join(artifacts.folder, 'tmp'), 0o700);
  });
});
