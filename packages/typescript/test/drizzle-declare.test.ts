import type { SchemaAction } from '@tenant-lint/model';
import { describe, expect, test } from 'vitest';
import { drizzle } from '../src/adapters/drizzle/index.js';
import { drizzleContext, factsOf } from './support/drizzle.js';
import { showPredicate } from './support/render.js';

const imports = `
import { pgTable, pgSchema, pgTableCreator, pgEnum, pgPolicy, pgRole, pgView, mysqlTable, uuid, text, varchar, integer, serial, timestamp, numeric,
  primaryKey, unique, uniqueIndex, index, foreignKey, check } from 'drizzle-orm/pg-core';
import { relations, sql, eq, defineRelations } from 'drizzle-orm';`;

function declared(code: string, more: Readonly<Record<string, string>> = {}): SchemaAction[] {
  const facts = factsOf({ ...more, 'schema.ts': `${imports}\n${code}` });
  const context = drizzleContext(facts);
  return drizzle.declarations!(facts.at(-1)!, context).map((e) => e.action);
}

type Create = Extract<SchemaAction, { do: 'create table' }>;
const tablesIn = (actions: readonly SchemaAction[]): Create[] => actions.filter((a) => a.do === 'create table');
const only = (code: string, more?: Readonly<Record<string, string>>): Create => {
  const [table, ...rest] = tablesIn(declared(code, more));
  expect(rest).toEqual([]);
  return table!;
};
const columns = (table: Create): string[] =>
  table.columns.map(
    (c) => `${c.property ?? c.name}:${c.name} ${c.type}${c.notNull ? ' not null' : ''}${c.default ? ' default' : ''}`,
  );
const constraints = (table: Create): string[] =>
  table.constraints.map((c) =>
    c.kind === 'foreign key'
      ? `foreign key ${c.columns.join()} -> ${c.references.name}(${c.referencedColumns.join()})${c.onDelete ? ` ${c.onDelete}` : ''}`
      : c.kind === 'check'
        ? `check ${c.name ?? ''} ${showPredicate(c.predicate)}`
        : c.kind === 'exclude'
          ? c.kind
          : `${c.kind} ${c.columns.join()}`,
  );

describe('tables', () => {
  test('columns with their names, types, NOT NULL and defaults', () => {
    const table = only(`export const invoices = pgTable('invoices', {
      id: uuid('id').primaryKey().defaultRandom(), orgId: uuid('org_id').notNull(), no: serial(), title: varchar({ length: 20 }).default('x'),
      made: timestamp('made_at', { withTimezone: true }).defaultNow(), tags: text('tags').array(), token: text().$defaultFn(() => nextToken()),
    });`);
    expect(table.table).toEqual({ name: 'invoices' });
    expect(table.aliases).toEqual([{ by: 'binding', file: 'schema.ts', name: 'invoices' }]);
    expect(columns(table)).toEqual([
      'id:id uuid not null default',
      'orgId:org_id uuid not null',
      'no:no integer not null default',
      'title:title character varying(20) default',
      'made:made_at timestamp with time zone default',
      'tags:tags text[]',
      'token:token text',
    ]);
  });

  test('columns that the database counts up', () => {
    const table = only(`export const invoices = pgTable('invoices', {
      a: integer().generatedAlwaysAsIdentity(), b: integer().autoincrement().primaryKey(),
      c: integer().primaryKey({ autoIncrement: true }), d: integer().primaryKey({ autoIncrement: false }), e: integer(),
    });`);
    expect(table.columns.filter((c) => c.identity).map((c) => c.name)).toEqual(['a', 'b', 'c']);
  });

  test('a column, a constraint and an index stand where they are written', () => {
    const code = `export const invoices = pgTable('invoices', {
      id: uuid('id'),
      slug: text('slug').unique(),
    }, (t) => [index('by_slug').on(t.slug), unique('both').on(t.id, t.slug)]);`;
    const table = only(code);
    const source = `${imports}\n${code}`;
    const textAt = (span: { start: number; end: number } | undefined): string =>
      span ? source.slice(span.start, span.end) : '';
    expect(table.columns.map((c) => textAt(c.span))).toEqual(["id: uuid('id')", "slug: text('slug').unique()"]);
    expect(table.indexes.map((i) => textAt(i.span))).toEqual(["index('by_slug').on(t.slug)"]);
    expect(table.constraints.map((c) => textAt(c.span))).toEqual(['unique()', "unique('both').on(t.id, t.slug)"]);
  });

  test('columns made by a callback, spread from shared ones, and of an enum', () => {
    const table = only(`
      const shared = { createdAt: timestamp('created_at').notNull() };
      export const state = pgEnum('invoice_state', ['open', 'paid']);
      export const invoices = pgTable('invoices', (t) => ({ id: t.uuid().primaryKey(), orgId: t.uuid('org_id').notNull(), state: state('state'), ...shared }));`);
    expect(columns(table)).toEqual([
      'id:id uuid not null',
      'orgId:org_id uuid not null',
      'state:state invoice_state',
      'createdAt:created_at timestamp without time zone not null',
    ]);
  });

  test('columns shared by another file', () => {
    const table = only(
      `import { owned } from './shared'; export const invoices = pgTable('invoices', { ...owned, id: uuid().primaryKey() });`,
      {
        'shared.ts': `import { uuid } from 'drizzle-orm/pg-core'; export const owned = { orgId: uuid('org_id').notNull() };`,
      },
    );
    expect(columns(table)).toEqual(['orgId:org_id uuid not null', 'id:id uuid not null']);
  });

  test('schemas and table creators make the name', () => {
    const tables = tablesIn(
      declared(`
      const billing = pgSchema('billing'); export const a = billing.table('a', { id: uuid() });
      const app = pgTableCreator((name) => \`app_\${name}\`); export const b = app('b', { id: uuid() });
      export const c = mysqlTable('c', { id: uuid() });`),
    );
    expect(tables.map((t) => t.table)).toEqual([{ schema: 'billing', name: 'a' }, { name: 'app_b' }, { name: 'c' }]);
  });

  test('a name that is computed declares nothing that is known', () => {
    expect(declared(`export const make = (name: string) => pgTable(name, { id: uuid() });`)).toEqual([]);
  });
});

