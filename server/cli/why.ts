/** `stepwell why`: why a step of a run ran, or what it was reused from. */
import { Command } from 'commander';
import type { Why } from '../../pipeline/model/reuse';
import { readConfig } from '../config';

export function whyCommand(): Command {
  return new Command('why')
    .description('say why a step of a run ran, or what it was reused from: what differed from the closest earlier run of it')
    .argument('<run>', 'a run: its id, the beginning of it, or "last"')
    .argument('[step]', 'only this step')
    .option('--json', 'print one JSON document')
    .addHelpText('after', '\nExamples:\n  stepwell why last\n  stepwell why last train')
    .action(async (run: string, step: string | undefined, { json }: { json?: boolean }) => {
      await why(run, step, Boolean(json));
    });
}

async function why(named: string, only: string | undefined, json: boolean): Promise<void> {
  const { openStore } = require('../store') as typeof import('../store');
  const { whyStep } = require('../engine/why') as typeof import('../engine/why');
  const { findRun } = require('./findrun') as typeof import('./findrun');
  const { painter, printJson } = require('./terminal') as typeof import('./terminal');
  const store = await openStore({ url: readConfig().database });
  try {
    const { id } = await findRun(store, named);
    const steps = only === undefined ? (await store.loadRun(id))!.steps.map(({ step }) => step) : [only];
    const answers: Why[] = [];
    for (const step of steps) answers.push(await whyStep(store, id, step));
    if (json) return printJson({ run: id, steps: answers });
    const paint = painter(process.stdout);
    for (const { step, status, comparedWith, reasons } of answers) {
      const than = comparedWith && status !== 'reused' ? ` (compared with run ${comparedWith.run})` : '';
      process.stdout.write(`${paint('bold', step)}  ${status}${than}\n${reasons.map(reason => `  ${reason}\n`).join('')}`);
    }
  } finally {
    await store.close();
  }
}
