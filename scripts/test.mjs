/** `npm test`: installs what is missing, builds, runs jest and pytest, and says in one line how many tests passed and failed. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { environment, makeFolder, node, python, root, setup } from './setup.mjs';

await setup();
const reports = makeFolder(join(root, 'build', 'tests'));
const jestReport = join(reports, 'jest.json');
const pytestReport = join(reports, 'pytest.xml');
for (const report of [jestReport, pytestReport]) rmSync(report, { force: true });

const only = process.argv[2];
const totals = { passed: 0, failed: 0 };

if (only !== 'pytest') {
  console.log('\njest');
  const args = [join(root, 'node_modules', 'jest', 'bin', 'jest.js'), '--json', `--outputFile=${jestReport}`];
  add('jest', await run(node, args, { NODE_OPTIONS: '--disable-warning=ExperimentalWarning' }), readJest());
}
if (only !== 'jest') {
  console.log('\npytest');
  add('pytest', await run(python, ['-m', 'pytest', '-q', `--junitxml=${pytestReport}`]), readPytest());
}
console.log(`\n${totals.passed} passed, ${totals.failed} failed`);
process.exit(totals.failed > 0 ? 1 : 0);

/** A tool that ends badly without a failed test (no report, a spec that cannot be loaded) counts as one failure. */
function add(tool, code, counted) {
  if (!counted) console.error(`${tool} ended with ${code} and left no report`);
  totals.passed += counted?.passed ?? 0;
  totals.failed += Math.max(counted?.failed ?? 0, code === 0 && counted ? 0 : 1);
}

function readJest() {
  if (!existsSync(jestReport)) return undefined;
  const report = JSON.parse(readFileSync(jestReport, 'utf8'));
  return { passed: report.numPassedTests, failed: report.numFailedTests + report.numRuntimeErrorTestSuites };
}

function readPytest() {
  if (!existsSync(pytestReport)) return undefined;
  const suite = /<testsuite\b[^>]*>/.exec(readFileSync(pytestReport, 'utf8'))?.[0] ?? '';
  const count = name => Number(new RegExp(`\\b${name}="(\\d+)"`).exec(suite)?.[1] ?? 0);
  const failed = count('failures') + count('errors');
  return { passed: Math.max(0, count('tests') - failed - count('skipped')), failed };
}

function run(command, args, env = {}) {
  return new Promise(resolve => {
    // jest writes its report to the file and a second copy of it to standard output, which nobody wants to read.
    const child = spawn(command, args, {
      cwd: root,
      env: { ...environment(), ...env },
      stdio: ['ignore', args.includes('--json') ? 'ignore' : 'inherit', 'inherit'],
    });
    child.on('error', error => {
      console.error(error.message);
      resolve(1);
    });
    child.on('close', code => resolve(code ?? 1));
  });
}
