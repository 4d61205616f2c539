import { EntitySchema, MikroORM, type SqlEntityManager } from '@mikro-orm/postgresql';
import { beforeAll, describe, expect, test } from 'vitest';
import { mikroOrm } from '../src/adapters/mikro-orm/index.js';
import { byAdapter, bySql, shape as shapeOf } from './support/orm.js';

/** The library is the oracle: what MikroORM would send is read by the SQL front end, what the code says by the adapter. */
const schema = `
const Org = new EntitySchema({ name: 'Org', tableName: 'orgs', properties: { id: { type: 'uuid', primary: true }, slug: { type: 'string' } } });
const Invoice = new EntitySchema({
  name: 'Invoice',
  tableName: 'invoices',
  properties: {
    id: { type: 'uuid', primary: true },
    org: { kind: 'm:1', entity: 'Org' },
    total: { type: 'integer' },
    invoiceNumber: { type: 'string', nullable: true },
    lines: { kind: '1:m', entity: 'Line', mappedBy: 'invoice' },
  },
});
const Line = new EntitySchema({
  name: 'Line',
  tableName: 'lines',
  properties: { id: { type: 'uuid', primary: true }, invoice: { kind: 'm:1', entity: 'Invoice' }, text: { type: 'string' } },
});`;

let em: SqlEntityManager;

beforeAll(() => {
  const made = new Function('EntitySchema', `${schema}\n return [Org, Invoice, Line];`) as (
    of: unknown,
  ) => EntitySchema[];
  const orm = MikroORM.initSync({
    entities: made(EntitySchema),
    dbName: 'oracle',
    connect: false,
    allowGlobalContext: true,
  });
  em = orm.em as unknown as SqlEntityManager;
});

interface Builder {
  getFormattedQuery(): string;
}

const sent = (build: (em: SqlEntityManager) => Builder): string => build(em).getFormattedQuery();

const read = (query: string): ReturnType<typeof byAdapter> =>
  byAdapter(
    mikroOrm,
    `import { EntityManager, EntitySchema } from '@mikro-orm/postgresql';
${schema}
export async function run(em: EntityManager) {
  return await ${query};
}`,
  );

const shape = (access: Parameters<typeof shapeOf>[0]): readonly string[] =>
  shapeOf(access, { Org: 'orgs', Invoice: 'invoices', Line: 'lines' });

const conditions: Readonly<Record<string, string>> = {
  nothing: `{}`,
  'a relation by its key': `{ org: 'o' }`,
  'a relation by an object with its key': `{ org: { id: 'o' } }`,
  'a relation by several keys': `{ org: ['o', 'p'] }`,
  'a relation by an operator': `{ org: { $in: ['o', 'p'] } }`,
  'a relation that is null': `{ org: null }`,
  'a value': `{ total: 3 }`,
  several: `{ org: 'o', total: 3 }`,
  'a renamed column': `{ invoiceNumber: 'n', org: 'o' }`,
  null: `{ invoiceNumber: null }`,
  'undefined is null': `{ invoiceNumber: undefined, org: 'o' }`,
  'undefined relation': `{ org: undefined }`,
  'a list': `{ id: ['a', 'b'] }`,
  $in: `{ id: { $in: ['a', 'b'] }, org: 'o' }`,
  $nin: `{ id: { $nin: ['a', 'b'] } }`,
  $ne: `{ org: { $ne: 'o' } }`,
  '$ne null': `{ invoiceNumber: { $ne: null } }`,
  $eq: `{ org: { $eq: 'o' } }`,
  comparisons: `{ total: { $gt: 1, $lte: 9 } }`,
  $like: `{ invoiceNumber: { $like: 'a%' } }`,
  $ilike: `{ invoiceNumber: { $ilike: 'a%' } }`,
  $and: `{ $and: [{ org: 'o' }, { total: 3 }] }`,
  $or: `{ $or: [{ org: 'o' }, { total: 3 }] }`,
  '$or beside a value': `{ org: 'o', $or: [{ total: 3 }, { total: 4 }] }`,
  '$or of conjunctions': `{ $or: [{ org: 'o', total: 3 }, { org: 'p' }] }`,
  '$and of $or': `{ $and: [{ $or: [{ total: 1 }, { total: 2 }] }, { org: 'o' }] }`,
  $not: `{ org: 'o', $not: { total: 3 } }`,
  'nested $and': `{ $and: [{ $and: [{ org: 'o' }] }, { total: { $gte: 2 } }] }`,
  keys: `['a', 'b']`,
};

const where = (text: string): Record<string, unknown> =>
  (new Function(`return ${text};`) as () => Record<string, unknown>)();

describe('conditions read as MikroORM sends them', () => {
  test.each(Object.entries(conditions))('%s', (_name, given) => {
    const sql = sent((on) => on.createQueryBuilder('Invoice', 'i').select('*').where(where(given)));
    expect(shape(read(`em.find(Invoice, ${given})`))).toEqual(shape(bySql(sql, [])));
  });

  test.each(['findOne', 'findOneOrFail', 'findAndCount', 'findByCursor', 'count'])('%s takes the same', (method) => {
    const sql = sent((on) => on.createQueryBuilder('Invoice', 'i').select('*').where({ org: 'o', total: 3 }));
    const expected = shape(bySql(sql, []));
    expect(shape(read(`em.${method}(Invoice, { org: 'o', total: 3 })`))).toEqual(expected);
    expect(shape(read(`em.fork().getRepository(Invoice).${method}({ org: 'o', total: 3 })`))).toEqual(expected);
  });

  test('a key by itself is a condition on it', () => {
    const sql = sent((on) => on.createQueryBuilder('Invoice', 'i').select('*').where({ id: 'a' }));
    expect(shape(read(`em.findOne(Invoice, 'a')`))).toEqual(shape(bySql(sql, [])));
  });

  test('findAll takes the condition from its options', () => {
    const sql = sent((on) => on.createQueryBuilder('Invoice', 'i').select('*').where({ org: 'o' }));
    expect(shape(read(`em.findAll(Invoice, { where: { org: 'o' } })`))).toEqual(shape(bySql(sql, [])));
  });
});

describe('writes read as MikroORM sends them', () => {
  test.each([`{ id: 'x', org: 'o' }`, `{ total: { $lt: 3 } }`, `{}`])('nativeUpdate where %s', (given) => {
    const sql = sent((on) => on.createQueryBuilder('Invoice').update({ total: 5, org: 'o' }).where(where(given)));
    expect(shape(read(`em.nativeUpdate(Invoice, ${given}, { total: 5, org: 'o' })`))).toEqual(shape(bySql(sql, [])));
  });

  test.each([`{ id: 'x', org: 'o' }`, `{ org: 'o', $or: [{ total: 1 }, { total: 2 }] }`, `{}`])(
    'nativeDelete where %s',
    (given) => {
      const sql = sent((on) => on.createQueryBuilder('Invoice').delete(where(given)));
      expect(shape(read(`em.nativeDelete(Invoice, ${given})`))).toEqual(shape(bySql(sql, [])));
    },
  );

  test('insert', () => {
    const sql = sent((on) => on.createQueryBuilder('Line').insert({ id: 'l', invoice: 'i', text: 't' }));
    expect(shape(read(`em.insert(Line, { id: 'l', invoice: 'i', text: 't' })`))).toEqual(shape(bySql(sql, [])));
  });
});
