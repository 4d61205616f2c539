import type { Node } from '@pgsql/types';
import { describe, expect, test } from 'vitest';
import type { Predicate, Value } from '@tenant-lint/model';
import {
  checkScope,
  functionBodyScope,
  lowerCondition,
  lowerExpression,
  policyScope,
  type Parameters,
  type Scope,
} from '../src/lower/index.js';
import { parseSql } from '../src/parser/index.js';
import { showPredicate, showValue } from './render.js';

/** The expression of `select <expression>` with the scope that `scope` makes for it. */
function parsed<T>(
  expression: string,
  use: (node: Node, statement: { start: number; text: string; offset(b: number): number }) => T,
): T {
  const [statement] = parseSql(`select ${expression}`).statements;
  const [item] = statement?.node && 'SelectStmt' in statement.node ? (statement.node.SelectStmt.targetList ?? []) : [];
  const node = item && 'ResTarget' in item ? item.ResTarget.val : undefined;
  if (!statement || !node) throw new Error(`not parsed: ${expression}`);
  return use(node, statement);
}

const docs = { schema: 'app', name: 'docs' };
const condition = (sql: string, scope?: Scope): Predicate =>
  parsed(sql, (node, statement) => lowerCondition(node, scope ?? policyScope('p.sql', docs, statement)));
const value = (sql: string): Value =>
  parsed(sql, (node, statement) => lowerExpression(node, checkScope('p.sql', docs, statement)));
const shown = (sql: string): string => showPredicate(condition(sql));

describe('values', () => {
  test.each([
    ['1', '1'],
    ['0', '0'],
    ['-7', '-7'],
    ['1.5', '1.5'],
    ['99999999999999999999', "'99999999999999999999'"],
    ["''", "''"],
    ["E'a\\'b'", "'a'b'"],
    ['null', 'null'],
    ['false', 'false'],
    ['$3', '$3'],
    ['id', 'self.id'],
    ['docs.id', 'self.id'],
    ['app.docs.id', 'self.id'],
    ['other.id', 'unknown(no table other in scope)'],
    ["'5f'::uuid", "cast:uuid('5f')"],
    ['cast(id as varchar(20))', 'cast:character varying(self.id)'],
    ['x::int4[]', 'cast:integer[](self.x)'],
    ["current_setting('App.Tenant_Id')", 'setting(app.tenant_id)'],
    ["current_setting('app.t'::text, true)", 'setting(app.t?)'],
    ["current_setting('app.t', false)", 'setting(app.t)'],
    ["current_setting('app.' || kind)", "current_setting(||('app.', self.kind))"],
    ["nullif(current_setting('app.t', true), '')::uuid", "cast:uuid(nullif(setting(app.t?), ''))"],
    ['coalesce(a, b, 1)', 'coalesce(self.a, self.b, 1)'],
    ['greatest(a, 1)', 'greatest(self.a, 1)'],
    ['least(a, 1)', 'least(self.a, 1)'],
    ['lower(name)', 'lower(self.name)'],
    ['Auth.UID()', 'auth.uid()'],
    ['(select auth.uid())', 'auth.uid()'],
    ['(select (select auth.uid()))::text', 'cast:text(auth.uid())'],
    ['current_user', 'current_user()'],
    ['user', 'current_user()'],
    ['session_user', 'session_user()'],
    ['now()', 'now()'],
    ['extract(year from d)', "extract('year', self.d)"],
    ["auth.jwt() -> 'app_metadata' ->> 'org'", "->>(->(auth.jwt(), 'app_metadata'), 'org')"],
    ['array[1, x]', '[1, self.x]'],
    ['tags[1]', 'self.tags[1]'],
    ['tags[i]', 'self.tags[*]'],
    ['tags[1:2]', 'slice(self.tags)'],
    ['(owner).id', 'self.owner[id]'],
    ["string_to_array(x, ',')", "string_to_array(self.x, ',')"],
    ['f(a => 1)', 'f(1)'],
    ['name collate "C"', 'self.name'],
    ['row(a, 1)', 'row(self.a, 1)'],
    ["case when a then 'x' when b = 1 then 'y' end", "(<self.a> ? 'x' : (self.b = 1 ? 'y' : null))"],
    ["case a when 1 then 'x' else 'y' end", "(self.a = 1 ? 'x' : 'y')"],
    ['a = 1', 'self.a = 1'],
    ['a + 1', '+(self.a, 1)'],
    ['default_value is null', 'self.default_value is null'],
  ])('%s', (sql, expected) => expect(showValue(value(sql))).toBe(expected));
});

