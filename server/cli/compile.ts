/** `stepwell compile`: what a tagged notebook means, as a JSON document or as a picture in text. */
import { Command, Option } from 'commander';
import { readNotebookFile } from './notebook';

export function compileCommand(): Command {
  return new Command('compile')
    .description('show the pipeline that a notebook compiles to')
    .argument('<notebook>', 'the notebook file')
    .addOption(new Option('--to <format>', 'what to print').choices(['json', 'mermaid']).default('json'))
    .addHelpText('after', '\nExamples:\n  stepwell compile report.ipynb\n  stepwell compile report.ipynb --to mermaid > report.mmd')
    .action((shown: string, { to }: { to: 'json' | 'mermaid' }) => {
      process.exitCode = compile(shown, to);
    });
}

function compile(shown: string, to: 'json' | 'mermaid'): number {
  const { compileFile } = require('./compiled') as typeof import('./compiled');
  const { printProblems } = require('./problems') as typeof import('./problems');
  const { printJson } = require('./terminal') as typeof import('./terminal');
  const { notebook, pipeline, problems } = compileFile(readNotebookFile(shown));
  const errors = printProblems(problems, notebook, process.stderr);
  if (!pipeline) return 2;
  if (to === 'json') printJson(pipeline);
  else {
    const { toMermaid } = require('./compiled') as typeof import('./compiled');
    process.stdout.write(`${toMermaid(pipeline).trimEnd()}\n`);
  }
  return errors > 0 ? 2 : 0;
}
