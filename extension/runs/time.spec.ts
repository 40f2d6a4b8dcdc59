import { nullTranslator } from '@jupyterlab/translation';
import { bytes, duration, secondsBetween, ticking } from './time';

const trans = nullTranslator.load('stepwell');

it.each([
  [0, '0 ms'],
  [-3, '0 ms'],
  [0.0421, '42 ms'],
  [0.0996, '0.1 s'],
  [3.94, '3.9 s'],
  [9.96, '10 s'],
  [59.4, '59 s'],
  [59.6, '1 min 00 s'],
  [125, '2 min 05 s'],
  [3599.7, '1 h 00 min'],
  [7800, '2 h 10 min'],
])('writes %p seconds as %p', (seconds, words) => expect(duration(seconds, trans)).toBe(words));

it.each([
  [0.9, '0 s'],
  [9.9, '9 s'],
  [61.9, '1 min 01 s'],
])('ticks at %p seconds as %p', (seconds, words) => expect(ticking(seconds, trans)).toBe(words));

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1200, '1.2 kB'],
  [123_400_000, '123 MB'],
])('writes %p bytes as %p', (count, words) => expect(bytes(count)).toBe(words));

it('counts until now what has not ended, and never below nothing when clocks differ', () => {
  expect(secondsBetween('2026-01-01T00:00:00Z', '2026-01-01T00:00:02.5Z', 0)).toBe(2.5);
  expect(secondsBetween('2026-01-01T00:00:00Z', undefined, Date.parse('2026-01-01T00:00:04Z'))).toBe(4);
  expect(secondsBetween('2026-01-01T00:00:00Z', undefined, 0)).toBe(0);
});
