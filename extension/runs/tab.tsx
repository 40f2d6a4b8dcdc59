/** The Runs tab of the side panel: all runs, live, of all notebooks or of the one at hand. */
import { ReactWidget, UseSignal } from '@jupyterlab/apputils';
import type { TranslationBundle } from '@jupyterlab/translation';
import type { Message } from '@lumino/messaging';
import { type ISignal, Signal } from '@lumino/signaling';
import { useState } from 'react';
import { runStatuses } from '../../pipeline/model/run';
import { sentence } from '../service/fault';
import type { IService, RunFilter } from '../tokens';
import { RunRows } from './rows';
import { RunList } from './runlist';
import { statusWord } from './status';

export interface RunsTabOptions {
  service: IService;
  /** The notebook at hand, as the service names it. */
  currentPath(): string | undefined;
  currentPathChanged: ISignal<unknown, unknown>;
  open(run: string): void;
  trans: TranslationBundle;
}

export class RunsTab extends ReactWidget {
  constructor(private readonly _options: RunsTabOptions) {
    super();
    this.id = 'stepwell-runs';
    this.addClass('stepwell-runs');
    this.title.label = _options.trans.__('Runs');
    this.title.caption = _options.trans.__('Runs of pipelines');
    this._list = new RunList(_options.service);
  }

  override dispose(): void {
    if (this.isDisposed) return;
    this._list.dispose();
    Signal.clearData(this);
    super.dispose();
  }

  /** Asks for nothing before somebody looks. */
  protected override onBeforeShow(message: Message): void {
    super.onBeforeShow(message);
    if (this._shown) return;
    this._shown = true;
    this._list.show({});
  }

  protected override render(): JSX.Element {
    return <RunsView {...this._options} list={this._list} />;
  }

  private readonly _list: RunList;
  private _shown = false;
}

function RunsView({ service, list, currentPath, currentPathChanged, open, trans }: RunsTabOptions & { list: RunList }): JSX.Element {
  const [wanted, setWanted] = useState<RunFilter & { here: boolean; text: string }>({ here: false, text: '' });
  const change = (some: Partial<typeof wanted>) => {
    const next = { ...wanted, ...some };
    setWanted(next);
    const { status, experiment, here } = next;
    const filter: RunFilter = {
      status: status || undefined,
      experiment: experiment?.trim() || undefined,
      path: here ? currentPath() : undefined,
    };
    if (JSON.stringify(filter) !== JSON.stringify(list.filter)) list.show(filter);
  };
  return (
    <>
      <UseSignal signal={service.connectionChanged}>
        {() => (service.connection === 'down' ? <Banner>{trans.__('The service is not reachable, trying again.')}</Banner> : null)}
      </UseSignal>
      <UseSignal signal={currentPathChanged}>
        {() => {
          const path = currentPath();
          // The list follows the notebook that people turn to.
          if (wanted.here && path !== list.filter.path) queueMicrotask(() => list.show({ ...list.filter, path }));
          return (
            <search className="stepwell-runs-filters" aria-label={trans.__('Which runs to show')}>
              <select
                className="jp-mod-styled"
                aria-label={trans.__('Notebook')}
                value={wanted.here ? 'here' : 'all'}
                onChange={event => change({ here: event.target.value === 'here' })}
              >
                <option value="all">{trans.__('All notebooks')}</option>
                <option value="here" disabled={path === undefined}>
                  {trans.__('This notebook')}
                </option>
              </select>
              <select
                className="jp-mod-styled"
                aria-label={trans.__('Status')}
                value={wanted.status ?? ''}
                onChange={event => change({ status: event.target.value })}
              >
                <option value="">{trans.__('Any status')}</option>
                {runStatuses.map(status => (
                  <option key={status} value={status}>
                    {statusWord(status, trans)}
                  </option>
                ))}
              </select>
              <input
                className="jp-mod-styled"
                type="search"
                placeholder={trans.__('Experiment')}
                aria-label={trans.__('Experiment')}
                defaultValue=""
                onBlur={event => change({ experiment: event.target.value })}
                onKeyDown={event => event.key === 'Enter' && change({ experiment: event.currentTarget.value })}
              />
              <input
                className="jp-mod-styled"
                type="search"
                placeholder={trans.__('Find')}
                aria-label={trans.__('Find in names, files and people')}
                value={wanted.text}
                onChange={event => change({ text: event.target.value })}
              />
            </search>
          );
        }}
      </UseSignal>
      <UseSignal signal={list.changed}>
        {() => (
          <>
            {list.fault !== undefined && service.connection !== 'down' ? <Banner>{sentence(list.fault)}</Banner> : null}
            <RunRows list={list} text={wanted.text} open={open} trans={trans} />
          </>
        )}
      </UseSignal>
    </>
  );
}

function Banner({ children }: { children: string }): JSX.Element {
  return (
    <div className="stepwell-banner" role="status">
      {children}
    </div>
  );
}
