import knexOf from 'knex';
import { describe, expect, test } from 'vitest';
import { knex as adapter } from '../src/adapters/knex/index.js';
import { bySql, lowered, shape, type Sent } from './support/sent.js';

/**
 * The library is the oracle: each query is built by Knex itself, and the SQL it would send is lowered by the SQL front end. The adapter's
 * reading of the same source must reach the same tables under the same conditions.
 */
const queries: Readonly<Record<string, string>> = {
  'all rows': `knex('invoices')`,
  'one condition': `knex('invoices').where('org_id', 'o')`,
  'an object': `knex('invoices').where({ org_id: 'o', total: 3 })`,
  'an empty object': `knex('invoices').where({})`,
  'an empty object and more': `knex('invoices').where({}).where('id', 'i')`,
  'null is IS NULL': `knex('invoices').where('org_id', null).where({ number: null })`,
  operators: `knex('invoices').where('org_id', '=', 'o').where('total', '>', 3).andWhere('number', 'like', 'a%')`,
  'or escapes': `knex('invoices').where('org_id', 'o').where('total', 1).orWhere('total', 2)`,
  'or in parentheses': `knex('invoices').where('org_id', 'o').where((q) => q.where('total', 1).orWhere('total', 2))`,
  'or in parentheses of this': `knex('invoices').where('org_id', 'o').andWhere(function () { this.where('total', 1).orWhere({ total: 2, number: 'n' }); })`,
  'an empty group': `knex('invoices').where('org_id', 'o').where(() => {})`,
  'or by object': `knex('invoices').where('id', 'i').orWhere({ org_id: 'o', total: 3 })`,
  not: `knex('invoices').whereNot('org_id', 'o').orWhereNot({ total: 1 })`,
  'list of values': `knex('invoices').whereIn('id', ['a', 'b']).whereNotIn('total', [1, 2])`,
  'empty list': `knex('invoices').whereIn('id', [])`,
  'not in an empty list': `knex('invoices').where('org_id', 'o').whereNotIn('id', [])`,
  tuples: `knex('invoices').whereIn(['id', 'org_id'], [['i', 'o'], ['j', 'o']])`,
  'in by operator': `knex('invoices').where('id', 'in', ['a']).where('total', 'not in', [1])`,
  'null and between': `knex('invoices').whereNull('number').orWhereNotNull('author_id').whereBetween('total', [1, 9]).whereNotBetween('total', [3, 4])`,
  like: `knex('invoices').whereILike('number', 'a%').orWhereILike('number', 'b%')`,
  columns: `knex('invoices').whereColumn('id', 'author_id').orWhereColumn('total', '>', 'number')`,
  'true and false': `knex('invoices').where('org_id', 'o').where(true).orWhere(false)`,
  'raw condition': `knex('invoices').whereRaw('org_id = ? and ?? > ?', ['o', 'total', 3]).orWhereRaw('total = 1')`,
  'raw with names': `knex('invoices').whereRaw('org_id = :org and :column: = :n', { org: 'o', column: 'total', n: 3 })`,
  'raw as argument': `knex('invoices').where(knex.raw('org_id = ?', 'o')).where('number', knex.raw('lower(?)', ['N']))`,
  'a reference': `knex('invoices').where('id', knex.ref('invoices.author_id'))`,
  'in a sub-query': `knex('invoices').whereIn('org_id', knex('members').select('org_id').where('user_id', 'u'))`,
  'in a sub-query of a callback': `knex('invoices').whereIn('org_id', function () { this.select('org_id').from('members').where('user_id', 'u'); })`,
  'exists, correlated': `knex('invoices').whereExists((q) => q.select('user_id').from('members').whereColumn('members.org_id', 'invoices.org_id').where('members.user_id', 'u'))`,
  'not exists': `knex('invoices').whereNotExists(knex.select('id').from('lines').whereRaw('lines.invoice_id = invoices.id'))`,
  'compared with a sub-query': `knex('invoices').where('total', '=', knex('lines').count('*').whereColumn('lines.invoice_id', 'invoices.id'))`,
  'inner join': `knex('invoices').join('orgs', 'orgs.id', 'invoices.org_id').where('orgs.slug', 's').select('invoices.id')`,
  'join with an operator': `knex('invoices as i').innerJoin('orgs as o', 'o.id', '=', 'i.org_id').where('o.slug', 's').select('i.*', 'o.name as org')`,
  'left join with a callback': `knex('invoices').leftJoin('lines', function () { this.on('lines.invoice_id', '=', 'invoices.id').andOn('lines.text', '=', knex.raw('?', ['t'])); }).where('invoices.org_id', 'o').select('invoices.id')`,
  'join on a value': `knex('invoices').leftJoin('lines', (j) => j.on('lines.invoice_id', 'invoices.id').andOnVal('lines.text', '=', 't').orOnNull('lines.text')).select('invoices.id')`,
  'join by object': `knex('invoices').join('orgs', { 'orgs.id': 'invoices.org_id' }).select('orgs.id')`,
  'join using': `knex('invoices').join('lines', (j) => j.using('id')).select('invoices.total')`,
  'right and full join': `knex('invoices').rightJoin('orgs', 'orgs.id', 'invoices.org_id').fullOuterJoin('lines', 'lines.invoice_id', 'invoices.id').select('orgs.id')`,
  'cross join': `knex('invoices').crossJoin('orgs').where('orgs.id', 'o').select('orgs.id')`,
  'joined sub-query': `knex('invoices').join(knex('lines').select('invoice_id').where('text', 't').as('l'), 'l.invoice_id', 'invoices.id').where('org_id', 'o').select('invoices.id')`,
  'raw join': `knex('invoices').joinRaw('left join lines on lines.invoice_id = invoices.id').where('org_id', 'o').select('invoices.id')`,
  'alias by object': `knex({ i: 'invoices' }).where('i.org_id', 'o').select('i.id')`,
  from: `knex.select('id', 'total').from('invoices').where('org_id', 'o')`,
  'sub-query in from': `knex.from(knex('invoices').where('total', '>', 3).as('big')).where('big.org_id', 'o')`,
  'common table expression': `knex.with('mine', (q) => q.select('id').from('invoices').where('org_id', 'o')).select('lines.*').from('lines').join('mine', 'mine.id', 'lines.invoice_id')`,
  'raw common table expression': `knex.with('mine', knex.raw('select id from invoices where org_id = ?', ['o'])).select('*').from('mine')`,
  union: `knex('invoices').select('id').where('org_id', 'o').union(knex('lines').select('id'))`,
  'union of callbacks': `knex('invoices').select('id').unionAll([function () { this.select('id').from('lines').where('text', 't'); }])`,
  'group by and having': `knex('invoices').select('org_id').count('id as n').where('author_id', 'u').groupBy('org_id').having('org_id', '=', 'o').orHavingRaw('count(id) > 3')`,
  'count and first': `knex('invoices').where('org_id', 'o').count('* as n').first()`,
  pluck: `knex('invoices').where('org_id', 'o').pluck('id')`,
  distinct: `knex('invoices').distinct('org_id').where('total', 3)`,
  'conditions taken back': `knex('invoices').where('org_id', 'o').clearWhere().where('id', 'i')`,
  'conditions cleared by name': `knex('invoices').where('org_id', 'o').clear('where').where('id', 'i')`,
  'a modifier': `knex('invoices').modify((q) => { q.where('org_id', 'o'); }).where('id', 'i')`,
  'a modifier with arguments': `knex('invoices').modify((q, org) => q.where('org_id', org), 'o').where('id', 'i')`,
  'a schema': `knex.withSchema('public').from('invoices').where('org_id', 'o').select('id')`,
  update: `knex('invoices').where({ id: 'i', org_id: 'o' }).update({ total: 5, number: 'n' })`,
  'update of everything': `knex('invoices').update({ total: 5 })`,
  'update of a column': `knex('invoices').where('id', 'i').update('total', 5).returning(['id'])`,
  increment: `knex('invoices').where('id', 'i').increment('total', 2)`,
  delete: `knex('invoices').where('id', 'i').del()`,
  'delete of everything': `knex('invoices').where({}).delete()`,
  insert: `knex('lines').insert({ id: 'l', invoice_id: 'i', text: 't' }, ['id'])`,
  'insert into': `knex.insert({ id: 'l', invoice_id: 'i' }).into('lines').returning('*')`,
  upsert: `knex('lines').insert({ id: 'l', invoice_id: 'i', text: 't' }).onConflict('id').merge({ text: 'u' }).where('lines.invoice_id', 'i')`,
  'upsert of all columns': `knex('lines').insert({ id: 'l', invoice_id: 'i', text: 't' }).onConflict(['id']).merge()`,
  'upsert of some columns': `knex('lines').insert({ id: 'l', invoice_id: 'i', text: 't' }).onConflict('id').merge(['text'])`,
  'do nothing': `knex('lines').insert({ id: 'l', invoice_id: 'i' }).onConflict('id').ignore()`,
  'raw query': `knex.raw('select id from ?? where org_id = ?', ['invoices', 'o'])`,
};

const knex = knexOf({ client: 'pg' });

/** `?` of the library as `$1` of Postgres. */
function sent(query: string): Sent {
  const built = (
    new Function('knex', `return ${query};`) as (k: unknown) => {
      toSQL(): { toNative(): { sql: string; bindings: unknown[] } };
    }
  )(knex);
  const { sql, bindings } = built.toSQL().toNative();
  return { sql, params: bindings };
}

const header = `import knexOf from 'knex';\nconst knex = knexOf({ client: 'pg' });`;

describe('what the adapter reads is what Knex sends', () => {
  test.each(Object.entries(queries))('%s', (_name, query) => {
    const { accesses, unknown } = lowered(
      adapter,
      `${header}\nexport const run = async () => { return await ${query}; };`,
    );
    expect(unknown).toEqual([]);
    expect(accesses).toHaveLength(1);
    expect(accesses[0]!.unchecked).toBeUndefined();
    expect(shape(accesses[0]!)).toEqual(shape(bySql(sent(query))));
  });
});
