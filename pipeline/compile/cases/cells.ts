/**
 * A notebook as a text file: `# %% [tags] {settings}` begins a code cell, `# %% md` a markdown cell, and a first line
 * `# metadata: {...}` holds the notebook's metadata. A folder of `cases/` holds such a `cells.py` and an `expected.json`.
 */
import type { Notebook, NotebookCell } from '../../model/notebook';

export function cellsOf(source: string): Notebook {
  const [head = '', ...parts] = source.split(/^# %%/m);
  const metadata = /^# metadata: (.*)$/m.exec(head)?.[1];
  const cells = parts.map((part): NotebookCell => {
    const [first = '', ...rest] = part.split('\n');
    const text = rest.join('\n').replace(/\n+$/, '');
    if (first.trim() === 'md') return { cell_type: 'markdown', metadata: {}, source: text };
    const tags = /\[(.*)\]/
      .exec(first)?.[1]
      ?.split(/,\s*/)
      .filter(tag => tag !== '');
    return { cell_type: 'code', metadata: tags ? { tags } : {}, source: text, outputs: [], execution_count: null };
  });
  return { nbformat: 4, nbformat_minor: 5, metadata: metadata ? JSON.parse(metadata) : {}, cells };
}
