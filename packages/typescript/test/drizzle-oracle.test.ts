import { readFileSync } from 'node:fs';
import { lowerEmbedded } from '@tenant-lint/sql';
import type { Access, Predicate, Target, Value } from '@tenant-lint/model';
import * as operators from 'drizzle-orm';
import { alias, except, union, unionAll } from 'drizzle-orm/pg-core';
import { drizzle as connect } from 'drizzle-orm/pg-proxy';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { drizzle } from '../src/adapters/drizzle/index.js';
import { substitutePlaceholders } from '../src/adapters/substitute.js';
import { drizzleContext, factsOf, loweredBy } from './support/drizzle.js';
import * as schema from './support/drizzle-schema.js';
import { showPredicate, showValue } from './support/render.js';

/**
 * The library is the oracle: each query is built by Drizzle itself, and the SQL it would send is lowered by the SQL front end. The
 * adapter's reading of the same source must reach the same tables under the same conditions.
 */
const queries: Readonly<Record<string, string>> = {
  'all rows': `db.select().from(invoices)`,
  'one condition': `db.select().from(invoices).where(eq(invoices.orgId, 'o'))`,
  'where undefined': `db.select().from(invoices).where(undefined)`,
  'and without operands': `db.select().from(invoices).where(and())`,
  'and drops undefined': `db.select().from(invoices).where(and(undefined, eq(invoices.orgId, 'o'), undefined, gt(invoices.total, 3)))`,
  'or drops undefined': `db.select().from(invoices).where(or(eq(invoices.orgId, 'o'), undefined))`,
  'or of nothing within and': `db.select().from(invoices).where(and(or(undefined), eq(invoices.id, 'i')))`,
  'or inside and': `db.select().from(invoices).where(and(eq(invoices.orgId, 'o'), or(lt(invoices.total, 1), isNull(invoices.number))))`,
  'null compares with nothing': `db.select().from(invoices).where(eq(invoices.orgId, null))`,
  negations: `db.select().from(invoices).where(and(not(eq(invoices.orgId, 'o')), ne(invoices.id, 'i'), isNotNull(invoices.number)))`,
  'the second where replaces the first': `db.select().from(invoices).$dynamic().where(eq(invoices.orgId, 'o')).where(eq(invoices.id, 'i'))`,
  'list of values': `db.select().from(invoices).where(inArray(invoices.id, ['a', 'b']))`,
  'not in a list': `db.select().from(invoices).where(notInArray(invoices.id, ['a', 'b']))`,
  'like, ilike and between': `db.select().from(invoices).where(and(like(invoices.number, 'a%'), ilike(invoices.number, 'b%'), between(invoices.total, 1, 9)))`,
  'in a sub-query': `db.select().from(invoices).where(inArray(invoices.orgId, db.select({ o: members.orgId }).from(members).where(eq(members.userId, 'u'))))`,
  'exists, correlated': `db.select().from(invoices).where(and(exists(db.select().from(members).where(and(eq(members.orgId, invoices.orgId), eq(members.userId, 'u')))), eq(invoices.id, 'i')))`,
  'not exists': `db.select().from(invoices).where(notExists(db.select().from(lines).where(eq(lines.invoiceId, invoices.id))))`,
  'inner join': `db.select().from(invoices).innerJoin(orgs, eq(orgs.id, invoices.orgId)).where(eq(orgs.slug, 's'))`,
  'left join': `db.select().from(invoices).leftJoin(lines, and(eq(lines.invoiceId, invoices.id), eq(lines.text, 't'))).where(eq(invoices.orgId, 'o'))`,
  'left join that the where makes inner': `db.select().from(invoices).leftJoin(orgs, eq(orgs.id, invoices.orgId)).where(eq(orgs.slug, 's'))`,
  'right join': `db.select().from(invoices).rightJoin(orgs, eq(orgs.id, invoices.orgId))`,
  'full join': `db.select().from(invoices).fullJoin(orgs, eq(orgs.id, invoices.orgId))`,
  'joins after one another': `db.select({ id: lines.id }).from(lines).leftJoin(invoices, eq(invoices.id, lines.invoiceId)).innerJoin(orgs, eq(orgs.id, invoices.orgId)).where(eq(orgs.id, 'o'))`,
  'aliased table': `db.select({ a: a.id }).from(a).innerJoin(invoices, eq(a.orgId, invoices.orgId)).where(eq(a.id, 'i'))`,
  'sub-query in from': `db.select().from(sq).where(eq(sq.total, 3))`,
  'joined sub-query': `db.select({ id: invoices.id }).from(invoices).innerJoin(sq, eq(sq.id, invoices.id))`,
  'common table expression': `db.with(cte).select().from(cte).where(eq(cte.id, 'i'))`,
  union: `union(db.select({ id: invoices.id }).from(invoices).where(eq(invoices.orgId, 'o')), db.select({ id: lines.id }).from(lines))`,
  'union of builders': `db.select({ id: invoices.id }).from(invoices).unionAll(db.select({ id: lines.id }).from(lines).where(eq(lines.text, 't')))`,
  except: `except(db.select({ id: invoices.id }).from(invoices), db.select({ id: lines.id }).from(lines))`,
  'template as condition':
    "db.select().from(invoices).where(sql`${invoices.orgId} = ${'o'} and ${invoices.total} > 3`)",
  'template with a sub-select':
    "db.select().from(invoices).where(sql`exists (select 1 from ${members} where ${members.orgId} = ${invoices.orgId} and ${members.userId} = ${'u'})`)",
  'template inside and':
    "db.select().from(invoices).where(and(eq(invoices.orgId, 'o'), sql`lower(${invoices.number}) = ${'n'}`))",
  'scalar sub-query in fields':
    "db.select({ id: invoices.id, n: sql`(select count(*) from ${lines} where ${lines.invoiceId} = ${invoices.id})` }).from(invoices).where(eq(invoices.orgId, 'o'))",
  'group by and having': `db.select({ o: invoices.orgId, n: count() }).from(invoices).where(eq(invoices.authorId, 'u')).groupBy(invoices.orgId).having(eq(invoices.orgId, 'o'))`,
  update: `db.update(invoices).set({ total: 5, number: 'n' }).where(and(eq(invoices.id, 'i'), eq(invoices.orgId, 'o')))`,
  'update of everything': `db.update(invoices).set({ total: 5 })`,
  'update from another table': `db.update(invoices).set({ number: orgs.slug }).from(orgs).where(eq(orgs.id, invoices.orgId))`,
  delete: `db.delete(invoices).where(eq(invoices.id, 'i'))`,
  'delete of everything': `db.delete(invoices)`,
  insert: `db.insert(lines).values({ id: 'l', invoiceId: 'i', text: 't' })`,
  'insert of several rows': `db.insert(lines).values([{ id: 'l', invoiceId: 'i', text: 't' }, { id: 'm', invoiceId: 'i', text: 'u' }])`,
  upsert: `db.insert(lines).values({ id: 'l', invoiceId: 'i', text: 't' }).onConflictDoUpdate({ target: lines.id, set: { text: sql\`excluded.text\` }, setWhere: eq(lines.invoiceId, 'i') })`,
};

