/**
 * Artifacts: blobs in a folder, known by the digest of their content (docs/running.md, "Blobs"). A blob is written under a temporary
 * name and renamed, so under a digest there is a whole blob or none. Nothing but a digest is ever made into a path.
 */
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { type Digest, isDigest } from '../../pipeline/model/artifact';
import type { Bucket } from './bucket';
import { StorageProblem, storageProblem } from './problem';

export { StorageProblem } from './problem';

export interface Artifacts {
  readonly folder: string;
  /**
   * Keeps the content and tells its digest. When it resolves the blob is whole and safe from the death of this process; it is safe from
   * loss of power too unless `durable` is false, in which case `settle` sees to it.
   */
  put(
    content: Uint8Array | string | AsyncIterable<Uint8Array | string>,
    options?: { durable?: boolean },
  ): Promise<{ digest: Digest; size: number }>;
  /** Makes a file in the folder's `tmp` the blob of that digest, or throws when it is not. The file is gone either way. */
  take(file: string, digest: Digest): Promise<void>;
  /** The blob's bytes, checked against the digest. */
  read(digest: Digest): Promise<Buffer>;
  /** Where the blob is, or would be. Throws for anything that is not a digest. */
  path(digest: Digest): string;
  has(digest: Digest): boolean;
  /** Whether it can be had: it is in the folder, or in the bucket that steps elsewhere write to. */
  reaches(digest: Digest): Promise<boolean>;
  /** Makes sure that these are in the folder. Throws a `StorageProblem` when one is nowhere. */
  bring(digests: Iterable<Digest>): Promise<void>;
  /** Reads all of it: false when it is missing or is not what its digest says. */
  verify(digest: Digest): Promise<boolean>;
  /** Waits until everything put so far is on the disk. */
  settle(): Promise<void>;
  /** Keeps the blob from being collected for a while; false when it is not there. Whoever names one that was there before calls this first. */
  touch(digest: Digest): Promise<boolean>;
  /** Every blob with its size, and when it was written or touched last, in milliseconds since 1970. */
  list(): AsyncIterable<{ digest: Digest; size: number; touched: number }>;
  /** Removes the blob unless it has been written or touched since `before`; true when it is gone. */
  collect(digest: Digest, before: number): Promise<boolean>;
}

/** Temporary files older than this were left by programs that died. */
const abandoned = 24 * 60 * 60 * 1000;

/** Milliseconds for which a touch holds without being renewed: far less than collectors wait. */
const freshFor = 10 * 60 * 1000;

