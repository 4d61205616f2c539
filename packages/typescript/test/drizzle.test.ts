import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { drizzle } from '../src/adapters/drizzle/index.js';
import { drizzleContext, factsOf, loweredBy } from './support/drizzle.js';
import { showAccess } from './support/render.js';

const schema = readFileSync(new URL('./support/drizzle-schema.ts', import.meta.url), 'utf8');

const imports = `
import { drizzle } from 'drizzle-orm/node-postgres';
import { eq, and, or, not, inArray, sql, count } from 'drizzle-orm';
import { union } from 'drizzle-orm/pg-core';
import * as schema from './schema';
import { orgs, members, invoices, lines } from './schema';
const db = drizzle(process.env.URL, { schema });`;

/** Lowers the body of a function; parameters: orgId, id, maybe (may be undefined), ids, admin. */
function lower(
  body: string,
  more: Readonly<Record<string, string>> = {},
): { accesses: string[][]; unknown: string[]; clients: string[] } {
  const query = `${imports}
export async function run(orgId: string, id: string, maybe: string | undefined, ids: string[], admin: boolean) {
${body}
}`;
  const facts = factsOf({ 'schema.ts': schema, 'query.ts': query, ...more });
  const { accesses, unknown } = loweredBy(drizzle, facts, drizzleContext(facts));
  return { accesses: accesses.map(showAccess), unknown, clients: accesses.map((a) => a.client.kind) };
}

/** The targets of the only access. */
function targets(body: string, more?: Readonly<Record<string, string>>): string[] {
  const { accesses, unknown } = lower(body, more);
  expect(unknown).toEqual([]);
  expect(accesses).toHaveLength(1);
  return accesses[0]!;
}

const invoicesWhere = (predicate: string): string[] => [`root read invoices t0 many: ${predicate}`];

describe('conditions that may be missing', () => {
  test.each([
    [
      'a conditional where',
      `return db.select().from(invoices).where(maybe ? eq(invoices.orgId, maybe) : undefined);`,
      'optional(t0.org_id = p2 on p2? else always)',
    ],
    [
      'a where behind &&',
      `return db.select().from(invoices).where(maybe && eq(invoices.orgId, maybe));`,
      'optional(t0.org_id = p2 on p2? else always)',
    ],
    [
      'an operand of and',
      `return db.select().from(invoices).where(and(maybe ? eq(invoices.orgId, maybe) : undefined, eq(invoices.id, id)));`,
      '(optional(t0.org_id = p2 on p2? else always) and t0.id = p1)',
    ],
    [
      'an operand of or',
      `return db.select().from(invoices).where(or(eq(invoices.id, id), maybe ? eq(invoices.orgId, maybe) : undefined));`,
      '(t0.id = p1 or optional(t0.org_id = p2 on p2? else never))',
    ],
    [
      'one condition or the other',
      `return db.select().from(invoices).where(admin ? eq(invoices.id, id) : eq(invoices.orgId, orgId));`,
      'either(p4 ? t0.id = p1 | t0.org_id = p0)',
    ],
    [
      'a value that is missing compares with nothing',
      `return db.select().from(invoices).where(eq(invoices.orgId, undefined));`,
      't0.org_id = null',
    ],
    ['an empty list', `return db.select().from(invoices).where(inArray(invoices.id, []));`, 'never'],
    [
      'a list that is not known',
      `return db.select().from(invoices).where(inArray(invoices.id, ids));`,
      't0.id in (p3.* ...)',
    ],
  ])('%s', (_name, body, predicate) => {
    expect(targets(body)).toEqual(invoicesWhere(predicate));
  });

  test('a condition that is pushed on some paths is optional, one that always stands is not', () => {
    const body = `const all = [eq(invoices.orgId, orgId)]; if (maybe) all.push(eq(invoices.number, maybe)); return db.select().from(invoices).where(and(...all));`;
    expect(targets(body)).toEqual(
      invoicesWhere('(t0.org_id = p0 and optional(t0.number = p2 on result? else always))'),
    );
  });

  test('a list of conditions that may stay empty leaves every row', () => {
    const body = `const all = []; if (maybe) all.push(eq(invoices.orgId, maybe)); return db.select().from(invoices).where(all.length > 0 ? and(...all) : undefined);`;
    expect(targets(body)).toEqual(invoicesWhere('optional(t0.org_id = p2 on result? else always)'));
  });

  test('a list that is not followed is not taken for empty', () => {
    const body = `return db.select().from(invoices).where(and(...elsewhere(id)));`;
    expect(targets(body)[0]).toContain('unknown(a list of conditions that was not followed)');
  });
});

