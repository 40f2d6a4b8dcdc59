import { Signal } from '@lumino/signaling';
import type { RunSummary } from '../../pipeline/model/protocol';
import type { Connection, IService, RunFilter } from '../tokens';
import { put, RunList } from './runlist';

const id = (number: number) => `r${String(number).padStart(6, '0')}`;
const run = (number: number, more: Partial<RunSummary> = {}): RunSummary => ({
  id: id(number),
  pipeline: 'p',
  pipelineName: 'wine',
  version: 1,
  status: 'succeeded',
  created: '',
  path: 'wine.ipynb',
  target: 'local',
  steps: {},
  sequence: 1,
  ...more,
});

describe('a run that is told of', () => {
  const runs = [run(5), run(3), run(1)];
  const numbers = (list: readonly RunSummary[]) => list.map(each => Number(each.id.slice(1)));
  it.each<[string, RunSummary, boolean, boolean, number[]]>([
    ['comes on top when it is new', run(7), true, false, [7, 5, 3, 1]],
    ['comes to its place', run(4), true, false, [5, 4, 3, 1]],
    ['replaces what it was', run(3, { status: 'failed', sequence: 2 }), true, false, [5, 3, 1]],
    ['goes when it does not fit any more', run(3, { sequence: 2 }), false, false, [5, 1]],
    ['does not come when it does not fit', run(7), false, false, [5, 3, 1]],
    ['waits for its page', run(0), true, false, [5, 3, 1]],
    ['comes last when all is loaded', run(0), true, true, [5, 3, 1, 0]],
  ])('%s', (_, told, fits, whole, gives) => expect(numbers(put(runs, told, fits, whole))).toEqual(gives));

  it('does not become what it was before', () => {
    const ahead = [run(1, { status: 'succeeded', sequence: 9 })];
    expect(put(ahead, run(1, { status: 'running', sequence: 5 }), true, true)).toBe(ahead);
  });
});

describe('the list', () => {
  let all: RunSummary[];
  let service: {
    connection: Connection;
    connectionChanged: Signal<object, Connection>;
    tell: (run: RunSummary) => void;
    asked: (string | undefined)[];
    broken: boolean;
  } & Pick<IService, 'runs' | 'followRuns'>;
  let list: RunList;

  beforeEach(() => {
    all = Array.from({ length: 450 }, (_, index) => run(450 - index, index % 90 === 0 ? { status: 'failed' } : {}));
    service = {
      connection: 'connected',
      connectionChanged: new Signal<object, Connection>({}),
      tell: () => {},
      asked: [],
      broken: false,
      async runs(filter: RunFilter, limit: number, cursor?: string) {
        service.asked.push(cursor);
        if (service.broken) throw new Error('gone');
        const fitting = all.filter(each => (!filter.status || each.status === filter.status) && (!cursor || each.id < cursor));
        const items = fitting.slice(0, limit);
        return { items, ...(fitting.length > limit ? { next: items.at(-1)!.id } : {}) };
      },
      followRuns(listener) {
        service.tell = listener;
        return { isDisposed: false, dispose() {} };
      },
    };
    list = new RunList(service as unknown as IService);
  });
  const settle = () => new Promise(resolve => setTimeout(resolve));

  it('comes in pages, each run once, while new ones begin', async () => {
    list.show({});
    service.tell(run(451));
    await settle();
    all.unshift(run(452), run(451));
    service.tell(run(452));
    while (list.more) await list.load();
    expect(list.runs.map(each => each.id)).toEqual(all.map(each => each.id));
  });

  it('shows what its filter lets through, as runs move', async () => {
    list.show({ status: 'failed' });
    await settle();
    expect(list.runs.length).toBe(5);
    service.tell(run(450, { status: 'running', sequence: 2 }));
    service.tell(run(451, { status: 'running' }));
    expect(list.runs.length).toBe(4);
    service.tell(run(451, { status: 'failed', sequence: 2 }));
    expect(list.runs[0]!.id).toBe(id(451));
  });

  it('drops the answer to a question that was given up', async () => {
    list.show({});
    list.show({ status: 'failed' });
    await settle();
    expect(list.runs.every(each => each.status === 'failed')).toBe(true);
  });

  it('keeps what it shows when the service goes, and knows what came meanwhile when it is back', async () => {
    list.show({});
    await settle();
    await list.load();
    service.broken = true;
    await list.load();
    expect(list.fault).toBeDefined();
    expect(list.runs.length).toBe(400);
    service.broken = false;
    all.unshift(...Array.from({ length: 150 }, (_, index) => run(600 - index)));
    all[200] = { ...all[200]!, status: 'cancelled' };
    service.connectionChanged.emit('connected');
    await settle();
    expect(list.fault).toBeUndefined();
    expect(list.runs).toEqual(all.slice(0, 400));
    while (list.more) await list.load();
    expect(list.runs).toEqual(all);
  });
});
