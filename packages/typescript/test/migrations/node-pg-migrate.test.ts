import { runInNewContext } from 'node:vm';
import { MigrationBuilder } from 'node-pg-migrate';
import { describe, expect, test } from 'vitest';
import { linked, schemaOfSql, shownSchema, uncheckedOf } from './support.js';

/** The statements that the library makes of a migration. */
async function sentBy(code: string): Promise<string> {
  const logger = { info: () => {}, warn: () => {}, error: () => {}, debug: () => {} };
  const db = { query: () => Promise.resolve({ rows: [] }), select: () => Promise.resolve([]) };
  const pgm = new MigrationBuilder(db as never, undefined, false, logger as never);
  const exports = {} as { up: (pgm: MigrationBuilder) => unknown };
  runInNewContext(code, { exports });
  await exports.up(pgm);
  return pgm.getSqlSteps().join('\n');
}

const migrations: Readonly<Record<string, string>> = {
  'tables, indexes and constraints': `
    exports.up = (pgm) => {
      pgm.createTable('organizations', { id: { type: 'uuid', primaryKey: true, default: pgm.func('gen_random_uuid()') }, name: 'text' });
      pgm.createTable('invoices', {
        id: 'id',
        organization_id: { type: 'uuid', notNull: true, references: '"organizations"', onDelete: 'cascade' },
        number: { type: 'varchar(20)', notNull: true, unique: true },
        total: { type: 'numeric', default: 0, check: 'total >= 0' },
        made: { type: 'timestamptz', notNull: true, default: pgm.func('now()') },
      }, { constraints: { unique: [['organization_id', 'number']], foreignKeys: { columns: 'organization_id', references: 'organizations(id)' } } });
      pgm.createIndex('invoices', ['organization_id', 'number'], { unique: true });
      pgm.createIndex('invoices', 'lower(number)', { name: 'lower_number', where: 'total > 0' });
      pgm.addColumns('invoices', { paid: { type: 'bool', default: false }, note: 'string' });
      pgm.addConstraint('invoices', 'named', { check: "number <> ''" });
      pgm.addConstraint('invoices', 'raw', 'UNIQUE (note)');
      pgm.alterColumn('invoices', 'note', { notNull: true, default: 'n', type: 'varchar(9)' });
      pgm.renameColumn('invoices', 'note', 'remark');
      pgm.dropColumns('invoices', ['paid']);
      pgm.dropIndex('invoices', ['organization_id', 'number'], { unique: true });
    };`,
  'row security, roles, grants, functions and triggers': `
    exports.up = (pgm) => {
      pgm.createSchema('app');
      const table = { schema: 'app', name: 'notes' };
      pgm.createTable(table, { a: { type: 'int', primaryKey: true }, b: { type: 'int', primaryKey: true }, tenant_id: 'uuid' });
      pgm.alterTable(table, { levelSecurity: 'ENABLE' });
      pgm.alterTable(table, { levelSecurity: 'FORCE' });
      pgm.createRole('api', { login: true });
      pgm.createPolicy(table, 'own', { command: 'SELECT', role: 'api', using: "tenant_id = current_setting('app.tenant')::uuid" });
      pgm.alterPolicy(table, 'own', { using: 'tenant_id IS NOT NULL' });
      pgm.grantOnTables({ privileges: ['SELECT', 'INSERT'], tables: table, roles: 'api' });
      pgm.grantOnSchemas({ privileges: 'USAGE', schemas: 'app', roles: ['api'] });
      pgm.createFunction('current_tenant', [], { returns: 'uuid', language: 'sql', behavior: 'STABLE', security: 'DEFINER' }, "SELECT current_setting('app.tenant')::uuid");
      pgm.createTrigger(table, 'stamp', { when: 'BEFORE', operation: ['INSERT', 'UPDATE'], level: 'ROW', language: 'plpgsql' }, 'BEGIN RETURN NEW; END');
      pgm.createView('all_notes', {}, 'SELECT tenant_id FROM app.notes');
      pgm.createType('kind', ['a', 'b']);
      pgm.sql('CREATE INDEX {name} ON app.notes (tenant_id)', { name: 'by_tenant' });
    };`,
};

describe('node-pg-migrate migrations give the schema of the SQL that the library makes', () => {
  test.each(Object.entries(migrations))('%s', async (_, code) => {
    const sent = await sentBy(code);
    expect(sent).toMatch(/create/i);
    const model = linked({ 'migrations/1700000000000_a.js': code });
    expect(uncheckedOf(model)).toEqual([]);
    expect(shownSchema(model.schema)).toEqual(shownSchema(schemaOfSql(sent)));
  });

  test('shorthands of the file are read through', () => {
    const model = linked({
      'migrations/1_a.js': `exports.shorthands = { tenant: { type: 'uuid', notNull: true, references: 'tenants' } };
        exports.up = (pgm) => { pgm.createTable('notes', { id: 'id', tenant_id: 'tenant' }); };`,
    });
    expect(uncheckedOf(model)).toEqual([]);
    const column = model.schema.tables.get('public.notes')?.columns.get('tenant_id');
    expect([column?.type, column?.notNull]).toEqual(['uuid', true]);
  });
});
