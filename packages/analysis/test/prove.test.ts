import type { Predicate, Target, Value } from '@tenant-lint/model';
import { describe, expect, it } from 'vitest';
import { prove, type Proof, type World } from '../src/prove/index.js';
import {
  all,
  any,
  call,
  col,
  compare,
  eq,
  exists,
  input,
  isNull,
  missingAble,
  no,
  query,
  setting,
  targetOf,
  tenant,
  text,
  within,
  worldOf,
} from './prove-world.js';

function ask(predicate: Predicate, table = 'invoices', world: World = worldOf(), more: Partial<Target> = {}): Proof {
  return prove({ target: targetOf(table, 'self', more), predicate, world });
}

/** The verdict in one word: isolated, unverified, none, negated, vanishing, unknown, and `fail-open` before a leak of that cause. */
function short(proof: Proof): string {
  if (proof.kind === 'leak') return proof.cause === 'fail-open' ? `fail-open ${proof.evidence}` : proof.evidence;
  return proof.evidence;
}
const verdict = (...args: Parameters<typeof ask>): string => short(ask(...args));

const key = col('tenant_id');
const own = eq(key, tenant());

describe('comparisons with the key', () => {
  const cases: readonly [string, Predicate, string][] = [
    ['equality with the tenant', own, 'isolated'],
    ['the other way round', eq(tenant(), key), 'isolated'],
    ['equality with a claimed tenant', eq(key, input('orgId')), 'unverified'],
    ['no condition', { kind: 'always', why: 'no condition' }, 'none'],
    ['never', { kind: 'never' }, 'isolated'],
    ['another column only', eq(col('id'), input('id')), 'none'],
    ['inequality', compare(key, '<>', tenant()), 'negated'],
    ['not equal, negated', no(compare(key, '<>', tenant())), 'isolated'],
    ['negated equality', no(own), 'negated'],
    ['double negation', no(no(own)), 'isolated'],
    ['range upwards', compare(key, '>=', tenant()), 'negated'],
    ['range downwards', compare(key, '<=', tenant()), 'negated'],
    ['strict range', compare(key, '<', tenant()), 'negated'],
    ['between the tenant and itself', all(compare(key, '>=', tenant()), compare(key, '<=', tenant())), 'isolated'],
    ['itself', eq(key, key), 'negated'],
    ['a fixed tenant', eq(key, text('acme')), 'negated'],
    ['a fixed tenant that is a number', eq(key, text(1)), 'negated'],
    ['greater than a constant', compare(key, '>', text(10)), 'negated'],
    ['is not null', no(isNull(key)), 'negated'],
    ['a column of the same row', eq(key, col('status')), 'negated'],
    ['tenant or a fixed one', { kind: 'in', left: key, right: [tenant(), text('demo')] }, 'negated'],
    ['tenant in a list of one', { kind: 'in', left: key, right: [tenant()] }, 'isolated'],
    ['not in', no({ kind: 'in', left: key, right: [tenant()] }), 'negated'],
    ['in an open list of claimed tenants', { kind: 'in', left: key, right: [input('ids')], open: true }, 'unverified'],
    ['empty list', { kind: 'in', left: key, right: [] }, 'isolated'],
    ['through a cast', eq(call('cast:text', key), tenant()), 'isolated'],
    ['through lower()', eq(call('lower', key), call('lower', tenant())), 'isolated'],
    ['an operator nobody knows', compare(key, '@@', tenant()), 'unknown'],
    ['the tenant by like', compare(key, 'like', tenant()), 'isolated'],
    ['not like', compare(key, 'not like', tenant()), 'negated'],
    ['is not distinct from', compare(key, 'is not distinct from', tenant()), 'isolated'],
    ['is distinct from', compare(key, 'is distinct from', tenant()), 'negated'],
  ];
  it.each(cases)('%s', (_, predicate, expected) => {
    expect(verdict(predicate)).toBe(expected);
  });

  it('a prefix reaches a longer name where keys are texts, not where they are uuids', () => {
    const prefix = compare(key, 'like', call('||', tenant(), text('%')));
    expect(verdict(prefix, 'notes')).toBe('negated');
    expect(verdict(prefix, 'invoices')).toBe('isolated');
  });

  it('a suffix, and a pattern without wildcard', () => {
    expect(verdict(compare(key, 'like', call('||', text('%'), tenant())), 'notes')).toBe('negated');
    expect(verdict(compare(key, 'like', text('%')), 'notes')).toBe('negated');
    expect(verdict(compare(key, 'like', text('acme%')), 'notes')).toBe('negated');
  });
});

