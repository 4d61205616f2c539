import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openEmbedded, type Embedded } from '../src/index.js';
import { deedOf, execute, judge, platform, type Deed } from './policies.js';

let database: Embedded;
beforeAll(async () => {
  database = await openEmbedded();
  await database.exec(platform);
});
afterAll(async () => database.close());

let count = 0;
/** Names of settings that nothing has set yet. */
const freshSettings = (): { own: string; mode: string } => ({ own: `app.own${++count}`, mode: `app.mode${count}` });

/** `$own` and `$mode` stand for the settings. */
const withSettings = (sql: string, s: { own: string; mode: string }): string =>
  sql.replaceAll('$own', `current_setting('${s.own}', true)`).replaceAll('$mode', `current_setting('${s.mode}', true)`);

const own = 'tenant_id = $own';
const all = (using: string, check?: string): string =>
  `create policy p on note using (${using})${check === undefined ? '' : ` with check (${check})`};`;

/** Deeds on foreign rows: with the proper setting ('leak'), else only in some other world ('fail-open'). */
type Expected = Partial<Record<Deed, 'leak' | 'fail-open'>>;
const everything: Expected = { select: 'leak', insert: 'leak', update: 'leak', delete: 'leak', move: 'leak' };
const openEverything: Expected = {
  select: 'fail-open',
  insert: 'fail-open',
  update: 'fail-open',
  delete: 'fail-open',
  move: 'fail-open',
};

/** Name, policies, what leaks, and whether the key may be NULL. */
const cases: readonly (readonly [string, string, Expected, 'nullable'?])[] = [
  ['P04: one policy for all, strict', all(`tenant_id = nullif($own, '')`), {}],
  ['R04: no policy denies', '', {}],
  ['P12: INSERT without WITH CHECK denies', 'create policy p on note for insert;', {}],
  ['P13: a policy without clauses denies', 'create policy p on note;', {}],
  ['R05: only restrictive policies deny', 'create policy p on note as restrictive using (true);', {}],
  ['P01: WITH CHECK (true)', all(`tenant_id = nullif($own, '')`, 'true'), { insert: 'leak', move: 'leak' }],
  ['P02: INSERT WITH CHECK (true)', 'create policy p on note for insert with check (true);', { insert: 'leak' }],
  [
    'P03: an extra permissive policy widens',
    `${all(`tenant_id = nullif($own, '')`)} create policy q on note for select using (is_public);`,
    { select: 'leak' },
  ],
  [
    'P03: a restrictive floor holds it',
    `create policy f on note as restrictive using (tenant_id = nullif($own, '')); create policy q on note using (is_public);`,
    {},
  ],
  [
    'P06: UPDATE USING (true)',
    `create policy s on note for select using (tenant_id = nullif($own, '')); create policy u on note for update using (true) with check (tenant_id = nullif($own, ''));`,
    { update: 'leak' },
  ],
  ['P07: DELETE USING (true)', 'create policy d on note for delete using (true);', { delete: 'leak' }],
  [
    'P08: WITH CHECK drops the key',
    all(`tenant_id = nullif($own, '')`, `author is not null`),
    { insert: 'leak', move: 'leak' },
  ],
  ['P10: a policy for another role', 'create policy p on note to admin using (true);', {}],
  ['Q01: USING (true)', all('true'), everything],
  ['Q02: the key is itself', all('tenant_id = tenant_id'), everything],
  ['Q02: the key is there', all('tenant_id is not null'), everything],
  ['Q04: unset or equal', all(`$own is null or tenant_id = nullif($own, '')`), openEverything],
  ['Q05: COALESCE to the key', all(`tenant_id = coalesce($own, tenant_id)`), openEverything],
  ['Q05: COALESCE of NULLIF to the key', all(`tenant_id = coalesce(nullif($own, ''), tenant_id)`), openEverything],
  ['Q05: wildcard', all(`coalesce(nullif($own, ''), '*') in ('*', tenant_id)`), openEverything],
  ['Q05: CASE', all(`case when $own is null then true else tenant_id = $own and $own <> '' end`), openEverything],
  [
    'Q06: not distinct, with FOR ALL',
    all(`tenant_id is not distinct from nullif($own, '')`),
    openEverything,
    'nullable',
  ],
  ['Q06: not distinct, key NOT NULL', all(`tenant_id is not distinct from nullif($own, '')`), {}],
  [
    'Q06: shared rows for everybody to write',
    all(`tenant_id is null or tenant_id = nullif($own, '')`),
    openEverything,
    'nullable',
  ],
  [
    'Q06 corrected: shared rows for reading only',
    `create policy s on note for select using (tenant_id is null or tenant_id = nullif($own, '')); create policy w on note for update using (tenant_id = nullif($own, ''));`,
    {},
    'nullable',
  ],
  ['Q08: somebody is there', all('auth.uid() is not null'), everything],
  [
    'Q09: the author',
    all('author = auth.uid()'),
    { insert: 'leak', move: 'leak', select: 'leak', update: 'leak', delete: 'leak' },
  ],
  ['Q10: a fixed tenant', all(`tenant_id = 'B'`), everything],
  ['Q12: prefix', all(`tenant_id like $own || '%'`), everything],
  ['Q15: memberships of anybody', all('tenant_id in (select tenant_id from members)'), everything],
  [
    'Q15 corrected: memberships whose policies bind the caller',
    `alter table members enable row level security; create policy m on members using (user_id = auth.uid()); ${all('tenant_id in (select m.tenant_id from members m)')}`,
    {},
  ],
  ['memberships of the caller', all('tenant_id in (select tenant_id from members where user_id = auth.uid())'), {}],
  [
    'Q07: the inner table takes the name',
    all('exists (select 1 from members m where m.tenant_id = tenant_id and m.user_id = auth.uid())'),
    everything,
  ],
  [
    'Q27: the outer row takes the name',
    all('tenant_id in (select tenant_id from (select user_id from members) m where m.user_id = auth.uid())'),
    everything,
  ],
  ['Q19: not equal', all(`tenant_id <> $own`), everything],
  ['Q25: an escape by another setting', all(`tenant_id = nullif($own, '') or $mode = 'on'`), openEverything],
  ['S04: an empty setting and an empty key', all(own), openEverything],
  [
    'a helper function',
    `create function current_tenant() returns text language sql stable as $f$ select nullif($own, '') $f$; ${all('tenant_id = current_tenant()')}`,
    {},
  ],
  [
    'a helper function with a parameter that looks the membership up',
    `create function is_member(t text) returns boolean language sql stable as $f$ select exists (select 1 from members where tenant_id = t and user_id = auth.uid()) $f$; ${all('is_member(tenant_id)')}`,
    {},
  ],
  [
    'a helper function with a default, read with the rights of its owner',
    `create function has_role(t text, r text default null) returns boolean language sql stable security definer as $f$ select exists (select 1 from members m where m.user_id = auth.uid() and m.tenant_id = has_role.t and (r is null or r = m.user_id)) $f$; alter table members enable row level security; ${all('has_role(tenant_id) = true')}`,
    {},
  ],
  [
    'a helper function in PL/pgSQL',
    `create function is_ours(t text) returns boolean language plpgsql stable as $f$ begin if $own is null then return false; end if; return t = nullif($own, ''); end $f$; ${all('is_ours(tenant_id)')}`,
    {},
  ],
  [
    'a helper function in PL/pgSQL that is open where nothing is set',
    `create function is_ours(t text) returns boolean language plpgsql stable as $f$ begin if $own is null then return true; end if; return t = nullif($own, ''); end $f$; ${all('is_ours(tenant_id)')}`,
    openEverything,
  ],
  [
    'a helper function that always agrees',
    `create function allowed(t text) returns boolean language sql stable as $f$ select true $f$; ${all('allowed(tenant_id)')}`,
    everything,
  ],
];

