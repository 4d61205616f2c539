import fc from 'fast-check';
import type { Predicate, Value } from '@tenant-lint/model';
import {
  all,
  any,
  call,
  col,
  compare,
  eq,
  exists,
  isNull,
  no,
  query,
  setting,
  targetOf,
  text,
  within,
} from './prove-world.js';

/**
 * Random conditions over one small schema, for the oracle and for Postgres:
 *   t(tenant_id text, status text, flag boolean not null), m(tenant_id text not null, user_id text not null),
 *   a setting that carries the tenant, one that does not, and the caller 'me'.
 */
export const key = col('tenant_id');
export const own = setting('app.tenant_id');
export const free = setting('app.mode');
const m = targetOf('m', 'm', { role: 'subquery' });

const constant = fc.constantFrom<Value>(text('acme'), text(''), text(null));
const simple = fc.oneof(
  { weight: 4, arbitrary: fc.constant<Value>(key) },
  { weight: 4, arbitrary: fc.constant<Value>(own) },
  { weight: 1, arbitrary: constant },
);
const { value } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 2, depthSize: 'small' },
    simple,
    fc.tuple(tie('value'), fc.constantFrom(text(''), text('acme'))).map(([a, b]) => call('nullif', a, b)),
    fc.tuple(tie('value'), tie('value')).map(([a, b]) => call('coalesce', a, b)),
  ),
}));

const plain = fc.constantFrom<Predicate>(
  eq(col('status'), text('x')),
  compare(col('status'), '<>', text('x')),
  isNull(col('status')),
  { kind: 'value', of: col('flag') },
  eq(free, text('on')),
  isNull(free),
);
const lookup = fc.constantFrom<Predicate>(
  within(key, query([m], eq(col('user_id', 'm'), call('auth.uid')), col('tenant_id', 'm'))),
  exists(query([m], all(eq(col('tenant_id', 'm'), key), eq(col('user_id', 'm'), call('auth.uid'))))),
  exists(query([m], eq(col('user_id', 'm'), call('auth.uid')))),
  exists(query([m], eq(col('tenant_id', 'm'), key))),
  exists(query([m], all(eq(col('tenant_id', 'm'), key), eq(col('tenant_id', 'm'), own)))),
  within(key, query([m], compare(col('tenant_id', 'm'), '<>', own), col('tenant_id', 'm'))),
  exists(query([m], all(eq(col('tenant_id', 'm'), key), { kind: 'value', of: col('flag') }))),
);
const comparison = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .tuple(fc.constant(key), fc.constantFrom('=', '=', '=', '<>', 'is not distinct from', 'is distinct from'), value)
      .map(([a, o, b]) => compare(a, o, b)),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(value, fc.constantFrom('=', '<>', 'is not distinct from'), value)
      .map(([a, o, b]) => compare(a, o, b)),
  },
  { weight: 1, arbitrary: fc.constantFrom('<', '<=', '>', '>=').map((o) => compare(key, o, own)) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom<Value>(own, call('||', own, text('%')), text('%'), call('||', text('%'), own))
      .map((p) => compare(key, 'like', p)),
  },
  { weight: 1, arbitrary: value.map(isNull) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(value, fc.array(value, { minLength: 1, maxLength: 3 }))
      .map(([left, right]): Predicate => ({ kind: 'in', left, right })),
  },
);

/** `lookups`: with sub-queries over `m`. */
export function predicates(lookups: boolean): fc.Arbitrary<Predicate> {
  const leaf = fc.oneof(
    { weight: 4, arbitrary: comparison },
    { weight: 2, arbitrary: plain },
    { weight: lookups ? 3 : 0, arbitrary: lookup },
  );
  return fc.letrec<{ predicate: Predicate }>((tie) => ({
    predicate: fc.oneof(
      { maxDepth: 3, depthSize: 'small' },
      leaf,
      fc.array(tie('predicate'), { minLength: 2, maxLength: 3 }).map((of): Predicate => all(...of)),
      fc.array(tie('predicate'), { minLength: 2, maxLength: 3 }).map((of): Predicate => any(...of)),
      tie('predicate').map(no),
      fc
        .tuple(tie('predicate'), fc.constantFrom(true, false, null))
        .map(([of, test]): Predicate => ({ kind: 'is', of, test })),
      fc
        .tuple(tie('predicate'), tie('predicate'), tie('predicate'))
        .map(([when, then, otherwise]): Predicate => ({ kind: 'case', of: [[when, then]], otherwise })),
    ),
  })).predicate;
}