describe('connectives', () => {
  const published = eq(col('is_public'), text(true));
  const cases: readonly [string, Predicate, string][] = [
    ['and with something else', all(published, own), 'isolated'],
    ['or with something else', any(own, published), 'negated'],
    ['or of the same', any(own, own), 'isolated'],
    ['and of an or that binds in both branches', any(all(own, published), own), 'isolated'],
    ['and of or', all(any(own, published), own), 'isolated'],
    ['a contradiction beside the tenant', any(own, all(published, no(published))), 'isolated'],
    ['a tautology', any(published, no(published)), 'none'],
    ['or true', any(own, { kind: 'always', why: 'TRUE' }), 'negated'],
    ['case that binds in both branches', { kind: 'case', of: [[published, own]], otherwise: own }, 'isolated'],
    [
      'case with an open branch',
      { kind: 'case', of: [[published, { kind: 'always', why: 'TRUE' }]], otherwise: own },
      'negated',
    ],
    ['case without else', { kind: 'case', of: [[published, own]], otherwise: { kind: 'never' } }, 'isolated'],
    ['is true', { kind: 'is', of: own, test: true }, 'isolated'],
    ['is not false', no({ kind: 'is', of: own, test: false }), 'isolated'],
    ['is false', { kind: 'is', of: own, test: false }, 'negated'],
    ['either of two, one open', { kind: 'either', of: [own, { kind: 'always', why: 'no condition' }] }, 'negated'],
    ['either of two, both closed', { kind: 'either', of: [own, all(own, published)] }, 'isolated'],
  ];
  it.each(cases)('%s', (_, predicate, expected) => {
    expect(verdict(predicate)).toBe(expected);
  });

  it('a null test of a column that is never null is no way through', () => {
    expect(verdict(any(own, isNull(col('status'))))).toBe('isolated');
    expect(verdict(any(own, isNull(col('deleted_at'))))).toBe('negated');
  });
});

describe('what is not known', () => {
  const unknown: Predicate = { kind: 'unknown', reason: 'a helper' };
  it('is isolated regardless', () => expect(verdict(all(own, unknown))).toBe('isolated'));
  it('leaks regardless', () => expect(verdict(any(unknown, no(own)))).toBe('negated'));
  it('hangs on it', () => {
    const proof = ask(any(own, unknown));
    expect(proof).toEqual({ kind: 'unknown', evidence: 'unknown', hangsOn: [{ text: 'a helper' }] });
  });
  it('is the only condition', () => expect(verdict(unknown)).toBe('unknown'));
  it('an unknown value compared with the key', () => {
    expect(verdict(eq(key, { kind: 'unknown', reason: 'x' }))).toBe('unknown');
  });
  it('an unknown value compared with something else', () => {
    expect(verdict(eq(col('status'), { kind: 'unknown', reason: 'x' }))).toBe('none');
  });
  it('too much to look at', () => {
    const parts = Array.from({ length: 14 }, (_, i) =>
      any(eq(col(`a${i}`), text(i)), all(compare(key, '@@', tenant()), eq(col(`b${i}`), text(i)))),
    );
    expect(['unknown', 'none', 'negated']).toContain(verdict(all(...parts)));
  });
});

