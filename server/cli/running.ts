/** What `stepwell run` does once Python is on its way: compile, hand the pipeline to the engine, show how it goes, and write what came of it. */
import { join, resolve } from 'node:path';
import type { Notebook } from '../../pipeline/model/notebook';
import type { Pipeline } from '../../pipeline/model/pipeline';
import type { Problem } from '../../pipeline/model/problem';
import type { RunOptions } from '../../pipeline/model/run';
import { openArtifacts } from '../artifacts';
import type { Config } from '../config';
import { executedNotebook, parseNotebook, writeNotebook } from '../engine/executed';
import { type RunReport, resumeRun, type Surroundings, startRun } from '../engine/run';
import { openStore, type Store } from '../store';
import { attemptFolder } from '../targets/local';
import { compileFile, readGiven } from './compiled';
import { failureText } from './failure';
import { Fault } from './fault';
import { findRun } from './findrun';
import type { NotebookFile } from './notebook';
import { printProblems } from './problems';
import { showProgress } from './progress';
import { painter, printJson, seconds } from './terminal';
import { type Warmed, warmFor } from './warm';

export interface RunFlags {
  parameter?: Record<string, string>;
  python?: string;
  out?: string;
  experiment?: string;
  from?: string;
  to?: string;
  only?: string;
  reuse: boolean;
  keepGoing?: boolean;
  workers?: number;
  target?: string;
  resume?: string;
  json?: boolean;
}

/** Compiles and runs; gives the exit code. `warmed` is absent when the file cannot be a notebook. */
export async function runNotebook(file: NotebookFile, warmed: Warmed | undefined, flags: RunFlags, config: Config): Promise<number> {
  const { notebook, pipeline, problems } = compileFile(file);
  const given = pipeline ? readGiven(pipeline, flags.parameter ?? {}) : { values: {}, problems: [] };
  const all = [...problems, ...given.problems];
  const errors = printProblems(all, notebook, process.stderr);
  if (errors > 0 || !notebook || !pipeline || !warmed) {
    if (flags.json) printJson({ status: 'problems', notebook: file.path, problems: all });
    return 2;
  }
  checkSteps(pipeline, flags);
  const options: RunOptions = {
    parameters: given.values,
    experiment: flags.experiment,
    reuse: flags.reuse,
    keepGoing: Boolean(flags.keepGoing),
    workers: flags.workers,
    from: flags.only ?? flags.from,
    to: flags.only ?? flags.to,
    python: warmed.python,
    target: warmed.target.name,
  };
  const store = await openStore({ url: config.database });
  try {
    const show = new Run(pipeline, parseNotebook(file.text), all, flags, config, file.path);
    const report = await show.drive(store, warmed, around => startRun({ notebook, notebookPath: file.path, pipeline, options }, around));
    return show.finish(report, options);
  } finally {
    await store.close();
  }
}

/** Throws a `Fault` for an option that names a step which is not there. */
export function checkSteps({ steps }: Pipeline, flags: Pick<RunFlags, 'from' | 'to' | 'only'>): void {
  for (const option of ['from', 'to', 'only'] as const) {
    const named = flags[option];
    if (named === undefined || steps.some(({ name }) => name === named)) continue;
    throw new Fault(`There is no step "${named}" (--${option}); the steps are ${steps.map(({ name }) => name).join(', ')}.`);
  }
}

/** Goes on with an earlier run; gives the exit code. */
export async function resume(named: string, flags: RunFlags, config: Config): Promise<number> {
  const store = await openStore({ url: config.database });
  try {
    const { id } = await findRun(store, named);
    const loaded = await store.loadRun(id);
    if (!loaded) throw new Fault(`There is no run "${named}". "stepwell runs" lists them.`);
    const { run, document } = loaded;
    const kept = await store.loadVersion(run.pipeline, run.version);
    if (!kept?.notebook) throw new Fault(`The notebook of run ${id} was not kept, so the run cannot be resumed; start a new one.`);
    const notebook = parseNotebook(kept.notebook);
    const warmed = warmFor(notebook, run.folder, flags.python ?? run.options.python, config, run.target);
    try {
      const show = new Run(document, notebook, [], flags, config, run.notebookPath);
      return show.finish(await show.drive(store, warmed, around => resumeRun(id, around)), run.options);
    } finally {
      await warmed.target.close();
    }
  } finally {
    await store.close();
  }
}

