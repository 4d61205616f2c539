import { describe, expect, it } from 'vitest';
import type { ColumnDefinition, SchemaAction } from '@tenant-lint/model';
import {
  foldSchema,
  sourcesOf,
  hasIndexLedBy,
  leadingIndexes,
  primaryKey,
  referencesOf,
  referencesTo,
  uniqueKeys,
} from '../src/fold/index.js';
import { declaring, factsOf, fold, foldSql, spanIn, tableIn } from './fold-support.js';

const schema = `
model Organization {
  id       String    @id
  invoices Invoice[]
  members  User[]
}
model User {
  id        String    @id
  email     String    @unique
  orgs      Organization[]
  written   Invoice[] @relation("author")
  approved  Invoice[] @relation("approver")
}
model Invoice {
  id         String       @id
  orgId      String       @map("org_id")
  number     Int
  org        Organization @relation(fields: [orgId], references: [id])
  authorId   String
  approverId String?
  author     User         @relation("author", fields: [authorId], references: [id])
  approver   User?        @relation("approver", fields: [approverId], references: [id])
  @@unique([orgId, number])
  @@index([orgId, id])
  @@map("invoices")
}
`;
const migration = `
CREATE TABLE "Organization" ("id" TEXT NOT NULL, CONSTRAINT "Organization_pkey" PRIMARY KEY ("id"));
CREATE TABLE "User" ("id" TEXT NOT NULL, "email" TEXT NOT NULL, CONSTRAINT "User_pkey" PRIMARY KEY ("id"));
CREATE TABLE "invoices" ("id" TEXT NOT NULL, "org_id" TEXT, "number" INTEGER NOT NULL, "authorId" TEXT NOT NULL, "approverId" TEXT,
  CONSTRAINT "invoices_pkey" PRIMARY KEY ("id"));
CREATE UNIQUE INDEX "User_email_key" ON "User"("email") WHERE "email" <> '';
CREATE UNIQUE INDEX "invoices_org_id_number_key" ON "invoices"("org_id", "number");
CREATE INDEX "invoices_org_id_id_idx" ON "invoices"("org_id", "id");
ALTER TABLE "invoices" ADD CONSTRAINT "invoices_org_id_fkey" FOREIGN KEY ("org_id") REFERENCES "Organization"("id") ON DELETE RESTRICT ON UPDATE CASCADE;
ALTER TABLE "invoices" ADD CONSTRAINT "invoices_authorId_fkey" FOREIGN KEY ("authorId") REFERENCES "User"("id");
ALTER TABLE "invoices" ADD CONSTRAINT "invoices_approverId_fkey" FOREIGN KEY ("approverId") REFERENCES "User"("id");
`;
const both = { 'prisma/schema.prisma': schema, 'prisma/migrations/20240101000000_init/migration.sql': migration };

describe('a declared schema and the migrations made from it', () => {
  const folded = fold(both);
  const invoices = tableIn(folded, 'public.invoices');

  it('are one table, known by its name in code', () => {
    expect([...folded.tables.keys()].sort()).toEqual(['public.Organization', 'public.User', 'public.invoices']);
    expect(invoices.aliases).toEqual([{ by: 'model', library: 'prisma', name: 'Invoice' }]);
    expect(invoices.columns.get('org_id')?.property).toBe('orgId');
    expect(folded.sources).toEqual(['prisma', 'migrations']);
  });

  it('state each key, reference and index once', () => {
    const kinds = invoices.constraints.map((c) => ('columns' in c ? `${c.kind} ${c.columns.join()}` : c.kind)).sort();
    expect(kinds).toEqual([
      'foreign key approverId',
      'foreign key authorId',
      'foreign key org_id',
      'primary key id',
      'unique org_id,number',
    ]);
    expect(invoices.indexes.map((i) => i.keys.map((k) => k.column).join())).toEqual(['org_id,id']);
  });

  it('name both places', () => {
    const unique = invoices.constraints.find((c) => c.kind === 'unique');
    const files = unique && [unique.origin.created, ...unique.origin.changed].map((s) => s.file);
    expect(files).toEqual(['prisma/schema.prisma', 'prisma/migrations/20240101000000_init/migration.sql']);
  });

  it('a column is NOT NULL if either says so', () => {
    expect(invoices.columns.get('org_id')?.notNull).toBe(true);
    expect(invoices.columns.get('approverId')?.notNull).toBe(false);
  });

  it('an index that a migration made partial is partial, although the schema language cannot say so', () => {
    const user = tableIn(folded, 'public.User');
    expect(uniqueKeys(user)).toEqual([['id']]);
    expect(user.indexes.map((i) => i.predicate !== undefined)).toEqual([true]);
  });

  it('tie relations to columns: both sides, by name where there are several, and none for many-to-many', () => {
    const of = (id: string): string[] =>
      tableIn(folded, id).relations.map(
        (r) => `${r.name} ${r.columns.join()}>${r.references.join()} ${r.to}${r.inverse ? ' inverse' : ''}`,
      );
    expect(of('public.invoices').sort()).toEqual([
      'approver approverId>id public.User',
      'author authorId>id public.User',
      'org org_id>id public.Organization',
    ]);
    expect(of('public.User').sort()).toEqual([
      'approved id>approverId public.invoices inverse',
      'orgs > public.Organization',
      'written id>authorId public.invoices inverse',
    ]);
    expect(of('public.Organization')).toContain('invoices id>org_id public.invoices inverse');
  });
});

