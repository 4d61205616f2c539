import * as library from 'typeorm';
import { beforeAll, describe, expect, test } from 'vitest';
import { typeorm } from '../src/adapters/typeorm/index.js';
import { byAdapter, bySql, shape as shapeOf } from './support/orm.js';

/** The library is the oracle: what TypeORM would send is read by the SQL front end, what the code says by the adapter. */
const schema = `
const Org = new EntitySchema({ name: 'Org', tableName: 'orgs', columns: { id: { type: 'uuid', primary: true }, slug: { type: 'varchar' } } });
const Invoice = new EntitySchema({
  name: 'Invoice',
  tableName: 'invoices',
  columns: {
    id: { type: 'uuid', primary: true },
    orgId: { type: 'uuid', name: 'org_id' },
    total: { type: 'int' },
    number: { type: 'varchar', nullable: true },
  },
  relations: {
    org: { type: 'many-to-one', target: 'Org', joinColumn: { name: 'org_id' } },
    lines: { type: 'one-to-many', target: 'Line', inverseSide: 'invoice' },
  },
});
const Line = new EntitySchema({
  name: 'Line',
  tableName: 'lines',
  columns: { id: { type: 'uuid', primary: true }, invoiceId: { type: 'uuid' }, text: { type: 'varchar' } },
  relations: { invoice: { type: 'many-to-one', target: 'Invoice', inverseSide: 'lines', joinColumn: { name: 'invoiceId' } } },
});`;

const operators = [
  'And',
  'Any',
  'Between',
  'Brackets',
  'Equal',
  'ILike',
  'In',
  'IsNull',
  'LessThan',
  'Like',
  'MoreThan',
  'MoreThanOrEqual',
  'Not',
  'NotBrackets',
  'Or',
];

const shape = (access: Parameters<typeof shapeOf>[0]): readonly string[] =>
  shapeOf(access, { Org: 'orgs', Invoice: 'invoices', Line: 'lines' });

let source: library.DataSource;

beforeAll(async () => {
  const made = new Function('EntitySchema', `${schema}\n return [Org, Invoice, Line];`) as (
    of: unknown,
  ) => library.EntitySchema[];
  source = new library.DataSource({ type: 'postgres', entities: made(library.EntitySchema) });
  await (source as unknown as { buildMetadatas(): Promise<void> }).buildMetadatas();
});

/** The query of a builder, or of find options on the entity `Invoice`. */
function sent(query: string): { sql: string; parameters: readonly unknown[] } {
  const names = [...operators, 'source'];
  const environment: Record<string, unknown> = { ...library, source };
  const body = new Function(...names, `return ${query};`) as (...values: unknown[]) => {
    getQueryAndParameters(): [string, unknown[]];
  };
  const [sql, parameters] = body(...names.map((n) => environment[n])).getQueryAndParameters();
  return { sql, parameters };
}

const read = (query: string, version: string | undefined): ReturnType<typeof byAdapter> =>
  byAdapter(
    typeorm,
    `import { DataSource, EntitySchema, ${operators.join(', ')} } from 'typeorm';
${schema}
export async function run(source: DataSource) {
  return await ${query};
}`,
    version === undefined ? {} : { versions: { typeorm: version } },
  );

const options: Readonly<Record<string, string>> = {
  'all rows': `{}`,
  'an empty condition': `{ where: {} }`,
  'an empty list of conditions': `{ where: [] }`,
  'one condition': `{ where: { orgId: 'o' } }`,
  'several conditions': `{ where: { orgId: 'o', total: 3 } }`,
  'an array is an OR': `{ where: [{ orgId: 'o', total: 1 }, { number: 'n' }] }`,
  'an element that asks nothing': `{ where: [{ orgId: 'o' }, {}] }`,
  Equal: `{ where: { orgId: Equal('o') } }`,
  In: `{ where: { id: In(['a', 'b']), orgId: 'o' } }`,
  'In of nothing': `{ where: { id: In([]) } }`,
  Not: `{ where: { orgId: Not('o') } }`,
  'Not of In': `{ where: { id: Not(In(['a', 'b'])) } }`,
  IsNull: `{ where: { number: IsNull(), orgId: 'o' } }`,
  'Not of IsNull': `{ where: { number: Not(IsNull()) } }`,
  'And and Or': `{ where: { total: And(MoreThan(1), LessThan(9)), number: Or(Equal('a'), Equal('b')) } }`,
  comparisons: `{ where: { total: MoreThanOrEqual(3), number: Like('a%') } }`,
  ILike: `{ where: { number: ILike('a%') } }`,
  'a relation by a value that holds its key': `{ where: { orgId: 'o', lines: {} } }`,
};

