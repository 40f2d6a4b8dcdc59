/** What a notebook would be with proposed tags: computed from a copy, so that people see it before anything is written. */

import type { CellProposal } from '../../pipeline/compile';
import { compile } from '../../pipeline/compile';
import { type Notebook, text } from '../../pipeline/model/notebook';

export interface PreviewCell {
  cell: number;
  /** Its first line that says something. */
  line: string;
}

/** Cells that would belong together, in notebook order. */
export interface PreviewGroup {
  /** A step's name, or one of the words `parameters`, `imports`, `functions`. */
  name: string;
  step: boolean;
  cells: PreviewCell[];
  /** Variables that would cross; empty for what is no step. */
  reads: string[];
  writes: string[];
}

export interface Preview {
  groups: PreviewGroup[];
  /** Errors that the notebook would have as a pipeline. */
  errors: string[];
}

export function preview(notebook: Notebook, proposals: readonly CellProposal[]): Preview {
  const tags = new Map(proposals.map(proposal => [proposal.cell, proposal.tags]));
  const cells = notebook.cells.map((cell, index) => {
    const proposed = tags.get(index);
    return proposed ? { ...cell, metadata: { ...cell.metadata, tags: proposed } } : cell;
  });
  const { pipeline, problems } = compile({ ...notebook, cells });
  const shown = (list: { cell: number; source: string }[]) => list.map(({ cell, source }) => ({ cell, line: firstLine(source) }));
  const groups: PreviewGroup[] = [];
  if (pipeline) {
    const used = new Set(pipeline.steps.flatMap(({ reads }) => reads.filter(({ from }) => from !== undefined).map(({ name }) => name)));
    if (pipeline.parameterCells.length > 0)
      groups.push({ name: 'parameters', step: false, cells: shown(pipeline.parameterCells), reads: [], writes: [] });
    for (const role of ['imports', 'functions']) {
      const shared = pipeline.sharedCells.filter(({ cell }) => cells[cell]!.metadata.tags?.includes(role));
      if (shared.length > 0) groups.push({ name: role, step: false, cells: shown(shared), reads: [], writes: [] });
    }
    for (const step of pipeline.steps) {
      groups.push({
        name: step.name,
        step: true,
        cells: shown(step.cells),
        reads: step.reads.filter(({ name, from }) => from !== undefined && plain(name)).map(({ name }) => name),
        writes: step.writes.filter(({ name }) => plain(name) && used.has(name)).map(({ name }) => name),
      });
    }
  }
  return { groups, errors: problems.filter(({ severity }) => severity === 'error').map(({ message }) => message) };
}

/** A variable, as opposed to a channel or a file. */
const plain = (name: string): boolean => !name.startsWith('@') && !name.includes(':') && name !== '*';

/** Comments count only where there is nothing else. */
function firstLine(source: string): string {
  const lines = text(source)
    .split('\n')
    .map(line => line.trim());
  return lines.find(line => line !== '' && !line.startsWith('#')) ?? lines.find(line => line !== '') ?? '';
}
