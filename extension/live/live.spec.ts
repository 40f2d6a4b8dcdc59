import { EditorState, StateEffect } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { YNotebook } from '@jupyter/ydoc';
import type { CodeCell } from '@jupyterlab/cells';
import type { CodeEditor } from '@jupyterlab/codeeditor';
import { type IRenderMimeRegistry, RenderMimeRegistry, standardRendererFactories } from '@jupyterlab/rendermime';
import { nullTranslator } from '@jupyterlab/translation';
import { Widget } from '@lumino/widgets';
import type { Notebook } from '../../pipeline/model/notebook';
import type { CellRun, RunDetail } from '../../pipeline/model/protocol';
import { Badge } from './badge';
import { bringOutputs } from './bring';
import { badgeState } from './cellstate';
import { FailureView } from './failure';
import { markLine } from './line';
import { runWords } from './summary';

const trans = nullTranslator.load('stepwell');
const now = Date.parse('2026-01-01T00:00:12.4Z');
const hostile = '<img src=x onerror="window.ran=1"><script>window.ran=1</script>';

describe('a badge', () => {
  const cell = (more: Partial<CellRun>): CellRun => ({ cell: 0, step: 'train', attempt: 1, status: 'waiting', ...more });
  it.each<[Partial<CellRun>, string, string]>([
    [{ status: 'queued' }, 'queued', 'Step train: queued'],
    [{ status: 'running' }, 'running', 'Step train: running'],
    [{ status: 'running', started: '2026-01-01T00:00:00Z' }, '12 s', 'Step train: running, 12 s'],
    [{ status: 'succeeded', seconds: 0.42 }, '0.4 s', 'Step train: succeeded, 0.4 s'],
    [{ status: 'reused', seconds: 3 }, 'reused', 'Step train: reused'],
    [{ status: 'failed', seconds: 61 }, '1 min 01 s', 'Step train: failed, 1 min 01 s'],
    [{ status: 'failed' }, 'failed', 'Step train: failed'],
    [{ status: 'skipped' }, 'skipped', 'Step train: skipped'],
    [{ status: 'cancelled' }, 'cancelled', 'Step train: cancelled'],
  ])('says of %j: %s', (more, text, label) => {
    expect(badgeState(cell(more), false, now, trans)).toEqual({ status: more.status, text, label, stale: false });
  });

  it('says that its cell was edited since', () => {
    expect(badgeState(cell({ status: 'reused' }), true, now, trans).label).toBe('Step train: reused. The cell was edited since.');
  });

  it('hangs on the input of its cell, has a name, and is gone when it is let go', async () => {
    const wrapper = document.createElement('div');
    wrapper.className = 'jp-Cell-inputWrapper';
    const node = document.createElement('div');
    node.append(wrapper);
    const opened = jest.fn();
    const badge = new Badge({ node, ready: Promise.resolve() } as unknown as CodeCell, trans, opened);
    badge.show(badgeState(cell({ status: 'succeeded', step: hostile, seconds: 1 }), false, now, trans));
    await Promise.resolve();
    const button = wrapper.querySelector('button')!;
    expect(button.getAttribute('aria-label')).toBe(`Step ${hostile}: succeeded, 1.0 s. Menu.`);
    expect(wrapper.querySelector('img, script')).toBeNull();
    button.click();
    expect(opened).toHaveBeenCalledWith(button);
    badge.dispose();
    expect(wrapper.children.length).toBe(0);
  });
});

describe('the pill', () => {
  const run = (more: Partial<RunDetail>): RunDetail =>
    ({
      status: 'running',
      steps: { succeeded: 2, reused: 1, running: 1, waiting: 3 },
      stepRuns: [],
      started: '2026-01-01T00:00:00Z',
      ...more,
    }) as RunDetail;
  it.each<[Partial<RunDetail>, string]>([
    [{}, 'running 3/7 · 12 s'],
    [{ status: 'queued' }, 'queued'],
    [{ status: 'succeeded', ended: '2026-01-01T00:00:04.1Z' }, 'succeeded · 4.1 s'],
    [
      {
        status: 'failed',
        stepRuns: [
          { step: 'load', status: 'succeeded', attempts: 1 },
          { step: 'train', status: 'failed', attempts: 1 },
        ],
      },
      'failed at train',
    ],
    [{ status: 'failed' }, 'failed'],
    [{ status: 'cancelled', started: undefined }, 'cancelled'],
  ])('says of %j: %s', (more, words) => expect(runWords(run(more), now, trans)).toBe(words));
});

