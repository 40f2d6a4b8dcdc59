/**
 * The live connection. It is kept up by itself, with backoff; whatever is subscribed to is subscribed to again when it is back, from the
 * number that was seen last. A subscription is known by its key, and each key has one subscriber.
 */
import { URLExt } from '@jupyterlab/coreutils';
import type { ServerConnection } from '@jupyterlab/services';
import { DisposableDelegate, type IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import { io, type Socket } from 'socket.io-client';
import type { ClientEvents, ServerEvents, Subscription } from '../../pipeline/model/protocol';
import type { Connection } from '../tokens';
import { mount } from './rest';

export interface Subscriber {
  /** What to ask for now. */
  wanted(): Subscription;
}

/** Milliseconds: the first wait before connecting again, and the longest. */
export interface Patience {
  first: number;
  longest: number;
}

export class LiveSocket implements IDisposable {
  constructor(settings: ServerConnection.ISettings, patience: Patience = { first: 500, longest: 10_000 }) {
    this._patience = patience;
    this.socket = io(new URL(settings.baseUrl).origin, {
      path: `${URLExt.join(new URL(settings.baseUrl).pathname, mount, 'socket.io')}/`,
      // A websocket first; where one cannot be had, polling, whose posts need Jupyter's token against forged requests.
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      extraHeaders: crossSiteHeaders(settings),
      ...(settings.appendToken && settings.token ? { query: { token: settings.token } } : {}),
      reconnectionDelay: patience.first,
      reconnectionDelayMax: patience.longest,
      autoConnect: false,
    });
    this.socket.on('connect', () => {
      this._waited = 0;
      for (const subscriber of this._subscribers.values()) this._subscribe(subscriber);
      this._say('connected');
    });
    this.socket.on('disconnect', () => {
      this._say('connecting');
      this._again();
    });
    this.socket.on('connect_error', () => {
      this._say('down');
      this._again();
    });
  }

  /** For what comes in; nothing is sent but subscriptions. */
  readonly socket: Socket<ServerEvents, ClientEvents>;

  get connection(): Connection {
    return this._connection;
  }

  get connectionChanged(): ISignal<this, Connection> {
    return this._connectionChanged;
  }

  connect(): void {
    this.socket.connect();
  }

  subscribe(key: string, subscriber: Subscriber): IDisposable {
    if (this._subscribers.has(key)) throw new Error(`"${key}" is subscribed to already.`);
    this._subscribers.set(key, subscriber);
    if (this.socket.connected) this._subscribe(subscriber);
    return new DisposableDelegate(() => {
      this._subscribers.delete(key);
      if (this.socket.connected) this.socket.emit('unsubscribe', subscriber.wanted(), () => {});
    });
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    if (this._isDisposed) return;
    this._isDisposed = true;
    clearTimeout(this._timer);
    this.socket.removeAllListeners();
    this.socket.disconnect();
    Signal.clearData(this);
  }

  /** A refusal (an unknown run) is left alone: whoever subscribed asks for the run itself as well, and is told there. */
  private _subscribe(subscriber: Subscriber): void {
    this.socket.emit('subscribe', subscriber.wanted(), () => {});
  }

  /** socket.io connects again by itself unless the other side said no; then it is for us to. */
  private _again(): void {
    if (this.socket.active || this._isDisposed) return;
    this._waited = Math.min(this._patience.longest, Math.max(this._patience.first, this._waited * 2));
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this.socket.connect(), this._waited);
  }

  private _say(connection: Connection): void {
    if (connection === this._connection || (connection === 'connecting' && this._connection === 'down')) return;
    this._connection = connection;
    this._connectionChanged.emit(connection);
  }

  private readonly _subscribers = new Map<string, Subscriber>();
  private readonly _patience: Patience;
  private readonly _connectionChanged = new Signal<this, Connection>(this);
  private _connection: Connection = 'connecting';
  private _timer: ReturnType<typeof setTimeout> | undefined;
  private _waited = 0;
  private _isDisposed = false;
}

/** Read anew for each request: the cookie changes when people log in again. */
function crossSiteHeaders(settings: ServerConnection.ISettings): Record<string, string> {
  const headers: Record<string, string> = {};
  Object.defineProperty(headers, 'X-XSRFToken', { enumerable: true, get: () => /(?:^|; )_xsrf=([^;]*)/.exec(document.cookie)?.[1] ?? '' });
  if (settings.token) headers.Authorization = `token ${settings.token}`;
  return headers;
}