const bindings = `
  const a = alias(invoices, 'a');
  const sq = db.select({ id: invoices.id, total: invoices.total }).from(invoices).where(eq(invoices.orgId, 'o')).as('sq');
  const cte = db.$with('cte').as(db.select({ id: invoices.id }).from(invoices).where(eq(invoices.orgId, 'o')));`;
const names = [
  'alias',
  'and',
  'between',
  'count',
  'eq',
  'exists',
  'gt',
  'ilike',
  'inArray',
  'isNotNull',
  'isNull',
  'like',
  'lt',
  'ne',
  'not',
  'notExists',
  'notInArray',
  'or',
  'sql',
  'union',
  'unionAll',
  'except',
];
const tables = ['orgs', 'users', 'members', 'invoices', 'lines'];
const schemaText = readFileSync(new URL('./support/drizzle-schema.ts', import.meta.url), 'utf8');

const db = connect(() => Promise.resolve({ rows: [] }), { schema });

interface Sent {
  readonly sql: string;
  readonly params: readonly unknown[];
}

/** What the library would send for a query. */
function sent(query: string): Sent {
  const environment: Record<string, unknown> = { ...operators, alias, union, unionAll, except, ...schema, db };
  const body = new Function(...names, ...tables, 'db', `${bindings}\n return (${query}).toSQL();`) as (
    ...values: unknown[]
  ) => Sent;
  return body(...[...names, ...tables, 'db'].map((name) => environment[name]));
}

