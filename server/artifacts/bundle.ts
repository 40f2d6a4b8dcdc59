/**
 * A notebook's folder as one artifact, for steps that run where the folder is not. It is made anew only when something in the folder has
 * another size, time or mode than before, so the steps of a run share one.
 */
import { createHash } from 'node:crypto';
import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { dirname, isAbsolute, join, normalize } from 'node:path';
import type { Digest } from '../../pipeline/model/artifact';
import type { Artifacts } from './index';
import { StorageProblem } from './problem';
import { type TarEntry, tar } from './tar';

/** What no step needs of a folder: caches, histories and environments (as in the runner's workspace.py). */
const left = new Set([
  ...['__pycache__', '.ipynb_checkpoints', '.stepwell', '.git', '.hg', '.svn', 'node_modules', '.mypy_cache', '.pytest_cache'],
  ...['.ruff_cache', '.tox', '.nox', '.cache', '.conda', '.npm', '.local', '.venv'],
]);

/** Bytes and entries beyond which a folder is more than a notebook's. */
const mostBytes = 2 * 2 ** 30;
const mostEntries = 50_000;

export interface Bundle {
  digest: Digest;
  size: number;
}

export class Bundles {
  /** By folder: the signature of what it held, and the bundle that was made of that. */
  private readonly made = new Map<string, { signature: string; bundle: Promise<Bundle> }>();

  constructor(private readonly artifacts: Artifacts) {}

  /** The folder as it is now. Throws a `StorageProblem` when it is too large. */
  async of(folder: string): Promise<Bundle> {
    const entries = await list(folder);
    const signature = createHash('sha256').update(JSON.stringify(entries)).digest('hex');
    const known = this.made.get(folder);
    if (known?.signature === signature) return known.bundle;
    const bundle = this.artifacts.put(tar(entries), { durable: false });
    this.made.set(folder, { signature, bundle });
    bundle.catch(() => this.made.delete(folder));
    return bundle;
  }
}

async function list(folder: string): Promise<TarEntry[]> {
  const entries: TarEntry[] = [];
  let bytes = 0;
  const visit = async (inside: string): Promise<void> => {
    const names = await readdir(join(folder, inside)).catch(() => [] as string[]);
    for (const one of names.sort()) {
      if (left.has(one)) continue;
      const name = inside === '' ? one : `${inside}/${one}`;
      const entry = await look(folder, name);
      if (!entry) continue;
      entries.push(entry);
      bytes += entry.size;
      if (bytes > mostBytes || entries.length > mostEntries) throw tooLarge(folder);
      if (entry.kind === 'folder') await visit(name);
    }
  };
  await visit('');
  return entries;
}

/** Undefined for what cannot be handed on: sockets, devices, what cannot be read, links to folders elsewhere. */
async function look(folder: string, name: string): Promise<TarEntry | undefined> {
  const path = join(folder, name);
  try {
    let found = await lstat(path);
    if (found.isSymbolicLink()) {
      const leads = await readlink(path);
      const inside = normalize(join(dirname(name), leads));
      if (!isAbsolute(leads) && inside !== '..' && !inside.startsWith('../'))
        return { name, kind: 'link', mode: 0o777, time: 0, size: 0, leads };
      found = await stat(path);
      if (found.isDirectory()) return undefined;
    }
    const common = { name, mode: found.mode & 0o777, time: Math.floor(found.mtimeMs / 1000) };
    if (found.isDirectory()) return { ...common, kind: 'folder', size: 0, time: 0 };
    return found.isFile() ? { ...common, kind: 'file', size: found.size, path } : undefined;
  } catch {
    return undefined;
  }
}

const tooLarge = (folder: string) =>
  new StorageProblem(
    'folder',
    `The notebook's folder ${folder} is too large to go along with its steps (more than 2 GiB or 50,000 files); keep data elsewhere, or move the notebook to a folder of its own.`,
  );
