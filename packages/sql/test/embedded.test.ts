import { describe, expect, test } from 'vitest';
import { holeIdentifier, lowerEmbedded, normalizePlaceholders, type LoweredSql } from '../src/index.js';
import { showTargets, showValue } from './render.js';

const shift = 1000;
const lower = (text: string): LoweredSql =>
  lowerEmbedded({
    file: 'a.ts',
    text,
    idPrefix: 'a.ts#c1',
    library: 'pg',
    span: { file: 'a.ts', start: shift, end: shift + text.length },
    position: (offset) => offset + shift,
  });
const targets = (text: string): string[] => lower(text).accesses.flatMap(showTargets);
const holes = (text: string): string[] =>
  lower(text).accesses.flatMap((a) =>
    (a.interpolations ?? []).map(
      (i) =>
        `${i.position} ${showValue(i.value)} at ${text.slice(i.span.start - shift, i.span.end - shift)}: ${i.around}`,
    ),
  );

describe('placeholders of other drivers', () => {
  test.each([
    ['a = ? and b in (?, ?) limit ?', 'a = $1 and b in ($2, $3) limit $4'],
    ['a=? or b>=?', 'a=$1 or b>=$2'],
    ["data ? 'x' and a = ?", "data ? 'x' and a = $1"],
    ["data ? 'x' and a = $1", "data ? 'x' and a = $1"],
    ["data ?| array['a'] and b = ?", "data ?| array['a'] and b = $1"],
    ['a = :org and b = :user and c = :org', 'a = $1 and b = $2 and c = $1'],
    ['a = :org::uuid and b::text = c', 'a = $1::uuid and b::text = c'],
    ['a[1:2] = x and b[i:j] = y', 'a[1:2] = x and b[i:j] = y'],
    ['id in (:...ids)', 'id in ($1)'],
    ['a = :\'v\' and :"col" = 1', 'a = $1 and __hole_0__ = 1'],
    ['a = @org and b @> c and d <@ e', 'a = $1 and b @> c and d <@ e'],
    ['a = $(org.id) and b in ($(ids:csv)) and $<x> = $[y]', 'a = $1 and b in ($2) and $3 = $4'],
    ['$(col:name) = 1 and $(more:raw)', '__hole_0__ = 1 and __hole_1__'],
    ['?? = ?', '__hole_0__ = $1'],
    ['${schema}.t where a = ${a.b}', '__hole_0__.t where a = __hole_1__'],
    ["a = '${x}' and b = __hole_3__", "a = '__hole_4__' and b = __hole_3__"],
    ["a = '?' and b = ':x' and \"c?\" = $$ ? :y $$ -- ? :z", "a = '?' and b = ':x' and \"c?\" = $$ ? :y $$ -- ? :z"],
    ['a = ? /* ? */ and b = ?', 'a = $1 /* ? */ and b = $2'],
    ['x := 1', 'x := 1'],
  ])('%s', (text, expected) => {
    const normalized = normalizePlaceholders(text);
    expect(normalized.text).toBe(expected);
    expect(normalized.original(normalized.text.length)).toBe(text.length);
  });

  test('names go back to what the text says', () => {
    expect(targets('select * from t where a = :org and b = ? and id in (:...ids)')).toEqual([
      't0 root read t: (t0.a = $org and t0.b = $2 and t0.id in [$ids[*]])',
    ]);
  });

  test('every offset behind a replacement leads back to its place', () => {
    const text = 'select :organization, x from t where y = ? and z = $(a.long.name)';
    const { text: normalized, original } = normalizePlaceholders(text);
    for (const word of ['x from', 'from t', 'where', 'y =', 'and z']) {
      expect(text.slice(original(normalized.indexOf(word))).startsWith(word)).toBe(true);
    }
  });
});

describe('positions in the host file', () => {
  test('of targets, conditions and statements', () => {
    const text = "select 'é🦉' from t where a = :organization and b.c = 1; delete from invoices";
    const [first, second] = lower(text).accesses;
    const at = (span: { start: number; end: number } | undefined): string =>
      span ? text.slice(span.start - shift, span.end - shift) : '';
    expect(at(first?.targets[0]?.span)).toBe('t');
    const predicate = first?.targets[0]?.predicate;
    const parts = predicate?.kind === 'and' ? predicate.of : [];
    expect(parts.map((p) => ('span' in p ? at(p.span) : ''))).toEqual(['a = :organization', 'b.c = 1']);
    expect(at(second?.span)).toBe('delete from invoices');
    expect(at(second?.targets[0]?.span)).toBe('invoices');
    expect([first?.id, second?.id]).toEqual(['a.ts#c1/0', 'a.ts#c1/1']);
  });
});

