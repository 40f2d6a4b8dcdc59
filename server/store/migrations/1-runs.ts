/**
 * Pipelines, their versions, runs and their log. Instants are ISO texts, which sort by time; a claim's deadline is milliseconds by the
 * database's own clock. JSON is kept as text: both databases then keep it byte for byte, and nothing is asked of what is inside.
 */
import type { Knex } from 'knex';

export async function up(knex: Knex): Promise<void> {
  await knex.schema.createTable('pipelines', table => {
    table.text('id').primary();
    table.text('name').notNullable();
    table.text('notebook_path').notNullable().unique();
    table.text('created').notNullable();
  });
  await knex.schema.createTable('versions', table => {
    table.text('pipeline').notNullable().references('id').inTable('pipelines').onDelete('CASCADE');
    table.integer('number').notNullable();
    table.text('digest').notNullable();
    table.text('document').notNullable();
    table.text('notebook_digest').notNullable();
    table.text('notebook');
    table.text('created').notNullable();
    table.primary(['pipeline', 'number']);
    table.unique(['pipeline', 'digest']);
  });
  await knex.schema.createTable('runs', table => {
    table.text('id').primary();
    table.text('pipeline').notNullable();
    table.integer('version').notNullable();
    table.text('experiment');
    table.text('status').notNullable();
    table.text('options').notNullable();
    table.text('plan');
    table.text('reason');
    table.text('created').notNullable();
    table.text('started');
    table.text('ended');
    table.text('owner');
    table.bigInteger('owned_until');
    table.text('notebook_path').notNullable();
    table.text('folder').notNullable();
    table.text('target').notNullable();
    table.integer('sequence').notNullable();
    table.foreign(['pipeline', 'version']).references(['pipeline', 'number']).inTable('versions');
    table.index(['pipeline', 'id']);
    table.index(['experiment', 'id']);
    table.index(['status', 'id']);
    table.index(['notebook_path', 'id']);
  });
  await knex.schema.createTable('step_runs', table => {
    table.text('run').notNullable().references('id').inTable('runs').onDelete('CASCADE');
    table.text('step').notNullable();
    table.integer('position').notNullable().defaultTo(0);
    table.text('status').notNullable();
    table.integer('attempts').notNullable().defaultTo(0);
    table.text('unit');
    table.text('reason');
    table.text('started');
    table.text('ended');
    table.text('result');
    table.text('given');
    table.text('reuse_key').index();
    table.primary(['run', 'step']);
  });
  await knex.schema.createTable('attempts', table => {
    table.text('run').notNullable().references('id').inTable('runs').onDelete('CASCADE');
    table.text('step').notNullable();
    table.integer('attempt').notNullable();
    table.text('token');
    table.text('status').notNullable();
    table.text('error');
    table.text('overhead');
    table.bigInteger('peak_memory');
    table.double('cpu_seconds');
    table.text('result');
    table.text('started');
    table.text('ended');
    table.primary(['run', 'step', 'attempt']);
  });
  await knex.schema.createTable('events', table => {
    table.text('run').notNullable().references('id').inTable('runs').onDelete('CASCADE');
    table.integer('sequence').notNullable();
    table.text('at').notNullable();
    table.text('change').notNullable();
    table.primary(['run', 'sequence']);
  });
  await knex.schema.createTable('artifacts', table => {
    table.text('run').notNullable().references('id').inTable('runs').onDelete('CASCADE');
    table.text('step').notNullable();
    table.integer('attempt').notNullable();
    table.text('name').notNullable();
    table.text('digest').notNullable().index();
    table.bigInteger('size').notNullable();
    table.text('type');
    table.text('preview');
    table.primary(['run', 'step', 'attempt', 'name']);
  });
}

export async function down(knex: Knex): Promise<void> {
  for (const table of ['artifacts', 'events', 'attempts', 'step_runs', 'runs', 'versions', 'pipelines']) await knex.schema.dropTable(table);
}