describe('a Prisma schema in several files', () => {
  it('is one schema', () => {
    const folded = fold({
      'prisma/schema/org.prisma': 'model Organization {\n id String @id @map("org_key")\n docs Doc[]\n}\n',
      'prisma/schema/docs/doc.prisma':
        'model Doc {\n id String @id\n orgId String\n org Organization @relation(fields: [orgId], references: [id])\n}\n',
      'prisma/schema/schema.prisma': 'datasource db {\n provider = "postgresql"\n url = "x"\n}\n',
    });
    const doc = tableIn(folded, 'public.Doc');
    expect(referencesOf(doc).map((r) => `${r.columns.join()} ${r.to} ${r.referencedColumns.join()}`)).toEqual([
      'orgId public.Organization org_key',
    ]);
    expect(doc.relations[0]?.references).toEqual(['org_key']);
  });

  it('two schemas of one repository keep their own references', () => {
    const folded = fold({
      'a/schema.prisma':
        'model User {\n id String @id\n @@map("a_users")\n}\nmodel A {\n id String @id\n u String\n user User @relation(fields: [u], references: [id])\n}\n',
      'b/schema.prisma':
        'model User {\n id String @id\n @@map("b_users")\n}\nmodel B {\n id String @id\n u String\n user User @relation(fields: [u], references: [id])\n}\n',
    });
    expect(tableIn(folded, 'public.A').relations[0]?.to).toBe('public.a_users');
    expect(tableIn(folded, 'public.B').relations[0]?.to).toBe('public.b_users');
  });
});

