/** What pods look like, what may be asked of them, and that nothing gets past the last look. */
import type { StepSettings } from '../../../pipeline/model/pipeline';
import { makePlace, removePlace, someTask } from '../suite';
import { type KubernetesConfig, readKubernetesConfig } from './config';
import { podName, podOf, secretOf } from './pod';
import { checkPod } from './policy';

const place = makePlace();
afterAll(() => removePlace(place));
const config = readKubernetesConfig(place.home, {});
const task = someTask(place, ['1'], { run: 'r1', step: 'train', token: 'the-token' });
const pod = (settings: StepSettings = {}, more: Partial<KubernetesConfig> = {}) => podOf(task, settings, { ...config, ...more }, 'owner');

it.each([
  [{ run: 'r1', step: 'train', attempt: 1 }],
  [{ run: 'R_1', step: 'Load_Data+train', attempt: 12 }],
  [{ run: 'r1', step: '___', attempt: 1 }],
  [{ run: 'r1', step: 'x'.repeat(200), attempt: 1 }],
])('names the pod of %j as Kubernetes takes it, always the same', id => {
  expect(podName(id)).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])$/);
  expect(podName(id)).toBe(podName({ ...id }));
  expect(podName({ ...id, attempt: id.attempt + 1 })).not.toBe(podName(id));
  expect(podName({ ...id, step: `${id.step}_` })).not.toBe(podName(id));
});

it('is of the restricted profile, without an account', () => {
  expect(pod().spec).toMatchObject({
    restartPolicy: 'Never',
    automountServiceAccountToken: false,
    securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [{ securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true } }],
  });
});

it('never says the token or the permission', () => {
  const text = JSON.stringify(pod());
  expect(text).not.toContain('the-token');
  expect(JSON.stringify(secretOf({ name: 'p', uid: 'u' }, 'owner', { task: 'url', access: 'secret' }))).toContain('"ownerReferences"');
});

it('has what the step asks for', () => {
  const made = pod({
    image: 'registry/image:2',
    resources: { cpu: 0.5, memory: '2Gi', gpu: 1 },
    secrets: { PASSWORD: { secret: 'db', key: 'password' } },
    nodeSelector: { disk: 'ssd' },
    tolerations: [{ key: 'gpu', operator: 'Exists' }],
    labels: { team: 'a' },
    annotations: { note: 'b' },
    volumes: [{ persistentVolumeClaim: { claimName: 'data' }, mountPath: '/data', readOnly: true }],
    sharedMemory: '1Gi',
    priorityClass: 'high',
    queue: 'team-a',
    affinity: { nodeAffinity: {} },
    imagePullSecrets: ['registry'],
  });
  expect(made.metadata.labels).toMatchObject({ team: 'a', 'kueue.x-k8s.io/queue-name': 'team-a', 'stepwell.dev/step': 'train' });
  expect(made.spec).toMatchObject({
    priorityClassName: 'high',
    nodeSelector: { disk: 'ssd' },
    imagePullSecrets: [{ name: 'registry' }],
    affinity: { nodeAffinity: {} },
    containers: [
      {
        image: 'registry/image:2',
        resources: {
          requests: { cpu: '0.5', memory: '2Gi', 'nvidia.com/gpu': '1' },
          limits: { memory: '2Gi', 'nvidia.com/gpu': '1' },
        },
        env: expect.arrayContaining([{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }]),
        volumeMounts: expect.arrayContaining([
          { name: 'volume-0', mountPath: '/data', readOnly: true },
          { name: 'shm', mountPath: '/dev/shm' },
        ]),
      },
    ],
    volumes: expect.arrayContaining([{ name: 'volume-0', persistentVolumeClaim: { claimName: 'data' } }]),
  });
  expect(made.spec.tolerations).toContainEqual({ key: 'gpu', operator: 'Exists' });
});

it('keeps our labels, and what the administrator has fixed', () => {
  const made = pod({ labels: { 'stepwell.dev/owner': 'mine' }, nodeSelector: { pool: 'mine' } }, { nodeSelector: { pool: 'notebooks' } });
  expect(made.metadata.labels['stepwell.dev/owner']).toBe('owner');
  expect(made.spec.nodeSelector).toEqual({ pool: 'notebooks' });
});

