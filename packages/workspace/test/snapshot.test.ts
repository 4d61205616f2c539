import { expect, test } from 'vitest';
import { buildModel } from '../src/pipeline.js';
import { memorySource } from '../src/memory.js';
import { settingsOf } from '../src/settings.js';

const snapshot = JSON.stringify(
  {
    version: '7',
    dialect: 'postgresql',
    enums: { 'public.kind': { name: 'kind', schema: 'public', values: ['a', 'b'] } },
    schemas: { app: 'app' },
    tables: {
      'public.tenants': {
        name: 'tenants',
        schema: '',
        columns: { id: { name: 'id', type: 'uuid', primaryKey: true, notNull: true, default: 'gen_random_uuid()' } },
      },
      'app.notes': {
        name: 'notes',
        schema: 'app',
        columns: {
          id: { name: 'id', type: 'integer', notNull: true, identity: { type: 'always' } },
          tenant_id: { name: 'tenant_id', type: 'uuid', primaryKey: false, notNull: true },
          kind: { name: 'kind', type: 'kind', typeSchema: 'public', notNull: false },
        },
        indexes: {
          by_tenant: {
            name: 'by_tenant',
            columns: [{ expression: 'tenant_id', isExpression: false }],
            isUnique: false,
            method: 'btree',
          },
        },
        foreignKeys: {
          fk: { name: 'fk', tableTo: 'tenants', columnsFrom: ['tenant_id'], columnsTo: ['id'], onDelete: 'cascade' },
        },
        compositePrimaryKeys: { pk: { name: 'pk', columns: ['tenant_id', 'id'] } },
        uniqueConstraints: {},
        checkConstraints: { positive: { name: 'positive', value: 'id > 0' } },
        policies: {
          own: { name: 'own', as: 'PERMISSIVE', for: 'SELECT', to: ['public'], using: 'tenant_id is not null' },
        },
        isRLSEnabled: true,
      },
    },
  },
  null,
  2,
);
const built = (files: Record<string, string>) => buildModel(memorySource(files), { settings: settingsOf({}) }).model;

test('the last snapshot of Drizzle is the schema where the migrations are not there', () => {
  const file = 'drizzle/meta/0002_snapshot.json';
  const model = built({ [file]: snapshot, 'drizzle/meta/0001_snapshot.json': '{ "version": "7", "tables": {} }' });
  expect(model.unchecked).toEqual([]);
  const notes = model.schema.tables.get('app.notes');
  expect([...(notes?.columns.values() ?? [])].map((c) => [c.name, c.type, c.notNull])).toEqual([
    ['id', 'integer', true],
    ['tenant_id', 'uuid', true],
    ['kind', 'kind', false],
  ]);
  expect(notes?.constraints.map((c) => [c.kind, c.name])).toEqual([
    ['primary key', 'pk'],
    ['check', 'positive'],
    ['foreign key', 'fk'],
  ]);
  expect(notes?.indexes.map((i) => i.name)).toEqual(['by_tenant']);
  expect([notes?.rowSecurity.enabled, notes?.policies.map((p) => p.command)]).toEqual([true, ['select']]);
  const span = notes!.columns.get('tenant_id')!.span;
  expect([span.file, snapshot.slice(span.start, span.end)]).toEqual([
    file,
    expect.stringMatching(/^"tenant_id": \{[^}]*\}$/),
  ]);
});

test('beside migrations as SQL no snapshot counts', () => {
  const model = built({
    'drizzle/meta/0001_snapshot.json': snapshot,
    'drizzle/0001_a.sql': 'CREATE TABLE a (id int);',
  });
  expect([...model.schema.tables.keys()]).toEqual(['public.a']);
});

test('what is no snapshot is unchecked', () => {
  expect(built({ 'drizzle/meta/0001_snapshot.json': '[1' }).unchecked.map((u) => u.reason)).toEqual(['unresolved']);
  const mysql = built({ 'db/meta/0001_snapshot.json': '{"version":"5","dialect":"mysql","tables":{}}' });
  expect(mysql.unchecked.map((u) => u.reason)).toEqual(['dialect:mysql']);
});

test('the journal of Drizzle says the order of migrations', () => {
  const model = built({
    'drizzle/meta/_journal.json': JSON.stringify({ entries: [{ tag: 'zebra' }, { tag: 'apple' }] }),
    'drizzle/zebra.sql': 'CREATE TABLE a (id int);\n--> statement-breakpoint\nCREATE TABLE b (id int);',
    'drizzle/apple.sql': 'ALTER TABLE a RENAME TO c;\n--> statement-breakpoint\nDROP TABLE b;',
  });
  expect([...model.schema.tables.keys()]).toEqual(['public.c']);
  expect(model.schema.dangling).toEqual([]);
});
