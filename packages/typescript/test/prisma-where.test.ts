import { describe, expect, test } from 'vitest';
import { lowered, targets, where } from './support/prisma.js';

const org = 'orgId: string';
const maybe = 'orgId: string | undefined';

describe('conditions on columns', () => {
  test('a value is an equality on the database column', () => {
    expect(where('{ orgId }', org)).toBe('t0.organization_id = p0');
    expect(where('{ orgId: { equals: orgId } }', org)).toBe('t0.organization_id = p0');
  });

  test('several keys are all required', () => {
    expect(where('{ orgId, number: "1" }', org)).toBe("(t0.organization_id = p0 and t0.number = '1')");
  });

  test('null asks for NULL', () => {
    expect(where('{ customerId: null }')).toBe('t0.customerId is null');
    expect(where('{ customerId: { not: null } }')).toBe('not t0.customerId is null');
  });

  test.each([
    ['{ total: { gt: 1, lte: 5 } }', '(t0.total > 1 and t0.total <= 5)'],
    ['{ total: { gte: 1, lt: 5 } }', '(t0.total >= 1 and t0.total < 5)'],
    ['{ orgId: { not: "a" } }', "t0.organization_id <> 'a'"],
    ['{ orgId: { not: { in: ["a", "b"] } } }', "not t0.organization_id in ('a', 'b')"],
    ['{ number: { startsWith: "a" } }', "t0.number like concat('a', '%')"],
    ['{ number: { contains: "a", mode: "insensitive" } }', "t0.number ilike concat('%', 'a', '%')"],
    ['{ number: { equals: "a", mode: "insensitive" } }', "t0.number ilike 'a'"],
    ['{ tags: { has: "a" } }', "t0.tags @> 'a'"],
    ['{ meta: { path: ["a"], equals: 1 } }', "jsonb_extract_path(t0.meta, ['a']) = 1"],
  ])('%s', (condition, expected) => {
    expect(where(condition)).toBe(expected);
  });

  test('IN over a literal list, a list that is not seen, and an empty one', () => {
    expect(where('{ orgId: { in: ["a", "b"] } }')).toBe("t0.organization_id in ('a', 'b')");
    expect(where('{ id: { in: ids } }', 'ids: string[]')).toBe('t0.id in (p0.* ...)');
    expect(where('{ id: { in: ["a", ...ids] } }', 'ids: string[]')).toBe("t0.id in ('a', p0.* ...)");
    expect(where('{ id: { in: [] } }')).toBe('never');
    expect(where('{ id: { notIn: [] } }')).toBe('always');
  });

  test('a column of the same row is no value from outside', () => {
    expect(where('{ orgId: { equals: prisma.invoice.fields.orgId } }')).toBe('t0.organization_id = t0.organization_id');
  });

  test('a filter that Prisma does not have is unknown, not ignored', () => {
    expect(where('{ orgId: { equals: orgId, sounds: "a" } }', org)).toMatch(/unknown/);
  });
});