const invoices = `source.getRepository('Invoice')`;
const builders: Readonly<Record<string, string>> = {
  'all rows': `${invoices}.createQueryBuilder('i').getMany()`,
  'a condition': `${invoices}.createQueryBuilder('i').where('i.orgId = :org', { org: 'o' }).getMany()`,
  'conditions joined': `${invoices}.createQueryBuilder('i').where('i.orgId = :org', { org: 'o' }).andWhere('i.total > :t', { t: 3 }).getOne()`,
  'the second where replaces the first': `${invoices}.createQueryBuilder('i').where('i.orgId = :org', { org: 'o' }).where('i.id = :id', { id: 'x' }).getOne()`,
  'orWhere is flat': `${invoices}.createQueryBuilder('i').where('i.orgId = :org', { org: 'o' }).andWhere('i.total = 1').orWhere('i.number = :n', { n: 'x' }).getMany()`,
  'OR inside a text is not put in parentheses': `${invoices}.createQueryBuilder('i').where('i.total = 1 OR i.total = 2').andWhere('i.orgId = :org', { org: 'o' }).getMany()`,
  Brackets: `${invoices}.createQueryBuilder('i').where('i.orgId = :org', { org: 'o' }).andWhere(new Brackets((b) => b.where('i.total = 1').orWhere('i.number = :n', { n: 'x' }))).getMany()`,
  NotBrackets: `${invoices}.createQueryBuilder('i').where('i.orgId = :org', { org: 'o' }).andWhere(new NotBrackets((b) => b.where('i.total = 1').orWhere('i.total = 2'))).getMany()`,
  'an object': `${invoices}.createQueryBuilder('i').where({ orgId: 'o', total: 3 }).getMany()`,
  'an object with operators': `${invoices}.createQueryBuilder('i').where({ orgId: 'o', id: In(['a', 'b']) }).getMany()`,
  'objects in a list': `${invoices}.createQueryBuilder('i').where([{ orgId: 'o' }, { total: 3 }]).getMany()`,
  'an object after text': `${invoices}.createQueryBuilder('i').where('i.total = 2').andWhere({ orgId: 'o' }).getMany()`,
  'a list of values': `${invoices}.createQueryBuilder('i').where('i.id IN (:...ids)', { ids: ['a', 'b'] }).getMany()`,
  'parameters set later': `${invoices}.createQueryBuilder('i').where('i.orgId = :org').setParameter('org', 'o').getMany()`,
  'parameters set together': `${invoices}.createQueryBuilder('i').where('i.orgId = :org AND i.total < :t').setParameters({ org: 'o', t: 3 }).getMany()`,
  whereInIds: `${invoices}.createQueryBuilder('i').where('i.orgId = :org', { org: 'o' }).andWhereInIds(['a', 'b']).getMany()`,
  'a left join': `${invoices}.createQueryBuilder('i').leftJoinAndSelect('i.lines', 'l').where('i.orgId = :org', { org: 'o' }).getMany()`,
  'a left join with a condition': `${invoices}.createQueryBuilder('i').leftJoinAndSelect('i.lines', 'l', 'l.text = :t', { t: 'x' }).where('i.orgId = :org', { org: 'o' }).getMany()`,
  'an inner join that scopes': `${invoices}.createQueryBuilder('i').innerJoin('i.org', 'o').where('o.id = :org', { org: 'o' }).getMany()`,
  'joins after one another': `source.getRepository('Line').createQueryBuilder('l').innerJoinAndSelect('l.invoice', 'i').leftJoin('i.org', 'o').where('i.orgId = :org', { org: 'o' }).getMany()`,
  'a join on an entity': `${invoices}.createQueryBuilder('i').innerJoin('Line', 'l', 'l.invoiceId = i.id').where('l.text = :t', { t: 'x' }).getMany()`,
  'a join that the where makes inner': `${invoices}.createQueryBuilder('i').leftJoin('i.org', 'o').where('o.slug = :s', { s: 's' }).getMany()`,
  'a relation named in a condition': `${invoices}.createQueryBuilder('i').where('i.org = :org', { org: 'o' }).getMany()`,
  'a sub-query by a function': `${invoices}.createQueryBuilder('i').where((qb) => 'i.id IN ' + qb.subQuery().select('l.invoiceId').from('Line', 'l').where('l.text = :t', { t: 'x' }).getQuery()).setParameter('t', 'x').getMany()`,
  'selected columns': `${invoices}.createQueryBuilder('i').select(['i.id', 'i.total']).where('i.orgId = :org', { org: 'o' }).getMany()`,
  grouped: `${invoices}.createQueryBuilder('i').select('i.orgId', 'o').addSelect('COUNT(*)', 'n').where('i.total > 1').groupBy('i.orgId').getRawMany()`,
  'made by the manager': `source.manager.createQueryBuilder('Invoice', 'i').where('i.orgId = :org', { org: 'o' }).getMany()`,
  'made by the source': `source.createQueryBuilder().select('i').from('Invoice', 'i').where('i.orgId = :org', { org: 'o' }).getMany()`,
  'an update': `source.createQueryBuilder().update('Invoice').set({ total: 5 }).where('id = :id AND orgId = :org', { id: 'x', org: 'o' }).execute()`,
  'an update of everything': `source.createQueryBuilder().update('Invoice').set({ total: 5 }).execute()`,
  'an update by an object': `source.createQueryBuilder().update('Invoice').set({ total: 5 }).where({ id: 'x' }).execute()`,
  'a delete': `source.createQueryBuilder().delete().from('Invoice').where('id = :id', { id: 'x' }).execute()`,
  'a delete of everything': `source.createQueryBuilder().delete().from('Invoice').execute()`,
  'a delete with orWhere': `source.createQueryBuilder().delete().from('Invoice').where('orgId = :org', { org: 'o' }).orWhere('total = 0').execute()`,
  'a delete on a repository': `${invoices}.createQueryBuilder().delete().where({ orgId: 'o', id: 'x' }).execute()`,
};

