/**
 * Notebook → pipeline, or problems. Four stages, one after the other: read (cells and steps), analyse (each cell by itself), link (who
 * provides what), check (what a person should know). Pure: the same code marks problems while people type and is what a run trusts.
 */
import type { Pipeline } from '../model/pipeline';
import { pipelineFormat } from '../model/pipeline';
import type { Problem } from '../model/problem';
import { readNotebook } from './1-read/notebook';
import { read } from './1-read/read';
import { analyse } from './2-analyse';
import { arrange } from './3-link/arrange';
import { Effects } from './3-link/effects';
import { Linker } from './3-link/link';
import { markMetrics } from './3-link/metrics';
import { together as findTogether, join } from './3-link/together';
import { check } from './4-check';
import type { CellAnalysis } from './analysis';

export { checkParameters, parseParameter, typeName } from './1-read/parameters';
export { toMermaid } from './mermaid';
export { type CellProposal, convertKaleTags, suggest } from './suggest';

export interface CompileOptions {
  /** The pipeline's name where the notebook gives none: its file's name, usually. */
  name?: string;
}

export interface Compiled {
  /** Absent when an error leaves nothing that could be meant. */
  pipeline?: Pipeline;
  problems: Problem[];
}

export interface Compiler {
  compile(notebook: unknown, options?: CompileOptions): Compiled;
}

/** How many analyses a compiler keeps beyond those of the notebook it saw last. */
const spare = 2000;

/** A compiler that keeps what it found out about each cell, by source, so that an edit costs one cell and a new linking. */
export function createCompiler(): Compiler {
  let kept = new Map<string, CellAnalysis>();
  /** What functions do, for as long as no cell with functions changes. */
  let last: { functions: CellAnalysis['functions'][]; effects: Effects } = { functions: [], effects: new Effects([]) };
  /** The notebook's cells as they were last, by their place. */
  let before: CellAnalysis[] = [];
  const linker = new Linker();
  return {
    compile(input, options = {}) {
      const found = readNotebook(input);
      if ('problem' in found) return { problems: [found.problem] };
      const reading = read(found.notebook, options.name);
      const cells = reading.cells.map((cell, index) => {
        let analysis = kept.get(cell.source);
        if (!analysis) {
          analysis = keeping(before[index], analyse(cell.source));
          kept.set(cell.source, analysis);
        }
        return Object.assign(cell, { analysis });
      });
      if (kept.size > 2 * cells.length + spare) kept = new Map(cells.map(cell => [cell.source, cell.analysis]));
      before = cells.map(cell => cell.analysis);
      const functions = cells.flatMap(cell => (cell.analysis.functions.length > 0 ? [cell.analysis.functions] : []));
      if (functions.length !== last.functions.length || functions.some((each, index) => each !== last.functions[index])) {
        last = { functions, effects: new Effects(functions) };
      }
      const { effects } = last;
      const arrangement = arrange(reading, cells, effects);
      const linked = linker.link(arrangement, reading.parameters, effects);
      const together = findTogether(arrangement, linked);
      join(linked, together);
      markMetrics(linked.steps);
      const problems = [...reading.problems, ...arrangement.problems, ...check({ reading, arrangement, linked, together })];
      const plain = ({ cell, id, source }: (typeof cells)[number]) => ({ cell, ...(id === undefined ? {} : { id }), source });
      const pipeline: Pipeline = {
        format: pipelineFormat,
        name: reading.name,
        ...(reading.description === undefined ? {} : { description: reading.description }),
        language: 'python',
        parameters: reading.parameters,
        parameterCells: arrangement.parameters.map(plain),
        sharedCells: arrangement.shared.map(plain),
        steps: linked.steps.map(({ step }) => step),
        returns: reading.settings.returns ?? [],
        settings: reading.settings,
      };
      return { pipeline, problems };
    },
  };
}

/** The analysis of an edited cell, with those parts of the earlier one that the edit left as they were: what was made of them then still stands. */
function keeping(before: CellAnalysis | undefined, now: CellAnalysis): CellAnalysis {
  if (!before) return now;
  const part = <K extends 'definitions' | 'functions'>(key: K): CellAnalysis[K] =>
    JSON.stringify(before[key]) === JSON.stringify(now[key]) ? before[key] : now[key];
  return { ...now, definitions: part('definitions'), functions: part('functions') };
}

/** Compiles a notebook, given as parsed JSON or as the file's text. Never throws. */
export function compile(notebook: unknown, options?: CompileOptions): Compiled {
  return createCompiler().compile(notebook, options);
}
