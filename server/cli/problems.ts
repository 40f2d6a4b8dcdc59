/** Problems as lines of text: where, what, and what to do about it. Cells are counted from 1 here, as people count them. */
import { type Notebook, text } from '../../pipeline/model/notebook';
import type { Fix, Problem } from '../../pipeline/model/problem';
import { painter, type Stream } from './terminal';

/** `cell 7, line 3: sentence (code)`, with the fix on a line of its own. `notebook` is absent when the file could not be read as one. */
export function problemText(problem: Problem, notebook: Notebook | undefined, stream: Stream): string {
  const paint = painter(stream);
  const colour = problem.severity === 'error' ? 'red' : problem.severity === 'warning' ? 'yellow' : 'grey';
  const place = placeText(problem, notebook);
  const head = problem.severity === 'error' ? '' : `${problem.severity}: `;
  // Some sentences begin with their place.
  const said = /^(?:in )?cell \d/i.test(problem.message);
  const line = `${place && !said ? `${place}: ` : ''}${paint(colour, head)}${problem.message} ${paint('grey', `(${problem.code})`)}`;
  return problem.fix ? `${line}\n  ${fixText(problem.fix)}` : line;
}

export function placeText({ cell, range, step }: Problem, notebook: Notebook | undefined): string {
  if (cell === undefined) return step === undefined ? '' : `step "${step}"`;
  const source = notebook?.cells[cell]?.source;
  if (!range || source === undefined) return `cell ${cell + 1}`;
  return `cell ${cell + 1}, line ${lineOf(text(source), range.from)}`;
}

const lineOf = (source: string, offset: number) => source.slice(0, offset).split('\n').length;

function fixText(fix: Fix): string {
  const label = `Fix: ${fix.label.replace(/\.$/, '')}`;
  switch (fix.do) {
    case 'set-step-setting':
      return `${label} (metadata.stepwell.steps.${fix.step}.${fix.key} = ${JSON.stringify(fix.value)}).`;
    case 'remove-step-setting':
      return `${label} (remove metadata.stepwell.steps.${fix.step}.${fix.key}).`;
    case 'set-cell-tags':
      return `${label} (tags of cell ${fix.cell + 1}: ${fix.tags.length ? fix.tags.join(', ') : 'none'}).`;
    case 'replace-text':
      return `${label}.`;
  }
}

/** Prints the errors, and warnings unless told not to; gives the number of errors. */
export function printProblems(
  problems: Problem[],
  notebook: Notebook | undefined,
  stream: Stream,
  least: 'info' | 'warning' | 'error' = 'warning',
): number {
  const ranks = { error: 0, warning: 1, info: 2 };
  const shown = problems.filter(({ severity }) => ranks[severity] <= ranks[least]);
  for (const problem of [...shown].sort((a, b) => ranks[a.severity] - ranks[b.severity]))
    stream.write(`${problemText(problem, notebook, stream)}\n`);
  return countErrors(problems);
}

export const countErrors = (problems: Problem[]): number => problems.filter(({ severity }) => severity === 'error').length;
