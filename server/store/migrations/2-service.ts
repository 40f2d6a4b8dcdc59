/**
 * What a service needs to know beyond a command: who started a run, which request it came from, and how each cell of an attempt went. Indices
 * follow the questions that are asked: the newest runs under any two of the filters, and how many steps of a run stand where.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('runs', table => {
    table.text('started_by');
    table.text('idempotency_key');
    /** Digest of the request that the key came with. */
    table.text('request');
    // A notebook's path is its pipeline's, so the pipeline's index serves both.
    table.dropIndex(['notebook_path', 'id']);
    table.index(['pipeline', 'status', 'id']);
    table.index(['experiment', 'status', 'id']);
    table.index(['experiment', 'pipeline', 'id']);
    table.unique(['idempotency_key']);
  });
  await knex.schema.alterTable('step_runs', table => table.index(['run', 'status']));
  await knex.schema.alterTable('attempts', table => {
    table.text('cells');
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.raw('alter table attempts drop column cells');
  await knex.schema.alterTable('step_runs', table => table.dropIndex(['run', 'status']));
  await knex.schema.alterTable('runs', table => {
    table.dropUnique(['idempotency_key']);
    table.dropIndex(['experiment', 'pipeline', 'id']);
    table.dropIndex(['experiment', 'status', 'id']);
    table.dropIndex(['pipeline', 'status', 'id']);
    table.index(['notebook_path', 'id']);
  });
  // In words: knex would copy SQLite's whole table.
  for (const column of ['request', 'idempotency_key', 'started_by']) await knex.raw('alter table runs drop column ??', [column]);
}
