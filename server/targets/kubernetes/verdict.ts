/**
 * What a pod's state says of its attempt, where no result was committed. Pure: a pod, the time, and how patient we are. Each failure is a
 * sentence that names the step, says what the cluster said, and what to do.
 */
import type { FailureKind, TaskError } from '../../../pipeline/model/failure';
import { errorOf } from '../local/outcome';
import type { ContainerStatus, Pod } from './reflector';

export interface Question {
  pod: Pod;
  step: string;
  limits: { memory?: number; timeout?: number };
  /** Milliseconds since the epoch. */
  now: number;
  patience: Patience;
  /** We have asked for its end. */
  stopped: boolean;
}

/** Milliseconds that a pod may be kept from running before that is its end. */
export interface Patience {
  /** Until some node has room. */
  unschedulable: number;
  /** While its image cannot be had. */
  image: number;
  /** While its container cannot be made. */
  config: number;
}

export const usualPatience: Patience = { unschedulable: 300_000, image: 60_000, config: 15_000 };

/** `look`: when to ask again though nothing was told, in milliseconds since the epoch. */
export type Verdict =
  | { is: 'waiting'; why?: string; look?: number }
  | { is: 'running' }
  /** Its container has ended. The log is complete. */
  | { is: 'over'; error: TaskError }
  /** It will not run, or nobody will hear of it again; the pod is to be removed. */
  | { is: 'lost'; error: TaskError; look?: undefined };

/** What the runner writes where Kubernetes shows it (`remote.py`). */
interface End {
  result?: boolean;
  exit?: number | null;
  signal?: number | null;
  reason?: string | null;
  complaint?: string;
  stopped?: boolean;
}

export const containerName = 'step';

export function verdict(question: Question): Verdict {
  const { pod, step, now, patience, stopped } = question;
  const container = pod.status?.containerStatuses?.find(({ name }) => name === containerName);
  const fail = (kind: FailureKind, message: string): TaskError => ({ kind, message });
  const disruption = pod.status?.conditions?.find(({ type, status }) => type === 'DisruptionTarget' && status === 'True');
  if (pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded' || container?.state?.terminated) {
    if (stopped) return { is: 'over', error: fail('killed', `Step "${step}" was stopped.`) };
    return { is: 'over', error: disrupted(question, disruption) ?? ended(question, container) };
  }
  // Taken from a node that does not answer: nobody will confirm its end.
  if (pod.metadata.deletionTimestamp && disruption?.reason === 'DeletionByTaintManager' && !stopped)
    return { is: 'lost', error: disrupted(question, disruption)! };
  if (pod.metadata.deletionTimestamp) {
    const due = Date.parse(pod.metadata.deletionTimestamp) + lateness;
    if (now < due) return { is: 'waiting', why: 'its pod is being removed', look: due };
    const error = stopped ? fail('killed', `Step "${step}" was stopped.`) : disrupted(question, disruption);
    const node = pod.spec.nodeName ? `node "${pod.spec.nodeName}"` : 'its node';
    return {
      is: 'lost',
      error: error ?? fail('node-lost', `Step "${step}" was lost: its pod was removed, and ${node} does not say that it has ended.`),
    };
  }
  if (container?.state?.running) return { is: 'running' };
  const unscheduled = pod.status?.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  const since = (time: string | undefined) => Date.parse(time ?? pod.metadata.creationTimestamp ?? new Date(now).toISOString());
  if (unscheduled && !pod.spec.nodeName) {
    const why = unscheduled.message ?? unscheduled.reason ?? 'no reason was given';
    const due = since(unscheduled.lastTransitionTime) + patience.unschedulable;
    if (now < due) return { is: 'waiting', why: `no node can take it: ${why}`, look: due };
    const message = `Step "${step}" found no node to run on: ${stopless(why)}. Ask for less (resources, nodeSelector), or give the cluster more.`;
    return { is: 'lost', error: fail('unschedulable', message) };
  }
  const waiting = container?.state?.waiting;
  const hindrance = waiting && hindranceOf(waiting.reason ?? '');
  if (!hindrance) return { is: 'waiting' };
  const began = since(pod.status?.startTime) + (hindrance.patience === 0 ? 0 : patience[hindrance.kind]);
  const said = stopless(waiting?.message ?? waiting?.reason ?? '');
  if (now < began && hindrance.patience !== 0) return { is: 'waiting', why: said, look: began };
  return { is: 'lost', error: fail(hindrance.kind, hindrance.sentence(step, said)) };
}

/** Milliseconds after a pod should have been gone: the kubelet tells late, and the network may too. */
const lateness = 8_000;

const stopless = (text: string) => text.trim().replace(/\.+$/, '');

interface Hindrance {
  kind: 'image' | 'config';
  /** 0: waiting does not help. */
  patience?: 0;
  sentence(step: string, said: string): string;
}

