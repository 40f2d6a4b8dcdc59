/** `stepwell plan`: what a run of the notebook would do now, without doing it. */
import { dirname } from 'node:path';
import { Command } from 'commander';
import { type Config, readConfig } from '../config';
import { root } from '../installation';
import { Fault } from './fault';
import { type NotebookFile, readNotebookFile } from './notebook';
import { collectParameter } from './parameter';

interface Flags {
  parameter?: Record<string, string>;
  python?: string;
  from?: string;
  to?: string;
  only?: string;
  json?: boolean;
}

export function planCommand(): Command {
  return new Command('plan')
    .description('say what a run would do: which steps would be reused, which would run and why')
    .argument('<notebook>', 'the notebook file')
    .option('-p, --parameter <name=value>', 'a parameter; may be given several times', collectParameter)
    .option('--python <path>', "interpreter or environment that would run the steps (default: the active one, or the notebook's kernel)")
    .option('--from <step>', 'as of "stepwell run"')
    .option('--to <step>', 'as of "stepwell run"')
    .option('--only <step>', 'as of "stepwell run"')
    .option('--json', 'print one JSON document on standard output, everything else on standard error')
    .addHelpText('after', '\nExample:\n  stepwell plan report.ipynb -p rate=0.2')
    .action(async (notebook: string, flags: Flags) => {
      process.exitCode = await plan(readNotebookFile(notebook), flags, readConfig());
    });
}

async function plan(file: NotebookFile, flags: Flags, config: Config): Promise<number> {
  const { compileFile, readGiven } = require('./compiled') as typeof import('./compiled');
  const { openStore } = require('../store') as typeof import('../store');
  const { openArtifacts } = require('../artifacts') as typeof import('../artifacts');
  const { planRun } = require('../engine/run') as typeof import('../engine/run');
  const { attemptFolder } = require('../targets/attempt') as typeof import('../targets/attempt');
  const { needsOf } = require('../targets/local/needs') as typeof import('../targets/local/needs');
  const { printProblems } = require('./problems') as typeof import('./problems');
  const { checkSteps } = require('./running') as typeof import('./running');
  const { painter, printJson } = require('./terminal') as typeof import('./terminal');
  const { notebook, pipeline, problems } = compileFile(file);
  const given = pipeline ? readGiven(pipeline, flags.parameter ?? {}) : { values: {}, problems: [] };
  const errors = printProblems([...problems, ...given.problems], notebook, process.stderr);
  if (errors > 0 || !notebook || !pipeline) return 2;
  checkSteps(pipeline, flags);
  if (flags.only !== undefined && (flags.from !== undefined || flags.to !== undefined)) throw new Fault('Give --only, or --from and --to.');
  const { python } = needsOf(notebook, dirname(file.path), { named: flags.python, root });
  const options = {
    parameters: given.values,
    reuse: true,
    keepGoing: false,
    from: flags.only ?? flags.from,
    to: flags.only ?? flags.to,
    python,
  };
  const store = await openStore({ url: config.database });
  try {
    const around = { store, artifacts: openArtifacts(config.artifacts), attemptFolder: attemptFolder.bind(undefined, config.home) };
    const steps = await planRun({ notebook, notebookPath: file.path, pipeline, options }, around);
    if (flags.json) printJson({ notebook: file.path, steps });
    const paint = painter(process.stdout);
    const colours = { reused: 'green', runs: 'blue', depends: 'yellow', skipped: 'grey' } as const;
    if (!flags.json)
      for (const { step, does, reasons } of steps)
        process.stdout.write(`${paint('bold', step)}  ${paint(colours[does], does)}\n${reasons.map(reason => `  ${reason}\n`).join('')}`);
    return 0;
  } finally {
    await store.close();
  }
}
