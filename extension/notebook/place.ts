/** Where each cell stands in the pipeline: what its bar, its chip and the commands go by. */
import { readTags } from '../../pipeline/compile/1-read/tags';
import type { NotebookCell } from '../../pipeline/model/notebook';
import type { Pipeline } from '../../pipeline/model/pipeline';
import type { CellPlace } from '../tokens';

/** By cell id. Text cells have no place, nor has any cell of a notebook that is no pipeline. */
export function placesOf(cells: readonly NotebookCell[], pipeline: Pipeline | undefined): Map<string, CellPlace> {
  const places = new Map<string, CellPlace>();
  if (!pipeline) return places;
  const steps = new Map<number, { step: string; index: number; first: boolean }>();
  for (const [index, { name, cells }] of pipeline.steps.entries()) {
    for (const [nth, { cell }] of cells.entries()) steps.set(cell, { step: name, index, first: nth === 0 });
  }
  for (const [index, { id, cell_type, metadata }] of cells.entries()) {
    if (cell_type !== 'code' || id === undefined) continue;
    const { role } = readTags(metadata.tags);
    const own = steps.get(index);
    if (own) places.set(id, { role: 'step', ...own, implied: role !== 'step' && role !== 'metrics' });
    else if (role === 'parameters' || role === 'imports' || role === 'functions' || role === 'skip') {
      places.set(id, { role, first: false, implied: false });
    }
  }
  return places;
}