function bySql({ sql, params }: Sent): Access {
  const { accesses, unchecked } = lowerEmbedded({
    file: 'sent.sql',
    text: sql,
    idPrefix: 'q',
    library: 'sql',
    span: { file: 'sent.sql', start: 0, end: sql.length },
    position: (n) => n,
  });
  expect(unchecked).toEqual([]);
  const [only, ...more] = accesses;
  expect(more).toEqual([]);
  return substitutePlaceholders(only!, (name) => {
    const value = params[Number(name) - 1];
    return { kind: 'constant', value: value === undefined ? null : (value as string | number) };
  });
}

function byAdapter(query: string): Access {
  const code = `
import { drizzle } from 'drizzle-orm/pg-proxy';
import { ${names.filter((n) => !['alias', 'union', 'unionAll', 'except'].includes(n)).join(', ')} } from 'drizzle-orm';
import { alias, union, unionAll, except } from 'drizzle-orm/pg-core';
import * as schema from './schema.js';
import { ${tables.join(', ')} } from './schema.js';
const db = drizzle(send, { schema });
export async function run() {${bindings}
  return await ${query};
}`;
  const facts = factsOf({ 'schema.ts': schemaText, 'query.ts': code });
  const { accesses, unknown } = loweredBy(drizzle, facts, drizzleContext(facts));
  expect(unknown).toEqual([]);
  expect(accesses).toHaveLength(1);
  expect(accesses[0]!.unchecked).toBeUndefined();
  return accesses[0]!;
}

const widths = new Map(
  tables.map((name) => [name, Object.keys(operators.getTableColumns(schema[name as 'orgs'])).length]),
);

/** Targets in comparable form: references by table and position, unqualified columns by the innermost table, conditions in order. */
function shape(access: Access): readonly string[] {
  const labels = new Map<string, string>();
  const counts = new Map<string, number>();
  for (const target of access.targets) {
    const name = target.table.known ? target.table.value.name : '?';
    const n = counts.get(name) ?? 0;
    counts.set(name, n + 1);
    labels.set(target.ref, `${name}${n}`);
  }
  const column = (v: Value): Value => {
    if (v.kind === 'apply' && v.function.startsWith('cast:')) return v.to[0]!;
    if (v.kind !== 'column') return v;
    const ref = v.target ?? v.candidates?.[0]?.[0];
    return { kind: 'column', target: labels.get(ref ?? '') ?? ref ?? '?', column: v.column };
  };
  const rename = (p: Predicate): Predicate =>
    JSON.parse(JSON.stringify(p), (_key, v: unknown) => (isValue(v) ? column(v) : v)) as Predicate;
  const conditions = (p: Predicate): string => (p.kind === 'and' ? p.of.map(sorted).sort().join(' & ') : sorted(p));
  const sorted = (p: Predicate): string => {
    if (p.kind === 'and' || p.kind === 'or') return `(${p.of.map(sorted).sort().join(` ${p.kind} `)})`;
    if (p.kind === 'not') return `not ${sorted(p.of)}`;
    if (p.kind === 'exists') return `exists ${conditions(p.query.condition)}`;
    if (p.kind === 'in-query')
      return `${p.left.map(showValue).join()} in ${p.query.output.map(showValue).join()} where ${conditions(p.query.condition)}`;
    return showPredicate(p);
  };
  const writes = (t: Target['writes']): string =>
    Object.entries(t?.set ?? {})
      .filter(([, v]) => v.kind !== 'undefined')
      .map(([k, v]) => `${k}=${showValue(isValue(v) ? column(v) : v)}`)
      .sort()
      .join(',');
  // Drizzle writes out all columns where a star is meant.
  const columns = (t: Target): string =>
    t.columns && t.columns.length < (widths.get(t.table.known ? t.table.value.name : '') ?? 0)
      ? [...t.columns].sort().join(',')
      : '*';
  return access.targets
    .map(
      (t) =>
        `${labels.get(t.ref)!} ${t.role} ${t.operation} [${writes(t.writes)}|${writes(t.updates)}] ${columns(t)}: ${conditions(rename(t.predicate))}`,
    )
    .sort();
}

