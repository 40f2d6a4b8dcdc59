/** A pod's state, and what it means: one row per way in which pods fail. */
import type { Pod } from './reflector';
import { usualPatience, verdict } from './verdict';

const made = Date.parse('2026-01-01T00:00:00Z');
const at = (seconds: number) => new Date(made + seconds * 1000).toISOString();

function judge(status: Pod['status'], { seconds = 1, stopped = false, metadata = {}, node = 'node-1' as string | null } = {}) {
  const pod: Pod = {
    metadata: { name: 'p', uid: 'u', creationTimestamp: at(0), ...metadata },
    spec: { nodeName: node ?? undefined },
    status,
  };
  return verdict({
    pod,
    step: 'train',
    limits: { memory: 2 ** 30, timeout: 60 },
    now: made + seconds * 1000,
    patience: usualPatience,
    stopped,
  });
}
const state = (one: object): Pod['status'] => ({ phase: 'Pending', startTime: at(0), containerStatuses: [{ name: 'step', state: one }] });
const ended = (exitCode: number, more: object = {}): Pod['status'] => ({
  ...state({ terminated: { exitCode, ...more } }),
  phase: 'Failed',
});
const said = (end: object) => ended(1, { reason: 'Error', message: JSON.stringify(end) });
const disrupted = (reason: string): Pod['status'] => ({
  ...ended(143),
  conditions: [{ type: 'DisruptionTarget', status: 'True', reason }],
});

it.each<[string, Pod['status'], string, RegExp]>([
  ['memory, told by the kernel', ended(137, { reason: 'OOMKilled' }), 'out-of-memory', /"train".*1 GiB/],
  ['memory, told by the runner', said({ exit: null, signal: 9, reason: 'memory' }), 'out-of-memory', /1 GiB/],
  ['time, told by the runner', said({ exit: null, signal: 15, reason: 'timeout' }), 'timeout', /60 seconds/],
  ['time, told by Kubernetes', { phase: 'Failed', reason: 'DeadlineExceeded' }, 'timeout', /60 seconds/],
  ['exit of the code', said({ exit: 3, signal: null, reason: null }), 'user', /exit code 3/],
  ['crash of a library', said({ exit: null, signal: 11, reason: null }), 'user', /SIGSEGV/],
  ['kill of the step', said({ exit: null, signal: 9, reason: null }), 'killed', /SIGKILL/],
  ['kill of the runner', ended(137, { reason: 'Error' }), 'killed', /SIGKILL/],
  ['removal by somebody', said({ stopped: true }), 'killed', /removed its pod/],
  ['a store that is away', said({ reason: 'storage', complaint: 'The store is away.' }), 'storage', /The store is away/],
  ['a fault of the runner', said({ reason: 'runner', complaint: 'a\nKeyError: b' }), 'platform', /KeyError: b/],
  ['a message that is cut off', ended(1, { message: '{"exit": 3, "sig' }), 'config', /exit code 1/],
  ['an image without Python', ended(128, { reason: 'StartError', message: 'exec: "python3": not found.' }), 'config', /needs python3/],
  ['an image without the runner', ended(1, { message: 'No module named stepwell' }), 'config', /No module named stepwell/],
  [
    'eviction',
    { phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory.' },
    'evicted',
    /low on resource: memory/,
  ],
  [
    'too much disk',
    { phase: 'Failed', reason: 'Evicted', message: 'Usage of EmptyDir volume "work" exceeds the limit "1Gi".' },
    'storage',
    /disk/,
  ],
  ['a lost node', disrupted('DeletionByTaintManager'), 'node-lost', /node-1/],
  ['preemption', disrupted('PreemptionByScheduler'), 'evicted', /priority/],
  ['a node that is emptied', disrupted('EvictionByEvictionAPI'), 'evicted', /emptied/],
  ['a node that goes down', { phase: 'Failed', reason: 'NodeShutdown', message: 'Pod was terminated.' }, 'node-lost', /node-1/],
  ['no reason at all', { phase: 'Failed' }, 'platform', /no reason/],
])('tells %s', (_what, status, kind, message) => {
  expect(judge(status)).toMatchObject({ is: 'over', error: { kind, message: expect.stringMatching(message) } });
});

it('says of what we stopped that it was stopped', () => {
  expect(judge(ended(137, { reason: 'Error' }), { stopped: true })).toMatchObject({
    is: 'over',
    error: { kind: 'killed', message: 'Step "train" was stopped.' },
  });
});

const unschedulable: Pod['status'] = {
  phase: 'Pending',
  conditions: [
    {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message: '0/3 nodes are available: 3 Insufficient cpu.',
      lastTransitionTime: at(0),
    },
  ],
};

it.each<[string, Pod['status'], number, string, RegExp, string | null]>([
  ['a node with room', unschedulable, 300, 'unschedulable', /3 Insufficient cpu\. Ask for less/, null],
  [
    'an image',
    state({ waiting: { reason: 'ImagePullBackOff', message: 'Back-off pulling image "x"' } }),
    60,
    'image',
    /pulling image "x"/,
    'node-1',
  ],
  [
    'a secret',
    state({ waiting: { reason: 'CreateContainerConfigError', message: 'secret "x" not found' } }),
    15,
    'config',
    /secret "x" not found/,
    'node-1',
  ],
])('waits for %s, says why, and gives up', (_what, status, seconds, kind, message, node) => {
  const waiting = judge(status, { seconds: seconds - 1, node });
  expect(waiting).toMatchObject({ is: 'waiting', why: expect.any(String), look: made + seconds * 1000 });
  expect(judge(status, { seconds, node })).toMatchObject({ is: 'lost', error: { kind, message: expect.stringMatching(message) } });
});

it('does not wait where waiting does not help', () => {
  expect(judge(state({ waiting: { reason: 'InvalidImageName', message: 'couldn’t parse image name' } }))).toMatchObject({
    is: 'lost',
    error: { kind: 'image' },
  });
});

it('takes the parts of every start as nothing to speak of', () => {
  expect(judge(undefined, { node: null })).toEqual({ is: 'waiting' });
  expect(judge(state({ waiting: { reason: 'ContainerCreating' } }))).toEqual({ is: 'waiting' });
  expect(judge(state({ running: { startedAt: at(0) } }))).toEqual({ is: 'running' });
});

it('gives up a pod that should have been gone: its node does not answer', () => {
  const metadata = { deletionTimestamp: at(10) };
  expect(judge(state({ running: {} }), { seconds: 12, metadata })).toMatchObject({ is: 'waiting', look: made + 18_000 });
  expect(judge(state({ running: {} }), { seconds: 18, metadata })).toMatchObject({ is: 'lost', error: { kind: 'node-lost' } });
  const tainted = {
    ...state({ running: {} }),
    conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager' }],
  };
  expect(judge(tainted, { seconds: 1, metadata })).toMatchObject({ is: 'lost', error: { kind: 'node-lost' } });
});
