import { describe, expect, test } from 'vitest';
import { linked, schemaOfSql, shownSchema, uncheckedOf } from './support.js';

/** A migration, and the SQL that does the same. */
const cases: Readonly<Record<string, readonly [string, string]>> = {
  'tables, indexes and constraints': [
    `'use strict';
    module.exports = {
      up: async (queryInterface, Sequelize) => {
        await queryInterface.createTable('organizations', { id: { type: Sequelize.UUID, primaryKey: true, allowNull: false, defaultValue: Sequelize.literal('gen_random_uuid()') } });
        await queryInterface.createTable('invoices', {
          id: { type: Sequelize.INTEGER, autoIncrement: true, primaryKey: true, allowNull: false },
          organizationId: { field: 'organization_id', type: Sequelize.UUID, allowNull: false, references: { model: 'organizations', key: 'id' }, onDelete: 'CASCADE', onUpdate: 'CASCADE' },
          number: { type: Sequelize.STRING(20), allowNull: false, unique: true },
          total: { type: Sequelize.DECIMAL(10, 2), defaultValue: 0 },
          status: Sequelize.ENUM('draft', 'paid'),
          tags: Sequelize.ARRAY(Sequelize.TEXT),
          createdAt: { type: Sequelize.DATE, allowNull: false, defaultValue: Sequelize.fn('now') },
        });
        await queryInterface.addIndex('invoices', ['organization_id', 'number'], { unique: true, name: 'by_number' });
        await queryInterface.addIndex('invoices', { fields: ['organization_id'], where: { number: null } });
        await queryInterface.addConstraint('invoices', { fields: ['organization_id', 'status'], type: 'unique', name: 'uq' });
        await queryInterface.addColumn('invoices', 'owner_id', { type: Sequelize.UUID, references: { model: { tableName: 'users', schema: 'auth' }, key: 'id' } });
        await queryInterface.changeColumn('invoices', 'total', { type: Sequelize.INTEGER, allowNull: false });
        await queryInterface.renameColumn('invoices', 'number', 'no');
        await queryInterface.removeColumn('invoices', 'tags');
        await queryInterface.sequelize.query('ALTER TABLE invoices ENABLE ROW LEVEL SECURITY');
      },
      down: async (queryInterface) => { await queryInterface.dropTable('invoices'); },
    };`,
    `CREATE TABLE organizations (id uuid NOT NULL DEFAULT gen_random_uuid(), PRIMARY KEY (id));
     CREATE TYPE enum_invoices_status AS ENUM ('draft', 'paid');
     CREATE TABLE invoices (id serial NOT NULL, organization_id uuid NOT NULL REFERENCES organizations (id) ON DELETE CASCADE ON UPDATE CASCADE,
       number varchar(20) NOT NULL UNIQUE, total decimal(10, 2) DEFAULT 0, status enum_invoices_status, tags text[],
       "createdAt" timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (id));
     CREATE UNIQUE INDEX by_number ON invoices (organization_id, number);
     CREATE INDEX invoices_organization_id ON invoices (organization_id) WHERE number IS NULL;
     ALTER TABLE invoices ADD CONSTRAINT uq UNIQUE (organization_id, status);
     ALTER TABLE invoices ADD COLUMN owner_id uuid REFERENCES auth.users (id);
     ALTER TABLE invoices ALTER COLUMN total SET NOT NULL, ALTER COLUMN total DROP DEFAULT, ALTER COLUMN total TYPE integer;
     ALTER TABLE invoices RENAME COLUMN number TO no;
     ALTER TABLE invoices DROP COLUMN tags;
     ALTER TABLE invoices ENABLE ROW LEVEL SECURITY;`,
  ],
  'Umzug, typed and in a transaction': [
    `import type { MigrationFn } from 'umzug';
    import { DataTypes, QueryInterface } from 'sequelize';
    const tables = ['a', 'b'];
    export const up = async ({ context: queryInterface }: { context: QueryInterface }) => {
      await queryInterface.sequelize.transaction(async (transaction) => {
        for (const table of tables) {
          await queryInterface.createTable(table, { id: { type: DataTypes.UUID, primaryKey: true }, tenant_id: { type: DataTypes.UUID, allowNull: false } }, { transaction });
          await queryInterface.sequelize.query(\`CREATE POLICY own ON "\${table}" USING (tenant_id = current_setting('app.tenant')::uuid)\`, { transaction });
        }
      });
    };
    export const down = async ({ context: queryInterface }: { context: QueryInterface }) => { await queryInterface.dropTable('a'); };`,
    `CREATE TABLE a (id uuid, tenant_id uuid NOT NULL, PRIMARY KEY (id)); CREATE POLICY own ON a USING (tenant_id = current_setting('app.tenant')::uuid);
     CREATE TABLE b (id uuid, tenant_id uuid NOT NULL, PRIMARY KEY (id)); CREATE POLICY own ON b USING (tenant_id = current_setting('app.tenant')::uuid);`,
  ],
};

describe('Sequelize migrations', () => {
  test.each(Object.entries(cases))('%s', (_, [code, sql]) => {
    const model = linked({ 'migrations/20240101000000-a.ts': code });
    expect(uncheckedOf(model)).toEqual([]);
    expect(shownSchema(model.schema)).toEqual(shownSchema(schemaOfSql(sql)));
  });
});
