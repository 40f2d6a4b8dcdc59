/** One client on a socket: what it follows, and how much it can take. */

import type { Socket } from 'socket.io';
import type { CellRun, ClientEvents, LogLine, RunSummary, ServerEvents, Subscription } from '../../pipeline/model/protocol';
import type { RunEvent } from '../../pipeline/model/run';
import { cutEvent, cutLine } from './cut';
import { ApiError } from './errors';
import { Feed, type Outlet, State } from './feed';
import type { Service } from './service';

export type ClientSocket = Socket<ClientEvents, ServerEvents>;

/** Messages that may wait for a client; beyond that it is behind, and what it misses is read again when it has caught up. */
const mostWaiting = 16;
const mostSubscriptions = 500;
/** Of one message. */
const mostEvents = 500;
const mostLines = 200;
const mostCharacters = 512 * 1024;

interface Followed {
  go(): void;
  end(): void;
}
interface FollowedRun extends Followed {
  /** Cut to what may be sent, as lines are. */
  events(events: RunEvent[]): void;
  cells(cells: CellRun[]): void;
}
interface FollowedLog extends Followed {
  line(line: LogLine): void;
}

export const keyOf = (to: Subscription): string =>
  to.to === 'runs' ? 'runs' : to.to === 'run' ? `run/${to.run}` : `log/${to.run}/${to.step}/${to.attempt}`;

export class Client implements Outlet {
  readonly runs = new Map<string, FollowedRun>();
  readonly logs = new Map<string, FollowedLog>();
  /** Follows runs in general: the newest of each that could not be sent yet. */
  private list: Map<string, RunSummary> | undefined;

  constructor(
    private readonly socket: ClientSocket,
    private readonly service: Service,
    private readonly failed: (error: unknown) => void,
  ) {
    socket.conn.on('drain', () => queueMicrotask(() => this.go()));
  }

  get open(): boolean {
    return (this.socket.conn as unknown as { writeBuffer: unknown[] }).writeBuffer.length < mostWaiting;
  }

  get wantsList(): boolean {
    return this.list !== undefined;
  }

  /** Begins, or begins anew from another place. Throws what to answer when there is nothing to follow. */
  async follow(to: Subscription): Promise<void> {
    if (this.runs.size + this.logs.size >= mostSubscriptions)
      throw new ApiError('wrong-state', `One client can follow ${mostSubscriptions} things at once; it should leave some first.`);
    if (to.to === 'runs') {
      this.list ??= new Map();
      return;
    }
    if (!(await this.service.store.findRun(to.run))) throw new ApiError('not-found', `There is no run "${to.run}".`);
    if (this.socket.disconnected) return;
    this.leave(to);
    if (to.to === 'run') this.runs.set(keyOf(to), this.followRun(to.run, to.after));
    else this.logs.set(keyOf(to), this.followLog(to));
    (this.runs.get(keyOf(to)) ?? this.logs.get(keyOf(to)))!.go();
  }

  leave(from: Subscription): void {
    const key = keyOf(from);
    if (from.to === 'runs') this.list = undefined;
    for (const all of [this.runs, this.logs]) {
      all.get(key)?.end();
      all.delete(key);
    }
  }

  end(): void {
    this.list = undefined;
    for (const all of [this.runs, this.logs]) {
      for (const one of all.values()) one.end();
      all.clear();
    }
  }

  moved(summaries: RunSummary[]): void {
    if (!this.list) return;
    for (const one of summaries) this.list.set(one.id, one);
    this.sendList();
  }

  /** The client has caught up. */
  private go(): void {
    this.sendList();
    for (const one of [...this.runs.values(), ...this.logs.values()]) one.go();
  }

  private sendList(): void {
    if (!this.list) return;
    for (const [id, run] of this.list) {
      if (!this.open) return;
      this.list.delete(id);
      this.socket.emit('runs', { run });
    }
  }

  private followRun(run: string, after: number): FollowedRun {
    const { store, runs } = this.service;
    const { failed } = this;
    const events = new Feed<RunEvent>({
      outlet: this,
      after,
      numberOf: event => event.sequence,
      async read(from) {
        const found = await store.events(run, from, mostEvents);
        return fitting(found.map(cutEvent), found.length === mostEvents);
      },
      send: items => this.socket.emit('events', { run, events: items }),
      failed,
    });
    const cells = new State<number, CellRun>({
      outlet: this,
      load: async () => (await runs.cells(run)) ?? [],
      keyOf: one => one.cell,
      send: (items, whole) => this.socket.emit('cells', { run, cells: items, whole }),
      failed,
    });
    return {
      events: items => events.tell(items),
      cells: items => cells.tell(items),
      go() {
        events.go();
        cells.go();
      },
      end() {
        events.end();
        cells.end();
      },
    };
  }

  private followLog({ run, step, attempt, after }: Extract<Subscription, { to: 'log' }>): FollowedLog {
    const { runs } = this.service;
    const lines = new Feed<LogLine>({
      outlet: this,
      after,
      numberOf: line => line.number,
      async read(from) {
        const found = await runs.lines(run, step, attempt, from, mostLines);
        return fitting(found.map(cutLine), found.length === mostLines);
      },
      send: items => this.socket.emit('log', { run, step, attempt, lines: items }),
      failed: this.failed,
    });
    return { line: line => lines.tell([line]), go: () => lines.go(), end: () => lines.end() };
  }
}

/** As many as one message should hold; at least one. */
function fitting<T>(items: T[], more: boolean): { items: T[]; more: boolean } {
  let room = mostCharacters;
  const fit = items.findIndex((item, index) => {
    room -= JSON.stringify(item).length;
    return room < 0 && index > 0;
  });
  return fit < 0 ? { items, more } : { items: items.slice(0, fit), more: true };
}
