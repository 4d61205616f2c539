import { describe, expect, test } from 'vitest';
import type { Access } from '@tenant-lint/model';
import { lowerStatement } from '../src/lower/index.js';
import { parseSql } from '../src/parser/index.js';
import { showTargets, showValue } from './render.js';

function lower(sql: string): Access {
  const [statement, ...more] = parseSql(sql).statements;
  if (!statement?.node || more.length > 0) throw new Error(`not one statement: ${statement?.error?.message ?? sql}`);
  const access = lowerStatement(statement, { file: 'q.sql', id: 'q.sql#q0', library: 'sql' });
  if (!access || 'unknown' in access) throw new Error(`not lowered: ${access?.unknown ?? 'no query'}`);
  return access;
}
const targets = (sql: string): string[] => showTargets(lower(sql));
const root = (sql: string): string => targets(sql)[0] ?? '';

describe('select', () => {
  test('a table and its condition', () => {
    const access = lower('SELECT * FROM billing.Invoices i WHERE i.tenant_id = $1');
    expect(showTargets(access)).toEqual(['t0 root read billing.invoices i: t0.tenant_id = $1']);
    expect(access).toMatchObject({ id: 'q.sql#q0', library: 'sql', method: 'select', operation: 'read' });
    expect(access.client).toMatchObject({ kind: 'plain' });
    expect(access.targets[0]).toMatchObject({ cardinality: 'many' });
    expect(access.targets[0]).not.toHaveProperty('columns');
  });

  test('no condition is said', () => expect(root('select 1 from a')).toBe('t0 root read a: always(no condition)'));

  test('quoted names keep their case, others are folded', () => {
    expect(root('select * from "Member" WHERE "tenantId" = $1 AND Name = 1')).toBe(
      't0 root read Member: (t0.tenantId = $1 and t0.name = 1)',
    );
  });

  test('LIMIT 1 and FOR UPDATE change nothing', () => {
    expect(targets('select * from a where org = $1 limit 1 for update')).toEqual(['t0 root read a: t0.org = $1']);
    expect(lower('select * from a where org = $1 limit 1').targets[0]?.cardinality).toBe('many');
  });

  test('HAVING binds rows too', () => {
    expect(root('select org, count(*) from a group by org having org = $1')).toBe('t0 root read a: t0.org = $1');
  });

  test('the columns that are shown', () => {
    expect(lower('select a.x, lower(y) from a').targets[0]?.columns).toEqual(['x', 'y']);
    expect(lower('select count(*) from a where z = 1').targets[0]?.columns).toEqual([]);
    expect(lower('select b.* from a, b').targets.map((t) => t.columns)).toEqual([[], undefined]);
  });

  test('the output, for what reads a view', () => {
    const output = lower('select a.*, o.tenant_id as org, count(*) from a join o on o.id = a.o').output;
    expect(output).toEqual([
      { star: ['t0'] },
      { name: 'org', value: expect.objectContaining({ target: 't1', column: 'tenant_id' }) },
      { name: 'count', value: { kind: 'apply', function: 'count', to: [] } },
    ]);
  });

  test('statements that only wrap a query', () => {
    expect(root('explain analyze select * from a where x = 1')).toBe('t0 root read a: t0.x = 1');
    expect(root('prepare p as select * from a where x = $1')).toBe('t0 root read a: t0.x = $1');
    expect(root('declare c cursor for select * from a where x = 1')).toBe('t0 root read a: t0.x = 1');
    expect(root('copy (select * from a where x = 1) to stdout')).toBe('t0 root read a: t0.x = 1');
    expect(root('copy a from stdin')).toBe('t0 root create a: always(a new row) writes { ...}');
  });

  test('what is no query is not lowered', () => {
    const [statement] = parseSql('create table a (id int)').statements;
    expect(statement && lowerStatement(statement, { file: 'f', id: 'q', library: 'sql' })).toBeUndefined();
  });
});