describe('conditions', () => {
  test.each([
    ['tenant_id = 1', 'self.tenant_id = 1'],
    ['1 = tenant_id', '1 = self.tenant_id'],
    ['tenant_id != 1', 'self.tenant_id <> 1'],
    ['a operator(pg_catalog.=) 1', 'self.a = 1'],
    ['a = 1 and b = 2 and c', '(self.a = 1 and self.b = 2 and <self.c>)'],
    ['a = 1 or b = 2', '(self.a = 1 or self.b = 2)'],
    ['a = 1 or true', 'always(TRUE)'],
    ['a = 1 and false', 'never'],
    ['not a', 'not <self.a>'],
    ['not not a', '<self.a>'],
    ['true', 'always(TRUE)'],
    ['null', '<null>'],
    ['is_admin()', '<is_admin()>'],
    ['(select is_admin())', '<is_admin()>'],
    ['a is null', 'self.a is null'],
    ['a is not null', 'not self.a is null'],
    ['(a, b) is null', '(self.a is null and self.b is null)'],
    ['a is true', '(<self.a> is true)'],
    ['(a = 1) is not false', 'not (self.a = 1 is false)'],
    ['a is unknown', '(<self.a> is unknown)'],
    ['a is distinct from 1', 'self.a is distinct from 1'],
    ['a is not distinct from 1', 'self.a is not distinct from 1'],
    ["a like 'x%'", "self.a like 'x%'"],
    ["a not like 'x%'", "self.a not like 'x%'"],
    ["a ilike 'x'", "self.a ilike 'x'"],
    ["a !~~* 'x'", "self.a not ilike 'x'"],
    ["a ~ '^x'", "self.a ~ '^x'"],
    ["tags @> '{x}'", "self.tags @> '{x}'"],
    ["data ? 'k'", "self.data ? 'k'"],
    ['a between 1 and 2', '(self.a >= 1 and self.a <= 2)'],
    ['a not between 1 and 2', 'not (self.a >= 1 and self.a <= 2)'],
    ['a between symmetric 1 and 2', '((self.a >= 1 and self.a <= 2) or (self.a >= 2 and self.a <= 1))'],
    ['a in (1, 2)', 'self.a in [1, 2]'],
    ['a not in (1, b)', 'not self.a in [1, self.b]'],
    ['a = any(array[1, 2])', 'self.a in [1, 2]'],
    ["a = any('{1,2}'::int[])", "self.a in [cast:integer[]('{1,2}')[*] ...]"],
    ['a = any($1)', 'self.a in [$1[*] ...]'],
    ['$1 = any(members)', '$1 in [self.members[*] ...]'],
    ['a <> all($1)', 'not self.a in [$1[*] ...]'],
    ['a <> any(array[1, 2])', '(self.a <> 1 or self.a <> 2)'],
    ['a > all(array[1, 2])', '(self.a > 1 and self.a > 2)'],
    ['a > all($1)', 'self.a > all $1[*]'],
    ["a like any(array['x', 'y'])", "(self.a like 'x' or self.a like 'y')"],
    ['a in (select unnest($1))', 'self.a in [$1[*] ...]'],
    ['(a, b) = (1, 2)', '(self.a = 1 and self.b = 2)'],
    ['(a, b) <> (1, 2)', '(self.a <> 1 or self.b <> 2)'],
    ['(a, b) >= (1, 2)', '(self.a > 1 or (self.a = 1 and self.b >= 2))'],
    ['(a, b) in ((1, 2), (3, 4))', '((self.a = 1 and self.b = 2) or (self.a = 3 and self.b = 4))'],
    ['(a, b) = (select m.x, m.y from m)', '(self.a, self.b) in {t0.x, t0.y from t0:m where always(no condition)}'],
    ['case when a then b = 1 else false end', 'case <self.a> -> self.b = 1 else never'],
    ['case when a then true end', 'case <self.a> -> always(TRUE) else <null>'],
    ['coalesce(a = 1, false)', '<coalesce(self.a = 1, false)>'],
    ['a = any(select m.x from m)', '(self.a) in {t0.x from t0:m where always(no condition)}'],
    ['a <> all(select m.x from m)', 'not (self.a) in {t0.x from t0:m where always(no condition)}'],
    ['a > any(select m.x from m where m.y)', 'exists {t0.x from t0:m where (<t0.y> and self.a > t0.x)}'],
    ['a > all(select m.x from m)', 'unknown(> ALL over a sub-select)'],
  ])('%s', (sql, expected) => expect(shown(sql)).toBe(expected));

  test('text against text with an operator of a schema of its own', () => {
    expect(shown('a operator(ext.=) 1')).toBe('self.a ext.= 1');
  });
});

