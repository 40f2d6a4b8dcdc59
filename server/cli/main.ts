/**
 * The command line: this file is its table of contents. Each command is a file that describes itself and loads what it needs only when it
 * is called, since `run` has a Python to start before anything else.
 */
import { enableCompileCache } from 'node:module';

enableCompileCache();

import { Command, CommanderError } from 'commander';
import { readConfig } from '../config';
import { version } from '../installation';
import { checkCommand } from './check';
import { compileCommand } from './compile';
import { doctorCommand } from './doctor';
import { explain } from './fault';
import { logsCommand } from './logs';
import { runCommand } from './run';
import { runsCommand } from './runs';
import { serveCommand } from './serve';
import { suggestCommand } from './suggest';
import { forgiveClosedPipes } from './terminal';
import { inputsCommand, outputsCommand } from './values';

const examples = `
Examples:
  stepwell suggest analysis.ipynb --write        propose steps from headings and dataflow, and tag the cells
  stepwell check analysis.ipynb                  what is wrong with it, if anything
  stepwell run analysis.ipynb --out done.ipynb   run it as a pipeline; done.ipynb has every output filled in
  stepwell run analysis.ipynb -p rate=0.1        with a parameter
  stepwell run --resume last                     go on with the latest run, where it stopped
  stepwell compile analysis.ipynb --to mermaid   the pipeline as a picture in text

Exit codes: 0 done; 1 the run failed; 2 the notebook, a parameter or an option is not in order; 130 interrupted.
Where things are kept: STEPWELL_HOME, STEPWELL_DATABASE, STEPWELL_ARTIFACTS (see "stepwell doctor").`;

export function program(): Command {
  return new Command('stepwell')
    .description('Runs a notebook as a pipeline: tag cells as steps, and get the answer that running it from top to bottom gives, sooner.')
    .version(version)
    .helpCommand(false)
    .addHelpText('after', examples)
    .showHelpAfterError('"stepwell --help" shows what there is.')
    .addCommand(runCommand())
    .addCommand(compileCommand())
    .addCommand(checkCommand())
    .addCommand(suggestCommand())
    .addCommand(runsCommand())
    .addCommand(logsCommand())
    .addCommand(serveCommand())
    .addCommand(inputsCommand())
    .addCommand(outputsCommand())
    .addCommand(doctorCommand());
}

/** Commander ends the process itself unless each command is told not to. */
function throwing(command: Command): Command {
  command.exitOverride();
  for (const one of command.commands) throwing(one);
  return command;
}

async function main(argv: string[]): Promise<number> {
  const { debug } = readConfig();
  try {
    if (argv.length <= 2) {
      program().outputHelp();
      return 0;
    }
    await throwing(program()).parseAsync(argv);
    return Number(process.exitCode ?? 0);
  } catch (error) {
    // Commander has said it already, help and version included.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const { text, exitCode } = explain(error, debug);
    process.stderr.write(`${text}\n`);
    return exitCode;
  }
}

/** Ends the process when what was written has left it; a pipe takes its time. */
function end(code: number): void {
  process.exitCode = code;
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)));
}

if (require.main === module) {
  forgiveClosedPipes();
  void main(process.argv).then(end);
}