describe('joins', () => {
  test('inner: ON and WHERE bind both sides', () => {
    expect(targets('select 1 from a join b on b.id = a.b_id and b.org = $1 where a.x = 2')).toEqual([
      't0 root read a: (t1.id = t0.b_id and t1.org = $1 and t0.x = 2)',
      't1 join read b: (t1.id = t0.b_id and t1.org = $1 and t0.x = 2)',
    ]);
  });

  test('left: ON binds only the optional side', () => {
    expect(targets('select 1 from a left join b on b.id = a.b_id and b.org = $1 where a.org = $1')).toEqual([
      't0 root read a: t0.org = $1',
      't1 join read b: (t1.id = t0.b_id and t1.org = $1 and t0.org = $1)',
    ]);
  });

  test('left: a condition on the optional side that NULL cannot pass makes it inner', () => {
    expect(root('select 1 from a left join b on b.id = a.b_id where b.org = $1')).toBe(
      't0 root read a: (t1.id = t0.b_id and t1.org = $1)',
    );
    expect(root('select 1 from a left join b on b.id = a.b_id where b.org is null')).toBe(
      't0 root read a: t1.org is null',
    );
    expect(root('select 1 from a left join b on b.id = a.b_id where b.org is not distinct from $1')).toBe(
      't0 root read a: t1.org is not distinct from $1',
    );
  });

  test('right and full', () => {
    expect(targets('select 1 from a right join b on a.id = b.a_id and a.org = 1 where b.x')).toEqual([
      't0 root read a: (t0.id = t1.a_id and t0.org = 1 and <t1.x>)',
      't1 join read b: <t1.x>',
    ]);
    expect(targets('select 1 from a full join b on a.id = b.id')).toEqual([
      't0 root read a: always(no condition)',
      't1 join read b: always(no condition)',
    ]);
  });

  test('nested: an outer join inside an inner one', () => {
    expect(targets('select 1 from (a left join b on b.a = a.id) join c on c.a = a.id and c.org = $1')).toEqual([
      't0 root read a: (t2.a = t0.id and t2.org = $1)',
      't1 join read b: (t1.a = t0.id and t2.a = t0.id and t2.org = $1)',
      't2 join read c: (t2.a = t0.id and t2.org = $1)',
    ]);
  });

  test('comma, USING and NATURAL', () => {
    expect(root('select 1 from a, b where a.id = b.a and b.org = $1')).toBe(
      't0 root read a: (t0.id = t1.a and t1.org = $1)',
    );
    expect(root('select 1 from a join b using (org, id) where org = $1')).toBe(
      't0 root read a: (t0.org = t1.org and t0.id = t1.id and t0.org = $1)',
    );
    expect(root('select 1 from a natural join b')).toBe('t0 root read a: unknown(natural join)');
  });

  test('a name without qualifier stays open between the tables in scope', () => {
    expect(root('select 1 from a join b on true where org = $1')).toBe('t0 root read a: {t0 t1}.org = $1');
  });

  test('an unknown qualifier', () => {
    expect(root('select 1 from a x where a.id = 1')).toBe('t0 root read a x: unknown(no table a in scope) = 1');
  });
});

