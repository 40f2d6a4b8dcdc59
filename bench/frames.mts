/** A 100 MB frame from one step's process to the next: time and bytes on disk, against memory-mapped pickle 5 as the floor. See frames.py. */
import { join } from 'node:path';
import { figure, python, root, row, run, title } from './measure.mts';

interface Turn {
  kind: 'numeric' | 'text';
  way: 'ours' | 'floor';
  ms: number;
  bytes: number;
  memory: number;
}

export function frames(): void {
  const env = { ...process.env, PYTHONPATH: join(root, 'runner') };
  const { stdout } = run(python, [join(root, 'bench', 'frames.py'), '7'], { env });
  const turns: Turn[] = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  for (const kind of ['numeric', 'text'] as const) {
    const of = (way: Turn['way']) => turns.filter(turn => turn.kind === kind && turn.way === way);
    title(`A frame of ${Math.round(of('ours')[0]!.memory / 1e6)} MB in memory (${kind === 'text' ? 'with a column of text' : 'numbers'})`);
    const base = { name: 'floor', figure: figure(of('floor').map(turn => turn.ms)) };
    row('Stepwell: producer has it to consumer has it', figure(of('ours').map(turn => turn.ms)), base);
    row('floor: pickle 5, buffers written once and mapped', base.figure);
    row(
      'Stepwell: on disk',
      figure(of('ours').map(turn => turn.bytes / 1e6)),
      { name: 'floor', figure: figure(of('floor').map(turn => turn.bytes / 1e6)) },
      'MB',
    );
  }
}
