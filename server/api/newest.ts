/** What happens to runs in general, for lists of them: the newest summary of each run that moved, no oftener than a few times a second. */
import type { RunSummary } from '../../pipeline/model/protocol';
import type { Run } from '../../pipeline/model/run';

/** Milliseconds between two looks at what moved. */
const pause = 250;

export class Newest {
  private readonly moved = new Map<string, Run>();
  private timer: NodeJS.Timeout | undefined;
  private looked = 0;
  private looking = false;
  private closed = false;

  constructor(
    private readonly options: {
      summaries(runs: Run[]): Promise<RunSummary[]>;
      send(summaries: RunSummary[]): void;
      failed(error: unknown): void;
      /** Nobody listens: nothing is asked. */
      wanted(): boolean;
    },
  ) {}

  /** A run that moves for the first time in a while is told at once. */
  tell(run: Run): void {
    if (this.closed || !this.options.wanted()) return;
    this.moved.set(run.id, run);
    this.plan();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private plan(): void {
    if (this.timer || this.looking || this.closed) return;
    this.timer = setTimeout(() => void this.look(), Math.max(0, this.looked + pause - performance.now()));
    this.timer.unref();
  }

  private async look(): Promise<void> {
    this.timer = undefined;
    this.looking = true;
    this.looked = performance.now();
    const runs = [...this.moved.values()];
    this.moved.clear();
    try {
      const summaries = await this.options.summaries(runs);
      if (!this.closed) this.options.send(summaries);
    } catch (error) {
      this.options.failed(error);
    } finally {
      this.looking = false;
    }
    if (this.moved.size > 0) this.plan();
  }
}
