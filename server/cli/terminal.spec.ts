import { bytes, painter, seconds, table, withoutColours } from './terminal';

test.each([
  [0.0041, '4 ms'],
  [0.0994, '99 ms'],
  [0.0996, '0.1 s'],
  [59.94, '59.9 s'],
  [59.96, '1 min 0 s'],
  [3599.6, '1 h 0 min'],
  [7260, '2 h 1 min'],
])('%f seconds are %s', (value, text) => {
  expect(seconds(value)).toBe(text);
});

test.each([
  [999, '999 B'],
  [1500, '1.5 kB'],
  [99_960, '100 kB'],
  [999_600, '1.0 MB'],
  [2.5e9, '2.5 GB'],
])('%d bytes are %s', (value, text) => {
  expect(bytes(value)).toBe(text);
});

test('columns line up, coloured or not', () => {
  expect(
    withoutColours(
      table([
        ['a', 'bb', 'c'],
        ['\x1b[31maaa\x1b[0m', 'b', 'c'],
      ]),
    ),
  ).toBe('a    bb  c\naaa  b   c');
});

test('colours only reach terminals', () => {
  const write = () => true;
  const { NO_COLOR, FORCE_COLOR, TERM } = process.env;
  try {
    delete process.env.NO_COLOR;
    delete process.env.FORCE_COLOR;
    process.env.TERM = 'xterm';
    expect(painter({ write, isTTY: true })('red', 'x')).toBe('\x1b[31mx\x1b[0m');
    expect(painter({ write })('red', 'x')).toBe('x');
    process.env.NO_COLOR = '1';
    expect(painter({ write, isTTY: true })('red', 'x')).toBe('x');
  } finally {
    for (const [name, value] of Object.entries({ NO_COLOR, FORCE_COLOR, TERM })) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
});
