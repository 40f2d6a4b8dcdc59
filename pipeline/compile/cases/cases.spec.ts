/**
 * A folder is a case: `cells.py` is the notebook, `expected.json` what must be true of it: what each step reads, writes, takes along and
 * waits for (only what the file names is compared), and every problem, as `code @ cell`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { problemCodes } from '../../model/problem';
import type { Compiled } from '../index';
import { compile } from '../index';
import { cellsOf } from './cells';

interface Expected {
  /** `name<from`, sorted; builtins and the like never appear. */
  reads?: Record<string, string>;
  /** `name` is assigned on every path, `name?` may be changed. */
  writes?: Record<string, string>;
  prelude?: Record<string, string>;
  parameters?: Record<string, string>;
  dependsOn?: Record<string, string>;
  metrics?: Record<string, string>;
  /** The step above from which on all run in one process, or nothing. */
  joins?: Record<string, string>;
  steps?: string;
  shared?: number[];
  problems?: string[];
  messages?: string[];
}

const folders = readdirSync(__dirname, { withFileTypes: true })
  .filter(entry => entry.isDirectory())
  .map(entry => entry.name);

const load = (name: string): { compiled: Compiled; expected: Expected } => {
  const folder = join(__dirname, name);
  const json = join(folder, 'notebook.json');
  return {
    compiled: compile(existsSync(json) ? readFileSync(json, 'utf8') : cellsOf(readFileSync(join(folder, 'cells.py'), 'utf8'))),
    expected: JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Expected,
  };
};

const codesOf = ({ problems }: Compiled): string[] => problems.map(({ code, cell }) => (cell === undefined ? code : `${code} @ ${cell}`));

test.each(folders)('%s', name => {
  const { compiled, expected } = load(name);
  const steps = compiled.pipeline?.steps ?? [];
  const seen: Expected = { problems: codesOf(compiled).sort() };
  const of = (
    key: 'reads' | 'writes' | 'prelude' | 'parameters' | 'dependsOn' | 'metrics' | 'joins',
    words: (step: (typeof steps)[number]) => string[],
  ): void => {
    if (!expected[key]) return;
    const wanted = expected[key];
    seen[key] = Object.fromEntries(steps.filter(step => step.name in wanted).map(step => [step.name, words(step).join(' ')]));
  };
  of('reads', step => step.reads.map(({ name, from }) => (from ? `${name}<${from}` : name)));
  of('writes', step => step.writes.map(({ name, certain }) => (certain ? name : `${name}?`)));
  of('prelude', step => step.prelude.map(({ names, source }) => (names.length > 0 ? names.join(',') : `(${source})`)));
  of('parameters', step => step.parameters);
  of('dependsOn', step => step.dependsOn);
  of('joins', step => (step.joins === undefined ? [] : [step.joins]));
  of('metrics', step => step.settings.metrics ?? []);
  if (expected.steps !== undefined)
    seen.steps = steps.map(step => `${step.name}:${step.cells.map(({ cell }) => cell).join(',')}`).join(' ');
  if (expected.shared) seen.shared = compiled.pipeline?.sharedCells.map(({ cell }) => cell);
  const { messages = [], ...rest } = expected;
  expect(seen).toEqual({ ...rest, problems: [...(rest.problems ?? [])].sort() });
  for (const message of messages)
    expect(compiled.problems.map(problem => problem.message)).toContainEqual(expect.stringContaining(message));
});

/** Codes that only giving parameters or running raises; their specs are `1-read/parameters.spec.ts` and the engine's. */
const raisedElsewhere = ['unknown-parameter', 'bad-parameter-value', 'missing-parameter', 'missing-package'];

test('every problem code has a case and a section of docs/problems.md', () => {
  const raised = new Set(folders.flatMap(name => load(name).compiled.problems.map(({ code }) => code)));
  expect(problemCodes.filter(code => !raised.has(code) && !raisedElsewhere.includes(code))).toEqual([]);
  const docs = readFileSync(join(__dirname, '../../../docs/problems.md'), 'utf8');
  const sections = [...docs.matchAll(/^### (\S+)$/gm)].map(match => match[1]);
  expect([...sections].sort()).toEqual([...problemCodes].sort());
});
