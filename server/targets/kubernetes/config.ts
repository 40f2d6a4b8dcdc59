/**
 * How the person who runs Stepwell has set up its Kubernetes target: one JSON file (`STEPWELL_KUBERNETES`, or `kubernetes.json` in the home
 * folder), and variables for what differs most. A key that nobody knows is refused, since a misspelt limit is no limit.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TargetProblem } from '../problem';
import { type Patience, usualPatience } from './verdict';

/** Settings of a step that concern its pod, and that an administrator may allow or not. */
export const podSettings = [
  'image',
  'resources',
  'secrets',
  'labels',
  'annotations',
  'nodeSelector',
  'affinity',
  'tolerations',
  'priorityClass',
  'volumes',
  'sharedMemory',
  'imagePullSecrets',
  'imagePullPolicy',
  'queue',
] as const;
export type PodSetting = (typeof podSettings)[number];

export interface KubernetesConfig {
  context?: string;
  namespace?: string;
  /** What steps run in that name no image. */
  image: string;
  imagePullSecrets: string[];
  imagePullPolicy?: 'Always' | 'IfNotPresent' | 'Never';
  /** What users may set. */
  allow: PodSetting[];
  /** Secrets that steps may name; absent: none. `*`: any of the namespace. */
  secrets: string[];
  /** Most that a step may ask for, as Kubernetes writes it: `{"cpu": "8", "memory": "64Gi"}`. */
  limits: Record<string, string>;
  /** What a step has that asks for nothing. */
  resources: Record<string, string | number>;
  /** For all pods, in addition to what steps say. */
  labels: Record<string, string>;
  nodeSelector: Record<string, string>;
  tolerations: object[];
  queue?: string;
  /** Space for a step's files. */
  workspace: string;
  /** A user id, where the images name none that is a number. */
  runAsUser?: number;
  /** Where pods reach the gateway: what it listens on, and what they call it. */
  gateway: { host?: string; port: number; url?: string };
  /** Pods that run at once. */
  pods: number;
  patience: Patience;
}

const defaults: KubernetesConfig = {
  image: 'localhost/stepwell:1',
  imagePullSecrets: [],
  allow: [...podSettings],
  secrets: ['*'],
  limits: {},
  resources: {},
  labels: {},
  nodeSelector: {},
  tolerations: [],
  workspace: '10Gi',
  gateway: { port: 0 },
  pods: 100,
  patience: usualPatience,
};

const known = new Set([...Object.keys(defaults), 'context', 'namespace', 'imagePullPolicy', 'queue', 'runAsUser']);

/** Throws a `TargetProblem` when the file is not in order. */
export function readKubernetesConfig(home: string, env: NodeJS.ProcessEnv = process.env): KubernetesConfig {
  const path = env.STEPWELL_KUBERNETES || join(home, 'kubernetes.json');
  const file = readFile(path, Boolean(env.STEPWELL_KUBERNETES));
  const strange = Object.keys(file).find(key => !known.has(key));
  if (strange) throw new TargetProblem(`${path} has a key "${strange}" that is not known; the keys are ${[...known].join(', ')}.`);
  const config = {
    ...defaults,
    ...file,
    patience: { ...defaults.patience, ...file.patience },
    gateway: { ...defaults.gateway, ...file.gateway },
  };
  if (env.STEPWELL_K8S_CONTEXT) config.context = env.STEPWELL_K8S_CONTEXT;
  if (env.STEPWELL_K8S_NAMESPACE) config.namespace = env.STEPWELL_K8S_NAMESPACE;
  if (env.STEPWELL_K8S_IMAGE) config.image = env.STEPWELL_K8S_IMAGE;
  if (env.STEPWELL_GATEWAY) config.gateway = gatewayOf(env.STEPWELL_GATEWAY, config.gateway);
  return config;
}

function readFile(path: string, named: boolean): Partial<KubernetesConfig> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (!named && (error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw new TargetProblem(`${path} (STEPWELL_KUBERNETES) cannot be read: ${(error as Error).message}.`, { cause: error });
  }
  try {
    const found = JSON.parse(text);
    if (typeof found === 'object' && found !== null && !Array.isArray(found)) return found;
  } catch {
    // Said below.
  }
  throw new TargetProblem(`${path} is not a JSON object.`);
}

/** `http://name:port`: what pods call the gateway; it listens on that port. */
function gatewayOf(text: string, rest: KubernetesConfig['gateway']): KubernetesConfig['gateway'] {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^https?:$/.test(url.protocol))
    throw new TargetProblem(
      `STEPWELL_GATEWAY is "${text}"; an address such as http://192.168.1.5:7070 is expected, as pods reach this machine.`,
    );
  return { ...rest, url: url.origin, port: rest.port || Number(url.port) };
}