describe('find options read as TypeORM sends them', () => {
  test.each(Object.entries(options))('%s', (_name, given) => {
    const { sql, parameters } = sent(`${invoices}.createQueryBuilder('Invoice').setFindOptions(${given})`);
    for (const version of ['0.3.20', '1.1.1'])
      expect(shape(read(`${invoices}.find(${given})`, version))).toEqual(shape(bySql(sql, parameters)));
  });

  test('bare conditions, counts and other operations take the same conditions', () => {
    const { sql, parameters } = sent(
      `${invoices}.createQueryBuilder('Invoice').setFindOptions({ where: { orgId: 'o' } })`,
    );
    const expected = shape(bySql(sql, parameters));
    for (const method of ['findBy', 'findOneBy', 'findOneByOrFail', 'countBy', 'existsBy', 'findAndCountBy'])
      expect(shape(read(`${invoices}.${method}({ orgId: 'o' })`, '1.1.1'))).toEqual(expected);
    for (const method of ['sum', 'average', 'minimum', 'maximum'])
      expect(shape(read(`${invoices}.${method}('total', { orgId: 'o' })`, '1.1.1'))).toEqual(expected);
    expect(shape(read(`source.manager.find('Invoice', { where: { orgId: 'o' } })`, '1.1.1'))).toEqual(expected);
  });
});

describe('query builders read as TypeORM sends them', () => {
  test.each(Object.entries(builders))('%s', (_name, query) => {
    const { sql, parameters } = sent(query.replace(/\.\w+\(\)$/, ''));
    expect(shape(read(query, '1.1.1'))).toEqual(shape(bySql(sql, parameters)));
  });
});

describe('a missing value in find options', () => {
  const missing = `{ where: { orgId: undefined, total: 3 } }`;

  test('is left out before 1.0', () => {
    expect(shape(read(`${invoices}.find(${missing})`, '0.3.20'))).toEqual(['invoices0 read []: 3 = invoices0.total']);
  });

  test('throws since 1.0', () => {
    expect(() => sent(`${invoices}.createQueryBuilder('Invoice').setFindOptions(${missing})`)).toThrow(
      /Undefined value/,
    );
    expect(shape(read(`${invoices}.find(${missing})`, '1.1.1'))).toEqual(['invoices0 read []: 0 = 1']);
  });
});

test('before 0.3 an object without any option is the condition itself', () => {
  const condition = `{ orgId: 'o', total: 3 }`;
  const { sql, parameters } = sent(`${invoices}.createQueryBuilder('Invoice').setFindOptions({ where: ${condition} })`);
  expect(shape(read(`${invoices}.findOne(${condition})`, '^0.2.45'))).toEqual(shape(bySql(sql, parameters)));
  expect(shape(read(`${invoices}.findOne(${condition})`, '0.3.20'))).toEqual(['invoices0 read []: all']);
  expect(shape(read(`${invoices}.find({ order: { total: 'ASC' } })`, '^0.2.45'))).toEqual(['invoices0 read []: all']);
});

test('a builder that another package runs is not passed over', () => {
  const handed = `paginate(${invoices}.createQueryBuilder('i').where('i.total = 1'), {})`;
  expect(() => read(handed, '1.1.1')).toThrow(/handed on/);
});
