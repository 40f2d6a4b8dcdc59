/** `stepwell suggest`: steps for an untagged notebook, from its headings and its dataflow. */
import { Command } from 'commander';
import { readNotebookFile } from './notebook';

export function suggestCommand(): Command {
  return new Command('suggest')
    .description('propose steps for a notebook, from its headings and dataflow')
    .argument('<notebook>', 'the notebook file')
    .option('--write', "write the proposed tags into the notebook's cells; outputs and everything else stay as they are")
    .option('--json', 'print the proposed tags as one JSON document')
    .addHelpText('after', '\nExamples:\n  stepwell suggest report.ipynb\n  stepwell suggest report.ipynb --write')
    .action((shown: string, flags: { write?: boolean; json?: boolean }) => {
      process.exitCode = suggest(shown, flags);
    });
}

function suggest(shown: string, { write, json }: { write?: boolean; json?: boolean }): number {
  const { compileFile, suggest: propose } = require('./compiled') as typeof import('./compiled');
  const { countErrors, printProblems } = require('./problems') as typeof import('./problems');
  const { printJson, table } = require('./terminal') as typeof import('./terminal');
  const { parseNotebook, writeNotebook } = require('../engine/executed') as typeof import('../engine/executed');
  const file = readNotebookFile(shown);
  const { notebook, problems } = compileFile(file);
  if (!notebook) {
    printProblems(problems, notebook, process.stderr);
    return 2;
  }
  const same = (cell: number, tags: string[]) =>
    String([...(notebook.cells[cell]?.metadata.tags ?? [])].sort()) === String([...tags].sort());
  const proposed = propose(notebook).filter(({ cell, tags }) => !same(cell, tags));
  const stream = json ? process.stderr : process.stdout;
  if (proposed.length === 0) stream.write('Nothing to propose: every code cell has its step.\n');
  else if (!json) {
    const rows = proposed.map(({ cell, tags }) => [
      `cell ${cell + 1}`,
      tags.join(', '),
      firstLine([notebook.cells[cell]?.source ?? ''].flat().join('')),
    ]);
    stream.write(`${table(rows)}\n`);
  }
  if (json) printJson(proposed);
  if (write && proposed.length > 0) {
    const whole = parseNotebook(file.text);
    for (const { cell, tags } of proposed) {
      const one = whole.cells[cell]!;
      one.metadata = { ...one.metadata, tags };
    }
    writeNotebook(file.path, whole);
    const left = compileFile({ ...file, text: JSON.stringify(whole) }).problems;
    stream.write(
      `Written to ${shown}.${countErrors(left) > 0 ? ` "stepwell check ${shown}" tells what else stands in the way of a run.` : ''}\n`,
    );
  }
  return 0;
}

const firstLine = (source: string) => source.trim().split('\n')[0]!.slice(0, 60);