describe('outputs', () => {
  const output = (text: string) => ({ output_type: 'stream' as const, name: 'stdout' as const, text });
  const executed: Notebook = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {},
    cells: ['a', 'b', 'c', 'd', 'gone'].map((id, index) => ({
      cell_type: 'code',
      id,
      source: [`x = ${id}\n`, 'x'],
      metadata: {},
      outputs: [output(id)],
      execution_count: index + 1,
    })),
  };
  const ran = (cell: number, status: CellRun['status']): CellRun => ({ cell, step: 's', attempt: 1, status });

  it('are those of the cell itself when the parameters of the run were put into the executed notebook', () => {
    const notebook = new YNotebook();
    notebook.insertCell(0, { cell_type: 'code', id: 'b', source: 'x = b\nx', metadata: {} });
    const [a, ...below] = executed.cells;
    const parameters = { cell_type: 'code', id: 'new', source: 'p = 1', metadata: { tags: ['injected-parameters'] }, outputs: [] };
    const withParameters = { ...executed, cells: [a!, parameters, ...below] };
    expect(bringOutputs(notebook, withParameters, [{ ...ran(1, 'succeeded'), id: 'b' }])).toEqual({ cells: 1, left: 0 });
    expect(notebook.cells[0]!.toJSON()).toMatchObject({ outputs: [output('b')], execution_count: 2 });
  });

  it('are brought to cells that are as they ran, wherever they are now; the others are counted', () => {
    const notebook = new YNotebook();
    const add = (id: string, source: string) => notebook.insertCell(0, { cell_type: 'code', id, source, metadata: {} });
    add('a', 'x = a\nx');
    add('b', 'x = b\nx + 1');
    add('c', 'x = c\nx');
    add('d', 'x = d\nx');
    const cells = [ran(0, 'succeeded'), ran(1, 'reused'), ran(2, 'failed'), ran(3, 'skipped'), ran(4, 'succeeded')];
    expect(bringOutputs(notebook, executed, cells)).toEqual({ cells: 2, left: 2 });
    const found = Object.fromEntries(notebook.cells.map(cell => [cell.id, cell.toJSON()]));
    expect(found.a).toMatchObject({ outputs: [output('a')], execution_count: 1 });
    expect(found.b).toMatchObject({ outputs: [], execution_count: null });
    expect(found.c).toMatchObject({ outputs: [output('c')], execution_count: 3 });
    expect(found.d).toMatchObject({ outputs: [] });
  });
});

describe('the line that failed', () => {
  const view = new EditorView({ state: EditorState.create({ doc: 'one\ntwo\nthree' }), parent: document.body });
  const editor = {
    editor: view,
    injectExtension: (extension: Parameters<typeof StateEffect.appendConfig.of>[0]) =>
      view.dispatch({ effects: StateEffect.appendConfig.of(extension) }),
  } as unknown as CodeEditor.IEditor;
  const marked = () => [...view.dom.querySelectorAll('.stepwell-failed-line')].map(({ textContent }) => textContent);

  it('is marked, keeps its mark through edits above it, and loses it', () => {
    markLine(editor, 1);
    expect(marked()).toEqual(['two']);
    view.dispatch({ changes: { from: 0, insert: 'zero\n' } });
    expect(marked()).toEqual(['two']);
    markLine(editor, 99);
    expect(marked()).toEqual([]);
    markLine(editor, 0);
    expect(marked()).toEqual(['zero']);
    markLine(editor, null);
    expect(marked()).toEqual([]);
  });
});

describe('what failed', () => {
  const rendermime: IRenderMimeRegistry = new RenderMimeRegistry({ initialFactories: standardRendererFactories });
  const show = async (error: CellRun['error'], reason?: string) => {
    const actions = { continueFromHere: jest.fn(), openRun: jest.fn(), dismiss: jest.fn() };
    const failure = new FailureView(hostile, error, reason, rendermime, actions, trans);
    Widget.attach(failure, document.body);
    const text = () => failure.node.querySelector('pre')?.textContent;
    for (let i = 0; i < 100 && !text(); i++) await new Promise(resolve => setTimeout(resolve));
    return { failure, actions, text };
  };

  it('shows the traceback as text, whatever is in it', async () => {
    const traceback = [`\x1b[31m${hostile}\x1b[0m`, '\x1b]8;;javascript:window.ran=1\x07link\x1b]8;;\x07'];
    const { failure, text } = await show({ ename: 'E', evalue: hostile, traceback });
    expect(text()).toContain(hostile);
    expect(failure.node.querySelector('img, script, [onerror], a[href^="javascript:"]')).toBeNull();
    expect((window as { ran?: number }).ran).toBeUndefined();
    failure.dispose();
  });

  it('shows the reason where code raised nothing', async () => {
    const { failure, text } = await show(undefined, 'It used more memory than it may.');
    expect(text()).toContain('more memory');
    failure.dispose();
  });

  it('offers what can be done', async () => {
    const { failure, actions } = await show({ ename: 'E', evalue: 'v', traceback: [] });
    for (const button of failure.node.querySelectorAll('button')) button.click();
    for (const action of Object.values(actions)) expect(action).toHaveBeenCalledTimes(1);
    failure.dispose();
  });
});
