/** The notebook's problems as a list: each with the way to its place, its fix and its meaning. */
import type { TranslationBundle } from '@jupyterlab/translation';
import { memo } from 'react';
import type { Problem } from '../../pipeline/model/problem';
import type { INotebookPipeline, IProblemActions } from '../tokens';

export interface ProblemListProps {
  notebook: INotebookPipeline;
  /** The notebook's: the same list as long as it says the same. */
  problems: readonly Problem[];
  readOnly: boolean;
  actions: IProblemActions;
  trans: TranslationBundle;
}

/** Beyond this many, the rest is counted: nobody reads more at once. */
const shownAtMost = 100;
const order = { error: 0, warning: 1, info: 2 } as const;

export const ProblemList = memo(function ProblemList({ notebook, problems: found, readOnly, actions, trans }: ProblemListProps) {
  const problems = [...found].sort((a, b) => order[a.severity] - order[b.severity]);
  if (problems.length === 0) return <p className="stepwell-quiet">{trans.__('No problems found.')}</p>;
  const words = { error: trans.__('Error'), warning: trans.__('Warning'), info: trans.__('Note') } as const;
  const go = (problem: Problem): void => {
    const step = notebook.pipeline?.steps.find(({ name }) => name === problem.step);
    const cell = problem.cell ?? step?.cells[0]?.cell;
    if (cell !== undefined) notebook.reveal(cell, problem.range);
  };
  return (
    <ul className="stepwell-problems">
      {problems.slice(0, shownAtMost).map((problem, index) => (
        <li key={index} data-severity={problem.severity}>
          <button type="button" className="stepwell-problem-go" onClick={() => go(problem)}>
            <span className="stepwell-problem-word">{words[problem.severity]}</span>
            {problem.message}
          </button>
          <div className="stepwell-problem-actions">
            {problem.fix && !readOnly ? (
              <button type="button" className="stepwell-link" onClick={() => actions.fix(notebook, problem)}>
                {problem.fix.label}
              </button>
            ) : null}
            <button type="button" className="stepwell-link" onClick={() => void actions.explain(problem)}>
              {trans.__('What does this mean?')}
            </button>
          </div>
        </li>
      ))}
      {problems.length > shownAtMost ? (
        <li className="stepwell-quiet">{trans.__('… and %1 more.', problems.length - shownAtMost)}</li>
      ) : null}
    </ul>
  );
});
