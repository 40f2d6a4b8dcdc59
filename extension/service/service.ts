/**
 * The service as the rest of the extension sees it: its routes as methods, its socket's events as things that are followed. Knows nothing
 * of runs but how they are asked for.
 */
import type { ServerConnection } from '@jupyterlab/services';
import { DisposableDelegate, DisposableSet, type IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import type { Notebook } from '../../pipeline/model/notebook';
import type {
  ArtifactView,
  AttemptView,
  LogLine,
  MetricView,
  Page,
  RunDetail,
  RunSummary,
  ServerEvents,
  ServiceInfo,
  StartRunRequest,
  WarmRequest,
} from '../../pipeline/model/protocol';
import type { RunEvent } from '../../pipeline/model/run';
import type { AttemptKey, Connection, IService, RunFilter, RunListener } from '../tokens';
import { Numbered } from './numbered';
import { Rest } from './rest';
import { LiveSocket, type Patience } from './socket';

/** Items that one request for a list asks for. */
const pageSize = 200;

export class Service implements IService, IDisposable {
  constructor(settings: ServerConnection.ISettings, patience?: Patience) {
    this._rest = new Rest(settings);
    this._live = new LiveSocket(settings, patience);
    this._live.connectionChanged.connect((_, connection) => {
      if (connection === 'connected') void this._introduce();
      this._connectionChanged.emit(connection);
    });
  }

  /** Begins to keep the connection up. */
  connect(): void {
    this._live.connect();
  }

  get connection(): Connection {
    return this._live.connection;
  }

  get connectionChanged(): ISignal<this, Connection> {
    return this._connectionChanged;
  }

  get info(): ServiceInfo | undefined {
    return this._info;
  }

  start(request: StartRunRequest, key: string): Promise<RunSummary> {
    return this._rest.json('POST', ['runs'], { body: request, headers: { 'Idempotency-Key': key } });
  }

  warm(request: WarmRequest): Promise<void> {
    return this._rest.json('POST', ['warm'], { body: request });
  }

  cancel(run: string): Promise<RunSummary> {
    return this._rest.json('POST', ['runs', run, 'cancel']);
  }

  resume(run: string): Promise<RunSummary> {
    return this._rest.json('POST', ['runs', run, 'resume']);
  }

  run(run: string): Promise<RunDetail> {
    return this._rest.json('GET', ['runs', run]);
  }

  runs(filter: RunFilter, limit: number, cursor?: string): Promise<Page<RunSummary>> {
    return this._rest.json('GET', ['runs'], { query: { ...filter, limit, cursor } });
  }

  attempts(run: string): Promise<AttemptView[]> {
    return this._all(['runs', run, 'attempts']);
  }

  artifacts(run: string): Promise<ArtifactView[]> {
    return this._all(['runs', run, 'artifacts']);
  }

  metrics(run: string): Promise<MetricView[]> {
    return this._all(['runs', run, 'metrics']);
  }

  artifact(run: string, digest: string): Promise<Blob> {
    return this._rest.blob(['runs', run, 'artifacts', digest]);
  }

  notebook(run: string): Promise<Notebook> {
    return this._rest.json('GET', ['runs', run, 'notebook']);
  }

  executed(run: string): Promise<Notebook> {
    return this._rest.json('GET', ['runs', run, 'executed']);
  }

  executedFile(run: string): Promise<Blob> {
    return this._rest.blob(['runs', run, 'executed']);
  }

  async lines({ run, step, attempt }: AttemptKey, after: number): Promise<LogLine[]> {
    const route = ['runs', run, 'attempts', step, String(attempt), 'lines'];
    return (await this._rest.json<Page<LogLine>>('GET', route, { query: { after, limit: pageSize } })).items;
  }

  followRuns(listener: (run: RunSummary) => void): IDisposable {
    this._runListeners.add(listener);
    // One subscription serves all who listen; it stays, since somebody always does.
    this._allRuns ??= this._follow('runs', { wanted: () => ({ to: 'runs' }) }, 'runs', ({ run }) => {
      for (const each of [...this._runListeners]) each(run);
    });
    return new DisposableDelegate(() => this._runListeners.delete(listener));
  }

  followRun(run: string, after: number, listener: RunListener): IDisposable {
    const log = new Numbered<RunEvent>(after, {
      number: event => event.sequence,
      fetch: async last =>
        (await this._rest.json<Page<RunEvent>>('GET', ['runs', run, 'events'], { query: { after: last, limit: pageSize } })).items,
      deliver: events => following.isDisposed || listener.events(events),
    });
    const following = new DisposableSet();
    const cells: ServerEvents['cells'] = message => message.run === run && listener.cells(message.cells, message.whole);
    this._live.socket.on('cells', cells);
    following.add(new DisposableDelegate(() => this._live.socket.off('cells', cells)));
    const events: ServerEvents['events'] = message => message.run === run && log.take(message.events);
    following.add(this._follow(`run ${run}`, { wanted: () => ({ to: 'run', run, after: log.last }) }, 'events', events));
    return following;
  }

  followLog(of: AttemptKey, after: number, listener: (lines: LogLine[]) => void): IDisposable {
    const said = new Numbered<LogLine>(after, {
      number: line => line.number,
      fetch: last => this.lines(of, last),
      deliver: lines => following.isDisposed || listener(lines),
    });
    const lines: ServerEvents['log'] = message =>
      message.run === of.run && message.step === of.step && message.attempt === of.attempt && said.take(message.lines);
    const key = `log ${of.run} ${of.step} ${of.attempt}`;
    const following = this._follow(key, { wanted: () => ({ to: 'log', ...of, after: said.last }) }, 'log', lines);
    return following;
  }

  get isDisposed(): boolean {
    return this._live.isDisposed;
  }

  dispose(): void {
    this._live.dispose();
    Signal.clearData(this);
  }

  private _follow<E extends keyof ServerEvents>(
    key: string,
    subscriber: Parameters<LiveSocket['subscribe']>[1],
    event: E,
    listener: ServerEvents[E],
  ): IDisposable {
    const { socket } = this._live;
    // The types of socket.io cannot follow an event's name through a type parameter.
    const on = socket as unknown as Record<'on' | 'off', (event: E, listener: ServerEvents[E]) => void>;
    on.on(event, listener);
    const subscription = this._live.subscribe(key, subscriber);
    return new DisposableDelegate(() => {
      on.off(event, listener);
      subscription.dispose();
    });
  }

  /** All pages of a list that belongs to one run. */
  private async _all<T>(route: string[]): Promise<T[]> {
    const items: T[] = [];
    let cursor: string | undefined;
    do {
      const page: Page<T> = await this._rest.json('GET', route, { query: { cursor, limit: pageSize } });
      items.push(...page.items);
      cursor = page.next;
    } while (cursor !== undefined);
    return items;
  }

  private async _introduce(): Promise<void> {
    this._info = await this._rest.json<ServiceInfo>('GET', ['service']).catch(() => this._info);
  }

  private readonly _rest: Rest;
  private readonly _live: LiveSocket;
  private readonly _connectionChanged = new Signal<this, Connection>(this);
  private readonly _runListeners = new Set<(run: RunSummary) => void>();
  private _allRuns: IDisposable | undefined;
  private _info: ServiceInfo | undefined;
}
