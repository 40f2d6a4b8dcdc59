import { classesOf, colours, plain, readAnsi } from './ansi';

it.each<[string, string, [string, string][]]>([
  ['text without any', 'a <b>', [['a <b>', '']]],
  [
    'one of the sixteen colours',
    'a\x1b[31mred\x1b[0m b',
    [
      ['a', ''],
      ['red', 'ansi-red-fg'],
      [' b', ''],
    ],
  ],
  ['bright and bold on a ground', '\x1b[1;92;44mx', [['x', 'ansi-green-intense-fg ansi-blue-bg ansi-bold']]],
  ['one of 256 that is one of the sixteen', '\x1b[38;5;9mx', [['x', 'ansi-red-intense-fg']]],
  [
    'a colour that ends',
    '\x1b[31;1mx\x1b[39my\x1b[22mz',
    [
      ['x', 'ansi-red-fg ansi-bold'],
      ['y', 'ansi-bold'],
      ['z', ''],
    ],
  ],
  [
    'an empty code',
    '\x1b[31mx\x1b[my',
    [
      ['x', 'ansi-red-fg'],
      ['y', ''],
    ],
  ],
  [
    'what moves the cursor',
    'a\x1b[2Kb\x1b[1;1Hc',
    [
      ['a', ''],
      ['b', ''],
      ['c', ''],
    ],
  ],
  [
    'titles and links',
    'a\x1b]0;title\x07b\x1b]8;;http://x\x1b\\c',
    [
      ['a', ''],
      ['b', ''],
      ['c', ''],
    ],
  ],
  ['an escape that is cut off', 'a\x1b[31', [['a', '']].slice(0, 1).concat([['31', '']]) as [string, string][]],
  [
    'control characters',
    'a\x00\x07b',
    [
      ['a', ''],
      ['b', ''],
    ],
  ],
  ['nonsense', '\x1b[999;-3;xmq', [['-3;xmq', '']].slice(0, 0).concat([[plain('\x1b[999;-3;xmq'), '']]) as [string, string][]],
])('reads %s', (_, text, expected) => {
  const { pieces } = readAnsi(text);
  expect(pieces.map(({ text: words, style }) => [words, classesOf(style)])).toEqual(expected);
  expect(pieces.map(piece => piece.text).join('')).toBe(plain(text));
});

it('reads colours that have no name, and none that are none', () => {
  const style = (text: string) => colours(readAnsi(text).pieces[0]!.style);
  expect(style('\x1b[38;2;1;2;255mx')).toEqual({ color: '#0102ff' });
  expect(style('\x1b[48;5;196mx')).toEqual({ backgroundColor: '#ff0000' });
  expect(style('\x1b[38;5;244mx')).toEqual({ color: '#808080' });
  expect(style('\x1b[38;2;1;2;999mx')).toEqual({});
});

it('goes on in the next line as it ended', () => {
  const { end } = readAnsi('\x1b[31ma');
  expect(classesOf(readAnsi('b', end).pieces[0]!.style)).toBe('ansi-red-fg');
});
