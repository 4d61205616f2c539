import { expect, test } from 'vitest';
import { buildModel } from '../src/pipeline.js';
import { memorySource } from '../src/memory.js';
import { settingsOf } from '../src/settings.js';

const files = {
  'migrations/1.sql': `CREATE TABLE notes (id int PRIMARY KEY, tenant_id int NOT NULL);
    ALTER TABLE notes ENABLE ROW LEVEL SECURITY;`,
};

test('the configuration chooses the SQL parser; what it cannot read is unchecked', () => {
  const built = (sqlParser?: 'pgsql-ast-parser') =>
    buildModel(memorySource(files), { settings: settingsOf(sqlParser ? { sqlParser } : {}) }).model;
  const [first, second] = [built(), built('pgsql-ast-parser')];
  expect(first.schema.tables.get('public.notes')?.rowSecurity.enabled).toBe(true);
  expect(first.unchecked).toEqual([]);
  expect([...(second.schema.tables.get('public.notes')?.columns.keys() ?? [])]).toEqual(['id', 'tenant_id']);
  expect(second.unchecked.map((u) => u.reason)).toEqual(['unsupported']);
});
