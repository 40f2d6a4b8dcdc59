/** `stepwell logs`: what the steps of a run printed, and the tracebacks of those that failed. */
import { Command } from 'commander';
import type { Attempt, StepRun } from '../../pipeline/model/run';
import type { CellResult, Output, TaskEvent, TaskResult } from '../../pipeline/model/task';
import { type Config, readConfig } from '../config';
import { Fault } from './fault';

export function logsCommand(): Command {
  return new Command('logs')
    .description('print what the steps of a run wrote: streams, results as text, tracebacks')
    .argument('<run>', 'a run: its id, the beginning of it, or "last"')
    .argument('[step]', 'only this step')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  stepwell logs last\n  stepwell logs last train')
    .action(async (run: string, step: string | undefined, { json }: { json?: boolean }) => {
      await logs(run, step, Boolean(json));
    });
}

async function logs(named: string, only: string | undefined, json: boolean): Promise<void> {
  const config = readConfig();
  const { openStore } = require('../store') as typeof import('../store');
  const { findRun } = require('./findrun') as typeof import('./findrun');
  const { painter, printJson } = require('./terminal') as typeof import('./terminal');
  const store = await openStore({ url: config.database });
  try {
    const { id } = await findRun(store, named);
    const { steps, attempts } = (await store.loadRun(id))!;
    const chosen = only === undefined ? steps : steps.filter(({ step }) => step === only);
    if (chosen.length === 0) throw new Fault(`Run ${id} has no step "${only}"; its steps are ${steps.map(({ step }) => step).join(', ')}.`);
    const told = new Set<string>();
    const documents: unknown[] = [];
    const paint = painter(process.stdout);
    for (const row of chosen) {
      const unit = row.unit ?? row.step;
      // Steps that ran as one have one log.
      if (told.has(unit)) continue;
      told.add(unit);
      const attempt = attempts.filter(one => one.step === unit).at(-1);
      const cells = await cellsOf(id, unit, row, attempt, config);
      documents.push({
        step: row.step,
        ...(row.unit ? { unit } : {}),
        status: row.status,
        attempt: attempt?.attempt,
        error: attempt?.error,
        cells,
      });
      if (json) continue;
      process.stdout.write(`${paint('bold', `── ${unit}`)}  ${row.status}${row.reason ? ` (${row.reason})` : ''}\n`);
      for (const cell of cells) for (const output of cell.outputs) process.stdout.write(textOf(output));
      const { error } = attempt ?? {};
      if (error && !cells.some(({ outputs }) => outputs.some(({ output_type }) => output_type === 'error')))
        process.stdout.write(`${error.message}\n`);
    }
    if (json) printJson({ run: id, steps: documents });
  } finally {
    await store.close();
  }
}

/** From the result that counts; for an attempt that left none, from what it said while it ran. */
async function cellsOf(run: string, unit: string, row: StepRun, attempt: Attempt | undefined, config: Config): Promise<CellResult[]> {
  const { openArtifacts } = require('../artifacts') as typeof import('../artifacts');
  const digest = row.result ?? attempt?.result;
  if (digest) {
    const bytes = await openArtifacts(config.artifacts).read(digest);
    return (JSON.parse(bytes.toString()) as TaskResult).cells;
  }
  if (!attempt) return [];
  const { readFile } = require('node:fs/promises') as typeof import('node:fs/promises');
  const { join } = require('node:path') as typeof import('node:path');
  const { attemptFolder } = require('../targets/attempt') as typeof import('../targets/attempt');
  const { LiveOutputs } = require('../engine/outputs') as typeof import('../engine/outputs');
  const file = join(attemptFolder(config.home, { run, step: unit, attempt: attempt.attempt }), 'events.jsonl');
  const outputs = new LiveOutputs();
  for (const line of (await readFile(file, 'utf8').catch(() => '')).split('\n')) {
    try {
      if (line) outputs.accept(JSON.parse(line) as TaskEvent);
    } catch {
      // The last line of a process that was killed may be half a line.
    }
  }
  return outputs.cells;
}

/** An output as text, without the colours that a file or a pipe would not want. */
function textOf(output: Output): string {
  const { coloured, withoutColours } = require('./terminal') as typeof import('./terminal');
  const ended = (text: string) => (text === '' || text.endsWith('\n') ? text : `${text}\n`);
  const paint = (text: string) => (coloured(process.stdout) ? text : withoutColours(text));
  switch (output.output_type) {
    case 'stream':
      return ended(paint(output.text));
    case 'error':
      return ended(paint(output.traceback.join('\n')));
    default: {
      const plain = output.data['text/plain'];
      return ended(paint([plain ?? `[${Object.keys(output.data).join(', ')}]`].flat().join('')));
    }
  }
}
