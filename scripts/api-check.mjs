/**
 * `npm run api-check`: schemathesis asks the API whatever its document allows, and much that it does not, and compares the answers with the document:
 * no server error, no answer that is not listed, no body that is not as described. Takes two or three minutes; arguments go to schemathesis.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { environment, node, python, root, setup, stage } from './setup.mjs';

await setup({ quiet: true });
const venv = join(root, 'build', 'api-check');
const schemathesis = join(venv, 'bin', 'schemathesis');
if (!existsSync(schemathesis)) {
  await stage('Making an environment for schemathesis', python, ['-m', 'venv', venv]);
  await stage('Installing schemathesis', join(venv, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', 'schemathesis==4.32.5']);
}

const folder = mkdtempSync(join(tmpdir(), 'stepwell-api-check-'));
const server = spawn(node, [join(root, 'server', 'api', 'check-server.js')], { stdio: ['pipe', 'pipe', 'pipe'], env: environment() });
let said = '';
server.stderr.on('data', part => (said += part));
const [line] = await Promise.race([
  createInterface(server.stdout)
    [Symbol.asyncIterator]()
    .next()
    .then(({ value }) => [value]),
  new Promise(resolve => server.once('exit', () => resolve([undefined]))),
]);
if (!line) {
  console.error(`The server did not start:\n${said}`);
  process.exit(1);
}
const { address, secret, path } = JSON.parse(line);
const config = join(folder, 'schemathesis.toml');
const values = Object.entries(path).map(([name, value]) => `"path.${name}" = ${JSON.stringify(value)}\n`);
writeFileSync(config, `[parameters]\n${values.join('')}`);

const given = [
  '--config-file',
  config,
  'run',
  `${address}/api/v1/openapi.json`,
  '--url',
  address,
  '--header',
  `Authorization: Bearer ${secret}`,
];
// Left out: asking without the secret (who.spec.ts does, for each route; here it is in a header that schemathesis cannot take away), and "what
// fits the schema has to be accepted": a notebook without steps fits, and is refused with its problems all the same, as the document says.
const checks = ['--checks', 'all', '--exclude-checks', 'ignored_auth,missing_required_header,positive_data_acceptance'];
const limits = ['--continue-on-failure', '--max-examples', '15', '--request-timeout', '20', '--seed', '4', '--no-color'];
const { status } = spawnSync(schemathesis, [...given, ...checks, ...limits, ...process.argv.slice(2)], { cwd: folder, stdio: 'inherit' });
server.stdin.end();
await new Promise(resolve => server.once('exit', resolve));
if (said) console.error(`The server did not expect this:\n${said}`);
rmSync(folder, { recursive: true, force: true });
process.exit(status === 0 && !said ? 0 : 1);
