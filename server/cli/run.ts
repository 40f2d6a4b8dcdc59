/**
 * `stepwell run`: a notebook in, the same notebook with its outputs out. What takes long to load is loaded after the Python that will run
 * the steps has been started, so that both get ready at once.
 */
import { Command, InvalidArgumentError } from 'commander';
import { readConfig } from '../config';
import { Before } from './asked';
import { Fault } from './fault';
import { readNotebookFile } from './notebook';
import { collectParameter } from './parameter';
import type { RunFlags } from './running';
import { warm } from './warm';

const examples = `
Examples:
  stepwell run report.ipynb
  stepwell run report.ipynb -p rate=0.1 -p names='["a", "b"]' --out report-done.ipynb
  stepwell run report.ipynb --from train          take what is above "train" as it ran last
  stepwell run report.ipynb --only train          run "train" alone, on what it was given last
  stepwell run report.ipynb --python ~/envs/ml    the environment that runs the steps
  stepwell run report.ipynb --target k8s          each step in a pod of the cluster that kubectl would use
  stepwell run --resume last                      go on where the latest run stopped`;

export function runCommand(): Command {
  return new Command('run')
    .description('run a notebook as a pipeline, and hand back the notebook with every output filled in')
    .argument('[notebook]', 'the notebook file (not with --resume)')
    .option('-p, --parameter <name=value>', 'a parameter; may be given several times', collectParameter)
    .option('--python <path>', "interpreter or environment that runs the steps (default: the active one, or the notebook's kernel)")
    .option('--out <file>', 'where to write the executed notebook (default: in the folder of the run)')
    .option('--experiment <name>', 'the name that groups runs')
    .option('--from <step>', 'take the steps above this one as they ran last, and run this one and those below again')
    .option('--to <step>', 'run no step below this one')
    .option('--only <step>', 'take the steps above this one as they ran last, and run this one alone')
    .option('--no-reuse', 'run every step, even one that has run with the same code and inputs')
    .option('--keep-going', 'when a step fails, run those that do not need it')
    .option('--target <name>', 'where steps run that do not say it themselves: local, or k8s for a Kubernetes cluster', 'local')
    .option('--workers <n>', 'steps that run at once (default: as many as the machine has cores)', wholeNumber)
    .option('--resume <run>', 'go on with a run that failed, was cancelled or was killed; "last" is the latest')
    .option('--json', 'print one JSON document on standard output, everything else on standard error')
    .addHelpText('after', examples)
    .action(async (notebook: string | undefined, flags: RunFlags) => {
      process.exitCode = await run(notebook, flags);
    });
}

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('A whole number of 1 or more is expected.');
  return value;
}

async function run(shown: string | undefined, flags: RunFlags): Promise<number> {
  const config = readConfig();
  if (flags.resume !== undefined) {
    if (shown !== undefined)
      throw new Fault('Give a notebook or --resume, not both: a run is resumed with the notebook that it was started with.');
    const { resume } = require('./running') as typeof import('./running');
    return resume(flags.resume, flags, config);
  }
  if (shown === undefined) throw new Fault('Which notebook? For example: stepwell run analysis.ipynb');
  const file = readNotebookFile(shown);
  if (flags.only !== undefined && (flags.from !== undefined || flags.to !== undefined))
    throw new Fault('Give --only, or --from and --to: one step alone has no beginning and end.');
  const before = new Before(file, flags, config.home);
  const warmed = warm(file, flags.python, config, flags.target, before.wasDone);
  try {
    // From here on Python gets ready while Node loads.
    const { runNotebook } = require('./running') as typeof import('./running');
    const code = await runNotebook(file, warmed, flags, config);
    if (code === 0) before.done();
    return code;
  } finally {
    await warmed?.target.close();
  }
}
