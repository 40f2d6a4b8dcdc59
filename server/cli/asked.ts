/**
 * Whether the same has been asked for before, and was done. Then it is likely that nothing has to run, and no Python is started before it turns
 * out that something does; a wrong guess costs a moment, never an answer.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { NotebookFile } from './notebook';

interface Asked {
  parameter?: Record<string, string>;
  python?: string;
  reuse: boolean;
  from?: string;
  only?: string;
  target?: string;
}

export class Before {
  private readonly digest: string;
  private readonly place: string;

  constructor(
    { path, text }: NotebookFile,
    private readonly flags: Asked,
    home: string,
  ) {
    this.digest = sha256(JSON.stringify([code(text), flags.parameter, flags.python, flags.target]));
    this.place = join(home, 'asked', sha256(path).slice(0, 32));
  }

  get wasDone(): boolean {
    if (!this.flags.reuse || this.flags.from !== undefined || this.flags.only !== undefined) return false;
    try {
      return readFileSync(this.place, 'utf8') === this.digest;
    } catch {
      return false;
    }
  }

  done(): void {
    try {
      mkdirSync(join(this.place, '..'), { recursive: true, mode: 0o700 });
      writeFileSync(this.place, this.digest);
    } catch {
      // Python is started at once next time.
    }
  }
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** What runs, without outputs, which a save in JupyterLab changes. */
function code(text: string): unknown {
  try {
    const { cells, metadata } = JSON.parse(text);
    return [
      metadata?.stepwell,
      cells.map((cell: Record<string, unknown>) => [cell.cell_type, cell.source, (cell.metadata as Record<string, unknown>)?.tags]),
    ];
  } catch {
    return text;
  }
}
