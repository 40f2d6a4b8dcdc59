/**
 * What no pod of ours may ever have, whoever asked for it and however it was merged. Written as what is allowed: a field that is not named
 * here is refused.
 */
import { TargetProblem } from '../problem';
import type { PodManifest } from './pod';

const refuse = (step: string, what: string): never => {
  throw new TargetProblem(`The pod of step "${step}" would have ${what}, which is not allowed.`, { kind: 'config' });
};

const specKeys = new Set([
  ...['restartPolicy', 'automountServiceAccountToken', 'enableServiceLinks', 'terminationGracePeriodSeconds', 'activeDeadlineSeconds'],
  ...['securityContext', 'imagePullSecrets', 'nodeSelector', 'affinity', 'tolerations', 'priorityClassName', 'containers', 'volumes'],
]);
const containerKeys = new Set([
  ...['name', 'image', 'imagePullPolicy', 'command', 'workingDir', 'env', 'resources', 'securityContext', 'volumeMounts'],
]);
const volumeKinds = new Set(['emptyDir', 'persistentVolumeClaim', 'configMap']);
const ownPaths = ['/work', '/tmp', '/dev', '/proc', '/sys', '/etc', '/usr', '/bin', '/lib', '/sbin', '/var/run'];

/** Throws a `TargetProblem` when the pod is not of the restricted profile, or has anything else that it must not. */
export function checkPod(pod: PodManifest, step: string): void {
  for (const key of Object.keys(pod.spec)) if (!specKeys.has(key)) refuse(step, `"${key}"`);
  const { securityContext, automountServiceAccountToken, containers, volumes } = pod.spec as unknown as {
    securityContext: { runAsNonRoot: boolean; runAsUser?: number; seccompProfile: { type: string } };
    automountServiceAccountToken: boolean;
    containers: Record<string, unknown>[];
    volumes: Record<string, unknown>[];
  };
  if (automountServiceAccountToken !== false) refuse(step, "a service account's token");
  if (securityContext.runAsNonRoot !== true || securityContext.runAsUser === 0) refuse(step, "root's rights");
  if (securityContext.seccompProfile.type !== 'RuntimeDefault') refuse(step, 'no seccomp profile');
  if (containers.length !== 1) refuse(step, 'more than one container');
  for (const volume of volumes) {
    const kinds = Object.keys(volume).filter(key => key !== 'name');
    if (kinds.length !== 1 || !volumeKinds.has(kinds[0]!)) refuse(step, `a volume of the kind "${kinds.join(', ')}"`);
  }
  for (const container of containers) {
    for (const key of Object.keys(container)) if (!containerKeys.has(key)) refuse(step, `"${key}" in its container`);
    const { allowPrivilegeEscalation, capabilities, readOnlyRootFilesystem, ...rest } = container.securityContext as Record<
      string,
      unknown
    >;
    if (allowPrivilegeEscalation !== false || readOnlyRootFilesystem !== true) refuse(step, 'more rights than it needs');
    if (JSON.stringify(capabilities) !== '{"drop":["ALL"]}') refuse(step, 'capabilities');
    if (JSON.stringify(rest) !== '{"runAsNonRoot":true}') refuse(step, `"${Object.keys(rest).join(', ')}" in its security context`);
    for (const { valueFrom } of container.env as { valueFrom?: object }[])
      if (valueFrom && Object.keys(valueFrom).join() !== 'secretKeyRef') refuse(step, 'variables from anywhere but secrets');
  }
}

/** A volume of the setting `volumes`: as in a pod, with `mountPath` beside it. */
export function checkVolume(step: string, value: unknown, index: number): { volume: Record<string, unknown>; mount: object } {
  const where = `volumes[${index}] of step "${step}"`;
  if (kindOf(value) !== 'an object') throw new TargetProblem(`${where} is not an object.`, { kind: 'config' });
  const { mountPath, readOnly, subPath, name: _name, ...source } = value as Record<string, unknown>;
  const kinds = Object.keys(source);
  if (kinds.length !== 1 || !volumeKinds.has(kinds[0]!))
    throw new TargetProblem(`${where} is of the kind "${kinds.join(', ')}"; ${[...volumeKinds].join(', ')} are allowed.`, {
      kind: 'config',
    });
  if (typeof mountPath !== 'string' || !/^\/[^\0]*$/.test(mountPath) || mountPath.split('/').includes('..'))
    throw new TargetProblem(`${where} needs a "mountPath" such as "/data".`, { kind: 'config' });
  if (mountPath === '/' || ownPaths.some(own => mountPath === own || mountPath.startsWith(`${own}/`)))
    throw new TargetProblem(`${where} would be mounted at ${mountPath}, which belongs to the system or the runner.`, { kind: 'config' });
  if (subPath !== undefined && (typeof subPath !== 'string' || subPath.startsWith('/') || subPath.split('/').includes('..')))
    throw new TargetProblem(`${where} has the "subPath" ${JSON.stringify(subPath)}, which leads out of it.`, { kind: 'config' });
  const name = `volume-${index}`;
  return {
    volume: { name, ...source },
    mount: { name, mountPath, ...(readOnly === true ? { readOnly } : {}), ...(subPath === undefined ? {} : { subPath }) },
  };
}

export function kindOf(value: unknown): 'text' | 'a list' | 'an object' | 'something else' {
  if (typeof value === 'string') return 'text';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : 'something else';
}

/** A setting that is text on one line. */
export function text<T extends string | undefined>(step: string, setting: string, value: T): T {
  if (value !== undefined && (value === '' || value.length > 500 || /[\s\0-\x1f]/.test(value)))
    throw new TargetProblem(`The setting "${setting}" of step "${step}" is ${JSON.stringify(value).slice(0, 100)}, which is no name.`, {
      kind: 'config',
    });
  return value;
}
