/** Every example is a page of documentation that holds: it compiles without a word, and its run prints what top to bottom prints. */
import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { root } from '../installation';
import { choosePython, interpreterIn } from '../targets/local/interpreter';
import { compileFile } from './compiled';
import { readNotebookFile } from './notebook';

const python = interpreterIn(join(root, '.venv')) ?? choosePython({ root }).python;
const examples = join(root, 'examples');
const names = readdirSync(examples).filter(name => name.endsWith('.ipynb'));
const call = promisify(execFile);

const topToBottom = `
import sys, nbclient, nbformat
notebook = nbformat.read(sys.argv[1], 4)
nbformat.validate(notebook)
nbclient.NotebookClient(notebook, kernel_name="python3", resources={"metadata": {"path": "."}}).execute()
nbformat.write(notebook, sys.argv[2])
nbformat.validate(nbformat.read(sys.argv[3], 4))
`;

interface Output {
  output_type: string;
  name?: string;
  text?: string[];
  data?: Record<string, string | string[]>;
}

/** What a reader sees of each cell: text per stream, results and displays in order. Addresses of objects aside. */
function seen(path: string) {
  const cells: { execution_count?: number; outputs?: Output[] }[] = JSON.parse(readFileSync(path, 'utf8')).cells;
  return cells.map(({ execution_count, outputs = [] }) => {
    const stream = (name: string) => outputs.flatMap(output => (output.name === name ? (output.text ?? []) : [])).join('');
    const shown = outputs
      .filter(({ data }) => data)
      .map(({ data }) => [
        Object.keys(data!).sort(),
        [data!['text/plain'] ?? '']
          .flat()
          .join('')
          .replace(/0x[0-9a-f]+/g, '0x…'),
        data!['image/png'],
      ]);
    return { execution_count, stdout: stream('stdout'), stderr: stream('stderr'), shown };
  });
}

test('there are at least six', () => {
  expect(names.length).toBeGreaterThanOrEqual(6);
});

describe.each(names)('%s', name => {
  it('compiles without errors or warnings, and carries no outputs', () => {
    const { notebook, pipeline, problems } = compileFile(readNotebookFile(join(examples, name)));
    expect(problems.filter(({ severity }) => severity !== 'info')).toEqual([]);
    expect(pipeline!.steps.length).toBeGreaterThan(1);
    expect(notebook!.cells.flatMap(({ outputs }) => outputs ?? [])).toEqual([]);
  });

  it('prints as a pipeline what it prints from top to bottom', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'example-'));
    try {
      const [ours, theirs, home] = ['ours', 'theirs', 'home'].map(part => join(folder, part)) as [string, string, string];
      for (const place of [ours, theirs]) cpSync(join(examples, name), join(place, name));
      const done = join(folder, 'done.ipynb');
      await call(join(root, 'bin', 'stepwell'), ['run', name, '--python', python, '--out', done], {
        cwd: ours,
        env: { ...process.env, STEPWELL_HOME: home },
      });
      const expected = join(folder, 'expected.ipynb');
      await call(python, ['-c', topToBottom, name, expected, done], { cwd: theirs });
      expect(seen(done)).toEqual(seen(expected));
      expect(readdirSync(ours)).toEqual([name]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }, 180_000);
});