describe('tables declared in code', () => {
  const column = (name: string, notNull = true): ColumnDefinition => ({
    name,
    type: 'uuid',
    notNull,
    span: spanIn('x', 0),
  });
  const table = (
    binding: string,
    name: string,
    file: string,
    more: Partial<Extract<SchemaAction, { do: 'create table' }>>,
  ): SchemaAction => ({
    do: 'create table',
    table: { name },
    aliases: [{ by: 'binding', file, name: binding }],
    columns: [column('id')],
    constraints: [],
    indexes: [],
    relations: [],
    ifNotExists: false,
    temporary: false,
    inherits: [],
    like: [],
    ...more,
  });
  const primary = { kind: 'primary key', columns: ['id'], span: spanIn('x', 1) } as const;
  const org = declaring('src/org.ts', [table('orgs', 'orgs', 'src/org.ts', { constraints: [primary] })]);
  const doc = declaring('src/doc.ts', [
    table('docs', 'docs', 'src/doc.ts', {
      columns: [column('id'), column('org_id')],
      constraints: [
        {
          kind: 'foreign key',
          columns: ['org_id'],
          references: { by: 'binding', file: 'src/org.ts', name: 'orgs' },
          referencedColumns: [],
          span: spanIn('x', 2),
        },
      ],
    }),
  ]);

  it('refer to each other across files, and to the primary key where none is named', () => {
    const folded = foldSchema([doc, org]);
    expect(referencesOf(tableIn(folded, 'public.docs')).map((r) => `${r.to} ${r.referencedColumns.join()}`)).toEqual([
      'public.orgs id',
    ]);
    expect(referencesTo(folded, tableIn(folded, 'public.orgs')).map((r) => r.from)).toEqual(['public.docs']);
  });

  it('take relations that are declared apart, from any file', () => {
    const relations = declaring('src/relations.ts', [
      {
        do: 'add relations',
        table: { by: 'binding', file: 'src/doc.ts', name: 'docs' },
        relations: [
          {
            name: 'org',
            to: { by: 'binding', file: 'src/org.ts', name: 'orgs' },
            cardinality: 'one',
            columns: ['org_id'],
            references: ['id'],
            span: spanIn('src/relations.ts', 1),
          },
        ],
      },
      {
        do: 'add relations',
        table: { by: 'binding', file: 'src/org.ts', name: 'orgs' },
        relations: [
          {
            name: 'docs',
            to: { by: 'binding', file: 'src/doc.ts', name: 'docs' },
            cardinality: 'many',
            columns: [],
            references: [],
            span: spanIn('src/relations.ts', 2),
          },
        ],
      },
      { do: 'add relations', table: { by: 'binding', file: 'src/gone.ts', name: 'gone' }, relations: [] },
    ]);
    const folded = foldSchema([relations, doc, org]);
    expect(tableIn(folded, 'public.orgs').relations[0]).toMatchObject({
      to: 'public.docs',
      columns: ['id'],
      references: ['org_id'],
      inverse: true,
    });
    expect(folded.dangling.map((d) => d.what)).toEqual(['relations of gone']);
  });

  it('unite with their migrations', () => {
    const folded = foldSchema([
      ...factsOf({
        'drizzle/0000_init.sql': `CREATE TABLE "orgs" ("id" uuid PRIMARY KEY NOT NULL);
          CREATE TABLE "docs" ("id" uuid NOT NULL, "org_id" uuid NOT NULL);
          ALTER TABLE "docs" ADD CONSTRAINT "docs_org_id_orgs_id_fk" FOREIGN KEY ("org_id") REFERENCES "public"."orgs"("id");
          ALTER TABLE "docs" ENABLE ROW LEVEL SECURITY;`,
      }),
      doc,
      org,
    ]);
    const docs = tableIn(folded, 'public.docs');
    expect(docs.constraints).toHaveLength(1);
    expect(docs.rowSecurity.enabled).toBe(true);
    expect(folded.sources).toEqual(['drizzle', 'migrations']);
  });

  it('a declared view is a view that code knows by name', () => {
    const folded = foldSchema([declaring('src/v.ts', [table('v', 'v', 'src/v.ts', { foreign: true })])]);
    expect(folded.tables.size).toBe(0);
    expect(folded.views.get('public.v')).toMatchObject({
      aliases: [{ name: 'v' }],
      unknown: expect.any(String) as string,
    });
  });

  it('tables that code makes outside of migrations are no schema of the project', () => {
    const made: SchemaAction = {
      ...(table('x', 'x', 'y', {}) as Extract<SchemaAction, { do: 'create table' }>),
      aliases: [],
    };
    expect(foldSchema([declaring('test/setup.ts', [made])]).tables.size).toBe(0);
    expect(foldSchema([declaring('src/migrations/1_init.ts', [made])]).tables.size).toBe(1);
  });
});

describe('dumps', () => {
  const dump = `--
-- PostgreSQL database dump
--
CREATE TABLE public.users (id uuid NOT NULL, legacy text);
CREATE TABLE public.base (id uuid NOT NULL);
ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);
`;

  it('serve where there is no history', () => {
    expect([...fold({ 'db/structure.sql': dump }).tables.keys()].sort()).toEqual(['public.base', 'public.users']);
  });

  it('never compete with a history: its tables, dropped ones too, are the history’s', () => {
    const folded = fold({
      'db/structure.sql': dump,
      'db/migrations/0001_init.sql':
        'create table users (id uuid primary key); create table base (id uuid); drop table base;',
    });
    expect([...folded.tables.keys()]).toEqual(['public.users']);
    expect([...tableIn(folded, 'public.users').columns.keys()]).toEqual(['id']);
  });

  it('are what a history starts from that changes tables it never makes', () => {
    const folded = fold({
      'db/structure.sql': dump,
      'db/migrations/0001_more.sql':
        'create table users (id uuid primary key); alter table base add column tenant_id uuid;',
    });
    expect([...tableIn(folded, 'public.base').columns.keys()]).toEqual(['id', 'tenant_id']);
    expect(folded.dangling).toEqual([]);
  });
});

describe('questions about keys and indexes', () => {
  const folded =
    foldSql(`create table t (id uuid primary key, tenant_id uuid, slug text, n int, unique (tenant_id, slug));
    create unique index on t (lower(slug));
    create unique index on t (slug) where n > 0;
    create unique index on t (n, tenant_id);
    create index on t using gin (tenant_id);
    create index on t (slug, lower(slug), n);
    create index on t (n) where n > 0;`);
  const t = tableIn(folded, 'public.t');

  it('what is unique over the whole table', () => {
    expect(primaryKey(t)).toEqual(['id']);
    expect(uniqueKeys(t)).toEqual([['id'], ['tenant_id', 'slug'], ['n', 'tenant_id']]);
  });

  it('what begins an index', () => {
    expect(leadingIndexes(t).map((i) => `${i.columns.join()}${i.partial ? ' partial' : ''}`)).toEqual([
      'id',
      'tenant_id,slug',
      'slug partial',
      'n,tenant_id',
      'slug',
      'n partial',
    ]);
    expect(hasIndexLedBy(t, 'tenant_id')).toBe(true);
    expect(
      hasIndexLedBy(tableIn(foldSql('create table a (x int); create index on a (x) where x > 0'), 'public.a'), 'x'),
    ).toBe(false);
  });
});

