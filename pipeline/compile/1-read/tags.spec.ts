import fc from 'fast-check';
import { isStepName, readTags, validStepName } from './tags';

describe('readTags', () => {
  it.each<[string[], object]>([
    [[], { role: undefined, after: [], settings: {} }],
    [['step:train'], { role: 'step', step: 'train' }],
    [['step: train '], { role: 'step', step: 'train' }],
    [['block:train'], { role: 'step', step: 'train', kale: true }],
    [['step:train', 'prev:load', 'prev:clean'], { step: 'train', after: ['load', 'clean'] }],
    [['prev:load', 'step:train'], { step: 'train', after: ['load'] }],
    [['step:', 'prev:load'], { role: undefined, after: ['load'] }],
    [['parameters'], { role: 'parameters' }],
    [['injected-parameters'], { role: 'parameters' }],
    [['pipeline-parameters'], { role: 'parameters', kale: true }],
    [['pipeline-metrics'], { role: 'metrics' }],
    [['imports'], { role: 'imports' }],
    [['functions'], { role: 'functions' }],
    [['imports', 'functions'], { role: 'imports' }],
    [['skip'], { role: 'skip' }],
    [['skip', 'step:a'], { role: 'skip' }],
    [['step:a', 'skip-execution'], { role: 'skip' }],
    [['step:a', 'image:python:3.12'], { settings: { image: 'python:3.12' } }],
    [['step:a', 'label:team:x'], { settings: { labels: { team: 'x' } } }],
    [['step:a', 'annotation:url:http://x'], { settings: { annotations: { url: 'http://x' } } }],
    [['step:a', 'limit:nvidia.com/gpu:1'], { settings: { resources: { 'nvidia.com/gpu': 1 } } }],
    [['step:a', 'limit:memory:2Gi', 'limit:cpu:500m'], { settings: { resources: { memory: '2Gi', cpu: '500m' } } }],
    [['step:a', 'secret:s:k:TOKEN'], { settings: { secrets: { TOKEN: { secret: 's', key: 'k' } } } }],
    [['step:a', 'cache:disabled'], { settings: { reuse: false } }],
    [['step:a', 'cache:enabled'], { settings: { reuse: true } }],
    [['step:a', 'report:enabled'], { settings: {} }],
    [['hide-input', 'remove-cell', 'raises-exception', 'nbval-skip', 'scroll', 'slow'], { role: undefined, remarks: [] }],
  ])('reads %j', (tags, expected) => {
    expect(readTags(tags)).toMatchObject(expected);
  });

  it.each<[string[], string, string | undefined]>([
    [['steps:train'], 'unknown-tag', 'step:train'],
    [['stp:train'], 'unknown-tag', 'step:train'],
    [['step train'], 'unknown-tag', 'step:train'],
    [['step-train'], 'unknown-tag', 'step:train'],
    [['step'], 'unknown-tag', undefined],
    [['Step:train'], 'unknown-tag', 'step:train'],
    [['labels:a:b'], 'unknown-tag', 'label:a:b'],
    [['foo:bar'], 'unknown-tag', undefined],
    [['parameter'], 'unknown-tag', 'parameters'],
    [['function'], 'unknown-tag', 'functions'],
    [['import'], 'unknown-tag', 'imports'],
    [['notebook:other'], 'unknown-tag', undefined],
    [['step:'], 'bad-step-name', undefined],
    [['step:my step'], 'bad-step-name', 'step:my-step'],
    [['step:-a'], 'bad-step-name', 'step:a'],
    [[`step:${'a'.repeat(64)}`], 'bad-step-name', `step:${'a'.repeat(63)}`],
    [['step:a', 'step:b'], 'tag-conflict', undefined],
    [['parameters', 'step:a'], 'tag-conflict', undefined],
    [['parameters', 'imports'], 'tag-conflict', undefined],
    [['limit:cpu'], 'bad-setting', undefined],
    [['secret:a:b'], 'bad-setting', undefined],
    [['cache:maybe'], 'bad-setting', undefined],
  ])('tells of %j', (tags, code, replace) => {
    const { remarks } = readTags(tags);
    expect(remarks.map(remark => [remark.code, remark.replace])).toEqual([[code, replace]]);
  });

  it('takes anything without throwing', () => {
    fc.assert(fc.property(fc.anything(), tags => void readTags(tags)));
  });

  it('makes a valid step name of any text', () => {
    fc.assert(fc.property(fc.string({ unit: 'grapheme' }), text => expect(isStepName(validStepName(text))).toBe(true)));
  });
});
