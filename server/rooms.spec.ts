/** Who may import whom, as a rule: read the two tables, the rest makes them true. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';

const root = resolve(__dirname, '..');

/** A room, and the rooms of ours that it may import from (besides itself). */
const mayImport: Record<string, string[]> = {
  'pipeline/model': [],
  'pipeline/compile': ['pipeline/model'],
  'server/store': ['pipeline'],
  'server/artifacts': ['pipeline'],
  'server/targets': ['pipeline'],
  'server/engine': ['pipeline', 'server/store', 'server/artifacts', 'server/targets'],
  'server/config.ts': [],
  'server/installation.ts': [],
  extension: ['pipeline'],
  'server/api': [
    'pipeline',
    'server/engine',
    'server/store',
    'server/artifacts',
    'server/targets',
    'server/config.ts',
    'server/installation.ts',
  ],
  'server/cli': [
    'pipeline',
    'server/engine',
    'server/store',
    'server/artifacts',
    'server/targets',
    'server/api',
    'server/config.ts',
    'server/installation.ts',
  ],
};

/** A library, and the one room that knows it. */
const home: Record<string, string> = {
  knex: 'server/store',
  pg: 'server/store',
  'node:sqlite': 'server/store',
  '@aws-sdk/client-s3': 'server/artifacts',
  '@aws-sdk/s3-request-presigner': 'server/artifacts',
  '@kubernetes/client-node': 'server/targets',
  express: 'server/api',
  'socket.io': 'server/api',
  zod: 'server/api',
  pino: 'server/api',
  helmet: 'server/api',
  'prom-client': 'server/api',
  commander: 'server/cli',
  'socket.io-client': 'extension/service',
  '@xyflow/react': 'extension/graph',
};

interface Import {
  file: string;
  /** A library's name, or a path of ours from the root. */
  of: string;
  /** Gone when the program runs. */
  typeOnly: boolean;
}

const imports = [...files(join(root, 'pipeline')), ...files(join(root, 'server')), ...files(join(root, 'extension'))]
  .filter(file => !/\.spec\.tsx?$/.test(file))
  .flatMap(importsOf);
const ours = imports.filter(({ of }) => /^(pipeline|server|extension)\//.test(of));
const libraries = imports.filter(({ of }) => !/^(pipeline|server|extension)\//.test(of));

test('there is something to look at', () => {
  expect(ours.length).toBeGreaterThan(50);
  expect(libraries.length).toBeGreaterThan(20);
});

test('every file has its room', () => {
  expect([...new Set(imports.map(({ file }) => file))].filter(file => roomOf(file) === undefined)).toEqual([]);
});

test('a room imports only from rooms below it', () => {
  const broken = ours.filter(({ file, of }) => {
    const room = roomOf(file)!;
    return ![room, ...mayImport[room]!].some(allowed => within(of, allowed));
  });
  expect(broken).toEqual([]);
});

test('a library has one room', () => {
  expect(libraries.filter(({ file, of }) => home[of] !== undefined && !within(file, home[of]))).toEqual([]);
});

test('the pure rooms import neither Node nor anything that is not listed', () => {
  expect(libraries.filter(({ file, of }) => within(file, 'pipeline') && home[of] === undefined)).toEqual([]);
});

test('imports make no rings when the program runs', () => {
  const below = new Map<string, string[]>();
  for (const { file, of, typeOnly } of ours) if (!typeOnly) below.set(file, [...(below.get(file) ?? []), resolveFile(of)]);
  const done = new Set<string>();
  const rings: string[] = [];
  const visit = (file: string, path: string[]): void => {
    if (path.includes(file)) rings.push([...path.slice(path.indexOf(file)), file].join(' → '));
    if (done.has(file) || path.includes(file)) return;
    for (const next of below.get(file) ?? []) visit(next, [...path, file]);
    done.add(file);
  };
  for (const file of below.keys()) visit(file, []);
  expect(rings).toEqual([]);
});

function roomOf(file: string): string | undefined {
  return Object.keys(mayImport).find(room => within(file, room));
}

function within(path: string, room: string): boolean {
  return path === room || path.startsWith(`${room}/`) || path === room.replace(/\.ts$/, '');
}

function files(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => /\.tsx?$/.test(name))
    .map(name => join(folder, name));
}

function importsOf(path: string): Import[] {
  const file = relative(root, path);
  const source = readFileSync(path, 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const statements =
    /(?:^|\s)(?:import|export)\s(type\s)?[^;'"`]*?\sfrom\s+'([^']+)'|^import\s+'([^']+)'|(typeof\s+)?\b(?:require|import)\('([^']+)'\)/gm;
  return [...source.matchAll(statements)].map(([, type, from, bare, typeOf, called]) => {
    const of = (from ?? bare ?? called)!;
    return { file, of: of.startsWith('.') ? relative(root, resolve(dirname(path), of)) : library(of), typeOnly: Boolean(type ?? typeOf) };
  });
}

function library(name: string): string {
  return name.startsWith('node:')
    ? name
    : name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/');
}

/** `server/store` means its index. */
function resolveFile(of: string): string {
  const known = new Set(imports.map(({ file }) => file));
  return [`${of}.ts`, `${of}.tsx`, `${of}/index.ts`, `${of}/index.tsx`].find(file => known.has(file)) ?? of;
}
