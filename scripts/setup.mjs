/**
 * From a fresh clone to something that runs: packages, Python environment, build. Each part leaves a stamp of what it was made from and does
 * nothing while the stamp holds, so a second start takes seconds.
 *
 * This file runs on whatever Node the machine has (18 or newer), since it is what installs Node 24; everything after it runs on that one.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');
export const node = join(root, 'node_modules', '.bin', 'node');
export const python = join(root, '.venv', 'bin', 'python');

const suitable = ['3.10', '3.11', '3.12', '3.13'];
const requirements = [
  'runner/requirements.txt',
  'runner/jupyter-requirements.txt',
  'examples/requirements.txt',
  'runner/tests/requirements.txt',
];

/** Does what is missing, in order. Ends the process with a sentence when something cannot be had. */
export async function setup({ quiet = false } = {}) {
  await installPackages(quiet);
  await makePythonEnvironment(quiet);
  arrangeEnvironment();
  await build(quiet);
}

async function installPackages(quiet) {
  const stamp = join(root, 'node_modules', '.stepwell-stamp');
  const wanted = digest(['package-lock.json'], process.platform, process.arch);
  if (existsSync(node) && (read(stamp) === wanted || installedByHand())) {
    writeFileSync(stamp, wanted);
    return;
  }
  await stage('Installing packages (npm ci)', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { quiet });
  if (!existsSync(node) || !runs(node)) {
    // Install scripts are switched off on this machine; this one only fetches Node 24 from the same registry.
    await stage('Fetching Node 24', process.execPath, ['installArchSpecificPackage.js'], {
      quiet,
      cwd: join(root, 'node_modules', 'node'),
    });
  }
  writeFileSync(stamp, wanted);
}

/** `npm install` or `npm ci` was run by hand and is newer than the lock file: npm leaves a copy of the lock file in node_modules. */
function installedByHand() {
  const copy = join(root, 'node_modules', '.package-lock.json');
  return existsSync(copy) && statSync(copy).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs && runs(node);
}

async function makePythonEnvironment(quiet) {
  const stamp = join(root, '.venv', '.stepwell-stamp');
  const wanted = digest(requirements);
  if (read(stamp) === wanted && runs(python) && existsSync(join(root, 'build', 'packages'))) return;
  if (!runs(python) || !suitable.includes(versionOf(python))) {
    const found = findPython();
    rmSync(join(root, '.venv'), { recursive: true, force: true });
    await stage(`Making a Python ${found.version} environment in .venv`, found.command, ['-m', 'venv', '.venv'], {
      quiet,
      advice: `Python's venv module does not work here. On Debian and Ubuntu: apt-get install python${found.version}-venv (or python3-venv).`,
    });
  }
  const files = requirements.flatMap(file => ['-r', file]);
  await stage(
    'Installing Python packages',
    python,
    ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-input', ...files],
    {
      quiet,
      env: { PYTHONDONTWRITEBYTECODE: '' },
      advice: 'pip could not install what the runner and the examples need; its words are above. Is the package index reachable?',
    },
  );
  const bundled = ['--target', join(root, 'build', 'packages'), '--upgrade', '--no-deps', 'cloudpickle'];
  await stage(
    'Fetching what the runner brings along',
    python,
    ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...bundled],
    { quiet },
  );
  writeFileSync(stamp, wanted);
}

function findPython() {
  const names = ['python3', 'python', ...[...suitable].reverse().map(version => `python${version}`)];
  const seen = [];
  for (const command of names) {
    const version = versionOf(command);
    if (version && suitable.includes(version)) return { command, version };
    if (version) seen.push(version);
  }
  stop(
    `Stepwell needs Python ${suitable[0]} to ${suitable[suitable.length - 1]}, and ${seen.length ? `only ${seen.join(', ')} was found` : 'none was found'}. Install one (apt-get install python3 python3-venv; brew install python@3.13) and start again.`,
  );
}

function versionOf(command) {
  const answer = spawnSync(command, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], { encoding: 'utf8' });
  return answer.status === 0 ? answer.stdout.trim() : undefined;
}