describe('sub-queries', () => {
  test('EXISTS: its table is a target, bound by its own condition and the other outer ones', () => {
    expect(targets('select 1 from a where exists (select 1 from m where m.a = a.id) and a.org = $1')).toEqual([
      't0 root read a: (exists {1 from t1:m where t1.a = t0.id} and t0.org = $1)',
      't1 subquery read m: (t1.a = t0.id and t0.org = $1)',
    ]);
  });

  test('IN, NOT IN and rows; names look inside first', () => {
    expect(targets('select 1 from a where id in (select a_id from m where u = $1)')).toEqual([
      't0 root read a: (t0.id) in {{t1 | t0}.a_id from t1:m where {t1 | t0}.u = $1}',
      't1 subquery read m: {t1 | t0}.u = $1',
    ]);
    expect(root('select 1 from a where (org, id) not in (select m.org, m.id from m)')).toBe(
      't0 root read a: not (t0.org, t0.id) in {t1.org, t1.id from t1:m where always(no condition)}',
    );
  });

  test('= ANY (ARRAY(SELECT)), scalar sub-query, select list', () => {
    expect(root('select 1 from a where id = any(array(select m.a from m))')).toBe(
      't0 root read a: (t0.id) in {t1.a from t1:m where always(no condition)}',
    );
    expect(root('select 1 from a where id = (select max(m.a) from m where m.org = $1)')).toBe(
      't0 root read a: t0.id = select {max(t1.a) from t1:m where t1.org = $1}',
    );
    expect(targets('select (select m.name from m where m.id = a.m) from a where a.org = $1')).toEqual([
      't0 root read a: t0.org = $1',
      't1 subquery read m: (t1.id = t0.m and t0.org = $1)',
    ]);
  });

  test('a union inside IN', () => {
    expect(root('select 1 from a where id in (select b.x from b union select c.y from c where c.org = $1)')).toBe(
      't0 root read a: (t0.id) in {{t1.x from t1:b where always(no condition)} union {t2.y from t2:c where t2.org = $1}}',
    );
  });

  test('EXCEPT inside IN says less than its left side', () => {
    expect(root('select 1 from a where id in (select b.x from b except select c.x from c)')).toBe(
      't0 root read a: (t0.id) in {t1.x from t1:b where unknown(except)}',
    );
  });

  test('an outer join inside EXISTS: the optional table is no condition', () => {
    expect(root('select 1 from a where exists (select 1 from b left join c on c.b = b.id where b.a = a.id)')).toBe(
      't0 root read a: exists {1 from t1:b where t1.a = t0.id}',
    );
    expect(root('select 1 from a where exists (select 1 from b left join c on c.b = b.id where c.id is null)')).toBe(
      't0 root read a: exists {1 from t1:b where unknown(outer join)}',
    );
  });

  test('EXISTS over an aggregate always holds', () => {
    expect(root('select 1 from a where exists (select count(*) from b where b.org = a.org)')).toBe(
      't0 root read a: always(EXISTS over an aggregate holds for every row)',
    );
  });
});

