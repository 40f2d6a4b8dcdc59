/**
 * The notebook that a run hands back: the one that went in, with the outputs of every cell that ran and nothing else changed. Numbers that
 * JavaScript would round are carried as they were written.
 */
import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Notebook, NotebookCell } from '../../pipeline/model/notebook';
import type { Literal, ParameterType } from '../../pipeline/model/parameter';
import type { CellResult, Output } from '../../pipeline/model/task';

export interface Executed {
  /** Results by cell; a cell that ran more than once counts as it ran last. */
  cells: CellResult[];
  /** Cells that the pipeline runs: outputs of an older run are taken from those that did not get that far. */
  ran: Iterable<number>;
  /** Parameters that were given. They are shown as papermill shows them: by a cell after the one that holds the defaults. */
  parameters?: Record<string, Literal>;
  /** Their types, since JSON does not tell 1 from 1.0. */
  types?: Record<string, ParameterType>;
}

const injectedTag = 'injected-parameters';

/** Reads a notebook so that `executedNotebook` can give it back unchanged. Throws what `JSON.parse` throws. */
export function parseNotebook(text: string): Notebook {
  const keep = (_key: string, value: unknown, context?: { source?: string }): unknown => {
    const source = context?.source;
    return typeof value === 'number' && source !== undefined && String(value) !== source ? rawJson(source) : value;
  };
  return JSON.parse(text.replace(/^\uFEFF/, ''), keep as (key: string, value: unknown) => unknown) as Notebook;
}

/** The notebook with outputs. `original` is left as it is. */
export function executedNotebook(original: Notebook, { cells: results, ran, parameters = {}, types = {} }: Executed): Notebook {
  const byCell = new Map(results.map(result => [result.cell, result]));
  const cleared = new Set(ran);
  const cells = original.cells.map((cell, index) => {
    const result = byCell.get(index);
    if (result) return { ...cell, execution_count: result.executionCount, outputs: result.outputs.map(asWritten) };
    return cleared.has(index) && cell.cell_type === 'code' ? { ...cell, execution_count: null, outputs: [] } : cell;
  });
  if (Object.keys(parameters).length > 0) inject(original, cells, parameters, types);
  return { ...original, cells };
}

/** The text of the file, as Jupyter writes it. */
export function notebookText(notebook: Notebook): string {
  return `${JSON.stringify(notebook, undefined, 1)}\n`;
}

/** Writes the file in one go: whoever reads it sees the notebook before or after, never half of it. */
export function writeNotebook(path: string, notebook: Notebook): void {
  const folder = dirname(path);
  mkdirSync(folder, { recursive: true });
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString('hex')}`);
  try {
    writeFileSync(temporary, notebookText(notebook));
    renameSync(temporary, path);
  } finally {
    rmSync(temporary, { force: true });
  }
}

function inject(
  original: Notebook,
  cells: NotebookCell[],
  parameters: Record<string, Literal>,
  types: Record<string, ParameterType>,
): void {
  const lines = ['# Parameters', ...Object.entries(parameters).map(([name, value]) => `${name} = ${pythonLiteral(value, types[name])}`)];
  const source = lines.map((line, index) => (index < lines.length - 1 ? `${line}\n` : line));
  const tagged = (tag: string) => cells.findIndex(cell => cell.metadata?.tags?.includes(tag));
  const earlier = tagged(injectedTag);
  const cell: NotebookCell = { cell_type: 'code', execution_count: null, metadata: { tags: [injectedTag] }, outputs: [], source };
  const ids = new Set(cells.map(({ id }) => id));
  if (original.nbformat > 4 || original.nbformat_minor >= 5) cell.id = freshId(ids);
  if (earlier >= 0) cells[earlier] = { ...cell, ...(cells[earlier]!.id === undefined ? {} : { id: cells[earlier]!.id }) };
  else cells.splice(tagged('parameters') + 1, 0, cell);
}

function freshId(taken: Set<string | undefined>): string {
  for (;;) {
    const id = randomBytes(4).toString('hex');
    if (!taken.has(id)) return id;
  }
}

/** Texts become lists of lines, as nbformat writes them, so that version control shows changes by line. */
function asWritten(output: Output): unknown {
  if (output.output_type === 'stream') return { ...output, text: lines(output.text) };
  if (output.output_type === 'error') return output;
  const data = Object.fromEntries(
    Object.entries(output.data).map(([type, value]) => [type, typeof value === 'string' && isText(type) ? lines(value) : value]),
  );
  return { ...output, data };
}

const isText = (type: string) => type.startsWith('text/') || type === 'image/svg+xml' || type === 'application/javascript';

const lines = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+/g) ?? [];

/** A JSON value as Python writes it. The type says where a whole number is a float. */
export function pythonLiteral(value: Literal, type?: ParameterType): string {
  if (type?.kind === 'optional') return pythonLiteral(value, type.of);
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number')
    return type?.kind === 'number' && Number.isInteger(value) && !String(value).includes('e') ? `${value}.0` : String(value);
  // JSON's escapes are Python's; a lone surrogate, which JSON.stringify escapes, is one in Python too.
  if (typeof value === 'string') return JSON.stringify(value);
  const of = type?.kind === 'list' || type?.kind === 'dict' ? type.of : undefined;
  if (Array.isArray(value)) return `[${value.map(one => pythonLiteral(one, of)).join(', ')}]`;
  const entries = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}: ${pythonLiteral(one, of)}`);
  return `{${entries.join(', ')}}`;
}

/** Node 24 has it; the language's types do not yet. */
const rawJson = (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON;
