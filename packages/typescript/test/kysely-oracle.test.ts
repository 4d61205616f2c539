import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql } from 'kysely';
import { jsonArrayFrom } from 'kysely/helpers/postgres';
import { describe, expect, test } from 'vitest';
import { kysely } from '../src/adapters/kysely/index.js';
import { bySql, lowered, shape, type Sent } from './support/sent.js';

/**
 * The library is the oracle: each query is built by Kysely itself, and the SQL it would send is lowered by the SQL front end. The adapter's
 * reading of the same source must reach the same tables under the same conditions.
 */
const queries: Readonly<Record<string, string>> = {
  'all rows': `db.selectFrom('invoices').selectAll()`,
  'one condition': `db.selectFrom('invoices').select('id').where('org_id', '=', 'o')`,
  'conditions are joined by and': `db.selectFrom('invoices').select(['id', 'total']).where('org_id', '=', 'o').where('total', '>', 3)`,
  'a callback': `db.selectFrom('invoices').selectAll().where((eb) => eb('org_id', '=', 'o'))`,
  'a destructured callback': `db.selectFrom('invoices').selectAll().where(({ eb, and, or, not }) => and([eb('org_id', '=', 'o'), or([eb('total', '<', 1), not(eb('number', 'is', null))])]))`,
  'and by object': `db.selectFrom('invoices').selectAll().where((eb) => eb.and({ org_id: 'o', total: 3 }))`,
  'or by object': `db.selectFrom('invoices').selectAll().where((eb) => eb.or({ org_id: 'o', total: 3 }))`,
  'and of nothing': `db.selectFrom('invoices').selectAll().where((eb) => eb.and([]))`,
  'or of nothing': `db.selectFrom('invoices').selectAll().where('org_id', '=', 'o').where((eb) => eb.or([]))`,
  'and by object drops undefined': `db.selectFrom('invoices').selectAll().where((eb) => eb.and({ org_id: undefined, id: 'i' }))`,
  'and by object of undefined': `db.selectFrom('invoices').selectAll().where((eb) => eb.and({ org_id: undefined }))`,
  'a chained or': `db.selectFrom('invoices').selectAll().where((eb) => eb('org_id', '=', 'o').or('total', '>', 3).or('author_id', '=', 'u'))`,
  'a chained and': `db.selectFrom('invoices').selectAll().where((eb) => eb('org_id', '=', 'o').and(eb('total', '>', 3)))`,
  'equal to null': `db.selectFrom('invoices').selectAll().where('org_id', '=', null)`,
  'is null': `db.selectFrom('invoices').selectAll().where('org_id', 'is', null).where('number', 'is not', null)`,
  'list of values': `db.selectFrom('invoices').selectAll().where('id', 'in', ['a', 'b'])`,
  'not in a list': `db.selectFrom('invoices').selectAll().where('id', 'not in', ['a', 'b'])`,
  'like and between': `db.selectFrom('invoices').selectAll().where('number', 'like', 'a%').where('number', 'ilike', 'b%').where((eb) => eb.between('total', 1, 9))`,
  'is distinct from': `db.selectFrom('invoices').selectAll().where('org_id', 'is distinct from', 'o')`,
  'in a sub-query': `db.selectFrom('invoices').selectAll().where('org_id', 'in', db.selectFrom('members').select('org_id').where('user_id', '=', 'u'))`,
  'in a sub-query of the callback': `db.selectFrom('invoices').selectAll().where('org_id', 'in', (eb) => eb.selectFrom('members').select('org_id').where('user_id', '=', 'u'))`,
  'exists, correlated': `db.selectFrom('invoices').selectAll().where((eb) => eb.exists(eb.selectFrom('members').select('members.user_id').whereRef('members.org_id', '=', 'invoices.org_id').where('members.user_id', '=', 'u')))`,
  'not exists': `db.selectFrom('invoices').selectAll().where(({ not, exists, selectFrom }) => not(exists(selectFrom('lines').select('id').whereRef('lines.invoice_id', '=', 'invoices.id'))))`,
  'two tables': `db.selectFrom(['invoices', 'orgs as o']).select('invoices.id').whereRef('o.id', '=', 'invoices.org_id').where('o.slug', '=', 's')`,
  'inner join': `db.selectFrom('invoices').innerJoin('orgs', 'orgs.id', 'invoices.org_id').select('invoices.id').where('orgs.slug', '=', 's')`,
  'aliased join': `db.selectFrom('invoices as i').innerJoin('orgs as o', 'o.id', 'i.org_id').select(['i.id', 'o.name as org']).where('o.slug', '=', 's')`,
  'left join with a callback': `db.selectFrom('invoices').leftJoin('lines', (join) => join.onRef('lines.invoice_id', '=', 'invoices.id').on('lines.text', '=', 't')).selectAll('invoices').where('invoices.org_id', '=', 'o')`,
  'join on an expression': `db.selectFrom('invoices').leftJoin('lines', (join) => join.on((eb) => eb.or([eb('lines.invoice_id', '=', eb.ref('invoices.id')), eb('lines.text', '=', 't')]))).selectAll('invoices')`,
  'left join that the where makes inner': `db.selectFrom('invoices').leftJoin('orgs', 'orgs.id', 'invoices.org_id').selectAll('invoices').where('orgs.slug', '=', 's')`,
  'right join': `db.selectFrom('invoices').rightJoin('orgs', 'orgs.id', 'invoices.org_id').select('orgs.id')`,
  'full join': `db.selectFrom('invoices').fullJoin('orgs', 'orgs.id', 'invoices.org_id').select('orgs.id')`,
  'cross join': `db.selectFrom('invoices').crossJoin('orgs').select('orgs.id').where('orgs.id', '=', 'o')`,
  'joined sub-query': `db.selectFrom('invoices').innerJoin((eb) => eb.selectFrom('lines').select('invoice_id').where('text', '=', 't').as('l'), (join) => join.onRef('l.invoice_id', '=', 'invoices.id')).selectAll('invoices').where('org_id', '=', 'o')`,
  'sub-query in from': `db.selectFrom((eb) => eb.selectFrom('invoices').select(['id', 'org_id']).where('total', '>', 3).as('big')).selectAll().where('big.org_id', '=', 'o')`,
  'common table expression': `db.with('mine', (q) => q.selectFrom('invoices').select('id').where('org_id', '=', 'o')).selectFrom('lines').innerJoin('mine', 'mine.id', 'lines.invoice_id').selectAll('lines')`,
  'two common table expressions': `db.with('a', (q) => q.selectFrom('orgs').select('id').where('slug', '=', 's')).with('b', (q) => q.selectFrom('a').select('id')).selectFrom('b').selectAll()`,
  union: `db.selectFrom('invoices').select('id').where('org_id', '=', 'o').union(db.selectFrom('lines').select('id'))`,
  'union all of callbacks': `db.selectFrom('invoices').select('id').unionAll((eb) => eb.selectFrom('lines').select('id').where('text', '=', 't'))`,
  except: `db.selectFrom('invoices').select('id').except(db.selectFrom('lines').select('id'))`,
  'a template as condition': 'db.selectFrom(`invoices`).selectAll().where(sql`org_id = ${"o"} and total > 3`)',
  'a template with names':
    'db.selectFrom("invoices").selectAll().where(sql`${sql.ref("invoices.org_id")} = ${"o"} and exists (select 1 from ${sql.table("members")} where user_id = ${"u"})`)',
  'a template as operand':
    'db.selectFrom("invoices").selectAll().where(sql`lower(number)`, "=", "n").where("org_id", "=", sql`${"o"}`)',
  'scalar sub-query in fields': `db.selectFrom('invoices').select(['id', (eb) => eb.selectFrom('lines').select((e) => e.fn.countAll().as('n')).whereRef('lines.invoice_id', '=', 'invoices.id').as('lines')]).where('org_id', '=', 'o')`,
  'rows as JSON': `db.selectFrom('invoices').select((eb) => ['id', jsonArrayFrom(eb.selectFrom('lines').select('lines.text').whereRef('lines.invoice_id', '=', 'invoices.id')).as('lines')]).where('org_id', '=', 'o')`,
  'group by and having': `db.selectFrom('invoices').select(['org_id', (eb) => eb.fn.count('id').as('n')]).where('author_id', '=', 'u').groupBy('org_id').having('org_id', '=', 'o')`,
  'a condition taken back': `db.selectFrom('invoices').selectAll().where('org_id', '=', 'o').clearWhere().where('id', '=', 'i')`,
  'a condition that is added': `db.selectFrom('invoices').selectAll().$call((q) => q.where('org_id', '=', 'o')).where('id', '=', 'i')`,
  'a named schema': `db.withSchema('public').selectFrom('invoices').select('id').where('org_id', '=', 'o')`,
  'a schema in the name': `db.selectFrom('public.invoices as i').select('i.id').where('i.org_id', '=', 'o')`,
  case: `db.selectFrom('invoices').select('id').where((eb) => eb.case().when('org_id', '=', 'o').then(true).else(false).end())`,
  tuples: `db.selectFrom('invoices').select('id').where((eb) => eb(eb.refTuple('org_id', 'id'), 'in', [eb.tuple('o', 'i')]))`,
  update: `db.updateTable('invoices').set({ total: 5, number: 'n' }).where('id', '=', 'i').where('org_id', '=', 'o')`,
  'update of everything': `db.updateTable('invoices').set({ total: 5 })`,
  'update of a column': `db.updateTable('invoices').set('total', 5).where('id', '=', 'i').returningAll()`,
  'update with a callback': `db.updateTable('invoices').set((eb) => ({ total: eb.ref('author_id') })).where('id', '=', 'i').returning(['id', 'org_id'])`,
  'update from another table': `db.updateTable('invoices').from('orgs').set({ number: 'n' }).whereRef('orgs.id', '=', 'invoices.org_id').where('orgs.slug', '=', 's')`,
  delete: `db.deleteFrom('invoices').where('id', '=', 'i')`,
  'delete of everything': `db.deleteFrom('invoices')`,
  'delete using': `db.deleteFrom('lines').using('invoices').whereRef('invoices.id', '=', 'lines.invoice_id').where('invoices.org_id', '=', 'o')`,
  insert: `db.insertInto('lines').values({ id: 'l', invoice_id: 'i', text: 't' }).returning('id')`,
  'insert leaves out undefined': `db.insertInto('lines').values({ id: 'l', invoice_id: 'i', text: undefined })`,
  'insert from a query': `db.insertInto('lines').columns(['id', 'invoice_id']).expression((eb) => eb.selectFrom('invoices').select(['id', 'id as i']).where('org_id', '=', 'o'))`,
  upsert: `db.insertInto('lines').values({ id: 'l', invoice_id: 'i', text: 't' }).onConflict((oc) => oc.column('id').doUpdateSet({ text: 'u' }).where('lines.invoice_id', '=', 'i'))`,
  'upsert with the new row': `db.insertInto('lines').values({ id: 'l', invoice_id: 'i', text: 't' }).onConflict((oc) => oc.columns(['id']).doUpdateSet((eb) => ({ text: eb.ref('excluded.text') })))`,
  'do nothing': `db.insertInto('lines').values({ id: 'l', invoice_id: 'i', text: 't' }).onConflict((oc) => oc.doNothing())`,
};

const db = new Kysely<never>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (of) => new PostgresIntrospector(of),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
});

function sent(query: string): Sent {
  const made = new Function('db', 'sql', 'jsonArrayFrom', `return (${query}).compile();`) as (...values: unknown[]) => {
    sql: string;
    parameters: readonly unknown[];
  };
  const compiled = made(db, sql, jsonArrayFrom);
  return { sql: compiled.sql, params: compiled.parameters };
}

const header = `
import { Kysely, sql } from 'kysely';
import { jsonArrayFrom } from 'kysely/helpers/postgres';
const db = new Kysely({ dialect });`;

describe('what the adapter reads is what Kysely sends', () => {
  test.each(Object.entries(queries))('%s', (_name, query) => {
    const { accesses, unknown } = lowered(
      kysely,
      `${header}\nexport const run = async () => await ${query}.execute();`,
    );
    expect(unknown).toEqual([]);
    expect(accesses).toHaveLength(1);
    expect(accesses[0]!.unchecked).toBeUndefined();
    expect(shape(accesses[0]!)).toEqual(shape(bySql(sent(query))));
  });
});
