/**
 * What one machine takes on at once, over all runs: so many attempts, and so many runs that have begun. Both are given out in the order in
 * which they were asked for; a run that has had its turn asks again behind the others.
 */
export class Slots {
  private taken = 0;
  private readonly wanting = new Set<() => void>();
  private begun = 0;
  private readonly queue = new Set<() => void>();

  constructor(readonly size: number) {}

  get free(): number {
    return Math.max(0, this.size - this.taken);
  }

  /** Attempts that have a slot. */
  get running(): number {
    return this.taken;
  }

  /** Runs that wait: for their turn, or for a slot. */
  get waiting(): number {
    return this.queue.size + this.wanting.size;
  }

  take(): void {
    this.taken++;
  }

  give(): void {
    this.taken--;
    // Each may take what is free before the next is asked.
    for (const ask of [...this.wanting]) {
      if (this.free === 0) return;
      this.wanting.delete(ask);
      ask();
    }
  }

  /** `ask` is called once, when a slot is free. */
  want(ask: () => void): void {
    this.wanting.add(ask);
  }

  forget(ask: () => void): void {
    this.wanting.delete(ask);
  }

  /** Resolves when the run may begin, at once when the signal is aborted. What it gives ends the turn, and is to be called once. */
  async turn(signal?: AbortSignal): Promise<() => void> {
    if (this.begun >= this.size && !signal?.aborted) {
      await new Promise<void>(resolve => {
        const come = () => {
          this.queue.delete(come);
          signal?.removeEventListener('abort', come);
          resolve();
        };
        this.queue.add(come);
        signal?.addEventListener('abort', come);
      });
    }
    this.begun++;
    return () => {
      this.begun--;
      if (this.begun < this.size) this.queue.values().next().value?.();
    };
  }
}
