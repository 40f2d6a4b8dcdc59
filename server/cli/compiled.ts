/** The compiler as the commands use it: a file in, a pipeline or problems out. The only file of this room that knows its functions. */
import { basename } from 'node:path';
import * as compiler from '../../pipeline/compile';
import { readNotebook } from '../../pipeline/compile/1-read/notebook';
import type { Notebook } from '../../pipeline/model/notebook';
import type { Literal } from '../../pipeline/model/parameter';
import type { Pipeline } from '../../pipeline/model/pipeline';
import type { Problem } from '../../pipeline/model/problem';
import type { NotebookFile } from './notebook';

export interface Compiled {
  /** Absent when the file is no notebook. */
  notebook?: Notebook;
  /** Absent when nothing could be meant. Only to be run when no problem is an error. */
  pipeline?: Pipeline;
  problems: Problem[];
}

/** A notebook that gives no name is called as its file is. */
export function compileFile({ path, text }: NotebookFile): Compiled {
  const found = readNotebook(text);
  if ('problem' in found) return { problems: [found.problem] };
  return { notebook: found.notebook, ...compiler.compile(found.notebook, { name: basename(path).replace(/\.ipynb$/, '') }) };
}

/** Values for the parameters, from `-p name=value`. */
export function readGiven(pipeline: Pipeline, given: Record<string, string>): { values: Record<string, Literal>; problems: Problem[] } {
  return compiler.checkParameters(pipeline.parameters, given, { fromText: true });
}

export { suggest, toMermaid } from '../../pipeline/compile';
