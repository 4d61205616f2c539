import fc from 'fast-check';
import { mapPredicate, type Predicate, type Value } from '@tenant-lint/model';
import { describe, expect, it } from 'vitest';
import { prove, type Proof, type World } from '../src/prove/index.js';
import { predicates, situations, sqlOf, type Situation } from './prove-generate.js';
import { holds } from './prove-oracle.js';
import { all, any, keyed, no, targetOf } from './prove-world.js';

/** The schema of the generator. Keys are texts and may be NULL, so that every kind of row exists. */
const world: World = {
  tenancy: (t) => (t.ref === 'm' ? keyed('tenant_id') : keyed(['tenant_id', 'nullable'])),
  column: (t, c) => {
    if (c === 'tenant_id') return { role: 'key', type: 'text', notNull: t.ref === 'm' };
    if (c === 'user_id') return { role: 'user', notNull: true };
    return { role: 'plain', notNull: c === 'flag' };
  },
};
const target = targetOf('t', 'self', { operation: 'update' });
const ask = (predicate: Predicate, of: World = world): Proof => prove({ target, predicate, world: of });
const safe = (p: Predicate): boolean => ask(p).kind === 'isolated';

/** Whether a world of the grid is one in which the condition should not hold. */
const foreign = (s: Situation): boolean => s.tenant_id !== s.tenant;
const proper = (s: Situation): boolean =>
  s.own === s.tenant && s.tenant !== 'acme' && s.tenant_id !== '' && s.tenant_id !== null;

const grids = { plain: situations(false), lookups: situations(true) };
/**
 * The prover looks at different sub-queries independently: that one row of `m` cannot satisfy one and fail the other is not seen, and a leak
 * may be claimed that needs just that. The oracle is asked about leaks only where this cannot matter.
 */
function lookupsIn(p: Predicate): number {
  const found = new Set<string>();
  const visit = (node: unknown): void => {
    if (node === null || typeof node !== 'object') return;
    if ('kind' in node && (node.kind === 'exists' || node.kind === 'in-query')) found.add(sqlOf(node as Predicate));
    Object.values(node).forEach(visit);
  };
  visit(p);
  return found.size;
}

const examples = { numRuns: 400, seed: 20_26 };

describe.each([
  ['without sub-queries', false, grids.plain, 1500],
  ['with sub-queries', true, grids.lookups, 250],
] as const)('against an oracle by brute force, %s', (_, lookups, grid, numRuns) => {
  const rows = grid.filter(foreign);

  it('isolated means that no foreign row gets through, and a leak that one does', () => {
    const seen = { isolated: 0, leak: 0, unknown: 0 };
    fc.assert(
      fc.property(predicates(lookups), (p) => {
        const proof = ask(p);
        seen[proof.kind]++;
        const through = rows.find((s) => holds(p, s) === true);
        if (proof.kind === 'isolated') expect(through, sqlOf(p)).toBeUndefined();
        if (proof.kind === 'leak' && lookupsIn(p) < 2)
          expect(through, `${sqlOf(p)} ${JSON.stringify(proof.witness)}`).toBeDefined();
      }),
      { numRuns, seed: examples.seed },
    );
    // The generator makes enough of both, and the prover decides them.
    expect(seen.isolated).toBeGreaterThan(numRuns / 10);
    expect(seen.leak).toBeGreaterThan(numRuns / 10);
    expect(seen.unknown).toBe(0);
  });

  it('a leak in a proper world is one whatever other settings say; a fail-open one needs another world', () => {
    const worlds = rows.filter(proper);
    fc.assert(
      fc.property(predicates(lookups), (p) => {
        const proof = ask(p);
        if (proof.kind !== 'leak' || lookupsIn(p) > 1) return;
        const regardless = worlds.some((s) => ['on', 'off', null].every((free) => holds(p, { ...s, free }) === true));
        if (proof.cause === 'leak') expect(regardless, sqlOf(p)).toBe(true);
      }),
      { numRuns: numRuns / 2, seed: examples.seed },
    );
  });
});

describe('algebra', () => {
  const p = predicates(true);

  it('AND never loses isolation', () => {
    fc.assert(
      fc.property(p, p, (a, b) => {
        fc.pre(safe(a));
        expect(safe(all(a, b)), sqlOf(all(a, b))).toBe(true);
        expect(safe(all(b, a)), sqlOf(all(b, a))).toBe(true);
      }),
      examples,
    );
  });

  it('OR never gains isolation', () => {
    fc.assert(
      fc.property(p, p, (a, b) => {
        if (safe(any(a, b))) expect([safe(a), safe(b)], sqlOf(any(a, b))).toEqual([true, true]);
        if (safe(a) && safe(b)) expect(safe(any(a, b)), sqlOf(any(a, b))).toBe(true);
      }),
      examples,
    );
  });

  it('De Morgan', () => {
    fc.assert(
      fc.property(p, p, (a, b) => {
        expect(ask(no(all(a, b))).kind).toBe(ask(any(no(a), no(b))).kind);
        expect(ask(no(any(a, b))).kind).toBe(ask(all(no(a), no(b))).kind);
      }),
      examples,
    );
  });

  it('double negation', () => {
    fc.assert(
      fc.property(p, (a) => {
        expect(ask(no(no(a))).kind).toBe(ask(a).kind);
      }),
      examples,
    );
  });

  it('names of columns and targets do not matter', () => {
    const other: World = {
      tenancy: (t) => world.tenancy(t),
      column: (t, c) => world.column(t, c.replace(/^x_/, '')),
    };
    fc.assert(
      fc.property(p, (a) => {
        const renamed = mapPredicate(a, (v: Value) => (v.kind === 'column' ? { ...v, column: `x_${v.column}` } : v));
        expect(ask(renamed, other).kind).toBe(ask(a).kind);
      }),
      examples,
    );
  });

  it('the order of operands does not change whether it is isolated', () => {
    const reversed = (q: Predicate): Predicate =>
      q.kind === 'and' || q.kind === 'or' ? { ...q, of: [...q.of].reverse().map(reversed) } : q;
    fc.assert(
      fc.property(p, (a) => {
        expect(ask(reversed(a)).kind).toBe(ask(a).kind);
      }),
      examples,
    );
  });
});