describe('sub-selects and common table expressions', () => {
  test('conditions outside reach through renamed columns', () => {
    expect(targets('select 1 from (select id as i, org as o from a where x) d where d.o = $1 and i = 2')).toEqual([
      't0 subquery read a: (<t0.x> and t0.org = $1 and t0.id = 2)',
    ]);
    expect(targets('with c(i, o) as (select id, org from a) select * from c where o = $1')).toEqual([
      't0 cte read a: t0.org = $1',
    ]);
  });

  test('through stars, several levels deep', () => {
    expect(targets('select * from (select * from (select * from a) b) c where c.org = $1')).toEqual([
      't0 subquery read a: t0.org = $1',
    ]);
  });

  test('each reference to a common table expression yields rows of its own', () => {
    expect(targets('with c as (select * from a) select 1 from c x, c y where x.org = $1 and y.id = x.id')).toEqual([
      't0 cte read a: (t0.org = $1 and t1.id = t0.id)',
      't1 cte read a: (t0.org = $1 and t1.id = t0.id)',
    ]);
    expect(targets('with c as (select * from a) select * from c where org = $1 union all select * from c')).toEqual([
      't0 cte read a: t0.org = $1',
      't1 cte read a: always(no condition)',
    ]);
  });

  test('a name of an expression hides the table, and the table the later one', () => {
    expect(targets('with a as (select * from a where org = $1) select * from a')).toEqual([
      't0 cte read a: t0.org = $1',
    ]);
    expect(targets('with b as (select 1) select * from x.b')).toContain('t0 root read x.b: always(no condition)');
  });

  test('an expression that nothing references is read all the same', () => {
    expect(targets('with c as (select * from a) select 1 from b')).toEqual([
      't0 root read b: always(no condition)',
      't1 cte read a: always(no condition)',
    ]);
  });

  test('grouped columns bind rows, aggregates do not', () => {
    expect(targets('select 1 from (select org, max(x) m from a group by org) d where d.org = $1 and d.m = 3')).toEqual([
      't0 subquery read a: (t0.org = $1 and max(t0.x) = 3)',
    ]);
  });

  test('a sub-select that aggregates everything says nothing about others', () => {
    expect(targets('select 1 from b, (select count(*) c from a where org = $1) d')).toEqual([
      't0 root read b: always(no condition)',
      't1 subquery read a: t1.org = $1',
    ]);
  });

  test('what is inside binds what is joined to it, unless the join is outer', () => {
    expect(targets('select 1 from b join (select * from a where org = $1) d on d.id = b.a')).toEqual([
      't0 root read b: (t1.id = t0.a and t1.org = $1)',
      't1 subquery read a: (t1.org = $1 and t1.id = t0.a)',
    ]);
    expect(root('select 1 from b left join (select * from a where org = $1) d on d.id = b.a')).toBe(
      't0 root read b: always(no condition)',
    );
  });

  test('lateral', () => {
    expect(targets('select 1 from a, lateral (select * from b where b.a = a.id limit 3) l where a.org = $1')).toEqual([
      't0 root read a: (t1.a = t0.id and t0.org = $1)',
      't1 subquery read b: (t1.a = t0.id and t0.org = $1)',
    ]);
    expect(targets('select 1 from a, (select * from b where b.a = a.id) l')).toContain(
      't1 subquery read b: t1.a = unknown(no table a in scope)',
    );
  });

  test('recursive: the second arm starts from rows of the first', () => {
    expect(
      targets(`with recursive tree as (
        select * from cat where id = $1 and org = $2
        union all select c.* from cat c join tree t on c.parent = t.id)
      select * from tree`),
    ).toEqual([
      't0 cte read cat: (t0.id = $1 and t0.org = $2)',
      't1 cte read cat c: (t1.parent = t0.id and t0.id = $1 and t0.org = $2)',
    ]);
  });

  test('functions and VALUES are no tables', () => {
    expect(targets('select 1 from unnest($1::uuid[]) u(id) join a on a.id = u.id')).toEqual([
      't0 join read a: t0.id = cast:uuid[]($1)[*]',
    ]);
    expect(targets("select 1 from (values (1, 'x'), (2, 'y')) v(id, n) join a on a.id = v.id")).toEqual([
      't0 join read a: t0.id = one(1, 2)',
    ]);
    expect(targets('select * from generate_series(1, 3)')).toEqual([]);
  });
});

describe('unions', () => {
  test('arms are targets of their own', () => {
    expect(targets('select * from a where org = $1 union select * from b')).toEqual([
      't0 union-arm read a: t0.org = $1',
      't1 union-arm read b: always(no condition)',
    ]);
  });

  test('a condition outside reaches each arm by its own column', () => {
    expect(
      targets('select 1 from (select id, org from a union all select key, tenant from b) u where u.org = $1'),
    ).toEqual(['t0 subquery read a: t0.org = $1', 't1 subquery read b: t1.tenant = $1']);
    expect(targets('select 1 from (select * from a union select * from b) u where u.org = $1')).toEqual([
      't0 subquery read a: t0.org = $1',
      't1 subquery read b: t1.org = $1',
    ]);
  });

  test('what is joined to a union is bound by one arm or the other, each with its conditions', () => {
    expect(
      targets('select 1 from (select id from a where org = $1 union select id from b) u join c on c.id = u.id')[2],
    ).toBe('t2 join read c: ((t2.id = t0.id and t0.org = $1) or t2.id = t1.id)');
  });

  test('a union of unions, and EXCEPT', () => {
    expect(
      targets('select 1 from (select x from a union select x from b union select x from c) u where u.x = $1'),
    ).toEqual(['t0 subquery read a: t0.x = $1', 't1 subquery read b: t1.x = $1', 't2 subquery read c: t2.x = $1']);
    expect(targets('select x from a except select x from b')).toHaveLength(2);
  });
});