describe('values that may be missing', () => {
  const optional = (on: Value): Predicate => ({
    kind: 'optional',
    of: eq(key, on),
    on,
    otherwise: { kind: 'always', why: 'dropped' },
    why: 'Prisma drops a filter whose value is undefined',
  });
  it('certainly so', () => {
    const proof = ask(optional(missingAble(tenant())));
    expect(proof).toMatchObject({
      kind: 'leak',
      evidence: 'vanishing',
      confidence: 'certain',
      why: 'Prisma drops a filter whose value is undefined',
    });
  });
  it('possibly so', () => {
    expect(ask(optional(missingAble(tenant(), false)))).toMatchObject({
      evidence: 'vanishing',
      confidence: 'possible',
    });
  });
  it('never missing after all', () => expect(verdict(optional(tenant()))).toBe('isolated'));
  it('always missing', () => {
    expect(ask(optional({ kind: 'undefined' }))).toMatchObject({ evidence: 'vanishing', confidence: 'certain' });
  });
  it('beside a condition that stays', () =>
    expect(verdict(all(own, optional(missingAble(input('org')))))).toBe('isolated'));
  it('a missing filter that says nothing of the tenant', () => {
    const status: Predicate = {
      kind: 'optional',
      of: eq(col('status'), missingAble(input('status'))),
      on: missingAble(input('status')),
      otherwise: { kind: 'always', why: 'dropped' },
      why: 'dropped',
    };
    expect(verdict(all(status, own))).toBe('isolated');
    expect(verdict(status)).toBe('none');
  });
  it('null in SQL matches nothing', () =>
    expect(verdict(eq(key, missingAble(tenant(), true, 'null')))).toBe('isolated'));
  it('null OR key = null', () => {
    const value = missingAble(input('org'), true, 'null');
    expect(ask(any(isNull(value), eq(key, value)))).toMatchObject({ evidence: 'vanishing', confidence: 'certain' });
  });
  it('a parameter that is tested for null may be null', () => {
    expect(ask(any(isNull(input('org')), eq(key, input('org'))))).toMatchObject({
      evidence: 'vanishing',
      confidence: 'likely',
    });
  });
  it('a condition that the program adds only where the value is there', () => {
    const org = missingAble(tenant());
    expect(
      ask({ kind: 'either', test: org, of: [eq(key, org), { kind: 'always', why: 'no condition' }] }),
    ).toMatchObject({
      evidence: 'vanishing',
    });
  });
  it('a condition that the program adds only for some', () => {
    const admin: Value = { kind: 'parameter', function: 'a#f1', index: 0, path: ['isAdmin'] };
    expect(verdict({ kind: 'either', test: admin, of: [{ kind: 'always', why: 'no condition' }, own] })).toBe(
      'negated',
    );
  });
});

describe('settings', () => {
  const g = setting();
  const cast = (v: Value): Value => call('cast:uuid', v);
  const unset = isNull(g);
  const cases: readonly [string, Predicate, string][] = [
    ['equality', eq(key, cast(g)), 'isolated'],
    ['nullif', eq(key, cast(call('nullif', g, text('')))), 'isolated'],
    [
      'in a scalar sub-query',
      eq(key, { kind: 'query', query: query([], { kind: 'always', why: '' }, cast(g)) }),
      'isolated',
    ],
    ['unset or equal', any(unset, eq(key, cast(g))), 'fail-open negated'],
    ['empty or equal', any(eq(g, text('')), eq(key, cast(g))), 'fail-open negated'],
    ['coalesce to the key', eq(key, call('coalesce', cast(g), key)), 'fail-open negated'],
    [
      'coalesce of nullif to the key',
      eq(key, call('coalesce', cast(call('nullif', g, text(''))), key)),
      'fail-open negated',
    ],
    [
      'coalesce of an empty text is an error',
      eq(key, call('coalesce', cast(setting('app.tenant_id', false)), key)),
      'isolated',
    ],
    [
      'a wildcard',
      { kind: 'in', left: call('coalesce', g, text('*')), right: [text('*'), call('cast:text', key)] },
      'fail-open negated',
    ],
    [
      'case when unset',
      { kind: 'case', of: [[unset, { kind: 'always', why: 'TRUE' }]], otherwise: eq(key, cast(g)) },
      'fail-open negated',
    ],
    [
      'another setting lets everything through',
      any(eq(key, cast(g)), eq(setting('app.is_admin'), text('on'))),
      'fail-open negated',
    ],
    ['another setting narrows', all(eq(key, cast(g)), eq(setting('app.mode'), text('on'))), 'isolated'],
    [
      'in the list of the setting',
      {
        kind: 'in',
        left: key,
        right: [{ kind: 'element', of: call('string_to_array', g, text(',')), path: ['*'] }],
        open: true,
      },
      'isolated',
    ],
    ['not distinct, key not null', compare(key, 'is not distinct from', cast(g)), 'isolated'],
  ];
  it.each(cases)('%s', (_, predicate, expected) => {
    expect(verdict(predicate)).toBe(expected);
  });

  it('an empty setting meets an empty key of type text, and an empty prefix meets everything', () => {
    expect(ask(eq(key, g), 'notes')).toMatchObject({ kind: 'leak', cause: 'fail-open', confidence: 'likely' });
    expect(verdict(eq(key, call('nullif', g, text(''))), 'notes')).toBe('isolated');
    expect(verdict(compare(call('cast:text', key), 'like', call('||', g, text('%'))))).toBe('fail-open negated');
  });

  it('names what is unset in the witness', () => {
    const proof = ask(any(unset, eq(key, cast(g))));
    expect(proof).toMatchObject({
      witness: {
        text: 'a row of invoices that belongs to another tenant, when app.tenant_id is not set',
        assignment: { 'app.tenant_id': 'NULL', 'invoices.tenant_id': 'B' },
      },
    });
  });
});

