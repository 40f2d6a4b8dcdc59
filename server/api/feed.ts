/**
 * What a client follows, kept in step with it. The client's place in the list is all that is remembered: what it has not been sent is read from where
 * it is kept anyway, so nothing is buffered for a client that is slow, and a replay and what happens meanwhile need no joint.
 */

/** Where a client's messages go. */
export interface Outlet {
  /** False while the client is behind: what is sent now would pile up here. `Feed.go` is called when that changes. */
  readonly open: boolean;
}

export interface FeedOptions<T> {
  outlet: Outlet;
  /** The number of the last item that the client has seen. */
  after: number;
  numberOf(item: T): number;
  /** Items above this number, in order, as many as go into one message; `more` when there are further ones already. */
  read(after: number): Promise<{ items: T[]; more: boolean }>;
  send(items: T[]): void;
  /** Reading failed; it is tried again. */
  failed(error: unknown): void;
}

/** A list that is numbered without gaps and only grows: sent in order, each item once, beginning after the one that was named. */
export class Feed<T> {
  /** The number of the last item that was sent. */
  private sent: number;
  /** The highest number that was heard of. */
  private heard = 0;
  private reading = false;
  /** Somebody wanted it to go on while it was reading. */
  private asked = false;
  private ended = false;
  private vain = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: FeedOptions<T>) {
    this.sent = options.after;
  }

  /** New items, in order. Those that follow on what was sent need not be read again. */
  tell(items: T[]): void {
    if (this.ended || items.length === 0) return;
    const { numberOf, outlet, send } = this.options;
    const last = numberOf(items.at(-1)!);
    this.heard = Math.max(this.heard, last);
    if (last <= this.sent) return;
    if (this.reading || !outlet.open || numberOf(items[0]!) > this.sent + 1) {
      this.go();
      return;
    }
    const fresh = items.filter(item => numberOf(item) > this.sent);
    send(fresh);
    this.sent = last;
  }

  /** Reads and sends until there is nothing more, or the client is behind. */
  go(): void {
    if (this.ended) return;
    this.asked = true;
    if (this.reading) return;
    clearTimeout(this.timer);
    this.timer = undefined;
    void this.pass();
  }

  end(): void {
    this.ended = true;
    clearTimeout(this.timer);
  }

  private async pass(): Promise<void> {
    this.reading = true;
    let later = false;
    while (this.asked && !this.ended) {
      this.asked = false;
      try {
        later = await this.readOn();
      } catch (error) {
        this.options.failed(error);
        later = true;
      }
    }
    this.reading = false;
    if (later && !this.ended) this.later();
  }

  /** Gives true when something is known to be there that could not be read yet: it is about to be written. */
  private async readOn(): Promise<boolean> {
    const { read, send, numberOf, outlet } = this.options;
    while (outlet.open) {
      const { items, more } = await read(this.sent);
      // A client that fell behind meanwhile gets them when it has caught up, read once more.
      if (this.ended || !outlet.open) return false;
      if (items.length > 0) {
        this.vain = 0;
        send(items);
        this.sent = numberOf(items.at(-1)!);
      }
      if (!more && this.heard <= this.sent) return false;
      if (items.length === 0) return true;
    }
    return false;
  }

  private later(): void {
    this.timer = setTimeout(() => this.go(), Math.min(20 * 2 ** this.vain++, 5000));
    this.timer.unref();
  }
}

export interface StateOptions<K, V> {
  outlet: Outlet;
  /** All there is. */
  load(): Promise<V[]>;
  keyOf(item: V): K;
  send(items: V[], whole: boolean): void;
  failed(error: unknown): void;
}

/** A state with parts: sent whole once, then the parts that changed, the newest of each; what a slow client missed in between it never gets. */
export class State<K, V> {
  private readonly changed = new Map<K, V>();
  private loaded = false;
  private loading = false;
  private ended = false;

  constructor(private readonly options: StateOptions<K, V>) {}

  tell(items: V[]): void {
    for (const item of items) this.changed.set(this.options.keyOf(item), item);
    this.go();
  }

  go(): void {
    if (this.ended || this.loading || !this.options.outlet.open) return;
    if (!this.loaded) {
      void this.begin();
      return;
    }
    if (this.changed.size === 0) return;
    const items = [...this.changed.values()];
    this.changed.clear();
    this.options.send(items, false);
  }

  end(): void {
    this.ended = true;
  }

  /** Changes that come while the whole is being read are sent after it: if it holds them already, they say it again. */
  private async begin(): Promise<void> {
    this.loading = true;
    try {
      const items = await this.options.load();
      this.loaded = true;
      if (!this.ended) this.options.send(items, true);
    } catch (error) {
      this.options.failed(error);
      setTimeout(() => this.go(), 1000).unref();
      return;
    } finally {
      this.loading = false;
    }
    this.go();
  }
}
