/**
 * One step's settings as its form sees them: what the notebook's metadata say (right or wrong), what holds where they say nothing, and the only
 * way to write. A path is a key, or a key and one within it: `['retries']`, `['resources', 'cpu']`.
 */
import type { ISharedNotebook } from '@jupyter/ydoc';
import type { Pipeline, Step } from '../../pipeline/model/pipeline';
import { checkSettings } from '../../pipeline/model/settings';
import { setStepSetting, settingsOf } from '../notebook/writing';
import type { INotebookPipeline } from '../tokens';

export type Path = readonly [key: string] | readonly [key: string, within: string];

export class Settings {
  constructor(
    private readonly _notebook: INotebookPipeline,
    private readonly _shared: ISharedNotebook,
    private readonly _pipeline: Pipeline,
    readonly step: Step,
  ) {}

  /** What the notebook says of this step itself. */
  own(path: Path): unknown {
    return at(this.all(), path);
  }

  /** All that the notebook says of this step itself. */
  all(): Record<string, unknown> {
    const own = at(settingsOf(this._shared), ['steps', this.step.name]);
    return isObject(own) ? own : {};
  }

  /** What holds if the step itself says nothing: from the notebook's defaults, or its cells' tags. */
  inherited(path: Path): unknown {
    const said = this.own(path) === undefined;
    return at(said ? this.step.settings : (this._pipeline.settings.defaults ?? {}), path);
  }

  /** What is expected, if this value is none that the setting takes. */
  expected([key, within]: Path, value: unknown): string | undefined {
    if (value === undefined) return undefined;
    const one = { [key]: within === undefined ? value : { [within]: value } };
    return checkSettings({ steps: { [this.step.name]: one } }).find(({ unknown }) => !unknown)?.expected;
  }

  /** Writes the value; `undefined` takes it out, and what holds nothing else with it. A step that is gone by now gets no settings. */
  write([key, within]: Path, value: unknown): void {
    const { name } = this.step;
    if (this._shared.isDisposed || !this._notebook.pipeline?.steps.some(step => step.name === name)) return;
    let written = value;
    if (within !== undefined) {
      const before = this.own([key]);
      // A map keeps its entries in their order, and so the notebook does.
      const entries = new Map(isObject(before) ? Object.entries(before) : []);
      if (value === undefined) entries.delete(within);
      else entries.set(within, value);
      written = entries.size > 0 ? Object.fromEntries(entries) : undefined;
    }
    setStepSetting(this._shared, name, key, written);
    // What follows from it is shown with it.
    this._notebook.refresh();
  }
}

function at(value: unknown, path: readonly (string | undefined)[]): unknown {
  return path.reduce<unknown>(
    (one, key) => (key === undefined ? one : isObject(one) && Object.hasOwn(one, key) ? one[key] : undefined),
    value,
  );
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