describe('keys that may be NULL', () => {
  const shared = any(own, isNull(key));
  it('are shared rows for reads', () => expect(verdict(shared, 'templates')).toBe('isolated'));
  it('are foreign rows for writes', () => {
    expect(verdict(shared, 'templates', worldOf(), { operation: 'update' })).toBe('fail-open negated');
  });
  it('do not exist where the key is NOT NULL', () => {
    expect(verdict(shared, 'invoices', worldOf(), { operation: 'update' })).toBe('isolated');
  });
  it('match a setting that is not set', () => {
    const loose = compare(key, 'is not distinct from', setting());
    expect(verdict(loose, 'templates', worldOf(), { operation: 'delete' })).toBe('fail-open negated');
    expect(verdict(loose, 'templates')).toBe('isolated');
  });
});

describe('several keys', () => {
  const byOrg = eq(col('organization_id'), tenant());
  const byUser = eq(col('user_id'), tenant());
  it('either isolates', () => {
    expect(verdict(byOrg, 'mixed')).toBe('isolated');
    expect(verdict(byUser, 'mixed')).toBe('isolated');
  });
  it('personal rows are bound by the other key', () => {
    expect(verdict(any(byOrg, all(isNull(col('organization_id')), byUser)), 'mixed')).toBe('isolated');
  });
  it('personal rows of everybody', () => {
    expect(verdict(any(byOrg, isNull(col('organization_id'))), 'mixed')).toBe('negated');
  });
});

describe('sub-queries', () => {
  const m = targetOf('members', 'm', { role: 'subquery' });
  const mine = eq(col('user_id', 'm'), call('auth.uid'));
  const membership = query([m], mine, col('tenant_id', 'm'));
  const cases: readonly [string, Predicate, string][] = [
    ['in the memberships of the caller', within(key, membership), 'isolated'],
    ['exists, correlated', exists(query([m], all(eq(col('tenant_id', 'm'), key), mine))), 'isolated'],
    ['without the caller', within(key, query([m], { kind: 'always', why: '' }, col('tenant_id', 'm'))), 'negated'],
    ['not correlated', exists(query([m], mine)), 'none'],
    [
      'the inner column caught the name',
      exists(query([m], all(eq(col('tenant_id', 'm'), col('tenant_id', 'm')), mine))),
      'none',
    ],
    ['the outer row compared with itself', within(key, query([m], mine, key)), 'negated'],
    ['not in', no(within(key, membership)), 'negated'],
    ['not exists', no(exists(query([m], all(eq(col('tenant_id', 'm'), key), mine)))), 'negated'],
    ['scalar', eq(key, { kind: 'query', query: membership }), 'isolated'],
    [
      'scalar without the caller',
      eq(key, { kind: 'query', query: query([m], { kind: 'always', why: '' }, col('tenant_id', 'm')) }),
      'negated',
    ],
    [
      'caller in the members of the row',
      within(call('auth.uid'), query([m], eq(col('tenant_id', 'm'), key), col('user_id', 'm'))),
      'isolated',
    ],
    [
      'tenant bound inside',
      exists(query([m], all(eq(col('tenant_id', 'm'), key), eq(col('tenant_id', 'm'), tenant())))),
      'isolated',
    ],
    ['tenant bound inside, key not tied', exists(query([m], eq(col('tenant_id', 'm'), tenant()))), 'none'],
    ['shared table', exists(query([targetOf('plans', 'p')], eq(col('id', 'p'), col('plan_id')))), 'none'],
  ];
  it.each(cases)('%s', (_, predicate, expected) => {
    expect(verdict(predicate)).toBe(expected);
  });

  it('two look-ups that contradict each other', () => {
    const yes = exists(query([m], eq(col('tenant_id', 'm'), key)));
    expect(verdict(all(yes, no(yes)))).toBe('isolated');
    expect(verdict(any(yes, no(yes)))).toBe('negated');
  });

  it('a membership claimed by a parameter is unverified', () => {
    expect(
      verdict(exists(query([m], all(eq(col('tenant_id', 'm'), key), eq(col('user_id', 'm'), input('user')))))),
    ).toBe('unverified');
  });

  it('the policies of the looked-up table bind the caller', () => {
    const world = worldOf({ rowSecurity: (t) => (t.ref === 'm' ? eq(col('user_id'), call('auth.uid')) : undefined) });
    expect(
      verdict(within(key, query([m], { kind: 'always', why: '' }, col('tenant_id', 'm'))), 'invoices', world),
    ).toBe('isolated');
  });

  it('own memberships are the rows of the caller', () => {
    expect(verdict(eq(col('user_id'), call('auth.uid')), 'members')).toBe('isolated');
    expect(verdict(eq(col('created_by'), call('auth.uid')), 'invoices')).toBe('none');
  });
});

