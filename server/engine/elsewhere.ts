/** Targets away from this machine, put together: the cluster, the way of its pods to the artifacts, and the target over both. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Artifacts } from '../artifacts';
import { Away } from '../artifacts/away';
import { attemptFolder } from '../targets/attempt';
import { TargetProblem } from '../targets/problem';
import type { Target } from '../targets/target';

export interface ElsewhereOptions {
  home: string;
  artifacts: Artifacts;
}

/** Rejects with a `TargetProblem` when no cluster is set up, or this one cannot be reached. */
export async function openKubernetes({ home, artifacts }: ElsewhereOptions): Promise<Target> {
  // Large, and of no use to those who run nothing there.
  const { Cluster, createKubernetesTarget, readKubernetesConfig } =
    require('../targets/kubernetes') as typeof import('../targets/kubernetes');
  const config = readKubernetesConfig(home);
  const cluster = Cluster.load(config);
  const own = await cluster.ownAddress().catch(error => {
    throw new TargetProblem(`The cluster at ${cluster.server} cannot be reached: ${error.message}.`, { cause: error });
  });
  const data = await gateway(home, artifacts, { own, ...config.gateway });
  // Two installations may share a namespace.
  const owner = createHash('sha256').update(data.identity).digest('hex').slice(0, 16);
  return createKubernetesTarget({ cluster, config, data: data.away, home, owner });
}

interface Place {
  own: string;
  host?: string;
  port: number;
  url?: string;
}

/** Listens where it did before, if it can: pods that go on know that address. */
async function gateway(home: string, artifacts: Artifacts, { own, host, port, url }: Place): Promise<{ away: Away; identity: string }> {
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
  return { away, identity: read(join(home, 'gateway.key'))! };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
