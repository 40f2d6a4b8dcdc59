import { problemCodes } from '../../pipeline/model/problem';
import { explanation } from './explanations';

it.each(problemCodes)('has words for %s', code => {
  expect(explanation(code)).toMatch(/^\*(Error|Warning|Info)/);
  expect(explanation(code)).not.toMatch(/^#/m);
});

it('ends where the next section begins', () => {
  const page = '### syntax-error\nOne.\n\n### bad-parameter\nTwo.\n## Rest\nThree.';
  expect(explanation('syntax-error', page)).toBe('One.');
  expect(explanation('bad-parameter', page)).toBe('Two.');
  expect(explanation('no-steps', page)).toBeUndefined();
});
