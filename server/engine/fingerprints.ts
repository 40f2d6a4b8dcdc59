/**
 * Whether files are what they were, without reading them again while nobody has touched them. A stamp (size, times, inode) that is the same
 * proves the content, since every write moves the change time, which no program can set; only what changed within moments of being looked
 * at is read once more.
 */
import { createHash } from 'node:crypto';
import { type BigIntStats, createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import type { Fingerprint } from '../../pipeline/model/reuse';
import type { Store } from '../store';

/** Milliseconds: some file systems tell time in steps of so much. */
const coarse = 2000;
/** Never part of what a folder is to a step (`runner/stepwell/workspace.py`). */
const hidden = /^(?:__pycache__|\.ipynb_checkpoints|\.stepwell)$|\.pyc$/;

export const stampOf = (info: BigIntStats): string => `${info.size}:${info.mtimeNs}:${info.ctimeNs}:${info.ino}`;

export class Fingerprints {
  constructor(
    private readonly store: Pick<Store, 'findFingerprint' | 'keepFingerprint'>,
    private readonly now: () => number = Date.now,
  ) {}

  /** Undefined when it changes while it is looked at, or is no longer as `stamp` says it was. */
  async take(path: string, stamp?: string | null): Promise<Fingerprint | undefined> {
    const before = await look(path);
    const found = before ? stampOf(before) : null;
    if (stamp !== undefined && found !== stamp) return undefined;
    if (!before) return { stamp: null, digest: null };
    const digest = await this.digest(path, before);
    const after = await look(path);
    if (!digest || !after || stampOf(after) !== found) return undefined;
    return { stamp: found, digest, ...(this.isYoung(before) ? { young: true as const } : {}) };
  }

  /** Whether it is as it was then. */
  async holds(path: string, then: Fingerprint): Promise<boolean> {
    const info = await look(path);
    if (!info) return then.stamp === null;
    if (then.stamp === null) return false;
    if (stampOf(info) === then.stamp && !then.young) return true;
    return (await this.digest(path, info)) === then.digest;
  }

  /** It was found to hold, and only its times have been moved since: it need not be read for that. */
  async moved(path: string, { stamp, digest }: { stamp: string; digest: string }): Promise<void> {
    const info = await look(path);
    if (info && stampOf(info) !== stamp) await this.store.keepFingerprint(path, { stamp: stampOf(info), digest });
  }

  private async digest(path: string, info: BigIntStats): Promise<string | undefined> {
    if (info.isDirectory()) return digestOfFolder(path);
    if (!info.isFile()) return undefined;
    const stamp = stampOf(info);
    const known = await this.store.findFingerprint(path);
    if (known?.stamp === stamp) return known.digest;
    const digest = await digestOfFile(path).catch(() => undefined);
    if (!digest) return undefined;
    const after = await look(path);
    if (!after || stampOf(after) !== stamp) return undefined;
    if (!this.isYoung(info)) await this.store.keepFingerprint(path, { stamp, digest });
    return digest;
  }

  private isYoung({ mtimeMs, ctimeMs }: BigIntStats): boolean {
    return Number(mtimeMs > ctimeMs ? mtimeMs : ctimeMs) > this.now() - coarse;
  }
}

const look = (path: string): Promise<BigIntStats | undefined> => stat(path, { bigint: true }).catch(() => undefined);

async function digestOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) hash.update(chunk);
  return hash.digest('hex');
}

async function digestOfFolder(path: string): Promise<string | undefined> {
  const names = await readdir(path).catch(() => undefined);
  return (
    names &&
    createHash('sha256')
      .update(JSON.stringify(names.filter(name => !hidden.test(name)).sort()))
      .digest('hex')
  );
}
