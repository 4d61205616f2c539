import { expect, test } from 'vitest';
import { lowered, targets } from './support/prisma.js';
import { showPredicate } from './support/render.js';

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

test('a condition that is only added on some paths is left out; a choice of conditions gives one query for each', () => {
  const query = (hole: string): string[] =>
    targets(`prisma.$queryRaw\`SELECT * FROM "Invoice" WHERE total > 1 \${${hole}}\``, 'id: string, all: boolean');
  expect(query('id ? Prisma.sql`AND id = ${id}` : Prisma.empty')).toEqual([
    expect.stringMatching(/many: \S+total > 1$/),
  ]);
  const accesses = lowered(
    'prisma.$queryRaw`SELECT * FROM "Invoice" WHERE ${all ? Prisma.sql`total > 1` : Prisma.sql`id = ${id}`}`',
    'id: string, all: boolean',
  );
  expect(accesses.map((a) => showPredicate(a.targets[0]!.predicate))).toEqual([
    expect.stringMatching(/total > 1$/),
    expect.stringMatching(/id = p0$/),
  ]);
  expect(new Set(accesses.map((a) => a.id)).size).toBe(2);
});

test('rows that are mapped to fragments', () => {
  const [access] = lowered(
    'prisma.$executeRaw`INSERT INTO "Line" (id, "invoiceId") VALUES ${Prisma.join(rows.map((row) => Prisma.sql`(${row.id}, ${row.invoiceId})`))}`',
    'rows: Row[]',
  );
  expect(access).toMatchObject({ operation: 'create', method: '$executeRaw' });
  expect(Object.keys(access!.targets[0]!.writes!.set)).toEqual(['id', 'invoiceId']);
});

test('a fragment that is not seen may widen the condition, so that is unknown; the query is still one, and the fragment no interpolation', () => {
  const [access] = lowered(
    'prisma.$queryRaw`SELECT * FROM "Invoice" WHERE organization_id = ${orgId} ${more}`',
    'orgId: string, more: Prisma.Sql',
  );
  expect(access!.targets[0]).toMatchObject({ table: { known: true, value: { name: 'Invoice' } } });
  expect(showPredicate(access!.targets[0]!.predicate)).toMatch(/^unknown/);
  expect(access!.unchecked).toMatchObject([{ reason: 'a fragment of the query was not found' }]);
  expect(access!.interpolations ?? []).toEqual([]);
});
