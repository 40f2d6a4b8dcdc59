/**
 * SQLite for knex by way of `node:sqlite`, which comes with Node: nothing to compile, nothing to download. knex's dialect for
 * better-sqlite3 does the rest, since both drivers work the same way; here they are told apart. Statements are prepared once per text.
 */
import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';

type Binding = null | number | bigint | string | Uint8Array;

/** How long to wait for another writer: first inside SQLite, which stops this whole process, then politely. Milliseconds. */
export const patience = { rude: 20, polite: 10_000, pause: 5 };

/** Texts of statements kept prepared; batches of different lengths are different texts, so there is a limit. */
const preparedLimit = 200;

/** What knex's dialect calls a connection. */
class Connection {
  private readonly prepared = new Map<string, { statement: StatementSync; reader: boolean }>();

  constructor(private readonly database: DatabaseSync) {}

  query(sql: string, bindings: Binding[]): { rows?: unknown[]; lastID?: number | bigint; changes?: number | bigint } {
    // A full disk makes SQLite roll back by itself, and a commit that failed leaves the transaction open; knex expects neither.
    if (sql.startsWith('ROLLBACK') && !this.database.isTransaction) return {};
    if (sql.startsWith('BEGIN') && this.database.isTransaction) this.database.exec('ROLLBACK');
    let known = this.prepared.get(sql);
    if (!known) {
      const statement = this.database.prepare(sql);
      known = { statement, reader: statement.columns().length > 0 };
      if (this.prepared.size >= preparedLimit) this.prepared.delete(this.prepared.keys().next().value!);
      this.prepared.set(sql, known);
    }
    if (known.reader) return { rows: known.statement.all(...bindings) };
    const { lastInsertRowid, changes } = known.statement.run(...bindings);
    return { lastID: lastInsertRowid, changes };
  }

  close(): void {
    this.prepared.clear();
    this.database.close();
  }
}

/** Opens the file with what the store relies on: WAL, so that readers and a writer do not wait for each other, and foreign keys. */
function open(filename: string): Connection {
  const { DatabaseSync } = require('node:sqlite') as typeof import('node:sqlite');
  if (filename !== ':memory:' && !existsSync(filename)) {
    mkdirSync(dirname(filename), { recursive: true, mode: 0o700 });
    // Values in it may be somebody's data: made for its owner alone, before SQLite makes it for everybody. Never truncates.
    closeSync(openSync(filename, 'a', 0o600));
    chmodSync(filename, 0o600);
  }
  const database = new DatabaseSync(filename, { enableForeignKeyConstraints: true, timeout: patience.rude });
  try {
    // NORMAL: a commit reaches the operating system, and survives the death of this process. Losing power may lose the last commits but
    // never tears one apart: the run is then resumed from a moment before, and finds the results of its attempts in their folders.
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA temp_store = MEMORY');
  } catch (error) {
    database.close();
    throw error;
  }
  return new Connection(database);
}

/**
 * Does it again while another connection is writing. Within a writing transaction nothing is ever busy, and outside of one a statement
 * that was refused has done nothing, so it may simply be done again.
 */
async function whenFree<T>(work: () => T): Promise<T> {
  for (const deadline = Date.now() + patience.polite; ; await sleep(patience.pause)) {
    try {
      return work();
    } catch (error) {
      if (((error as { errcode?: number }).errcode ?? 0) % 256 !== busy || Date.now() > deadline) throw error;
    }
  }
}

const busy = 5;

interface Query {
  sql: string;
  bindings?: unknown[];
  response?: unknown;
  context?: unknown;
}

/** The dialect's class, made when first asked for: loading knex takes time that not every command has to spend. */
export function sqliteClient(): new (config: object) => object {
  const Dialect = require('knex/lib/dialects/better-sqlite3');
  const Transaction = require('knex/lib/dialects/sqlite3/execution/sqlite-transaction');

  /** A transaction that is going to write says so at once; SQLite gives one that starts by reading no second chance when it is busy. */
  class WritingTransaction extends Transaction {
    begin(connection: Connection) {
      return this.query(connection, 'BEGIN IMMEDIATE;');
    }
  }

  return class NodeSqlite extends Dialect {
    _driver() {
      return {};
    }
    acquireRawConnection() {
      return whenFree(() => open(this.connectionSettings.filename));
    }
    async destroyRawConnection(connection: Connection) {
      connection.close();
    }
    transaction(...args: unknown[]) {
      return new (WritingTransaction as unknown as new (...args: unknown[]) => object)(this, ...args);
    }
    async _query(connection: Connection, query: Query) {
      const { rows, lastID, changes } = await whenFree(() => connection.query(query.sql, this._formatBindings(query.bindings)));
      query.response = rows ?? { lastID, changes };
      query.context = { lastID, changes };
      return query;
    }
  } as unknown as new (
    config: object,
  ) => object;
}
