/**
 * Brings a database to this program's tables. All that is missing is done in one transaction, which both databases allow for tables too,
 * so a program that is killed meanwhile leaves the database as it was and no lock behind. (knex's own migrator keeps its lock in a row.)
 */
import type { Knex } from 'knex';
import * as runs from './migrations/1-runs';
import * as service from './migrations/2-service';
import * as reuse from './migrations/3-reuse';
import { StoreProblem } from './problem';

export interface Migration {
  up(knex: Knex): Promise<void>;
  down(knex: Knex): Promise<void>;
}

/** In order; a name is never changed once a version of the program went out with it. */
export const migrations: Record<string, Migration> = { '1-runs': runs, '2-service': service, '3-reuse': reuse };

const table = 'stepwell_migrations';

/** Brings the database up to `until` (default: all). Does nothing but one read when it is there already. */
export async function migrate(knex: Knex, where: string, until = Object.keys(migrations).length): Promise<void> {
  if ((await done(knex, where)) >= until) return;
  await knex.transaction(async transaction => {
    await lock(transaction);
    if (!(await transaction.schema.hasTable(table)))
      await transaction.schema.createTable(table, columns => void columns.text('name').primary());
    const already = await done(transaction, where);
    for (const [name, migration] of Object.entries(migrations).slice(already, until)) {
      await migration.up(transaction);
      await transaction(table).insert({ name });
    }
  });
}

/** Takes the database back to its first `keep` migrations. */
export async function rollBack(knex: Knex, where: string, keep: number): Promise<void> {
  await knex.transaction(async transaction => {
    await lock(transaction);
    const already = await done(transaction, where);
    for (const [name, migration] of Object.entries(migrations).slice(keep, already).reverse()) {
      await migration.down(transaction);
      await transaction(table).where({ name }).delete();
    }
  });
}

/** How many are done; a database with one that this program does not know was made by a newer one. */
async function done(knex: Knex, where: string): Promise<number> {
  // Asking for the table first would be a second query on every start; a missing table aborts a PostgreSQL transaction, though.
  if (knex.isTransaction || !isSqlite(knex)) {
    if (!(await knex.schema.hasTable(table))) return 0;
  }
  const names: string[] = await knex(table)
    .pluck('name')
    .catch((error: Error) => {
      if (/no such table/.test(error.message)) return [];
      throw error;
    });
  const known = Object.keys(migrations);
  const unknown = names.filter(name => !known.includes(name)).sort();
  if (unknown.length > 0) {
    throw new StoreProblem(
      'newer',
      `The database ${where} was made by a newer Stepwell (it has "${unknown.at(-1)}"); update Stepwell, or set STEPWELL_HOME to another folder.`,
    );
  }
  return names.length;
}

const isSqlite = (knex: Knex) => knex.client.config.client !== 'pg';

/** Two programs that open a new database at once do this one after the other. SQLite's transactions write alone anyway. */
async function lock(transaction: Knex.Transaction): Promise<void> {
  if (!isSqlite(transaction)) await transaction.raw('select pg_advisory_xact_lock(7281437)');
}