describe('scripts beside the history of the tables that they change', () => {
  const history = {
    'db/migrations/001_init.sql': 'create table customers (id int);',
    'db/migrations/002_more.sql': 'create table orders (id int);',
  };
  const rowSecurity = 'alter table orders enable row level security; create policy own on orders using (true);';

  it('apply to what the history made', () => {
    const folded = fold({ ...history, 'rls/orders.sql': rowSecurity });
    expect(folded.dangling).toEqual([]);
    expect(tableIn(folded, 'public.orders').rowSecurity.enabled).toBe(true);
    expect(tableIn(folded, 'public.orders').policies.map((p) => p.name)).toEqual(['own']);
  });

  it('apply to a declared schema where no history knows the tables', () => {
    const folded = fold({
      'prisma/schema.prisma': schema,
      'rls/invoices.sql': 'alter table invoices enable row level security;',
    });
    expect(tableIn(folded, 'public.invoices').rowSecurity.enabled).toBe(true);
  });

  it('are a version of their own where they create the same tables', () => {
    const other = `create table orders (id int); ${rowSecurity} alter table customers add column name text;`;
    expect(fold({ ...history, 'old/001_all.sql': other }).dangling).toHaveLength(1);
  });

  describe('where the migrations of a tool make policies themselves', () => {
    const migrations = {
      'supabase/migrations/001_init.sql': `create table orders (id int, tenant_id int);
        create function current_tenant() returns int language sql as 'select 1';
        alter table orders enable row level security;
        create policy own on orders using (tenant_id = current_tenant());
        create table notes (id int, tenant_id int);`,
    };
    const folded = fold({
      ...migrations,
      'sql/fix.sql': `drop policy own on orders;
        create policy all_rows on orders using (true);
        create or replace function current_tenant(of text) returns int language sql as 'select 2';
        alter table orders add column note text;
        alter table notes enable row level security;
        create policy own on notes using (tenant_id = current_tenant());
        create function helper() returns int language sql as 'select 3';`,
      'sql/old.sql': 'drop table orders;',
    });

    it('what these say of a table or a function holds', () => {
      expect(tableIn(folded, 'public.orders').policies.map((p) => p.name)).toEqual(['own']);
      expect(folded.functions.get('public.current_tenant')?.map((f) => f.parameters.length)).toEqual([0]);
    });

    it('columns, other functions, and row security of a table that has none are added', () => {
      expect(tableIn(folded, 'public.orders').columns.has('note')).toBe(true);
      expect(tableIn(folded, 'public.notes').policies.map((p) => p.name)).toEqual(['own']);
      expect(folded.functions.has('public.helper')).toBe(true);
    });

    it('and what does not count is named, file by file', () => {
      expect(folded.apart?.map(({ file, statements, history }) => [file, statements, history])).toEqual([
        ['sql/fix.sql', 3, 'supabase/migrations'],
        ['sql/old.sql', 1, 'supabase/migrations'],
      ]);
    });

    it('whatever dump stands beside them', () => {
      const dump =
        "create table orders (id int); create function current_tenant(t text) returns int language sql as 'select 4';";
      const beside = fold({ ...migrations, 'sql/all.sql': dump, 'sql/fix.sql': 'drop policy own on orders;' });
      expect(tableIn(beside, 'public.orders').policies.map((p) => p.name)).toEqual(['own']);
      expect(beside.functions.get('public.current_tenant')?.map((f) => f.parameters.length)).toEqual([0]);
    });
  });
});

it('a migration that changes no object runs with the rest of its history', () => {
  const files = factsOf({
    'supabase/migrations/001_init.sql': "create type role as enum ('user'); create table t (id int);",
    'supabase/migrations/002_role.sql': "alter type role add value 'admin';",
    'supabase/migrations/003_more.sql': 'alter table t add column x int;',
    'notes/migrations/001_rows.sql': 'insert into t values (1);',
  });
  expect(sourcesOf(files).map((s) => s.files.map((f) => f.file.slice(-11)))).toEqual([
    ['01_init.sql', '02_role.sql', '03_more.sql'],
  ]);
});
