import { expect, test } from 'vitest';
import { lowered, targets } from './support/prisma.js';

test('holes of a tagged query are parameters', () => {
  const code = 'prisma.$queryRaw`SELECT * FROM "Invoice" WHERE organization_id = ${orgId} AND id = ${id}`';
  expect(targets(code, 'orgId: string, id: string')).toEqual([
    expect.stringMatching(/^root read Invoice \w+ many: \(\S+organization_id = p0 and \S+id = p1\)/),
  ]);
  expect(lowered(code, 'orgId: string, id: string')[0]).toMatchObject({
    method: '$queryRaw',
    library: 'prisma',
    client: { kind: 'plain' },
  });
  expect(lowered(code, 'orgId: string, id: string')[0]!.interpolations ?? []).toEqual([]);
});

test('Prisma.sql, Prisma.join and Prisma.empty become part of the text', () => {
  const code =
    'prisma.$queryRaw(Prisma.sql`SELECT * FROM "Invoice" WHERE ${Prisma.join([Prisma.sql`organization_id = ${orgId}`, Prisma.sql`id = ${id}`], " AND ")} ${Prisma.empty}`)';
  expect(targets(code, 'orgId: string, id: string')).toEqual([
    expect.stringMatching(/organization_id = p0 and \S+id = p1\)/),
  ]);
});

test('a joined list of values', () => {
  expect(
    targets('prisma.$queryRaw`SELECT * FROM "Invoice" WHERE id IN (${Prisma.join(ids)})`', 'ids: string[]'),
  ).toEqual([expect.stringMatching(/id in \(p0\.\*/)]);
});

test('Prisma.raw is text from outside', () => {
  const [access] = lowered('prisma.$queryRaw`SELECT * FROM ${Prisma.raw(schema)}."Invoice"`', 'schema: string');
  expect(access!.interpolations).toContainEqual(
    expect.objectContaining({
      position: 'schema',
      quoted: false,
      value: expect.objectContaining({ kind: 'parameter' }),
    }),
  );
});

test('unsafe queries: parameters are values, what is spliced is listed', () => {
  const [access] = lowered(
    'prisma.$queryRawUnsafe("SELECT * FROM \\"Invoice\\" WHERE organization_id = $1", orgId)',
    'orgId: string',
  );
  expect(access!.targets).toHaveLength(1);
  expect(
    targets(
      'prisma.$queryRawUnsafe("SELECT * FROM \\"Invoice\\" WHERE organization_id = $1", orgId)',
      'orgId: string',
    )[0],
  ).toMatch(/organization_id = p0/);
  const [spliced] = lowered('prisma.$executeRawUnsafe(`DELETE FROM "Invoice" WHERE id = \'${id}\'`)', 'id: string');
  expect(spliced).toMatchObject({ method: '$executeRawUnsafe', operation: 'delete' });
  expect(spliced!.interpolations).toMatchObject([{ position: 'value', value: { kind: 'parameter' } }]);
});

test('text that is not seen is unchecked, not skipped', () => {
  const [access] = lowered('prisma.$queryRawUnsafe(text)', 'text: string');
  expect(access).toMatchObject({ operation: 'raw', targets: [] });
  expect(access!.unchecked?.[0]?.reason).toMatch(/SQL text was not found/);
});
