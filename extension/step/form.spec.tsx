import { YNotebook } from '@jupyter/ydoc';
import { nullTranslator } from '@jupyterlab/translation';
import type { JSONObject } from '@lumino/coreutils';
import type { IDisposable } from '@lumino/disposable';
import { act } from 'react';
import { createRoot, type Root } from 'react-dom/client';
import type { Problem } from '../../pipeline/model/problem';
import { LiveNotebook } from '../notebook/live';
import { renameStep } from '../notebook/writing';
import { applyFix } from '../problems/fix';
import type { INotebookPipeline, IProblemActions } from '../tokens';
import { StepForm } from './form';

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

let root: Root;
let page: HTMLElement;
let shared: YNotebook;
let live: LiveNotebook;
let explained: Problem[];
let opened: IDisposable[];

beforeEach(() => {
  page = document.body.appendChild(document.createElement('div'));
  root = createRoot(page);
  explained = [];
  opened = [];
});

afterEach(() => {
  act(() => root.unmount());
  page.remove();
  for (const one of opened) one.dispose();
});

/** Four steps: `load` and `clean` in a row, `train` from them, `report` beside. */
const cells: [source: string, ...tags: string[]][] = [
  ['n: int = 3  # how many\nrate = 1.0\nwhere: str', 'parameters'],
  ['rows = list(range(n))\nspare = 1', 'step:load'],
  ['clean = [row * rate for row in rows]', 'step:clean'],
  ['model = sum(clean) + len(rows)\nopen("in.txt").read()\nopen("out.txt", "w").write("x")', 'step:train', 'mine'],
  ['print(model)', 'step:report'],
];

function open(stepwell: JSONObject = {}, step = 'train', readOnly = false) {
  shared = new YNotebook();
  shared.fromJSON({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { stepwell },
    cells: cells.map(([source, ...tags], index) => ({
      cell_type: 'code',
      id: `cell-${index}`,
      source,
      metadata: { tags },
      outputs: [],
      execution_count: null,
    })),
  });
  live = new LiveNotebook(shared, () => 'test', { delay: 1e6, atLatest: 1e6 });
  opened.push(live, shared);
  const notebook = {
    panel: { id: `panel-${opened.length}`, content: { model: { sharedModel: shared } } },
    get pipeline() {
      return live.compiled.pipeline;
    },
    get problems() {
      return live.compiled.problems;
    },
    changed: live.changed,
    refresh: () => live.refresh(),
  } as unknown as INotebookPipeline;
  const actions: IProblemActions = {
    fix: (_, { fix }) => void applyFix(shared, fix!, cell => shared.cells[cell] && { id: shared.cells[cell].id, source: '' }),
    explain: async problem => void explained.push(problem),
  };
  const trans = nullTranslator.load('stepwell');
  const show = (step: string, readOnly = false) =>
    act(() => root.render(<StepForm notebook={notebook} step={step} readOnly={readOnly} actions={actions} trans={trans} />));
  show(step, readOnly);
  return { show };
}

const settings = () => (shared.getMetadata('stepwell') ?? {}) as JSONObject;
const own = (step = 'train') => ((settings().steps ?? {}) as JSONObject)[step];

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

/** The field that people know by this name. */
function field(name: string): Control {
  const controls = [...page.querySelectorAll<Control>('input, select, textarea')];
  const found = controls.find(control => (control.getAttribute('aria-label') ?? control.labels?.[0]?.textContent) === name);
  if (!found) throw new Error(`There is no field "${name}".`);
  return found;
}

function button(name: string, index = 0): HTMLButtonElement {
  const buttons = [...page.querySelectorAll('button')];
  const found = buttons.filter(one => (one.getAttribute('aria-label') ?? one.textContent) === name)[index];
  if (!found) throw new Error(`There is no button "${name}".`);
  return found;
}

const click = (name: string, index?: number) => act(() => button(name, index).click());

