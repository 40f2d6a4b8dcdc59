import type { FailureKind } from '../../pipeline/model/failure';

/** What keeps a target from running anything at all, or this step, as one sentence for the person who can mend it. */
export class TargetProblem extends Error {
  override readonly name = 'TargetProblem';
  readonly kind: FailureKind;

  constructor(message: string, { kind = 'environment', ...options }: ErrorOptions & { kind?: FailureKind } = {}) {
    super(message, options);
    this.kind = kind;
  }
}

/** What a system's error about a folder of ours means; other errors are given back as they are. */
export function folderProblem(error: unknown, folder: string): unknown {
  const options = { cause: error };
  switch ((error as NodeJS.ErrnoException)?.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new TargetProblem(`The disk that holds ${folder} is full; make room and resume the run.`, options);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return new TargetProblem(
        `The folder ${folder} cannot be written; check its permissions, or set STEPWELL_HOME to a folder that can.`,
        options,
      );
    case 'ENOTDIR':
    case 'EEXIST':
      return new TargetProblem(`The folder ${folder} cannot be made: a part of its path is a file.`, options);
    default:
      return error;
  }
}
