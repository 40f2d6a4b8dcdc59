import type { TaskError } from '../../pipeline/model/failure';
import type { Pipeline, Step } from '../../pipeline/model/pipeline';
import type { CellTime } from '../../pipeline/model/run';
import type { TaskEvent } from '../../pipeline/model/task';
import { CellBoard, cellRuns, type Shown, type Standing } from './cells';

const at = '2026-01-01T00:00:00.000Z';
const step = (name: string, ...cells: number[]): Step => ({
  name,
  cells: cells.map(cell => ({ cell, id: `id${cell}`, source: '' })),
  settings: {},
  reads: [],
  writes: [],
  prelude: [],
  defines: [],
  parameters: [],
  files: { reads: [], writes: [] },
  dependsOn: [],
});

/** Cells 0 (shared) and 1 (parameters), then load 2 and 3, train 4, 5 and 6. */
const pipeline: Pipeline = {
  format: 1,
  name: 'p',
  language: 'python',
  parameters: [],
  sharedCells: [{ cell: 0, source: '' }],
  parameterCells: [{ cell: 1, source: '' }],
  steps: [step('load', 2, 3), step('train', 4, 5, 6)],
  returns: [],
  settings: {},
};

const ok = (cell: number): CellTime => ({ cell, executionCount: cell + 1, started: at, seconds: 1, ended: 'ok' });
const raised = (cell: number): CellTime => ({ ...ok(cell), ended: 'error' });
const begun = (cell: number): CellTime => ({ cell, executionCount: cell + 1, started: at });
const stands = (name: string, status: Standing['status'], attempts = 0, unit?: string): Standing => ({
  step: name,
  status,
  attempts,
  unit,
});
const user: TaskError = { kind: 'user', message: 'ValueError: no', cell: 5, line: 2, ename: 'ValueError', evalue: 'no', traceback: ['t'] };
const killed: TaskError = { kind: 'killed', message: 'Step "train" was killed.' };

const load = stands('load', 'succeeded', 1);
const loaded: [string, Shown] = ['load/1', { cells: [0, 1, 2, 3].map(ok) }];
const done = 'succeeded succeeded succeeded succeeded';

