/**
 * `npm run ui-tests`: installs Galata, builds what is missing, starts a JupyterLab of its own and tells the stories in `ui-tests/stories` to a
 * real browser. Arguments go to Playwright (`npm run ui-tests -- -g 'dark theme'`). Ends with one line "N passed, N failed".
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startJupyter } from '../ui-tests/jupyter.mjs';
import { environment, makeFolder, node, root, setup, stage } from './setup.mjs';

const room = join(root, 'ui-tests');
const report = join(makeFolder(join(root, 'build', 'tests')), 'ui-tests.json');
const browser = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';
if (!existsSync(browser)) {
  console.error(`There is no Chromium at ${browser}. Install it (apt-get install chromium) or name it: CHROMIUM_PATH=… npm run ui-tests`);
  process.exit(1);
}

await setup();
await installGalata();
const typescript = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
await stage('Checking the types of the stories', node, [typescript, '-p', room], { quiet: true });

const jupyter = await startJupyter({ log: join(root, 'build', 'tests', 'ui-tests-jupyter.log') });
let child;
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child?.kill(signal));
rmSync(report, { force: true });
const code = await playwright();
const left = await jupyter.stop();
for (const { pid, command } of left) console.error(`Still running after Jupyter had ended: ${pid} ${command}`);

const { passed, failed } = counts();
// A browser that does not start, a story that cannot be loaded, a process that stays: each is a failure although no story failed.
const total = Math.max(failed, code === 0 ? 0 : 1) + (left.length > 0 ? 1 : 0);
console.log(`\n${passed} passed, ${total} failed`);
process.exit(total > 0 ? 1 : 0);

async function installGalata() {
  const stamp = join(room, 'node_modules', '.stepwell-stamp');
  const wanted = readFileSync(join(room, 'package-lock.json'), 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return;
  const args = ['ci', '--no-audit', '--no-fund', '--loglevel=error', '--ignore-scripts'];
  await stage('Installing Galata (npm ci in ui-tests)', 'npm', args, { cwd: room, env: { PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD: '1' } });
  writeFileSync(stamp, wanted);
}

function playwright() {
  const { stop, ...known } = jupyter;
  const env = {
    ...environment(),
    STEPWELL_UI: JSON.stringify({ ...known, browser }),
    PLAYWRIGHT_JSON_OUTPUT_NAME: report,
  };
  return new Promise(resolve => {
    const cli = join(room, 'node_modules', '@playwright', 'test', 'cli.js');
    const projects = process.env.UPDATE_PICTURES ? ['--project=pictures'] : ['--project=stories'];
    const args = process.argv.slice(2);
    if (!args.some(arg => arg.startsWith('--project'))) args.unshift(...projects);
    child = spawn(node, [cli, 'test', ...args], { cwd: room, env, stdio: 'inherit' });
    child.on('error', error => {
      console.error(error.message);
      resolve(1);
    });
    child.on('close', code => resolve(code ?? 1));
  });
}

function counts() {
  if (!existsSync(report)) return { passed: 0, failed: 0 };
  const { expected, unexpected, flaky } = JSON.parse(readFileSync(report, 'utf8')).stats;
  return { passed: expected, failed: unexpected + flaky };
}