describe('builders that go on in other statements', () => {
  test('a where that only some paths add is one of two', () => {
    const body = `const q = db.select().from(invoices).where(eq(invoices.orgId, orgId)).$dynamic(); if (admin) q.where(eq(invoices.id, id)); return await q;`;
    expect(targets(body)).toEqual(invoicesWhere('either(p4 ? t0.id = p1 | t0.org_id = p0)'));
  });

  test('a reassigned builder is the same one', () => {
    const body = `let q = db.select().from(invoices).$dynamic(); if (maybe) { q = q.where(eq(invoices.orgId, maybe)); } return q.limit(10);`;
    expect(targets(body)).toEqual(invoicesWhere('either(p2 ? t0.org_id = p2 | always)'));
  });

  test('both branches add a where: none of them is left without', () => {
    const body = `let q = db.select().from(invoices).$dynamic(); if (maybe) { q = q.where(eq(invoices.orgId, maybe)); } else { q = q.where(eq(invoices.orgId, orgId)); } const rows = await q; return rows;`;
    expect(targets(body)).toEqual(invoicesWhere('either(p2 ? t0.org_id = p2 | t0.org_id = p0)'));
  });

  test('a query that is an operand of another one does not run by itself', () => {
    const body = `const mine = db.select({ o: members.orgId }).from(members).where(eq(members.userId, id)); return db.select().from(invoices).where(inArray(invoices.orgId, mine));`;
    expect(targets(body)).toEqual([
      'root read invoices t0 many: (t0.org_id) in (members t1 where t1.user_id = p1)',
      'subquery read members t1 many: t1.user_id = p1 columns ',
    ]);
  });

  test('rows that were awaited are values, not a sub-query', () => {
    const body = `const found = await db.select({ o: members.orgId }).from(members); return db.select().from(invoices).where(inArray(invoices.orgId, found));`;
    const { accesses } = lower(body);
    expect(accesses).toHaveLength(2);
    expect(accesses[1]).toEqual(invoicesWhere('t0.org_id in (result.* ...)'));
  });

  test('queries handed to Promise.all run, each for itself', () => {
    expect(
      lower(`return Promise.all([db.select().from(orgs), db.select({ n: count() }).from(lines)]);`).accesses,
    ).toEqual([['root read orgs t0 many: always'], ['root read lines t0 many: always columns ']]);
  });

  test('a builder that a function of the program may still change is not taken for finished', () => {
    const body = `const q = db.select().from(invoices).$dynamic(); return withFilters(q, maybe);`;
    expect(targets(body)).toEqual(
      invoicesWhere('unknown(the builder is handed to a function that may add conditions)'),
    );
  });

  test('placeholders of a prepared statement get the values it runs with', () => {
    const body = `const p = db.select().from(invoices).where(eq(invoices.orgId, sql.placeholder('org'))).prepare('p'); return p.execute({ org: orgId });`;
    expect(targets(body)).toEqual(invoicesWhere('t0.org_id = p0'));
  });
});

describe('clients', () => {
  test.each([
    ['of drizzle()', `return db.select().from(orgs);`, ['plain']],
    ['of a transaction', `return db.transaction(async (tx) => tx.select().from(orgs));`, ['transaction']],
    ['of nowhere, told by the table', `return somewhere.db.select().from(orgs);`, ['unknown']],
  ])('%s', (_name, body, clients) => {
    expect(lower(body).clients).toEqual(clients);
  });

  test('an annotation tells a client', () => {
    const more = {
      'other.ts': `import { orgs } from './schema'; import type { NodePgDatabase } from 'drizzle-orm/node-postgres';\nexport const load = (db: NodePgDatabase) => db.select().from(orgs);`,
    };
    expect(lower(``, more).clients).toEqual(['plain']);
  });

  test.each([
    ['a set of the program', `const set = new Set(ids); set.delete(id); return set;`],
    ['a map', `const m = new Map(); m.get(id); m.values(); return m;`],
    ['a hash', `return crypto.createHash('sha256').update(id).digest('hex');`],
    ['a promise', `return fetch(id).then((r) => r.json());`],
    ['a table of someone else', `return other.select().from('x').where({ id });`],
    ['an update of something', `return store.update(id, { total: 1 });`],
  ])('%s is none', (_name, body) => {
    expect(lower(body)).toEqual({ accesses: [], unknown: [], clients: [] });
  });
});

