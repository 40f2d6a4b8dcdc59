/**
 * Writes tags and settings into a notebook's shared model: plain functions, since nothing about a notebook is kept anywhere else. Each call is one
 * change to everybody who shares the notebook, and one step of undo.
 */
import { type ISharedCell, type ISharedNotebook, YNotebook } from '@jupyter/ydoc';
import type { JSONObject } from '@lumino/coreutils';

/**
 * Makes several changes as one: nobody sees half of it, and one undo takes it back without what was typed before. JupyterLab's history leaves a
 * notebook's own metadata out, so ours has to be told of them.
 */
export function asOne(notebook: ISharedNotebook, change: () => void): void {
  const history = notebook instanceof YNotebook ? notebook : undefined;
  history?.undoManager.addToScope(history.ymeta);
  history?.undoManager.stopCapturing();
  notebook.transact(change);
  history?.undoManager.stopCapturing();
}

/** Replaces the tags of these cells, by cell id. Ids that are no longer there are passed over. */
export function setTags(notebook: ISharedNotebook, tags: ReadonlyMap<string, readonly string[]>): void {
  asOne(notebook, () => {
    for (const cell of notebook.cells) {
      const wanted = tags.get(cell.id);
      if (!wanted) continue;
      const unique = [...new Set(wanted)];
      if (unique.length > 0) cell.setMetadata('tags', unique);
      else if (cell.getMetadata('tags') !== undefined) cell.deleteMetadata('tags');
    }
  });
}

/** `metadata.stepwell`, as it stands. An empty object where there is none, or where it is nothing that could be meant. */
export function settingsOf(notebook: ISharedNotebook): JSONObject {
  const settings = notebook.getMetadata('stepwell') as unknown;
  return isObject(settings) ? settings : {};
}

/** Sets one setting of a step; `undefined` takes it out. Keys that nobody knows stay; what has become empty goes. */
export function setStepSetting(notebook: ISharedNotebook, step: string, key: string, value: unknown): void {
  const settings = settingsOf(notebook);
  const steps = isObject(settings.steps) ? settings.steps : {};
  const one = isObject(steps[step]) ? steps[step] : {};
  asOne(notebook, () => writeSettings(notebook, { ...settings, steps: { ...steps, [step]: { ...one, [key]: value } as JSONObject } }));
}

/**
 * Gives a step another name: in the tags of its cells, in its settings, and wherever others are to run after it. Kale's tags stay Kale's, with
 * the new name in them. Where `to` is a step already, the two become one; of what both set, that of the renamed one holds.
 */
export function renameStep(notebook: ISharedNotebook, from: string, to: string): void {
  const renamed = (name: unknown) => (name === from ? to : name);
  const tags = new Map<string, string[]>();
  for (const cell of notebook.cells) {
    const before = tagsOf(cell);
    const after = before.map(tag => tag.replace(/^(step:|block:|prev:)(.*)$/s, (_, prefix, name) => prefix + renamed(name.trim())));
    if (after.some((tag, index) => tag !== before[index])) tags.set(cell.id, after);
  }
  const settings = settingsOf(notebook);
  const steps = new Map<string, JSONObject[string]>();
  for (const [key, one] of Object.entries(isObject(settings.steps) ? settings.steps : {})) {
    const name = renamed(key) as string;
    const there = steps.get(name);
    const [under, over] = key === from ? [there, one] : [one, there];
    const both = isObject(under) && isObject(over) ? { ...under, ...over } : (over ?? under)!;
    const after = isObject(both) && Array.isArray(both.after) ? both.after.map(renamed).filter(other => other !== name) : undefined;
    steps.set(name, after ? ({ ...(both as JSONObject), after: [...new Set(after)] } as JSONObject) : both);
  }
  asOne(notebook, () => {
    setTags(notebook, tags);
    if (steps.size > 0) writeSettings(notebook, { ...settings, steps: Object.fromEntries(steps) as JSONObject });
  });
}

/** The tags of a cell, as far as they are texts. */
export function tagsOf(cell: ISharedCell): string[] {
  const tags = cell.getMetadata('tags') as unknown;
  return Array.isArray(tags) ? tags.filter(tag => typeof tag === 'string') : [];
}

/** Replaces `metadata.stepwell`: without what is `undefined`, and without steps and settings that have become empty. */
export function writeSettings(notebook: ISharedNotebook, settings: JSONObject): void {
  const { steps, ...rest } = JSON.parse(JSON.stringify(settings)) as JSONObject;
  const kept = isObject(steps) ? Object.entries(steps).filter(([, one]) => !isObject(one) || Object.keys(one).length > 0) : [];
  const written: JSONObject = { ...rest, ...(kept.length > 0 ? { steps: Object.fromEntries(kept) } : {}) };
  if (Object.keys(written).length > 0) notebook.setMetadata('stepwell', written);
  else if (notebook.getMetadata('stepwell') !== undefined) notebook.deleteMetadata('stepwell');
}

const isObject = (value: unknown): value is JSONObject => typeof value === 'object' && value !== null && !Array.isArray(value);
