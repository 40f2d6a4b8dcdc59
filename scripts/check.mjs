/** `npm run check`: types (specs too), lint and format of both languages, and the rooms. Goes on after a failure, so that one run shows all. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { environment, python, root, setup } from './setup.mjs';

await setup({ quiet: true });
const bin = name => join(root, 'node_modules', '.bin', name);
const checks = [
  ['types', bin('tsc'), ['-b']],
  ['types of specs', bin('tsc'), ['-p', 'tsconfig.spec.json']],
  ['types of specs of the extension', bin('tsc'), ['-p', 'extension/tsconfig.spec.json']],
  ['lint and format', bin('biome'), ['check', '--error-on-warnings']],
  ['lint of Python', python, ['-m', 'ruff', 'check']],
  ['format of Python', python, ['-m', 'ruff', 'format', '--check']],
  ['rooms', bin('jest'), ['server/rooms.spec.ts']],
];
const failed = [];
for (const [name, command, args] of checks) {
  console.log(`\n${name}`);
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: environment() });
  if (status !== 0) failed.push(name);
}
console.log(failed.length ? `\nNot in order: ${failed.join(', ')}` : '\nAll in order');
process.exit(failed.length ? 1 : 0);
