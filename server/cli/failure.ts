/** Why a run did not succeed: for each step that failed the cell, the traceback as IPython printed it, and what to do about it. */

import type { TaskError } from '../../pipeline/model/failure';
import type { Pipeline } from '../../pipeline/model/pipeline';
import type { RunOptions } from '../../pipeline/model/run';
import type { RunReport } from '../engine/run';
import { coloured, painter, type Stream, withoutColours } from './terminal';

/** One text per failed step, then the run's own reason if it says more. */
export function failureText(report: RunReport, pipeline: Pipeline, options: Pick<RunOptions, 'python'>, stream: Stream): string[] {
  const paint = painter(stream);
  const texts: string[] = [];
  const told = new Set<string>();
  for (const { name, unit, error } of report.steps) {
    // Steps that ran as one share their error.
    if (!error || told.has(unit ?? name)) continue;
    told.add(unit ?? name);
    const place = error.cell === undefined || error.cell < 0 || /^cell \d/i.test(error.message) ? '' : ` in cell ${error.cell + 1}`;
    const lines = [paint('red', `Step "${unit ?? name}" failed${place}: ${error.message}`)];
    if (error.traceback?.length) {
      const trace = error.traceback.join('\n').trimEnd();
      lines.push(coloured(stream) ? trace : withoutColours(trace));
    }
    const advice = adviceFor(error, name, pipeline, options);
    if (advice) lines.push(advice);
    texts.push(lines.join('\n'));
  }
  if (report.status === 'failed' && report.reason && texts.length === 0) texts.push(paint('red', report.reason));
  return texts;
}

function adviceFor(
  error: TaskError,
  step: string,
  pipeline: Pipeline,
  { python = 'python3' }: Pick<RunOptions, 'python'>,
): string | undefined {
  const settings = `metadata.stepwell.steps.${step}`;
  switch (error.kind) {
    case 'user': {
      const missing = error.ename === 'ModuleNotFoundError' ? /No module named '([^'.]+)/.exec(error.evalue ?? '')?.[1] : undefined;
      if (missing)
        return `What to do: install what provides "${missing}" where the steps run (${python} -m pip install …), or run with another environment (--python).`;
      if (error.ename === 'NameError')
        return 'What to do: check that the name is assigned in a cell above, and that no tag "skip" leaves that cell out.';
      return 'What to do: mend the cell and run again; the steps above it need not be done again (--from).';
    }
    case 'out-of-memory':
      return `What to do: give the step more memory (${settings}.resources.memory), run fewer steps at once (--workers), or make it use less.`;
    case 'timeout':
      return `What to do: allow the step more time (${settings}.timeout), or make it quicker.`;
    case 'killed':
      return 'What to do: if nobody ended it on purpose, the machine may be short of memory; try again with --resume.';
    case 'lost-value':
      return pipeline.steps.length > 1 ? `What to do: make the value in the step that uses it, or tag both cells as one step.` : undefined;
    case 'storage':
      return 'What to do: make room or mend permissions, then go on with --resume.';
    default:
      return undefined;
  }
}
