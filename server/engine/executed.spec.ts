import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CellResult, Output } from '../../pipeline/model/task';
import { executedNotebook, notebookText, parseNotebook, pythonLiteral, writeNotebook } from './executed';

const code = (source: string, more: object = {}) => ({
  cell_type: 'code',
  metadata: {},
  source,
  execution_count: null,
  outputs: [],
  ...more,
});
const notebook = (cells: object[], minor = 5) => parseNotebook(JSON.stringify({ nbformat: 4, nbformat_minor: minor, metadata: {}, cells }));
const result = (cell: number, executionCount: number, outputs: Output[] = []): CellResult => ({
  cell,
  executionCount,
  outputs,
  started: '2026-01-01T00:00:00.000Z',
  seconds: 0,
  status: 'ok',
});

describe('the executed notebook', () => {
  it('has the outputs and counts of every cell that ran', () => {
    const original = notebook([
      { cell_type: 'markdown', metadata: {}, source: '# T' },
      code('print(1)', { id: 'a' }),
      code('2', { id: 'b' }),
    ]);
    const done = executedNotebook(original, {
      cells: [
        result(1, 1, [{ output_type: 'stream', name: 'stdout', text: '1\nx' }]),
        result(2, 2, [
          { output_type: 'execute_result', data: { 'text/plain': '2', 'image/png': 'a\nb' }, metadata: {}, execution_count: 2 },
        ]),
      ],
      ran: [1, 2],
    });
    expect(done.cells[0]).toBe(original.cells[0]);
    expect(done.cells[1]).toEqual({
      ...original.cells[1],
      execution_count: 1,
      outputs: [{ output_type: 'stream', name: 'stdout', text: ['1\n', 'x'] }],
    });
    expect(done.cells[2]!.outputs).toEqual([
      { output_type: 'execute_result', data: { 'text/plain': ['2'], 'image/png': 'a\nb' }, metadata: {}, execution_count: 2 },
    ]);
  });

  it('takes outputs of an older run from cells that did not get that far, and leaves cells that are no part of the pipeline alone', () => {
    const old = { execution_count: 9, outputs: [{ output_type: 'stream', name: 'stdout', text: ['old'] }] };
    const done = executedNotebook(notebook([code('a', old), code('b', old)]), { cells: [], ran: [0] });
    expect(done.cells[0]).toMatchObject({ execution_count: null, outputs: [] });
    expect(done.cells[1]).toMatchObject(old);
  });

  it('leaves the original as it was', () => {
    const original = notebook([code('a', { metadata: { tags: ['parameters'] } })]);
    const before = JSON.stringify(original);
    executedNotebook(original, { cells: [result(0, 1)], ran: [0], parameters: { a: 1 } });
    expect(JSON.stringify(original)).toBe(before);
  });

  it('shows given parameters in a cell after their defaults, with an id where the format has ids', () => {
    const original = notebook([code('x = 1', { id: 'p', metadata: { tags: ['parameters'] } }), code('x', { id: 'q' })]);
    const done = executedNotebook(original, { cells: [], ran: [], parameters: { x: 2, s: 'a"b' }, types: { x: { kind: 'number' } } });
    expect(done.cells.map(({ id }) => id)).toEqual(['p', expect.stringMatching(/^[0-9a-f]{8}$/), 'q']);
    expect(done.cells[1]).toMatchObject({
      metadata: { tags: ['injected-parameters'] },
      source: ['# Parameters\n', 'x = 2.0\n', 's = "a\\"b"'],
    });
    const older = executedNotebook(notebook([code('x')], 4), { cells: [], ran: [], parameters: { x: 2 } });
    expect(Object.keys(older.cells[0]!)).not.toContain('id');
  });

  it('replaces the cell that an earlier run put in', () => {
    const original = notebook([
      code('x = 1', { metadata: { tags: ['parameters'] } }),
      code('x = 5', { id: 'i', metadata: { tags: ['injected-parameters'] } }),
    ]);
    const done = executedNotebook(original, { cells: [], ran: [], parameters: { x: 2 } });
    expect(done.cells).toHaveLength(2);
    expect(done.cells[1]).toMatchObject({ id: 'i', source: ['# Parameters\n', 'x = 2'] });
  });

  it('carries numbers and text that JavaScript would change as they were', () => {
    const numbers = '{"a":1.0,"b":12345678901234567890,"c":1e3,"d":-0.0,"e":0.1}';
    const text = `{"nbformat":4,"nbformat_minor":5,"metadata":{"numbers":${numbers},"é":"\\u2028✓"},"cells":[]}`;
    expect(JSON.stringify(parseNotebook(`\uFEFF${text}`))).toBe(text.replace('\\u2028', '\u2028'));
  });
});

describe('writing', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'executed-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('makes the folder, replaces the file in one go, and leaves nothing else behind', () => {
    const path = join(folder, 'new', 'done.ipynb');
    writeNotebook(path, notebook([]));
    writeNotebook(path, notebook([code('x')]));
    expect(readdirSync(join(folder, 'new'))).toEqual(['done.ipynb']);
    expect(readFileSync(path, 'utf8')).toBe(notebookText(notebook([code('x')])));
  });

  it('keeps what was there when it cannot write', () => {
    writeFileSync(join(folder, 'file'), 'mine');
    expect(() => writeNotebook(join(folder, 'file', 'done.ipynb'), notebook([]))).toThrow();
    expect(readdirSync(folder)).toEqual(['file']);
  });
});

test.each([
  [null, undefined, 'None'],
  [true, undefined, 'True'],
  [1, undefined, '1'],
  [1, { kind: 'number' }, '1.0'],
  [0.5, { kind: 'number' }, '0.5'],
  [1e21, { kind: 'number' }, '1e+21'],
  [2, { kind: 'optional', of: { kind: 'number' } }, '2.0'],
  [[1, 2], { kind: 'list', of: { kind: 'number' } }, '[1.0, 2.0]'],
  [{ a: [null, false] }, undefined, '{"a": [None, False]}'],
  ['it\'s "q"\n\\', undefined, '"it\'s \\"q\\"\\n\\\\"'],
] as const)('%j is %s in Python', (value, type, expected) => {
  expect(pythonLiteral(value as never, type as never)).toBe(expected);
});
