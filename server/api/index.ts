/** The API: Express and socket.io on one server, on a port or a Unix socket. The table of contents of this room. */
import { chmodSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Artifacts } from '../artifacts';
import type { Config } from '../config';
import type { Runs } from '../engine/runs';
import type { Store } from '../store';
import { Background } from './background';
import { ApiError, problem } from './errors';
import { openLog } from './log';
import { Metrics } from './metrics';
import { openApi } from './openapi';
import { Paths } from './paths';
import { makeApp } from './router';
import { routes } from './routes';
import type { Service } from './service';
import { type Heartbeat, openSockets } from './sockets';
import { makeWho } from './who';

export interface ServerOptions {
  runs: Runs;
  store: Store;
  artifacts: Artifacts;
  config: Config;
  /** Of this installation. */
  version: string;
  listen: { host: string; port: number } | { socket: string };
  /** At least 16 characters. Whoever has it may do everything. */
  secret: string;
  /** The folder that notebooks lie in; absent, any that this process may read. */
  root?: string;
  withJupyter?: boolean;
  /** Where lines of the log go; default: standard error. */
  log?: NodeJS.WritableStream;
  /** Bytes of a body. */
  largest?: number;
  /** For specs. */
  heartbeat?: Partial<Heartbeat>;
  thread?: string;
}

export interface ApiServer {
  /** `http://127.0.0.1:8000` or `unix:/path/to/socket`. */
  address: string;
  /** Starts nothing any more, answers what was asked, lets listeners go. Resolves when all is closed. */
  close(): Promise<void>;
}

/** Bytes of a request's address and headers: a path of 4,096 letters, percent-encoded, fits. */
const longestHead = 64 * 1024;
/** Milliseconds that answers under way may still take when the server closes. */
const patience = 5000;

/** Listens. Rejects with the system's error when it cannot. */
export async function startServer(options: ServerOptions): Promise<ApiServer> {
  const { runs, store, artifacts, config, version, secret, root, withJupyter = false } = options;
  const log = openLog(options.log);
  const who = makeWho(secret);
  const document = openApi(routes, version);
  const background = new Background({ artifacts: artifacts.folder, program: options.thread });
  const service: Service = {
    runs,
    store,
    artifacts,
    config,
    version,
    withJupyter,
    background,
    metrics: new Metrics(() => runs.running()),
    paths: new Paths(root),
    stopping: false,
    document: () => document,
  };
  const server = createServer({ maxHeaderSize: longestHead }, makeApp(routes, { service, who, log, largest: options.largest }));
  server.on('clientError', (_error, socket) => {
    if (!socket.writable) return;
    const body = JSON.stringify(problem(new ApiError('bad-request', 'This is not HTTP, or its address or headers are too long.')));
    const head = `Content-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n`;
    socket.end(`HTTP/1.1 400 Bad Request\r\n${head}\r\n${body}`);
  });
  const sockets = openSockets(server, service, who, log, options.heartbeat);
  try {
    await listen(server, options.listen);
  } catch (error) {
    sockets.close();
    await background.close();
    throw error;
  }
  return {
    address: addressOf(server),
    async close() {
      service.stopping = true;
      sockets.close();
      const closed = new Promise<void>(resolve => server.close(() => resolve()));
      // A connection that is kept alive is idle once what was asked on it has been answered; nobody closes it then but we.
      const sweep = setInterval(() => server.closeIdleConnections(), 20);
      const timer = setTimeout(() => server.closeAllConnections(), patience);
      await closed;
      clearInterval(sweep);
      clearTimeout(timer);
      await background.close();
      log.flush?.();
    },
  };
}

function listen(server: Server, where: ServerOptions['listen']): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const ready = () => {
      server.off('error', reject);
      if ('socket' in where) chmodSync(where.socket, 0o600);
      resolve();
    };
    if (!('socket' in where)) {
      server.listen(where.port, where.host, ready);
      return;
    }
    // Nobody else may connect in the moment before its mode is set.
    const before = process.umask(0o177);
    server.listen(where.socket, ready);
    process.umask(before);
  });
}

function addressOf(server: Server): string {
  const address = server.address() as AddressInfo | string;
  if (typeof address === 'string') return `unix:${address}`;
  return `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}`;
}
