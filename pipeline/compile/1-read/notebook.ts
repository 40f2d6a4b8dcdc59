/** Is this a notebook that we can read? The file as it comes (text or JSON) → a notebook, or the one problem that says why not. */
import type { Notebook, NotebookCell } from '../../model/notebook';
import type { Problem } from '../../model/problem';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Kernels of other languages that name none in their metadata. */
const otherKernels = /^(ir|julia|bash|sh|scala|apache_toree|spark_?scala|javascript|deno|tslab|ijava|java|kotlin|rust|evcxr|gophernotes|octave|matlab|sas|stata|ruby|\.net)/i;

/** The notebook, or the problem that makes it none. Cells that are no cells are problems of the whole file. */
export function readNotebook(input: unknown): { notebook: Notebook } | { problem: Problem } {
  let value = input;
  if (typeof input === 'string') {
    try {
      value = JSON.parse(input.charCodeAt(0) === 0xfeff ? input.slice(1) : input);
    } catch (error) {
      return refuse('not-a-notebook', brokenJson(input, error as Error));
    }
  }
  if (!isObject(value)) return refuse('not-a-notebook', `This is not a notebook: expected a JSON object, found ${kindOf(value)}.`);
  const { nbformat } = value;
  if (nbformat === undefined && !Array.isArray(value.cells)) {
    return refuse('not-a-notebook', 'This is JSON, but not a notebook: it has neither `nbformat` nor `cells`.');
  }
  if (nbformat !== 4) {
    const found = nbformat === undefined ? 'none' : JSON.stringify(nbformat);
    return refuse(
      'unsupported-notebook-version',
      `The notebook has nbformat ${found}; nbformat 4 is expected. Open it in JupyterLab and save it, which converts it.`,
    );
  }
  if (!Array.isArray(value.cells)) return refuse('not-a-notebook', 'This is not a notebook: `cells` is not a list.');
  const cells: NotebookCell[] = [];
  for (const [index, cell] of value.cells.entries()) {
    if (!isObject(cell) || typeof cell.cell_type !== 'string') {
      return refuse('not-a-notebook', `This is not a notebook: cell ${index + 1} has no \`cell_type\`.`, index);
    }
    const source = cell.source ?? '';
    if (typeof source !== 'string' && !(Array.isArray(source) && source.every(line => typeof line === 'string'))) {
      return refuse('not-a-notebook', `This is not a notebook: the source of cell ${index + 1} is neither text nor a list of lines.`, index);
    }
    cells.push({ ...cell, cell_type: cell.cell_type, source, metadata: isObject(cell.metadata) ? cell.metadata : {} });
  }
  const metadata = isObject(value.metadata) ? value.metadata : {};
  const notebook = { ...value, nbformat, nbformat_minor: Number(value.nbformat_minor ?? 0), metadata, cells } as Notebook;
  const language = languageOf(notebook);
  if (language) return refuse('wrong-language', `The notebook is written in ${language}; Stepwell runs Python notebooks.`);
  return { notebook };
}

/** The language, if it is another than Python. A notebook that does not say is taken for Python. */
function languageOf({ metadata }: Notebook): string | undefined {
  const kernel = isObject(metadata.kernelspec) ? metadata.kernelspec : {};
  const info = isObject(metadata.language_info) ? metadata.language_info : {};
  const language = [kernel.language, info.name].find(name => typeof name === 'string' && name !== '') as string | undefined;
  if (language) return /python|^xeus-?py|^sage/i.test(language) ? undefined : language;
  if (typeof kernel.name === 'string' && otherKernels.test(kernel.name)) return String(kernel.display_name ?? kernel.name);
  return undefined;
}

function refuse(code: Problem['code'], message: string, cell?: number): { problem: Problem } {
  return { problem: { code, severity: 'error', message, ...(cell === undefined ? {} : { cell }) } };
}

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return `a ${typeof value}`;
}

/** JSON.parse names a character position in some cases only, in words that differ by engine: the line is found here if it says one. */
function brokenJson(text: string, error: Error): string {
  if (text.trim() === '') return 'This is not a notebook: the file is empty.';
  const position = /position (\d+)/.exec(error.message);
  const at = position ? Number(position[1]) : /end of JSON input|unterminated/i.test(error.message) ? text.length : undefined;
  if (at === undefined) return 'This is not a notebook: the file is not JSON.';
  const before = text.slice(0, at).split('\n');
  return `This is not a notebook: the JSON is broken at line ${before.length}, column ${before.at(-1)!.length + 1}.`;
}
