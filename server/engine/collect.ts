/**
 * The collector: lets old runs go, and then every blob that no run names any more. It may run while others write. A blob that was written or
 * touched within the grace stays, named or not, since whoever wrote it may be about to name it; and whoever takes over an earlier answer
 * touches its blobs first.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Digest } from '../../pipeline/model/artifact';
import type { Artifacts } from '../artifacts';
import type { Retention, Store } from '../store';

export interface Collected {
  runs: string[];
  blobs: number;
  /** Of the blobs. */
  bytes: number;
  /** Blobs that are named, and those that are not but are too young to go. */
  kept: number;
  young: number;
}

export interface Collecting {
  store: Store;
  artifacts: Artifacts;
  /** Attempts' folders are in `<home>/runs`. */
  home: string;
  retention: Retention;
  /** Only say what would go. */
  dryRun: boolean;
  /** Milliseconds. */
  grace?: number;
  now?: number;
}

const hour = 60 * 60 * 1000;

export async function collect({
  store,
  artifacts,
  home,
  retention,
  dryRun,
  grace = hour,
  now = Date.now(),
}: Collecting): Promise<Collected> {
  const removable = await store.removableRuns(retention);
  const runs = dryRun ? removable : await store.removeRuns(removable);
  if (!dryRun) for (const run of runs) await rm(join(home, 'runs', run), { recursive: true, force: true });
  const named = new Set<Digest>();
  for await (const some of store.namedDigests(dryRun ? runs : [])) for (const digest of some) named.add(digest);
  const found: Collected = { runs, blobs: 0, bytes: 0, kept: 0, young: 0 };
  const gone: string[] = [];
  for await (const { digest, size, touched } of artifacts.list()) {
    if (named.has(digest)) found.kept++;
    else if (touched >= now - grace || !(dryRun || (await artifacts.collect(digest, now - grace)))) found.young++;
    else {
      found.blobs++;
      found.bytes += size;
      gone.push(artifacts.path(digest));
    }
  }
  if (!dryRun) await store.dropFingerprints(gone);
  return found;
}
