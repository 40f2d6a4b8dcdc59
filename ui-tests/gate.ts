/**
 * A gate holds a step until the story opens it: the step looks for a file that the story writes. So a story sees "running" for as long as it
 * likes, and nothing waits by the clock.
 */
import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export class Gate {
  private readonly _folder: string;

  constructor(folder: string) {
    this._folder = mkdtempSync(join(folder, 'gate-'));
  }

  /** Code that goes on when the gate is open. */
  get code(): string {
    const open = JSON.stringify(this.file);
    const held = JSON.stringify(this._file('held'));
    return `import os, time\nwith open(${held}, 'w') as file: file.write(str(os.getpid()))\nwhile not os.path.exists(${open}): time.sleep(0.01)`;
  }

  /** The file that is there when the gate is open. */
  get file(): string {
    return this._file('open');
  }

  open(): void {
    writeFileSync(this.file, '');
  }

  /** Whether the process that came to the gate is alive. */
  get alive(): boolean {
    if (!existsSync(this._file('held'))) return false;
    try {
      return process.kill(Number(readFileSync(this._file('held'), 'utf8')), 0);
    } catch {
      return false;
    }
  }

  private _file(name: string): string {
    return join(this._folder, name);
  }
}