/** The deeds that the prover's leaks allow. A leak of the proper world is one of the other worlds as well. */
function deedsOf(leaks: ReturnType<typeof judge>['leaks']): Expected {
  const found: Expected = {};
  for (const leak of leaks)
    for (const command of leak.commands) {
      const deed = deedOf(command, leak.side);
      if (found[deed] !== 'leak') found[deed] = leak.cause;
    }
  return found;
}

describe('policies of the catalogue: the prover and Postgres agree', () => {
  it.each(cases.map((c) => ({ name: c[0], sql: c[1], expected: c[2], nullable: c[3] })))(
    '$name',
    async ({ sql, expected, nullable }) => {
      const settings = freshSettings();
      const policies = withSettings(sql, settings);
      const { leaks, unknowns } = judge(policies, nullable !== undefined, settings.own);
      expect(unknowns.map((u) => u.hangsOn)).toEqual([]);
      expect(deedsOf(leaks)).toEqual(expected);
      const executed = await execute(database, policies, nullable !== undefined, settings);
      const deeds: readonly Deed[] = ['select', 'insert', 'update', 'delete', 'move'];
      const inPostgres: Expected = {};
      for (const deed of deeds)
        if (executed.proper.has(deed)) inPostgres[deed] = 'leak';
        else if (executed.open.has(deed)) inPostgres[deed] = 'fail-open';
      // Rows without a tenant that everybody may read are a design, so reading them is not held against the policies.
      if (nullable && expected.select === undefined) delete inPostgres.select;
      expect(nullable ? rowless(inPostgres) : inPostgres).toEqual(nullable ? rowless(expected) : expected);
    },
  );
});

