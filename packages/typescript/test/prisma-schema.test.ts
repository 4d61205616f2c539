import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import type { FileFacts, SchemaAction } from '@tenant-lint/model';
import { extractPrisma } from '../src/adapters/prisma/index.js';
import type * as PrismaAst from '@mrleebo/prisma-ast';
import { parseSchema } from '../src/adapters/prisma/schema/parse.js';

type CreateTable = Extract<SchemaAction, { do: 'create table' }>;

const extract = (text: string): FileFacts => extractPrisma(text, { file: 'schema.prisma' });
const actions = (text: string): readonly SchemaAction[] => extract(text).schema.map((e) => e.action);
const tables = (text: string): CreateTable[] => actions(text).flatMap((a) => (a.do === 'create table' ? [a] : []));
const table = (text: string): CreateTable => tables(text)[0]!;
const at = (text: string, span: { start: number; end: number }): string => text.slice(span.start, span.end);

describe('models', () => {
  test('names in the database, and the model as an alias', () => {
    const found = table(
      'model Invoice {\n  id String @id\n  orgId String @map("org_id")\n  @@map("invoices")\n  @@schema("billing")\n}',
    );
    expect(found.table).toEqual({ schema: 'billing', name: 'invoices' });
    expect(found.aliases).toEqual([{ by: 'model', library: 'prisma', name: 'Invoice' }]);
    expect(found.columns.map((c) => [c.name, c.property])).toEqual([
      ['id', undefined],
      ['org_id', 'orgId'],
    ]);
  });

  test.each([
    ['String', 'text', true],
    ['String?', 'text', false],
    ['Int', 'integer', true],
    ['BigInt', 'bigint', true],
    ['Boolean', 'boolean', true],
    ['DateTime', 'timestamp(3) without time zone', true],
    ['DateTime @db.Timestamptz(6)', 'timestamp(6) with time zone', true],
    ['String @db.Uuid', 'uuid', true],
    ['String @db.VarChar(20)', 'character varying(20)', true],
    ['Decimal @db.Decimal(10, 2)', 'numeric(10,2)', true],
    ['Json', 'jsonb', true],
    ['String[]', 'text[]', false],
    ['Unsupported("tsvector")?', 'tsvector', false],
    ['Role', 'role_type', true],
  ])('a field %s', (type, expected, notNull) => {
    const [column] = table(`model A {\n  x ${type}\n}\nenum Role {\n  USER\n  @@map("role_type")\n}`).columns;
    expect(column).toMatchObject({ type: expected, notNull });
  });

  test('defaults', () => {
    const { columns } = table(
      `model A {
  id String @id @default(uuid())
  n Int @default(autoincrement())
  b Boolean @default(true)
  s String @default("a\\"b")
  role Role @default(USER)
  t String @default(dbgenerated("(current_setting('app.tenant', true))::uuid"))
}
enum Role {
  USER
}`,
    );
    expect(columns.map((c) => c.default)).toMatchObject([
      { kind: 'apply', function: 'uuid' },
      { kind: 'apply', function: 'nextval' },
      { kind: 'constant', value: true },
      { kind: 'constant', value: 'a"b' },
      { kind: 'constant', value: 'USER' },
      { kind: 'setting', name: 'app.tenant', missingOk: true },
    ]);
  });

  test('keys, with the names that code and the database use', () => {
    const { constraints, indexes } = table(
      `model A {
  id String @id
  orgId String @map("org_id")
  slug String @unique(map: "slug_key")
  @@unique([orgId, slug])
  @@unique([orgId, id], name: "byId", map: "a_by_id")
  @@index([orgId, slug(sort: Desc)], type: Gin)
}`,
    );
    expect(constraints.map(({ span: _, ...c }) => c)).toEqual([
      { kind: 'primary key', name: 'A_pkey', columns: ['id'] },
      { kind: 'unique', name: 'slug_key', columns: ['slug'] },
      { kind: 'unique', name: 'A_org_id_slug_key', property: 'orgId_slug', columns: ['org_id', 'slug'] },
      { kind: 'unique', name: 'a_by_id', property: 'byId', columns: ['org_id', 'id'] },
    ]);
    expect(indexes).toMatchObject([
      { name: 'A_org_id_slug_idx', method: 'gin', keys: [{ column: 'org_id' }, { column: 'slug' }] },
    ]);
  });

  test('a compound primary key makes its columns not null', () => {
    const found = table('model A {\n  a Int\n  b Int\n  @@id([a, b])\n}');
    expect(found.constraints).toMatchObject([{ kind: 'primary key', property: 'a_b', columns: ['a', 'b'] }]);
  });

  test('views are tables that nobody creates', () => {
    expect(table('view Totals {\n  orgId String @unique\n}')).toMatchObject({
      foreign: true,
      table: { name: 'Totals' },
    });
  });
});