/** One concrete world: a row, the settings, what the look-up table holds. The caller is 'me'. */
export interface Concrete {
  readonly tenant_id: string | null;
  readonly status: string | null;
  readonly flag: boolean;
  readonly own: string | null;
  readonly free: string | null;
  readonly members: readonly { readonly tenant_id: string; readonly user_id: string }[];
}

/** Rows of other users exist for any tenant; those of the caller only for the current one. Some contents of the look-up table. */
function contents(tenant: string): readonly Concrete['members'][] {
  const mine = { tenant_id: tenant, user_id: 'me' };
  const others = [tenant, 'B', 'AB', '0', '', 'acme', 'zzz'].map((tenant_id) => ({ tenant_id, user_id: 'you' }));
  return [[], [mine], ...others.map((o) => [o]), ...others.map((o) => [mine, o]), others, [mine, ...others]];
}

export interface Situation extends Concrete {
  /** Who the current tenant is. */
  readonly tenant: string;
}

/**
 * Every world of the grid: with the proper setting, with an unset or empty one, and with a tenant who is called as a constant. How names
 * are ordered is not fixed, so there is a tenant before and one after the constant.
 */
export function situations(lookups: boolean): readonly Situation[] {
  const result: Situation[] = [];
  const add = (tenant: string, settings: readonly (string | null)[]): void => {
    for (const members of lookups ? contents(tenant) : [[]])
      for (const set of settings)
        for (const tenant_id of [
          ...new Set([tenant, 'A', 'B', 'AB', '0', 'acme', 'acme2', 'xacme', 'aacme', 'xA', 'zzz', '', null]),
        ])
          for (const status of [null, 'x', 'y'])
            for (const flag of [true, false])
              for (const mode of [null, 'on', 'off'])
                result.push({ tenant, own: set, tenant_id, status, flag, free: mode, members });
  };
  add('A', ['A', '', null]);
  add('acme', ['acme']);
  add('zz', ['zz']);
  return result;
}

/** A condition of the generator as SQL over columns `tenant_id, status, flag, own, free` of `t` and the table `m`. */
export function sqlOf(p: Predicate): string {
  switch (p.kind) {
    case 'and':
    case 'or':
      return `(${p.of.map(sqlOf).join(` ${p.kind} `)})`;
    case 'not':
      return `(not ${sqlOf(p.of)})`;
    case 'is':
      return `(${sqlOf(p.of)} is ${p.test === null ? 'unknown' : String(p.test)})`;
    case 'case':
      return `(case ${p.of.map(([when, then]) => `when ${sqlOf(when)} then ${sqlOf(then)}`).join(' ')} else ${sqlOf(p.otherwise)} end)`;
    case 'compare':
      return `(${sqlOfValue(p.left)} ${p.operator} ${sqlOfValue(p.right)})`;
    case 'null':
      return `(${sqlOfValue(p.of)} is null)`;
    case 'in':
      return `(${sqlOfValue(p.left)} in (${p.right.map(sqlOfValue).join(', ')}))`;
    case 'value':
      return sqlOfValue(p.of);
    case 'exists':
      return `(exists (select 1 from m where ${sqlOf(p.query.condition)}))`;
    case 'in-query':
      return `(${sqlOfValue(p.left[0]!)} in (select ${sqlOfValue(p.query.output[0]!)} from m where ${sqlOf(p.query.condition)}))`;
    case 'always':
      return 'true';
    case 'never':
      return 'false';
    default:
      throw new Error(`the generator makes no ${p.kind}`);
  }
}

/** How settings and the caller are written; columns of a grid by default. */
export const names = { own: 't.own', free: 't.free', caller: "'me'::text", self: 't' };

function sqlOfValue(v: Value): string {
  switch (v.kind) {
    case 'column':
      return `${v.target === 'self' ? names.self : v.target}.${v.column}`;
    case 'setting':
      return v.name === 'app.tenant_id' ? names.own : names.free;
    case 'constant':
      return v.value === null ? 'null::text' : `'${String(v.value)}'::text`;
    case 'apply':
      if (v.function === 'auth.uid') return names.caller;
      if (v.function === '||') return `(${v.to.map(sqlOfValue).join(' || ')})`;
      return `${v.function}(${v.to.map(sqlOfValue).join(', ')})`;
    default:
      throw new Error(`the generator makes no ${v.kind}`);
  }
}
