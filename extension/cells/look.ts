/** How a cell is marked, worked out from what is known of the notebook: data, so that a cell is touched only when its look changes. */

import type { Step } from '../../pipeline/model/pipeline';
import type { Problem } from '../../pipeline/model/problem';
import { inputsOf, outputsOf, shown } from '../graph/steps';
import { byCell } from '../problems/fix';
import type { CellPlace, CellRole, INotebookPipeline } from '../tokens';

export interface Name {
  name: string;
  declared: boolean;
}

/** What stands above a cell. */
export interface Chip {
  /** The step's name; or the role of a cell that is in none. */
  step?: string;
  index?: number;
  role: CellRole;
  /** Only at the step's first cell. */
  flow?: { inputs: Name[]; outputs: Name[] };
  /** The step was left in between: this cell goes on with it. */
  continued: boolean;
  /** Problems that no place in the code can be underlined for. */
  problems: string[];
}

export interface Look {
  place: CellPlace;
  chip?: Chip;
}

/** By cell id, for the cells that are marked at all. */
export function looksOf(notebook: INotebookPipeline): Map<string, Look> {
  const looks = new Map<string, Look>();
  const { pipeline, cells, problems } = notebook;
  if (!pipeline) return looks;
  const steps = new Map(pipeline.steps.map(step => [step.name, step]));
  const taken = new Map<string, Set<string>>();
  for (const { reads } of pipeline.steps) {
    for (const { name, from } of reads) if (from !== undefined) taken.set(from, (taken.get(from) ?? new Set()).add(name));
  }
  const unplaced = byCell(
    problems.filter(({ range, severity }) => range === undefined && severity !== 'info'),
    cells,
    step => steps.get(step)?.cells[0]?.cell,
  );
  let above = '';
  for (const id of cells) {
    const place = notebook.placeOf(id);
    if (!place) continue;
    const own = place.step ?? place.role;
    const chip = chipOf(place, own !== above, unplaced.get(id), place.step === undefined ? undefined : steps.get(place.step), taken);
    looks.set(id, chip ? { place, chip } : { place });
    above = own;
  }
  return looks;
}

function chipOf(
  { role, step: name, index, first }: CellPlace,
  fresh: boolean,
  problems: readonly Problem[] = [],
  step: Step | undefined,
  taken: ReadonlyMap<string, ReadonlySet<string>>,
): Chip | undefined {
  if (!fresh && !first && problems.length === 0) return undefined;
  const chip: Chip = { role, continued: role === 'step' && !first && fresh, problems: problems.map(({ message }) => message) };
  if (name !== undefined) Object.assign(chip, { step: name, index });
  if (first && step) {
    const read = new Set(step.reads.filter(({ declared }) => declared).map(({ name }) => name));
    const written = new Set(step.writes.filter(({ declared }) => declared).map(({ name }) => name));
    const names = (list: readonly string[], declared: ReadonlySet<string>): Name[] =>
      list.map(one => ({ name: shown(one), declared: declared.has(one) }));
    chip.flow = { inputs: names(inputsOf(step), read), outputs: names(outputsOf(step, taken.get(step.name)), written) };
  }
  return chip;
}
