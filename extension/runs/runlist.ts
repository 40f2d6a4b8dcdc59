/**
 * Runs as a list: newest first, in pages, moved along by what the service tells. What was loaded stays when the service goes away, and is
 * asked for anew when it is back.
 */
import type { IDisposable } from '@lumino/disposable';
import { type ISignal, Signal } from '@lumino/signaling';
import type { RunSummary } from '../../pipeline/model/protocol';
import type { IService, RunFilter } from '../tokens';

/** As many as the service gives at once. */
const pageSize = 200;
/** Beyond these, coming back to a lost connection begins at the top again. */
const refreshedAtMost = 1000;

export class RunList implements IDisposable {
  constructor(private readonly _service: IService) {
    this._following = _service.followRuns(run => this._take(run));
    _service.connectionChanged.connect(this._connected, this);
  }

  /** Newest first: ids sort by time. */
  runs: readonly RunSummary[] = [];
  loading = false;
  /** Why there may be more than is shown. */
  fault: unknown;

  get filter(): RunFilter {
    return this._filter;
  }

  /** Whether there are earlier runs than those loaded. */
  get more(): boolean {
    return this._next !== undefined || !this._begun;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Begins anew with other runs. */
  show(filter: RunFilter): void {
    this._filter = filter;
    this.runs = [];
    this._next = undefined;
    this._begun = false;
    this._asked++;
    this.loading = false;
    void this.load();
  }

  /** One more page. */
  async load(): Promise<void> {
    if (this.loading || !this.more) return;
    await this._ask(async () => {
      const page = await this._service.runs(this._filter, pageSize, this._next);
      return { runs: [...this.runs, ...page.items], next: page.next };
    });
  }

  get isDisposed(): boolean {
    return this._following.isDisposed;
  }

  dispose(): void {
    this._asked++;
    this._following.dispose();
    this._service.connectionChanged.disconnect(this._connected, this);
    Signal.clearData(this);
  }

  /** Whether a run belongs in the list, as far as its filter can say from here. */
  private _fits(run: RunSummary): boolean {
    return Object.entries(this._filter).every(([name, wanted]) => wanted === undefined || run[name as keyof RunFilter] === wanted);
  }

  private _take(run: RunSummary): void {
    if (!this._begun) {
      this._meanwhile.push(run);
      return;
    }
    const next = put(this.runs, run, this._fits(run), this._next === undefined);
    if (next === this.runs) return;
    this.runs = next;
    this._changed.emit();
  }

  /** What is asked for replaces what is shown, and what was told meanwhile comes on top. A newer question makes an older answer void. */
  private async _ask(question: () => Promise<{ runs: readonly RunSummary[]; next: string | undefined }>): Promise<void> {
    const asked = ++this._asked;
    this.loading = true;
    this._changed.emit();
    try {
      const { runs, next } = await question();
      if (asked !== this._asked) return;
      this.fault = undefined;
      this._next = next;
      this._begun = true;
      this.runs = unique(runs);
      for (const run of this._meanwhile.splice(0)) this.runs = put(this.runs, run, this._fits(run), next === undefined);
    } catch (error) {
      if (asked !== this._asked) return;
      this.fault = error;
    }
    this.loading = false;
    this._changed.emit();
  }

  private _connected(): void {
    if (this._service.connection !== 'connected' || (!this._begun && this.fault === undefined)) return;
    const wanted = this.runs.length > refreshedAtMost ? pageSize : Math.max(pageSize, this.runs.length);
    void this._ask(async () => {
      const runs: RunSummary[] = [];
      let next: string | undefined;
      do {
        const page = await this._service.runs(this._filter, pageSize, next);
        runs.push(...page.items);
        next = page.next;
      } while (next !== undefined && runs.length < wanted);
      return { runs, next };
    });
  }

  private readonly _following: IDisposable;
  private readonly _changed = new Signal<this, void>(this);
  private _filter: RunFilter = {};
  private _next: string | undefined;
  /** The first page is there. */
  private _begun = false;
  private _asked = 0;
  private readonly _meanwhile: RunSummary[] = [];
}

/** The list with the run as it is now. `whole`: nothing lies below the list's end, so a run below it has its place there. */
export function put(runs: readonly RunSummary[], run: RunSummary, fits: boolean, whole: boolean): readonly RunSummary[] {
  const at = place(runs, run.id);
  if (runs[at]?.id === run.id) {
    // What was told late does not undo what is known.
    if (runs[at].sequence > run.sequence) return runs;
    return fits ? runs.with(at, run) : runs.toSpliced(at, 1);
  }
  if (!fits || (at === runs.length && !whole)) return runs;
  return runs.toSpliced(at, 0, run);
}

/** Where the run with this id is; -1 if it is not there. */
export function indexOf(runs: readonly RunSummary[], id: string): number {
  const at = place(runs, id);
  return runs[at]?.id === id ? at : -1;
}

/** Where the run is, or belongs: ids descend. */
function place(runs: readonly RunSummary[], id: string): number {
  let from = 0;
  let to = runs.length;
  while (from < to) {
    const middle = (from + to) >> 1;
    if (runs[middle]!.id > id) from = middle + 1;
    else to = middle;
  }
  return from;
}

/** Pages may overlap where runs came or went while they were asked for. */
function unique(runs: readonly RunSummary[]): readonly RunSummary[] {
  return runs.every((run, index) => index === 0 || runs[index - 1]!.id > run.id)
    ? runs
    : [...new Map(runs.map(run => [run.id, run])).values()].sort((a, b) => (a.id < b.id ? 1 : -1));
}
