/**
 * What can go wrong with the database that a person can mend, each as one sentence. Drivers name the same trouble differently
 * (SQLite by a number, PostgreSQL by a five-character code, the socket by a word), so they are listed here in one table.
 */

export type StoreTrouble = 'newer' | 'locked' | 'read-only' | 'full' | 'corrupt' | 'connect' | 'address';

/** Thrown by every call of the store when the database itself is the trouble; `message` is for people. */
export class StoreProblem extends Error {
  override readonly name = 'StoreProblem';
  constructor(
    readonly trouble: StoreTrouble,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** SQLite's primary result codes (the low byte of the extended ones). */
const sqliteTroubles: Record<number, StoreTrouble> = {
  3: 'read-only', // PERM
  5: 'locked', // BUSY
  6: 'locked', // LOCKED
  8: 'read-only', // READONLY
  11: 'corrupt', // CORRUPT
  13: 'full', // FULL
  14: 'connect', // CANTOPEN
  26: 'corrupt', // NOTADB
};

/** SQLSTATE codes, by their longest known prefix. */
const postgresTroubles: [string, StoreTrouble][] = [
  ['08', 'connect'],
  ['28', 'connect'],
  ['3D000', 'connect'],
  ['53300', 'connect'],
  ['57P', 'connect'],
  ['53100', 'full'],
  ['25006', 'read-only'],
  ['42501', 'read-only'],
  ['55P03', 'locked'],
  ['40P01', 'locked'],
  ['XX001', 'corrupt'],
  ['XX002', 'corrupt'],
];

const socketCodes = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOENT', 'ENOTFOUND', 'EAI_AGAIN', 'ETIMEDOUT', 'EHOSTUNREACH', 'EPIPE']);

/** Turns a driver's error into a `StoreProblem` if it is one that a person can mend, and gives it back as it is if not. */
export function storeProblem(error: unknown, where: string): unknown {
  if (error instanceof StoreProblem || typeof (error as Error | undefined)?.message !== 'string') return error;
  const trouble = troubleOf(error as Error);
  if (!trouble) return error;
  return new StoreProblem(trouble, sentence(trouble, where, error as Error), { cause: error });
}

function troubleOf(error: Error & { code?: unknown; errcode?: unknown }): StoreTrouble | undefined {
  if (typeof error.errcode === 'number') {
    // An error while reading or writing the file: told apart by the words, since SQLite has one code for both.
    if ((error.errcode & 0xff) === 10) return /full|space/i.test(error.message) ? 'full' : 'corrupt';
    return sqliteTroubles[error.errcode & 0xff];
  }
  const code = typeof error.code === 'string' ? error.code : '';
  if (code === 'ENOSPC' || code === 'EDQUOT') return 'full';
  if (code === 'EROFS' || code === 'EACCES' || code === 'EPERM') return 'read-only';
  if (
    socketCodes.has(code) ||
    code === 'EEXIST' ||
    code === 'ENOTDIR' ||
    code === 'EISDIR' ||
    /Connection terminated|timeout exceeded when trying to connect/.test(error.message)
  )
    return 'connect';
  if (error.name === 'KnexTimeoutError') return 'locked';
  return postgresTroubles.find(([prefix]) => code.startsWith(prefix))?.[1];
}

function sentence(trouble: StoreTrouble, where: string, error: Error): string {
  switch (trouble) {
    case 'locked':
      return `The database ${where} is being written by another program and did not become free; try again when that has finished.`;
    case 'read-only':
      return `The database ${where} cannot be written; check the permissions of the file and its folder, or set STEPWELL_DATABASE or STEPWELL_HOME to a place that can.`;
    case 'full':
      return `The disk that holds the database ${where} is full; make room and resume the run.`;
    case 'corrupt':
      return `The database ${where} is damaged or is not a Stepwell database (${error.message}); move the file away to start anew, or restore a copy.`;
    default:
      return `The database ${where} cannot be opened (${error.message}); check the address in STEPWELL_DATABASE and that it can be reached.`;
  }
}
