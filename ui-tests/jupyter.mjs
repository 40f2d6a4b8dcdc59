/**
 * A JupyterLab of its own for the tests: wired by `setup-jupyter.json` as a user's is, in a temporary folder with its own settings, store and
 * port, behind a token and with Jupyter's cross-site checks on (Galata's own server configuration would switch both off).
 */
import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cpSync, createWriteStream, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { environment, python, root } from '../scripts/setup.mjs';

/**
 * Starts JupyterLab and resolves when it answers. `folder` holds everything it writes and goes when it is stopped. Without `stepwell`, the
 * same JupyterLab without the extension and the service.
 */
export async function startJupyter({ stepwell = true, log } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'stepwell-ui-'));
  const notebooks = join(folder, 'notebooks');
  const home = join(folder, 'home');
  for (const path of [notebooks, home]) mkdirSync(path);
  const token = randomBytes(16).toString('hex');
  const port = await freePort();
  // A copy, so that a build in the middle of the stories does not take the files away from under the page.
  const built = join(folder, 'labextensions');
  if (stepwell) cpSync(join(root, 'build', 'labextensions'), built, { recursive: true });
  const extensions = [...(stepwell ? [built] : []), galataExtension()];
  const output = createWriteStream(log ?? join(folder, 'jupyter.log'));
  await new Promise(resolve => output.once('open', resolve));
  const child = spawn(
    python,
    [
      ...['-m', 'jupyterlab', '--no-browser', `--port=${port}`, '--ServerApp.port_retries=0', `--IdentityProvider.token=${token}`],
      ...(stepwell ? [`--config=${join(root, 'setup-jupyter.json')}`] : ['--ServerApp.jpserver_extensions={"stepwell":False}']),
      ...(process.getuid?.() === 0 ? ['--allow-root'] : []),
      `--ServerApp.root_dir=${notebooks}`,
      ...extensions.map(path => `--LabApp.extra_labextensions_path=${path}`),
      '--LabApp.expose_app_in_browser=True',
    ],
    { cwd: root, env: environmentIn(folder, home), stdio: ['ignore', output, output], detached: true },
  );
  const ended = new Promise(resolve => child.once('exit', resolve));
  const jupyter = {
    url: `http://localhost:${port}`,
    token,
    folder,
    notebooks,
    home,
    python: ask('import platform; print(platform.python_version())'),
  };
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => signalGroup(child.pid, 'SIGKILL'), 15_000);
    await ended;
    clearTimeout(timer);
    const left = await leftBehind(folder);
    for (const { pid } of left) process.kill(pid, 'SIGKILL');
    output.end();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    return left;
  };
  try {
    await Promise.race([
      answers(jupyter),
      ended.then(code => {
        throw new Error(`JupyterLab ended with ${code} before it answered:\n${readFileSync(output.path, 'utf8').slice(-4000)}`);
      }),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { ...jupyter, stop };
}

function environmentIn(folder, home) {
  return {
    ...environment(),
    STEPWELL_HOME: home,
    JUPYTER_CONFIG_DIR: join(folder, 'config'),
    JUPYTER_DATA_DIR: join(folder, 'data'),
    JUPYTER_RUNTIME_DIR: join(folder, 'runtime'),
    JUPYTERLAB_SETTINGS_DIR: join(folder, 'settings'),
    JUPYTERLAB_WORKSPACES_DIR: join(folder, 'workspaces'),
    IPYTHONDIR: join(folder, 'ipython'),
    PYTHONDONTWRITEBYTECODE: '',
  };
}

/** JupyterLab carries the page half of Galata in its own package. */
function galataExtension() {
  return ask('import pathlib, jupyterlab; print(pathlib.Path(jupyterlab.__file__).parent / "galata")');
}

function ask(code) {
  return execFileSync(python, ['-c', code], { encoding: 'utf8' }).trim();
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

async function answers({ url, token }) {
  const deadline = Date.now() + 90_000;
  for (;;) {
    const answer = await fetch(`${url}/api/status`, { headers: { authorization: `token ${token}` } }).catch(() => undefined);
    if (answer?.ok) return;
    if (Date.now() > deadline) throw new Error(`JupyterLab did not answer at ${url} within 90 s.`);
    await pause(100);
  }
}

/** What Jupyter or the service started and what still runs although Jupyter has ended: nothing should. What is just going gets a moment. */
async function leftBehind(folder) {
  const deadline = Date.now() + 5_000;
  for (;;) {
    const left = processesIn(folder);
    if (left.length === 0 || Date.now() > deadline) return left;
    await pause(100);
  }
}

/** Processes that descend from the Jupyter of this folder, by what Linux tells of their environment; elsewhere none are found. */
export function processesIn(folder) {
  const found = [];
  for (const pid of readProc()) {
    try {
      const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      if (variables.includes(`JUPYTER_CONFIG_DIR=${join(folder, 'config')}`))
        found.push({ pid: Number(pid), command: readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim() });
    } catch {
      // It has just ended, or is not ours to look at.
    }
  }
  return found.filter(({ command }) => command);
}

function readProc() {
  try {
    return readdirSync('/proc').filter(name => /^\d+$/.test(name));
  } catch {
    return [];
  }
}

function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch {
    // The group has gone.
  }
}

const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