describe('keys and references', () => {
  const orgs = `export const orgs = pgTable('orgs', { id: uuid('id').primaryKey(), parentId: uuid('parent_id').references((): AnyPgColumn => orgs.id) });`;

  test('of columns, to other tables and the same one', () => {
    const [own, invoices] = tablesIn(
      declared(`${orgs}
      export const invoices = pgTable('invoices', { orgId: uuid('org_id').references(() => orgs.id, { onDelete: 'cascade' }), slug: text('slug').unique() });`),
    );
    expect(constraints(own!)).toEqual(['primary key id', 'foreign key parent_id -> orgs(id)']);
    expect(constraints(invoices!)).toEqual(['foreign key org_id -> orgs(id) cascade', 'unique slug']);
  });

  test.each([
    ['a list', '(t) => [', ']'],
    ['an object', '(t) => ({', '})'],
  ])('of the table, in %s', (kind, open, close) => {
    const key = (name: string): string => (kind === 'an object' ? `${name}: ` : '');
    const [, invoices] = tablesIn(
      declared(`${orgs}
      export const invoices = pgTable('invoices', { id: uuid('id'), orgId: uuid('org_id'), no: integer('no'), total: integer('total') }, ${open}
        ${key('pk')}primaryKey({ columns: [t.orgId, t.id] }), ${key('u')}unique('one').on(t.orgId, t.no), ${key('i')}uniqueIndex('two').on(t.orgId, t.no).where(sql\`\${t.total} > 0\`),
        ${key('x')}index('by_total').using('gin', t.total.desc()), ${key('f')}foreignKey({ columns: [t.orgId, t.id], foreignColumns: [orgs.parentId, orgs.id] }).onDelete('restrict'),
        ${key('c')}check('positive', sql\`\${t.total} > 0\`) ${close});`),
    );
    expect(constraints(invoices!)).toEqual([
      'primary key org_id,id',
      'unique org_id,no',
      'foreign key org_id,id -> orgs(parent_id,id) restrict',
      'check positive self.total > 0',
    ]);
    expect(invoices!.indexes.map((i) => [i.name, i.unique, i.method, i.keys, i.predicate !== undefined])).toEqual([
      ['two', true, 'btree', [{ column: 'org_id' }, { column: 'no' }], true],
      ['by_total', false, 'gin', [{ column: 'total' }], false],
    ]);
  });
});

