/**
 * `stepwell serve`: the service that Jupyter, or a person, starts. It moves many runs, tells of them over HTTP and sockets, and takes up where
 * an earlier one stopped or was killed.
 */
import { realpathSync } from 'node:fs';
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import type { TaskDocument } from '../../pipeline/model/task';
import { type Config, readConfig } from '../config';
import { Fault } from './fault';

interface Flags {
  host: string;
  port: number;
  socket?: string;
  root?: string;
  python?: string;
  workers?: number;
  parent?: boolean;
}

export const defaultPort = 8471;

export function serveCommand(): Command {
  return new Command('serve')
    .description('run the service: many runs, told of over HTTP; JupyterLab starts one by itself')
    .option('--host <address>', 'where to listen', '127.0.0.1')
    .option('--port <n>', 'on which port; 0 for any that is free', wholeNumber(0), defaultPort)
    .option('--socket <path>', 'listen on a Unix socket in place of a port')
    .option('--root <folder>', 'the folder that notebooks lie in; without it, any that this user may read')
    .option('--python <path>', 'the interpreter for notebooks whose kernel names none')
    .option('--workers <n>', 'steps that run at once, over all runs (default: as many as the machine has cores)', wholeNumber(1))
    .option('--parent', 'end when standard input does, as a service does that another program has started')
    .addHelpText('after', '\nExamples:\n  stepwell serve\n  stepwell serve --port 0 --root ~/notebooks')
    .action(async (flags: Flags) => {
      await serve(flags, readConfig());
    });
}

const wholeNumber = (least: number) => (text: string) => {
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > 65_535)
    throw new InvalidArgumentError(`A whole number of ${least} or more is expected.`);
  return value;
};

/** Resolves when it has been asked to stop and has stopped. */
async function serve(flags: Flags, config: Config): Promise<void> {
  const { takeSecret } = require('./secret') as typeof import('./secret');
  const secret = takeSecret(process.env, config.home);
  const stop = stopSignal(Boolean(flags.parent));
  const { openStore } = require('../store') as typeof import('../store');
  const { openArtifacts } = require('../artifacts') as typeof import('../artifacts');
  const { openRuns } = require('../engine/many') as typeof import('../engine/many');
  const { Pool } = require('../targets/local/pool') as typeof import('../targets/local/pool');
  const { startServer } = require('../api') as typeof import('../api');
  const { describe, openLog } = require('../api/log') as typeof import('../api/log');
  const { packages, root: installation, runnerPath, version } = require('../installation') as typeof import('../installation');
  const log = openLog();
  const root = flags.root === undefined ? undefined : folder(flags.root);
  const store = await openStore({ url: config.database });
  const artifacts = openArtifacts(config.artifacts, config.bucket);
  const pool = new Pool({ root: installation, runnerPath, packages, home: config.home, jupyter: flags.python && resolve(flags.python) });
  const trouble = (error: unknown, run?: string) => log.error({ run, ...describe(error) }, 'trouble with a run');
  const { bringInputs, openKubernetes } = require('../engine/elsewhere') as typeof import('../engine/elsewhere');
  const { home, bucket } = config;
  const elsewhere = { kubernetes: () => openKubernetes({ home, artifacts, bucket }) };
  const before = async (target: string, task: TaskDocument) => {
    if (target === 'local' && bucket) await bringInputs(task, artifacts);
  };
  const runs = openRuns({ store, artifacts, pool, home, workers: flags.workers, elsewhere, before, trouble });
  try {
    const withJupyter = Boolean(flags.parent);
    const listen = await place(flags);
    const options = { runs, store, artifacts, config, version, listen, secret: secret.text, root, withJupyter };
    const server = await startServer(options).catch(error => {
      throw refused(error, flags);
    });
    try {
      greet(server.address, secret.file, flags);
      // The listeners are there now: nothing that happens to these runs is missed.
      if (!stop.signal.aborted) await runs.adopt();
      await stop.asked;
      process.stderr.write('Stopping: runs that are not over go on at the next start … (once more to end at once)\n');
    } finally {
      await server.close();
    }
  } finally {
    await runs.close();
    await artifacts.settle();
    await store.close();
    stop.forget();
  }
}

/** Asked to stop by a signal, or by the end of what started this program. A second signal ends it at once. */
function stopSignal(parent: boolean): { asked: Promise<void>; signal: AbortSignal; forget(): void } {
  const abort = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };
  const asked = new Promise<void>(done => abort.signal.addEventListener('abort', () => done()));
  const ask = () => abort.abort();
  const heard = (signal: (typeof signals)[number]) => {
    if (abort.signal.aborted) process.exit(codes[signal]);
    ask();
  };
  for (const signal of signals) process.on(signal, heard);
  if (parent) {
    for (const event of ['end', 'close', 'error'] as const) process.stdin.once(event, ask);
    process.stdin.resume();
  }
  return {
    asked,
    signal: abort.signal,
    forget() {
      for (const signal of signals) process.off(signal, heard);
      process.stdin.destroy();
    },
  };
}

async function place({ host, port, socket }: Flags): Promise<{ host: string; port: number } | { socket: string }> {
  if (socket === undefined) return { host, port };
  const { clearSocket } = require('./socket') as typeof import('./socket');
  return { socket: await clearSocket(socket) };
}

function folder(named: string): string {
  try {
    return realpathSync(named);
  } catch {
    throw new Fault(`There is no folder "${named}" (--root).`);
  }
}

/** What keeps it from listening, for people. */
function refused(error: NodeJS.ErrnoException, { host, port, socket }: Flags): unknown {
  const where = socket ?? `${host}:${port}`;
  if (error.code === 'EADDRINUSE')
    return new Fault(`${where} is in use by another program; choose another --port, or 0 for any that is free.`);
  if (error.code === 'EACCES') return new Fault(`Listening on ${where} is not permitted; choose another --port above 1023.`);
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
    return new Fault(`"${host}" is no address of this machine (--host); leave it out to listen on 127.0.0.1.`);
  return error;
}

/** The address on standard output, where a program can read it; how to use it on standard error. */
function greet(address: string, secretFile: string | undefined, { host, socket }: Flags): void {
  process.stdout.write(`${address}\n`);
  if (secretFile !== undefined) {
    const url = socket === undefined ? `${address}/api/v1/service` : `--unix-socket ${socket} http://stepwell/api/v1/service`;
    process.stderr.write(
      `Stepwell listens. Every request needs its secret:\n  curl -H "Authorization: Bearer $(cat ${secretFile})" ${url}\n`,
    );
  }
  if (socket === undefined && !isLoopback(host))
    process.stderr.write(`Others on the network can reach ${host}, and the secret travels unencrypted: put a proxy with TLS before it.\n`);
}

const isLoopback = (host: string) => host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
