import fc from 'fast-check';
import { checkSettings, closest } from './settings';

const step = (settings: object): object => ({ steps: { a: settings } });

describe('checkSettings', () => {
  it.each([
    undefined,
    null,
    {},
    { version: 1, name: 'x', description: 'd', environment: { anything: 1 }, returns: ['a'] },
    { defaults: { retries: 2, backoff: 1.5 } },
    step({ inputs: ['a'], outputs: [], after: ['b'], sources: ['s3://x'], files: ['a/*.csv'], target: 't', image: 'i' }),
    step({
      resources: { cpu: '500m', memory: '2Gi', gpu: 1, 'amd.com/gpu': 1 },
      env: { A: 'b' },
      secrets: { T: { secret: 's', key: 'k' } },
    }),
    step({ retries: 0, backoff: { first: 1, factor: 2, limit: 60 }, timeout: 0.5, reuse: { maxAge: 0 }, onFailure: 'continue' }),
    step({ when: 'x > 1', map: 'items', metrics: ['acc'], labels: {}, annotations: {}, nodeSelector: {}, tolerations: [{}], volumes: [] }),
  ])('takes %j', settings => {
    expect(checkSettings(settings)).toEqual([]);
  });

  it.each<[unknown, (string | number)[]]>([
    ['text', []],
    [[], []],
    [{ name: '' }, ['name']],
    [{ version: 'one' }, ['version']],
    [{ returns: 'x' }, ['returns']],
    [{ returns: ['a b'] }, ['returns', 0]],
    [{ steps: [] }, ['steps']],
    [{ steps: { a: 1 } }, ['steps', 'a']],
    [{ defaults: { retries: -1 } }, ['defaults', 'retries']],
    [step({ inputs: ['a', 3] }), ['steps', 'a', 'inputs', 1]],
    [step({ after: 'b' }), ['steps', 'a', 'after']],
    [step({ resources: { memory: 'lots' } }), ['steps', 'a', 'resources', 'memory']],
    [step({ resources: { gpu: 0.5 } }), ['steps', 'a', 'resources', 'gpu']],
    [step({ env: { A: 1 } }), ['steps', 'a', 'env', 'A']],
    [step({ secrets: { A: { secret: 's' } } }), ['steps', 'a', 'secrets', 'A', 'key']],
    [step({ retries: 1.5 }), ['steps', 'a', 'retries']],
    [step({ backoff: 'x' }), ['steps', 'a', 'backoff']],
    [step({ backoff: { factor: 0 } }), ['steps', 'a', 'backoff', 'factor']],
    [step({ timeout: 0 }), ['steps', 'a', 'timeout']],
    [step({ reuse: 'no' }), ['steps', 'a', 'reuse']],
    [step({ onFailure: 'ignore' }), ['steps', 'a', 'onFailure']],
  ])('refuses %j', (settings, path) => {
    expect(checkSettings(settings)).toMatchObject([{ path, expected: expect.any(String) }]);
    expect(checkSettings(settings)[0]!.unknown).toBeUndefined();
  });

  it('tells of unknown keys, and which one was probably meant', () => {
    expect(checkSettings({ nmae: 'x', steps: { a: { retrys: 1, colour: 'red' } } })).toMatchObject([
      { path: ['nmae'], unknown: true, expected: 'name' },
      { path: ['steps', 'a', 'retrys'], unknown: true, expected: 'retries' },
      { path: ['steps', 'a', 'colour'], unknown: true, expected: '' },
    ]);
  });

  it('takes any JSON without throwing', () => {
    fc.assert(fc.property(fc.jsonValue(), value => void checkSettings({ steps: { a: value }, defaults: value })));
  });
});

describe('closest', () => {
  it.each([
    ['trian', ['train', 'load'], 'train'],
    ['Train', ['train'], 'train'],
    ['xyz', ['train'], ''],
    ['ab', ['xy'], ''],
  ])('finds what %j was meant to be', (word, known, expected) => {
    expect(closest(word, known)).toBe(expected);
  });
});