describe('writes', () => {
  test('INSERT with columns', () => {
    const access = lower('insert into a (x, org) values ($1, default) returning id');
    expect(showTargets(access)).toEqual(['t0 root create a: always(a new row) writes {x: $1}']);
    expect(access).toMatchObject({ operation: 'create', method: 'insert' });
    expect(access.targets[0]).toMatchObject({ cardinality: 'one', columns: ['id'] });
  });

  test('INSERT without columns, with several rows, of defaults', () => {
    expect(root('insert into a values (1, 2)')).toBe('t0 root create a: always(a new row) writes { ...}');
    expect(root('insert into a (x, y) values (1, 2), (3, default)')).toBe(
      't0 root create a: always(a new row) writes {x: one(1, 3), y: one(2, unknown(DEFAULT))}',
    );
    expect(root('insert into a default values')).toBe('t0 root create a: always(a new row) writes {}');
  });

  test('INSERT ... SELECT', () => {
    expect(targets('insert into a (x, org) select b.id, b.org from b where b.org = $1')).toEqual([
      't0 root create a: t1.org = $1 writes {x: t1.id, org: t1.org}',
      't1 subquery read b: t1.org = $1',
    ]);
    expect(root('insert into a (x, y) select * from b')).toBe(
      't0 root create a: always(a new row) writes {x: unknown(column of SELECT *), y: unknown(column of SELECT *)}',
    );
  });

  test('ON CONFLICT: the row reached equals the new one in the arbiter', () => {
    expect(
      root('insert into a (slug, org) values ($1, $2) on conflict (slug) do update set org = excluded.org where a.z'),
    ).toBe('t0 root upsert a: (t0.slug = $1 and <t0.z>) writes {slug: $1, org: $2} updates {org: $2} conflict [slug]');
    expect(root('insert into a (slug) values ($1) on conflict (org, slug) do nothing')).toBe(
      't0 root create a: always(a new row) writes {slug: $1} conflict [org, slug]',
    );
    expect(root('insert into a (x) values (1) on conflict on constraint a_key do update set x = a.x + 1')).toBe(
      't0 root upsert a: unknown(conflict on constraint a_key) writes {x: 1} updates {x: +(t0.x, 1)} conflict a_key',
    );
    expect(root('insert into a (x) values (1) on conflict (lower(email)) do nothing')).toContain('conflict [email]');
  });

  test('UPDATE ... FROM and sub-select assignments', () => {
    expect(targets('update a set x = b.y, org = $2 from b where b.id = a.b and a.org = $1')).toEqual([
      't0 root update a: (t1.id = t0.b and t0.org = $1) writes {x: t1.y, org: $2}',
      't1 join read b: (t1.id = t0.b and t0.org = $1)',
    ]);
    expect(root('update a set (x, y) = (select b.p, b.q from b where b.id = a.b)')).toBe(
      't0 root update a: always(no condition) writes {x: select {t1.p from t1:b where t1.id = t0.b}, y: select {t2.q from t2:b where t2.id = t0.b}}',
    );
  });

  test('DELETE ... USING and RETURNING', () => {
    expect(targets('delete from a using b where a.id = b.a returning old.id, b.z')).toEqual([
      't0 root delete a: t0.id = t1.a',
      't1 join read b: t0.id = t1.a',
    ]);
    expect(lower('delete from a using b where a.id = b.a returning old.id, b.z').targets.map((t) => t.columns)).toEqual(
      [['id'], ['z']],
    );
    expect(root('delete from a where current of c')).toContain('unknown(WHERE CURRENT OF a cursor)');
  });

  test('MERGE: one target for each WHEN', () => {
    expect(
      targets(`merge into a using (select * from b where org = $1) s on a.id = s.id
        when matched and s.gone then delete when matched then update set x = s.x
        when not matched then insert (id, org) values (s.id, $1)`),
    ).toEqual([
      't0 root delete a: (t0.id = t1.id and t1.org = $1 and <t1.gone>)',
      't2 root update a: (t2.id = t1.id and t1.org = $1) writes {x: t1.x}',
      't3 root create a: t1.org = $1 writes {id: t1.id, org: $1}',
      't1 subquery read b: t1.org = $1',
    ]);
  });

  test('data-modifying expressions run once; their rows carry their condition', () => {
    const access = lower('with g as (delete from a where org = $1 returning id) insert into log (a) select id from g');
    expect(showTargets(access)).toEqual([
      't1 root create log: t0.org = $1 writes {a: t0.id}',
      't0 cte delete a: t0.org = $1',
    ]);
    expect(access.operation).toBe('create');
    expect(targets('with u as (update a set x = 1 returning *) select * from u where org = $1')).toEqual([
      't0 cte update a: always(no condition) writes {x: 1}',
    ]);
  });

  test('TRUNCATE', () => {
    const access = lower('truncate a, s.b cascade');
    expect(showTargets(access)).toEqual([
      't0 root truncate a: always(TRUNCATE removes every row)',
      't1 root truncate s.b: always(TRUNCATE removes every row)',
    ]);
    expect(access.operation).toBe('truncate');
  });
});

