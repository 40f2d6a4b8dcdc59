/** A notebook file, from the path that a person gave. What can be wrong with the file is said here; what is wrong inside it, by the compiler. */
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { Fault } from './fault';

export interface NotebookFile {
  /** As it was given, for sentences. */
  shown: string;
  /** Absolute. */
  path: string;
  text: string;
}

/** Throws a `Fault` when there is no such file or it cannot be read as text. */
export function readNotebookFile(shown: string): NotebookFile {
  const path = resolve(shown);
  try {
    if (statSync(path).isDirectory()) throw new Fault(`"${shown}" is a folder; name a notebook file (.ipynb) in it.`);
    return { shown, path, text: new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(path)) };
  } catch (error) {
    if (error instanceof Fault) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') throw new Fault(`There is no file "${shown}".`);
    if (code === 'EACCES' || code === 'EPERM') throw new Fault(`"${shown}" cannot be read: no permission.`);
    if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA') throw new Fault(`"${shown}" is not a notebook: it is not text in UTF-8.`);
    throw new Fault(`"${shown}" cannot be read (${code ?? (error as Error).message}).`);
  }
}