/**
 * Two small files in the environment of the checkout: `import stepwell` means the checkout's own, with no package that would have to be
 * installed again; and JupyterLab does not open by asking about its news.
 */
function arrangeEnvironment() {
  const environment = join(root, '.venv');
  const quietly = { '@jupyterlab/apputils-extension:notification': { fetchNews: 'false', checkForUpdates: false } };
  write(join(makeFolder(join(environment, 'etc', 'jupyter', 'labconfig')), 'default_setting_overrides.json'), JSON.stringify(quietly));
  for (const version of readdirSync(join(environment, 'lib')))
    write(join(environment, 'lib', version, 'site-packages', 'stepwell-checkout.pth'), join(root, 'runner'));
}

function write(file, line) {
  if (read(file) !== `${line}\n`) writeFileSync(file, `${line}\n`);
}

async function build(quiet) {
  // The compiler keeps its own account of what is new; asking it takes half a second.
  const built = existsSync(join(root, 'lib', 'server', 'cli', 'main.js'));
  await stage('Building', node, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'], { quiet: quiet || built });
  await bundleExtension(quiet);
}

/** What JupyterLab loads: one bundle with its settings and styles, where `setup-jupyter.json` tells JupyterLab to look. */
async function bundleExtension(quiet) {
  const stamp = join(root, 'build', 'labextensions', '.stepwell-stamp');
  const parts = ['lib/extension', 'lib/pipeline', 'style', 'schema'].flatMap(filesIn);
  const wanted = digest(['package.json', 'package-lock.json', ...parts], ...parts);
  const built = existsSync(join(root, 'build', 'labextensions', 'stepwell', 'package.json'));
  if (built && read(stamp) === wanted) return;
  const builder = join(root, 'node_modules', '@jupyter', 'builder', 'lib', 'build-labextension.js');
  const core = join(root, 'node_modules', '@jupyterlab', 'core-meta', 'core.package.json');
  await stage('Bundling the JupyterLab extension', node, [builder, '--core-package-file', core, root], { quiet: quiet || built });
  writeFileSync(stamp, wanted);
}

function filesIn(folder) {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath ?? entry.path, entry.name).slice(root.length + 1))
    .sort();
}

/** Runs one command with a line that says what and how long; what it prints is shown when it fails. */
export async function stage(title, command, args, { quiet = false, cwd = root, env = {}, advice } = {}) {
  const started = Date.now();
  const seconds = () => `${((Date.now() - started) / 1000).toFixed(1)} s`;
  if (!quiet) console.error(`${title} …`);
  const beat = setInterval(() => console.error(`  … still at it: ${title.toLowerCase()} (${seconds()})`), 15_000);
  const { code, output } = await run(command, args, { cwd, env });
  clearInterval(beat);
  if (code !== 0) {
    console.error(output.trimEnd());
    stop(`${title} failed. ${advice ?? `The command was: ${command} ${args.join(' ')}`}`);
  }
  if (!quiet) console.error(`  done in ${seconds()}`);
}

function run(command, args, { cwd, env }) {
  return new Promise(resolve => {
    const child = spawn(command, args, { cwd, env: { ...environment(), ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    const parts = [];
    child.stdout.on('data', part => parts.push(part));
    child.stderr.on('data', part => parts.push(part));
    child.on('error', error => resolve({ code: 1, output: error.message }));
    child.on('close', code => resolve({ code, output: Buffer.concat(parts).toString() }));
  });
}

/** The environment for what comes after set-up: Node 24 first on the path. */
export function environment() {
  return { ...process.env, PATH: [join(root, 'node_modules', '.bin'), process.env.PATH].join(delimiter) };
}

function runs(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

function digest(files, ...more) {
  const hash = createHash('sha256').update(more.join());
  for (const file of files) hash.update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function read(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

function stop(sentence) {
  console.error(`\n${sentence}`);
  process.exit(1);
}

export function makeFolder(path) {
  mkdirSync(path, { recursive: true });
  return path;
}