describe('cells', () => {
  it.each<[string, Standing[], [string, Shown][], string]>([
    [
      'wait with their steps',
      [stands('load', 'queued'), stands('train', 'waiting')],
      [],
      'queued queued queued queued waiting waiting waiting',
    ],
    ['wait when nothing is known', [], [], 'waiting waiting waiting waiting waiting waiting waiting'],
    ['are reused', [stands('load', 'reused')], [], 'reused reused reused reused waiting waiting waiting'],
    ['are skipped', [load, stands('train', 'skipped')], [loaded], `${done} skipped skipped skipped`],
    ['are queued until their own code begins', [load, stands('train', 'running', 1)], [loaded], `${done} queued queued queued`],
    [
      'run one after the other',
      [load, stands('train', 'running', 1)],
      [loaded, ['train/1', { cells: [ok(4), begun(5)] }]],
      `${done} succeeded running queued`,
    ],
    [
      'start over when their step does',
      [load, stands('train', 'running', 2)],
      [loaded, ['train/1', { cells: [ok(4), ok(5), ok(6)] }], ['train/2', { cells: [begun(4)] }]],
      `${done} running queued queued`,
    ],
    [
      'fail where the error came from',
      [load, stands('train', 'failed', 1)],
      [loaded, ['train/1', { cells: [ok(4), raised(5)], error: user }]],
      `${done} succeeded failed skipped`,
    ],
    [
      'fail where the process died',
      [load, stands('train', 'failed', 1)],
      [loaded, ['train/1', { cells: [ok(4), begun(5)], error: killed }]],
      `${done} succeeded failed skipped`,
    ],
    [
      'fail at the last when what they made could not be kept',
      [load, stands('train', 'failed', 1)],
      [loaded, ['train/1', { cells: [ok(4), ok(5), ok(6)], error: { kind: 'lost-value', message: 'm' } }]],
      `${done} succeeded succeeded failed`,
    ],
    [
      'fail at the first when none had begun',
      [stands('load', 'failed', 1)],
      [['load/1', { cells: [], error: killed }]],
      'failed skipped skipped skipped waiting waiting waiting',
    ],
    [
      'succeed though one raised what it may',
      [load, stands('train', 'succeeded', 1)],
      [loaded, ['train/1', { cells: [ok(4), raised(5), ok(6)] }]],
      `${done} succeeded succeeded succeeded`,
    ],
    [
      'are cancelled from the one that ran',
      [load, stands('train', 'cancelled', 1)],
      [loaded, ['train/1', { cells: [ok(4), begun(5)] }]],
      `${done} succeeded cancelled cancelled`,
    ],
    [
      'of steps that were joined share an attempt',
      [stands('load', 'running', 2, 'load+train'), stands('train', 'running', 2, 'load+train')],
      [['load+train/2', { cells: [0, 1, 2, 3].map(ok).concat(begun(4)) }], loaded],
      `${done} running queued queued`,
    ],
  ])('%s', (_name, standings, attempts, expected) => {
    const known = new Map(attempts);
    const runs = cellRuns(pipeline, standings, (unit, number) => known.get(`${unit}/${number}`));
    expect(runs.map(({ cell }) => cell)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(runs.map(({ status }) => status).join(' ')).toBe(expected);
  });

  it('say who they are, how long they took and what went wrong', () => {
    const attempts = new Map([loaded, ['train/1', { cells: [ok(4), raised(5)], error: user }]] as [string, Shown][]);
    const runs = cellRuns(pipeline, [load, stands('train', 'failed', 1)], (unit, number) => attempts.get(`${unit}/${number}`));
    expect(runs[0]).toEqual({ cell: 0, step: 'load', attempt: 1, status: 'succeeded', executionCount: 1, started: at, seconds: 1 });
    expect(runs[5]).toMatchObject({ id: 'id5', step: 'train', error: { ename: 'ValueError', evalue: 'no', line: 2, traceback: ['t'] } });
    expect(runs[6]).toEqual({ cell: 6, id: 'id6', step: 'train', attempt: 1, status: 'skipped' });
  });

  it('cut a traceback that is very long', () => {
    const error = { ...user, traceback: Array.from({ length: 5000 }, (_, i) => `${i} ${'x'.repeat(50_000)}`) };
    const [run] = cellRuns({ ...pipeline, steps: [step('a', 5)] }, [stands('a', 'failed', 1)], () => ({ cells: [], error })).slice(-1);
    expect(run!.error!.traceback).toHaveLength(400);
    expect(run!.error!.traceback.at(-1)).toMatch(/^4999 x/);
    expect(Math.max(...run!.error!.traceback.map(line => line.length))).toBe(20_000);
  });
});

describe('a board', () => {
  const event = (more: object) => ({ at, ...more }) as Omit<TaskEvent, 'token'>;

  it('gives what has changed since it was asked last', () => {
    const board = new CellBoard(pipeline, [], []);
    const changes = () => board.changed().map(({ cell, status }) => `${cell} ${status}`);
    expect(changes()).toEqual([]);
    board.take({ what: 'step', step: 'load', status: 'running', attempts: 1 });
    expect(changes()).toEqual(['0 queued', '1 queued', '2 queued', '3 queued']);
    expect(board.hear('load', 1, event({ type: 'cell-started', cell: 0, executionCount: 1 }))).toBe(true);
    expect(changes()).toEqual(['0 running']);
    expect(board.hear('load', 1, event({ type: 'output', cell: 0 }))).toBe(false);
    board.hear('load', 1, event({ type: 'cell-finished', cell: 0, status: 'ok', seconds: 1 }));
    board.hear('load', 1, event({ type: 'cell-started', cell: 1, executionCount: 2 }));
    expect(changes()).toEqual(['0 succeeded', '1 running']);
    expect(changes()).toEqual([]);
    board.take({ what: 'step', step: 'load', status: 'running', attempts: 2 });
    expect(changes()).toEqual(['0 queued', '1 queued', '2 queued', '3 queued']);
  });

  it('begins with what was known before', () => {
    const board = new CellBoard(pipeline, [load], [{ step: 'load', attempt: 1, cells: loaded[1].cells }]);
    expect(board.changed()).toEqual([]);
    expect(
      board
        .all()
        .map(({ status }) => status)
        .slice(0, 5),
    ).toEqual([...done.split(' '), 'waiting']);
  });
});
