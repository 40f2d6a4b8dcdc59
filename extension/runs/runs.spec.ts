import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import { Signal } from '@lumino/signaling';
import type { RunDetail, RunSummary } from '../../pipeline/model/protocol';
import type { RunEvent } from '../../pipeline/model/run';
import { ServiceFault } from '../service/fault';
import type { Connection, INotebookPipelines, IService, RunListener } from '../tokens';
import { Runs } from './runs';

const summary = (id: string, more: Partial<RunSummary> = {}): RunSummary => ({
  id,
  pipeline: 'p',
  pipelineName: 'wine',
  version: 1,
  status: 'running',
  created: '2026-01-01T00:00:00.000Z',
  path: 'wine.ipynb',
  target: 'local',
  steps: {},
  sequence: 3,
  ...more,
});
const settle = () => new Promise(resolve => setTimeout(resolve));

/** A service in memory: it knows some runs, and tells of them when it is told to. */
class FakeService {
  connection: Connection = 'connected';
  readonly connectionChanged = new Signal<this, Connection>(this);
  known: RunSummary[] = [];
  readonly calls: unknown[][] = [];
  readonly followed = new Map<string, RunListener & { after: number }>();
  failures: unknown[] = [];
  tell: (run: RunSummary) => void = () => {};

  info = undefined;
  followRuns(listener: (run: RunSummary) => void) {
    this.tell = listener;
    return { isDisposed: false, dispose() {} };
  }
  async runs(...asked: unknown[]) {
    this.calls.push(['runs', ...asked]);
    return { items: this.known };
  }
  async run(id: string): Promise<RunDetail> {
    const fault = this.failures.shift();
    if (fault) throw fault;
    return { ...summary(id), parameters: {}, keepGoing: false, document: {} as RunDetail['document'], stepRuns: [], cells: [] };
  }
  followRun(run: string, after: number, listener: RunListener) {
    this.followed.set(run, { after, events: e => listener.events(e), cells: (c, w) => listener.cells(c, w) });
    return { isDisposed: false, dispose: () => this.followed.delete(run) };
  }
  async start(...asked: unknown[]) {
    this.calls.push(['start', ...asked]);
    const fault = this.failures.shift();
    if (fault) throw fault;
    return summary('new', { created: '2026-01-02T00:00:00.000Z' });
  }
  async warm(...asked: unknown[]) {
    this.calls.push(['warm', ...asked]);
  }
  connect(connection: Connection) {
    this.connection = connection;
    this.connectionChanged.emit(connection);
  }
}

function openPanel(path = 'wine.ipynb') {
  const owner = {};
  const panel = { context: { path, ready: Promise.resolve(), isReady: true }, disposed: new Signal<object, void>(owner) };
  return panel as unknown as NotebookPanel & { disposed: Signal<object, void> };
}

const notebook = { nbformat: 4, nbformat_minor: 5, metadata: {}, cells: [] };
let service: FakeService;
let runs: Runs;
let now: number;
let tagged: boolean;

beforeEach(() => {
  service = new FakeService();
  now = 0;
  tagged = true;
  const pipelines = { of: () => ({ tagged, snapshot: () => notebook }) } as unknown as INotebookPipelines;
  const contents = { localPath: (path: string) => path.replace(/^RTC:/, '') } as Contents.IManager;
  runs = new Runs(service as unknown as IService, pipelines, contents, () => now);
});

