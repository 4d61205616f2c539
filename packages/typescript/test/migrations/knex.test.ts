import { createRequire } from 'node:module';
import { runInNewContext } from 'node:vm';
import type { Knex } from 'knex';
import knexLibrary from 'knex';
import { describe, expect, test } from 'vitest';
import { linked, schemaOfSql, shownSchema, uncheckedOf } from './support.js';

/** The statements that the library sends for a migration, without a database. */
async function sentBy(code: string): Promise<string> {
  const knex = knexLibrary({ client: 'pg', version: '16' });
  const sent: string[] = [];
  const client = knex.client as {
    query: unknown;
    acquireConnection: unknown;
    releaseConnection: unknown;
    processResponse: unknown;
  };
  client.acquireConnection = () => Promise.resolve({ __knexUid: 'c' });
  client.releaseConnection = () => Promise.resolve();
  client.query = (_: unknown, query: { sql: string; bindings?: unknown[] }) => {
    const given = typeof query === 'string' ? { sql: query, bindings: [] } : query;
    let next = 0;
    sent.push(
      given.sql.replace(/\$\d+|\?/g, () => `'${String((given.bindings ?? [])[next++]).replaceAll("'", "''")}'`),
    );
    return Promise.resolve({ ...given, response: { rows: [], rowCount: 0, fields: [] } });
  };
  client.processResponse = () => [];
  const module = { exports: {} as { up: (k: Knex) => Promise<unknown> } };
  runInNewContext(code, {
    module,
    exports: module.exports,
    require: createRequire(import.meta.url),
    process,
    __dirname: '.',
  });
  await module.exports.up(knex as unknown as Knex);
  return sent.map((s) => `${s};`).join('\n');
}

const migrations: Readonly<Record<string, string>> = {
  'tables with keys, references and indexes': `
    exports.up = async (knex) => {
      await knex.schema.createTable('organizations', (table) => {
        table.uuid('id').primary().defaultTo(knex.raw('gen_random_uuid()'));
        table.string('name', 120).notNullable();
        table.timestamps(true, true);
      });
      await knex.schema.createTable('invoices', function (t) {
        t.increments();
        t.uuid('organization_id').notNullable().references('id').inTable('organizations').onDelete('CASCADE').index();
        t.string('number').notNullable();
        t.decimal('total', 12, 2).defaultTo(0);
        t.enu('status', ['draft', 'paid']).notNullable().defaultTo('draft');
        t.jsonb('data');
        t.timestamp('paid_at', { useTz: false });
        t.boolean('open').defaultTo(true);
        t.bigInteger('external');
        t.specificType('tags', 'text[]');
        t.unique(['organization_id', 'number']);
        t.index(['number'], 'by_number');
      });
    };`,
  'changes of a table': `
    exports.up = async function (knex) {
      await knex.schema.createTable('a', (t) => { t.bigIncrements('id'); t.text('x'); t.text('y').unique(); });
      await knex.schema.alterTable('a', (t) => {
        t.uuid('tenant_id').references('b.id');
        t.renameColumn('x', 'z');
        t.dropUnique(['y']);
        t.dropColumn('y');
        t.string('q', 20).notNullable().alter;
        t.unique(['tenant_id', 'z'], { indexName: 'own_name' });
      });
      await knex.schema.table('a', (t) => { t.string('z').notNullable().defaultTo('n').alter(); t.setNullable('q'); });
      await knex.schema.renameTable('a', 'c');
    };`,
  'raw statements, bindings and another schema': `
    exports.up = async (knex) => {
      await knex.schema.createSchema('app');
      await knex.schema.withSchema('app').createTable('notes', (t) => {
        t.uuid('id').primary();
        t.uuid('tenant_id').notNullable();
      });
      await knex.raw('ALTER TABLE ??.?? ENABLE ROW LEVEL SECURITY', ['app', 'notes']);
      await knex.schema.raw("CREATE POLICY own ON app.notes USING (tenant_id = current_setting('app.tenant')::uuid)");
      await knex.schema.raw('CREATE INDEX by_tenant ON app.notes (tenant_id)');
    };`,
  'loops, helpers and constants': `
    const TABLES = ['projects', 'tasks'];
    const policy = (table) => \`CREATE POLICY \${table}_own ON \${table} USING (tenant_id = current_setting('app.tenant')::uuid)\`;
    function tenant(t) { t.uuid('tenant_id').notNullable(); }
    exports.up = async (knex) => {
      for (const name of TABLES) {
        await knex.schema.createTable(name, (t) => { t.uuid('id').primary(); tenant(t); });
        await knex.raw(\`ALTER TABLE \${name} ENABLE ROW LEVEL SECURITY\`);
        await knex.raw(policy(name));
      }
      await Promise.all(TABLES.map((t) => knex.raw('ALTER TABLE "' + t + '" FORCE ROW LEVEL SECURITY')));
      for (const { table, column } of [{ table: 'projects', column: 'title' }, { table: 'tasks', column: 'text' }])
        await knex.schema.alterTable(table, (t) => t.text(column).notNullable());
    };`,
  'steps in one chain, and after a promise': `
    exports.up = function (knex) {
      return knex.schema
        .createTable('a', (t) => { t.increments('id'); })
        .createTable('b', (t) => { t.increments('id'); t.integer('a_id').unsigned().notNullable(); t.foreign('a_id').references('a.id').onDelete('SET NULL'); })
        .then(() => knex.schema.table('a', (t) => { t.dropColumn('id'); t.uuid('id').primary(); }));
    };`,
  'a foreign key with a name, compound keys, checks': `
    exports.up = async (knex) => {
      await knex.schema.createTable('a', (t) => { t.integer('x'); t.integer('y'); t.primary(['x', 'y']); t.check('?? > 0', ['x'], 'positive'); });
      await knex.schema.createTable('b', (t) => {
        t.integer('x'); t.integer('y');
        t.foreign(['x', 'y'], 'to_a').references(['x', 'y']).inTable('a').onUpdate('CASCADE');
      });
      await knex.schema.alterTable('b', (t) => { t.dropForeign(['x', 'y'], 'to_a'); });
      await knex.schema.dropTableIfExists('b');
    };`,
};

describe('Knex migrations give the schema of the SQL that the library sends', () => {
  test.each(Object.entries(migrations))('%s', async (_, code) => {
    const sent = await sentBy(code);
    expect(sent).toMatch(/create/i);
    const model = linked({ 'migrations/20240101_a.js': code });
    expect(uncheckedOf(model)).toEqual([]);
    expect(shownSchema(model.schema)).toEqual(shownSchema(schemaOfSql(sent)));
  });
});
