import type { CellResult } from '../../pipeline/model/task';
import { countedThrough } from './numbering';

const cell = (index: number, ...htmls: string[]): CellResult => ({
  cell: index,
  executionCount: index + 1,
  started: '2026-01-01T00:00:00.000Z',
  seconds: 0,
  status: 'ok',
  outputs: htmls.map(html => ({ output_type: 'display_data', data: { 'text/html': html }, metadata: {} })),
});
const shown = (cells: CellResult[]) =>
  cells.flatMap(({ outputs }) => outputs.map(output => ('data' in output ? output.data['text/html'] : '')));

describe('countedThrough', () => {
  it('lets a count go on from one process to the next', () => {
    const units = [
      [cell(0, '<a id="sk-container-id-1">#sk-container-id-1 .x</a>'), cell(1, 'sk-container-id-2 sk-estimator-id-5')],
      [],
      [cell(2, 'sk-container-id-1 sk-estimator-id-1'), cell(3, 'sk-container-id-2')],
    ];
    expect(shown(countedThrough(units))).toEqual([
      '<a id="sk-container-id-1">#sk-container-id-1 .x</a>',
      'sk-container-id-2 sk-estimator-id-5',
      'sk-container-id-3 sk-estimator-id-6',
      'sk-container-id-4',
    ]);
  });

  it('leaves other outputs as they are', () => {
    const result = cell(0);
    result.outputs.push({ output_type: 'stream', name: 'stdout', text: 'sk-container-id-1' });
    expect(countedThrough([[cell(1, 'sk-container-id-1')], [result]])[1]!.outputs).toEqual(result.outputs);
  });
});
