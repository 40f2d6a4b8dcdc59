/**
 * The pod of one attempt, made of what the administrator has set up and what the step asks for, and looked at again when it is whole: the
 * *restricted* profile holds whatever was merged. Pure.
 */
import { createHash } from 'node:crypto';
import type { StepSettings } from '../../../pipeline/model/pipeline';
import type { TaskDocument } from '../../../pipeline/model/task';
import { TargetProblem } from '../problem';
import type { AttemptId } from '../target';
import type { KubernetesConfig, PodSetting } from './config';
import { podSettings } from './config';
import { checkPod, checkVolume, kindOf, text } from './policy';
import { containerName } from './verdict';

export const labels = {
  managed: 'app.kubernetes.io/managed-by',
  owner: 'stepwell.dev/owner',
  run: 'stepwell.dev/run',
  step: 'stepwell.dev/step',
  attempt: 'stepwell.dev/attempt',
  queue: 'kueue.x-k8s.io/queue-name',
} as const;

/** Which token the pod was made for, without saying it. */
export const tokenAnnotation = 'stepwell.dev/token-digest';

/** Where the container's own folders are; nothing else in it can be written. */
const work = '/work';

export interface PodManifest {
  apiVersion: 'v1';
  kind: 'Pod';
  metadata: { name: string; labels: Record<string, string>; annotations: Record<string, string> };
  spec: Record<string, unknown> & { containers: (Record<string, unknown> & { name: string; image: string })[] };
}

/** Fixed by run, step and attempt, so that a pod is found again by whoever asks; short enough for every place that a name goes. */
export function podName({ run, step, attempt }: AttemptId): string {
  const digest = createHash('sha256').update(`${run}/${step}/${attempt}`).digest('hex').slice(0, 12);
  const word = step
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 24)
    .replace(/-+$/, '');
  return `stepwell-${word || 'step'}-${attempt}-${digest}`;
}

export const tokenDigest = (token: string) => createHash('sha256').update(token).digest('hex').slice(0, 32);

/** Throws a `TargetProblem` that names the setting, when something is asked for that may not be. */
export function podOf(task: TaskDocument, settings: StepSettings, config: KubernetesConfig, owner: string): PodManifest {
  const { run, step, attempt } = task;
  const name = podName({ run, step, attempt });
  const wanted = allowed(step, settings, config);
  const volumes = (wanted.volumes ?? []).map((volume, index) => checkVolume(step, volume, index));
  const shared = wanted.sharedMemory;
  const requests = resourcesOf(step, wanted.resources ?? {}, config);
  const queue = text(step, 'queue', wanted.queue ?? config.queue);
  const pod: PodManifest = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      labels: {
        ...config.labels,
        ...wanted.labels,
        ...(queue ? { [labels.queue]: queue } : {}),
        [labels.managed]: 'stepwell',
        [labels.owner]: owner,
        [labels.run]: labelValue(run),
        [labels.step]: labelValue(step),
        [labels.attempt]: `${attempt}`,
      },
      annotations: { ...wanted.annotations, [tokenAnnotation]: tokenDigest(task.token) },
    },
    spec: {
      restartPolicy: 'Never',
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 10,
      // The last wall behind the runner's own clock; fetching inputs is not the step's time.
      ...(task.limits.timeout ? { activeDeadlineSeconds: Math.ceil(task.limits.timeout) + 600 } : {}),
      securityContext: {
        runAsNonRoot: true,
        ...(config.runAsUser === undefined ? {} : { runAsUser: config.runAsUser, runAsGroup: config.runAsUser, fsGroup: config.runAsUser }),
        seccompProfile: { type: 'RuntimeDefault' },
      },
      ...some(
        'imagePullSecrets',
        [...config.imagePullSecrets, ...(wanted.imagePullSecrets ?? [])].map(secret => ({ name: secret })),
      ),
      ...some('nodeSelector', { ...wanted.nodeSelector, ...config.nodeSelector }),
      ...some('affinity', wanted.affinity ?? {}),
      tolerations: [...away, ...config.tolerations, ...(wanted.tolerations ?? [])],
      ...(wanted.priorityClass === undefined ? {} : { priorityClassName: text(step, 'priorityClass', wanted.priorityClass) }),
      containers: [
        {
          name: containerName,
          image: text(step, 'image', wanted.image ?? config.image)!,
          ...some('imagePullPolicy', wanted.imagePullPolicy ?? config.imagePullPolicy ?? ''),
          command: ['python3', '-m', 'stepwell.pod'],
          workingDir: work,
          env: [
            { name: 'HOME', value: work },
            { name: 'STEPWELL_WORK', value: `${work}/step` },
            ...['TASK', 'ACCESS'].map(key => ({
              name: `STEPWELL_${key}`,
              valueFrom: { secretKeyRef: { name, key: key.toLowerCase() } },
            })),
            ...secretsOf(step, wanted.secrets ?? {}, config),
          ],
          resources: requests,
          securityContext: {
            allowPrivilegeEscalation: false,
            capabilities: { drop: ['ALL'] },
            readOnlyRootFilesystem: true,
            runAsNonRoot: true,
          },
          volumeMounts: [
            { name: 'work', mountPath: work },
            { name: 'tmp', mountPath: '/tmp' },
            ...(shared === undefined ? [] : [{ name: 'shm', mountPath: '/dev/shm' }]),
            ...volumes.map(({ mount }) => mount),
          ],
        },
      ],
      volumes: [
        { name: 'work', emptyDir: { sizeLimit: config.workspace } },
        { name: 'tmp', emptyDir: { sizeLimit: config.workspace } },
        ...(shared === undefined ? [] : [{ name: 'shm', emptyDir: { medium: 'Memory', sizeLimit: `${shared}` } }]),
        ...volumes.map(({ volume }) => volume),
      ],
    },
  };
  checkPod(pod, step);
  return pod;
}

