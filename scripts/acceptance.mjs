/** `npm run acceptance`: sets up what is missing, then compares real notebooks with top to bottom (acceptance/README.md). Arguments go to pytest. */
import { spawnSync } from 'node:child_process';
import { environment, python, root, setup } from './setup.mjs';

await setup();
const { status } = spawnSync(python, ['-m', 'pytest', '-v', 'acceptance', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
  env: environment(),
});
process.exit(status ?? 1);