describe('positions', () => {
  const text =
    "-- größe 🦉\nselect 'ü🦉', x from a -- ä\n where  a.org = lower( $1 ) and (b in (1, 2)) and c is not null";

  test('targets and conditions after characters of several bytes', () => {
    const [target] = lower(text).targets;
    const at = (span: { start: number; end: number } | undefined): string | undefined =>
      span && text.slice(span.start, span.end);
    expect(at(target?.span)).toBe('a');
    const parts = target?.predicate.kind === 'and' ? target.predicate.of : [];
    const spans = parts.map((p) =>
      at(p.kind === 'not' ? (p.of.kind === 'null' ? p.of.span : undefined) : 'span' in p ? p.span : undefined),
    );
    expect(spans).toEqual(['a.org = lower( $1 )', 'b in (1, 2)', 'c is not null']);
  });

  test('the statement, with others around it', () => {
    const script = 'select 1;\n\nselect * from a;';
    const second = parseSql(script).statements[1];
    const access = second && lowerStatement(second, { file: 'f', id: 'q', library: 'sql' });
    expect(access && 'span' in access && script.slice(access.span.start, access.span.end)).toBe('select * from a');
  });
});

describe('bounds', () => {
  test('references that multiply end in a reason', () => {
    const ctes = Array.from({ length: 12 }, (_, i) => `c${i + 1} as (select * from c${i} a, c${i} b)`);
    const sql = `with c0 as (select * from t), ${ctes.join(', ')} select * from c12`;
    const [statement] = parseSql(sql).statements;
    expect(statement && lowerStatement(statement, { file: 'f', id: 'q', library: 'sql' })).toEqual({
      unknown: 'more than 400 tables in one statement',
    });
  });

  test('many unions joined end in a reason, not in a product', () => {
    const unions = Array.from({ length: 8 }, (_, i) => `(select x from a union select x from b) u${i}`);
    const joined = unions.map((_, i) => `c.x${i} = u${i}.x`).join(' and ');
    const last = targets(`select 1 from ${unions.join(', ')}, c where ${joined}`).at(-1);
    expect(last).toBe('t16 join read c: unknown(too many unions in one statement)');
  });

  test('the values of the output', () => {
    const [first] = lower('select u.x from (select x from a union select y from b) u').output ?? [];
    expect(first && 'value' in first && showValue(first.value)).toBe('one(t0.x, t1.y)');
  });
});

test('a union in a condition yields rows by its arms only', () => {
  const { predicate } =
    lower('select 1 from a where id in (select b.x from b union select c.x from c)').targets[0] ?? {};
  expect(predicate).toMatchObject({ kind: 'in-query', query: { targets: [], condition: { kind: 'never' } } });
  expect(predicate?.kind === 'in-query' && predicate.query.arms?.map((arm) => arm.targets.map((t) => t.ref))).toEqual([
    ['t1'],
    ['t2'],
  ]);
});
