import { describe, expect, it } from 'vitest';
import { runRules, type Report } from '@tenant-lint/engine';
import type { Fix } from '@tenant-lint/model';
import { rules } from '../../../rules/index.js';
import { buildModel } from '../src/pipeline.js';
import { memorySource } from '../src/memory.js';
import { settingsOf } from '../src/settings.js';
import { edited, mends, suggestionFor } from '../src/suggest.js';

type Files = Readonly<Record<string, string>>;

function analysed(files: Files) {
  const { model } = buildModel(memorySource(files), { settings: settingsOf({}) });
  return { model, report: runRules(model, rules) };
}

/** The suggestion for each finding of a file, with the text after it; each is gone then, and none has come. */
function suggestions(files: Files, file = 'src/a.ts'): { fix: Fix; text: string; after: Report }[] {
  const { model, report } = analysed(files);
  const here = report.findings.filter((f) => f.span?.file === file);
  expect(here.length).toBeGreaterThan(0);
  return here.flatMap((finding) => {
    const fix = suggestionFor(model, finding, files[file]!);
    if (!fix) return [];
    expect(fix.edits.every((e) => e.file === file)).toBe(true);
    const text = edited(files[file]!, fix.edits);
    const after = analysed({ ...files, [file]: text }).report;
    expect(mends([finding], report.findings, after.findings), text).toBe(true);
    expect(after.findings.length).toBe(report.findings.length - 1);
    return [{ fix, text, after }];
  });
}

const clerk = "import { auth } from '@clerk/nextjs/server';\n";
const sql = `create table organizations (id uuid primary key);
create table members (organization_id uuid not null references organizations (id), user_id uuid not null);
create index on members (organization_id);
create table invoices (id uuid primary key, organization_id uuid not null references organizations (id), title text);
create index on invoices (organization_id);
create table "Lines" (id uuid primary key, "orgId" uuid not null references organizations (id), invoice_id uuid not null references invoices (id));
create index on "Lines" ("orgId");
`;
const manifest = (dependencies: Readonly<Record<string, string>>): string =>
  JSON.stringify({ name: 'app', type: 'module', dependencies: { '@clerk/nextjs': '6.0.0', ...dependencies } });

interface Setup {
  readonly files: Files;
  /** What stands before the function, and how another function uses the tenant. */
  readonly head: string;
  readonly use: string;
}

const pg: Setup = {
  files: { 'package.json': manifest({ pg: '8.13.0' }), 'migrations/001.sql': sql },
  head: "import { Pool } from 'pg';\nconst pool = new Pool();\n",
  use: "pool.query('select * from members where organization_id = $1', [orgId])",
};
const prisma: Setup = {
  files: {
    'package.json': manifest({ '@prisma/client': '6.1.0' }),
    'prisma/schema.prisma': `datasource db { provider = "postgresql" }
model Organization { id String @id
  invoices Invoice[]
  members Member[] }
model Member { id String @id
  organizationId String @map("organization_id")
  organization Organization @relation(fields: [organizationId], references: [id])
  @@index([organizationId]) }
model Invoice { id String @id
  title String
  organizationId String @map("organization_id")
  organization Organization @relation(fields: [organizationId], references: [id])
  @@index([organizationId]) }
`,
  },
  head: "import { PrismaClient } from '@prisma/client';\nconst prisma = new PrismaClient();\n",
  use: 'prisma.member.findMany({ where: { organizationId: orgId } })',
};
const drizzle: Setup = {
  files: {
    'package.json': manifest({ 'drizzle-orm': '0.45.0', pg: '8.13.0' }),
    'src/schema.ts': `import { pgTable, uuid, text } from 'drizzle-orm/pg-core';
export const organizations = pgTable('organizations', { id: uuid('id').primaryKey() });
export const members = pgTable('members', { id: uuid('id').primaryKey(), organizationId: uuid('organization_id').notNull().references(() => organizations.id) });
export const invoices = pgTable('invoices', { id: uuid('id').primaryKey(), title: text('title'), organizationId: uuid('organization_id').notNull().references(() => organizations.id) });
`,
  },
  head: "import { eq } from 'drizzle-orm';\nimport { drizzle } from 'drizzle-orm/node-postgres';\nimport { members, invoices } from './schema';\nimport * as schema from './schema';\nconst db = drizzle('', { schema });\n",
  use: 'db.select().from(members).where(eq(members.organizationId, orgId))',
};
const supabase: Setup = {
  files: { 'package.json': manifest({ '@supabase/supabase-js': '2.47.0' }), 'supabase/migrations/001.sql': sql },
  head: "import { createClient } from '@supabase/supabase-js';\nconst client = createClient(process.env.URL!, process.env.SUPABASE_SERVICE_ROLE_KEY!);\n",
  use: "client.from('members').select('*').eq('organization_id', orgId)",
};
const kysely: Setup = {
  files: { 'package.json': manifest({ kysely: '0.28.0', pg: '8.13.0' }), 'migrations/001.sql': sql },
  head: "import { Kysely, PostgresDialect } from 'kysely';\nconst db = new Kysely<any>({ dialect: new PostgresDialect({} as any) });\n",
  use: "db.selectFrom('members').selectAll().where('organization_id', '=', orgId).execute()",
};
const knex: Setup = {
  files: { 'package.json': manifest({ knex: '3.1.0' }), 'migrations/001.sql': sql },
  head: "import { knex } from 'knex';\nconst db = knex({ client: 'pg' });\n",
  use: "db('members').where('organization_id', orgId)",
};