describe('a notebook', () => {
  it('shows the latest run of its file when it is opened, a drive before its path or not', async () => {
    service.known = [summary('old')];
    const panel = openPanel('RTC:wine.ipynb');
    runs.attend(panel);
    await settle();
    expect(service.calls[0]).toEqual(['runs', { path: 'wine.ipynb' }, 1]);
    expect(runs.shownIn(panel)?.id).toBe('old');
  });

  it('shows a later run that is started elsewhere, not an earlier one, and none of another file', async () => {
    service.known = [summary('here', { created: '2026-01-02T00:00:00.000Z' })];
    const panel = openPanel();
    runs.attend(panel);
    await settle();
    service.tell(summary('earlier'));
    service.tell(summary('other', { path: 'other.ipynb', created: '2026-01-03T00:00:00.000Z' }));
    expect(runs.shownIn(panel)?.id).toBe('here');
    service.tell(summary('later', { created: '2026-01-03T00:00:00.000Z' }));
    expect(runs.shownIn(panel)?.id).toBe('later');
  });

  it('shows nothing after it was told so, until the next run', async () => {
    service.known = [summary('old')];
    const panel = openPanel();
    runs.attend(panel);
    await settle();
    now = Date.parse('2026-01-05');
    runs.show(panel, null);
    service.tell(summary('old'));
    expect(runs.shownIn(panel)).toBeNull();
    service.tell(summary('next', { created: '2026-01-06T00:00:00.000Z' }));
    expect(runs.shownIn(panel)?.id).toBe('next');
  });

  it('asks when the service comes, if it was not there', async () => {
    service.connection = 'down';
    service.known = [summary('old')];
    const panel = openPanel();
    runs.attend(panel);
    await settle();
    expect(runs.shownIn(panel)).toBeNull();
    service.connect('connected');
    await settle();
    expect(runs.shownIn(panel)?.id).toBe('old');
  });

  it('lets go of its run when it is closed', async () => {
    service.known = [summary('old')];
    const panel = openPanel();
    runs.attend(panel);
    await settle();
    expect([...service.followed.keys()]).toEqual(['old']);
    panel.disposed.emit();
    expect([...service.followed.keys()]).toEqual([]);
  });

  it('is run as it is in the editor', async () => {
    const panel = openPanel();
    const model = await runs.start(panel, { parameters: { n: 2 }, from: 'train' });
    const [, request] = service.calls.find(([what]) => what === 'start')!;
    expect(request).toEqual({
      parameters: { n: 2 },
      from: 'train',
      path: 'wine.ipynb',
      notebook,
    });
    expect(runs.shownIn(panel)).toBe(model);
  });

  it('is started once when the connection breaks while it is', async () => {
    service.failures = [new ServiceFault('unreachable', 'gone')];
    await runs.start(openPanel(), {});
    const starts = service.calls.filter(([what]) => what === 'start');
    expect(starts.length).toBe(2);
    expect(starts[0]![2]).toBe(starts[1]![2]);
    service.failures = [new ServiceFault('notebook-has-problems', 'no')];
    await expect(runs.start(openPanel(), {})).rejects.toMatchObject({ message: 'no' });
  });

  it('has a Python kept ready while it is worked on, when it is tagged and somebody listens', () => {
    const panel = openPanel();
    const warmed = () => service.calls.filter(([what]) => what === 'warm').length;
    tagged = false;
    runs.keepWarm(panel);
    tagged = true;
    service.connection = 'down';
    runs.keepWarm(panel);
    expect(warmed()).toBe(0);
    service.connection = 'connected';
    runs.keepWarm(panel);
    runs.keepWarm(panel);
    expect(warmed()).toBe(1);
    now += 61_000;
    runs.keepWarm(panel);
    expect(warmed()).toBe(2);
  });
});

describe('a run that is followed', () => {
  it('is asked for once, however many look, and told of from its last event', async () => {
    const one = runs.follow('r');
    const two = runs.follow('r');
    await settle();
    expect(service.followed.get('r')?.after).toBe(3);
    let told = 0;
    two.changed.connect(() => told++);
    one.dispose();
    const events: RunEvent[] = [{ sequence: 4, at: 't', change: { what: 'run', status: 'failed', reason: 'why' } }];
    service.followed.get('r')!.events(events);
    expect(two.detail).toMatchObject({ status: 'failed', reason: 'why', sequence: 4 });
    expect(told).toBe(1);
    two.dispose();
    expect(service.followed.size).toBe(0);
  });

  it('knows where its cells stand: all of them, then those that changed', async () => {
    const run = runs.follow('r');
    await settle();
    const cell = (index: number, status: 'queued' | 'running') => ({ cell: index, step: 'a', attempt: 1, status });
    service.followed.get('r')!.cells([cell(1, 'queued'), cell(2, 'queued')], true);
    service.followed.get('r')!.cells([cell(2, 'running')], false);
    expect([...run.cells.values()].map(({ status }) => status)).toEqual(['queued', 'running']);
    service.followed.get('r')!.cells([cell(1, 'queued')], true);
    expect([...run.cells.keys()]).toEqual([1]);
  });

  it('says why it cannot be shown, and is asked for again when the service is back', async () => {
    service.failures = [new ServiceFault('unreachable', 'gone')];
    const run = runs.follow('r');
    await settle();
    expect(run.fault).toMatchObject({ message: 'gone' });
    service.connect('connected');
    await settle();
    expect(run.fault).toBeUndefined();
    expect(run.detail?.id).toBe('r');
  });
});