describe('relations', () => {
  const schema = `model Org {
  id String @id @map("org_id")
  notes Note[]
}
model Note {
  id String @id
  orgId String?
  org Org? @relation("owner", fields: [orgId], references: [id], onDelete: Cascade, map: "note_org")
  tags Tag[]
  parentId String?
  parent Note? @relation("tree", fields: [parentId], references: [id])
  children Note[] @relation("tree")
}
model Tag {
  id String @id
  notes Note[]
}`;

  test('the owning side has columns and a foreign key', () => {
    const note = tables(schema)[1]!;
    expect(note.relations.find((r) => r.name === 'org')).toMatchObject({
      to: { by: 'model', library: 'prisma', name: 'Org' },
      cardinality: 'one',
      columns: ['orgId'],
      references: ['org_id'],
      relationName: 'owner',
      nullable: true,
    });
    const key = note.constraints.find((c) => c.kind === 'foreign key' && c.name === 'note_org');
    expect(key).toMatchObject({
      columns: ['orgId'],
      referencedColumns: ['org_id'],
      onDelete: 'cascade',
      onUpdate: 'cascade',
    });
    expect(at(schema, key!.span)).toMatch(/^@relation\("owner".*\)$/);
  });

  test('the other side, many-to-many and self relations have none', () => {
    const [org, note] = tables(schema);
    expect(org!.relations).toMatchObject([{ name: 'notes', cardinality: 'many', columns: [], references: [] }]);
    expect(note!.relations.find((r) => r.name === 'tags')).toMatchObject({ cardinality: 'many', columns: [] });
    expect(note!.relations.find((r) => r.name === 'children')).toMatchObject({ relationName: 'tree', columns: [] });
    expect(note!.columns.map((c) => c.name)).toEqual(['id', 'orgId', 'parentId']);
  });

  test('without onDelete: restrict where it is required, else set null', () => {
    const keys = tables(
      'model A {\n  id Int @id\n  b B @relation(fields: [bId], references: [id])\n  bId Int\n  c B? @relation("c", fields: [cId], references: [id])\n  cId Int?\n}\nmodel B {\n  id Int @id\n}',
    )[0]!.constraints.filter((c) => c.kind === 'foreign key');
    expect(keys.map((k) => k.onDelete)).toEqual(['restrict', 'set null']);
  });

  test('types of other files: a relation unless only an enum can look like it', () => {
    const found = table(
      'model A {\n  id Int @id\n  owner Team @relation(fields: [ownerId], references: [id])\n  ownerId Int\n  items Item[]\n  status Status\n  kind Kind? @default(X)\n}',
    );
    expect(found.relations.map((r) => r.name)).toEqual(['owner', 'items']);
    expect(found.columns.map((c) => c.name)).toEqual(['id', 'ownerId', 'status', 'kind']);
  });
});

test('enums carry the labels of the database', () => {
  expect(actions('enum Role {\n  USER @map("user")\n  ADMIN\n  @@map("roles")\n}')).toEqual([
    { do: 'create type', name: { name: 'roles' }, type: 'enum', labels: ['user', 'ADMIN'] },
  ]);
});

test('preview features and providers', () => {
  const facts = extract(
    'datasource db {\n  provider = "mysql"\n  url = env("URL")\n}\ngenerator client {\n  provider = "prisma-client-js"\n  previewFeatures = ["strictUndefinedChecks", "views"]\n}',
  );
  expect(facts.features).toEqual(['strictUndefinedChecks', 'views']);
  expect(facts.unchecked).toEqual([]);
  expect(extract('datasource db {\n  provider = "oracle"\n}').unchecked).toMatchObject([{ reason: 'unsupported' }]);
});

test('suppressions with their reasons', () => {
  const text =
    '// tenant-lint-disable-next-line require-tenant-column -- plans are shared\nmodel Plan {\n  id Int @id // tenant-lint-disable-line x\n}';
  const { directives } = extract(text);
  expect(directives).toMatchObject([
    { kind: 'disable-next-line', rules: ['require-tenant-column'], reason: 'plans are shared' },
    { kind: 'disable-line', rules: ['x'] },
  ]);
  expect(at(text, directives[1]!.span)).toBe('// tenant-lint-disable-line x');
});

describe('positions', () => {
  test.each(['\n', '\r\n', '\r'])('fields and attributes, after text of several bytes, lines ending in %j', (end) => {
    const text = [
      '// größe 😀',
      'model A {',
      '  id Int @id // é',
      '  naïve String @map("n") @unique',
      '  @@index([id])',
      '}',
      '',
    ].join(end);
    const [event] = extract(text).schema;
    expect(at(text, event!.span)).toMatch(/^model A \{[^]*\}$/);
    const found = table(text);
    expect(found.columns.map((c) => at(text, c.span))).toEqual(['id Int @id', 'naïve String @map("n") @unique']);
    expect(found.constraints.map((c) => at(text, c.span))).toEqual(['@id', '@unique']);
  });

  test('a byte order mark', () => {
    const text = '\uFEFFmodel A {\n  id Int @id\n}';
    expect(extract(text).unchecked).toEqual([]);
    expect(at(text, extract(text).schema[0]!.span)).toMatch(/^model A/);
  });
});

