/**
 * Stage 1: which cells run, in which step, with which settings. A cell is known by its index in the file, a step by its name; what the
 * code says plays no part yet.
 */
import { type Notebook, text } from '../../model/notebook';
import type { Parameter } from '../../model/parameter';
import type { Cell, PipelineSettings, StepSettings } from '../../model/pipeline';
import type { Fix, Problem } from '../../model/problem';
import { type BadSetting, checkSettings, closest } from '../../model/settings';
import { kaleSettings } from './kale';
import { readParameters } from './parameters';
import { type CellTags, isStepName, readTags } from './tags';

/** A code cell that runs. */
export interface ReadCell extends Cell {
  role: 'step' | 'parameters' | 'shared';
  /** The step it belongs to, for cells of a step. */
  step: string;
  /** False when it joined the step above (or the first). */
  tagged: boolean;
  /** A Kale metrics cell: the names it prints become metrics. */
  metrics: boolean;
  /** Tagged `raises-exception`: an error is part of what the cell shows. */
  mayRaise: boolean;
}

export interface ReadStep {
  name: string;
  settings: StepSettings;
}

export interface Reading {
  name: string;
  description?: string;
  /** In notebook order. */
  cells: ReadCell[];
  /** By first cell. */
  steps: ReadStep[];
  parameters: Parameter[];
  settings: PipelineSettings;
  problems: Problem[];
}

/** Code that does nothing: blank, or comments. Such a cell runs with its neighbours and says nothing. */
const isBlank = (source: string): boolean => !/^[ \t\f]*[^\s#]/m.test(source);

/** Reads tags and settings of a valid notebook. */
export function read(notebook: Notebook, defaultName = 'notebook'): Reading {
  const problems: Problem[] = [];
  const said = notebook.cells.map(cell => (cell.cell_type === 'code' ? readTags(cell.metadata.tags) : undefined));
  for (const [cell, tags] of said.entries()) {
    for (const remark of tags?.remarks ?? []) problems.push(tagProblem(remark, notebook.cells[cell]!.metadata.tags!, cell));
  }
  const hasSteps = said.some(tags => tags?.role !== 'skip' && tags?.step !== undefined);
  const first = said.find(tags => tags?.role === 'step' || (tags?.role === 'metrics' && tags.step !== undefined))?.step ?? 'notebook';
  if (!hasSteps) {
    problems.push({
      code: 'no-steps',
      severity: 'info',
      message: 'No cell is tagged `step:<name>`, so the notebook runs as one step named "notebook". "Suggest steps" proposes tags.',
    });
  }

  const cells: ReadCell[] = [];
  const byStep = new Map<string, { settings: StepSettings; after: string[] }>();
  const own = (name: string): { settings: StepSettings; after: string[] } => {
    let step = byStep.get(name);
    if (!step) {
      step = { settings: {}, after: [] };
      byStep.set(name, step);
    }
    return step;
  };
  let current = first;
  for (const [index, tags] of said.entries()) {
    if (!tags || tags.role === 'skip') continue;
    const cell = notebook.cells[index]!;
    const source = text(cell.source);
    const tagged = tags.role !== undefined && tags.role !== 'notebook';
    let role: ReadCell['role'] = 'step';
    if (tags.role === 'parameters') role = 'parameters';
    else if (tags.role === 'imports' || tags.role === 'functions') role = 'shared';
    if (role === 'step') {
      if (tags.step !== undefined) current = tags.step;
      if (!hasSteps || tags.step !== undefined || !isBlank(source)) collect(current, own(current), tags, index, problems);
      if (hasSteps && !tagged && !isBlank(source)) problems.push(untagged(index, current, cell.metadata.tags));
    }
    cells.push({
      cell: index,
      ...(typeof cell.id === 'string' ? { id: cell.id } : {}),
      source,
      role,
      step: role === 'step' ? current : '',
      tagged,
      metrics: tags.role === 'metrics',
      mayRaise: Array.isArray(cell.metadata.tags) && cell.metadata.tags.includes('raises-exception'),
    });
  }
  if (byStep.size === 0) {
    // Only shared cells and parameters: they still have to run somewhere.
    if (cells.some(cell => cell.role !== 'step')) own(first);
  }

  const kale = kaleSettings(notebook.metadata.kubeflow_notebook);
  problems.push(...kale.problems);
  const settings = readSettings(notebook.metadata.stepwell, problems);
  const defaults: StepSettings = merge(kale.defaults, settings.defaults ?? {});
  const steps: ReadStep[] = [...byStep].map(([name, step]) => {
    const declared = settings.steps[name] ?? {};
    const merged = merge(merge(defaults, step.settings), declared);
    const after = [...new Set([...step.after, ...(merged.after ?? [])])];
    return { name, settings: after.length > 0 ? { ...merged, after } : merged };
  });
  const names = steps.map(step => step.name);
  for (const name of Object.keys(settings.steps)) {
    if (byStep.has(name)) continue;
    const meant = closest(name, names);
    problems.push({
      code: 'settings-without-step',
      severity: 'warning',
      message: `The settings name a step "${name}", but no cell is tagged \`step:${name}\`.${meant ? ` Did you mean "${meant}"?` : ''}`,
      step: name,
    });
  }
  const { parameters, problems: wrong } = readParameters(cells.filter(cell => cell.role === 'parameters'));
  problems.push(...wrong);
  const { steps: _, defaults: __, ...kept } = settings;
  return {
    name: settings.name ?? kale.name ?? defaultName,
    description: settings.description ?? kale.description,
    cells,
    steps,
    parameters,
    settings: Object.keys(defaults).length > 0 ? { ...kept, defaults } : kept,
    problems,
  };
}

/** Later settings win; maps such as `env` and `resources` are merged key by key, lists are replaced. */
function merge(under: StepSettings, over: StepSettings): StepSettings {
  const merged: StepSettings = { ...under };
  for (const [key, value] of Object.entries(over)) {
    if (value === undefined) continue;
    const before = under[key];
    merged[key] = isMap(before) && isMap(value) && key !== 'reuse' && key !== 'backoff' ? { ...before, ...value } : value;
  }
  return merged;
}

const isMap = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function collect(name: string, step: { settings: StepSettings; after: string[] }, tags: CellTags, cell: number, problems: Problem[]): void {
  for (const [key, value] of Object.entries(tags.settings)) {
    const before = step.settings[key];
    if (before !== undefined && !isMap(before) && before !== value) {
      problems.push({
        code: 'tag-conflict',
        severity: 'warning',
        message: `Two cells of the step "${name}" set \`${key}\` differently: ${JSON.stringify(before)} and ${JSON.stringify(value)}; the last one holds.`,
        cell,
        step: name,
      });
    }
  }
  step.settings = merge(step.settings, tags.settings);
  // A cell that joined the step it names already runs in that order.
  for (const other of tags.after) if (other !== name && !step.after.includes(other)) step.after.push(other);
}

/** Settings with everything that is wrong taken out and told, so that the stages below can trust the types. */
function readSettings(value: unknown, problems: Problem[]): PipelineSettings & { steps: Record<string, StepSettings> } {
  const bad = checkSettings(value);
  if (!isMap(value)) {
    if (bad.length > 0) problems.push(settingProblem(bad[0]!));
    return { steps: {} };
  }
  const copy = clone(value) as Record<string, unknown>;
  for (const one of bad) {
    problems.push(settingProblem(one));
    if (!one.unknown) remove(copy, one.path);
  }
  const steps = isMap(copy.steps) ? (copy.steps as Record<string, StepSettings>) : {};
  return { ...copy, steps };
}

/** Settings come from a JSON file, so this copies all there is. */
function clone(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clone);
  return isMap(value) ? Object.fromEntries(Object.entries(value).map(([key, one]) => [key, clone(one)])) : value;
}

