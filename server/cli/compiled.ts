/** The compiler as the commands use it: a file in, a pipeline or problems out. The only file of this room that knows its functions. */
import type { Notebook } from '../../pipeline/model/notebook';
import type { Literal } from '../../pipeline/model/parameter';
import type { Pipeline } from '../../pipeline/model/pipeline';
import type { Problem } from '../../pipeline/model/problem';
import type { NotebookFile } from './notebook';

export interface Compiled {
  /** Absent when the file is no notebook. */
  notebook?: Notebook;
  /** Absent when an error stands in the way. */
  pipeline?: Pipeline;
  problems: Problem[];
}

interface Compiler {
  compile(input: unknown): Compiled;
  checkParameters(pipeline: Pipeline, given: Record<string, unknown>): { values: Record<string, Literal>; problems: Problem[] };
  toMermaid(pipeline: Pipeline): string;
  suggest(input: unknown): { cell: number; tags: string[] }[];
}

const compiler = require('../../pipeline/compile') as Compiler;

export const compileFile = ({ text }: NotebookFile): Compiled => compiler.compile(text);
export const { checkParameters, toMermaid, suggest } = compiler;
