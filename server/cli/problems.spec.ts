import type { Notebook } from '../../pipeline/model/notebook';
import type { Problem } from '../../pipeline/model/problem';
import { printProblems, problemText } from './problems';

const notebook: Notebook = {
  nbformat: 4,
  nbformat_minor: 5,
  metadata: {},
  cells: [{ cell_type: 'code', metadata: {}, source: ['a = 1\n', 'b\n', 'c = d'] }],
};
const plain = { write: () => true };
const base: Problem = { code: 'unknown-name', severity: 'error', message: 'Nothing assigns "d".' };

test.each<[string, Partial<Problem>, string]>([
  ['has no place when it is about the file', {}, 'Nothing assigns "d". (unknown-name)'],
  ['names the cell, counted from 1', { cell: 0 }, 'cell 1: Nothing assigns "d". (unknown-name)'],
  ['names the line', { cell: 0, range: { from: 12, to: 13 } }, 'cell 1, line 3: Nothing assigns "d". (unknown-name)'],
  ['does not name it twice', { cell: 0, range: { from: 0, to: 1 }, message: 'Cell 1, line 1: no.' }, 'Cell 1, line 1: no. (unknown-name)'],
  ['names the step', { step: 'train' }, 'step "train": Nothing assigns "d". (unknown-name)'],
  ['says that it is only a warning', { severity: 'warning', cell: 0 }, 'cell 1: warning: Nothing assigns "d". (unknown-name)'],
  [
    'shows the fix',
    { fix: { do: 'set-step-setting', label: 'Declare the input', step: 'train', key: 'inputs', value: ['d'] } },
    'Nothing assigns "d". (unknown-name)\n  Fix: Declare the input (metadata.stepwell.steps.train.inputs = ["d"]).',
  ],
])('a problem %s', (_name, more, text) => {
  expect(problemText({ ...base, ...more }, notebook, plain)).toBe(text);
});

test('errors come first, and only they are counted', () => {
  let text = '';
  const stream = { write: (part: string) => (text += part) };
  const problems: Problem[] = [
    { ...base, severity: 'info', message: 'i' },
    { ...base, severity: 'warning', message: 'w' },
    { ...base, message: 'e' },
  ];
  expect(printProblems(problems, notebook, stream)).toBe(1);
  expect(text).toBe('e (unknown-name)\nwarning: w (unknown-name)\n');
});
