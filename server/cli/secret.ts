/**
 * The secret of a service: whoever has it may do everything. Jupyter makes one for each start and passes it in the environment; a service that
 * stands alone makes one at its first start and keeps it in a file that only its owner can read.
 */
import { randomBytes } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from './fault';

const variable = 'STEPWELL_SECRET';
const fit = /^[!-~]{16,}$/;

export interface Secret {
  text: string;
  /** Where it is kept, when it did not come from the environment. */
  file?: string;
}

/** Takes it out of the environment, so that no program that is started from here inherits it. */
export function takeSecret(env: NodeJS.ProcessEnv, home: string): Secret {
  const given = env[variable];
  delete env[variable];
  if (given === undefined) return keptSecret(join(home, 'secret'), home);
  if (!fit.test(given)) throw new Fault(`The secret in ${variable} is no good: it takes 16 printable characters or more, and no spaces.`);
  return { text: given };
}

function keptSecret(file: string, home: string): Secret {
  mkdirSync(home, { recursive: true, mode: 0o700 });
  try {
    const made = openSync(file, 'wx', 0o600);
    writeSync(made, `${randomBytes(32).toString('base64url')}\n`);
    closeSync(made);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  const text = readFileSync(file, 'utf8').trim();
  if (!fit.test(text)) throw new Fault(`The file ${file} holds no secret; remove it, and a new one is made at the next start.`);
  return { text, file };
}
