import { describe, expect, test } from 'vitest';
import { lowered, targets } from './support/prisma.js';

const org = 'orgId: string, id: string';

describe('reads', () => {
  test.each([
    ['findUnique', 'one'],
    ['findUniqueOrThrow', 'one'],
    ['findFirst', 'many'],
    ['findFirstOrThrow', 'many'],
    ['findMany', 'many'],
  ])('%s', (method, cardinality) => {
    expect(targets(`prisma.invoice.${method}({ where: { id } })`, 'id: string')).toEqual([
      `root read Invoice t0 ${cardinality}: t0.id = p0`,
    ]);
    expect(lowered(`prisma.invoice.${method}({ where: { id } })`, 'id: string')[0]).toMatchObject({
      method,
      operation: 'read',
      library: 'prisma',
    });
  });

  test('counts and aggregates tell only what they compute', () => {
    expect(targets('prisma.invoice.count({ where: { orgId } })', org)).toEqual([
      'root read Invoice t0 many: t0.organization_id = p0 columns ',
    ]);
    expect(targets('prisma.invoice.aggregate({ _sum: { total: true } })')).toEqual([
      'root read Invoice t0 many: always columns total',
    ]);
    expect(targets('prisma.invoice.groupBy({ by: ["orgId"], _count: true })')).toEqual([
      'root read Invoice t0 many: always columns organization_id',
    ]);
  });

  test('select names the columns that come back', () => {
    expect(targets('prisma.invoice.findMany({ select: { id: true, orgId: true, total: false } })')).toEqual([
      'root read Invoice t0 many: always columns id,organization_id',
    ]);
  });
});

describe('what is loaded with the rows', () => {
  test('include follows relations, with their own conditions', () => {
    expect(
      targets('prisma.invoice.findMany({ include: { customer: true, lines: { where: { id } } } })', 'id: string'),
    ).toEqual([
      'root read Invoice t0 many: always',
      'include read Customer t1 one: t1.id = t0.customerId',
      'include read Line t2 many: (t2.invoiceId = t0.id and t2.id = p0)',
    ]);
  });

  test('select does so too, level by level', () => {
    expect(
      targets(
        'prisma.organization.findMany({ select: { slug: true, invoices: { select: { customer: { select: { email: true } } } } } })',
      ),
    ).toEqual([
      'root read Organization t0 many: always columns slug',
      'include read Invoice t1 many: t1.organization_id = t0.id columns ',
      'include read Customer t2 one: t2.id = t1.customerId columns email',
    ]);
  });

  test('a relation that is switched off loads nothing, one that is conditional may load all', () => {
    expect(targets('prisma.invoice.findMany({ include: { customer: false, lines: undefined } })')).toHaveLength(1);
    expect(
      targets('prisma.invoice.findMany({ include: { lines: full && { where: { id: "1" } } } })', 'full: boolean'),
    ).toEqual([
      'root read Invoice t0 many: always',
      "include read Line t1 many: (t1.invoiceId = t0.id and t1.id = '1')",
    ]);
  });

  test('counts of relations', () => {
    expect(
      targets('prisma.invoice.findMany({ include: { _count: { select: { lines: { where: { id: "1" } } } } } })'),
    ).toEqual([
      'root read Invoice t0 many: always',
      "include read Line t1 many: (t1.invoiceId = t0.id and t1.id = '1') columns ",
    ]);
  });

  test('a relation read from the result of findUnique', () => {
    expect(targets('prisma.invoice.findUnique({ where: { id } }).lines({ where: { id: "1" } })', 'id: string')).toEqual(
      ['root read Invoice t0 one: t0.id = p0', "include read Line t1 many: (t1.invoiceId = t0.id and t1.id = '1')"],
    );
  });

  test('an include that is not seen is said', () => {
    const [access] = lowered('prisma.invoice.findMany({ include })', 'include: any');
    expect(access!.unchecked).toMatchObject([{ reason: 'what is loaded with it is a parameter of the function' }]);
  });
});

