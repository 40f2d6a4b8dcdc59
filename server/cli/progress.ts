/**
 * A run as it goes, for the person at the terminal: a line per step with its state and time, rewritten in place; where there is no terminal,
 * a plain line whenever a step gets somewhere.
 */
import type { RunEvent, StepRunStatus } from '../../pipeline/model/run';
import type { TaskEvent } from '../../pipeline/model/task';
import { type Colour, coloured, painter, type Stream, seconds } from './terminal';

export interface Progress {
  events(events: RunEvent[]): void;
  task(step: string, event: TaskEvent): void;
  /** Leaves what is shown in its last state. */
  end(): void;
}

export interface ShownStep {
  name: string;
  cells: number;
}

interface Line {
  name: string;
  cells: number;
  status: StepRunStatus;
  reason?: string;
  /** Milliseconds since the epoch. */
  started?: number;
  ended?: number;
  cell: number;
  again: boolean;
}

const looks: Record<StepRunStatus, [mark: string, colour: Colour]> = {
  waiting: ['·', 'grey'],
  queued: ['·', 'grey'],
  running: ['▸', 'blue'],
  succeeded: ['✓', 'green'],
  reused: ['✓', 'green'],
  failed: ['✗', 'red'],
  cancelled: ['–', 'yellow'],
  skipped: ['–', 'grey'],
};

export function showProgress(steps: ShownStep[], stream: Stream, now: () => number = Date.now): Progress {
  const lines = new Map<string, Line>(steps.map(({ name, cells }) => [name, { name, cells, status: 'waiting', cell: 0, again: false }]));
  const inPlace = Boolean(stream.isTTY) && process.env.TERM !== 'dumb';
  const view = inPlace ? new Painted(lines, stream, now) : new Plain(stream);
  return {
    events(events) {
      for (const { at, change } of events) {
        if (change.what !== 'step') continue;
        const line = lines.get(change.step);
        if (!line) continue;
        const before = line.status;
        line.status = change.status;
        line.reason = change.reason;
        if (change.status === 'running') {
          line.again = line.started !== undefined;
          Object.assign(line, { started: Date.parse(at), ended: undefined, cell: 0 });
        } else if (isOver(change.status)) line.ended = Date.parse(at);
        if (before !== change.status) view.changed(line);
      }
    },
    task(step, event) {
      if (event.type !== 'cell-started') return;
      // A unit of several steps (`load+train`) shows where it is on the line of its first.
      const line = lines.get(step) ?? lines.get(step.split('+')[0]!);
      if (line) line.cell++;
    },
    end: () => view.end(),
  };
}

const isOver = (status: StepRunStatus) => status !== 'waiting' && status !== 'queued' && status !== 'running';
const took = ({ started, ended }: Line, now: number) =>
  started === undefined ? '' : seconds(Math.max(0, (ended ?? now) - started) / 1000);

/** One line per thing that happened. */
class Plain {
  constructor(private readonly stream: Stream) {}

  changed(line: Line): void {
    if (line.status === 'waiting' || line.status === 'queued') return;
    const time = isOver(line.status) && line.status !== 'skipped' && line.status !== 'reused' ? took(line, 0) : '';
    const why = line.reason && line.status !== 'succeeded' ? `: ${line.reason}` : '';
    this.stream.write(
      `${line.name}  ${line.status}${line.status === 'running' && line.again ? ' again' : ''}${time ? `  ${time}` : ''}${why}\n`,
    );
  }

  end(): void {}
}

/** All steps, redrawn at most ten times a second. More steps than the terminal has rows: only those that run, and a line of counts. */
class Painted {
  private drawn = 0;
  private readonly timer: NodeJS.Timeout;
  private readonly paint: ReturnType<typeof painter>;

  constructor(
    private readonly lines: Map<string, Line>,
    private readonly stream: Stream,
    private readonly now: () => number,
  ) {
    this.paint = painter(stream);
    this.draw();
    this.timer = setInterval(() => this.draw(), 100);
    this.timer.unref();
    if (coloured(stream)) stream.write('\x1b[?25l');
  }

  changed(): void {}

  end(): void {
    clearInterval(this.timer);
    this.draw(true);
    if (coloured(this.stream)) this.stream.write('\x1b[?25h');
  }

  private draw(last = false): void {
    const all = [...this.lines.values()];
    const room = (this.stream.rows ?? 24) - 2;
    const folded = all.length > room && !last;
    const shown = folded ? all.filter(({ status }) => status === 'running' || status === 'failed').slice(0, room - 1) : all;
    const width = Math.max(0, ...shown.map(({ name }) => name.length));
    const texts = shown.map(line => this.text(line, width));
    if (folded) texts.push(this.counts(all));
    const up = this.drawn > 0 ? `\x1b[${this.drawn}A` : '';
    this.stream.write(`${up}${texts.map(text => `\r\x1b[2K${text}\n`).join('')}\x1b[J`);
    this.drawn = texts.length;
  }

  private text(line: Line, width: number): string {
    const [mark, colour] = looks[line.status];
    const where =
      line.status === 'running' && line.cells > 1 && line.cell > 0 ? `cell ${Math.min(line.cell, line.cells)} of ${line.cells}` : '';
    const why = line.reason && line.status !== 'succeeded' ? line.reason : '';
    const time = line.status === 'reused' || line.status === 'skipped' ? '' : took(line, this.now());
    const plain = `${line.name.padEnd(width)}  ${line.status.padEnd(9)}  ${time.padStart(7)}  ${where || why}`.trimEnd();
    const columns = this.stream.columns ?? 80;
    return `${this.paint(colour, mark)} ${plain.length + 2 > columns ? `${plain.slice(0, columns - 3)}…` : plain}`;
  }

  private counts(all: Line[]): string {
    const counts = new Map<StepRunStatus, number>();
    for (const { status } of all) counts.set(status, (counts.get(status) ?? 0) + 1);
    return [...counts].map(([status, count]) => `${count} ${status}`).join(', ');
  }
}