/** One run as the command shows it. */
class Run {
  private readonly started = Date.now();
  /** With `--json` standard output belongs to the document. */
  private readonly stream: NodeJS.WriteStream;

  constructor(
    private readonly pipeline: Pipeline,
    /** As it is in the file, to be given back unchanged. */
    private readonly notebook: Notebook,
    private readonly problems: Problem[],
    private readonly flags: RunFlags,
    private readonly config: Config,
    private readonly notebookPath: string,
  ) {
    this.stream = flags.json ? process.stderr : process.stdout;
  }

  /** Lets the engine run, tells how it goes, and turns Ctrl-C into a cancellation; a second one ends the process at once. */
  async drive(store: Store, { ready, target, lazy }: Warmed, go: (around: Surroundings) => Promise<RunReport>): Promise<RunReport> {
    const steps = this.pipeline.steps.map(({ name, cells }) => ({ name, cells: cells.length }));
    const abort = new AbortController();
    const interrupt = (signal: NodeJS.Signals) => {
      if (abort.signal.aborted) process.exit(signal === 'SIGINT' ? 130 : 143);
      process.stderr.write('\nStopping the steps … (once more to end at once)\n');
      abort.abort();
    };
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
    for (const signal of signals) process.on(signal, interrupt);
    // A Python that cannot run steps fails each of them the same way: told once, as what it is.
    let unfit: unknown;
    let isWatched = false;
    const watchPython = () => {
      if (isWatched) return;
      isWatched = true;
      ready().catch(error => {
        unfit = error;
        abort.abort();
      });
    };
    if (!lazy) watchPython();
    const artifacts = openArtifacts(this.config.artifacts, this.config.bucket);
    const progress = showProgress(steps, this.stream);
    const listener: Surroundings['listener'] = {
      created: run => void (process.env.STEPWELL_DEBUG && process.stderr.write(`run ${run}\n`)),
      events: events => {
        if (events.some(({ change }) => change.what === 'attempt')) watchPython();
        progress.events(events);
      },
      task: (step, event) => progress.task(step, event),
    };
    try {
      const report = await go({
        store,
        artifacts,
        target,
        attemptFolder: id => attemptFolder(this.config.home, id),
        listener,
        signal: abort.signal,
      });
      if (unfit && report.status !== 'succeeded') throw unfit;
      return report;
    } finally {
      progress.end();
      for (const signal of signals) process.off(signal, interrupt);
      await artifacts.settle();
    }
  }

  /** Writes the executed notebook and says how it ended. */
  finish(report: RunReport, options: RunOptions): number {
    const out = this.write(report, options);
    const spent = (Date.now() - this.started) / 1000;
    if (this.flags.json) {
      const { run, status, reason, steps } = report;
      printJson({
        run,
        status,
        reason,
        pipeline: this.pipeline.name,
        notebook: this.notebookPath,
        executed: out,
        seconds: spent,
        steps,
        problems: this.problems,
      });
    }
    const paint = painter(this.stream);
    for (const text of failureText(report, this.pipeline, options, this.stream)) this.stream.write(`\n${text}\n`);
    const colour = report.status === 'succeeded' ? 'green' : report.status === 'cancelled' ? 'yellow' : 'red';
    this.stream.write(`\nRun ${report.run} ${paint(colour, report.status)} after ${seconds(spent)}.\n`);
    if (out) this.stream.write(`Executed notebook: ${out}\n`);
    if (report.status === 'succeeded') return 0;
    this.stream.write(`Go on from where it stopped: stepwell run --resume ${report.run}\n`);
    return report.status === 'cancelled' ? 130 : 1;
  }

  private write(report: RunReport, { parameters }: RunOptions): string {
    const out = this.flags.out === undefined ? join(this.config.home, 'runs', report.run, 'notebook.ipynb') : resolve(this.flags.out);
    const { sharedCells, parameterCells, steps } = this.pipeline;
    const ran = [...sharedCells, ...parameterCells, ...steps.flatMap(({ cells }) => cells)].map(({ cell }) => cell);
    const types = Object.fromEntries(this.pipeline.parameters.map(({ name, type }) => [name, type]));
    writeNotebook(out, executedNotebook(this.notebook, { cells: report.cells, ran, parameters, types }));
    return out;
  }
}
