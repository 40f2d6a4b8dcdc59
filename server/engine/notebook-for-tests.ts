/** Small notebooks for tests, run for real: the compiler, the engine, SQLite, the local target and the Python runner, in a folder of their own. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { compile } from '../../pipeline/compile';
import type { StepSettings } from '../../pipeline/model/pipeline';
import type { RunOptions } from '../../pipeline/model/run';
import { type Artifacts, openArtifacts } from '../artifacts';
import { openStore, type Store } from '../store';
import { attemptFolder, createLocalTarget, type LocalTarget } from '../targets/local';
import { python } from '../targets/local/python-for-tests';
import type { PlannedStep } from './plan';
import { Reservations } from './reservations';
import { planRun, type RunReport, startRun } from './run';

/** A tag or the name of a step, and the source. */
export type Cells = [tag: string, source: string][];

export interface Bench {
  /** What goes when the test ends. */
  place: string;
  home: string;
  /** The notebook's. */
  folder: string;
  notebookPath: string;
  store: Store;
  artifacts: Artifacts;
  target: LocalTarget;
  /** Writes a file of the notebook's folder. */
  write(name: string, text: string): void;
  run(cells: Cells, options?: Partial<RunOptions>, steps?: Record<string, StepSettings>): Promise<RunReport>;
  plan(cells: Cells, options?: Partial<RunOptions>): Promise<PlannedStep[]>;
  close(): Promise<void>;
}

export async function openBench(): Promise<Bench> {
  const place = mkdtempSync(join(tmpdir(), 'sw-reuse-'));
  const home = join(place, 'home');
  const folder = join(place, 'project');
  const notebookPath = join(folder, 'notebook.ipynb');
  mkdirSync(home);
  mkdirSync(folder);
  const store = await openStore({ url: `sqlite://${join(home, 'stepwell.db')}` });
  const artifacts = openArtifacts(join(home, 'artifacts'));
  const target = createLocalTarget({ python, runnerPath: join(__dirname, '..', '..', 'runner'), home, folder, modules: [] });
  const around = { store, artifacts, target, reservations: new Reservations(), attemptFolder: attemptFolder.bind(undefined, home) };
  const asked = (cells: Cells, options: Partial<RunOptions> = {}, steps: Record<string, StepSettings> = {}) => {
    const notebook = made(cells, steps);
    const { pipeline, problems } = compile(notebook);
    const wrong = problems.find(problem => problem.severity === 'error');
    if (wrong) throw new Error(wrong.message);
    return {
      notebook,
      notebookPath,
      pipeline: pipeline!,
      options: { parameters: {}, reuse: true, keepGoing: false, workers: 2, ...options },
    };
  };
  return {
    ...{ place, home, folder, notebookPath, store, artifacts, target },
    write(name, text) {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    },
    run: (cells, options, steps) => startRun(asked(cells, options, steps), around),
    plan: (cells, options) => planRun(asked(cells, options), around),
    async close() {
      await target.close();
      await store.close();
      rmSync(place, { recursive: true, force: true });
    },
  };
}

const tags = ['imports', 'functions', 'parameters'];

function made(cells: Cells, steps: Record<string, StepSettings>) {
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: 'python3', language: 'python', display_name: 'Python 3' }, stepwell: { version: 1, steps } },
    cells: cells.map(([name, source], i) => ({
      cell_type: name === 'markdown' ? 'markdown' : 'code',
      id: `cell-${i}`,
      metadata: { tags: name === 'markdown' ? [] : [tags.includes(name) ? name : `step:${name}`] },
      source,
      ...(name === 'markdown' ? {} : { outputs: [], execution_count: null }),
    })),
  };
}

/** Steps that were not reused. */
export const ran = ({ steps }: RunReport): string[] => steps.filter(({ status }) => status !== 'reused').map(({ name }) => name);

/** What a person sees of each cell; numbers of processes are not for comparing. */
export const shown = ({ cells }: RunReport): unknown[] =>
  cells.map(({ cell, executionCount, outputs }) => [
    cell,
    executionCount,
    outputs.map(one => (one.output_type === 'stream' ? one.text.replace(/ipykernel_\d+/, 'ipykernel') : JSON.stringify(one))),
  ]);

export const edited = (cells: Cells, tag: string, from: string | RegExp, to: string): Cells =>
  cells.map(([name, source]) => [name, name === tag ? source.replace(from, to) : source]);
