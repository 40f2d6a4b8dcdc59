/**
 * What it costs to find out that nothing has changed: ten steps as a whole command, the same inside a process that keeps its store open, and
 * a command whose step reads a file of a gigabyte. Each is checked to have started no Python.
 */
import { existsSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { figure, python, root, row, run, temporary, title } from './measure.mts';

const require = createRequire(import.meta.url);
const stepwell = join(root, 'bin', 'stepwell');

export async function reuse(): Promise<void> {
  const folder = temporary();
  const home = temporary();
  const counted = join(folder, 'python');
  const started = join(folder, 'started');
  writeFileSync(counted, `#!/bin/sh\necho >> '${started}'\nexec '${python}' "$@"\n`, { mode: 0o755 });
  const env = { ...process.env, STEPWELL_HOME: home };
  const command = (notebook: string) => run(stepwell, ['run', notebook, '--python', counted, '--json'], { env });
  const unchanged = (notebook: string) => {
    const { ms, stdout } = command(notebook);
    const ran = JSON.parse(stdout).steps.filter(({ status }: { status: string }) => status !== 'reused');
    if (ran.length > 0 || existsSync(started)) throw new Error(`Something ran that need not: ${JSON.stringify(ran)}`);
    return ms;
  };

  title('Nothing has changed');
  const chain = notebook(join(folder, 'chain.ipynb'), ['x = 1', ...Array.from({ length: 9 }, () => 'x = x + 1')]);
  command(chain);
  rmSync(started);
  row('ten steps, command start to exit', figure(Array.from({ length: 11 }, () => unchanged(chain))));
  row('ten steps, in a running process', figure(await inside(home, chain, counted)));
  if (existsSync(started)) throw new Error('A Python was started.');

  const big = join(folder, 'big.bin');
  writeFileSync(big, '');
  truncateSync(big, 1e9);
  const reader = notebook(join(folder, 'reader.ipynb'), ['n = len(open("big.bin", "rb").read(1000))', 'print(n)']);
  command(reader);
  // What changed within two seconds of being read is read once more.
  await new Promise(resolve => setTimeout(resolve, 3000));
  command(reader);
  rmSync(started, { force: true });
  row('two steps that read a file of 1 GB, command', figure(Array.from({ length: 7 }, () => unchanged(reader))));
  rmSync(folder, { recursive: true, force: true });
  rmSync(home, { recursive: true, force: true });
}

/** Milliseconds of a run from start to end, twenty times. */
async function inside(home: string, notebookPath: string, python: string): Promise<number[]> {
  const { openStore } = require(`${root}/lib/server/store/index.js`);
  const { openArtifacts } = require(`${root}/lib/server/artifacts/index.js`);
  const { compile } = require(`${root}/lib/pipeline/compile/index.js`);
  const { startRun } = require(`${root}/lib/server/engine/run.js`);
  const { attemptFolder, createLocalTarget } = require(`${root}/lib/server/targets/local/index.js`);
  const document = JSON.parse(require('node:fs').readFileSync(notebookPath, 'utf8'));
  const { pipeline } = compile(document);
  const store = await openStore({ url: `sqlite://${join(home, 'stepwell.db')}` });
  const artifacts = openArtifacts(join(home, 'artifacts'));
  const target = createLocalTarget({
    python,
    runnerPath: join(root, 'runner'),
    home,
    folder: join(notebookPath, '..'),
    modules: [],
    lazy: true,
  });
  const options = { parameters: {}, reuse: true, keepGoing: false, python };
  const samples: number[] = [];
  try {
    for (let turn = -3; turn < 20; turn++) {
      const start = performance.now();
      const { steps } = await startRun(
        { notebook: document, notebookPath, pipeline, options },
        { store, artifacts, target, attemptFolder: (id: object) => attemptFolder(home, id) },
      );
      if (steps.some(({ status }: { status: string }) => status !== 'reused')) throw new Error('A step ran that need not.');
      if (turn >= 0) samples.push(performance.now() - start);
    }
  } finally {
    await target.close();
    await store.close();
  }
  return samples;
}

function notebook(path: string, sources: string[]): string {
  const cells = sources.map((source, i) => ({
    cell_type: 'code',
    id: `c${i}`,
    metadata: { tags: [`step:s${i}`] },
    outputs: [],
    execution_count: null,
    source,
  }));
  const kernelspec = { name: 'python3', language: 'python', display_name: 'Python 3' };
  writeFileSync(path, JSON.stringify({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec }, cells }));
  return path;
}