/** Whether rows without a tenant are reached does not depend on the setting; the prover calls that fail-open. */
const rowless = (deeds: Expected): Expected =>
  Object.fromEntries(Object.keys(deeds).map((deed) => [deed, 'fail-open']));

it('says what an opaque function leaves open', () => {
  const { leaks, unknowns } = judge(
    `create function opaque(t text) returns boolean language plpythonu as 'return True'; ${all('opaque(tenant_id) = true')}`,
    false,
    'app.none',
  );
  expect(leaks).toEqual([]);
  expect(unknowns).toMatchObject([
    {
      side: 'using',
      commands: ['select', 'update', 'delete'],
      hangsOn: [{ text: expect.stringContaining('what the function opaque does') as unknown }],
    },
    { side: 'check', commands: ['insert', 'update'] },
  ]);
});

it('names the policy, the span and the words of a leak', () => {
  const { leaks } = judge(
    `create policy floor on note as restrictive using (true); ${all(`tenant_id = nullif(current_setting('app.x', true), '')`)} create policy wide on note for select using (is_public);`,
    false,
    'app.x',
  );
  expect(leaks).toHaveLength(1);
  expect(leaks[0]).toMatchObject({
    table: 'public.note',
    policy: { name: 'wide' },
    commands: ['select'],
    side: 'using',
    cause: 'leak',
    confidence: 'certain',
    witness: { text: 'a row of note that belongs to another tenant', assignment: { 'note.tenant_id': 'B' } },
    because: [{ text: 'the condition does not name the tenant key', span: { file: 'migrations/1.sql' } }],
  });
});

describe('generated policies', () => {
  const clause = fc.constantFrom(
    `tenant_id = nullif($own, '')`,
    `tenant_id = nullif($own, '')`,
    own,
    'true',
    'false',
    'is_public',
    'not is_public',
    `$own is null or tenant_id = $own`,
    `tenant_id = coalesce(nullif($own, ''), tenant_id)`,
    `tenant_id <> $own`,
    `tenant_id in (select tenant_id from members where user_id = auth.uid())`,
    `exists (select 1 from members m where m.tenant_id = note.tenant_id and m.user_id = auth.uid()) and not is_public`,
    `tenant_id = nullif($own, '') or $mode = 'on'`,
    `auth.uid() is not null and tenant_id like $own || '%'`,
  );
  const policy = fc.record({
    permissive: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    command: fc.constantFrom('all', 'all', 'select', 'insert', 'update', 'delete'),
    role: fc.constantFrom('public', 'app', 'admin'),
    using: fc.option(clause, { freq: 8, nil: undefined }),
    check: fc.option(clause, { freq: 1, nil: undefined }),
  });

  it('agree with Postgres on every command', { timeout: 120_000 }, async () => {
    const sets = fc.sample(fc.array(policy, { minLength: 1, maxLength: 4 }), { numRuns: 60, seed: 9 });
    const seen = { leak: 0, safe: 0 };
    for (const set of sets) {
      const settings = freshSettings();
      const policies = withSettings(set.map(policySql).join('\n'), settings);
      const { leaks, unknowns } = judge(policies, false, settings.own);
      expect(unknowns, policies).toEqual([]);
      const claimed = deedsOf(leaks);
      const executed = await execute(database, policies, false, settings);
      for (const deed of ['select', 'insert', 'update', 'delete', 'move'] as const) {
        const leaked = executed.proper.has(deed) || executed.open.has(deed);
        if (claimed[deed] === undefined) {
          seen.safe++;
          expect(leaked, `${deed} is thought safe: ${policies}`).toBe(false);
        } else if (deed !== 'move' || leaked) {
          seen.leak++;
          expect(leaked, `${deed} is thought to leak: ${policies}`).toBe(true);
          if (claimed[deed] === 'leak')
            expect(executed.proper.has(deed), `${deed} leaks with the proper setting: ${policies}`).toBe(true);
        }
      }
    }
    expect(seen.leak).toBeGreaterThan(30);
    expect(seen.safe).toBeGreaterThan(30);
  });

  interface Generated {
    readonly permissive: boolean;
    readonly command: string;
    readonly role: string;
    readonly using: string | undefined;
    readonly check: string | undefined;
  }
  let names = 0;
  function policySql({ permissive, command, role, using, check }: Generated): string {
    const hasUsing = using !== undefined && command !== 'insert';
    const hasCheck = check !== undefined && command !== 'select' && command !== 'delete';
    return `create policy p${++names} on note as ${permissive ? 'permissive' : 'restrictive'} for ${command} to ${role}${hasUsing ? ` using (${using})` : ''}${hasCheck ? ` with check (${check})` : ''};`;
  }
});