describe('broken input', () => {
  test('a bad line costs itself, and says where it is', () => {
    const text = 'model A {\n  id Int @id\n  name ???\n  org String\n}\nmodel B {\n  id Int @id\n}';
    const facts = extract(text);
    expect(facts.unchecked).toHaveLength(1);
    expect(facts.unchecked[0]).toMatchObject({ reason: 'syntax' });
    expect(facts.unchecked[0]!.span!.start).toBe(text.indexOf('???') + 1);
    expect(tables(text).map((t) => t.columns.map((c) => c.name))).toEqual([['id', 'org'], ['id']]);
  });

  test('a missing brace ends with the next block', () => {
    const facts = tables('model A {\n  id Int @id\n\nmodel B {\n  id Int @id\n}');
    expect(facts.map((t) => t.table.name)).toEqual(['A', 'B']);
  });

  test.each([
    ['text that is none', 'select 1;\nhello world\n', 1],
    ['an unfinished list', 'model A {\n  id Int @id\n  @@index([id\n}', 1],
    ['an unfinished text', 'model A {\n  id Int @default("x\n}', 1],
    ['a block of another kind', 'extension pgvector {\n  a = 1\n}', 1],
    ['control characters', 'model A {\n  id\u0000 Int\n}', 1],
  ])('%s is named', (_, text, least) => {
    expect(extract(text).unchecked.length).toBeGreaterThanOrEqual(least);
  });

  test('nothing at all', () => {
    expect(extract('')).toMatchObject({ schema: [], unchecked: [] });
    expect(extract(' \n// only a comment\n')).toMatchObject({ schema: [], unchecked: [] });
  });

  test('nesting without end and large files end soon', () => {
    expect(extract(`model A {\n  id Int @default(${'['.repeat(10_000)})\n}`).unchecked.length).toBeGreaterThan(0);
    const models = Array.from(
      { length: 5_000 },
      (_, i) => `model M${i} {\n  id Int @id\n  a String @default("${'x'.repeat(50)}")\n}\n`,
    );
    const started = performance.now();
    expect(extract(models.join('')).schema).toHaveLength(5_000);
    expect(performance.now() - started).toBeLessThan(5_000);
  });
});

/** An independent parser of the same language, as far as it goes: it has no block comments and no positions of arguments. */
test('agrees with prisma-ast on blocks, fields and attributes', () => {
  const { getSchema } = createRequire(import.meta.url)('@mrleebo/prisma-ast') as typeof PrismaAst;
  const text = `
generator client {
  provider        = "prisma-client-js"
  previewFeatures = ["views"]
}

/// A person
model User {
  id        Int       @id @default(autoincrement())
  email     String    @unique @db.VarChar(255) // contact
  posts     Post[]
  roles     Role[]    @default([USER, ADMIN])
  profile   Json?     @default("{\\"a\\": 1}")
  createdAt DateTime  @default(now()) @map("created_at")

  @@unique([email, id], name: "byEmail")
  @@index([createdAt(sort: Desc), email], map: "by_time")
  @@map("users")
}

model Post {
  id       Int   @id
  author   User? @relation("wrote", fields: [authorId], references: [id], onDelete: SetNull)
  authorId Int?
}

enum Role {
  USER
  ADMIN @map("admin")
}
`;
  type Named = { type: string; name: string };
  const theirs = getSchema(text)
    .list.filter((b) => ['model', 'enum', 'generator'].includes(b.type))
    .map((b) => {
      const members = ('properties' in b
        ? b.properties
        : 'enumerators' in b
          ? b.enumerators
          : 'assignments' in b
            ? b.assignments
            : []) as unknown as Record<string, unknown>[];
      return {
        name: (b as Named).name,
        fields: members.flatMap((m) =>
          ['field', 'enumerator', 'assignment'].includes(String(m['type'])) ? [String(m['name'] ?? m['key'])] : [],
        ),
        types: members.flatMap((m) =>
          m['type'] === 'field'
            ? [`${String(m['fieldType'])}${m['array'] ? '[]' : ''}${m['optional'] ? '?' : ''}`]
            : [],
        ),
        fieldAttributes: members.flatMap((m) =>
          ((m['attributes'] as (Named & { group?: string; args?: unknown[] })[] | undefined) ?? []).map(
            (a) => `${a.group ? `${a.group}.` : ''}${a.name}/${a.args?.length ?? 0}`,
          ),
        ),
        blockAttributes: members.flatMap((m) =>
          m['type'] === 'attribute' ? [`${String(m['name'])}/${(m['args'] as unknown[]).length}`] : [],
        ),
      };
    });
  const ours = parseSchema(text).blocks.map((b) => ({
    name: b.name,
    fields: b.members.map((m) => m.name),
    types: b.members.flatMap((m) =>
      m.type === undefined ? [] : [`${m.type}${m.list ? '[]' : ''}${m.optional ? '?' : ''}`],
    ),
    fieldAttributes: b.members.flatMap((m) => m.attributes.map((a) => `${a.name}/${a.arguments.length}`)),
    blockAttributes: b.attributes.map((a) => `${a.name}/${a.arguments.length}`),
  }));
  expect(ours).toEqual(theirs);
});