describe('relational queries', () => {
  test('the first version: callbacks, nested tables, columns', () => {
    const body = `return db.query.invoices.findFirst({ where: (t, { eq, and }) => and(eq(t.orgId, orgId), eq(t.id, id)), with: { lines: { where: (l, ops) => ops.eq(l.text, 'x') }, org: true }, columns: { id: true } });`;
    expect(targets(body)).toEqual([
      'root read invoices t0 many: (t0.org_id = p0 and t0.id = p1) columns id',
      "include read lines t1 many: (t1.invoice_id = t0.id and t1.text = 'x')",
      'include read orgs t2 many: t2.id = t0.org_id',
    ]);
  });

  test('the second version: an object, whose undefined values vanish', () => {
    const body = `return db.query.invoices.findMany({ where: { orgId: maybe, OR: [{ id }, { number: { like: 'x%' } }], NOT: { total: { gt: 3 } }, org: { slug: id } } });`;
    expect(targets(body)[0]).toBe(
      "root read invoices t0 many: (optional(t0.org_id = p2 on p2? else always) and (t0.id = p1 or t0.number like 'x%') and not t0.total > 3 and exists(orgs t1 where (t1.id = t0.org_id and t1.slug = p1)))",
    );
  });

  test('an empty OR of the second version is left out', () => {
    expect(targets(`return db.query.invoices.findMany({ where: { OR: [] } });`)).toEqual(invoicesWhere('always'));
  });

  test('a where from elsewhere', () => {
    const more = {
      'conditions.ts': `import { invoices } from './schema'; import { eq } from 'drizzle-orm';\nexport const paid = eq(invoices.total, 0);`,
    };
    const facts = factsOf({
      'schema.ts': schema,
      'query.ts': `${imports}\nimport { paid } from './conditions';\nexport const f = () => db.query.invoices.findMany({ where: paid });`,
      ...more,
    });
    expect(loweredBy(drizzle, facts, drizzleContext(facts)).accesses.map(showAccess)).toEqual([
      invoicesWhere('t0.total = 0'),
    ]);
  });

  test('a relation that nobody declares is said to be unknown', () => {
    expect(targets(`return db.query.invoices.findMany({ with: { nothing: true } });`)[1]).toBe(
      'include read ?(the relation nothing of invoices was not found) t1 many: unknown(the relation nothing of invoices was not found)',
    );
  });

  test('nested tables that are computed are reported', () => {
    const facts = factsOf({
      'schema.ts': schema,
      'query.ts': `${imports}\nexport const f = (w) => db.query.invoices.findMany({ with: w });`,
    });
    const { accesses } = loweredBy(drizzle, facts, drizzleContext(facts));
    expect(accesses[0]!.unchecked).toEqual([
      expect.objectContaining({ reason: 'unresolved: the nested tables of `with` were not found' }),
    ]);
  });

  test('without a schema object the only table of that name is meant', () => {
    const facts = factsOf({
      'schema.ts': schema,
      'query.ts': `export const f = (ctx) => ctx.db.query.lines.findMany();`,
    });
    expect(loweredBy(drizzle, facts, drizzleContext(facts)).accesses.map(showAccess)).toEqual([
      ['root read lines t0 many: always'],
    ]);
  });
});

describe('writes', () => {
  test.each([
    [
      'rows made of a list',
      `await db.insert(lines).values(ids.map((i) => ({ id: i, invoiceId: id })));`,
      'root create lines t0 many: always set { id: p0, invoice_id: p1 } columns ',
    ],
    [
      'rows that differ',
      `await db.insert(lines).values([{ id, invoiceId: id }, { id: orgId }]);`,
      'root create lines t0 many: always set { id: (p1 | p0), invoice_id: (p1 | undefined) } columns ',
    ],
    [
      'a spread may set and replace columns',
      `await db.insert(lines).values({ id, ...input, text: 'x' });`,
      "root create lines t0 many: always set { id: (p1 | unknown), text: 'x', ... } columns ",
    ],
    [
      'a conditional column',
      `await db.update(lines).set({ text: 'x', ...(maybe && { invoiceId: maybe }) }).where(eq(lines.id, id));`,
      "root update lines t0 many: t0.id = p1 set { text: 'x', invoice_id: (p2 | undefined) } columns ",
    ],
    [
      'returned columns',
      `await db.delete(lines).where(eq(lines.id, id)).returning({ id: lines.id });`,
      'root delete lines t0 many: t0.id = p1 columns id',
    ],
    ['all columns returned', `await db.delete(lines).returning();`, 'root delete lines t0 many: always'],
    [
      'an upsert without a condition',
      `await db.insert(lines).values({ id, invoiceId: id }).onConflictDoUpdate({ target: lines.id, set: { text: 'x' } });`,
      "root upsert lines t0 many: t0.id = p1 set { id: p1, invoice_id: p1 } else { text: 'x' } conflict id columns ",
    ],
  ])('%s', (_name, body, target) => {
    expect(targets(body)).toEqual([target]);
  });

  test('rows copied by a select', () => {
    const body = `await db.insert(lines).select(db.select({ id: invoices.id, invoiceId: invoices.id }).from(invoices).where(eq(invoices.orgId, orgId)));`;
    expect(targets(body)).toEqual([
      'root create lines t0 many: t1.org_id = p0 set { id: t1.id, invoice_id: t1.id } columns ',
      'subquery read invoices t1 many: t1.org_id = p0 columns id',
    ]);
  });
});