it.each<[string, StepSettings, RegExp]>([
  ['a path of the node', { volumes: [{ hostPath: { path: '/' }, mountPath: '/host' }] }, /"hostPath"/],
  ['a projected token', { volumes: [{ projected: { sources: [] }, mountPath: '/token' }] }, /"projected"/],
  ['two kinds in one', { volumes: [{ emptyDir: {}, hostPath: { path: '/' }, mountPath: '/x' }] }, /hostPath/],
  ['our folder', { volumes: [{ emptyDir: {}, mountPath: '/work/step' }] }, /belongs to/],
  ['a folder out of a volume', { volumes: [{ emptyDir: {}, mountPath: '/x', subPath: '../..' }] }, /leads out/],
  ['an unknown resource', { resources: { 'x y': 1 } }, /no resource/],
  ['more than there may be', { resources: { memory: '65Gi' } }, /at most 64Gi/],
  ['a secret it may not have', { secrets: { A: { secret: 'root', key: 'k' } } }, /"root"/],
  ['a variable of ours', { secrets: { STEPWELL_ACCESS: { secret: 'db', key: 'k' } } }, /STEPWELL_ACCESS/],
  ['an image that is none', { image: 'a b' }, /"image"/],
  ['text where an object is due', { nodeSelector: 'ssd' as never }, /an object is expected/],
])('refuses %s before anything is made', (_what, settings, message) => {
  const made = () => pod(settings, { limits: { memory: '64Gi' }, secrets: ['db'] });
  expect(made).toThrow(message);
  expect(made).toThrow(expect.objectContaining({ name: 'TargetProblem', kind: 'config' }));
});

it('refuses a setting that the administrator has not allowed', () => {
  expect(() => pod({ image: 'mine' }, { allow: ['resources'] })).toThrow(/"image".*not allowed/);
  expect(() => pod({ resources: { cpu: 1 } }, { allow: ['resources'] })).not.toThrow();
});

it.each<[string, (made: ReturnType<typeof pod>) => unknown]>([
  ["the node's network", ({ spec }) => Object.assign(spec, { hostNetwork: true })],
  ['an account', ({ spec }) => Object.assign(spec, { serviceAccountName: 'admin' })],
  ["an account's token", ({ spec }) => Object.assign(spec, { automountServiceAccountToken: true })],
  ['a second container', ({ spec }) => spec.containers.push({ ...spec.containers[0]! })],
  ['one that comes before', ({ spec }) => Object.assign(spec, { initContainers: [] })],
  ['root', ({ spec }) => Object.assign(spec.securityContext as object, { runAsUser: 0 })],
  ['privileges', ({ spec }) => Object.assign(spec.containers[0]!.securityContext as object, { privileged: true })],
  [
    'a capability',
    ({ spec }) => Object.assign(spec.containers[0]!.securityContext as object, { capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } }),
  ],
  ['a hook', ({ spec }) => Object.assign(spec.containers[0]!, { lifecycle: {} })],
  [
    'variables of the node',
    ({ spec }) => Object.assign(spec.containers[0]!, { env: [{ name: 'X', valueFrom: { fieldRef: { fieldPath: 'a' } } }] }),
  ],
  ['a path of the node', ({ spec }) => (spec.volumes as object[]).push({ name: 'x', hostPath: { path: '/' } })],
])('does not let a pod pass that has %s, however it came by it', (_what, spoil) => {
  const made = pod();
  spoil(made);
  expect(() => checkPod(made, 'train')).toThrow(/not allowed/);
});

it('refuses a configuration with a key that nobody knows', () => {
  expect(() => readKubernetesConfig(place.home, { STEPWELL_KUBERNETES: '/nowhere.json' })).toThrow(/cannot be read/);
  expect(readKubernetesConfig(place.home, { STEPWELL_GATEWAY: 'http://10.0.0.1:7070' }).gateway).toEqual({
    url: 'http://10.0.0.1:7070',
    port: 7070,
  });
  expect(() => readKubernetesConfig(place.home, { STEPWELL_GATEWAY: '10.0.0.1' })).toThrow(/STEPWELL_GATEWAY/);
});
