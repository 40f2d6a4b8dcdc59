/** Why no step can run with a Python, in one sentence that says what to install. */
import { execFile } from 'node:child_process';
import { TargetProblem } from '../problem';

export const oldestPython = [3, 10] as const;

export interface Death {
  code: number | null;
  signal: NodeJS.Signals | null;
  error?: Error;
  complaint: string;
}

/** What the death of a warm parent before it was ready means. */
export async function explain(python: string, runnerPath: string, death: Death): Promise<TargetProblem> {
  const because = { cause: death.error };
  const code = (death.error as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOENT')
    return new TargetProblem(
      `There is no Python at "${python}"; install Python ${oldestPython.join('.')} or newer, or name one with --python.`,
      because,
    );
  if (death.error)
    return new TargetProblem(
      `The Python at "${python}" cannot be started (${code ?? death.error.message}); name another one with --python.`,
      because,
    );
  const old = await tooOld(python);
  if (old) return old;
  const missing = /ModuleNotFoundError: No module named '([^']+)'|No module named ([\w.]+)/.exec(death.complaint);
  const name = (missing?.[1] ?? missing?.[2])?.split('.')[0];
  if (name === 'stepwell') return new TargetProblem(`Stepwell's own Python package is not in "${runnerPath}"; install Stepwell again.`);
  if (name) {
    const packages = [...new Set([name === 'IPython' ? 'ipython' : name, 'ipython', 'cloudpickle'])].join(' ');
    return new TargetProblem(
      `The Python at "${python}" has no package "${name}", which steps need: run "${python} -m pip install ${packages}".`,
    );
  }
  const how = death.signal ? `was ended by ${death.signal}` : `ended with exit code ${death.code}`;
  const last = death.complaint.trim().split('\n').at(-1)?.trim().slice(0, 300);
  return new TargetProblem(`The Python at "${python}" could not get ready to run steps: it ${how}${last ? `, saying: ${last}` : ''}.`);
}

/** A problem when a Python with this version cannot run steps. */
export function versionProblem(python: string, version: string): TargetProblem | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor, wantedMinor] = oldestPython;
  if (major > wantedMajor || (major === wantedMajor && minor >= wantedMinor)) return undefined;
  return new TargetProblem(
    `The Python at "${python}" is ${version}, and steps need ${oldestPython.join('.')} or newer; name another one with --python.`,
  );
}

async function tooOld(python: string): Promise<TargetProblem | undefined> {
  const version = await new Promise<string>(resolve => {
    execFile(python, ['-c', 'import sys; print("%d.%d.%d" % sys.version_info[:3])'], { timeout: 10_000 }, (_error, output) =>
      resolve((output ?? '').trim()),
    );
  });
  return /^\d+\.\d+/.test(version) ? versionProblem(python, version) : undefined;
}
