/**
 * The Unix socket that children send their events to. Who connects says which attempt it is, then one event per line.
 *
 * The parent tells on another channel that an attempt is gone, and may be faster: `drained` resolves when everything that a process, now
 * gone, has ever sent is told. A process that is gone has its connection in the listener's queue at the latest, and the queue is
 * first in, first out; so a connection of our own that comes through the queue after it shows that it was accepted.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lines, parseObject } from './lines';

/** The system's limit is 104 bytes on macOS, 108 on Linux. */
const longestPath = 100;

interface Line {
  /** Undefined until it has said who it is. */
  key?: string;
  socket: Socket;
  ended: Promise<void>;
  identified: Promise<void>;
}

export class EventSocket {
  readonly path: string;
  private readonly folder: string;
  private readonly server: Server;
  private readonly connections = new Set<Line>();
  private barriers = 0;
  private readonly passed = new Map<string, () => void>();

  /** `line` gets every line after the first of a connection that named `key`, and how many bytes were left out of it. */
  constructor(private readonly line: (key: string, text: string, left: number) => void) {
    this.folder = privateFolder();
    this.path = join(this.folder, 'events');
    this.server = createServer(socket => this.accept(socket));
    // Errors of a listening Unix socket come at once or never; a child that cannot connect ends without a result and is told as that.
    this.server.on('error', () => {});
    this.server.listen({ path: this.path, backlog: 1024 });
    this.server.unref();
  }

  /** Resolves when all that this attempt's process has sent is told, or after `patience` ms: a process that escaped may hold the socket open. */
  async drained(key: string, patience: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const enough = new Promise<void>(resolve => {
      timer = setTimeout(resolve, patience);
    });
    await Promise.race([this.drain(key), enough]);
    clearTimeout(timer);
  }

  close(): void {
    for (const { socket } of this.connections) socket.destroy();
    this.server.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async drain(key: string): Promise<void> {
    const known = () => [...this.connections].filter(one => one.key === key);
    if (known().length === 0) {
      await this.barrier();
      await Promise.all([...this.connections].map(one => one.identified));
    }
    await Promise.all(known().map(one => one.ended));
  }

  /** Resolves when every connection made before the call has been accepted. */
  private barrier(): Promise<void> {
    const name = `${++this.barriers}`;
    return new Promise(resolve => {
      const socket = connect(this.path);
      const done = () => {
        this.passed.delete(name);
        socket.destroy();
        resolve();
      };
      this.passed.set(name, done);
      socket.on('error', done);
      socket.on('connect', () => socket.write(`{"barrier":"${name}"}\n`));
    });
  }

  private accept(socket: Socket): void {
    let ended!: () => void;
    let identified!: () => void;
    const one: Line = {
      socket,
      ended: new Promise(resolve => {
        ended = resolve;
      }),
      identified: new Promise(resolve => {
        identified = resolve;
      }),
    };
    this.connections.add(one);
    const lines = new Lines((text, left) => {
      if (one.key !== undefined) return this.line(one.key, text, left);
      const first = parseObject(text);
      if (typeof first?.barrier === 'string') this.passed.get(first.barrier)?.();
      one.key = typeof first?.key === 'string' ? first.key : '';
      identified();
    });
    socket.on('data', (chunk: Buffer) => lines.push(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      lines.end();
      this.connections.delete(one);
      identified();
      ended();
    });
  }
}

function privateFolder(): string {
  for (const base of [tmpdir(), '/tmp']) {
    if (Buffer.byteLength(join(base, 'stepwell-XXXXXX', 'events')) < longestPath) return mkdtempSync(join(base, 'stepwell-'));
  }
  return mkdtempSync('/tmp/stepwell-');
}
