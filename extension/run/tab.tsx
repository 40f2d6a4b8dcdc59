/** A run as a tab of the main area. */
import { ReactWidget } from '@jupyterlab/apputils';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { TranslationBundle } from '@jupyterlab/translation';
import { nameOf } from '../runs/rows';
import { statusIcon, statusWord } from '../runs/status';
import { sentence } from '../service/fault';
import type { RunData } from './data';
import type { RunActions } from './header';
import type { LogWords } from './log';
import { RunView, type Section } from './view';

export interface RunTabOptions {
  data: RunData;
  actions: RunActions;
  fetch: (digest: string) => Promise<Blob>;
  /** Renders for strangers: nothing in a run is trusted. */
  rendermime: IRenderMimeRegistry;
  trans: TranslationBundle;
}

export class RunTab extends ReactWidget {
  constructor(private readonly _options: RunTabOptions) {
    super();
    this.addClass('stepwell-run-tab');
    _options.data.changed.connect(this._changed, this);
    this._changed();
  }

  get run(): string {
    return this._options.data.run.id;
  }

  /** Looks at a step. */
  look(step: string, section: Section): void {
    this._chosen = step;
    this._section = section;
    this.update();
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this._options.data.dispose();
    super.dispose();
  }

  protected override render(): JSX.Element {
    const { data, trans } = this._options;
    const { detail, fault } = data.run;
    if (!detail) {
      return (
        <p className="stepwell-run-empty" role="status">
          {fault === undefined ? trans.__('Loading…') : sentence(fault)}
        </p>
      );
    }
    return (
      <RunView
        {...this._options}
        run={detail}
        version={this._version}
        chosen={this._chosen}
        section={this._section}
        choose={(step, section) => {
          this._chosen = step;
          this._section = section;
          this.update();
        }}
      />
    );
  }

  private _changed(): void {
    this._version++;
    const { detail } = this._options.data.run;
    if (detail) {
      const { trans } = this._options;
      this.title.label = trans.__('Run of %1', nameOf(detail.path).replace(/\.ipynb$/, ''));
      this.title.caption = `${detail.path}\n${statusWord(detail.status, trans)}\n${new Date(detail.created).toLocaleString()}`;
      this.title.icon = statusIcon(detail.status);
    }
    this.update();
  }

  private _chosen: string | undefined;
  private _section: Section = 'timeline';
  private _version = 0;
}

export function logWords(trans: TranslationBundle): LogWords {
  return {
    cell: cell => trans.__('Cell %1', cell + 1),
    cellEnded: (cell, status, seconds) =>
      status === 'ok'
        ? trans.__('Cell %1 done in %2 s', cell + 1, seconds.toFixed(2))
        : trans.__('Cell %1 failed after %2 s', cell + 1, seconds.toFixed(2)),
    shown: types => trans.__('Shown: %1 (see Outputs)', types.join(', ')),
    metric: (name, value) => trans.__('Metric %1 = %2', name, value),
  };
}
