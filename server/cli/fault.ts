/** What a command cannot do, as one sentence for the person at the terminal, and the exit code that goes with it. */

/** 0: done. 1: the run failed, or the surroundings did. 2: what was asked for is not in order (the notebook, a parameter, an option). */
export type ExitCode = 0 | 1 | 2;

export class Fault extends Error {
  override readonly name = 'Fault';
  constructor(
    message: string,
    readonly exitCode: ExitCode = 2,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Errors of other rooms whose message is a sentence for people. Known by name, so that telling an error does not load the room. */
const forPeople = new Set([
  'Fault',
  'StoreProblem',
  'StorageProblem',
  'TargetProblem',
  'RunProblem',
  'CommanderError',
  'InvalidArgumentError',
]);

/** The sentence for an error, and the exit code. Our own stack is shown only when asked for. */
export function explain(error: unknown, debug: boolean): { text: string; exitCode: ExitCode } {
  const { name, message, stack } = error instanceof Error ? error : { name: 'Error', message: String(error), stack: undefined };
  const exitCode = error instanceof Fault ? error.exitCode : 1;
  if (forPeople.has(name)) return { text: debug ? (stack ?? message) : message, exitCode };
  const disk = diskSentence(error as NodeJS.ErrnoException);
  if (disk) return { text: debug ? `${disk}\n${stack}` : disk, exitCode: 1 };
  const more = debug ? `\n${stack}` : ' This is a fault of Stepwell, not of the notebook; STEPWELL_DEBUG=1 shows where it happened.';
  return { text: `Something unexpected went wrong: ${message}.${more}`, exitCode: 1 };
}

/** What the file system refused, by its own code. */
export function diskSentence(error: NodeJS.ErrnoException): string | undefined {
  const path = error?.path ? ` ${error.path}` : '';
  switch (error?.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return `The disk is full: could not write${path}. Make room and try again; what has finished is kept.`;
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return `No permission to use${path || ' a file'}. Check its permissions, or set STEPWELL_HOME to a folder that can be written.`;
    case 'ENOTDIR':
    case 'EEXIST':
      return `Cannot make the folder${path}: a part of the path is a file.`;
    case 'EMFILE':
    case 'ENFILE':
      return 'Too many files are open on this machine; close some programs or raise the limit (ulimit -n).';
    default:
      return undefined;
  }
}