describe('row security', () => {
  const policies = (code: string): Extract<SchemaAction, { do: 'create policy' }>[] =>
    declared(code).filter((a) => a.do === 'create policy');

  test('switched on by itself or by a policy', () => {
    expect(declared(`export const a = pgTable('a', { id: uuid() }).enableRLS();`)[1]).toMatchObject({
      do: 'row security',
      table: { name: 'a' },
      enabled: true,
    });
    expect(
      declared(`export const a = pgTable('a', { id: uuid() }, () => [pgPolicy('p', { for: 'select' })]);`)[1],
    ).toMatchObject({ do: 'row security', enabled: true });
    expect(declared(`export const a = pgTable('a', { id: uuid() });`)).toHaveLength(1);
  });

  test('policies with their command, roles and conditions', () => {
    const [policy] = policies(`
      export const app = pgRole('app').existing();
      export const a = pgTable('a', { id: uuid('id'), orgId: uuid('org_id') }, (t) => [
        pgPolicy('own', { as: 'restrictive', for: 'update', to: app, using: sql\`\${t.orgId} = current_setting('app.org')::uuid\`, withCheck: sql\`org_id is not null\` })]);`);
    expect(policy!.policy).toMatchObject({ name: 'own', permissive: false, command: 'update', roles: ['app'] });
    expect(showPredicate(policy!.policy.using!)).toBe('self.org_id = cast:uuid(setting)');
    expect(showPredicate(policy!.policy.check!)).toContain('org_id is null');
    expect(policy!.policy.usingSpan?.file).toBe('schema.ts');
  });

  test('a condition that is not text is unknown, never left out', () => {
    const [policy] = policies(
      `export const a = pgTable('a', { id: uuid('id') }, () => [pgPolicy('p', { using: makeCondition() })]);`,
    );
    expect(policy!.policy.using).toEqual({ kind: 'unknown', reason: 'the text of the policy was not found' });
  });

  test('views with their options', () => {
    expect(
      declared(`export const v = pgView('v').with({ securityInvoker: true }).as((qb) => qb.select().from(x));`),
    ).toMatchObject([
      { do: 'create view', view: { name: 'v' }, materialized: false, options: { security_invoker: 'true' } },
    ]);
  });
});

describe('relations', () => {
  const tables = `export const orgs = pgTable('orgs', { id: uuid('id').primaryKey() });
    export const invoices = pgTable('invoices', { id: uuid('id'), orgId: uuid('org_id') });`;
  const added = (code: string): unknown[] =>
    declared(`${tables}\n${code}`).flatMap((a) =>
      a.do === 'add relations'
        ? a.relations.map(
            (r) =>
              `${a.table.name}.${r.name} ${r.cardinality} ${r.to.name} ${r.columns.join()}=${r.references.join()}${r.relationName ?? ''}`,
          )
        : [],
    );

  test('of the first version', () => {
    expect(
      added(`
      export const a = relations(orgs, ({ many }) => ({ invoices: many(invoices) }));
      export const b = relations(invoices, (r) => ({ org: r.one(orgs, { fields: [invoices.orgId], references: [orgs.id], relationName: '!' }) }));`),
    ).toEqual(['orgs.invoices many invoices =', 'invoices.org one orgs org_id=id!']);
  });

  test('of the second version', () => {
    expect(
      added(`export const r = defineRelations({ orgs, invoices }, (r) => ({
      invoices: { org: r.one.orgs({ from: r.invoices.orgId, to: r.orgs.id }) }, orgs: { invoices: r.many.invoices() } }));`),
    ).toEqual(['invoices.org one orgs org_id=id', 'orgs.invoices many invoices =']);
  });
});

test.each([
  `pgTable();`,
  `pgTable('x');`,
  `pgTable('x', 3, 4);`,
  `relations();`,
  `relations(orgs, () => 3);`,
  `pgTable('x', { a: 3, b: uuid().references(), c: text().unique({}) }, () => [unique(), index().on(), foreignKey(), primaryKey(), check(), pgPolicy()]);`,
])('odd declarations are not fatal: %s', (code) => {
  expect(() => declared(code)).not.toThrow();
});
