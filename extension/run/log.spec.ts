import type { LogLine } from '../../pipeline/model/protocol';
import { AttemptLog, find } from './log';

const words = {
  cell: (cell: number) => `cell ${cell}`,
  cellEnded: (cell: number, status: string) => `cell ${cell} ${status}`,
  shown: (types: string[]) => `shown ${types}`,
  metric: (name: string, value: number) => `${name} = ${value}`,
};
type Said = LogLine['event'] extends infer E ? (E extends { at: string } ? Omit<E, 'at'> : never) : never;
const lines = (...events: (Said & { cut?: number })[]): LogLine[] =>
  events.map(({ cut, ...event }, index) => ({
    number: index + 1,
    event: { ...event, at: '' } as LogLine['event'],
    ...(cut ? { cut } : {}),
  }));
const out = (text: string, cell = 0): Said => ({ type: 'output', cell, output: { output_type: 'stream', name: 'stdout', text } });
const err = (text: string, cell = 0): Said => ({ type: 'output', cell, output: { output_type: 'stream', name: 'stderr', text } });

function logOf(...events: (Said & { cut?: number })[]): AttemptLog {
  const log = new AttemptLog(words);
  // One at a time, as they come live.
  for (const line of lines(...events)) log.take([line]);
  return log;
}
const texts = (log: AttemptLog) => log.rows.map(({ kind, text }) => `${kind}:${text}`);

it.each<[string, (Said & { cut?: number })[], string[]]>([
  ['lines as they are', [out('a\nb\n')], ['out:a', 'out:b']],
  ['empty lines', [out('a\n\nb\n')], ['out:a', 'out:', 'out:b']],
  ['a line that comes in parts', [out('a'), out('b\nc'), out('d\n')], ['out:ab', 'out:cd']],
  ['a line end that comes alone', [out('a'), out('\n'), out('b\n')], ['out:a', 'out:b']],
  ['two streams that talk over each other', [out('a'), err('x\n'), out('b\n')], ['out:a', 'err:x', 'out:b']],
  ['a progress bar', [out('1%\r'), out('50%\r'), out('100%\n')], ['out:100%']],
  ['lines of Windows', [out('a\r\nb\r\n')], ['out:a', 'out:b']],
  [
    'cells and metrics',
    [
      { type: 'cell-started', cell: 3, executionCount: 1 },
      { type: 'metric', name: 'acc', value: 0.9 },
      { type: 'cell-finished', cell: 3, status: 'ok', seconds: 1 },
    ],
    ['cell:cell 3', 'note:acc = 0.9', 'cell:cell 3 ok'],
  ],
  [
    'what was shown',
    [{ type: 'output', cell: 0, output: { output_type: 'display_data', data: { 'text/plain': 'fig', 'image/png': 'x' }, metadata: {} } }],
    ['out:fig', 'note:shown image/png'],
  ],
  [
    'an error',
    [{ type: 'output', cell: 0, output: { output_type: 'error', ename: 'E', evalue: 'v', traceback: ['t1', 't2'] } }],
    ['err:t1', 'err:t2'],
  ],
])('reads %s', (_, events, rows) => expect(texts(logOf(...events))).toEqual(rows));

it('carries colours from line to line', () => {
  const log = logOf(out('\x1b[31ma\nb\x1b[0m\nc\n'));
  expect(log.rows.map(({ style }) => style)).toEqual([{}, { fg: 'red' }, {}]);
});

it('cuts a line that is very long, and says by how much', () => {
  const log = logOf(out('x'.repeat(5000)), { ...out('y'.repeat(10)), cut: 1_000_000 });
  expect(log.rows.length).toBe(1);
  expect(log.rows[0]!.text.length).toBe(4000);
  expect(log.rows[0]!.cut).toBe(1_001_010);
});

it('lets the first of very many rows go, and keeps their numbers', () => {
  const log = logOf(out('a\n'.repeat(60_000)), out('b\n'.repeat(60_000)));
  expect([log.rows.length, log.dropped, log.rows[0]!.number]).toEqual([100_000, 20_000, 20_000]);
});

it('does not change a row that was shown', () => {
  const log = logOf(out('a'));
  const [shown] = log.rows;
  log.take([{ number: 2, event: { ...out('b\n'), at: '' } as LogLine['event'] }]);
  expect(shown!.text).toBe('a');
  expect(log.rows[0]!.text).toBe('ab');
});

describe('outputs', () => {
  const display = (value: string, displayId?: string): Said => ({
    type: 'output',
    cell: 1,
    output: { output_type: 'display_data', data: { 'text/plain': value }, metadata: {} },
    ...(displayId ? { displayId } : {}),
  });

  it('are kept by cell, text of one stream together', () => {
    const log = logOf(out('a', 1), out('b\n', 1), err('c', 1), out('d', 2));
    expect(log.outputs.get(1)!.outputs).toEqual([
      { output_type: 'stream', name: 'stdout', text: 'ab\n' },
      { output_type: 'stream', name: 'stderr', text: 'c' },
    ]);
    expect(log.outputs.get(2)!.outputs.length).toBe(1);
  });

  it('change where a display is updated, and go when they are cleared or the cell begins anew', () => {
    const log = logOf(display('a', 'd'), display('b'), {
      type: 'update-display',
      displayId: 'd',
      data: { 'text/plain': 'A' },
      metadata: {},
    });
    expect(log.outputs.get(1)!.outputs.map(output => (output.data as Record<string, string>)['text/plain'])).toEqual(['A', 'b']);
    expect(JSON.stringify(log.outputs.get(1)!.outputs)).not.toContain('"d"');
    const cleared = logOf(display('a'), { type: 'clear-output', cell: 1 });
    expect(cleared.outputs.get(1)!.outputs).toEqual([]);
  });

  it('are cut when a cell says very much', () => {
    const log = logOf(...Array.from({ length: 30 }, () => out('x'.repeat(50_000), 1)));
    const { outputs, cut } = log.outputs.get(1)!;
    expect([String(outputs[0]!.text).length, cut]).toEqual([1_000_000, 500_000]);
  });
});

it('finds text through colours, whatever its case', () => {
  const log = logOf(out('one\nT\x1b[31mwO\x1b[0m\nthree\n'));
  expect(find(log.rows, 'two')).toEqual([1]);
  expect(find(log.rows, '')).toEqual([]);
});
