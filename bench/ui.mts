/** What people wait for in JupyterLab, measured in the browser itself: `ui-tests/figures`. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from './measure.mts';

export function ui(): void {
  const script = join(root, 'scripts', 'ui-tests.mjs');
  spawnSync(process.execPath, [script, '--project=figures'], { stdio: 'inherit', cwd: root });
}