describe('values that become part of the text', () => {
  const h = holeIdentifier;

  test('a schema: the table is known by its name', () => {
    const text = `select * from ${h(0)}.users where id = $1`;
    expect(targets(text)).toEqual(['t0 root read users: t0.id = $1']);
    expect(holes(text)).toEqual(['schema $hole:0 at __hole_0__: select * from ?.users where id = $1']);
  });

  test('a table, alone or as part of a name', () => {
    expect(targets(`select * from ${h(0)} where id = $1`)).toEqual(['t0 root read ?dynamic table name: t0.id = $1']);
    expect(targets(`select * from "tenant_${h(0)}_users"`)).toEqual([
      't0 root read ?dynamic table name: always(no condition)',
    ]);
    expect(holes(`delete from "tenant_${h(0)}_users"`)).toEqual([
      'identifier $hole:0 at __hole_0__: delete from "tenant_?_users"',
    ]);
  });

  test('a value, bare or in quotes', () => {
    expect(targets(`select * from t where a = ${h(0)} and b = '${h(1)}' and c like '%${h(2)}%'`)).toEqual([
      "t0 root read t: (t0.a = $hole:0 and t0.b = $hole:1 and t0.c like concat('%', $hole:2, '%'))",
    ]);
    expect(holes(`select * from t where b = '${h(1)}' limit ${h(2)}`).map((s) => s.split(' ')[0])).toEqual([
      'value',
      'value',
    ]);
  });

  test.each([
    [`SET search_path TO ${h(0)}, public`, 'schema'],
    [`set local search_path = '${h(0)}'`, 'schema'],
    [`CREATE SCHEMA IF NOT EXISTS "org_${h(0)}"`, 'schema'],
    [`DROP SCHEMA ${h(0)} CASCADE`, 'schema'],
    [`ALTER SCHEMA a RENAME TO ${h(0)}`, 'schema'],
    [`GRANT USAGE ON SCHEMA ${h(0)} TO app`, 'schema'],
    [`create table ${h(0)}.users (id int)`, 'schema'],
    [`drop table ${h(0)}.users`, 'schema'],
    [`drop table ${h(0)}`, 'identifier'],
    [`alter table ${h(0)}.users enable row level security`, 'schema'],
    [`call ${h(0)}.sync(1)`, 'schema'],
    [`create database ${h(0)}`, 'identifier'],
    [`set role ${h(0)}`, 'identifier'],
    [`set local app.tenant = '${h(0)}'`, 'value'],
    [`selec x from ${h(0)}.users`, 'schema'],
  ])('%s', (text, position) => {
    const [access] = lower(text).accesses;
    expect(access).toMatchObject({ operation: 'raw', targets: [], interpolations: [{ position, quoted: false }] });
    expect(lower(text).events).toEqual([]);
  });

  test('a whole condition, or a piece of one', () => {
    expect(targets(`select * from t where ${h(0)}`)).toEqual([
      't0 root read t: unknown(a condition put in by the program)',
    ]);
    expect(targets(`select * from t where a = $1 and ${h(0)}`)).toEqual([
      't0 root read t: (t0.a = $1 and unknown(a condition put in by the program))',
    ]);
    expect(targets(`select * from t where a = $1 ${h(0)} order by x`)).toEqual([
      't0 root read t: unknown(a piece of the condition is put in by the program)',
    ]);
    expect(targets(`select * from t ${h(0)}`)).toEqual(['t0 root read t: unknown(piece of SQL put in by the program)']);
    expect(targets(`select * from t ${h(0)} where t.a = $1`)).toEqual([
      't0 root read t: (unknown(piece of SQL put in by the program) and t0.a = $1)',
    ]);
  });

  test('a piece that is not of the condition leaves it as it is', () => {
    expect(targets(`select ${h(0)} from t where a = $1 order by x ${h(1)} limit ${h(2)}`)).toEqual([
      't0 root read t: t0.a = $1',
    ]);
    expect(holes(`select ${h(0)} from t where a = $1 order by x ${h(1)}`).map((s) => s.split(' ')[0])).toEqual([
      'fragment',
      'fragment',
    ]);
  });

  test('several pieces one after the other', () => {
    const text = `select * from t where a = ${h(0)} ${h(1)} ${h(2)} ${h(3)} order by ${h(4)}`;
    expect(holes(text).map((s) => s.split(' ')[0])).toEqual(['value', 'fragment', 'fragment', 'fragment', 'fragment']);
  });

  test('lists, assignments, columns and rows', () => {
    expect(targets(`select * from t where a in ${h(0)} and b = $1`)).toEqual([
      't0 root read t: (t0.a in [$hole:0] and t0.b = $1)',
    ]);
    expect(targets(`update t set ${h(0)} where id = $1`)).toEqual(['t0 root update t: t0.id = $1 writes { ...}']);
    expect(targets(`insert into t (org, ${h(0)}) values ($1, ${h(1)})`)).toEqual([
      't0 root create t: always(a new row) writes {org: $1 ...}',
    ]);
    expect(targets(`insert into t (org, x) values ${h(0)}`)).toEqual([
      't0 root create t: always(a new row) writes { ...}',
    ]);
  });

  test('a query in a WITH', () => {
    expect(targets(`with x as (${h(0)}) select * from t join x on x.id = t.id where t.org = $1`)).toEqual([
      't0 root read t: (unknown(column id of x) = t0.id and t0.org = $1)',
    ]);
  });
});

describe('other statements', () => {
  test('what changes the schema becomes events, with positions', () => {
    const text = 'begin; create table t (id int); commit';
    const { events, accesses, unchecked } = lower(text);
    expect(accesses).toEqual([]);
    expect(unchecked).toEqual([]);
    expect(events).toMatchObject([{ action: { do: 'create table', table: { name: 't' } }, direction: 'up' }]);
    const span = events[0]?.span;
    expect(span && text.slice(span.start - shift, span.end - shift)).toBe('create table t (id int)');
  });

  test('a function call without tables is an access without targets', () => {
    expect(lower("select set_config('app.tenant', $1, true)").accesses).toMatchObject([
      { operation: 'read', targets: [] },
    ]);
  });

  test('what cannot be parsed is said', () => {
    expect(lower('selec * fro t')).toMatchObject({
      accesses: [],
      events: [],
      unchecked: [{ reason: 'syntax', file: 'a.ts' }],
    });
    expect(lower('')).toEqual({ accesses: [], events: [], unchecked: [] });
  });
});
