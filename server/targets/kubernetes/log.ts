/**
 * What a pod says, followed through the API server: the one way that works from behind anything. A connection that is cut is made again and
 * the log read from its beginning; the runner numbers its lines, so what was told already is known.
 */
import { Lines, parseObject } from '../local/lines';
import { type Cluster, Refusal, sleep } from './cluster';
import { containerName } from './verdict';

export interface LogListener {
  /** A numbered line; `left`: bytes that were left out of it. */
  event(line: string, left: number): void;
  /** A line of the runner's own. */
  said(message: Record<string, unknown>): void;
  other(line: string): void;
}

export class PodLog {
  private readonly end = new AbortController();
  private last = 0;
  /** Lines of the runner's own that were told. */
  private own = 0;
  private complete!: () => void;
  /** Resolves when the runner has said its last, the log has ended, or nobody wants it any more. */
  readonly completed: Promise<void> = new Promise(resolve => {
    this.complete = resolve;
  });
  private over = false;

  constructor(
    private readonly cluster: Cluster,
    private readonly pod: string,
    private readonly listener: LogListener,
  ) {
    void this.follow().finally(() => this.complete());
  }

  close(): void {
    this.end.abort();
    this.complete();
  }

  /** The container has ended: a log that ends is whole. */
  finish(): void {
    this.over = true;
  }

  private async follow(): Promise<void> {
    const { signal } = this.end;
    let wait = 50;
    let missing = 0;
    while (!signal.aborted) {
      const ending = this.over;
      let skipped = 0;
      const lines = new Lines((line, left) => {
        if (line.startsWith('0 ')) {
          if (++skipped > this.own) {
            this.own = skipped;
            this.say(line.slice(2));
          }
        } else this.hear(line, left);
      });
      try {
        await this.cluster.follow(
          `${this.cluster.path('pods', this.pod)}/log?container=${containerName}&follow=true`,
          { signal, silence: 24 * 3600_000 },
          piece => lines.push(piece),
        );
        // Half a line is asked for again, unless there will be no more.
        if (ending) lines.end();
        if (ending) return;
        wait = 50;
      } catch (error) {
        if (signal.aborted) return;
        // 400: the container is not there yet. 404: the pod is gone, or the list of this server is old.
        if (error instanceof Refusal && error.status === 404 && (ending || ++missing > 5)) return;
        if (ending && error instanceof Refusal && error.status === 400) return;
      }
      await sleep(wait, signal);
      wait = Math.min(wait * 1.5, 2000);
    }
  }

  private hear(line: string, left: number): void {
    const space = line.indexOf(' ');
    const number = Number(line.slice(0, space));
    // Not of the runner: a step that has found the container's own output.
    if (!(number > 0)) this.listener.other(line);
    else if (number > this.last) {
      this.last = number;
      this.listener.event(line.slice(space + 1), left);
    }
  }

  private say(text: string): void {
    const message = parseObject(text);
    if (!message) return;
    this.listener.said(message);
    if (message.say === 'ended' || message.say === 'result') this.complete();
  }
}
