/**
 * What a cell's tags say. Stepwell's own tags and Kale's (old and new) are read into the same words, so nothing after this file
 * knows where a notebook came from. Tags that are not ours (`hide-input`, `raises-exception`) are nobody's business here.
 */
import type { StepSettings } from '../../model/pipeline';
import type { ProblemCode, Severity } from '../../model/problem';
import { closest } from '../../model/settings';

/** `step` puts the cell in the step named in `step`. A cell that says nothing has no role. */
export type Role = 'step' | 'parameters' | 'imports' | 'functions' | 'skip' | 'metrics' | 'notebook';

export interface CellTags {
  role?: Role;
  step?: string;
  /** Steps that must have finished (`prev:`). */
  after: string[];
  settings: StepSettings;
  /** True when a tag is Kale's own. */
  kale: boolean;
  remarks: Remark[];
}

/** A problem of one tag; the reader adds the cell. `replace` is the tag that was probably meant. */
export interface Remark {
  code: ProblemCode;
  severity: Severity;
  message: string;
  tag: string;
  replace?: string;
}

const roles: Record<string, Role> = {
  parameters: 'parameters',
  'injected-parameters': 'parameters',
  'pipeline-parameters': 'parameters',
  'pipeline-metrics': 'metrics',
  imports: 'imports',
  functions: 'functions',
  skip: 'skip',
  // nbclient's own word for a cell that is not run.
  'skip-execution': 'skip',
};

const prefixes = ['step', 'block', 'prev', 'notebook', 'image', 'limit', 'label', 'annotation', 'secret', 'cache', 'report'];

/** Letters, digits, `_` and `-`; 63 at most, because a step's name becomes part of a pod's name and a folder's. */
export const isStepName = (name: string): boolean => /^[A-Za-z0-9_][A-Za-z0-9_-]{0,62}$/.test(name);

/** What was read of tags lately, by the tags: most cells of a notebook share theirs with others, and with themselves before the edit. */
const lately = new Map<string, CellTags>();

/** Reads the tags of one cell. Never throws, whatever `metadata.tags` is. The result is shared: it is not to be changed. */
export function readTags(tags: unknown): CellTags {
  if (!Array.isArray(tags) || tags.some(tag => typeof tag !== 'string')) return parseTags(tags);
  const key = tags.join('\n');
  let found = lately.get(key);
  if (!found) {
    if (lately.size > 5000) lately.clear();
    found = parseTags(tags);
    lately.set(key, found);
  }
  return found;
}

function parseTags(tags: unknown): CellTags {
  const result: CellTags = { after: [], settings: {}, kale: false, remarks: [] };
  if (!Array.isArray(tags)) return result;
  const steps: string[] = [];
  const found = new Set<Role>();
  for (const tag of tags) {
    if (typeof tag !== 'string') continue;
    const role = Object.hasOwn(roles, tag) ? roles[tag] : undefined;
    if (role) {
      found.add(role);
      if (tag.startsWith('pipeline-')) result.kale = true;
      continue;
    }
    const colon = tag.indexOf(':');
    const prefix = colon < 0 ? '' : tag.slice(0, colon);
    const value = tag.slice(colon + 1).trim();
    if (prefix === 'step' || prefix === 'block') {
      if (prefix === 'block') result.kale = true;
      readStep(tag, value, steps, result);
    } else if (prefix === 'notebook') {
      found.add('notebook');
      result.kale = true;
      remark(result, 'unknown-tag', 'warning', tag, `The tag "${tag}" refers to another notebook, which a run does not include.`);
    } else if (prefixes.includes(prefix)) {
      result.kale = true;
      readKaleSetting(tag, prefix, value, result);
    } else unknown(tag, prefix, result);
  }
  if (steps.length > 0) found.add('step');
  result.role = choose(found, steps, result);
  if (result.role === 'step' || steps.length > 0) result.step = steps[0];
  return result;
}

function readStep(tag: string, name: string, steps: string[], result: CellTags): void {
  if (name === '') {
    remark(result, 'bad-step-name', 'warning', tag, `The tag "${tag}" names no step, so the cell joins the step above it.`);
  } else if (!isStepName(name)) {
    const replace = `step:${validStepName(name)}`;
    remark(result, 'bad-step-name', 'error', tag, `"${name}" can't name a step: use letters, digits, "_" and "-", 63 at most.`, replace);
    steps.push(name);
  } else if (!steps.includes(name)) steps.push(name);
}

