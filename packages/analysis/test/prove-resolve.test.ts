import type { Access, Predicate, Query, Target, Value } from '@tenant-lint/model';
import { describe, expect, it } from 'vitest';
import { resolveColumns, type CapturedName } from '../src/prove/index.js';
import { all, col, eq, exists, query, span, targetOf, text } from './prove-world.js';

const columns: Readonly<Record<string, readonly string[]>> = {
  docs: ['id', 'tenant_id', 'title'],
  members: ['tenant_id', 'user_id'],
};
const columnsOf = (target: Target): ReadonlySet<string> | undefined => {
  const of = target.table.known ? columns[target.table.value.name] : undefined;
  return of && new Set(of);
};
const name = (column: string, ...candidates: string[][]): Value => ({ kind: 'column', column, candidates });
const self = targetOf('docs');
const m = targetOf('members', 'm', { role: 'subquery' });
const elsewhere = targetOf('elsewhere', 'e', { role: 'subquery' });

function resolved(value: Value, inner: Target = m): { value: Value; captured: CapturedName[] } {
  const captured: CapturedName[] = [];
  const tree = exists(query([inner], eq(value, text('x'))));
  const result = resolveColumns(tree, columnsOf, { targets: [self], captured: (c) => captured.push(c) });
  const { condition } = (result as Extract<Predicate, { kind: 'exists' }>).query;
  return { value: (condition as Extract<Predicate, { kind: 'compare' }>).left, captured };
}

describe('resolving names without a table', () => {
  it('binds to the only table that has the column', () => {
    expect(resolved(name('title', ['m'], ['self']))).toEqual({ value: col('title'), captured: [] });
    expect(resolved(name('user_id', ['m'], ['self']))).toEqual({ value: col('user_id', 'm'), captured: [] });
  });

  it('binds to the innermost scope, and says what the author may have meant', () => {
    const { value, captured } = resolved(name('tenant_id', ['m'], ['self']));
    expect(value).toEqual(col('tenant_id', 'm'));
    expect(captured).toEqual([{ column: 'tenant_id', by: 'm', instead: 'self', value: col('tenant_id', 'm') }]);
  });

  it('looks past a table whose columns are not known where an outer one has the column', () => {
    expect(resolved(name('title', ['e'], ['self']), elsewhere).value).toEqual(col('title'));
  });

  it('takes the only table there is, though nothing is known of it', () => {
    expect(resolved(name('title', ['e']), elsewhere).value).toEqual(col('title', 'e'));
  });

  it('does not choose between tables of which nothing is known', () => {
    expect(resolved(name('x', ['e'], ['u']), elsewhere).value).toEqual({
      kind: 'unknown',
      reason: 'which table the column x belongs to',
    });
  });

  it('says that no table has the column', () => {
    expect(resolved(name('nothing', ['m'], ['self'])).value).toEqual({
      kind: 'unknown',
      reason: 'no table in scope has a column nothing',
    });
  });

  it('falls back to what else the name may mean', () => {
    const parameter: Value = { kind: 'placeholder', name: '1' };
    const value: Value = { kind: 'column', column: 't', candidates: [['m']], otherwise: parameter };
    expect(resolved(value).value).toEqual(parameter);
    expect(resolved({ ...value, column: 'user_id' }).value).toEqual(col('user_id', 'm'));
  });

  it('leaves columns with a table alone, and everything that has none in it', () => {
    const tree = all(eq(col('a', 't9'), text(1)), { kind: 'always', why: 'x' });
    expect(resolveColumns(tree, columnsOf)).toBe(tree);
    const value: Value = { kind: 'unknown', reason: 'x' };
    expect(resolveColumns(value, columnsOf)).toBe(value);
  });

  it('works on queries, values and accesses', () => {
    const inner: Query = query([m], eq(name('user_id', ['m']), text('x')), name('tenant_id', ['m']));
    expect(resolveColumns(inner, columnsOf).output).toEqual([col('tenant_id', 'm')]);
    const value = resolveColumns<Value>({ kind: 'query', query: inner }, columnsOf);
    expect(value).toMatchObject({ query: { output: [col('tenant_id', 'm')] } });
    const access: Access = {
      id: 'a#q0',
      library: 'sql',
      method: 'select',
      operation: 'read',
      targets: [targetOf('docs', 't0', { predicate: eq(name('title', ['t0']), text('x')) })],
      client: { receiver: { kind: 'unknown', reason: 'none' }, kind: 'plain' },
      span,
    };
    expect(resolveColumns(access, columnsOf).targets[0]?.predicate).toMatchObject({ left: col('title', 't0') });
  });
});
