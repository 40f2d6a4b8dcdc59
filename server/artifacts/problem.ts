/** What can go wrong with the artifact folder that a person can mend, each as one sentence. */

export type StorageTrouble = 'read-only' | 'full' | 'missing' | 'damaged' | 'digest' | 'folder';

/** Thrown by every call of the artifacts; `message` is for people. */
export class StorageProblem extends Error {
  override readonly name = 'StorageProblem';
  constructor(
    readonly trouble: StorageTrouble,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Says what the system's error means for the folder, or gives other errors back as they are. */
export function storageProblem(error: unknown, folder: string, digest?: string): unknown {
  const problem = (trouble: StorageTrouble, sentence: string) => new StorageProblem(trouble, sentence, { cause: error });
  switch ((error as NodeJS.ErrnoException)?.code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return problem('full', `The disk that holds the artifacts in ${folder} is full; make room and resume the run.`);
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return problem(
        'read-only',
        `The artifact folder ${folder} cannot be written; check its permissions, or set STEPWELL_ARTIFACTS to a folder that can.`,
      );
    case 'ENOENT':
      return digest
        ? problem('missing', `The artifact ${digest} is not in ${folder} any more; run the step that made it again.`)
        : problem('folder', `The artifact folder ${folder} is gone; it was there when the run started.`);
    case 'ENOTDIR':
    case 'EEXIST':
      return problem('folder', `The artifact folder ${folder} cannot be made: a part of its path is a file.`);
    default:
      return error;
  }
}
