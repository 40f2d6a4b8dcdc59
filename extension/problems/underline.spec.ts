import { forEachDiagnostic } from '@codemirror/lint';
import { EditorView } from '@codemirror/view';
import { nullTranslator } from '@jupyterlab/translation';
import type { Problem } from '../../pipeline/model/problem';
import { Underlines } from './underline';

const problem = (from: number, to: number, more: Partial<Problem> = {}): Problem => ({
  code: 'unknown-name',
  severity: 'warning',
  message: 'Nobody provides "b".',
  cell: 0,
  range: { from, to },
  ...more,
});

const said: string[] = [];
const underlines = () =>
  new Underlines(
    () => ({ fix: one => said.push(`fix ${one.message}`), explain: one => said.push(`explain ${one.code}`) }),
    nullTranslator.load('stepwell'),
  );

function shown(view: EditorView) {
  const all: { from: number; to: number; message: string; actions: string[] }[] = [];
  forEachDiagnostic(view.state, ({ message, actions }, from, to) =>
    all.push({ from, to, message, actions: (actions ?? []).map(({ name }) => name) }),
  );
  return all;
}

const editor = (doc: string, of: Underlines, cell: string) => new EditorView({ doc, extensions: [of.extension(cell)] });

it('marks the range in the editor of the cell, and takes the mark away again', () => {
  const all = underlines();
  const [one, two] = [editor('a = b', all, 'one'), editor('c', all, 'two')];
  all.update(['one', 'two'], new Map([['one', [problem(4, 5)]]]));
  expect(shown(one)).toEqual([{ from: 4, to: 5, message: 'Nobody provides "b".', actions: ['What does this mean?'] }]);
  expect(shown(two)).toEqual([]);
  all.update(['one', 'two'], new Map());
  expect(shown(one)).toEqual([]);
});

it('marks editors that are made later', async () => {
  const all = underlines();
  all.update(['one'], new Map([['one', [problem(4, 5)]]]));
  const late = editor('a = b', all, 'one');
  await Promise.resolve();
  expect(shown(late)).toHaveLength(1);
});

it('offers the fix where there is one', () => {
  const all = underlines();
  const view = editor('a = b', all, 'one');
  all.update(['one'], new Map([['one', [problem(4, 5, { fix: { do: 'set-cell-tags', label: 'Tag it', cell: 0, tags: [] } })]]]));
  expect(shown(view)[0]!.actions).toEqual(['Tag it', 'What does this mean?']);
  forEachDiagnostic(view.state, ({ actions }) => actions![0]!.apply(view, 0, 0));
  expect(said).toContain('fix Nobody provides "b".');
});

it.each([
  ['a range that reaches beyond the text', problem(2, 99), [{ from: 2, to: 5 }]],
  ['a range that lies beyond the text', problem(50, 60), []],
  ['a problem of the whole cell', problem(0, 0, { range: undefined }), []],
])('does not stumble over %s', (_name, one, expected) => {
  const all = underlines();
  const view = editor('a = b', all, 'one');
  all.update(['one'], new Map([['one', [one]]]));
  expect(shown(view).map(({ from, to }) => ({ from, to }))).toEqual(expected);
});

it('forgets editors that are gone', () => {
  const all = underlines();
  editor('a = b', all, 'one').destroy();
  expect(() => all.update(['one'], new Map([['one', [problem(4, 5)]]]))).not.toThrow();
});
