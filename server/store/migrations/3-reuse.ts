/**
 * Answers that are used again: the parts of each step's key, and what files were when they were looked at last. The key by which answers are
 * found is written when all that a step used is known, so a row with one is complete. A pinned run is kept whatever its age.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.alterTable('step_runs', table => {
    table.text('key_parts');
    /** The run that the answer was taken from. */
    table.text('reused_from').index();
  });
  // Keys of before said less.
  await knex('step_runs').update({ reuse_key: null });
  await knex.schema.alterTable('runs', table => {
    table.text('pinned');
  });
  await knex.schema.createTable('fingerprints', table => {
    table.text('path').primary();
    table.text('stamp').notNullable();
    table.text('digest').notNullable();
  });
}

export async function down(knex: Knex): Promise<void> {
  await knex.schema.dropTable('fingerprints');
  await knex.raw('alter table runs drop column pinned');
  await knex.schema.alterTable('step_runs', table => table.dropIndex(['reused_from']));
  for (const column of ['reused_from', 'key_parts']) await knex.raw('alter table step_runs drop column ??', [column]);
}
