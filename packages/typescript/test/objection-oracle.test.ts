import knexOf from 'knex';
import { Model, raw, ref } from 'objection';
import { describe, expect, test } from 'vitest';
import { objection } from '../src/adapters/objection/index.js';
import { bySql, lowered, shape, type Sent } from './support/sent.js';

/**
 * The library is the oracle: each query is built by Objection itself, and the SQL it would send is lowered by the SQL front end. The
 * adapter's reading of the same source must reach the same tables under the same conditions.
 */
const models = `
class Org extends Model {
  static tableName = 'orgs';
  static relationMappings = {
    invoices: { relation: Model.HasManyRelation, modelClass: () => Invoice, join: { from: 'orgs.id', to: 'invoices.org_id' } },
  };
}
class Invoice extends Model {
  static tableName = 'invoices';
  static modifiers = { of(query, org) { query.where('org_id', org); }, big: (query) => query.where('total', '>', 3).orWhere('number', 'n') };
  static get relationMappings() {
    return {
      org: { relation: Model.BelongsToOneRelation, modelClass: Org, join: { from: 'invoices.org_id', to: 'orgs.id' } },
      lines: { relation: Model.HasManyRelation, modelClass: Line, join: { from: 'invoices.id', to: 'lines.invoice_id' } },
    };
  }
}
class Line extends Model {
  static get tableName() { return 'lines'; }
}
class Scoped extends Invoice {
  static query(...args) { return super.query(...args).where('org_id', 'o'); }
}
class Built extends Invoice {
  static query(...args) { return super.query(...args).onBuild((q) => { q.where('org_id', 'o'); }); }
}
class OwnBuilder extends Model.QueryBuilder {
  of(org) { return this.where('org_id', org); }
}
class Own extends Invoice {
  static QueryBuilder = OwnBuilder;
}`;

const queries: Readonly<Record<string, string>> = {
  'all rows': `Invoice.query()`,
  'a condition': `Invoice.query().where('org_id', 'o')`,
  'by id': `Invoice.query().findById('i')`,
  'by id and tenant': `Invoice.query().findById('i').where('org_id', 'o')`,
  'by ids': `Invoice.query().findByIds(['i', 'j'])`,
  'one by object': `Invoice.query().findOne({ org_id: 'o', id: 'i' })`,
  'one by column': `Invoice.query().findOne('org_id', 'o')`,
  'one by nothing': `Invoice.query().findOne({})`,
  first: `Invoice.query().where('org_id', 'o').orderBy('total')`,
  'or escapes': `Invoice.query().where('org_id', 'o').where('total', 1).orWhere('total', 2)`,
  'or in parentheses': `Invoice.query().where('org_id', 'o').where((q) => q.where('total', 1).orWhere('total', 2))`,
  'or by object': `Invoice.query().where('id', 'i').orWhere({ org_id: 'o', total: 3 })`,
  'null and lists': `Invoice.query().whereNull('number').whereNotNull('author_id').whereIn('id', ['a']).whereNotIn('total', [1])`,
  'raw text': `Invoice.query().whereRaw('org_id = ?', ['o']).where(raw('total > ?', 3))`,
  'a reference': `Invoice.query().where('id', ref('invoices.author_id'))`,
  'in a sub-query': `Invoice.query().whereIn('org_id', Org.query().select('id').where('slug', 's'))`,
  'exists of a relation': `Invoice.query().whereExists(Line.query().whereColumn('lines.invoice_id', 'invoices.id'))`,
  'an alias': `Invoice.query().alias('i').where('i.org_id', 'o').select('i.id')`,
  'an alias and an id': `Invoice.query().alias('i').findById('x')`,
  join: `Invoice.query().join('orgs', 'orgs.id', 'invoices.org_id').where('orgs.slug', 's').select('invoices.*')`,
  'a joined relation': `Invoice.query().joinRelated('lines').where('lines.text', 't').select('invoices.*')`,
  'relations joined on the left': `Invoice.query().leftJoinRelated('[lines, org]').where('invoices.org_id', 'o').select('invoices.*')`,
  'rows of a relation': `Org.relatedQuery('invoices').for('o').where('total', 3)`,
  'rows of a relation of several': `Org.relatedQuery('invoices').for(['o', 'p'])`,
  'rows of a relation of a query': `Org.relatedQuery('invoices').for(Org.query().select('id').where('slug', 's'))`,
  'a named modifier': `Invoice.query().modify('of', 'o').where('id', 'i')`,
  'a modifier that escapes': `Invoice.query().where('org_id', 'o').modify('big')`,
  'a modifier function': `Invoice.query().modify((q) => { q.where('org_id', 'o'); })`,
  'a default scope': `Scoped.query().where('total', 3)`,
  'a default scope and an id': `Scoped.query().findById('i')`,
  'a scope when the query is built': `Built.query().where('total', 3)`,
  'a builder of its own': `Own.query().of('o').where('total', 3)`,
  'conditions taken back': `Invoice.query().where('org_id', 'o').clearWhere().where('id', 'i')`,
  columns: `Invoice.query().select('id', 'total').where('org_id', 'o')`,
  'patch by id': `Invoice.query().findById('i').patch({ total: 1 })`,
  'patch where': `Invoice.query().patch({ total: 1 }).where('id', 'i').where('org_id', 'o')`,
  'patch everything': `Invoice.query().patch({ total: 1 })`,
  'patch and fetch by id': `Invoice.query().patchAndFetchById('i', { total: 1 })`,
  update: `Invoice.query().update({ total: 1, number: 'n' }).where({ id: 'i' })`,
  'delete by id': `Invoice.query().deleteById('i')`,
  'delete by id and tenant': `Invoice.query().deleteById('i').where('org_id', 'o')`,
  delete: `Invoice.query().delete().where('org_id', 'o')`,
  'delete everything': `Invoice.query().delete()`,
  insert: `Line.query().insert({ id: 'l', invoice_id: 'i', text: 't' }).returning('id')`,
};

const header = `import { Model, raw, ref } from 'objection';`;
const knex = knexOf({ client: 'pg' });

function sent(query: string): Sent {
  class Bound extends Model {}
  Bound.knex(knex);
  const build = new Function('Model', 'raw', 'ref', `${models}\nreturn ${query};`) as (...values: unknown[]) => {
    toKnexQuery(): { toSQL(): { toNative(): { sql: string; bindings: unknown[] } } };
  };
  const { sql, bindings } = build(Bound, raw, ref).toKnexQuery().toSQL().toNative();
  return { sql, params: bindings };
}

describe('what the adapter reads is what Objection sends', () => {
  test.each(Object.entries(queries))('%s', (_name, query) => {
    const code = `${header}\n${models}\nexport const run = async () => { return await ${query}; };`;
    const { accesses, unknown } = lowered(objection, code);
    expect(unknown).toEqual([]);
    expect(accesses).toHaveLength(1);
    expect(accesses[0]!.unchecked).toBeUndefined();
    // The library writes out which table a star means.
    expect(shape(accesses[0]!)).toEqual(shape(bySql(sent(query))));
  });
});