describe('references', () => {
  const parent = targetOf('invoices', 'i', { role: 'subquery' });
  const tie = eq(col('id', 'i'), col('invoice_id'));
  it('a child is isolated by its parent', () => {
    const proof = ask(exists(query([parent], all(tie, eq(col('tenant_id', 'i'), tenant())))), 'items');
    expect(proof).toMatchObject({
      kind: 'isolated',
      evidence: 'isolated',
      assumptions: [],
      references: ['invoices.id', 'items.invoice_id'],
    });
  });
  it('a child without condition on the parent', () =>
    expect(verdict(exists(query([parent], tie)), 'items')).toBe('none'));
  it('a child by the id of any parent', () =>
    expect(verdict(eq(col('invoice_id'), input('id')), 'items')).toBe('none'));
  it('a child by the id of a parent that belongs to the tenant', () => {
    const world = worldOf({ classify: (v) => (v.kind === 'row' ? 'tenant-verified' : undefined) });
    const row: Value = { kind: 'row', access: 'a#c0', path: ['id'] };
    expect(verdict(eq(col('invoice_id'), row), 'items', world)).toBe('isolated');
  });
  it('a reference between keyed tables is an assumption', () => {
    const customer = targetOf('customers', 'c', { role: 'subquery' });
    const proof = ask(
      exists(query([customer], all(eq(col('id', 'c'), col('customer_id')), eq(col('tenant_id', 'c'), tenant())))),
    );
    expect(proof).toMatchObject({
      kind: 'isolated',
      assumptions: ['every writer keeps invoices.customer_id within one tenant'],
    });
  });
  it('no assumption where the key is bound as well', () => {
    const customer = targetOf('customers', 'c', { role: 'subquery' });
    const proof = ask(all(own, exists(query([customer], eq(col('id', 'c'), col('customer_id'))))));
    expect(proof).toMatchObject({ kind: 'isolated', assumptions: [], references: [] });
  });
  it('an implicit relation', () => {
    const other = targetOf('customers', 'c', { predicate: eq(col('tenant_id', 'c'), tenant()) });
    const proof = prove({
      target: targetOf('invoices', 'self', { role: 'include' }),
      predicate: { kind: 'related', target: 'self', to: 'c', by: 'tags' },
      others: [other],
      world: worldOf(),
    });
    expect(proof).toMatchObject({
      kind: 'isolated',
      assumptions: ['every writer keeps the relation tags within one tenant'],
    });
  });
});

describe('other targets of the same access', () => {
  const root = targetOf('invoices', 't0', { predicate: eq(col('tenant_id', 't0'), tenant()) });
  it('an included child of an isolated parent', () => {
    const proof = prove({
      target: targetOf('items', 't1', { role: 'include' }),
      predicate: eq(col('invoice_id', 't1'), col('id', 't0')),
      others: [root],
      world: worldOf(),
    });
    expect(short(proof)).toBe('isolated');
  });
  it('an included child of a parent by id only', () => {
    const proof = prove({
      target: targetOf('items', 't1', { role: 'include' }),
      predicate: eq(col('invoice_id', 't1'), col('id', 't0')),
      others: [{ ...root, predicate: eq(col('id', 't0'), input('id')) }],
      world: worldOf(),
    });
    expect(short(proof)).toBe('none');
  });
  it('a joined table by the key of the root', () => {
    const joined = targetOf('customers', 't1', { role: 'join' });
    const on = eq(col('tenant_id', 't1'), col('tenant_id', 't0'));
    const bound = prove({ target: joined, predicate: all(on, root.predicate), others: [root], world: worldOf() });
    const loose = prove({
      target: joined,
      predicate: eq(col('code', 't1'), col('code', 't0')),
      others: [root],
      world: worldOf(),
    });
    expect([short(bound), short(loose)]).toEqual(['isolated', 'none']);
  });
  it('a row that an outer join may leave out', () => {
    const joined = targetOf('customers', 't1', { role: 'join', predicate: eq(col('tenant_id', 't1'), tenant()) });
    const proof = prove({
      target: targetOf('invoices', 't0'),
      predicate: isNull(col('tenant_id', 't1')),
      others: [joined],
      world: worldOf(),
    });
    expect(short(proof)).toBe('none');
  });
});