/** Opens (and makes, for its owner alone) the folder; `bucket` is where steps elsewhere leave theirs (`s3://…`). Throws a `StorageProblem` when it cannot be used. */
export function openArtifacts(folder: string, bucket?: string): Artifacts {
  const root = resolve(folder);
  const temporary = join(root, 'tmp');
  try {
    mkdirSync(root, { recursive: true, mode: 0o700 });
    mkdirSync(temporary, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw storageProblem(error, root);
  }
  void removeAbandoned(temporary);
  return new Folder(root, temporary, bucket);
}

class Folder implements Artifacts {
  private readonly syncing = new Set<Promise<void>>();
  private opened: Bucket | undefined;

  constructor(
    readonly folder: string,
    private readonly temporary: string,
    private readonly address?: string,
  ) {}

  path(digest: Digest): string {
    if (!isDigest(digest)) throw new StorageProblem('digest', `Not the digest of an artifact: ${JSON.stringify(digest)?.slice(0, 100)}.`);
    const hex = digest.slice('sha256:'.length);
    return join(this.folder, 'sha256', hex.slice(0, 2), hex.slice(2));
  }

  has(digest: Digest): boolean {
    return existsSync(this.path(digest));
  }

  async reaches(digest: Digest): Promise<boolean> {
    return this.has(digest) || (await this.bucket?.has(digest)) === true;
  }

  async bring(digests: Iterable<Digest>): Promise<void> {
    for (const digest of new Set(digests)) {
      if (this.has(digest) || !this.bucket) continue;
      const file = join(this.temporary, `${process.pid}-${randomBytes(9).toString('hex')}`);
      await this.bucket.download(digest, file);
      await this.take(file, digest);
    }
  }

  /** Opened by the first who needs it. */
  private get bucket(): Bucket | undefined {
    if (this.address && !this.opened) this.opened = (require('./bucket') as typeof import('./bucket')).Bucket.open(this.address);
    return this.opened;
  }

  async put(
    content: Uint8Array | string | AsyncIterable<Uint8Array | string>,
    { durable = true } = {},
  ): Promise<{ digest: Digest; size: number }> {
    try {
      const whole = typeof content === 'string' ? Buffer.from(content) : content;
      if (whole instanceof Uint8Array) {
        return await this.keep([whole], durable);
      }
      return await this.keep(whole, durable);
    } catch (error) {
      throw storageProblem(error, this.folder);
    }
  }

  async take(file: string, digest: Digest): Promise<void> {
    const path = this.path(digest);
    try {
      const hash = createHash('sha256');
      for await (const chunk of createReadStream(file)) hash.update(chunk);
      if (`sha256:${hash.digest('hex')}` !== digest) throw damaged(digest, file);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      const handle = await open(file, 'r+');
      await rename(file, path);
      this.syncLater(handle, path);
    } catch (error) {
      await rm(file, { force: true });
      throw storageProblem(error, this.folder, digest);
    }
  }

  async read(digest: Digest): Promise<Buffer> {
    const path = this.path(digest);
    let bytes: Buffer;
    try {
      bytes = await readFile(path);
    } catch (error) {
      throw storageProblem(error, this.folder, digest);
    }
    if (digestOf(bytes) !== digest) throw damaged(digest, path);
    return bytes;
  }

  async verify(digest: Digest): Promise<boolean> {
    const path = this.path(digest);
    const hash = createHash('sha256');
    try {
      for await (const chunk of createReadStream(path)) hash.update(chunk);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw storageProblem(error, this.folder, digest);
    }
    return `sha256:${hash.digest('hex')}` === digest;
  }

  async settle(): Promise<void> {
    try {
      while (this.syncing.size > 0) await Promise.all(this.syncing);
    } catch (error) {
      throw storageProblem(error, this.folder);
    }
  }

  async touch(digest: Digest): Promise<boolean> {
    try {
      const path = this.path(digest);
      const { mtimeMs } = await stat(path);
      const now = Date.now();
      if (now - mtimeMs > freshFor) await utimes(path, now / 1000, now / 1000);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw storageProblem(error, this.folder, digest);
    }
  }

  async *list(): AsyncIterable<{ digest: Digest; size: number; touched: number }> {
    await this.restore();
    const all = join(this.folder, 'sha256');
    for (const first of (await readdir(all).catch(() => [])).sort()) {
      for (const rest of (await readdir(join(all, first)).catch(() => [])).sort()) {
        const digest: Digest = `sha256:${first}${rest}`;
        const found = isDigest(digest) ? await stat(this.path(digest)).catch(() => undefined) : undefined;
        if (found?.isFile()) yield { digest, size: found.size, touched: found.mtimeMs };
      }
    }
  }

  async collect(digest: Digest, before: number): Promise<boolean> {
    const path = this.path(digest);
    // Out of the way first, and only then looked at: who touches or writes it meanwhile has done so to this file, or makes a new one.
    const aside = join(this.collecting, digest.slice('sha256:'.length));
    try {
      await mkdir(this.collecting, { recursive: true, mode: 0o700 });
      await rename(path, aside);
      if ((await stat(aside)).mtimeMs < before) {
        await rm(aside);
        return true;
      }
      await rename(aside, path);
      return false;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw storageProblem(error, this.folder, digest);
    }
  }

  /** What a collector that was killed had put aside goes back. */
  private async restore(): Promise<void> {
    for (const name of await readdir(this.collecting).catch(() => [])) {
      const digest: Digest = `sha256:${name}`;
      if (!isDigest(digest)) continue;
      if (this.has(digest)) await rm(join(this.collecting, name), { force: true });
      else await rename(join(this.collecting, name), this.path(digest)).catch(() => {});
    }
  }

  private get collecting(): string {
    return join(this.folder, 'collecting');
  }

  private async keep(
    content: Iterable<Uint8Array> | AsyncIterable<Uint8Array | string>,
    durable: boolean,
  ): Promise<{ digest: Digest; size: number }> {
    const name = join(this.temporary, `${process.pid}-${randomBytes(9).toString('hex')}`);
    const hash = createHash('sha256');
    let size = 0;
    let file: FileHandle | undefined;
    let kept = false;
    try {
      file = await open(name, 'wx', 0o600);
      for await (const chunk of content) {
        const bytes = typeof chunk === 'string' ? Buffer.from(chunk) : chunk;
        hash.update(bytes);
        size += bytes.length;
        // FileHandle.write may write a part only, writeFile does not.
        await file.writeFile(bytes);
      }
      const digest: Digest = `sha256:${hash.digest('hex')}`;
      if (durable) await file.sync();
      const path = this.path(digest);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      // Also when it is there already: that one may be damaged, or about to be collected as one that nobody has named for long.
      await rename(name, path);
      kept = true;
      if (durable) await syncFolder(dirname(path));
      else this.syncLater(file, path);
      if (!durable) file = undefined;
      return { digest, size };
    } finally {
      await file?.close();
      if (!kept) await rm(name, { force: true });
    }
  }

  private syncLater(file: FileHandle, path: string): void {
    const done = (async () => {
      try {
        await file.sync();
      } finally {
        await file.close();
      }
      await syncFolder(dirname(path));
    })();
    this.syncing.add(done);
    // A failure is told by `settle`, if it is still to come; never by an unhandled rejection.
    done.then(
      () => this.syncing.delete(done),
      () => {},
    );
  }
}

/** The digest of a blob with this content. */
export const digestOf = (bytes: Uint8Array | string): Digest => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const damaged = (digest: Digest, path: string) =>
  new StorageProblem(
    'damaged',
    `The artifact ${digest} is damaged: ${path} does not hold what its name says; remove the file and run the step that made it again.`,
  );

/** A rename is on the disk when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function removeAbandoned(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name);
    const found = await stat(path).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > abandoned) await rm(path, { force: true }).catch(() => {});
  }
}
