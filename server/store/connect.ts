/** From an address to a knex instance; the driver of the other database is never loaded. */
import { isAbsolute } from 'node:path';
import type { Knex } from 'knex';
import { StoreProblem } from './problem';
import { sqliteClient } from './sqlite';

export interface Connection {
  knex: Knex;
  kind: 'sqlite' | 'postgres';
  /** The address as people may see it: without a password. */
  where: string;
}

/** Errors are thrown to whoever asked; knex would print them, with its stack, as well. */
const silent = { warn() {}, error() {}, deprecate() {}, debug() {} };

/** Knows `sqlite:///absolute/path.db`, `sqlite::memory:` and `postgres://…`. Connects when first used. */
export function connect(url: string): Connection {
  const { knex } = require('knex') as typeof import('knex');
  if (url.startsWith('sqlite:')) {
    const filename = url === 'sqlite::memory:' ? ':memory:' : decodePath(url);
    // One connection: SQLite has one writer, and a second connection to memory would be a second database. It is never given up when idle.
    const pool = { min: 1, max: 1, idleTimeoutMillis: 2 ** 31 - 1 };
    const client = sqliteClient() as unknown as Knex.Config['client'];
    return {
      knex: knex({ client, connection: { filename }, useNullAsDefault: true, log: silent, pool, acquireConnectionTimeout: 60_000 }),
      kind: 'sqlite',
      where: filename,
    };
  }
  if (/^postgres(ql)?:\/\//.test(url)) {
    // int8 as a number: byte counts and milliseconds stay below 2 ** 53.
    const types = {
      getTypeParser: (oid: number, format?: 'text') =>
        oid === 20 ? Number : (require('pg') as typeof import('pg')).types.getTypeParser(oid, format),
    };
    const connection = { connectionString: url, connectionTimeoutMillis: 10_000, types } as Knex.PgConnectionConfig;
    return {
      knex: knex({ client: 'pg', connection, log: silent, pool: { min: 0, max: 8 }, acquireConnectionTimeout: 15_000 }),
      kind: 'postgres',
      where: withoutPassword(url),
    };
  }
  throw new StoreProblem(
    'address',
    `The database address "${withoutPassword(url)}" is not known: expected sqlite:///path/to/file.db or postgres://user@host/name.`,
  );
}

function decodePath(url: string): string {
  const path = decodeURIComponent(url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, ''));
  if (!isAbsolute(path))
    throw new StoreProblem('address', `The database address "${url}" needs an absolute path: sqlite:///path/to/file.db.`);
  return path;
}

const withoutPassword = (url: string) => url.replace(/^([a-z]+:\/\/[^/@:]*):[^/]*@/, '$1@').replace(/([?&]password=)[^&]*/, '$1…');
