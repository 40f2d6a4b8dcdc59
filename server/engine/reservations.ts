/**
 * Equal steps that would run at once compute once: whoever comes first runs, the others wait and look again when it has ended. By key, within
 * one process; a step that waits holds no slot.
 */
export class Reservations {
  private readonly held = new Map<string, Set<() => void>>();

  /** What gives it back, when the key is free; undefined when it is held: then `free` is called once, when it is given back. */
  take(key: string, free: () => void): (() => void) | undefined {
    const waiting = this.held.get(key);
    if (waiting) {
      waiting.add(free);
      return undefined;
    }
    const mine = new Set<() => void>();
    this.held.set(key, mine);
    return () => {
      if (this.held.get(key) !== mine) return;
      this.held.delete(key);
      for (const ask of mine) ask();
    };
  }
}
