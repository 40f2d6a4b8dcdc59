/** `stepwell check`: problems only. */
import { Command } from 'commander';
import { readNotebookFile } from './notebook';

export function checkCommand(): Command {
  return new Command('check')
    .description('list the problems of a notebook; exit code 2 if one of them stops a run')
    .argument('<notebook...>', 'one or more notebook files')
    .option('--json', 'print the problems as one JSON document')
    .addHelpText('after', '\nExamples:\n  stepwell check report.ipynb\n  stepwell check *.ipynb --json')
    .action((shown: string[], { json }: { json?: boolean }) => {
      process.exitCode = check(shown, Boolean(json));
    });
}

function check(shown: string[], json: boolean): number {
  const { compileFile } = require('./compiled') as typeof import('./compiled');
  const { countErrors, printProblems } = require('./problems') as typeof import('./problems');
  const { printJson } = require('./terminal') as typeof import('./terminal');
  const stream = json ? process.stderr : process.stdout;
  const documents = [];
  let errors = 0;
  for (const name of shown) {
    const file = readNotebookFile(name);
    const { notebook, pipeline, problems } = compileFile(file);
    if (shown.length > 1) stream.write(`${name}\n`);
    if (!json) printProblems(problems, notebook, stream, 'info');
    errors += countErrors(problems);
    documents.push({ notebook: file.path, steps: pipeline?.steps.map(step => step.name) ?? [], problems });
    if (!json) stream.write(`${summary(problems.length, countErrors(problems), pipeline?.steps.length)}\n`);
  }
  if (json) printJson(shown.length === 1 ? documents[0] : documents);
  return errors > 0 ? 2 : 0;
}

function summary(problems: number, errors: number, steps: number | undefined): string {
  const what = steps === undefined ? '' : ` in ${count(steps, 'step')}`;
  if (problems === 0) return `No problems${what}.`;
  return `${count(problems, 'problem')}${what}, ${errors === 0 ? 'none' : errors} of which ${errors === 1 ? 'stops' : 'stop'} a run.`;
}

const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? '' : 's'}`;