describe('writes', () => {
  test('create sets columns, through relations too', () => {
    expect(targets('prisma.invoice.create({ data: { id, orgId, total: 1 } })', org)).toEqual([
      'root create Invoice t0 one: always set { id: p1, organization_id: p0, total: 1 }',
    ]);
    expect(targets('prisma.invoice.create({ data: { org: { connect: { id: orgId } } } })', org)).toEqual([
      'root create Invoice t0 one: always set { organization_id: p0 }',
      'nested-write update Organization t1 one: t1.id = p0',
    ]);
    expect(targets('prisma.invoice.create({ data: { org: { connect: { slug: id } } } })', org)[0]).toBe(
      'root create Invoice t0 one: always set { organization_id: (Organization t1 where t1.slug = p1 -> t1.id) }',
    );
  });

  test('undefined is not written, null is', () => {
    expect(
      targets('prisma.invoice.create({ data: { id, orgId: undefined, customerId: null } })', 'id: string'),
    ).toEqual(['root create Invoice t0 one: always set { id: p0, customerId: null }']);
  });

  test('data that is not seen leaves the writes open', () => {
    expect(targets('prisma.invoice.create({ data })', 'data: any')).toEqual([
      'root create Invoice t0 one: always set { ... }',
    ]);
    expect(targets('prisma.invoice.create({ data: { ...data, orgId } })', 'data: any, orgId: string')).toEqual([
      'root create Invoice t0 one: always set { organization_id: p1, ... }',
    ]);
    expect(targets('prisma.invoice.create({ data: { orgId, ...data } })', 'data: any, orgId: string')).toEqual([
      'root create Invoice t0 one: always set { organization_id: (p1 | unknown), ... }',
    ]);
  });

  test('createMany: a target for each row that is written out, one for mapped rows', () => {
    expect(targets('prisma.invoice.createMany({ data: [{ orgId, id }, { id }] })', org)).toEqual([
      'root create Invoice t0 one: always set { organization_id: p0, id: p1 } columns ',
      'root create Invoice t1 one: always set { id: p1 } columns ',
    ]);
    expect(
      targets(
        'prisma.invoice.createMany({ data: ids.map((one) => ({ id: one, orgId })) })',
        'ids: string[], orgId: string',
      ),
    ).toEqual([
      expect.stringMatching(/^root create Invoice t0 many: always set \{ id: .*, organization_id: p1 \} columns $/),
    ]);
  });

  test('update', () => {
    expect(
      targets(
        'prisma.invoice.update({ where: { id }, data: { total: { increment: 1 }, number: { set: "2" }, meta: { set: 1 } } })',
        'id: string',
      ),
    ).toEqual(["root update Invoice t0 one: t0.id = p0 set { total: +(t0.total, 1), number: '2', meta: { set: 1 } }"]);
    expect(targets('prisma.invoice.updateMany({ data: { total: 0 } })')).toEqual([
      'root update Invoice t0 many: always set { total: 0 } columns ',
    ]);
  });

  test('upsert has a condition, a new row, a change and the columns that decide', () => {
    expect(
      targets('prisma.invoice.upsert({ where: { id }, create: { id, orgId }, update: { total: 1 } })', org),
    ).toEqual([
      'root upsert Invoice t0 one: t0.id = p1 set { id: p1, organization_id: p0 } else { total: 1 } conflict id',
    ]);
  });

  test('delete', () => {
    expect(targets('prisma.invoice.delete({ where: { id, orgId } })', org)).toEqual([
      'root delete Invoice t0 one: (t0.id = p1 and t0.organization_id = p0)',
    ]);
    expect(targets('prisma.invoice.deleteMany()')).toEqual(['root delete Invoice t0 many: always columns ']);
  });
});

describe('nested writes', () => {
  const update = (data: string): string[] =>
    targets(`prisma.invoice.update({ where: { id: "1" }, data: { ${data} } })`, 'id: string').slice(1);

  test.each([
    ['lines: { create: { id } }', 'create Line t1 one: always set { id: p0, invoiceId: t0.id }'],
    ['lines: { createMany: { data: [{ id }, {}] } }', 'create Line t2 one: always set { id: p0, invoiceId: t0.id }'],
    ['lines: { connect: { id } }', 'update Line t1 one: t1.id = p0 set { invoiceId: t0.id }'],
    ['lines: { set: [{ id }] }', 'update Line t1 one: t1.id = p0 set { invoiceId: t0.id }'],
    [
      'lines: { disconnect: { id } }',
      'update Line t1 one: (t1.invoiceId = t0.id and t1.id = p0) set { invoiceId: null }',
    ],
    ['lines: { delete: { id } }', 'delete Line t1 one: (t1.invoiceId = t0.id and t1.id = p0)'],
    ['lines: { deleteMany: {} }', 'delete Line t1 many: t1.invoiceId = t0.id'],
    [
      'lines: { update: { where: { id }, data: { id: "2" } } }',
      "update Line t1 one: (t1.invoiceId = t0.id and t1.id = p0) set { id: '2' }",
    ],
    [
      'lines: { updateMany: { where: { id }, data: { id: "2" } } }',
      "update Line t1 many: (t1.invoiceId = t0.id and t1.id = p0) set { id: '2' }",
    ],
    [
      'lines: { upsert: { where: { id }, create: { id }, update: { id: "2" } } }',
      "upsert Line t1 one: (t1.invoiceId = t0.id and t1.id = p0) set { id: p0, invoiceId: t0.id } else { id: '2' } conflict id",
    ],
    [
      'lines: { connectOrCreate: { where: { id }, create: { id } } }',
      'upsert Line t1 one: t1.id = p0 set { id: p0, invoiceId: t0.id } else { invoiceId: t0.id } conflict id',
    ],
    ['customer: { update: { email: id } }', 'update Customer t1 one: t1.id = t0.customerId set { email: p0 }'],
    ['customer: { delete: true }', 'delete Customer t1 one: t1.id = t0.customerId'],
    ['labels: { connect: [{ id }] }', 'update Label t1 one: t1.id = p0'],
  ])('%s', (data, expected) => {
    expect(update(data)).toContain(`nested-write ${expected}`);
  });

  test('createMany makes a target for each row', () => {
    expect(update('lines: { createMany: { data: [{ id }, {}] } }')).toEqual([
      'nested-write create Line t2 one: always set { id: p0, invoiceId: t0.id }',
      'nested-write create Line t3 one: always set { invoiceId: t0.id }',
    ]);
  });

  test('a connection that is only made sometimes does not widen its condition', () => {
    expect(update('customer: id ? { connect: { id } } : undefined')).toEqual([
      'nested-write update Customer t1 one: t1.id = p0',
    ]);
  });

  test('the foreign key follows', () => {
    const root = (data: string): string =>
      targets(`prisma.invoice.update({ where: { id: "1" }, data: { ${data} } })`, 'id: string')[0]!;
    expect(root('customer: { disconnect: true }')).toContain('set { customerId: null }');
    expect(root('customer: { create: { id, email: "a" } }')).toContain('set { customerId: p0 }');
    expect(root('customer: { create: { email: "a" } }')).toContain('set { customerId: t1.id }');
  });

  test('a write that Prisma does not have is said', () => {
    const [access] = lowered('prisma.invoice.update({ where: { id: "1" }, data: { lines: { replace: {} } } })');
    expect(access!.unchecked).toMatchObject([{ reason: "'replace' is no nested write" }]);
  });
});
