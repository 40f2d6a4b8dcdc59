/**
 * Runs of open notebooks: started, followed, and shown on the notebook they belong to. Which run a notebook shows is the latest that was
 * started from its file, by whoever; the service tells of it.
 */
import type { NotebookPanel } from '@jupyterlab/notebook';
import type { Contents } from '@jupyterlab/services';
import { UUID } from '@lumino/coreutils';
import { type ISignal, Signal } from '@lumino/signaling';
import type { RunSummary, ServiceInfo, StartRunRequest } from '../../pipeline/model/protocol';
import { ServiceFault } from '../service/fault';
import type { Connection, INotebookPipelines, IRunModel, IRuns, IService } from '../tokens';
import { Follower, RunModel } from './model';

/** Milliseconds after which a notebook that is worked on asks again for a Python to be kept ready. */
const warmFor = 60_000;

interface Shown {
  run: IRunModel | null;
  /** When it was started; a run that was started later takes its place. */
  created: string;
}

export class Runs implements IRuns {
  constructor(
    private readonly _service: IService,
    private readonly _pipelines: INotebookPipelines,
    private readonly _contents: Contents.IManager,
    private readonly _now: () => number = Date.now,
  ) {
    _service.connectionChanged.connect((_, connection) => {
      if (connection === 'connected') for (const panel of this._shown.keys()) void this._lookUp(panel);
      this._connectionChanged.emit(connection);
    });
    _service.followRuns(run => {
      for (const panel of this._shown.keys()) if (this.pathOf(panel) === run.path) this._offer(panel, run);
    });
  }

  get connection(): Connection {
    return this._service.connection;
  }

  get connectionChanged(): ISignal<this, Connection> {
    return this._connectionChanged;
  }

  get service(): ServiceInfo | undefined {
    return this._service.info;
  }

  get shownChanged(): ISignal<this, NotebookPanel> {
    return this._shownChanged;
  }

  /** The notebook's file as the service names it: from Jupyter's folder. */
  pathOf(panel: NotebookPanel): string {
    return this._contents.localPath(panel.context.path);
  }

  /** Looks after a notebook that was opened, until it is closed. */
  attend(panel: NotebookPanel): void {
    if (this._shown.has(panel)) return;
    this._shown.set(panel, { run: null, created: '' });
    panel.disposed.connect(() => {
      this._shown.get(panel)?.run?.dispose();
      this._shown.delete(panel);
    });
    void panel.context.ready.then(() => this._lookUp(panel));
  }

  async start(panel: NotebookPanel, request: Omit<StartRunRequest, 'path' | 'notebook'>): Promise<IRunModel> {
    this.attend(panel);
    const notebook = this._pipelines.of(panel).snapshot();
    const whole: StartRunRequest = { ...request, path: this.pathOf(panel), notebook };
    // The key makes asking twice safe, and a connection that broke just now is worth a second try.
    const key = UUID.uuid4();
    const summary = await this._service.start(whole, key).catch(fault => {
      if (fault instanceof ServiceFault && fault.kind === 'unreachable') return this._service.start(whole, key);
      throw fault;
    });
    return this._put(panel, summary.id, summary.created)!;
  }

  shownIn(panel: NotebookPanel): IRunModel | null {
    return this._shown.get(panel)?.run ?? null;
  }

  show(panel: NotebookPanel, run: string | null): IRunModel | null {
    this.attend(panel);
    return this._put(panel, run, new Date(this._now()).toISOString());
  }

  follow(run: string): IRunModel {
    let entry = this._models.get(run);
    if (!entry) {
      entry = { model: new RunModel(run, this._service), followers: 0 };
      this._models.set(run, entry);
    }
    const { model } = entry;
    entry.followers++;
    return new Follower(model, () => {
      if (--entry.followers > 0) return;
      this._models.delete(run);
      model.dispose();
    });
  }

  /** Has a Python ready by the time that a tagged notebook is run. Costs next to nothing when one is. */
  keepWarm(panel: NotebookPanel): void {
    const pipeline = this._pipelines.of(panel);
    const now = this._now();
    if (!pipeline.tagged || this._service.connection !== 'connected' || now - (this._warmed.get(panel) ?? -warmFor) < warmFor) return;
    this._warmed.set(panel, now);
    this._service.warm({ path: this.pathOf(panel), notebook: pipeline.snapshot() }).catch(() => this._warmed.delete(panel));
  }

  private async _lookUp(panel: NotebookPanel): Promise<void> {
    if (this._service.connection !== 'connected' || !panel.context.isReady) return;
    const page = await this._service.runs({ path: this.pathOf(panel) }, 1).catch(() => undefined);
    if (page?.items[0]) this._offer(panel, page.items[0]);
    this.keepWarm(panel);
  }

  private _offer(panel: NotebookPanel, run: RunSummary): void {
    const shown = this._shown.get(panel);
    if (shown && run.created > shown.created && run.id !== shown.run?.id) this._put(panel, run.id, run.created);
  }

  private _put(panel: NotebookPanel, run: string | null, created: string): IRunModel | null {
    const before = this._shown.get(panel);
    if (run !== null && before?.run?.id === run) return before.run;
    const next = run === null ? null : this.follow(run);
    before?.run?.dispose();
    this._shown.set(panel, { run: next, created });
    this._shownChanged.emit(panel);
    return next;
  }

  private readonly _shown = new Map<NotebookPanel, Shown>();
  private readonly _models = new Map<string, { model: RunModel; followers: number }>();
  private readonly _warmed = new WeakMap<NotebookPanel, number>();
  private readonly _connectionChanged = new Signal<this, Connection>(this);
  private readonly _shownChanged = new Signal<this, NotebookPanel>(this);
}
