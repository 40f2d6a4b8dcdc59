/** What tagging does to the tags of one cell, and to a step as a whole. Tags that are not ours stay as they are. */
import type { ISharedNotebook } from '@jupyter/ydoc';
import type { JSONObject } from '@lumino/coreutils';
import { readTags } from '../../pipeline/compile/1-read/tags';
import { asOne, setTags, settingsOf, tagsOf, writeSettings } from '../notebook/writing';
import type { CellRole } from '../tokens';

/** A role that is said by the word alone. */
export type WordRole = Exclude<CellRole, 'step'>;

/** The tags without those that say where the cell belongs. */
export const withoutPlace = (tags: readonly string[]): string[] =>
  tags.filter(tag => !/^(step|block):/.test(tag) && readTags([tag]).role === undefined);

export const inStep = (tags: readonly string[], step: string): string[] => [...withoutPlace(tags), `step:${step}`];

/** Marks a cell with a role, or takes the mark off where it is there. */
export const marked = (tags: readonly string[], role: WordRole): string[] =>
  readTags(tags).role === role ? withoutPlace(tags) : [...withoutPlace(tags), role];

/** Settings that belong to the code of a step and stay where that code is; the others say how it runs, and go for both parts. */
const ofTheCode = ['inputs', 'outputs', 'after', 'sources', 'files', 'when', 'map', 'metrics'];

/**
 * Makes a new step of the cells of `step` from `from` on. The new part runs as the old one did (resources, retries, …), and whoever was to run
 * after the step runs after both parts. `members`: the cells of the step in notebook order, tagged or not.
 */
export function splitStep(notebook: ISharedNotebook, step: string, members: readonly string[], from: string, name: string): void {
  const moved = new Set(members.slice(members.indexOf(from)));
  const tags = new Map<string, string[]>();
  for (const cell of notebook.cells) {
    if (!moved.has(cell.id)) continue;
    const before = tagsOf(cell);
    // A cell without a tag joins the step above it, which is the new one now; the first has to say so.
    if (cell.id === from || readTags(before).step !== undefined) tags.set(cell.id, inStep(before, name));
  }
  const settings = settingsOf(notebook);
  const steps = (settings.steps ?? {}) as Record<string, JSONObject>;
  const copied = Object.entries(steps[step] ?? {}).filter(([key]) => !ofTheCode.includes(key));
  const later = Object.entries(steps).map(([key, one]) => {
    const after = Array.isArray(one?.after) && one.after.includes(step) && key !== step ? [...one.after, name] : undefined;
    return [key, after ? { ...one, after } : one];
  });
  asOne(notebook, () => {
    setTags(notebook, tags);
    if (settings.steps)
      writeSettings(notebook, { ...settings, steps: { ...Object.fromEntries(later), [name]: Object.fromEntries(copied) } });
  });
}
