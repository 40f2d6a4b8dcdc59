/** The pill on a notebook's toolbar: how its run goes, in a few words. A click opens the run; beside it, while it runs, a button stops it. */
import { ReactWidget } from '@jupyterlab/apputils';
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { TranslationBundle } from '@jupyterlab/translation';
import { offlineBoltIcon, stopIcon } from '@jupyterlab/ui-components';
import { hasEnded } from '../runs/changes';
import { StatusIcon, statusWord } from '../runs/status';
import type { INotebookPipeline, IRunModel, IRuns } from '../tokens';
import { runWords } from './summary';

export class Pill extends ReactWidget {
  constructor(
    private readonly _panel: NotebookPanel,
    private readonly _runs: IRuns,
    private readonly _notebook: INotebookPipeline,
    private readonly _actions: { open(run: IRunModel): void; stop(run: IRunModel): void },
    private readonly _trans: TranslationBundle,
  ) {
    super();
    this.addClass('stepwell-pill-holder');
    _runs.shownChanged.connect(this._shownChanged, this);
    _runs.connectionChanged.connect(this.update, this);
    _notebook.changed.connect(this._taggedChanged, this);
    this._shownChanged(_runs, _panel);
  }

  override dispose(): void {
    clearInterval(this._clock);
    this._run?.changed.disconnect(this._moved, this);
    this._runs.shownChanged.disconnect(this._shownChanged, this);
    this._runs.connectionChanged.disconnect(this.update, this);
    this._notebook.changed.disconnect(this._taggedChanged, this);
    super.dispose();
  }

  protected override render(): JSX.Element {
    const trans = this._trans;
    const run = this._run;
    const detail = run?.detail;
    const down = this._runs.connection === 'down' && (this._notebook.tagged || detail !== undefined);
    const away = trans.__('The service is not reachable, trying again. Tagging and checking go on.');
    const words = detail && runWords(detail, Date.now(), trans);
    return (
      <>
        {run && detail ? (
          <button
            type="button"
            className="stepwell-pill"
            data-status={detail.status}
            data-down={down || undefined}
            title={down ? away : [words, detail.reason, trans.__('Click to open the run')].filter(Boolean).join('\n')}
            onClick={() => this._actions.open(run)}
          >
            {down ? <offlineBoltIcon.react tag="span" /> : <StatusIcon status={detail.status} trans={trans} silent />}
            <span className="stepwell-pill-words">{down ? trans.__('no connection') : words}</span>
          </button>
        ) : down ? (
          <span className="stepwell-pill" data-down title={away}>
            <offlineBoltIcon.react tag="span" />
            <span className="stepwell-pill-words">{trans.__('no connection')}</span>
          </span>
        ) : null}
        {/* Told when it changes; a clock that ticks would be told each second. */}
        <span className="stepwell-only-heard" role="status">
          {[detail && trans.__('Pipeline run %1', statusWord(detail.status, trans)), down && away].filter(Boolean).join('. ')}
        </span>
        {run && detail && !hasEnded(detail.status) && (
          <button
            type="button"
            className="stepwell-stop"
            title={trans.__('Stop the pipeline run')}
            aria-label={trans.__('Stop')}
            onClick={() => this._actions.stop(run)}
          >
            <stopIcon.react tag="span" />
          </button>
        )}
      </>
    );
  }

  private _shownChanged(_: IRuns, panel: NotebookPanel): void {
    if (panel !== this._panel) return;
    this._run?.changed.disconnect(this._moved, this);
    this._run = this._runs.shownIn(panel);
    this._run?.changed.connect(this._moved, this);
    this._moved();
  }

  private _moved(): void {
    const running = this._run?.detail?.status === 'running';
    if (running && this._clock === undefined) this._clock = setInterval(() => this.update(), 1000);
    if (!running) {
      clearInterval(this._clock);
      this._clock = undefined;
    }
    this.update();
  }

  /** A notebook is compiled at each edit, and only this matters here. */
  private _taggedChanged(): void {
    if (this._tagged === this._notebook.tagged) return;
    this._tagged = this._notebook.tagged;
    this.update();
  }

  private _run: IRunModel | null = null;
  private _tagged = false;
  private _clock: ReturnType<typeof setInterval> | undefined;
}
