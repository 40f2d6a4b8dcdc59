/** A folder becomes the same artifact as long as it is the same, and the runner finds in it what was there. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { python } from '../targets/local/python-for-tests';
import { Bundles } from './bundle';
import { type Artifacts, openArtifacts } from './index';

let root: string;
let folder: string;
let artifacts: Artifacts;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'bundle-'));
  folder = join(root, 'notebook');
  mkdirSync(folder);
  artifacts = openArtifacts(join(root, 'artifacts'));
});
afterEach(async () => {
  await artifacts.settle();
  rmSync(root, { recursive: true, force: true });
});
const write = (name: string, content: string) => {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), content);
  utimesSync(join(folder, name), 1_700_000_000, 1_700_000_000);
};

/** The bundle unpacked as the runner does it. */
async function unpacked(): Promise<string> {
  const { digest } = await new Bundles(artifacts).of(folder);
  const to = join(root, 'unpacked');
  const program = 'import sys\nfrom stepwell.unpacking import unpack\nunpack(*sys.argv[1:])';
  execFileSync(python, ['-c', program, artifacts.path(digest), to], { env: { PYTHONPATH: join(__dirname, '..', '..', 'runner') } });
  return to;
}

it('holds files, folders, links and long names', async () => {
  const long = `${'d'.repeat(90)}/${'f'.repeat(120)}.txt`;
  write('a.csv', 'a,b\n');
  write('zażółć.txt', 'gęślą');
  write(long, 'long');
  write('exact.bin', 'x'.repeat(1024));
  write('empty', '');
  symlinkSync('a.csv', join(folder, 'link.csv'));
  const to = await unpacked();
  expect(readFileSync(join(to, 'a.csv'), 'utf8')).toBe('a,b\n');
  expect(readFileSync(join(to, 'link.csv'), 'utf8')).toBe('a,b\n');
  expect(readFileSync(join(to, 'zażółć.txt'), 'utf8')).toBe('gęślą');
  expect(readFileSync(join(to, long), 'utf8')).toBe('long');
  expect(readFileSync(join(to, 'exact.bin'), 'utf8')).toHaveLength(1024);
  expect(readFileSync(join(to, 'empty'), 'utf8')).toBe('');
});

it('leaves out caches, and takes files that links outside lead to as files', async () => {
  writeFileSync(join(root, 'outside.txt'), 'outside');
  symlinkSync(join(root, 'outside.txt'), join(folder, 'in.txt'));
  symlinkSync('/', join(folder, 'system'));
  symlinkSync('nowhere', join(folder, '..', 'broken'));
  write('.git/config', 'secret');
  write('__pycache__/a.pyc', '');
  const to = await unpacked();
  expect(readFileSync(join(to, 'in.txt'), 'utf8')).toBe('outside');
  expect(() => readFileSync(join(to, 'system', 'etc', 'passwd'))).toThrow();
  expect(() => readFileSync(join(to, '.git', 'config'))).toThrow();
});

it('is the same as long as the folder is, and another when a file has changed', async () => {
  write('a.csv', 'one');
  const bundles = new Bundles(artifacts);
  const first = await bundles.of(folder);
  expect(await bundles.of(folder)).toEqual(first);
  expect(await new Bundles(artifacts).of(folder)).toEqual(first);
  write('a.csv', 'other');
  expect(await bundles.of(folder)).not.toEqual(first);
});
