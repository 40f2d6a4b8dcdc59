/** `stepwell runs`: what has run, newest first; or one run, step by step. */
import { Command, InvalidArgumentError, Option } from 'commander';
import { type RunStatus, runStatuses } from '../../pipeline/model/run';
import { readConfig } from '../config';

interface Flags {
  notebook?: string;
  experiment?: string;
  status?: RunStatus;
  limit: number;
  json?: boolean;
}

export function runsCommand(): Command {
  return new Command('runs')
    .description('list runs, newest first; or show one, step by step')
    .argument('[run]', 'a run: its id, the beginning of it, or "last"')
    .option('--notebook <file>', 'only runs of this notebook')
    .option('--experiment <name>', 'only runs of this experiment')
    .addOption(new Option('--status <status>', 'only runs with this status').choices(runStatuses))
    .option('--limit <n>', 'how many', wholeNumber, 20)
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  stepwell runs --status failed\n  stepwell runs last')
    .action(async (named: string | undefined, flags: Flags) => {
      await (named === undefined ? list(flags) : show(named, Boolean(flags.json)));
    });
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('A whole number of 1 or more is expected.');
  return value;
}

async function list({ notebook, experiment, status, limit, json }: Flags): Promise<void> {
  const { resolve } = require('node:path') as typeof import('node:path');
  const { painter, printJson, table } = require('./terminal') as typeof import('./terminal');
  const notebookPath = notebook === undefined ? undefined : resolve(notebook);
  const runs = await withStore(store => store.listRuns({ notebookPath, experiment, status, limit }));
  if (json) return printJson(runs.map(({ plan: _plan, ...run }) => run));
  if (runs.length === 0) return void process.stdout.write('There has been no such run yet.\n');
  const paint = painter(process.stdout);
  const rows = runs.map(run => [
    run.id,
    paint(colours[run.status], run.status),
    local(run.created),
    duration(run.started, run.ended),
    run.notebookPath,
    run.experiment ?? '',
  ]);
  process.stdout.write(`${table([['run', 'status', 'created', 'took', 'notebook', 'experiment'], ...rows])}\n`);
}

async function show(named: string, json: boolean): Promise<void> {
  const { painter, printJson, table } = require('./terminal') as typeof import('./terminal');
  const { findRun } = require('./findrun') as typeof import('./findrun');
  await withStore(async store => {
    const { id } = await findRun(store, named);
    const loaded = (await store.loadRun(id))!;
    const { run, steps, attempts } = loaded;
    if (json) {
      const { plan: _plan, ...rest } = run;
      return printJson({
        ...rest,
        steps: steps.map(({ given: _given, ...step }) => step),
        attempts: attempts.map(({ token: _token, ...one }) => one),
      });
    }
    const paint = painter(process.stdout);
    process.stdout.write(`Run ${run.id}: ${paint(colours[run.status], run.status)}${run.reason ? ` (${run.reason})` : ''}\n`);
    process.stdout.write(
      `${run.notebookPath}, version ${run.version}, created ${local(run.created)}, took ${duration(run.started, run.ended) || 'nothing yet'}\n\n`,
    );
    const rows = steps.map(step => [step.step, step.status, String(step.attempts), duration(step.started, step.ended), step.reason ?? '']);
    process.stdout.write(`${table([['step', 'status', 'attempts', 'took', ''], ...rows])}\n`);
  });
}

const colours = { queued: 'grey', running: 'blue', succeeded: 'green', failed: 'red', cancelled: 'yellow' } as const;

async function withStore<T>(use: (store: import('../store').Store) => Promise<T>): Promise<T> {
  const { openStore } = require('../store') as typeof import('../store');
  const store = await openStore({ url: readConfig().database });
  try {
    return await use(store);
  } finally {
    await store.close();
  }
}

function duration(started: string | undefined, ended: string | undefined): string {
  const { seconds } = require('./terminal') as typeof import('./terminal');
  return started && ended ? seconds((Date.parse(ended) - Date.parse(started)) / 1000) : '';
}

const local = (instant: string) => new Date(instant).toLocaleString('sv');
