/**
 * What crosses between steps is known by name. Three kinds share one space of names, so that one rule
 * (the nearest step above that changes it provides it) covers them all:
 *
 *   `model`            a Python variable of the notebook
 *   `@matplotlib`      a channel: state of the process that a notebook relies on without naming it
 *   `file:data/x.csv`  a file in the workspace, by its path from the notebook's folder, `/` between parts
 *
 * `*` means "any variable" and `file:*` "any file": a step whose code cannot be followed (`exec`, `%run`) reads or changes these.
 */

/** State of the Python process that crosses like a variable. Listed once; the runner's `channels.py` has one class for each. */
export const channels = [
  '@random', // the generator of `random`
  '@numpy.random', // NumPy's global generator
  '@torch.random', // torch's generators, when torch is loaded
  '@tensorflow.random',
  '@environ', // os.environ
  '@cwd', // the working directory, relative to the workspace
  '@path', // sys.path
  '@warnings', // warnings filters
  '@warned', // warnings that were shown, and so are not shown again
  '@matplotlib', // rcParams, backend, "inline plotting is on", InlineBackend settings
  '@pandas', // pandas options
  '@numpy', // print options, error state
  '@ipython', // loaded extensions, %precision, ast_node_interactivity, aliases
  '@locale', // locale and decimal context
  '@logging', // levels and handlers of the root logger
] as const;

export type Channel = (typeof channels)[number];

export const isChannel = (name: string): name is Channel => name.startsWith('@');
export const isFile = (name: string): boolean => name.startsWith('file:');
export const isVariable = (name: string): boolean => !isChannel(name) && !isFile(name);
export const fileName = (path: string): string => `file:${path}`;
export const filePath = (name: string): string => name.slice('file:'.length);
