/**
 * A gate holds a step until the story opens it: the step looks for a file that the story writes. So a story sees "running" for as long as it
 * likes, and nothing waits by the clock.
 */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { jupyter } from './test.ts';

export class Gate {
  private readonly file = join(mkdtempSync(join(jupyter.folder, 'gate-')), 'open');

  /** Code that goes on when the gate is open. */
  get code(): string {
    return `import os, time\nwhile not os.path.exists(${JSON.stringify(this.file)}):\n    time.sleep(0.01)`;
  }

  open(): void {
    writeFileSync(this.file, '');
  }
}