/** Takes out the setting that holds `path`: a bad item of a list takes the list with it. */
function remove(settings: Record<string, unknown>, path: (string | number)[]): void {
  let at: unknown = settings;
  for (const [depth, key] of path.entries()) {
    if (!isMap(at)) return;
    const next = at[key];
    if (depth === path.length - 1 || Array.isArray(next)) {
      delete at[key];
      return;
    }
    at = next;
  }
}

function settingProblem({ path, expected, got, unknown }: BadSetting): Problem {
  const at = path.map((part, index) => (typeof part === 'number' ? `[${part}]` : index === 0 ? part : `.${part}`)).join('') || 'stepwell';
  const [room, step, ...rest] = path;
  const place = room === 'steps' && typeof step === 'string' ? { step } : {};
  if (unknown) {
    return {
      code: 'unknown-setting',
      severity: 'warning',
      message: `The setting \`${at}\` means nothing to Stepwell; it is kept.${expected ? ` Did you mean \`${expected}\`?` : ''}`,
      ...place,
    };
  }
  const key = rest[0];
  const fix: Fix | undefined =
    'step' in place && rest.length === 1 && typeof key === 'string'
      ? { do: 'remove-step-setting', label: `Remove ${key}`, step: place.step!, key }
      : undefined;
  const found = got === undefined ? 'nothing' : shorten(JSON.stringify(got) ?? String(got));
  return {
    code: 'bad-setting',
    severity: 'error',
    message: `The setting \`${at}\` is ${found}; expected ${expected}.`,
    ...place,
    ...(fix ? { fix } : {}),
  };
}

const shorten = (words: string): string => (words.length > 60 ? `${words.slice(0, 57)}…` : words);

function tagProblem(remark: CellTags['remarks'][number], tags: string[], cell: number): Problem {
  const { code, severity, message, tag, replace } = remark;
  const fix: Fix | undefined = replace
    ? { do: 'set-cell-tags', label: `Change to ${replace}`, cell, tags: tags.map(one => (one === tag ? replace : one)) }
    : undefined;
  return { code, severity, message, cell, ...(fix ? { fix } : {}) };
}

function untagged(cell: number, step: string, tags: unknown): Problem {
  const before = Array.isArray(tags) ? tags.filter((tag): tag is string => typeof tag === 'string') : [];
  const fix: Fix | undefined = isStepName(step)
    ? { do: 'set-cell-tags', label: `Tag it step:${step}`, cell, tags: [...before, `step:${step}`] }
    : undefined;
  return {
    code: 'untagged-cell',
    severity: 'info',
    message: `Cell ${cell + 1} has no tag; it runs in the step "${step}".`,
    cell,
    step,
    ...(fix ? { fix } : {}),
  };
}
