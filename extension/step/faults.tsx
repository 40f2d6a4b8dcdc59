/** What the compiler says about one setting of the step, with its fix. */
import { useStep } from './context';

/** Problems whose fix sets this setting, and those with one of these codes. */
export function Faults({ of: key, codes = [] }: { of: string; codes?: readonly string[] }) {
  const { notebook, step, actions, trans } = useStep();
  const found = notebook.problems.filter(({ code, fix, step: of }) =>
    fix && 'key' in fix ? fix.step === step.name && fix.key === key : of === step.name && codes.includes(code),
  );
  if (found.length === 0) return null;
  return (
    <ul className="stepwell-step-form-problems">
      {found.map(problem => (
        <li key={problem.message} data-severity={problem.severity}>
          {problem.message}{' '}
          {problem.fix && (
            <button type="button" onClick={() => actions.fix(notebook, problem)}>
              {problem.fix.label}
            </button>
          )}{' '}
          <button type="button" onClick={() => void actions.explain(problem)}>
            {trans.__('What does this mean?')}
          </button>
        </li>
      ))}
    </ul>
  );
}
