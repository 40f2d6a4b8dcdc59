/**
 * Whether steps can run on the cluster, looked at in the order in which a run needs it: an answer, rights, what admission says of our pods, and
 * in the end a real step, which also tells whether its image is there and whether pods reach the artifacts.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TaskDocument, taskFormat } from '../../../pipeline/model/task';
import { attemptFolder } from '../attempt';
import type { Target } from '../target';
import { type Cluster, Refusal } from './cluster';
import type { KubernetesConfig } from './config';
import { podOf } from './pod';

export interface Finding {
  what: string;
  state: 'ok' | 'warning' | 'broken';
  found: string;
  mend?: string;
}

const needed: [verb: string, resource: string, subresource?: string][] = [
  ...['create', 'delete', 'get', 'list', 'watch'].map(verb => [verb, 'pods'] as [string, string]),
  ['get', 'pods', 'log'],
  ['create', 'secrets'],
];

/** `open` makes the target; it is closed again. */
export async function examineCluster(
  cluster: Cluster,
  config: KubernetesConfig,
  home: string,
  open: () => Promise<Target>,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  const add = async (what: string, look: () => Promise<Omit<Finding, 'what'>>): Promise<boolean> => {
    const finding = { what, ...(await look().catch(error => ({ state: 'broken' as const, found: String((error as Error).message) }))) };
    findings.push(finding);
    return finding.state !== 'broken';
  };
  const { namespace, server } = cluster;
  const reached = await add('Cluster', async () => {
    const { gitVersion } = await cluster.call<{ gitVersion: string }>('GET', '/version', { patience: 3000 });
    return { state: 'ok', found: `${server}, ${gitVersion}, namespace "${namespace}"` };
  });
  if (!reached) {
    findings.at(-1)!.mend = 'Set KUBECONFIG (and STEPWELL_K8S_CONTEXT) so that "kubectl get pods" works.';
    return findings;
  }
  await add('Rights', async () => {
    const missing = await missingRights(cluster);
    if (missing.length === 0) return { state: 'ok', found: 'all that steps need' };
    return { state: 'broken', found: `missing: ${missing.join(', ')}`, mend: 'Apply deploy/kubernetes/rbac.yaml in that namespace.' };
  });
  const task = trial(home);
  const admitted = await add('Pods', async () => {
    const body = podOf(task, {}, config, 'doctor');
    await cluster.call('POST', `${cluster.path('pods')}?dryRun=All`, { body }).catch(error => {
      if (error instanceof Refusal) throw new Error(`the cluster refuses our pods: ${error.message}`);
      throw error;
    });
    return { state: 'ok', found: 'the restricted profile is admitted' };
  });
  if (admitted) await add('Step', () => tryStep(task, config, open));
  return findings;
}

async function missingRights(cluster: Cluster): Promise<string[]> {
  const asked = needed.map(async ([verb, resource, subresource]) => {
    const resourceAttributes = { namespace: cluster.namespace, verb, resource, ...(subresource ? { subresource } : {}) };
    const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SelfSubjectAccessReview', spec: { resourceAttributes } };
    const { status } = await cluster.call<{ status: { allowed: boolean } }>(
      'POST',
      '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
      { body },
    );
    return status.allowed ? [] : [`${verb} ${resource}${subresource ? `/${subresource}` : ''}`];
  });
  return (await Promise.all(asked)).flat();
}

async function tryStep(task: TaskDocument, { image }: KubernetesConfig, open: () => Promise<Target>): Promise<Omit<Finding, 'what'>> {
  const began = Date.now();
  const target = await open();
  try {
    const end = await new Promise<string | undefined>((resolve, reject) => {
      const timer = setTimeout(() => resolve('nothing was heard of it within 60 seconds'), 60_000);
      const unwatch = target.watch(event => {
        if (event.what !== 'ended') return;
        clearTimeout(timer);
        unwatch();
        resolve(event.error?.message);
      });
      target.start(task).catch(reject);
    });
    if (end === undefined)
      return { state: 'ok', found: `a pod of ${image} ran and gave its result back, ${((Date.now() - began) / 1000).toFixed(1)} s` };
    const mend = /could not be reached|exchange|nothing was heard/.test(end)
      ? 'Pods must reach the gateway: set STEPWELL_GATEWAY to an address of this machine that they can reach, or STEPWELL_ARTIFACTS to a bucket (s3://…).'
      : 'docs/kubernetes.md says what an image needs and how to name one (STEPWELL_K8S_IMAGE).';
    return { state: 'broken', found: end, mend };
  } finally {
    await target.close();
  }
}

function trial(home: string): TaskDocument {
  const id = { run: `doctor-${Date.now().toString(36)}`, step: 'doctor', attempt: 1 };
  const folder = join(attemptFolder(home, id), 'folder');
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return {
    format: taskFormat,
    ...id,
    token: id.run,
    prelude: [],
    parameters: {},
    sharedCells: [],
    sources: [],
    inputs: { values: {}, channels: {}, files: {} },
    cells: [{ cell: 0, source: 'x = 6 * 7', executionCount: 1 }],
    wanted: ['x'],
    definitions: [],
    metrics: [],
    freshRandom: true,
    looksAt: [],
    folder,
    workspace: join(folder, '..', 'workspace'),
    artifacts: join(home, 'artifacts'),
    attemptFolder: attemptFolder(home, id),
    env: {},
    limits: { timeout: 60 },
  };
}