const isValue = (v: unknown): v is Value => typeof v === 'object' && v !== null && 'kind' in v;

describe('what the adapter reads is what Drizzle sends', () => {
  test.each(Object.entries(queries))('%s', (_name, query) => {
    expect(shape(byAdapter(query))).toEqual(shape(bySql(sent(query))));
  });
});

/** Conditions of every shape, with operands that are missing. */
const condition = fc.letrec<{ leaf: string; tree: string }>((tie) => ({
  leaf: fc.constantFrom(
    `eq(invoices.orgId, 'o')`,
    `gt(invoices.total, 3)`,
    `isNull(invoices.number)`,
    `inArray(invoices.id, ['a', 'b'])`,
    'sql`${invoices.total} < ${7}`',
    'undefined',
  ),
  tree: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('leaf'),
    fc.array(tie('tree'), { maxLength: 3 }).map((of) => `and(${of.join(', ')})`),
    fc.array(tie('tree'), { maxLength: 3 }).map((of) => `or(${of.join(', ')})`),
  ),
})).tree;

test('any nesting of and, or and missing operands reads as it is sent', () => {
  fc.assert(
    fc.property(condition, condition, (where, on) => {
      const query = `db.select({ id: invoices.id }).from(invoices).innerJoin(orgs, ${on}).where(${where})`;
      // A join without a condition is not SQL that anyone means; Drizzle then leaves out ON, and Postgres refuses it.
      fc.pre(sent(query).sql.includes(' on '));
      expect(shape(byAdapter(query))).toEqual(shape(bySql(sent(query))));
    }),
    { numRuns: 120 },
  );
});

describe('relational queries', () => {
  const relational: Readonly<Record<string, string>> = {
    'all rows': `db.query.invoices.findMany()`,
    'a condition': `db.query.invoices.findFirst({ where: eq(invoices.orgId, 'o') })`,
    'a missing condition': `db.query.invoices.findMany({ where: undefined })`,
    'a callback': `db.query.invoices.findMany({ where: (t, { and, eq, or }) => and(eq(t.orgId, 'o'), or(eq(t.id, 'i'), undefined)) })`,
    'operators by name': `db.query.invoices.findMany({ where: (t, ops) => ops.inArray(t.id, ['a', 'b']) })`,
    'a to-one relation': `db.query.invoices.findMany({ with: { org: true }, where: eq(invoices.id, 'i') })`,
    'a to-many relation with a condition': `db.query.invoices.findMany({ with: { lines: { where: (l, { eq }) => eq(l.text, 't') } } })`,
    'relations inside relations': `db.query.lines.findMany({ with: { invoice: { with: { org: true } } } })`,
  };

  // The library nests what it includes as lateral sub-queries; the model says `include`, with what ties it to its parent.
  test.each(Object.entries(relational))('%s', (_name, query) => {
    const own = byAdapter(query).targets;
    const theirs = bySql(sent(query)).targets;
    const tables = (list: readonly Target[]): string[] => list.map((t) => (t.table.known ? t.table.value.name : '?'));
    expect(tables(own)).toEqual(tables(theirs));
    for (const [i, target] of own.entries()) {
      const expected = labelled(theirs, theirs[i]!.predicate);
      for (const part of labelled(own, target.predicate)) expect(expected).toContain(part);
      if (target.role === 'root') expect(labelled(own, target.predicate)).toEqual(expected);
    }
  });

  const labelled = (targets: readonly Target[], predicate: Predicate): string[] => {
    const label = new Map(targets.map((t, i) => [t.ref, `${t.table.known ? t.table.value.name : '?'}${i}`]));
    const column = (v: unknown): unknown =>
      isValue(v) && v.kind === 'column' ? { ...v, target: label.get(v.target ?? v.candidates?.[0]?.[0] ?? '') } : v;
    const renamed = JSON.parse(JSON.stringify(predicate), (_key, v: unknown) => column(v)) as Predicate;
    return (renamed.kind === 'and' ? renamed.of : [renamed])
      .map((p) =>
        p.kind === 'compare' && p.operator === '='
          ? [showValue(p.left), showValue(p.right)].sort().join(' = ')
          : showPredicate(p),
      )
      .sort();
  };
});
