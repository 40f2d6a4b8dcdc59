/** The Unix socket that a service listens on, made ready: its folder is there, and what an earlier service left behind is gone. */
import { lstatSync, mkdirSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname, resolve } from 'node:path';
import { Fault } from './fault';

/** The system's limit is 104 bytes on macOS, 108 on Linux. */
const longestPath = 103;

/** Gives the absolute path. Throws a `Fault` when something is there that is not ours to remove, a service that answers among it. */
export async function clearSocket(named: string): Promise<string> {
  const path = resolve(named);
  if (Buffer.byteLength(path) > longestPath)
    throw new Fault(`The path of the socket is too long for the system (${path}); choose one of at most ${longestPath} bytes.`);
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (!found) return path;
  if (!found.isSocket()) throw new Fault(`"${path}" is there and is no socket; choose another path, or remove it.`);
  if (await answers(path)) throw new Fault(`Another service listens on "${path}"; stop it first, or choose another path.`);
  rmSync(path, { force: true });
  return path;
}

function answers(path: string): Promise<boolean> {
  return new Promise((done, fail) => {
    const socket = connect(path);
    socket.on('connect', () => {
      socket.destroy();
      done(true);
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') done(false);
      else fail(new Fault(`The socket "${path}" cannot be looked at (${error.code ?? error.message}); choose another path.`));
    });
  });
}
