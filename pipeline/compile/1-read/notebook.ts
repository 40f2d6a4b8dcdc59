/** Is this a notebook that we can read? The file as it comes (text or JSON) → a notebook, or the one problem that says why not. */
import type { Notebook, NotebookCell } from '../../model/notebook';
import type { Problem } from '../../model/problem';

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

/** Kernels of other languages that name none in their metadata. */
const otherKernels =
  /^(ir|julia|bash|sh|scala|apache_toree|spark_?scala|javascript|deno|tslab|ijava|java|kotlin|rust|evcxr|gophernotes|octave|matlab|sas|stata|ruby|\.net)/i;

/** The notebook, or the problem that makes it none. Cells that are no cells are problems of the whole file. */
export function readNotebook(input: unknown): { notebook: Notebook } | { problem: Problem } {
  let value = input;
  if (typeof input === 'string') {
    try {
      value = JSON.parse(input.charCodeAt(0) === 0xfeff ? input.slice(1) : input);
    } catch {
      return refuse('not-a-notebook', brokenJson(input));
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
      return refuse(
        'not-a-notebook',
        `This is not a notebook: the source of cell ${index + 1} is neither text nor a list of lines.`,
        index,
      );
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

/** JSON.parse says where it stopped in some cases and engines only, so the place is found here. */
function brokenJson(text: string): string {
  if (text.trim() === '') return 'This is not a notebook: the file is empty.';
  const before = text.slice(0, brokenAt(text)).split('\n');
  return `This is not a notebook: the JSON is broken at line ${before.length}, column ${before.at(-1)!.length + 1}.`;
}

const space = /[ \t\r\n]*/y;
const scalar = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[\da-fA-F]{4}))*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][-+]?\d+)?|true|false|null/y;

/** Offset of the first character that can't stand where it stands. */
function brokenAt(text: string): number {
  let at = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  /** What closes the objects and lists that are open. */
  const open: string[] = [];
  let expectValue = true;
  for (;;) {
    take(space);
    if (expectValue) {
      const c = text[at];
      if (c === '{' || c === '[') {
        at++;
        open.push(c === '{' ? '}' : ']');
        take(space);
        if (text[at] === open.at(-1)) {
          at++;
          open.pop();
        } else if (c === '[' || key()) continue;
        else return at;
      } else if (take(scalar) === undefined) return at;
      expectValue = false;
      continue;
    }
    const close = open.at(-1);
    if (close === undefined || at >= text.length) return at;
    if (text[at] === close) {
      at++;
      open.pop();
    } else if (text[at] === ',') {
      at++;
      if (close === '}' && !key()) return at;
      expectValue = true;
    } else return at;
  }

  function key(): boolean {
    take(space);
    if (text[at] !== '"' || take(scalar) === undefined) return false;
    take(space);
    if (text[at] !== ':') return false;
    at++;
    return true;
  }
}