/** The secret that tells the pod's container where its task is. It goes with the pod. */
export function secretOf(pod: { name: string; uid: string }, owner: string, permission: { task: string; access: string }): object {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    immutable: true,
    metadata: {
      name: pod.name,
      labels: { [labels.managed]: 'stepwell', [labels.owner]: owner },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: pod.name, uid: pod.uid }],
    },
    stringData: permission,
  };
}

/** A node that cannot be reached is given up soon: the step is run again elsewhere. */
const away = ['not-ready', 'unreachable'].map(what => ({
  key: `node.kubernetes.io/${what}`,
  operator: 'Exists',
  effect: 'NoExecute',
  tolerationSeconds: 5,
}));

type PodWishes = Pick<
  StepSettings,
  'image' | 'resources' | 'secrets' | 'labels' | 'annotations' | 'nodeSelector' | 'tolerations' | 'volumes'
> & {
  affinity?: object;
  priorityClass?: string;
  sharedMemory?: string | number;
  imagePullSecrets?: string[];
  imagePullPolicy?: string;
  queue?: string;
};

/** What the step asks for; refuses what the administrator has not allowed, and what is not of the right kind. */
function allowed(step: string, settings: StepSettings, config: KubernetesConfig): PodWishes {
  const found: Record<string, unknown> = {};
  for (const key of podSettings) {
    const value = settings[key];
    if (value === undefined) continue;
    if (!config.allow.includes(key))
      throw new TargetProblem(`Step "${step}" sets "${key}", which is not allowed on this cluster; remove it, or ask the administrator.`, {
        kind: 'config',
      });
    const expected = kinds[key];
    if (kindOf(value) !== expected && !(key === 'sharedMemory' && typeof value === 'number'))
      throw new TargetProblem(
        `The setting "${key}" of step "${step}" is ${JSON.stringify(value).slice(0, 100)}; ${expected} is expected.`,
        { kind: 'config' },
      );
    found[key] = value;
  }
  return found as PodWishes;
}

const kinds: Record<PodSetting, ReturnType<typeof kindOf>> = {
  image: 'text',
  resources: 'an object',
  secrets: 'an object',
  labels: 'an object',
  annotations: 'an object',
  nodeSelector: 'an object',
  affinity: 'an object',
  tolerations: 'a list',
  priorityClass: 'text',
  volumes: 'a list',
  sharedMemory: 'text',
  imagePullSecrets: 'a list',
  imagePullPolicy: 'text',
  queue: 'text',
};

function resourcesOf(step: string, wanted: NonNullable<StepSettings['resources']>, config: KubernetesConfig): object {
  const asked: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...config.resources, ...wanted })) {
    if (value === undefined) continue;
    const resource = name === 'gpu' ? 'nvidia.com/gpu' : name;
    if (!/^(cpu|memory|ephemeral-storage|[a-z0-9.-]+\/[A-Za-z0-9._-]+)$/.test(resource))
      throw new TargetProblem(
        `Step "${step}" asks for "${name}", which is no resource; cpu, memory, gpu and names such as "amd.com/gpu" are.`,
        { kind: 'config' },
      );
    const most = config.limits[name] ?? config.limits[resource];
    if (most !== undefined && amount(`${value}`) > amount(most))
      throw new TargetProblem(`Step "${step}" asks for ${value} of ${name}; at most ${most} may be asked for on this cluster.`, {
        kind: 'config',
      });
    asked[resource] = `${value}`;
  }
  // Memory and devices cannot be taken back, so what is asked for is what there is; processors may be borrowed.
  const { cpu, ...fixed } = asked;
  return { requests: { ...(cpu === undefined ? {} : { cpu }), ...fixed }, limits: fixed };
}

const factors: Record<string, number> = {
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

function amount(quantity: string): number {
  const [, number, suffix = ''] = /^([\d.]+(?:[eE][+-]?\d+)?)([a-zA-Z]*)$/.exec(quantity.trim()) ?? [];
  return number === undefined ? Number.NaN : Number(number) * (factors[suffix] ?? Number.NaN);
}

function secretsOf(step: string, secrets: NonNullable<StepSettings['secrets']>, config: KubernetesConfig): object[] {
  return Object.entries(secrets).map(([variable, { secret, key }]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(variable) || variable.startsWith('STEPWELL_'))
      throw new TargetProblem(`Step "${step}" wants a secret as "${variable}", which is no name for a variable of its own.`, {
        kind: 'config',
      });
    if (!config.secrets.includes('*') && !config.secrets.includes(secret))
      throw new TargetProblem(`Step "${step}" asks for the secret "${secret}", which steps may not have on this cluster.`, {
        kind: 'config',
      });
    return { name: variable, valueFrom: { secretKeyRef: { name: secret, key } } };
  });
}

/** As a label may hold it: for people who look with kubectl. What counts is in the pod's name. */
const labelValue = (value: string) =>
  value
    .replace(/[^A-Za-z0-9_.-]/g, '_')
    .slice(0, 63)
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');

function some<T extends object | string>(key: string, value: T): Record<string, T> {
  const empty = typeof value === 'string' ? value === '' : Object.keys(value).length === 0;
  return empty ? {} : { [key]: value };
}
