import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Access, Target } from '@tenant-lint/model';
import { mapTarget } from '@tenant-lint/model';
import { holeIdentifier, lowerEmbedded } from '../src/index.js';

/** Queries that use every construct; mutations of them are mostly broken, and sometimes odd but valid. */
const seeds = [
  'with recursive x as (select * from a where id = $1 union all select b.* from b join x on x.id = b.p) select * from x, y where x.org = $2',
  'select a.*, (select max(z) from b where b.a = a.id) m from a left join c using (id) where a.org in (select org from d union select e from f) or not a.x',
  'insert into t (a, b) select x, y from (select * from u except select * from v) w on conflict (a) do update set b = excluded.b where t.c > 1 returning *',
  'update t set (a, b) = (select 1, 2), c = case when d then 1 end from u right join v on u.id = v.id where t.id = u.id and (t.a, t.b) < (1, 2)',
  'merge into t using (select * from s where o = $1) s on t.id = s.id when matched then update set a = s.a when not matched then insert (id) values (s.id)',
  "select * from unnest($1::int[]) u(id) join lateral (select * from t where t.id = u.id and t.d ->> 'k' like any (array['a', 'b'])) l on true",
  'with g as (delete from a using b where a.id = b.a and b.org = any ($1) returning a.*) select count(*) from g full join h on g.id = h.id having count(*) > 1',
  `select ${holeIdentifier(0)} from ${holeIdentifier(1)}.t where a = ${holeIdentifier(2)} and ${holeIdentifier(3)} order by ${holeIdentifier(4)}`,
  "truncate a, b; set search_path to x; select set_config(:name, @value, true) where y = ? and d ? 'k'",
];
const extra = [
  '(',
  ')',
  ',',
  'select',
  'from',
  'where',
  'and',
  'or',
  'not',
  'null',
  '*',
  '?',
  ':x',
  '$1',
  '.',
  '"q"',
  "'s'",
  '::',
  'in',
  'exists',
  'union',
  'as',
  holeIdentifier(9),
  '${h}',
  '\0',
  '🦉',
  ';',
  '--',
];

const mutated = fc
  .tuple(
    fc.constantFrom(...seeds),
    fc.array(fc.tuple(fc.nat(200), fc.constantFrom('delete', 'double', 'swap', 'insert'), fc.constantFrom(...extra)), {
      maxLength: 4,
    }),
  )
  .map(([seed, changes]) => {
    const tokens = seed.split(/(\s+|[(),.;])/).filter((t) => t !== '');
    for (const [at, how, token] of changes) {
      const i = at % tokens.length;
      if (how === 'delete') tokens.splice(i, 1);
      else if (how === 'double') tokens.splice(i, 0, tokens[i] ?? '');
      else if (how === 'swap') tokens.splice(i, 2, ...tokens.slice(i, i + 2).reverse());
      else tokens.splice(i, 0, ' ', token, ' ');
      if (tokens.length === 0) return '';
    }
    return tokens.join('');
  });

const lower = (text: string): readonly Access[] =>
  lowerEmbedded({
    file: 'f',
    text,
    idPrefix: 'x',
    library: 'pg',
    span: { file: 'f', start: 0, end: text.length },
    position: (offset) => offset,
  }).accesses;

/** The references that columns of a target name, in its own condition and inside sub-queries. */
function mentioned(target: Target): Set<string> {
  const refs = new Set<string>();
  mapTarget(target, (value) => {
    if (value.kind === 'column')
      for (const ref of [value.target, ...(value.candidates?.flat() ?? [])]) if (ref !== undefined) refs.add(ref);
    return value;
  });
  return refs;
}

describe('whatever the text', () => {
  test('lowering never throws, references are unique and lead to targets, spans lie in the text', () => {
    let targets = 0;
    fc.assert(
      fc.property(mutated, (text) => {
        for (const access of lower(text)) {
          const refs = access.targets.map((t) => t.ref);
          expect(new Set(refs).size).toBe(refs.length);
          targets += refs.length;
          for (const target of access.targets) {
            for (const ref of mentioned(target)) expect(refs).toContain(ref);
            expect(target.span.start).toBeGreaterThanOrEqual(0);
            expect(target.span.end).toBeLessThanOrEqual(text.length + 1);
          }
        }
      }),
      { numRuns: 1500, seed: 7 },
    );
    expect(targets).toBeGreaterThan(1000);
  });

  test('any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(Array.isArray(lower(text))).toBe(true);
      }),
      { numRuns: 500, seed: 11 },
    );
  });

  test('facts are plain JSON', () => {
    for (const seed of seeds) {
      const accesses = lower(seed);
      expect(JSON.parse(JSON.stringify(accesses))).toEqual(accesses);
    }
  });
});
