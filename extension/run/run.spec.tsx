import { RenderMimeRegistry, standardRendererFactories } from '@jupyterlab/rendermime';
import { nullTranslator } from '@jupyterlab/translation';
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import type { ArtifactView, AttemptView, RunDetail } from '../../pipeline/model/protocol';
import { noWishes, RunForm } from '../runs/form';
import { ProblemList } from '../runs/launch';
import { Artifacts } from './artifacts';
import { attemptOf } from './data';
import { besideNotebook } from './executed';
import { Header } from './header';
import { line, Metrics, seriesOf } from './metrics';
import { forStrangers, Outputs } from './outputs';
import { bars, Timeline } from './timeline';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });
const trans = nullTranslator.load('stepwell');
const hostile = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>[x](javascript:window.ran=1)';
const run = (more: Partial<RunDetail> = {}): RunDetail => ({
  id: 'r',
  pipeline: 'p',
  pipelineName: 'wine',
  version: 1,
  status: 'failed',
  created: '2026-01-01T00:00:00.000Z',
  started: '2026-01-01T00:00:00.000Z',
  ended: '2026-01-01T00:00:10.000Z',
  path: 'wine.ipynb',
  target: 'local',
  steps: { succeeded: 1, failed: 1, skipped: 1 },
  sequence: 1,
  parameters: {},
  keepGoing: false,
  document: {
    format: 1,
    name: 'wine',
    language: 'python',
    parameters: [],
    parameterCells: [],
    sharedCells: [],
    steps: [],
    returns: [],
    settings: {},
  },
  stepRuns: [],
  cells: [],
  ...more,
});
const overhead = { queued: 1, create: 0.5, start: 0.5, inputs: 0, user: 2, outputs: 0, observed: 0 };

let root: Root;
let page: HTMLElement;
beforeEach(() => {
  page = document.body.appendChild(document.createElement('div'));
  root = createRoot(page);
});
afterEach(() => {
  act(() => root.unmount());
  page.remove();
});
const draw = (element: JSX.Element) => act(() => root.render(element));

describe('nothing that a run says becomes more than text', () => {
  const nothing = () => {};
  const artifact: ArtifactView = {
    step: hostile,
    attempt: 1,
    name: hostile,
    digest: `sha256:${'0'.repeat(64)}`,
    size: 3,
    type: hostile,
    preview: { text: hostile, columns: [{ name: hostile, dtype: hostile }], rows: [[hostile]] },
  };
  const actions = { stop: nothing, resume: nothing, again: nothing, openNotebook: nothing, saveExecuted: nothing };
  it.each<[string, JSX.Element]>([
    [
      'its head',
      <Header
        key=""
        run={run({
          path: hostile,
          reason: hostile,
          experiment: hostile,
          startedBy: hostile,
          from: hostile,
          parameters: { [hostile]: hostile },
        })}
        error={{ ename: hostile, evalue: hostile, traceback: [] }}
        actions={actions}
        trans={trans}
      />,
    ],
    ['artifacts', <Artifacts key="" artifacts={[artifact]} fetch={async () => new Blob()} trans={trans} />],
    ['metrics', <Metrics key="" metrics={[{ step: hostile, name: hostile, value: 1 }]} trans={trans} />],
    [
      'its timeline',
      <Timeline
        key=""
        run={run()}
        attempts={[{ step: hostile, attempt: 1, status: 'failed', started: run().started, overhead }]}
        onChoose={nothing}
        trans={trans}
      />,
    ],
    [
      'problems',
      <ProblemList
        key=""
        problems={[{ code: 'bad-setting', severity: 'error', message: hostile, cell: 0 }]}
        cells={1}
        trans={trans}
        go={nothing}
      />,
    ],
    [
      'parameters',
      <RunForm
        key=""
        parameters={[{ name: hostile, type: { kind: 'string' }, default: hostile, description: hostile, cell: 0 }]}
        before={noWishes}
        trans={trans}
        changed={nothing}
      />,
    ],
  ])('in %s', (_, element) => {
    draw(element);
    for (const details of page.querySelectorAll('details')) {
      act(() => {
        details.open = true;
        details.dispatchEvent(new Event('toggle'));
      });
    }
    expect(page.textContent! + [...page.querySelectorAll('input')].map(({ value }) => value)).toContain('<script>');
    expect(page.querySelector('img, script, [onerror], a')).toBeNull();
  });

  it('in outputs, where HTML is made safe and SVG is a picture', async () => {
    const rendermime = forStrangers(new RenderMimeRegistry({ initialFactories: standardRendererFactories }));
    const show = (data: Record<string, string>) => ({ output_type: 'display_data', data, metadata: {} });
    const outputs = [
      show({ 'text/html': `<b id="safe" onclick="x()">bold</b>${hostile}` }),
      show({ 'image/svg+xml': '<svg xmlns="http://www.w3.org/2000/svg" onload="window.ran=1"><script>window.ran=1</script></svg>' }),
      show({ 'application/javascript': 'window.ran = 1' }),
    ];
    draw(<Outputs cells={[{ cell: 0, source: hostile, outputs, cut: 0 }]} rendermime={rendermime} trans={trans} />);
    await act(async () => {
      for (let i = 0; i < 200 && !page.querySelector('.stepwell-svg img'); i++) await new Promise(resolve => setTimeout(resolve));
    });
    expect(page.textContent).toContain('bold');
    expect(page.querySelector('script, svg, [onclick], [onerror], [onload]')).toBeNull();
    expect(page.querySelector<HTMLImageElement>('.stepwell-svg img')!.src).toMatch(/^data:image\/svg\+xml/);
    expect((window as { ran?: number }).ran).toBeUndefined();
  });
});