describe('policies', () => {
  test('a name inside a sub-query may be of its own table: it stays open, innermost first', () => {
    expect(
      shown('exists (select 1 from members m where m.tenant_id = tenant_id and m.user_id = (select auth.uid()))'),
    ).toBe('exists {1 from t0:members where (t0.tenant_id = {t0 | self}.tenant_id and t0.user_id = auth.uid())}');
    expect(shown('exists (select 1 from members m where m.tenant_id = docs.tenant_id)')).toBe(
      'exists {1 from t0:members where t0.tenant_id = self.tenant_id}',
    );
  });

  test('the selected column of IN may be the outer one', () => {
    expect(shown('tenant_id in (select tenant_id from members where user_id = auth.uid())')).toBe(
      '(self.tenant_id) in {{t0 | self}.tenant_id from t0:members where {t0 | self}.user_id = auth.uid()}',
    );
  });

  test('two tables inside, then the row', () => {
    expect(shown('exists (select 1 from a join b on b.id = a.b where org = docs.org)')).toBe(
      'exists {1 from t0:a, t1:b where (t1.id = t0.b and {t0 t1 | self}.org = self.org)}',
    );
  });

  test('an inner table of the same name hides the row', () => {
    expect(shown('exists (select 1 from docs where docs.id = 1)')).toBe('exists {1 from t0:docs where t0.id = 1}');
  });

  test('what the sub-select surely has ends the search', () => {
    expect(shown('exists (select 1 from (select m.org as o from m) x where o = 1)')).toBe(
      'exists {1 from t0:m where t0.org = 1}',
    );
  });

  test('references of one expression are unique', () => {
    expect(shown('a in (select m.x from m) or b in (select n.x from n)')).toBe(
      '((self.a) in {t0.x from t0:m where always(no condition)} or (self.b) in {t1.x from t1:n where always(no condition)})',
    );
  });
});

describe('functions', () => {
  const parameters: Parameters = {
    function: 'can_read',
    values: new Map<string, Value>([
      ['p_org', { kind: 'placeholder', name: '1' }],
      ['id', { kind: 'placeholder', name: '2' }],
      ['cfg', { kind: 'unknown', reason: 'variable cfg' }],
    ]),
    rows: new Map([['new', 'new']]),
  };
  const body = (sql: string): string =>
    parsed(sql, (node, statement) =>
      showValue(lowerExpression(node, functionBodyScope('f.sql', parameters, statement))),
    );

  test.each([
    ['p_org', '$1'],
    ['$2', '$2'],
    ['can_read.p_org', '$1'],
    ['new.org', 'new.org'],
    ['cfg.x', 'unknown(variable cfg)[x]'],
    ['nothing', 'unknown(no table in scope has a column nothing)'],
  ])('%s', (sql, expected) => expect(body(sql)).toBe(expected));

  test('a column wins over a parameter of its name', () => {
    expect(body('exists (select 1 from m where m.id = id and m.org = p_org)')).toBe(
      'exists {1 from t0:m where (t0.id = {t0}.id else $2 and t0.org = {t0}.p_org else $1)}',
    );
  });
});