describe('SQL templates', () => {
  test('a whole statement', () => {
    expect(targets('return db.execute(sql`select * from ${invoices} where ${invoices.orgId} = ${orgId}`);')).toEqual(
      invoicesWhere('t0.org_id = p0'),
    );
  });

  test('fragments in fragments, joined lists and conditions of the builder', () => {
    const body =
      'const parts = [sql`${invoices.orgId} = ${orgId}`, eq(invoices.id, id)]; return db.select().from(invoices).where(sql`${sql.join(parts, sql` and `)} and ${invoices.total} > 0`);';
    expect(targets(body)).toEqual(invoicesWhere('(t0.org_id = p0 and t0.id = p1 and t0.total > 0)'));
  });

  test('one fragment or another is either condition', () => {
    const body =
      'return db.select().from(invoices).where(sql`${admin ? sql`true` : sql`${invoices.orgId} = ${orgId}`}`);';
    expect(targets(body)).toEqual(invoicesWhere('either(always | t0.org_id = p0)'));
  });

  test('raw text is listed as put in, and named values as unknown conditions', () => {
    const facts = factsOf({
      'schema.ts': schema,
      'query.ts': `${imports}\nexport const f = (name: string, id: string) => db.execute(sql\`select * from \${sql.raw(name)}.invoices where id = \${id}\`);`,
    });
    const [access] = loweredBy(drizzle, facts, drizzleContext(facts)).accesses;
    expect(showAccess(access!)).toEqual(invoicesWhere('t0.id = p1'));
    expect(access!.interpolations).toEqual([
      expect.objectContaining({ position: 'schema', quoted: false, around: 'select * from ?.invoices where id =' }),
    ]);
  });

  test('a quoted name is listed as quoted', () => {
    const facts = factsOf({
      'schema.ts': schema,
      'query.ts': `${imports}\nexport const f = (name: string) => db.execute(sql\`set search_path to \${sql.identifier(name)}\`);`,
    });
    const [access] = loweredBy(drizzle, facts, drizzleContext(facts)).accesses;
    expect(access!.targets).toEqual([]);
    expect(access!.interpolations).toEqual([expect.objectContaining({ position: 'schema', quoted: true })]);
  });

  test('a condition that is no SQL is unknown, not nothing', () => {
    expect(targets('return db.select().from(invoices).where(sql`this is ( no sql`);')[0]).toMatch(/: unknown\(/);
  });
});

describe('odd input', () => {
  test('a definition that refers to itself ends', () => {
    const facts = factsOf({
      'schema.ts': schema,
      'query.ts': `${imports}\nconst a = and(b); const b = and(a);\nexport const f = () => db.select().from(invoices).where(a);`,
    });
    const [access] = loweredBy(drizzle, facts, drizzleContext(facts)).accesses;
    expect(showAccess(access!)[0]).toMatch(/^root read invoices t0 many: /);
  });

  test.each([
    `db.select().from();`,
    `db.select();`,
    `db.insert();`,
    `db.insert(invoices).values();`,
    `db.update(invoices).set();`,
    `db.update(invoices).set(undefined).where();`,
    `db.select(undefined).from(invoices).leftJoin();`,
    `db.query.invoices.findMany(undefined);`,
    `db.query[id].findMany({ where: 3 });`,
    `db.select().from(invoices).where(eq());`,
    `db.select().from(invoices).where(inArray(invoices.id));`,
    'db.select().from(invoices).where(sql``);',
    `db.insert(invoices).values({ id }).onConflictDoUpdate();`,
    `union();`,
    `db.$count();`,
    `db.execute();`,
  ])('%s does not throw', (body) => {
    expect(() => lower(body)).not.toThrow();
  });
});