const inFunction = (setup: Setup, body: string): Files => ({
  ...setup.files,
  'src/use.ts': `${clerk}${setup.head}export async function use() {\n  const { orgId } = await auth();\n  if (!orgId) throw new Error('no organization');\n  return ${setup.use};\n}\n`,
  'src/a.ts': `${clerk}${setup.head}export async function a(id: string, flag: boolean) {\n  const { orgId } = await auth();\n  if (!orgId) throw new Error('no organization');\n  return ${body};\n}\n`,
});
const ready = (text: string): string => /return ([\s\S]*);\n}\n$/.exec(text)![1]!;

const written: Readonly<Record<string, readonly (readonly [Setup, before: string, after: string])[]>> = {
  pg: [
    [
      pg,
      "pool.query('select * from invoices')",
      "pool.query('select * from invoices WHERE organization_id = $1', [orgId])",
    ],
    [
      pg,
      "pool.query('select * from invoices where id = $1', [id])",
      "pool.query('select * from invoices where id = $1 AND organization_id = $2', [id, orgId])",
    ],
    [
      pg,
      "pool.query('select * from invoices where id = $1 order by id limit 1', [id])",
      "pool.query('select * from invoices where id = $1 AND organization_id = $2 order by id limit 1', [id, orgId])",
    ],
    [
      pg,
      'pool.query(`delete from invoices where id = $1 or title = $1`, [id])',
      'pool.query(`delete from invoices where (id = $1 or title = $1) AND organization_id = $2`, [id, orgId])',
    ],
    [
      pg,
      "pool.query({ text: 'update invoices set title = $2 where id = $1 returning id', values: [id, 'x'] })",
      "pool.query({ text: 'update invoices set title = $2 where id = $1 AND organization_id = $3 returning id', values: [id, 'x', orgId] })",
    ],
    [
      pg,
      `pool.query('select * from "Lines" where id = $1', [id])`,
      `pool.query('select * from "Lines" where id = $1 AND "orgId" = $2', [id, orgId])`,
    ],
  ],
  prisma: [
    [prisma, 'prisma.invoice.findMany()', 'prisma.invoice.findMany({ where: { organizationId: orgId } })'],
    [prisma, 'prisma.invoice.findMany({})', 'prisma.invoice.findMany({ where: { organizationId: orgId } })'],
    [
      prisma,
      'prisma.invoice.findUnique({ where: { id } })',
      'prisma.invoice.findUnique({ where: { id, organizationId: orgId } })',
    ],
    [
      prisma,
      'prisma.invoice.findFirst({ where: { OR: [{ id }, { title: id }] } })',
      'prisma.invoice.findFirst({ where: { OR: [{ id }, { title: id }], organizationId: orgId } })',
    ],
    [
      prisma,
      "prisma.invoice.update({\n    where: {\n      id,\n    },\n    data: { title: 'x' },\n  })",
      "prisma.invoice.update({\n    where: {\n      id,\n      organizationId: orgId,\n    },\n    data: { title: 'x' },\n  })",
    ],
    [
      prisma,
      'prisma.invoice.deleteMany({ where: flag ? { id } : {} })',
      'prisma.invoice.deleteMany({ where: { ...(flag ? { id } : {}), organizationId: orgId } })',
    ],
  ],
  drizzle: [
    [drizzle, 'db.select().from(invoices)', 'db.select().from(invoices).where(eq(invoices.organizationId, orgId))'],
    [
      drizzle,
      'db.select().from(invoices).where(eq(invoices.id, id)).limit(1)',
      'db.select().from(invoices).where(and(eq(invoices.id, id), eq(invoices.organizationId, orgId))).limit(1)',
    ],
    [
      drizzle,
      'db.delete(invoices).where(eq(invoices.id, id))',
      'db.delete(invoices).where(and(eq(invoices.id, id), eq(invoices.organizationId, orgId)))',
    ],
    [
      drizzle,
      "db.update(invoices).set({ title: 'x' })",
      "db.update(invoices).set({ title: 'x' }).where(eq(invoices.organizationId, orgId))",
    ],
    [
      drizzle,
      'db.query.invoices.findMany({ limit: 3 })',
      'db.query.invoices.findMany({ limit: 3, where: (table, { eq }) => eq(table.organizationId, orgId) })',
    ],
  ],
  supabase: [
    [
      supabase,
      "client.from('invoices').select('*')",
      "client.from('invoices').select('*').eq('organization_id', orgId)",
    ],
    [
      supabase,
      "client.from('invoices').delete().eq('id', id).single()",
      "client.from('invoices').delete().eq('id', id).eq('organization_id', orgId).single()",
    ],
  ],
  kysely: [
    [
      kysely,
      "db.selectFrom('invoices').selectAll().where('id', '=', id).executeTakeFirst()",
      "db.selectFrom('invoices').selectAll().where('id', '=', id).where('organization_id', '=', orgId).executeTakeFirst()",
    ],
    [
      kysely,
      "db.deleteFrom('invoices').execute()",
      "db.deleteFrom('invoices').where('organization_id', '=', orgId).execute()",
    ],
  ],
  knex: [
    [
      knex,
      "db('invoices').where('id', id).first()",
      "db('invoices').where('id', id).where('organization_id', orgId).first()",
    ],
    [knex, "db('invoices').where({ id }).del()", "db('invoices').where({ id }).where('organization_id', orgId).del()"],
  ],
};

