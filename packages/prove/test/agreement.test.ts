import fc from 'fast-check';
import { prove, type World } from '@tenant-lint/analysis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { predicates, situations, sqlOf, type Situation } from '../../analysis/test/prove-generate.js';
import { holds } from '../../analysis/test/prove-oracle.js';
import { keyed, targetOf } from '../../analysis/test/prove-world.js';
import { openEmbedded, type Embedded } from '../src/index.js';

let database: Embedded;
beforeAll(async () => {
  database = await openEmbedded();
});
afterAll(async () => database.close());

const world: World = {
  tenancy: (t) => (t.ref === 'm' ? keyed('tenant_id') : keyed(['tenant_id', 'nullable'])),
  column: (t, c) => {
    if (c === 'tenant_id') return { role: 'key', type: 'text', notNull: t.ref === 'm' };
    if (c === 'user_id') return { role: 'user', notNull: true };
    return { role: 'plain', notNull: c === 'flag' };
  },
};
const target = targetOf('t', 'self', { operation: 'update' });

const literal = (value: string | boolean | null): string =>
  value === null ? 'null' : typeof value === 'boolean' ? String(value) : `'${value}'`;

/** The worlds of the grid as rows, those with the same content of `m` together. */
function byMembers(of: readonly Situation[]): readonly { members: Situation['members']; rows: readonly Situation[] }[] {
  const groups = new Map<string, Situation[]>();
  for (const s of of) {
    const key = JSON.stringify(s.members);
    groups.set(key, [...(groups.get(key) ?? []), s]);
  }
  return [...groups.values()].map((rows) => ({ members: rows[0]!.members, rows }));
}

/** Evaluates all conditions in all worlds of one content of `m`: for each world, the conditions that are TRUE. */
async function evaluate(
  conditions: readonly string[],
  members: Situation['members'],
  rows: readonly Situation[],
): Promise<readonly (readonly boolean[])[]> {
  const values = rows.map(
    (s, i) => `(${i}, ${[s.tenant_id, s.status, s.flag, s.own, s.free].map(literal).join(', ')})`,
  );
  const m =
    members.length > 0
      ? `values ${members.map((r) => `('${r.tenant_id}', '${r.user_id}')`).join(', ')}`
      : 'select null::text, null::text where false';
  const sql = `with m (tenant_id, user_id) as (${m})
    select array[${conditions.map((c) => `(${c}) is true`).join(', ')}]::boolean[] as result
    from (values ${values.join(', ')}) t (i, tenant_id, status, flag, own, free) order by i`;
  return database.withCase('', async (db) => (await db.query(sql)).map((r) => r['result'] as boolean[]));
}

/** Every `step`th world, so that the database is not asked about all of a large grid. */
const thinned = (of: readonly Situation[], step: number): readonly Situation[] => of.filter((_, i) => i % step === 0);

describe.each([
  ['without sub-queries', false, situations(false), 400],
  ['with sub-queries', true, thinned(situations(true), 3), 200],
] as const)('the prover and Postgres agree on generated conditions %s', (_, lookups, grid, count) => {
  it('by what they let through', async () => {
    const conditions = fc.sample(predicates(lookups), { numRuns: count, seed: 4 });
    const seen = { isolated: 0, leak: 0, unknown: 0 };
    const groups = byMembers(grid);
    for (let at = 0; at < conditions.length; at += 100) {
      const batch = conditions.slice(at, at + 100);
      const texts = batch.map(sqlOf);
      const through = new Map<number, Situation>();
      for (const { members, rows } of groups) {
        const results = await evaluate(texts, members, rows);
        for (const [i, s] of rows.entries())
          for (const [j, condition] of batch.entries()) {
            const inPostgres = results[i]![j]!;
            // The oracle of the other property tests is held against Postgres as well.
            if (inPostgres !== (holds(condition, s) === true))
              expect.fail(`the oracle differs: ${texts[j]} ${JSON.stringify(s)}`);
            if (inPostgres && s.tenant_id !== s.tenant && !through.has(j)) through.set(j, s);
          }
      }
      for (const [j, predicate] of batch.entries()) {
        const proof = prove({ target, predicate, world });
        seen[proof.kind]++;
        const witness = through.get(j);
        if (proof.kind === 'isolated') expect(witness, texts[j]).toBeUndefined();
        if (proof.kind === 'leak' && !lookups)
          expect(witness, `${texts[j]} ${JSON.stringify(proof.witness)}`).toBeDefined();
      }
    }
    expect(seen.isolated).toBeGreaterThan(count / 10);
    expect(seen.leak).toBeGreaterThan(count / 10);
    expect(seen.unknown).toBe(0);
  });

  if (lookups) return;

  it('by what happens in the world of the witness', async () => {
    const conditions = fc.sample(predicates(false), { numRuns: count, seed: 5 });
    const leaks: { text: string; row: Situation }[] = [];
    for (const predicate of conditions) {
      const proof = prove({ target, predicate, world });
      if (proof.kind !== 'leak') continue;
      const row = worldOfWitness(proof.witness.assignment);
      if (row) leaks.push({ text: sqlOf(predicate), row });
    }
    expect(leaks.length).toBeGreaterThan(count / 4);
    for (let at = 0; at < leaks.length; at += 100) {
      const batch = leaks.slice(at, at + 100);
      const results = await evaluate(
        batch.map((l) => l.text),
        [],
        batch.map((l) => l.row),
      );
      for (const [i, leak] of batch.entries())
        expect(results[i]![i], `${leak.text} ${JSON.stringify(leak.row)}`).toBe(true);
    }
  });
});

/** The concrete world that a witness describes; undefined where it fixes how names are ordered, which concrete names fix otherwise. */
function worldOfWitness(assignment: Readonly<Record<string, string>>): Situation | undefined {
  const keys = Object.keys(assignment);
  if (keys.some((k) => k.endsWith('is ordered after'))) return undefined;
  const text = (name: string, otherwise: string | null): string | null => {
    const value = assignment[name];
    return value === undefined ? otherwise : value === 'NULL' ? null : value;
  };
  const optional = (name: string): string | null => {
    if (assignment[`${name} is null`] === 'true') return null;
    const value = assignment[name];
    // What is not in the assignment does not matter.
    return value === undefined || value === 'something else' ? 'other' : value;
  };
  // A setting that no condition compares with the key is free.
  const isFree = keys.some((k) => k.startsWith('setting app.tenant_id'));
  return {
    tenant: assignment['the current tenant'] ?? 'A',
    tenant_id: text('t.tenant_id', 'B'),
    own: isFree ? optional('setting app.tenant_id') : text('app.tenant_id', 'A'),
    status: optional('t.status'),
    flag: assignment['t.flag'] !== 'false',
    free: optional('setting app.mode'),
    members: [],
  };
}
