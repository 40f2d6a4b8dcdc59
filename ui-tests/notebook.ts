/** Notebooks as the stories need them: a list of cells, each code with its tags. */
import type { Notebook } from '../pipeline/model/notebook';
import { jupyter } from './test.ts';

export interface Cell {
  code?: string;
  markdown?: string;
  tags?: string[];
}

/** Code in a step. */
export const step = (name: string, code: string): Cell => ({ code, tags: [`step:${name}`] });

export function notebook(cells: Cell[], metadata: Record<string, unknown> = {}): Notebook {
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { display_name: 'Python 3 (ipykernel)', language: 'python', name: 'python3' },
      // All that a kernel says of its language, so that opening a notebook changes nothing in it.
      language_info: {
        codemirror_mode: { name: 'ipython', version: 3 },
        file_extension: '.py',
        mimetype: 'text/x-python',
        name: 'python',
        nbconvert_exporter: 'python',
        pygments_lexer: 'ipython3',
        version: jupyter.python,
      },
      ...metadata,
    },
    cells: cells.map(({ code, markdown, tags }, index) => ({
      id: `cell-${index}`,
      metadata: tags ? { tags } : {},
      ...(markdown === undefined
        ? { cell_type: 'code', source: code ?? '', outputs: [], execution_count: null }
        : { cell_type: 'markdown', source: markdown }),
    })),
  } as unknown as Notebook;
}
