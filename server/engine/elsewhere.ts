/** Targets away from this machine, put together: the cluster, the way of its pods to the artifacts, and the target over both. */
import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskDocument } from '../../pipeline/model/task';
import type { Artifacts } from '../artifacts';
import { Away } from '../artifacts/away';
import type { Bucket } from '../artifacts/bucket';
import { attemptFolder } from '../targets/attempt';
import type { DataPath } from '../targets/kubernetes/data';
import type { Finding } from '../targets/kubernetes/examine';
import { TargetProblem } from '../targets/problem';
import type { Target } from '../targets/target';

export interface ElsewhereOptions {
  home: string;
  artifacts: Artifacts;
  /** Where there is one, pods reach it and need not reach us. */
  bucket?: string;
}

/** Rejects with a `TargetProblem` when no cluster is set up, or this one cannot be reached. */
export async function openKubernetes({ home, artifacts, bucket }: ElsewhereOptions): Promise<Target> {
  // Large, and of no use to those who run nothing there.
  const { Cluster, createKubernetesTarget, readKubernetesConfig } =
    require('../targets/kubernetes') as typeof import('../targets/kubernetes');
  const config = readKubernetesConfig(home);
  const cluster = Cluster.load(config);
  const own = await cluster.ownAddress().catch(error => {
    throw new TargetProblem(`The cluster at ${cluster.server} cannot be reached: ${error.message}.`, { cause: error });
  });
  const data = bucket ? mailbox(home, artifacts, bucket) : await gateway(home, artifacts, { own, ...config.gateway });
  return createKubernetesTarget({ cluster, config, data, home, owner: identity(home) });
}

/** Whether steps can run on the cluster, finding by finding. Rejects with a `TargetProblem` when none is set up. */
export async function examineKubernetes(options: ElsewhereOptions): Promise<Finding[]> {
  const { Cluster, examineCluster, readKubernetesConfig } = require('../targets/kubernetes') as typeof import('../targets/kubernetes');
  const config = readKubernetesConfig(options.home);
  const cluster = Cluster.load(config);
  try {
    return await examineCluster(cluster, config, options.home, () => openKubernetes(options));
  } finally {
    cluster.close();
  }
}

function mailbox(home: string, artifacts: Artifacts, address: string): DataPath {
  const { Mailbox } = require('../artifacts/mailbox') as typeof import('../artifacts/mailbox');
  return new Mailbox({ artifacts, bucket: openBucket(address), attemptFolder: attemptFolder.bind(null, home) });
}

function openBucket(address: string): Bucket {
  const { Bucket } = require('../artifacts/bucket') as typeof import('../artifacts/bucket');
  return Bucket.open(address);
}

/** Makes sure that what a step of this machine is given is on this machine. */
export function bringInputs({ inputs: { values, channels, files } }: TaskDocument, artifacts: Artifacts): Promise<void> {
  const states = [...Object.values(values), ...Object.values(channels), ...Object.values(files)];
  return artifacts.bring(states.flatMap(state => (state && !('folder' in state) ? [state.digest] : [])));
}

/** Tells this installation's pods from another's in the same namespace. */
function identity(home: string): string {
  const path = join(home, 'installation');
  if (!read(path)) {
    mkdirSync(home, { recursive: true, mode: 0o700 });
    writeFileSync(path, randomBytes(8).toString('hex'), { mode: 0o600 });
  }
  return read(path)!;
}

interface Place {
  own: string;
  host?: string;
  port: number;
  url?: string;
}

/** Listens where it did before, if it can: pods that go on know that address. */
async function gateway(home: string, artifacts: Artifacts, { own, host, port, url }: Place): Promise<Away> {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  const kept = join(home, 'gateway.port');
  const before = port || Number(read(kept) ?? 0);
  const options = {
    artifacts,
    home,
    host: host ?? (url === undefined ? own : '0.0.0.0'),
    url,
    attemptFolder: attemptFolder.bind(null, home),
  };
  const away = await Away.listen({ ...options, port: before }).catch(error => {
    if (port !== 0 || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE')
      throw new TargetProblem(
        `The gateway for pods cannot listen on ${options.host}, port ${before}: ${error.message}. Set STEPWELL_GATEWAY.`,
        { cause: error },
      );
    // Another command of the same home runs.
    return Away.listen({ ...options, port: 0 });
  });
  if (port === 0 && before === 0) writeFileSync(kept, new URL(away.url).port, { mode: 0o600 });
  return away;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