/** One role per cell: leaving a cell out wins, then what makes it special, then its step. */
function choose(found: Set<Role>, steps: string[], result: CellTags): Role | undefined {
  if (found.has('skip')) return 'skip';
  const order: Role[] = ['parameters', 'metrics', 'imports', 'functions', 'step', 'notebook'];
  const said = order.filter(role => found.has(role));
  // Imports and functions are run in the same way, so a cell may carry both; so may a metrics cell that says where it runs.
  const special = said.filter(role => role !== 'step' && role !== 'notebook' && !(role === 'functions' && found.has('imports')));
  if (special.length > 1 || (special.length === 1 && steps.length > 0 && special[0] !== 'metrics')) {
    const others = [...special.slice(1), ...steps.map(step => `step:${step}`)];
    const tag = others[0]!;
    remark(
      result,
      'tag-conflict',
      'warning',
      tag,
      `The cell is tagged both \`${special[0]}\` and \`${tag}\`; it is taken as \`${special[0]}\`.`,
    );
  }
  if (steps.length > 1) {
    remark(
      result,
      'tag-conflict',
      'warning',
      `step:${steps[1]}`,
      `The cell is tagged for the steps "${steps.join('" and "')}"; a cell belongs to one step, so it runs in "${steps[0]}".`,
    );
  }
  return said[0];
}

function readKaleSetting(tag: string, prefix: string, value: string, result: CellTags): void {
  const { settings } = result;
  const parts = value.split(':');
  const bad = (expected: string): void => {
    remark(result, 'bad-setting', 'warning', tag, `The tag "${tag}" is not understood: expected \`${expected}\`.`);
  };
  switch (prefix) {
    case 'prev':
      if (value !== '' && !result.after.includes(value)) result.after.push(value);
      return;
    case 'image':
      if (value === '') bad('image:<image>');
      else settings.image = value;
      return;
    case 'label':
    case 'annotation': {
      const key = parts[0]!.trim();
      if (parts.length < 2 || key === '') {
        bad(`${prefix}:<key>:<value>`);
        return;
      }
      const into = prefix === 'label' ? 'labels' : 'annotations';
      settings[into] = { ...settings[into], [key]: parts.slice(1).join(':').trim() };
      return;
    }
    case 'limit': {
      const [resource = '', amount = ''] = parts.map(part => part.trim());
      if (parts.length !== 2 || resource === '' || amount === '') {
        bad('limit:<resource>:<amount>');
        return;
      }
      const number = Number(amount);
      settings.resources = { ...settings.resources, [resource]: Number.isFinite(number) ? number : amount };
      return;
    }
    case 'secret': {
      const [secret = '', key = '', variable = ''] = parts.map(part => part.trim());
      if (parts.length !== 3 || !secret || !key || !variable) {
        bad('secret:<secret>:<key>:<variable>');
        return;
      }
      settings.secrets = { ...settings.secrets, [variable]: { secret, key } };
      return;
    }
    case 'cache':
      if (value !== 'enabled' && value !== 'disabled') {
        bad('cache:enabled` or `cache:disabled');
        return;
      }
      settings.reuse = value === 'enabled';
      return;
    default:
      // `report:` asks Kale for an HTML page per step; every run here hands back the executed notebook.
      if (value !== 'enabled' && value !== 'disabled') bad('report:enabled` or `report:disabled');
  }
}

/** Tells of a tag only if it looks like one of ours: other tools' tags are plain words. */
function unknown(tag: string, prefix: string, result: CellTags): void {
  if (prefix !== '') {
    const meant = closest(prefix, prefixes);
    const replace = meant ? meant + tag.slice(prefix.length) : undefined;
    const hint = replace ? ` Did you mean "${replace}"?` : ` Expected one of ${prefixes.map(one => `\`${one}:\``).join(', ')}.`;
    remark(result, 'unknown-tag', 'warning', tag, `The tag "${tag}" means nothing to Stepwell.${hint}`, replace);
    return;
  }
  const spaced = /^(?:step|block)s?(?:[\s_=.-]+(.*))?$/i.exec(tag);
  if (spaced) {
    const replace = spaced[1] ? `step:${validStepName(spaced[1])}` : undefined;
    remark(
      result,
      'unknown-tag',
      'warning',
      tag,
      `The tag "${tag}" means nothing to Stepwell. Did you mean "${replace ?? 'step:<name>'}"?`,
      replace,
    );
    return;
  }
  const meant = tag.length > 4 ? closest(tag, Object.keys(roles)) : '';
  if (meant) remark(result, 'unknown-tag', 'warning', tag, `The tag "${tag}" means nothing to Stepwell. Did you mean "${meant}"?`, meant);
}

function remark(result: CellTags, code: ProblemCode, severity: Severity, tag: string, message: string, replace?: string): void {
  result.remarks.push({ code, severity, message, tag, ...(replace ? { replace } : {}) });
}

/** A valid step name made of any text: `2. Train the model!` → `train-the-model`. Never empty. */
export function validStepName(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replace(/[\u0300-\u036f]/g, '')
    .replace(/[^A-Za-z0-9_]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .toLowerCase();
  return plain.slice(0, 63).replace(/-+$/, '') || 'step';
}