function type(name: string, text: string) {
  const control = field(name);
  act(() => {
    control.focus();
    const prototype = Object.getPrototypeOf(control);
    Object.getOwnPropertyDescriptor(prototype, 'value')!.set!.call(control, text);
    control.dispatchEvent(new Event(control.tagName === 'SELECT' ? 'change' : 'input', { bubbles: true }));
  });
}

const leave = (name: string) => act(() => field(name).blur());
const press = (name: string, key: string, more: KeyboardEventInit = {}) =>
  act(() => void field(name).dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, cancelable: true, ...more })));

function enter(name: string, text: string) {
  type(name, text);
  press(name, 'Enter');
}

/** What screen readers tell beside the field. */
const described = (name: string) =>
  (field(name).getAttribute('aria-describedby') ?? '')
    .split(' ')
    .map(id => document.getElementById(id)?.textContent ?? '')
    .join(' ');

const group = (legend: string) => [...page.querySelectorAll('legend')].find(one => one.textContent === legend)!.parentElement!;
const chips = (legend: string) =>
  [...group(legend).querySelectorAll('.stepwell-step-form-chip')].map(chip => ({
    name: chip.firstChild!.textContent,
    declared: chip.hasAttribute('data-declared'),
  }));
const inferred = (...names: string[]) => names.map(name => ({ name, declared: false }));
const declared = (...names: string[]) => names.map(name => ({ name, declared: true }));

describe('a setting', () => {
  it.each<[string, string, object]>([
    ['Retries', '3', { retries: 3 }],
    ['Timeout', '10m', { timeout: 600 }],
    ['Timeout', '90', { timeout: 90 }],
    ['CPU', '500m', { resources: { cpu: '500m' } }],
    ['CPU', '2', { resources: { cpu: 2 } }],
    ['Memory', ' 4Gi ', { resources: { memory: '4Gi' } }],
    ['GPUs', '1', { resources: { gpu: 1 } }],
    ['Target', 'local', { target: 'local' }],
    ['First wait', '5s', { backoff: { first: 5 } }],
    ['At most', '1h', { backoff: { limit: 3600 } }],
  ])('is written by Enter, and when the field is left: %s %s', (name, text, expected) => {
    open();
    enter(name, text);
    expect(own()).toEqual(expected);
    type(name, '');
    leave(name);
    expect(settings()).toEqual({});
    type(name, text);
    leave(name);
    expect(own()).toEqual(expected);
  });

  it.each<[string, string, RegExp]>([
    ['Retries', '-1', /a whole number, 0 or more/],
    ['Retries', 'some', /a whole number, 0 or more/],
    ['Timeout', '0', /"10m"/],
    ['Timeout', '10 parsecs', /"10m"/],
    ['CPU', 'two', /"500m"/],
    ['Memory', '4 GB', /"2Gi"/],
    ['GPUs', '0.5', /a whole number/],
    ['First wait', '-3', /"10m"/],
    ['Then times', '0', /above 0/],
    ['Add an input', '2x', /a variable name/],
    ['Add an output', 'a b', /a variable name/],
    ['Add a step above', 'report', /a step above/],
    ['Add a step above', 'train', /a step above/],
    ['Name of a new variable', 'A=B', /letters/],
    ['Step', 'a b!', /"a-b"/],
    ['Step', ' ', /needs a name/],
    ['Step', 'clean', /already/],
  ])('that would be wrong is told and not written: %s %j', (name, text, fault) => {
    open({ version: 1 });
    const before = shared.toJSON();
    expect(field(name).getAttribute('aria-invalid')).toBe('false');
    type(name, text);
    expect(field(name).getAttribute('aria-invalid')).toBe('false');
    leave(name);
    expect(field(name).value).toBe(text);
    expect(field(name).getAttribute('aria-invalid')).toBe('true');
    expect(described(name)).toMatch(fault);
    expect(shared.toJSON()).toEqual(before);
    press(name, 'Escape');
    expect(field(name).getAttribute('aria-invalid')).toBe('false');
    expect(described(name)).not.toMatch(fault);
  });

  it('is brought back by Escape', () => {
    open({ steps: { train: { retries: 2 } } });
    type('Retries', '7');
    press('Retries', 'Escape');
    expect(field('Retries').value).toBe('2');
    leave('Retries');
    expect(own()).toEqual({ retries: 2 });
  });

  it('leaves its neighbours alone, and those that nobody knows', () => {
    open({ odd: [1], steps: { train: { retries: 2, resources: { cpu: 1, 'example.com/tpu': 2 }, zzz: { a: 1 } }, load: { timeout: 1 } } });
    enter('Memory', '1Gi');
    enter('example.com/tpu', '3');
    enter('CPU', '');
    enter('Retries', '');
    expect(settings()).toEqual({
      odd: [1],
      steps: { train: { resources: { 'example.com/tpu': 3, memory: '1Gi' }, zzz: { a: 1 } }, load: { timeout: 1 } },
    });
  });

  it('that is wrong in the notebook is shown as it is, with what is wrong', () => {
    open({ steps: { train: { retries: 'many', timeout: -1, resources: { cpu: [2] }, backoff: 'long', env: { A: 1 } } } });
    for (const [name, value, fault] of [
      ['Retries', 'many', /a whole number/],
      ['Timeout', '-1', /seconds/],
      ['CPU', '[2]', /a number or a quantity/],
      ['First wait', 'long', /seconds/],
      ['Value of A', '1', /text/],
    ] as const) {
      expect(field(name).value).toBe(value);
      expect(described(name)).toMatch(fault);
    }
    enter('Retries', '');
    expect(own()).not.toHaveProperty('retries');
  });

  it('that the form cannot show is told with its fix', () => {
    open({ steps: { train: { inputs: 'rows', onFailure: 'explode', resources: 7, env: ['A'], reuse: 'often', after: {} } } });
    const keys = ['inputs', 'onFailure', 'resources', 'env', 'reuse', 'after'];
    for (const key of keys) {
      click(`Remove ${key}`);
      expect(own() ?? {}).not.toHaveProperty(key);
      act(() => live.refresh());
    }
    expect(settings()).toEqual({});
  });
});