/** What keeps a container from starting; undefined for what is part of every start. */
function hindranceOf(reason: string): Hindrance | undefined {
  const image = (step: string, said: string) =>
    `The image of step "${step}" cannot be had: ${said}. Check its name, and the cluster's access to the registry.`;
  if (reason === 'InvalidImageName' || reason === 'ErrImageNeverPull') return { kind: 'image', patience: 0, sentence: image };
  if (/^(ErrImagePull|ImagePullBackOff|ImageInspectError|RegistryUnavailable|SignatureValidationFailed)$/.test(reason))
    return { kind: 'image', sentence: image };
  if (
    /^(CreateContainerConfigError|CreateContainerError|RunContainerError|PreCreateHookError|PreStartHookError|PostStartHookError)$/.test(
      reason,
    )
  )
    return {
      kind: 'config',
      sentence: (step, said) =>
        `The pod of step "${step}" cannot be started as it is set up: ${said}. Check its secrets, volumes and image.`,
    };
  return undefined;
}

/** Taken away by the cluster, for a reason of the cluster's. */
function disrupted({ pod, step }: Question, disruption: { reason?: string; message?: string } | undefined): TaskError | undefined {
  const { reason = '', message } = pod.status ?? {};
  const node = pod.spec.nodeName ? ` "${pod.spec.nodeName}"` : '';
  if (reason === 'Evicted') {
    const said = stopless(message ?? 'the node needed its resources');
    if (/ephemeral|emptydir/i.test(said) && !/node was low/i.test(said))
      return { kind: 'storage', message: `Step "${step}" used more disk than it may: ${said}. Write less, or give its workspace more.` };
    return { kind: 'evicted', message: `Step "${step}" was evicted from node${node}: ${said}.` };
  }
  if (reason === 'NodeLost' || reason === 'Terminated' || reason === 'NodeShutdown' || reason === 'Shutdown')
    return { kind: 'node-lost', message: `Step "${step}" was lost with node${node}: ${stopless(message ?? 'the node went away')}.` };
  switch (disruption?.reason) {
    case 'DeletionByTaintManager':
    case 'DeletionByPodGC':
      return { kind: 'node-lost', message: `Step "${step}" was lost: node${node} cannot be reached, or is gone.` };
    case 'PreemptionByScheduler':
      return { kind: 'evicted', message: `Step "${step}" had to make room on node${node} for a pod of higher priority.` };
    case 'EvictionByEvictionAPI':
      return { kind: 'evicted', message: `Step "${step}" was evicted from node${node} by somebody who emptied the node.` };
    case 'TerminationByKubelet':
      return {
        kind: 'evicted',
        message: `Step "${step}" was evicted from node${node}: ${stopless(disruption.message ?? 'the node ended it')}.`,
      };
    default:
      return undefined;
  }
}

/** Its container ended by itself, or was ended. */
function ended({ pod, step, limits }: Question, container: ContainerStatus | undefined): TaskError {
  const terminated = container?.state?.terminated;
  const end = endOf(terminated?.message);
  if (terminated?.reason === 'OOMKilled') return errorOf({ exit: null, signal: null, reason: 'memory' }, circumstances(step, limits));
  if (pod.status?.reason === 'DeadlineExceeded')
    return errorOf({ exit: null, signal: null, reason: 'timeout' }, circumstances(step, limits));
  switch (end?.reason) {
    case 'storage':
      return { kind: 'storage', message: `Step "${step}" could not exchange its values: ${end.complaint}` };
    case 'replaced':
      return { kind: 'platform', message: `Step "${step}" was told that another attempt counts.` };
    case 'runner':
    case 'parent':
      return {
        kind: 'platform',
        message: `Step "${step}" failed inside Stepwell's runner${end.complaint ? `: ${lastLine(end.complaint)}` : ''}.`,
      };
  }
  if (end?.stopped)
    return { kind: 'killed', message: `Step "${step}" was ended from outside: somebody, or something in the cluster, removed its pod.` };
  if (end?.result) return { kind: 'storage', message: `The result of step "${step}" was committed, and cannot be found.` };
  if (end && (end.exit !== undefined || end.signal !== undefined || end.reason))
    return errorOf(
      { exit: end.exit ?? null, signal: end.signal ?? null, reason: end.reason as 'memory' | 'timeout' | null },
      { ...circumstances(step, limits), complaint: end.complaint },
    );
  if (!terminated)
    return {
      kind: 'platform',
      message: `The pod of step "${step}" failed: ${stopless(pod.status?.message ?? pod.status?.reason ?? 'no reason was given')}.`,
    };
  if (/StartError|ContainerCannotRun/.test(terminated.reason ?? '')) {
    const message = `The container of step "${step}" cannot be started: ${stopless(terminated.message ?? 'no reason was given')}. Its image needs python3 and the package stepwell.`;
    return { kind: 'config', message };
  }
  const signal = terminated.signal || (terminated.exitCode > 128 ? terminated.exitCode - 128 : 0);
  if (signal) return errorOf({ exit: null, signal, reason: null }, circumstances(step, limits));
  const said = terminated.message ? `: ${lastLine(terminated.message)}` : '';
  return {
    kind: 'config',
    message: `The container of step "${step}" ended with exit code ${terminated.exitCode} before the runner said anything${said}. Its image needs python3 and the package stepwell.`,
  };
}

const circumstances = (step: string, limits: Question['limits']) => ({ step, stopped: false, limits, diskFull: false });

function endOf(text: string | undefined): End | undefined {
  if (!text?.startsWith('{')) return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const lastLine = (text: string) => text.trim().split('\n').at(-1)!.slice(0, 300);