describe('the form', () => {
  const parameters = [{ name: 'times', type: { kind: 'integer' as const }, default: 3, cell: 0 }];

  it('says what is wrong as it is typed, and tells what was chosen', () => {
    let wishes = noWishes;
    draw(<RunForm parameters={parameters} before={noWishes} trans={trans} changed={now => (wishes = now)} />);
    const field = page.querySelector<HTMLInputElement>('input')!;
    const type = (text: string) =>
      act(() => {
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')!.set!.call(field, text);
        field.dispatchEvent(new Event('input', { bubbles: true }));
      });
    expect(field.labels![0]!.textContent).toBe('times int');
    type('many');
    expect(page.querySelector('[role=alert]')!.textContent).toContain('takes int');
    expect([field.getAttribute('aria-invalid'), field.className]).toEqual(['true', 'jp-mod-styled jp-mod-error']);
    type('4');
    expect(page.querySelector('[role=alert]')).toBeNull();
    expect(wishes.filled).toEqual({ times: '4' });
  });
});

describe('the timeline', () => {
  const attempt = (more: Partial<AttemptView>): AttemptView => ({ step: 'a', attempt: 1, status: 'succeeded', ...more });

  it('puts what an attempt waited before its start, and lets what runs go on until now', () => {
    const going = run({ status: 'running', ended: undefined });
    const now = Date.parse('2026-01-01T00:00:20Z');
    const attempts = [
      attempt({ step: 'b', status: 'running', started: '2026-01-01T00:00:05Z' }),
      attempt({ started: '2026-01-01T00:00:02Z', overhead }),
      attempt({ step: 'c', status: 'queued' }),
    ];
    const { bars: found, whole } = bars(going, attempts, now);
    expect(found.map(bar => [bar.attempt.step, bar.from])).toEqual([
      ['a', 1],
      ['b', 5],
    ]);
    expect(found[1]!.parts).toEqual([{ part: 'running', seconds: 15 }]);
    expect(whole).toBe(20);
  });

  it('has room for a run that is over at once', () => expect(bars(run({ ended: run().started }), [], 0).whole).toBeGreaterThan(0));

  it('says the same in a table', () => {
    draw(
      <Timeline
        run={run()}
        attempts={[attempt({ started: run().started, overhead, peakMemory: 1e8, cpuSeconds: 2 })]}
        onChoose={() => {}}
        trans={trans}
      />,
    );
    const cells = [...page.querySelectorAll('tbody tr:first-child :is(th, td)')].map(({ textContent }) => textContent);
    expect(cells).toEqual(['a', '1.0 s', '0.5 s', '0.5 s', '0 ms', '2.0 s', '0 ms', '0 ms', '4.0 s', '100 MB', '2.0 s']);
  });
});

it('puts metrics that came as a series in order and draws them', () => {
  const series = seriesOf([
    { step: 'a', name: 'loss', value: 1, at: 1 },
    { step: 'a', name: 'loss', value: 3, at: 0 },
    { step: 'b', name: 'loss', value: 7 },
  ]);
  expect(series.map(({ points }) => points.map(({ value }) => value))).toEqual([[3, 1], [7]]);
  expect(line(series[0]!, 100, 10)).toBe('0.0,0.0 100.0,10.0');
  expect(line({ step: '', name: '', points: [{ at: 0, value: Number.NaN }] }, 100, 10)).toBe('');
});

it('finds the attempt that tells of a step: its last, or that of its unit', () => {
  const attempts: AttemptView[] = [
    { step: 'a', attempt: 1, status: 'failed' },
    { step: 'a', attempt: 10, status: 'succeeded' },
    { step: 'a', attempt: 2, status: 'failed' },
    { step: 'a+b', attempt: 1, status: 'running' },
  ];
  expect(attemptOf({ step: 'a', status: 'succeeded', attempts: 10 }, attempts)?.attempt).toBe(10);
  expect(attemptOf({ step: 'b', status: 'running', attempts: 1, unit: 'a+b' }, attempts)?.step).toBe('a+b');
  expect(attemptOf({ step: 'c', status: 'reused', attempts: 0 }, attempts)).toBeUndefined();
});

it.each([
  ['folder/wine.ipynb', 'folder/wine.run-r.ipynb'],
  ['/elsewhere/wine.ipynb', 'wine.run-r.ipynb'],
  ['C:\\elsewhere\\wine.ipynb', 'wine.run-r.ipynb'],
])('saves the executed notebook of %s as %s', (path, beside) => expect(besideNotebook({ path, id: 'r' })).toBe(beside));
