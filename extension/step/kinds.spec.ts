import fc from 'fast-check';
import { duration, json, number, unreadable } from './kinds';

it.each<[string, unknown]>([
  ['', undefined],
  ['  ', undefined],
  ['90', 90],
  ['1.5', 1.5],
  ['1e3', 1000],
  ['10m', 600],
  ['1h 30m', 5400],
  ['1h30m', 5400],
  ['1.5 h', 5400],
  ['2D', 172800],
  ['45 s', 45],
  ['-5', -5],
  ['-5m', '-5m'],
  ['10 minutes', '10 minutes'],
  ['m', 'm'],
  ['1h 30', '1h 30'],
  ['soon', 'soon'],
])('reads the duration %j', (text, value) => {
  expect(duration.read(text)).toBe(value);
});

it.each<[unknown, string]>([
  [undefined, ''],
  [0, '0s'],
  [45, '45s'],
  [600, '10m'],
  [5400, '1h 30m'],
  [90061, '1d 1h 1m 1s'],
  [0.5, '0.5s'],
  ['soon', 'soon'],
  [-1, '-1'],
  [[1], '[1]'],
])('shows the duration %j', (value, text) => {
  expect(duration.show(value)).toBe(text);
});

it('reads back every duration that it shows', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.nat(), fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })),
      one => duration.read(duration.show(one)) === one,
    ),
  );
});

it.each<[string, unknown]>([
  ['2', 2],
  [' .5 ', 0.5],
  ['500m', '500m'],
  ['0x10', '0x10'],
  ['Infinity', 'Infinity'],
])('reads the number %j', (text, value) => {
  expect(number.read(text)).toBe(value);
});

it('reads back every value that it shows as JSON, and tells what is none', () => {
  fc.assert(
    fc.property(fc.jsonValue(), value => {
      expect(json.read(json.show(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
  expect(json.read('python:3')).toBe(unreadable);
});
