/**
 * `npm start`: from a fresh clone to JupyterLab with the first example open. Arguments go to `jupyter lab` (`npm start -- --port=9999`).
 *
 * JupyterLab's settings, workspaces and runtime files stay in `build/jupyter`, so that a look at this checkout changes nothing in the home of
 * who looks. Ctrl-C ends JupyterLab, its kernels and the service.
 */
import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { makeFolder, python, root, setup } from './setup.mjs';

const example = 'examples/01-train-a-classifier.ipynb';
const asRoot = process.getuid?.() === 0;

await setup();
const open = hasBrowser();
console.error(`
Starting JupyterLab with ${example}. ${open ? 'It opens in the browser.' : 'Open the address that it prints below in a browser.'}
Ctrl-C ends it. The same example on the command line:  bin/stepwell run ${example} --python .venv --out build/done.ipynb
`);

const child = spawn(
  python,
  [
    ...['-m', 'jupyterlab', '--config=setup-jupyter.json', `--ServerApp.root_dir=${root}`, `--LabApp.default_url=/lab/tree/${example}`],
    ...(open ? [] : ['--no-browser']),
    ...(asRoot ? ['--allow-root'] : []),
    ...process.argv.slice(2),
  ],
  // A group of its own: Ctrl-C reaches this process alone, which then asks once instead of Jupyter's asking back.
  { cwd: root, stdio: ['ignore', 'inherit', 'inherit'], detached: true, env: jupyterEnvironment() },
);

let asked = 0;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(asked++ === 0 ? 'SIGTERM' : 'SIGKILL'));
child.on('error', error => {
  console.error(`JupyterLab could not be started: ${error.message}`);
  process.exit(1);
});
child.on('exit', code => process.exit(asked > 0 ? 0 : (code ?? 1)));

function jupyterEnvironment() {
  const own = join(root, 'build', 'jupyter');
  const folder = name => makeFolder(join(own, name));
  return {
    ...process.env,
    PATH: [join(root, '.venv', 'bin'), process.env.PATH].join(delimiter),
    VIRTUAL_ENV: join(root, '.venv'),
    JUPYTER_CONFIG_DIR: folder('config'),
    JUPYTER_DATA_DIR: folder('data'),
    JUPYTER_RUNTIME_DIR: folder('runtime'),
    IPYTHONDIR: folder('ipython'),
  };
}

/** Whether a browser would come up where the person sits: not in CI, over ssh, without a screen, or as root, where browsers refuse to start. */
function hasBrowser() {
  const { CI, SSH_CONNECTION, DISPLAY, WAYLAND_DISPLAY } = process.env;
  return !CI && !SSH_CONNECTION && !asRoot && (process.platform === 'darwin' || Boolean(DISPLAY || WAYLAND_DISPLAY));
}
