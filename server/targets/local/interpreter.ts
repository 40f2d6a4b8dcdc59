/**
 * Which Python runs the steps: the one that was named, else the active environment's, else the notebook's kernel's, else the one
 * that Stepwell is installed in (the console script names it), else the first on the path that has IPython, else the one of this checkout. Beside Jupyter, where the kernel is what people see and choose, it comes first, and
 * Jupyter's own Python takes the place of the path's. Looking at files answers in well under a millisecond, so a process is
 * started only when they do not tell.
 */
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, dirname, isAbsolute, join, resolve } from 'node:path';
import { TargetProblem } from '../problem';

export interface Choice {
  /** Absolute path of the interpreter. */
  python: string;
  /** Ends the sentence "Steps run with …". */
  because: string;
}

export interface Wishes {
  /** `--python`. */
  named?: string;
  /** `metadata.kernelspec.name`. */
  kernel?: string;
  env?: NodeJS.ProcessEnv;
  /** This installation's folder. */
  root: string;
  /** The interpreter that Jupyter itself runs in, for a service that was started with it. */
  jupyter?: string;
}

/** Throws a `TargetProblem` when the named one does not exist, or none was named and none will do. */
export function choosePython({ named, kernel, env = process.env, root, jupyter }: Wishes): Choice {
  if (named) return { python: findNamed(named, env), because: '--python' };
  if (jupyter) {
    const python = kernel && kernelPython(kernel, env, jupyter);
    if (python) return { python, because: `the notebook's kernel "${kernel}"` };
    if (isExecutable(jupyter) && hasIPython(jupyter)) return { python: jupyter, because: 'the Python that Jupyter runs in' };
  }
  for (const variable of ['VIRTUAL_ENV', 'CONDA_PREFIX'] as const) {
    const prefix = env[variable];
    const python = prefix && interpreterIn(prefix);
    if (python) return { python, because: `the active environment (${variable})` };
  }
  const ofKernel = kernel && kernelPython(kernel, env);
  if (ofKernel) return { python: ofKernel, because: `the notebook's kernel "${kernel}"` };
  const home = env.STEPWELL_PYTHON;
  if (home && isExecutable(home)) return { python: home, because: 'the Python that Stepwell is installed in' };
  for (const name of ['python3', 'python']) {
    const python = onPath(name, env);
    if (python && hasIPython(python)) return { python, because: `${name} on the path` };
  }
  const own = interpreterIn(join(root, '.venv'));
  if (own) return { python: own, because: "this installation's own environment" };
  throw new TargetProblem(
    'No Python with IPython was found: none is active, none on the path has it. Run "python3 -m pip install ipython cloudpickle", or name a Python with --python.',
  );
}

function findNamed(named: string, env: NodeJS.ProcessEnv): string {
  const python = named.includes('/') || existsSync(named) ? resolve(named) : onPath(named, env);
  if (!python || !existsSync(python))
    throw new TargetProblem(`There is no Python "${named}" (--python); give the path of an interpreter or of an environment.`);
  if (!statSync(python).isDirectory()) return python;
  const inside = interpreterIn(python);
  if (!inside)
    throw new TargetProblem(
      `"${named}" (--python) is a folder with no bin/python in it; give the path of an interpreter or of an environment.`,
    );
  return inside;
}

export function interpreterIn(prefix: string): string | undefined {
  return ['python', 'python3'].map(name => join(prefix, 'bin', name)).find(isExecutable);
}

export function onPath(name: string, env: NodeJS.ProcessEnv): string | undefined {
  const folders = (env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.map(folder => join(folder, name)).find(isExecutable);
}

/**
 * The interpreter of a Jupyter kernel, when its `kernel.json` is found and names one that is there. A bare `python` means the path's;
 * beside Jupyter, Jupyter's own, as Jupyter itself has it.
 */
function kernelPython(kernel: string, env: NodeJS.ProcessEnv, jupyter?: string): string | undefined {
  if (!/^[\w.-]+$/.test(kernel)) return undefined;
  for (const folder of jupyterFolders(env, jupyter)) {
    try {
      const { argv } = JSON.parse(readFileSync(join(folder, 'kernels', kernel, 'kernel.json'), 'utf8')) as { argv?: unknown };
      const first = Array.isArray(argv) && typeof argv[0] === 'string' ? argv[0] : undefined;
      const bare = first && /^python(3(\.\d+)?)?$/.test(first) ? jupyter : undefined;
      const python = first && (isAbsolute(first) ? first : (bare ?? onPath(first, env)));
      if (python && isExecutable(python) && hasIPython(python)) return python;
    } catch {
      // Not there, or not readable: the next place.
    }
  }
  return undefined;
}

/** Where Jupyter looks for kernels, in its order. */
function jupyterFolders(env: NodeJS.ProcessEnv, jupyter?: string): string[] {
  const own =
    env.JUPYTER_DATA_DIR ??
    (process.platform === 'darwin'
      ? join(homedir(), 'Library', 'Jupyter')
      : join(env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share'), 'jupyter'));
  const given = (env.JUPYTER_PATH ?? '').split(delimiter).filter(Boolean);
  const beside = jupyter ? [join(dirname(dirname(jupyter)), 'share', 'jupyter')] : [];
  return [...given, own, ...beside, '/usr/local/share/jupyter', '/usr/share/jupyter'];
}

/** Whether IPython can be imported: by its folder, or, when that is not where one expects it, by asking. */
export function hasIPython(python: string): boolean {
  const real = realpathSync(python);
  for (const prefix of new Set([dirname(dirname(python)), dirname(dirname(real))])) {
    const lib = join(prefix, 'lib');
    const folders = existsSync(lib) ? readdirSync(lib).filter(name => /^python3(\.\d+)?$/.test(name)) : [];
    if (folders.some(name => ['site-packages', 'dist-packages'].some(packages => existsSync(join(lib, name, packages, 'IPython')))))
      return true;
  }
  try {
    execFileSync(python, ['-c', 'import importlib.util, sys; sys.exit(importlib.util.find_spec("IPython") is None)'], {
      stdio: 'ignore',
      timeout: 20_000,
    });
    return true;
  } catch {
    return false;
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