describe('filters that vanish', () => {
  test('undefined written out, and no condition at all', () => {
    expect(where('{ orgId: undefined }')).toBe('always');
    expect(where('{ orgId: { equals: undefined } }')).toBe('always');
    expect(where('undefined')).toBe('always');
    expect(where('{}')).toBe('always');
    expect(targets('prisma.invoice.findMany()')).toEqual(['root read Invoice t0 many: always']);
  });

  test('a value that may be undefined', () => {
    const expected = 'optional(t0.organization_id = p0 on p0? else always)';
    expect(where('{ orgId }', maybe)).toBe(expected);
    expect(where('{ orgId }', 'orgId?: string')).toBe(expected);
    expect(where('{ orgId: orgId ?? undefined }', maybe)).toBe(expected);
    expect(where('{ orgId: { equals: orgId } }', maybe)).toBe(expected);
    expect(where('{ orgId: user?.orgId }', 'user: User')).toMatch(
      /^optional\(t0.organization_id = p0.orgId on p0.orgId\?/,
    );
  });

  test('a fallback value keeps the filter', () => {
    expect(where('{ orgId: orgId ?? "none" }', maybe)).toBe("t0.organization_id = ??(p0?, 'none')");
  });

  test('a conditional spread leaves the filter out', () => {
    const expected = 'optional(t0.organization_id = p0 on p0? else always)';
    expect(where('{ ...(orgId && { orgId }) }', maybe)).toBe(expected);
    expect(where('{ ...(orgId ? { orgId } : {}) }', maybe)).toBe(expected);
    expect(where('{ ...(orgId !== undefined ? { orgId } : undefined) }', maybe)).toBe(expected);
    expect(where('{ ...(!orgId ? {} : { orgId }) }', maybe)).toBe(expected);
  });

  test.each([
    ['a conditional spread', 'prisma.invoice.findMany({ where: { ...(orgId ? { orgId } : {}) } })', maybe, true],
    ['a spread behind &&', 'prisma.invoice.findMany({ where: { ...(orgId && { orgId }) } })', 'orgId?: string', true],
    [
      'a conditional assignment',
      '(() => { const where: any = {}; if (orgId) where.orgId = orgId; return prisma.invoice.findMany({ where }); })()',
      maybe,
      true,
    ],
    [
      'an assignment where the other branch returns nothing',
      '(() => { const where: any = {}; if (orgId === undefined) {} else where.orgId = orgId; return prisma.invoice.findMany({ where }); })()',
      maybe,
      true,
    ],
    [
      'an optional property of a parameter',
      'prisma.invoice.findMany({ where: { ...(filter.orgId ? { orgId: filter.orgId } : {}) } })',
      'filter: { orgId?: string }',
      true,
    ],
    [
      'a value read by ?.',
      'prisma.invoice.findMany({ where: { ...(session?.orgId ? { orgId: session.orgId } : {}) } })',
      'session: Session | null',
      true,
    ],
    [
      'a value that must be given, though it may be empty',
      'prisma.invoice.findMany({ where: { ...(orgId ? { orgId } : {}) } })',
      org,
      false,
    ],
  ])('%s vanishes for certain where its type says that the value may be missing', (_, code, parameters, certain) => {
    const predicate = lowered(code, parameters)[0]!.targets[0]!.predicate;
    expect(predicate).toMatchObject({
      kind: 'optional',
      on: { kind: 'missing-able', certain },
      of: { kind: 'compare' },
    });
  });

  test('a conditional spread after the check of its value is the condition itself', () => {
    const code =
      '(() => { if (!orgId) throw 1; return prisma.invoice.findMany({ where: { ...(orgId ? { orgId } : {}) } }); })()';
    expect(targets(code, maybe)).toEqual(['root read Invoice t0 many: t0.organization_id = p0']);
  });

  test('an assignment that another test decides is one of two conditions', () => {
    const code =
      '(() => { const where: any = {}; if (!admin) where.orgId = orgId; return prisma.invoice.findMany({ where }); })()';
    expect(targets(code, 'admin: boolean, orgId: string')).toEqual([
      'root read Invoice t0 many: either(!(p0) ? t0.organization_id = p1 | always)',
    ]);
  });

  test('a list of ids that may be missing', () => {
    expect(where('{ id: { in: ids } }', 'ids?: string[]')).toBe('optional(t0.id in (p0.* ...) on p0? else always)');
  });

  test('a test of something else makes one of two conditions apply', () => {
    expect(where('admin ? {} : { orgId }', 'admin: boolean, orgId: string')).toBe(
      'either(p0 ? always | t0.organization_id = p1)',
    );
    expect(where('{ ...(admin ? {} : { orgId }) }', 'admin: boolean, orgId: string')).toBe(
      'either(p0 ? always | t0.organization_id = p1)',
    );
  });

  test('with strictUndefinedChecks undefined is an error, so nothing vanishes', () => {
    const strict = { options: { strictUndefinedChecks: true } };
    expect(where('{ orgId }', maybe, strict)).toBe('t0.organization_id = p0');
    expect(where('{ orgId: undefined }', '', strict)).toBe('never');
    expect(where('{ orgId: Prisma.skip }', '', strict)).toBe('always');
  });
});

describe('AND, OR and NOT', () => {
  test.each([
    ['{ OR: [{ orgId }, { number: "1" }] }', "(t0.organization_id = p0 or t0.number = '1')"],
    [
      '{ orgId, OR: [{ number: "1" }, { number: "2" }] }',
      "(t0.organization_id = p0 and (t0.number = '1' or t0.number = '2'))",
    ],
    ['{ AND: [{ orgId }, { number: "1" }] }', "(t0.organization_id = p0 and t0.number = '1')"],
    ['{ AND: { orgId } }', 't0.organization_id = p0'],
    ['{ NOT: { orgId } }', 'not t0.organization_id = p0'],
    ['{ NOT: [{ orgId }, { number: "1" }] }', "(not t0.organization_id = p0 and not t0.number = '1')"],
    ['{ NOT: { orgId, number: "1" } }', "not (t0.organization_id = p0 and t0.number = '1')"],
  ])('%s', (condition, expected) => {
    expect(where(condition, org)).toBe(expected);
  });

  test('empty lists: AND and NOT hold for every row, OR for none', () => {
    expect(where('{ AND: [] }')).toBe('always');
    expect(where('{ NOT: [] }')).toBe('always');
    expect(where('{ OR: [] }')).toBe('never');
  });

  test('a branch without a filter is left out of OR, and makes NOT hold for every row', () => {
    expect(where('{ OR: [{ orgId }] }', maybe)).toBe('optional(t0.organization_id = p0 on p0? else never)');
    expect(where('{ OR: [{ orgId: undefined }, { number: "1" }] }')).toBe("t0.number = '1'");
    expect(where('{ NOT: { orgId } }', maybe)).toBe('optional(not t0.organization_id = p0 on p0? else always)');
    expect(where('{ NOT: { orgId: undefined } }')).toBe('always');
  });

  test('two filters that may both vanish from one branch', () => {
    expect(where('{ OR: [{ orgId, number }] }', 'orgId?: string, number?: string')).toBe(
      'optional((t0.organization_id = p0 and optional(t0.number = p1 on p1? else always)) on p0? ' +
        'else optional(t0.number = p1 on p1? else never))',
    );
  });

  test('a condition that is added to AND only sometimes', () => {
    expect(where('{ AND: [...(orgId ? [{ orgId }] : [])] }', maybe)).toBe(
      'optional(t0.organization_id = p0 on p0? else always)',
    );
  });

  test('conditions made by mapping a list', () => {
    expect(where('{ OR: ids.map((id) => ({ id })) }', 'ids: string[]')).toMatch(/^t0\.id = /);
    expect(where('{ AND: ids.map((id) => ({ id })) }', 'ids: string[]')).toMatch(/^either\(t0\.id = .* \| always\)$/);
  });

  test('conditions that are not seen are unknown', () => {
    expect(where('{ OR: conditions }', 'conditions: any[]')).toBe(
      'unknown(the conditions are a parameter of the function)',
    );
    expect(where('{ orgId, AND: [...more] }', 'orgId: string, more: any[]')).toMatch(
      /^\(t0.organization_id = p0 and unknown/,
    );
  });
});

describe('spreads', () => {
  test('a later key wins', () => {
    expect(where('{ ...{ orgId: "a" }, orgId: "b" }')).toBe("t0.organization_id = 'b'");
    expect(where('{ orgId: "a", ...{ orgId: "b" } }')).toBe("t0.organization_id = 'b'");
    expect(where('{ orgId, ...{ orgId: undefined } }', org)).toBe('always');
  });

  test('a spread that is not seen may replace what comes before it, not what comes after', () => {
    expect(where('{ orgId, ...query }', 'orgId: string, query: any')).toMatch(
      /^\(either\(t0.organization_id = p0 \| unknown\(orgId may be replaced/,
    );
    expect(where('{ ...query, orgId }', 'orgId: string, query: any')).toBe(
      '(t0.organization_id = p0 and unknown(a spread is a parameter of the function))',
    );
  });

  test('keys that are spread together come and go together', () => {
    expect(where('{ ...(slug ? { org: { slug } } : { orgId, number: "1" }) }', 'slug: string, orgId: string')).toBe(
      "either(p0 ? exists(Organization t1 where (t1.id = t0.organization_id and t1.slug = p0)) | (t0.organization_id = p1 and t0.number = '1'))",
    );
  });

  test('a key set again afterwards stands on its own', () => {
    expect(where('{ ...(admin ? { orgId: "a" } : { number: "1" }), orgId: "b" }', 'admin: boolean')).toBe(
      "(t0.organization_id = 'b' and either(p0 ? always | t0.number = '1'))",
    );
  });

  test('a computed key that is not known', () => {
    expect(where('{ orgId, [field]: 1 }', 'orgId: string, field: string')).toMatch(
      /may be replaced: a key is computed/,
    );
    expect(where('{ ["orgId"]: orgId }', org)).toBe('t0.organization_id = p0');
  });

  test('conditions that are not an object literal', () => {
    expect(where('condition', 'condition: any')).toBe('unknown(the condition is a parameter of the function)');
    expect(where('build()')).toMatch(/^unknown\(the condition is/);
  });
});

describe('relations', () => {
  test('to one: the related row exists', () => {
    const expected = 'exists(Organization t1 where (t1.id = t0.organization_id and t1.slug = p0))';
    expect(where('{ org: { slug } }', 'slug: string')).toBe(expected);
    expect(where('{ org: { is: { slug } } }', 'slug: string')).toBe(expected);
    expect(where('{ org: { isNot: { slug } } }', 'slug: string')).toBe(`not ${expected}`);
  });

  test('to many: some, none and every', () => {
    expect(where('{ lines: { some: { id: "1" } } }')).toBe(
      "exists(Line t1 where (t1.invoiceId = t0.id and t1.id = '1'))",
    );
    expect(where('{ lines: { none: { id: "1" } } }')).toBe(
      "not exists(Line t1 where (t1.invoiceId = t0.id and t1.id = '1'))",
    );
    expect(where('{ lines: { every: { id: "1" } } }')).toBe(
      "not exists(Line t1 where (t1.invoiceId = t0.id and not t1.id = '1'))",
    );
    expect(where('{ lines: { none: {} } }')).toBe('not exists(Line t1 where t1.invoiceId = t0.id)');
  });

  test('through two relations', () => {
    expect(where('{ org: { members: { some: { userId } } } }', 'userId: string')).toBe(
      'exists(Organization t1 where (t1.id = t0.organization_id and exists(Member t2 where (t2.orgId = t1.id and t2.userId = p0))))',
    );
  });

  test('many-to-many without a model of its own', () => {
    expect(where('{ labels: { some: { orgId } } }', org)).toBe(
      'exists(Label t1 where (t1 related to t0 by labels and t1.orgId = p0))',
    );
  });

  test('no related row', () => {
    expect(where('{ customer: null }')).toBe('t0.customerId is null');
    expect(where('{ customer: { isNot: null } }')).toBe('not t0.customerId is null');
  });

  test('a relation filter whose inner value vanishes still asks for the row', () => {
    expect(where('{ org: { slug } }', 'slug?: string')).toBe(
      'exists(Organization t1 where (t1.id = t0.organization_id and optional(t1.slug = p0 on p0? else always)))',
    );
    expect(where('{ org: undefined }')).toBe('always');
  });
});

describe('compound keys', () => {
  test.each([
    ['{ orgId_number: { orgId, number: "1" } }', "(t0.organization_id = p0 and t0.number = '1')"],
    ['{ byTotal: { orgId, total: 1 } }', '(t0.organization_id = p0 and t0.total = 1)'],
    ['{ id: "1", orgId }', "(t0.id = '1' and t0.organization_id = p0)"],
  ])('findUnique %s', (condition, expected) => {
    expect(targets(`prisma.invoice.findUnique({ where: ${condition} })`, org)).toEqual([
      `root read Invoice t0 one: ${expected}`,
    ]);
  });

  test('one that no schema names is unknown', () => {
    expect(where('{ nonsense: { a: 1 } }')).toBe("unknown('nonsense' is no field of the schema that was found)");
  });
});
