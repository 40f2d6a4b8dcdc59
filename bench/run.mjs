/** `npm run bench`: sets up what is missing (papermill too, as a peer), then measures. Arguments name the parts to measure; none means all. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { node, python, root, setup } from '../scripts/setup.mjs';

await setup({ quiet: true });
if (spawnSync(python, ['-c', 'import papermill']).status !== 0) {
  spawnSync(python, ['-m', 'pip', 'install', '--quiet', 'papermill'], { stdio: 'inherit' });
}
const { status } = spawnSync(node, [join(root, 'bench', 'main.mts'), ...process.argv.slice(2)], {
  stdio: 'inherit',
  cwd: root,
});
process.exit(status ?? 1);