describe('functions', () => {
  const m = targetOf('members', 't0', { role: 'subquery' });
  const world = (functions: Record<string, Value | string>): World => worldOf({ functions });
  it('read through', () => {
    expect(
      verdict(eq(key, call('current_tenant')), 'invoices', world({ current_tenant: call('cast:uuid', setting()) })),
    ).toBe('isolated');
  });
  it('with parameters', () => {
    const body: Value = {
      kind: 'predicate',
      predicate: exists(
        query(
          [m],
          all(
            eq(col('tenant_id', 't0'), { kind: 'placeholder', name: '1' }),
            eq(col('user_id', 't0'), call('auth.uid')),
          ),
        ),
      ),
    };
    const w = world({ is_member: body });
    expect(verdict({ kind: 'value', of: call('is_member', key) }, 'invoices', w)).toBe('isolated');
    expect(verdict({ kind: 'value', of: call('is_member', col('status')) }, 'invoices', w)).toBe('none');
    expect(verdict(no({ kind: 'value', of: call('is_member', key) }), 'invoices', w)).toBe('negated');
  });
  it('that return rows', () => {
    const body: Value = {
      kind: 'query',
      query: query([m], eq(col('user_id', 't0'), call('auth.uid')), col('tenant_id', 't0')),
    };
    expect(
      verdict(
        within(key, query([], { kind: 'always', why: '' }, call('my_tenants'))),
        'invoices',
        world({ my_tenants: body }),
      ),
    ).toBe('isolated');
  });
  it('that always say yes', () => {
    expect(verdict({ kind: 'value', of: call('allowed', key) }, 'invoices', world({ allowed: text(true) }))).toBe(
      'negated',
    );
  });
  it('that call themselves', () => {
    expect(verdict({ kind: 'value', of: call('f', key) }, 'invoices', world({ f: call('f', key) }))).toBe('unknown');
  });
  it('whose bodies are not known', () => {
    const proof = ask({ kind: 'value', of: call('f', key) }, 'invoices', world({ f: 'it loops' }));
    expect(proof).toMatchObject({ kind: 'unknown', hangsOn: [{ text: 'what the function f does (it loops)' }] });
  });
  it('that nobody declares', () => {
    expect(verdict(eq(key, call('get_tenant')))).toBe('unknown');
    expect(verdict(compare(col('created_at'), '>', call('now')))).toBe('none');
    expect(verdict(all(own, { kind: 'value', of: call('starts_with', col('status'), text('a')) }))).toBe('isolated');
  });
});

describe('identities and claims', () => {
  const jwt = (...path: string[]): Value =>
    path.reduce<Value>((of, step, i) => call(i === path.length - 1 ? '->>' : '->', of, text(step)), call('auth.jwt'));
  const cases: readonly [string, Predicate, string][] = [
    ['the caller as the tenant', eq(key, call('auth.uid')), 'isolated'],
    ['a claim of the token', eq(key, call('cast:uuid', jwt('app_metadata', 'org'))), 'isolated'],
    ['a claim that the user may edit', eq(key, call('cast:uuid', jwt('user_metadata', 'org'))), 'negated'],
    ['a header', eq(key, call('->>', call('cast:json', setting('request.headers')), text('x-tenant-id'))), 'negated'],
    ['somebody is logged in', no(isNull(call('auth.uid'))), 'none'],
    ['nobody is logged in, or own', any(isNull(call('auth.uid')), own), 'fail-open negated'],
    ['as a role that the application does not have', any(own, eq(call('auth.role'), text('service_role'))), 'isolated'],
    ['as a role that the application has', any(own, eq(call('current_user'), text('app'))), 'negated'],
  ];
  const world = worldOf({ roles: new Set(['app']) });
  it.each(cases)('%s', (_, predicate, expected) => {
    expect(verdict(predicate, 'invoices', world)).toBe(expected);
  });
  it('a role, where it is not known which roles there are', () => {
    expect(verdict(any(own, eq(call('current_user'), text('app'))))).toBe('unknown');
  });
});

it('says what it does not know of tables', () => {
  expect(ask(own, 'elsewhere')).toMatchObject({ kind: 'unknown' });
  expect(ask({ kind: 'always', why: '' }, 'plans')).toMatchObject({ kind: 'isolated' });
});
