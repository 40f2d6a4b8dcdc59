/**
 * `stepwell inputs` and `stepwell outputs`: what went into a step of an earlier run, and what came out. With `--json` it is all that a program
 * needs to load the values; the magic `%stepwell` in a notebook asks this way, so that no kernel needs to know a database or a secret.
 */
import { Command } from 'commander';
import type { Provided } from '../../pipeline/model/artifact';
import type { StepRun } from '../../pipeline/model/run';
import type { TaskDocument, TaskResult } from '../../pipeline/model/task';
import { readConfig } from '../config';
import { Fault } from './fault';
import { bytes, printJson, table } from './terminal';

interface Found {
  run: string;
  step: string;
  /** The unit that it ran in, when steps were joined. */
  unit?: string;
  status: StepRun['status'];
  /** The folder of blobs. */
  artifacts: string;
}

/** What exists before the step's own cells, in the order in which the runner makes it. */
interface Inputs extends Found, Pick<TaskDocument, 'parameters' | 'prelude' | 'sources' | 'sharedCells' | 'inputs' | 'definitions'> {}

interface Outputs extends Found {
  provided: Provided;
}

export function inputsCommand(): Command {
  return describe('inputs', 'show what a step of a run was given').action(
    async (run: string, step: string, { json }: { json?: boolean }) => {
      const found = await inputsOf(run, step);
      if (json) printJson(found);
      else show(found, found.parameters, found.inputs.values);
    },
  );
}

export function outputsCommand(): Command {
  return describe('outputs', 'show what a step of a run gave to those below').action(
    async (run: string, step: string, { json }: { json?: boolean }) => {
      const found = await outputsOf(run, step);
      if (json) printJson(found);
      else show(found, {}, found.provided);
    },
  );
}

const describe = (name: string, text: string) =>
  new Command(name)
    .description(text)
    .argument('<run>', 'a run: its id, the beginning of it, or "last"')
    .argument('<step>', 'the name of the step')
    .option('--json', 'print one JSON document, with what it takes to load the values')
    .addHelpText('after', `\nIn a notebook, "%load_ext stepwell" and "%stepwell ${name} STEP" load the values into the kernel.`);

async function inputsOf(named: string, step: string): Promise<Inputs> {
  const { createRunState } = require('../engine/state') as typeof import('../engine/state');
  const { taskDocument } = require('../engine/document') as typeof import('../engine/document');
  return find(named, step, async ({ loaded, row, notebook, artifacts }) => {
    if (row.given === undefined)
      throw new Fault(`Step "${step}" of run ${loaded.run.id} was not started (${row.status}), so nothing was given to it.`, 1);
    const plan = (loaded.run.plan ?? {}) as { joins?: [string, string][] };
    const state = createRunState(loaded.document, loaded.run.options, false, plan.joins);
    const unit = state.units[state.unitOf.get(step)!]!;
    const document = taskDocument(state, unit, row.attempts, row.given as Parameters<typeof taskDocument>[3], {
      run: loaded.run.id,
      folder: loaded.run.folder,
      artifacts,
      attemptFolder: () => '',
      source: cell => [notebook.cells[cell]?.source ?? ''].flat().join(''),
      executionCount: cell => cell + 1,
      mayRaise: () => false,
    });
    const { parameters, prelude, sources, sharedCells, inputs, definitions } = document;
    return { parameters, prelude, sources, sharedCells, inputs, definitions };
  });
}

async function outputsOf(named: string, step: string): Promise<Outputs> {
  const { openArtifacts } = require('../artifacts') as typeof import('../artifacts');
  return find(named, step, async ({ loaded, row, artifacts }) => {
    if (!row.result || (row.status !== 'succeeded' && row.status !== 'reused'))
      throw new Fault(`Step "${step}" of run ${loaded.run.id} has no outputs: it is ${row.status}.`, 1);
    const { provided } = JSON.parse((await openArtifacts(artifacts).read(row.result)).toString()) as TaskResult;
    return { provided };
  });
}

interface Place {
  loaded: import('../store').LoadedRun;
  row: StepRun;
  notebook: import('../../pipeline/model/notebook').Notebook;
  artifacts: string;
}

/** Finds run and step, and adds what is asked about them. */
async function find<T>(named: string, step: string, ask: (place: Place) => Promise<T>): Promise<Found & T> {
  const config = readConfig();
  const { openStore } = require('../store') as typeof import('../store');
  const { findRun } = require('./findrun') as typeof import('./findrun');
  const store = await openStore({ url: config.database });
  try {
    const loaded = (await store.loadRun((await findRun(store, named)).id))!;
    const { id, pipeline, version } = loaded.run;
    const row = loaded.steps.find(one => one.step === step);
    if (!row) throw new Fault(`Run ${id} has no step "${step}"; its steps are ${loaded.steps.map(one => one.step).join(', ')}.`);
    const kept = (await store.loadVersion(pipeline, version))?.notebook;
    const notebook = kept ? JSON.parse(kept) : { cells: [] };
    const { artifacts } = config;
    const answer = await ask({ loaded, row, notebook, artifacts });
    return { run: id, step, ...(row.unit ? { unit: row.unit } : {}), status: row.status, artifacts, ...answer };
  } finally {
    await store.close();
  }
}

function show(found: Found, parameters: TaskDocument['parameters'], values: Partial<Provided>): void {
  const rows = Object.entries(parameters).map(([name, value]) => [name, 'parameter', '', JSON.stringify(value)]);
  for (const [name, value] of Object.entries(values)) {
    // Channels are state of the process, nothing to look at.
    if (!value || name.startsWith('@')) continue;
    if ('lost' in value) rows.push([name, value.type, '', `not kept: ${value.lost}`]);
    else if ('removed' in value) rows.push([name, '', '', 'removed']);
    else rows.push([name, 'type' in value ? value.type : '', bytes(value.size), ('preview' in value && value.preview?.text) || '']);
  }
  const text = rows.length === 0 ? ' nothing' : `\n${table([['name', 'type', 'size', ''], ...rows])}`;
  process.stdout.write(`Step "${found.step}" of run ${found.run}:${text}\n`);
}
