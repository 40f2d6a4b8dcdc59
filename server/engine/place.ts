/**
 * An answer put where its step stands now. The same code may have moved in the notebook, been commented or been laid out anew since; then
 * its outputs count as long as none of them shows a line or a number.
 */
import type { Cell } from '../../pipeline/model/pipeline';
import type { CellResult, Output } from '../../pipeline/model/task';
import type { Places } from './document';
import { sha256 } from './key';
import type { RunState } from './state';
import type { Unit } from './units';

export interface Standing {
  /** Digest of all that the unit runs, as it is written. */
  text: string;
  /** Numbers of its cells, and of the cells that its definitions come from. */
  counts: number[];
}

/** Cells of an attempt, in the order in which it runs them. */
export function cellsOf({ pipeline }: RunState, unit: Unit): Cell[] {
  const shared = unit.index === 0 ? [...pipeline.sharedCells, ...pipeline.parameterCells].sort((a, b) => a.cell - b.cell) : [];
  return [...shared, ...unit.cells];
}

export function standing(state: RunState, unit: Unit, { executionCount }: Pick<Places, 'executionCount'>): Standing {
  const cells = cellsOf(state, unit);
  const { sharedCells } = state.pipeline;
  const written = [cells, sharedCells].map(all => all.map(({ source }) => source));
  const origins = [...unit.prelude, ...sharedCells].map(({ cell }) => cell);
  return {
    text: sha256(JSON.stringify([written, unit.prelude.map(({ source, line }) => [source, line])])),
    counts: [...cells.map(({ cell }) => cell), ...origins].map(executionCount),
  };
}

/** The results of cells at their present places; undefined when they show that they came from somewhere else. */
export function placed(
  all: CellResult[],
  then: Standing,
  state: RunState,
  unit: Unit,
  places: Pick<Places, 'executionCount'>,
): CellResult[] | undefined {
  const cells = cellsOf(state, unit);
  const now = standing(state, unit, places);
  // Shared cells show what they print in the first step, and only there.
  const results = unit.index === 0 ? all : all.slice(-cells.length);
  if (cells.length !== results.length) return undefined;
  const moved =
    now.text !== then.text || now.counts.length !== then.counts.length || now.counts.some((count, i) => count !== then.counts[i]);
  if (moved && results.some(({ outputs }) => outputs.some(showsPlace))) return undefined;
  return results.map((result, i) => {
    const cell = cells[i]!.cell;
    const executionCount = places.executionCount(cell);
    if (result.cell === cell && result.executionCount === executionCount) return result;
    return { ...result, cell, executionCount, outputs: result.outputs.map(output => counted(output, executionCount)) };
  });
}

const place = /\bline \d|\.py:\d|ipykernel|ipython-input|\bIn ?\[\d|\bOut\[\d|\bCell \S*\d/;

function showsPlace(output: Output): boolean {
  if (output.output_type === 'error') return true;
  return place.test(output.output_type === 'stream' ? output.text : JSON.stringify(output.data));
}

const counted = (output: Output, count: number): Output =>
  output.output_type === 'execute_result' ? { ...output, execution_count: count } : output;
