/**
 * A stream whose items are numbered from 1 without gaps, as it comes over a connection that may break: what was seen is dropped, what is
 * missing is fetched, and so each item is handed on once and in order. Everything that contains no gap is handed on at once.
 */
export class Numbered<T> {
  constructor(
    /** Number of the item that was handed on last. */
    public last: number,
    private readonly _how: {
      number(item: T): number;
      /** Some items after that number, in order; none when there are no more. */
      fetch(after: number): Promise<T[]>;
      deliver(items: T[]): void;
    },
  ) {}

  take(items: T[]): void {
    const fresh = items.filter(item => this._how.number(item) > this.last);
    const first = fresh[0];
    if (first === undefined) return;
    if (this._how.number(first) === this.last + 1) this._deliver(fresh);
    else void this._fill(this._how.number(fresh[fresh.length - 1]!));
  }

  private _deliver(items: T[]): void {
    this.last = this._how.number(items[items.length - 1]!);
    this._how.deliver(items);
  }

  /** Fetches until that number has been seen. What cannot be fetched now is asked for again when the next item comes, or the connection. */
  private async _fill(until: number): Promise<void> {
    this._until = Math.max(this._until, until);
    if (this._filling) return;
    this._filling = true;
    try {
      while (this.last < this._until) {
        const page = await this._how.fetch(this.last);
        const fresh = page.filter(item => this._how.number(item) > this.last);
        if (fresh.length > 0) this._deliver(fresh);
        else if (page.length === 0) break;
      }
    } catch {
      // The connection says so itself.
    } finally {
      this._filling = false;
      this._until = 0;
    }
  }

  private _filling = false;
  private _until = 0;
}
