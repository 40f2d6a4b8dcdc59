/**
 * `npm run wheel-check`: does what somebody does who installs the wheel: a new environment with the wheel and JupyterLab in it, a run on the
 * command line, and a JupyterLab that has the extension and answers for the service. Nothing of this checkout is on any path.
 */
import { execFileSync, spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { python, root } from './setup.mjs';
import './wheel.mjs';

const wheel = join(root, 'build', 'dist', readdirSync(join(root, 'build', 'dist'))[0]);
const base = mkdtempSync(join(tmpdir(), 'stepwell-wheel-'));
const bin = name => join(base, 'env', 'bin', name);
const work = join(base, 'work');
const token = 'of-the-check';
const environment = {
  PATH: '/usr/local/bin:/usr/bin:/bin',
  HOME: base,
  LANG: 'C.UTF-8',
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => /^(?:PIP_|https?_proxy$|no_proxy$|SSL_|REQUESTS_)/i.test(name))),
};

let jupyter;
let failed = false;
try {
  await check('a new environment takes the wheel and JupyterLab', () => {
    execFileSync(python, ['-m', 'venv', join(base, 'env')]);
    run(bin('python'), ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', wheel, 'jupyterlab~=4.6.0', 'ipykernel']);
  });
  cpSync(join(root, 'examples'), work, { recursive: true });
  await check('a notebook runs on the command line', () => {
    expect(run(bin('stepwell'), ['run', '05-plain-python.ipynb', '--out', 'done.ipynb']), 'done.ipynb');
    expect(run(bin('stepwell'), ['doctor']), join(base, 'env'));
  });
  await check('Jupyter lists the extension', () =>
    expect(run(bin('jupyter'), ['labextension', 'list']), /stepwell v[\d.]+ .*enabled.* OK/),
  );
  await check('Jupyter lists the server extension', () =>
    expect(run(bin('jupyter'), ['server', 'extension', 'list']), /stepwell.*enabled/),
  );
  await check('JupyterLab starts and answers for the service', async () => {
    const port = 20_000 + Math.floor(Math.random() * 20_000);
    const options = [
      `--port=${port}`,
      '--ServerApp.port_retries=0',
      `--IdentityProvider.token=${token}`,
      '--ServerApp.base_url=/user/ann/',
    ];
    jupyter = spawn(bin('jupyter'), ['lab', '--no-browser', '--allow-root', ...options], { cwd: work, env: environment, stdio: 'pipe' });
    let log = '';
    for (const stream of [jupyter.stdout, jupyter.stderr]) stream.on('data', part => (log += part));
    const address = `http://127.0.0.1:${port}/user/ann`;
    const info = await answer(`${address}/stepwell/api/v1/service`, () => log);
    expect(JSON.stringify(info), '"withJupyter":true');
    const page = await fetch(`${address}/lab?token=${token}`).then(one => one.text());
    expect(page, 'static/remoteEntry');
  });
} finally {
  await new Promise(resolve => (jupyter ? jupyter.once('exit', resolve) && jupyter.kill('SIGTERM') : resolve()));
  rmSync(base, { recursive: true, force: true });
}
console.log(failed ? '\nThe wheel is not in order' : '\nThe wheel is in order');
process.exit(failed ? 1 : 0);

async function check(title, work) {
  if (failed) return;
  try {
    await work();
    console.log(`✓ ${title}`);
  } catch (error) {
    failed = true;
    console.log(`✗ ${title}\n${error.stderr ?? ''}${error.stdout ?? ''}${error.message}`);
  }
}

/** What it printed, on either stream: some of Jupyter's lists go to standard error. */
function run(command, args) {
  const cwd = readdirSync(base).includes('work') ? work : base;
  return execFileSync('/bin/sh', ['-c', 'exec "$0" "$@" 2>&1', command, ...args], { cwd, env: environment, encoding: 'utf8' });
}

function expect(text, wanted) {
  const plain = text.replace(/\x1b\[[\d;]*m/g, '');
  if (typeof wanted === 'string' ? !plain.includes(wanted) : !wanted.test(plain)) throw new Error(`Expected ${wanted} in:\n${plain}`);
}

async function answer(url, log) {
  for (const end = Date.now() + 60_000; Date.now() < end; ) {
    try {
      const found = await fetch(url, { headers: { Authorization: `token ${token}` } });
      if (found.ok) return await found.json();
    } catch {
      // Not listening yet.
    }
    await new Promise(resolve => setTimeout(resolve, 200));
  }
  throw new Error(`${url} did not answer:\n${log()}`);
}