for (const [library, all] of Object.entries(written)) {
  describe(library, () => {
    for (const [setup, before, after] of all) {
      it(before.replace(/\s+/g, ' '), () => {
        const [found] = suggestions(inFunction(setup, before));
        expect(found && ready(found.text)).toBe(after);
      });
    }
  });
}

describe('the tenant in scope', () => {
  const body = (text: string): Files => ({ ...inFunction(pg, ''), 'src/a.ts': `${clerk}${pg.head}${text}` });
  const query = "pool.query('select * from invoices where id = $1', [id])";

  it('is a property of the session that is there', () => {
    const [found] = suggestions(
      body(`export async function a(id: string) {\n  const session = await auth();\n  return ${query};\n}\n`),
    );
    expect(found?.text).toContain('[id, session.orgId]');
    expect(found?.fix.description).toBe('Hold organization_id to session.orgId, the current tenant.');
  });

  it('is a parameter that every caller takes from the session', () => {
    const [found] = suggestions(
      body(
        `async function load(id: string, tenant: string) {\n  return ${query};\n}\nexport async function a(id: string) {\n  const { orgId } = await auth();\n  return load(id, orgId!);\n}\n`,
      ),
    );
    expect(found?.text).toContain('[id, tenant]');
  });

  it('is not a value that may be missing, which libraries take for no condition', () => {
    const [found] = suggestions({
      ...inFunction(prisma, ''),
      'src/a.ts': `${clerk}${prisma.head}export async function a(id: string) {\n  const session = await auth();\n  const orgId = session?.orgId;\n  return prisma.invoice.findUnique({ where: { id } });\n}\n`,
    });
    expect(found?.text).toContain('where: { id, organizationId: session.orgId }');
  });

  it('is not guessed: a parameter of whom nobody knows, the user, what the request says, one of another function', () => {
    for (const text of [
      `export async function a(id: string, organizationId: string) {\n  return ${query};\n}\n`,
      `export async function a(id: string) {\n  const { userId } = await auth();\n  return ${query};\n}\n`,
      `export async function POST(request: Request) {\n  const { id, organizationId } = await request.json();\n  return ${query};\n}\n`,
      `export async function b() {\n  const { orgId } = await auth();\n  return orgId;\n}\nexport async function a(id: string) {\n  return ${query};\n}\n`,
    ])
      expect(suggestions(body(text)), text).toEqual([]);
  });
});
