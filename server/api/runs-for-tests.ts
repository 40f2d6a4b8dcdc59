/** A stand-in for the engine in specs: runs are rows in a real store, and move when the spec says so. */
import { createHash } from 'node:crypto';
import { dirname } from 'node:path';
import type { CellRun, LoggedTaskEvent } from '../../pipeline/model/protocol';
import type { Change, Run, RunStatus } from '../../pipeline/model/run';
import { type Counts, type Line, RunProblem, type Runs, type RunsListener, type RunToStart } from '../engine/runs';
import { newId, type Store } from '../store';

export class RunsForTests implements Runs {
  private readonly listeners = new Set<RunsListener>();
  private readonly said = new Map<string, Line[]>();
  private readonly cellsOf = new Map<string, CellRun[]>();
  warmed: string[] = [];

  constructor(private readonly store: Store) {}

  async start({ notebook, notebookPath, pipeline, options, by, idempotencyKey }: RunToStart) {
    const request = createHash('sha256')
      .update(JSON.stringify([notebook, notebookPath, options]))
      .digest('hex');
    const id = newId();
    const { pipelineId, version } = await this.store.saveVersion({
      name: pipeline.name,
      notebookPath,
      document: pipeline,
      notebook: JSON.stringify(notebook),
    });
    const made = await this.store.createRun({
      id,
      pipeline: pipelineId,
      version,
      experiment: options.experiment,
      options,
      folder: dirname(notebookPath),
      notebookPath,
      target: 'local',
      steps: pipeline.steps.map(({ name }) => name),
      startedBy: by,
      idempotencyKey,
      request,
    });
    if (made === false) {
      const earlier = (await this.store.findStarted(idempotencyKey!))!;
      if (earlier.request !== request) throw new RunProblem('conflict', 'This key has started another run.');
      return { run: earlier.run, repeated: true };
    }
    const run = (await this.store.findRun(id))!;
    for (const listener of this.listeners) listener.run?.(run);
    return { run, repeated: false };
  }

  /** Commits the changes and tells of them, as the engine does. */
  async move(id: string, ...changes: Change[]): Promise<void> {
    const { sequence } = (await this.store.findRun(id))!;
    const events = await this.store.commit(id, sequence, changes);
    if (!events) throw new Error('The spec moved a run twice at once.');
    const run = (await this.store.findRun(id))!;
    for (const listener of this.listeners) {
      listener.events?.(id, events);
      listener.run?.(run);
    }
  }

  say(run: string, step: string, attempt: number, event: LoggedTaskEvent): void {
    const key = `${run}/${step}/${attempt}`;
    const lines = this.said.get(key) ?? [];
    this.said.set(key, lines);
    lines.push({ number: lines.length + 1, event });
    for (const listener of this.listeners) listener.line?.(run, step, attempt, lines.length, event);
  }

  stand(run: string, ...cells: CellRun[]): void {
    const all = this.cellsOf.get(run) ?? [];
    this.cellsOf.set(run, [...all.filter(({ cell }) => !cells.some(one => one.cell === cell)), ...cells]);
    for (const listener of this.listeners) listener.cells?.(run, cells);
  }

  async cancel(id: string): Promise<void> {
    await this.need(id, ['queued', 'running'], 'has ended already');
    await this.move(id, { what: 'run', status: 'cancelled' });
  }

  async resume(id: string): Promise<Run> {
    await this.need(id, ['failed', 'cancelled'], 'cannot be resumed');
    await this.move(id, { what: 'run', status: 'running' });
    return (await this.store.findRun(id))!;
  }

  private async need(id: string, statuses: RunStatus[], otherwise: string): Promise<void> {
    const run = await this.store.findRun(id);
    if (!run) throw new RunProblem('not-found', `There is no run "${id}".`);
    if (!statuses.includes(run.status)) throw new RunProblem('wrong-state', `Run ${id} ${otherwise}.`);
  }

  warm(_notebook: unknown, notebookPath: string): void {
    this.warmed.push(notebookPath);
  }

  listen(listener: RunsListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  async cells(id: string): Promise<CellRun[] | undefined> {
    return (await this.store.findRun(id)) ? (this.cellsOf.get(id) ?? []) : undefined;
  }

  async lines(run: string, step: string, attempt: number, after: number, limit: number): Promise<Line[]> {
    // As reading from a file does.
    await new Promise(resolve => setImmediate(resolve));
    return (this.said.get(`${run}/${step}/${attempt}`) ?? []).slice(after, after + limit);
  }

  running(): Counts {
    return { runs: 0, attempts: 0, waiting: 0 };
  }

  async adopt(): Promise<void> {}
  async close(): Promise<void> {}
}
