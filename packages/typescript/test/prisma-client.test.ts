import { describe, expect, test } from 'vitest';
import type { FileFacts } from '@tenant-lint/model';
import { extractTypescript } from '../src/extract/index.js';
import { extractPrisma, prisma } from '../src/adapters/prisma/index.js';
import { accessesOf, fakeContext } from './support/context.js';
import { invoicing } from './support/prisma.js';
import { showValue } from './support/render.js';

const file = (text: string, name = 'app.ts'): FileFacts => extractTypescript(text, { file: name });

/** Receiver and kind of client for each access of the files. */
const clients = (...files: readonly FileFacts[]): string[] =>
  accessesOf(prisma, [invoicing, ...files]).map((a) => `${a.method} ${showValue(a.client.receiver)} ${a.client.kind}`);

const db = file(`import { PrismaClient } from '@prisma/client';\nexport const db = new PrismaClient();`, 'db.ts');

describe('receivers', () => {
  test('an imported client', () => {
    expect(clients(db, file(`import { db } from './db';\nexport const all = () => db.invoice.findMany();`))).toEqual([
      'findMany ./db#db plain',
    ]);
  });

  test('one that is kept over reloads', () => {
    const kept = file(
      `import { PrismaClient } from './generated/client';
const store = globalThis as any;
export const db = store.prisma ?? new PrismaClient();
export const all = () => db.invoice.findMany();`,
    );
    expect(clients(kept)).toEqual([expect.stringMatching(/plain$/)]);
  });

  test('the client of a transaction', () => {
    const code = `import { db } from './db';
export const all = () => db.$transaction(async (tx) => { await tx.invoice.findMany(); });
export async function helper(tx: Prisma.TransactionClient) { return tx.line.findMany(); }
export async function other(tx: Omit<PrismaClient, '$connect'>) { return tx.line.count(); }`;
    expect(clients(db, file(code)).sort()).toEqual([
      'count p0 transaction',
      'findMany p0 transaction',
      'findMany p0 transaction',
    ]);
  });

  test('an extended client', () => {
    const code = `import { db } from './db';
const scoped = db.$extends({ query: {} });
export const all = () => scoped.invoice.findMany();
export const now = () => db.$extends({}).invoice.count();`;
    expect(clients(db, file(code)).map((c) => c.replace(/ .* /, ' '))).toEqual(['findMany extended', 'count extended']);
  });

  test('an injected service that is a client', () => {
    const service = file(
      `import { PrismaClient } from '@prisma/client';\nexport class PrismaService extends PrismaClient {}`,
      'service.ts',
    );
    const code = `import { PrismaService } from './service';
export class Invoices {
  constructor(private readonly prisma: PrismaService) {}
  all() { return this.prisma.invoice.findMany(); }
}`;
    expect(clients(service, file(code))).toEqual(['findMany this.prisma plain']);
  });

  test('the service itself', () => {
    const code = `import { PrismaClient } from '@prisma/client';
export class PrismaService extends PrismaClient { all() { return this.invoice.findMany(); } }`;
    expect(clients(file(code))).toEqual(['findMany this plain']);
  });

  test('a client nobody can see, by the models of the schema', () => {
    expect(clients(file(`export const all = (ctx: Context) => ctx.db.invoice.findMany();`))).toEqual([
      'findMany p0.db unknown',
    ]);
    expect(clients(file(`export const all = () => getClient().invoice.findMany();`))).toEqual([
      expect.stringMatching(/unknown$/),
    ]);
  });

  test('a model in a variable', () => {
    expect(
      clients(
        db,
        file(`import { db } from './db';\nconst invoices = db.invoice;\nexport const all = () => invoices.findMany();`),
      ),
    ).toEqual(['findMany db plain']);
  });
});

describe('what is not Prisma', () => {
  const lower = (text: string): unknown[] => {
    const facts = file(text);
    const context = fakeContext([invoicing, facts]);
    return facts.chains.map((chain) => prisma.lower(chain, context)).filter((l) => l !== 'no access');
  };

  test.each([
    ['no model of the schema', 'export const all = (cache: Cache) => cache.entry.findMany();'],
    ['no operation', 'export const all = (db: Db) => db.invoice.list();'],
    ["an argument that is none of Prisma's", 'export const all = (api: Api) => api.invoice.create({ id: 1 });'],
    ['delete of a key', 'export const all = (store: Store) => store.invoice.delete("1");'],
    [
      'another library by its type',
      `import { Pool } from 'pg';\nexport const all = (pool: Pool) => pool.invoice.findMany();`,
    ],
    [
      'another library by what made it',
      `import { drizzle } from 'drizzle-orm/node-postgres';\nconst db = drizzle(x);\nexport const all = () => db.invoice.findMany();`,
    ],
    ['a list', 'export const all = (rows: Row[]) => rows.invoice.findMany();'],
    ['a repository', 'export const all = (invoices: Repository) => invoices.findMany();'],
  ])('%s', (_, text) => {
    for (const result of lower(text)) expect(result).toBe('not mine');
  });

  test('a client is one without any schema', () => {
    const facts = file(
      `import { PrismaClient } from '@prisma/client';\nconst db = new PrismaClient();\nexport const all = () => db.note.findMany({ where: { orgId: "a" } });`,
    );
    const [access] = accessesOf(prisma, [facts]);
    expect(access!.targets[0]).toMatchObject({
      table: { known: true, value: { by: 'model', library: 'prisma', name: 'Note' } },
    });
    expect(access!.targets[0]!.predicate).toMatchObject({ kind: 'compare', left: { column: 'orgId' } });
  });

  test('calls of the client that reach no table', () => {
    const facts = file(
      `import { PrismaClient } from '@prisma/client';\nconst db = new PrismaClient();\nexport const f = async () => { await db.$connect(); await db.$transaction([]); };`,
    );
    expect(accessesOf(prisma, [facts])).toEqual([]);
  });

  test('a model that is chosen at run time is said to be unknown', () => {
    const facts = file(
      `import { PrismaClient } from '@prisma/client';\nconst db = new PrismaClient();\nexport const all = (name: string) => db[name].findMany();`,
    );
    const results = facts.chains.map((chain) => prisma.lower(chain, fakeContext([invoicing, facts])));
    expect(results).toContainEqual(expect.objectContaining({ unknown: 'the model is chosen at run time' }));
  });
});

test('a schema split over files: names of columns are found in the other file', () => {
  const a = extractPrisma('model Team {\n  id String @id @map("team_id")\n  notes Note[]\n}', { file: 'team.prisma' });
  const b = extractPrisma(
    'model Note {\n  id String @id\n  teamId String\n  team Team @relation(fields: [teamId], references: [id])\n}',
    { file: 'note.prisma' },
  );
  const code = file(
    'export const all = (db: Db, id: string) => db.team.findMany({ where: { notes: { some: { id } } } });',
  );
  const [access] = accessesOf(prisma, [a, b, code]);
  expect(JSON.stringify(access!.targets[0]!.predicate)).toContain('"column":"team_id"');
});

test('the vocabulary finds files with calls and clients', () => {
  for (const text of [
    'db.invoice.findMany(',
    'new PrismaClient()',
    'await tx.invoice.create({',
    'db.$queryRaw`x`',
    'db\n  .invoice\n  .delete({',
  ]) {
    expect(prisma.vocabulary.test(text)).toBe(true);
  }
  for (const text of ['const a = 1;', 'element.remove()', 'map.delete(key)'])
    expect(prisma.vocabulary.test(text)).toBe(false);
});
