/** Attempts go where their step says, and only places that are needed are made. */
import type { StepSettings } from '../../pipeline/model/pipeline';
import { Routed } from './routed';
import { makePlace, removePlace, someTask } from './suite';
import type { AttemptId, Target, TargetEvent } from './target';

class Fake implements Target {
  readonly calls: string[] = [];
  readonly listeners = new Set<(event: TargetEvent) => void>();
  constructor(readonly name: string) {}
  start = async ({ step }: AttemptId) => void this.calls.push(`start ${step}`);
  stop = async ({ step }: AttemptId) => void this.calls.push(`stop ${step}`);
  flush = async () => {};
  recover = async (ids: AttemptId[]) => void this.calls.push(`recover ${ids.map(({ step }) => step)}`);
  close = async () => void this.calls.push('close');
  watch(listener: (event: TargetEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

const place = makePlace();
afterAll(() => removePlace(place));
const at = (step: string) => someTask(place, ['1'], { step });
function make(name = 'local') {
  const [local, kubernetes] = [new Fake('local'), new Fake('kubernetes')];
  const made: string[] = [];
  const make = (one: Fake) => () => {
    made.push(one.name);
    return one;
  };
  const before = jest.fn(async () => {});
  return {
    routed: new Routed(name, { local: make(local), kubernetes: make(kubernetes) }, undefined, before),
    local,
    kubernetes,
    made,
    before,
  };
}

it('sends attempts where their step says, else where the run does, and makes each place once', async () => {
  const { routed, local, kubernetes, made, before } = make();
  await routed.start(at('a'));
  expect(made).toEqual(['local']);
  await Promise.all([routed.start(at('b'), { target: 'k8s' }), routed.start(at('c'), { target: 'kubernetes' })]);
  expect(made).toEqual(['local', 'kubernetes']);
  expect([local.calls, kubernetes.calls]).toEqual([['start a'], ['start b', 'start c']]);
  expect(before.mock.calls.map(([name]: unknown[]) => name)).toEqual(['local', 'kubernetes', 'kubernetes']);
});

it('stops an attempt where it went, and tells what all say', async () => {
  const { routed, local, kubernetes } = make('kubernetes');
  const task = at('a');
  const heard: TargetEvent[] = [];
  routed.watch(event => heard.push(event));
  await routed.start(task);
  await routed.stop(task);
  await routed.stop(at('b'));
  expect([local.calls, kubernetes.calls]).toEqual([[], ['start a', 'stop a']]);
  const ended: TargetEvent = { what: 'ended', id: task };
  for (const listener of kubernetes.listeners) listener(ended);
  expect(heard).toEqual([ended]);
  await routed.stop(task);
  expect(kubernetes.calls).toEqual(['start a', 'stop a']);
  routed.release();
  expect(kubernetes.listeners.size).toBe(0);
});

it('asks each place what became of its own attempts', async () => {
  const { routed, local, kubernetes } = make();
  const settings: Record<string, StepSettings> = { b: { target: 'k8s' } };
  await routed.recover([at('a'), at('b'), at('c')], ({ step }) => settings[step]);
  expect([local.calls, kubernetes.calls]).toEqual([['recover a,c'], ['recover b']]);
});

it('says which places there are', async () => {
  const { routed } = make();
  await expect(routed.start(at('a'), { target: 'mars' })).rejects.toThrow(/no target "mars"; "local", "kubernetes", "k8s"/);
});

it('tries again to make a place that could not be made', async () => {
  const fake = new Fake('kubernetes');
  const maker = jest
    .fn<Target, []>()
    .mockImplementationOnce(() => {
      throw new Error('away');
    })
    .mockImplementation(() => fake);
  const routed = new Routed('kubernetes', { kubernetes: async () => maker() });
  await expect(routed.start(at('a'))).rejects.toThrow('away');
  await routed.start(at('a'));
  expect(fake.calls).toEqual(['start a']);
});
