/**
 * What one attempt said, kept in its folder: events in `events.jsonl`, each line under the number of its place, anything else in `other.log`.
 * Written in the background, in order; `said.ts` reads it back.
 */
import { mkdirSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Milliseconds that lines are collected before they are written. */
const pause = 200;

export class Record {
  private readonly lines = new Map<string, string[]>();
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();
  private count = 0;

  /** Makes the folder. Throws if it cannot. */
  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Gives the line's number. */
  event(line: string): number {
    this.add('events.jsonl', line);
    return ++this.count;
  }

  other(line: string): void {
    this.add('other.log', line);
  }

  /** Resolves when everything so far is written. A full disk loses the record, not the run. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    const files = [...this.lines];
    this.lines.clear();
    this.writing = this.writing.then(async () => {
      for (const [name, lines] of files)
        await appendFile(join(this.folder, name), `${lines.join('\n')}\n`, { mode: 0o600 }).catch(() => {});
    });
    await this.writing;
  }

  private add(file: string, line: string): void {
    const lines = this.lines.get(file);
    if (lines) lines.push(line);
    else this.lines.set(file, [line]);
    this.timer ??= setTimeout(() => void this.flush(), pause);
  }
}
