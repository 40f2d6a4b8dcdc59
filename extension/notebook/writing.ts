/**
 * Writes tags and settings into a notebook's shared model: plain functions, since nothing about a notebook is kept anywhere else. Each call is one
 * change to everybody who shares the notebook. Undo brings tags back; JupyterLab keeps no history of a notebook's own metadata.
 */
import type { ISharedNotebook } from '@jupyter/ydoc';
import type { JSONObject } from '@lumino/coreutils';

/** Replaces the tags of these cells, by cell id. Ids that are no longer there are passed over. */
export function setTags(notebook: ISharedNotebook, tags: ReadonlyMap<string, readonly string[]>): void {
  notebook.transact(() => {
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
  writeSettings(notebook, { ...settings, steps: { ...steps, [step]: { ...one, [key]: value } as JSONObject } });
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
