/** Overhead of steps and whole runs: a chain of ten trivial steps and a fan-out of twenty with a join, against papermill once per step, nbclient, and a bare fork. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { figure, python, root, row, run, temporary, title } from './measure.mts';

const stepwell = join(root, 'bin', 'stepwell');

export function steps(): void {
  const folder = temporary();
  const env = { ...process.env, STEPWELL_HOME: temporary() };

  const chain = write(join(folder, 'chain.ipynb'), [
    ['step:s0', 'x = 1'],
    ...Array.from({ length: 9 }, (_, i): Tagged => [`step:s${i + 1}`, 'x = x + 1']),
  ]);
  const alone = write(join(folder, 'alone.ipynb'), [['step:s', 'x = 1']]);
  const fan = write(join(folder, 'fan.ipynb'), [
    ['step:start', 'n = 3'],
    ...Array.from({ length: 20 }, (_, i): Tagged => [`step:w${i}`, `r${i} = n * ${i}`]),
    ['step:join', `print(${Array.from({ length: 20 }, (_, i) => `r${i}`).join(' + ')})`],
  ]);

  title('A chain of ten trivial steps');
  const overhead: number[] = [];
  const total: number[] = [];
  for (let turn = -1; turn < 7; turn++) {
    const { ms, stdout } = run(stepwell, ['run', chain, '--python', python, '--no-reuse', '--json'], { env });
    if (turn < 0) continue;
    total.push(ms);
    for (const step of JSON.parse(stdout).steps.slice(1)) {
      const { queued: _, user, ...rest } = step.seconds;
      overhead.push(1000 * Object.values(rest as Record<string, number>).reduce((sum, part) => sum + part, 0));
    }
  }
  const floor = figure(run(python, ['-c', forkFloor]).stdout.trim().split('\n').map(Number));
  const papermill: number[] = [];
  for (let turn = 0; turn < 4; turn++)
    papermill.push(
      run(python, ['-m', 'papermill', '--no-progress-bar', alone, join(folder, 'out.ipynb')], { stdio: ['ignore', 'pipe', 'pipe'] }).ms,
    );
  const nbclient: number[] = [];
  for (let turn = 0; turn < 3; turn++) nbclient.push(run(python, ['-c', throughNbclient, chain]).ms);
  const base = { name: 'papermill', figure: figure(papermill) };
  row('Stepwell: overhead of a step', figure(overhead), base);
  row('floor: fork of a parent with IPython, and its reply', floor, base);
  row('papermill: one step (a process and a kernel)', base.figure);
  const tenTimes = { name: 'papermill, ten times', figure: figure(papermill.map(ms => ms * 10)) };
  row('Stepwell: ten steps, command start to exit', figure(total), tenTimes);
  row('nbclient: the ten cells in one kernel, no steps', figure(nbclient), tenTimes);

  title('Twenty steps side by side, and a join');
  const wide: number[] = [];
  for (let turn = 0; turn < 5; turn++) wide.push(run(stepwell, ['run', fan, '--python', python, '--no-reuse', '--json'], { env }).ms);
  row('Stepwell: command start to exit', figure(wide), { name: 'ten in a chain', figure: figure(total) });
}

type Tagged = [tag: string, source: string];

function write(path: string, cells: Tagged[]): string {
  mkdirSync(join(path, '..'), { recursive: true });
  const kernelspec = { name: 'python3', language: 'python', display_name: 'Python 3' };
  const body = cells.map(([tag, source], i) => ({
    cell_type: 'code',
    id: `c${i}`,
    metadata: { tags: [tag] },
    outputs: [],
    execution_count: null,
    source,
  }));
  writeFileSync(path, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells: body }));
  return path;
}

const throughNbclient = `
import sys, nbformat
from nbclient import NotebookClient
NotebookClient(nbformat.read(sys.argv[1], 4)).execute()
`;

const forkFloor = `
import os, time, IPython.core.interactiveshell
for _ in range(60):
    start = time.perf_counter()
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writer, b"x")
        os._exit(0)
    os.read(reader, 1)
    os.waitpid(child, 0)
    os.close(reader); os.close(writer)
    print((time.perf_counter() - start) * 1000)
`;