describe('the form', () => {
  it('shows what holds where the step says nothing', () => {
    const defaults = {
      retries: 4,
      timeout: 5400,
      target: 'far',
      resources: { memory: '2Gi' },
      env: { A: '1', B: '2' },
      onFailure: 'continue',
    };
    open({ defaults, steps: { train: { env: { B: '3' } } } });
    expect(field('Retries')).toMatchObject({ value: '', placeholder: '4' });
    expect(field('Timeout')).toMatchObject({ value: '', placeholder: '1h 30m' });
    expect(field('Memory')).toMatchObject({ value: '', placeholder: '2Gi' });
    expect(field('Target')).toMatchObject({ value: '', placeholder: 'far' });
    expect(group('Environment variables').textContent).toContain('A=1');
    expect(group('Environment variables').textContent).not.toContain('B=2');
    expect((field('When it fails') as HTMLSelectElement).selectedOptions[0]!.textContent).toMatch(/As usual \(Go on/);
  });

  it('follows what others change', () => {
    open({ steps: { train: { retries: 2 } } });
    act(() => shared.setMetadata('stepwell', { steps: { train: { retries: 5, inputs: ['rows'] } } }));
    expect(field('Retries').value).toBe('5');
    expect(chips('Inputs')).toEqual([...declared('rows'), ...inferred('clean')]);
    act(() => {
      shared.cells[3]!.setSource('model = len(rows)');
      live.refresh();
    });
    expect(chips('Inputs')).toEqual(declared('rows'));
  });

  it('leaves a field alone that is being edited, whatever others change', () => {
    open({ steps: { train: { retries: 2, timeout: 1 } } });
    type('Retries', '7');
    act(() => shared.setMetadata('stepwell', { steps: { train: { retries: 5, timeout: 9 } } }));
    expect(field('Retries').value).toBe('7');
    expect(field('Timeout').value).toBe('9s');
    press('Retries', 'Enter');
    expect(own()).toEqual({ retries: 7, timeout: 9 });
  });

  it('writes what was typed to the step it was typed for, when another one is shown', () => {
    const { show } = open();
    type('Retries', '7');
    show('clean');
    expect(own('train')).toEqual({ retries: 7 });
    expect(own('clean')).toBeUndefined();
    expect(field('Retries').value).toBe('');
    type('Retries', 'some');
    show('train');
    expect(own('clean')).toBeUndefined();
    expect(field('Retries').value).toBe('7');
  });

  it('stays with a step that somebody else gives another name, and so does what is being typed', () => {
    open({ steps: { train: { timeout: 1 } } });
    type('Retries', '7');
    act(() => {
      renameStep(shared, 'train', 'fit');
      live.refresh();
    });
    expect(field('Step').value).toBe('fit');
    press('Retries', 'Enter');
    expect(settings()).toEqual({ steps: { fit: { timeout: 1, retries: 7 } } });
  });

  it('writes what was typed when it goes away', () => {
    open();
    type('Name of a new variable', 'A');
    act(() => root.render(null));
    expect(own()).toEqual({ env: { A: '' } });
  });

  it('writes what was typed to the notebook it was typed for, when another one is shown', () => {
    open();
    const first = shared;
    type('Retries', '7');
    open();
    expect(settings()).toEqual({});
    expect(field('Retries').value).toBe('');
    expect(first.getMetadata('stepwell')).toEqual({ steps: { train: { retries: 7 } } });
  });

  it('writes nothing for a step that is gone', () => {
    const { show } = open();
    type('Retries', '7');
    act(() => {
      shared.cells[3]!.setMetadata('tags', ['step:clean']);
      live.refresh();
    });
    show('clean');
    expect(settings()).toEqual({});
  });

  it('cannot be changed in a notebook that is read-only', () => {
    open({ steps: { train: { inputs: ['rows'], env: { A: '1' }, zzz: 1 } } }, 'train', true);
    const controls = [...page.querySelectorAll('input, select, textarea, button')];
    expect(controls.length).toBeGreaterThan(15);
    expect(controls.every(control => control.matches(':disabled'))).toBe(true);
  });

  it('names every control', () => {
    open({ steps: { train: { inputs: ['rows'], env: { A: '1' }, reuse: { maxAge: 1 }, zzz: 1 } } });
    for (const control of page.querySelectorAll<Control>('input, select, textarea')) {
      expect(control.getAttribute('aria-label') ?? control.labels?.[0]?.textContent).toBeTruthy();
    }
    for (const one of page.querySelectorAll('button')) expect(one.textContent).toBeTruthy();
  });

  it('shows hostile names and values as text', () => {
    const evil = '<img src=x onerror=alert(1)>';
    open({ defaults: { env: { E: evil } }, steps: { train: { [evil]: evil, inputs: [evil], env: { [evil]: evil }, target: evil } } });
    expect(page.querySelector('img')).toBeNull();
    expect(page.textContent).toContain(evil);
  });
});

describe('inputs and outputs', () => {
  it('are those that cross, as inferred', () => {
    open();
    expect(chips('Inputs')).toEqual(inferred('clean', 'rows'));
    expect(chips('Outputs')).toEqual(inferred('model'));
    open({ returns: ['spare', 'rows'] }, 'load');
    expect(chips('Outputs')).toEqual(inferred('rows', 'spare'));
  });

  it('are declared by one click, and inferred again by another', () => {
    open();
    click('Declare these');
    expect(own()).toEqual({ inputs: ['clean', 'rows'] });
    expect(chips('Inputs')).toEqual(declared('clean', 'rows'));
    click('Use what was inferred');
    expect(settings()).toEqual({});
  });

  it('begin with what was inferred when a name is added', () => {
    open();
    enter('Add an input', 'spare');
    expect(own()).toEqual({ inputs: ['clean', 'rows', 'spare'] });
    expect(field('Add an input').value).toBe('');
    enter('Add an input', 'spare');
    expect(own()).toEqual({ inputs: ['clean', 'rows', 'spare'] });
  });

  it('are taken out one by one, and inferred when none is left', () => {
    open({ steps: { train: { inputs: ['clean', 'rows'] } } });
    click('Remove clean');
    expect(own()).toEqual({ inputs: ['rows'] });
    expect(chips('Inputs')).toEqual([...declared('rows'), ...inferred('clean')]);
    expect(document.activeElement).toBe(field('Add an input'));
    click('Remove rows');
    expect(settings()).toEqual({});
  });

  it('that contradict the code are told, with their fix', () => {
    open({ steps: { train: { inputs: ['rows', 'nothing'], outputs: ['nowhere'] } } });
    expect(group('Inputs').textContent).toMatch(/reads "clean" from "clean", but its inputs don't name it/);
    click('Remove nothing from the inputs');
    expect(own()).toMatchObject({ inputs: ['rows'] });
    act(() => live.refresh());
    click('Add clean to the inputs');
    expect(own()).toMatchObject({ inputs: ['rows', 'clean'] });
    expect(group('Outputs').textContent).toMatch(/never assigns/);
    act(() => live.refresh());
    click('Add model to the outputs');
    act(() => live.refresh());
    click('Remove nowhere from the outputs');
    act(() => live.refresh());
    expect(own()).toEqual({ inputs: ['rows', 'clean'], outputs: ['model'] });
    expect(page.querySelectorAll('.stepwell-step-form-problems')).toHaveLength(0);
  });

  it('explains a contradiction', () => {
    open({ steps: { train: { inputs: ['rows', 'clean', 'nothing'] } } });
    click('What does this mean?');
    expect(explained.map(({ code }) => code)).toEqual(['unprovided-input']);
  });
});

it('shows the parameters and files of the step', () => {
  open({}, 'train');
  expect(group('Files').textContent).toMatch(/reads in\.txt.*writes out\.txt/);
  open({}, 'load');
  expect(group('Parameters it reads').textContent).toMatch(/n: int default 3/);
  open({}, 'clean');
  expect(group('Parameters it reads').textContent).toMatch(/rate: float default 1\.0/);
});

it('offers the names that could be added, to those who are about to add one', () => {
  open({ steps: { train: { inputs: ['rows'] } } });
  const offered = (name: string) => [...(field(name) as HTMLInputElement).list!.options].map(({ value }) => value);
  expect(offered('Add an input')).toEqual([]);
  act(() => field('Add an input').focus());
  expect(offered('Add an input')).toEqual(['spare', 'clean']);
  act(() => field('Add a step above').focus());
  expect(offered('Add a step above')).toEqual(['load', 'clean']);
  expect(offered('Add an input')).toEqual([]);
});

it('lets a step run after others above it', () => {
  open({}, 'report');
  expect(chips('Runs after')).toEqual(inferred('train'));
  enter('Add a step above', 'load');
  expect(own('report')).toEqual({ after: ['load'] });
  expect(chips('Runs after')).toEqual([...declared('load'), ...inferred('train')]);
  click('Remove load');
  expect(settings()).toEqual({});
  expect(chips('Runs after')).toEqual(inferred('train'));
});

it('offers a fix for an order that cannot be', () => {
  open({ steps: { train: { after: ['claen'] } } });
  click('Change to clean');
  expect(own()).toEqual({ after: ['clean'] });
});

describe('the wait before a retry', () => {
  it('is a number as long as it is the same each time', () => {
    open({ steps: { train: { backoff: 5 } } });
    expect([field('First wait').value, field('Then times').value]).toEqual(['5s', '1']);
    enter('First wait', '7');
    expect(own()).toEqual({ backoff: 7 });
    enter('Then times', '3');
    expect(own()).toEqual({ backoff: { first: 7, factor: 3 } });
    enter('Then times', '1');
    enter('First wait', '');
    expect(settings()).toEqual({});
  });
});

describe('reuse', () => {
  it.each<[string, unknown]>([
    ['on', true],
    ['off', false],
    ['age', { maxAge: 86400 }],
  ])('is chosen: %s', (choice, expected) => {
    open();
    type('Reuse earlier results', choice);
    expect(own()).toEqual({ reuse: expected });
    expect(field('Reuse earlier results').value).toBe(choice);
    type('Reuse earlier results', '');
    expect(settings()).toEqual({});
  });

  it('may depend on the age of the results', () => {
    open({ steps: { train: { reuse: { maxAge: 60 } } } });
    enter('Not older than', '2d');
    expect(own()).toEqual({ reuse: { maxAge: 172800 } });
  });
});

it('lets the run stop or go on when the step fails', () => {
  open();
  type('When it fails', 'continue');
  expect(own()).toEqual({ onFailure: 'continue' });
  type('When it fails', '');
  expect(settings()).toEqual({});
});

describe('environment variables', () => {
  it('are written with name and value together, in their order', () => {
    open({ steps: { train: { env: { A: '1', B: '2' } } } });
    type('Name of a new variable', 'C');
    act(() => field('Value of a new variable').focus());
    expect(own()).toEqual({ env: { A: '1', B: '2' } });
    type('Value of a new variable', ' 3 ');
    leave('Value of a new variable');
    expect(own()).toEqual({ env: { A: '1', B: '2', C: ' 3 ' } });
    enter('Name of A', 'Z');
    expect(JSON.stringify(own())).toBe('{"env":{"Z":"1","B":"2","C":" 3 "}}');
    enter('Value of B', '');
    click('Remove Z');
    expect(own()).toEqual({ env: { B: '', C: ' 3 ' } });
    enter('Name of C', '');
    click('Remove B');
    expect(settings()).toEqual({});
  });

  it('are not written over by one another', () => {
    open({ steps: { train: { env: { A: '1', B: '2' } } } });
    enter('Name of A', 'B');
    expect(described('Name of A')).toMatch(/there already/);
    expect(own()).toEqual({ env: { A: '1', B: '2' } });
  });
});

describe('other settings', () => {
  it('are shown as JSON and kept as they are', () => {
    open({ steps: { train: { image: 'python:3', zzz: { a: [1] }, retries: 1 } } });
    expect(JSON.parse(field('zzz').value)).toEqual({ a: [1] });
    expect(described('zzz')).toMatch(/does not know/);
    expect(described('image')).toBe('');
    enter('Retries', '');
    expect(own()).toEqual({ image: 'python:3', zzz: { a: [1] } });
  });

  it('are changed as JSON', () => {
    open({ steps: { train: { image: 'python:3', zzz: 1 } } });
    type('image', 'python:4');
    leave('image');
    expect(described('image')).toMatch(/double quotes/);
    type('image', '7');
    press('image', 'Enter');
    expect(own()).toMatchObject({ image: 'python:3' });
    press('image', 'Enter', { ctrlKey: true });
    expect(described('image')).toMatch(/text/);
    type('image', '"python:4"');
    leave('image');
    type('zzz', '');
    leave('zzz');
    expect(own()).toEqual({ image: 'python:4' });
  });
});

describe('the name', () => {
  it('is changed on all cells, with the settings, and the focus stays where it went', () => {
    const { show } = open({ steps: { train: { retries: 1 }, report: { after: ['train'] } } });
    type('Step', ' fit ');
    act(() => field('Add an input').focus());
    expect(shared.cells[3]!.getMetadata('tags')).toEqual(['step:fit', 'mine']);
    expect(settings()).toEqual({ steps: { fit: { retries: 1 }, report: { after: ['fit'] } } });
    expect(live.compiled.pipeline!.steps.map(({ name }) => name)).toContain('fit');
    const focused = document.activeElement;
    expect(focused).toBe(field('Add an input'));
    show('fit');
    expect(field('Step').value).toBe('fit');
    expect(document.activeElement).toBe(focused);
  });

  it('cannot be changed where no cell carries it', () => {
    const before = cells.splice(1, 4);
    open({}, 'notebook');
    cells.push(...before);
    expect(field('Step')).toMatchObject({ value: 'notebook', readOnly: true });
  });
});
