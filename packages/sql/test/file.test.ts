import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { FileFacts } from '@tenant-lint/model';
import { classifySql, extractSql } from '../src/index.js';

const extract = (text: string, file = 'migrations/001_a.sql'): FileFacts => extractSql(text, { file });
const total = (facts: FileFacts): number => {
  const { folded, query, unchecked, irrelevant } = facts.sql?.statements ?? {
    folded: -1,
    query: 0,
    unchecked: 0,
    irrelevant: {},
  };
  return folded + query + unchecked + Object.values(irrelevant).reduce((a, b) => a + b, 0);
};

describe('what a file is for', () => {
  const ddl = 'create table t (a int);';
  test.each([
    ['prisma/migrations/20240101_init/migration.sql', ddl, 'migration'],
    ['packages/db/migrations/20240101_init/migration.sql', ddl, 'migration'],
    ['supabase/migrations/2024_x.sql', 'select 1;', 'migration'],
    ['drizzle/0000_big_hulk.sql', `${ddl}\n--> statement-breakpoint\n${ddl}`, 'migration'],
    ['db/V1__init.sql', ddl, 'migration'],
    ['db/R__views.sql', 'create view v as select 1;', 'migration'],
    ['sql/000001_init.up.sql', ddl, 'migration'],
    ['sql/a.sql', `-- migrate:up\n${ddl}\n-- migrate:down\ndrop table t;`, 'migration'],
    ['sql/a.sql', `-- +goose Up\n${ddl}`, 'migration'],
    ['sql/003_users.sql', ddl, 'migration'],
    ['deploy/users.sql', `-- Deploy users to pg\nbegin;\n${ddl}`, 'migration'],
    ['verify/users.sql', `-- Verify users on pg\nselect 1;`, 'test'],
    ['sql/rls.sql', 'create policy p on t using (true);', 'migration'],
    ['db/structure.sql', `--\n-- PostgreSQL database dump\n--\n${ddl}`, 'dump'],
    ['db/schema.sql', ddl, 'dump'],
    ['supabase/migrations/1_remote.sql', `-- PostgreSQL database dump\n${ddl}`, 'migration'],
    ['supabase/seed.sql', 'insert into t values (1);', 'seed'],
    ['db/initial-rows.sql', 'insert into t values (1);', 'seed'],
    ['supabase/tests/rls.sql', ddl, 'test'],
    ['checks/rls.sql', 'begin;\nselect plan(1);\nselect ok(true);\nselect * from finish();', 'test'],
    ['queries/users.sql', 'select * from users where id = $1;', 'query'],
    ['queries/empty.sql', '', 'query'],
    ['queries/add_user.sql', 'insert into users values (1);', 'query'],
    ['sql/add.sql', '-- name: AddUser :exec\ninsert into users (id) values ($1);', 'query'],
    ['drizzle/0003_backfill.sql', 'update t set a = 1;', 'migration'],
    ['db/001_create_smoke_test.sql', ddl, 'migration'],
    ['db/users.test.sql', ddl, 'test'],
  ])('%s is a %s', (file, text, role) => {
    const found = classifySql(file, text);
    expect(found.role).toBe(role);
    expect(found.reason).not.toBe('');
  });
});

describe('up and down', () => {
  const directions = (text: string, file?: string): string[] =>
    extract(text, file).schema.map((e) => `${e.direction} ${e.action.do}`);

  test.each([
    ['dbmate', '-- migrate:up\ncreate table t (a int);\n-- migrate:down\ndrop table t;'],
    [
      'goose',
      '-- +goose Up\n-- +goose StatementBegin\ncreate table t (a int);\n-- +goose StatementEnd\n-- +goose Down\ndrop table t;',
    ],
    ['node-pg-migrate', '-- Up Migration\ncreate table t (a int);\n-- Down Migration\ndrop table t;'],
    ['bare markers', '-- UP\ncreate table t (a int);\n---- DOWN ----\ndrop table t;'],
  ])('%s', (_, text) => {
    expect(directions(text)).toEqual(['up create table', 'down drop table']);
  });

  test('whole files', () => {
    expect(directions('drop table t;', 'db/0001_a.down.sql')).toEqual(['down drop table']);
    expect(directions('drop table t;', 'db/U2__a.sql')).toEqual(['down drop table']);
    expect(directions('drop table t;', 'db/0001_a.up.sql')).toEqual(['up drop table']);
  });

  test('a marker inside a string or a sentence is none', () => {
    expect(directions("-- scale down the load\nselect '\n-- migrate:down\n';\ncreate table t (a int);")).toEqual([
      'up create table',
    ]);
  });

  test('queries of a down section are not reported', () => {
    const facts = extract('-- migrate:up\nupdate t set a = 1;\n-- migrate:down\nupdate t set a = 2;');
    expect(facts.queries).toHaveLength(1);
    expect(facts.sql?.statements.irrelevant).toEqual({ 'query of a down section': 1 });
  });
});

describe('facts', () => {
  test('numbers add up, positions are those of the text', () => {
    const text =
      '\uFEFF-- ü😀\r\ncreate table "tä" (a int);\r\nbegin;\r\ncreat x;\r\nupdate "tä" set a = 1 where a = 2;\r\n';
    const facts = extract(text);
    expect(facts.sql?.statements).toEqual({ folded: 1, query: 1, irrelevant: { transaction: 1 }, unchecked: 1 });
    expect(facts.schema.map((e) => text.slice(e.span.start, e.span.end))).toEqual(['create table "tä" (a int)']);
    expect(facts.queries.map((q) => text.slice(q.span.start, q.span.end))).toEqual([
      'update "tä" set a = 1 where a = 2',
    ]);
    expect(facts.unchecked.map((u) => [u.reason, text.slice(u.span?.start, u.span?.end)])).toEqual([
      ['syntax', 'creat x'],
    ]);
    expect(facts.lineStarts).toHaveLength(6);
    expect(facts.hash).toMatch(/^[0-9a-f]{16}$/);
  });

  test('suppressions', () => {
    const text = `-- tenant-lint-disable-next-line require-policy, no-leaking-policy -- shared by design
create table t (a int); -- tenant-lint-disable-line
/* tenant-lint-disable require-policy */
select '-- tenant-lint-enable';
-- tenant-lint-enable
-- tenant-lint-disabled`;
    expect(extract(text).directives.map(({ kind, rules, reason }) => ({ kind, rules, reason }))).toEqual([
      { kind: 'disable-next-line', rules: ['require-policy', 'no-leaking-policy'], reason: 'shared by design' },
      { kind: 'disable-line', rules: [], reason: undefined },
      { kind: 'disable', rules: ['require-policy'], reason: undefined },
      { kind: 'enable', rules: [], reason: undefined },
    ]);
  });

  test.each([
    [
      'mysql',
      'CREATE TABLE `users` (`id` int AUTO_INCREMENT, `n` varchar(10)) ENGINE=InnoDB;\nINSERT INTO `users` VALUES (1);',
    ],
    ['sqlite', 'PRAGMA foreign_keys=OFF;\nCREATE TABLE `t` (`id` integer PRIMARY KEY AUTOINCREMENT);'],
    ['clickhouse', 'CREATE TABLE t (id UInt64, s LowCardinality(String)) ENGINE = MergeTree ORDER BY id;'],
    ['tsql', 'CREATE TABLE [dbo].[t] ([id] int IDENTITY(1,1));\nGO\n'],
  ])('%s is named once, not reported as syntax errors', (dialect, text) => {
    const facts = extract(text);
    expect(facts.unchecked.map((u) => u.reason)).toEqual([`dialect:${dialect}`]);
    expect(facts.schema).toEqual([]);
    expect(total(facts)).toBe(facts.sql?.statements.unchecked);
  });

  test('a path of another database is believed, unless the text is PostgreSQL', () => {
    expect(extract('drop table t;', 'clickhouse/migrations/1.sql').unchecked[0]?.reason).toBe('dialect:clickhouse');
    expect(extract('create policy p on t using (true);', 'from-mysql/migrations/1.sql').schema).toHaveLength(1);
  });

  test('one stray backtick does not make a file of another dialect', () => {
    const facts = extract('create table a (x jsonb);\nselect 1 frm b;\nselect 2 frm c;\nselect `x`;');
    expect(facts.unchecked.map((u) => u.reason)).toEqual(['syntax', 'syntax', 'syntax']);
    expect(facts.schema).toHaveLength(1);
  });

  test.each([
    ['{{ schema }}', 'create table {{ schema }}.t (a int);'],
    ['${name}', 'create table ${name}.t (a int);'],
    ['@extschema@', 'create table @extschema@.t (a int);'],
    [':var', 'grant select on t to :app_user;'],
  ])('a template with %s is named', (_, text) => {
    const facts = extract(`${text}\ncreate table other (a int);`);
    expect(facts.unchecked.map((u) => u.reason)).toEqual(['template']);
    expect(facts.schema).toHaveLength(1);
  });

  test.each([
    ['?', 'select * from t where id = ? and org_id = ?'],
    [':name', 'select * from t where id = :id and org_id = :org'],
    ['@name', 'select * from t where id = @id and org_id = @org'],
  ])('a query file may use placeholders written %s', (_, text) => {
    const facts = extract(`-- name: Find\n${text};`, 'queries/find.sql');
    expect(facts.unchecked).toEqual([]);
    expect(facts.queries.map((q) => q.targets.length)).toEqual([1]);
    expect(JSON.stringify(facts.queries).match(/"placeholder"/g)).toHaveLength(2);
  });

  test('text that is no text', () => {
    const utf16 = [...'create table t (a int);'].map((c) => `${c}\0`).join('');
    expect(extract(utf16).unchecked.map((u) => u.reason)).toEqual(['unreadable']);
  });

  test('10 MB of inserts', () => {
    const row = `INSERT INTO users (id, tenant_id, name) VALUES (1, 2, '${'x'.repeat(50)}');\n`;
    const text = `create table users (id int);\n${row.repeat(Math.ceil(10_000_000 / row.length))}`;
    const started = performance.now();
    const facts = extract(text);
    expect(performance.now() - started).toBeLessThan(25_000);
    expect(facts.schema).toHaveLength(1);
    expect(facts.sql?.statements.irrelevant['insert of data']).toBeGreaterThan(90_000);
  }, 30_000);

  test('one insert of 10 MB', () => {
    const text = `insert into users values ${Array(400_000).fill("(1, 'abcdefghijklmnop')").join(',')};\ncreate table t (a int);`;
    const started = performance.now();
    const facts = extract(text);
    expect(performance.now() - started).toBeLessThan(25_000);
    expect(facts.schema).toHaveLength(1);
    expect(facts.unchecked).toEqual([]);
  }, 30_000);
});

describe('broken text', () => {
  const statements = [
    'create table t (id uuid primary key, org_id uuid not null references org (id), n numeric(10, 2) default 1.5);',
    "create policy p on t for all to app using (org_id = current_setting('app.org')::uuid) with check (true);",
    'create or replace function f(p uuid) returns boolean language plpgsql as $$ declare v int; begin select 1 into v from t where id = p; if v is null then return false; end if; return true; end $$;',
    'create function g() returns setof uuid language sql stable as $f$ select org_id from members where user_id = auth.uid() $f$;',
    "do $$ declare t text; begin foreach t in array array['a', 'b'] loop execute format('alter table %I enable row level security', t); end loop; end $$;",
    'alter table t add column if not exists c int, enable row level security, add constraint x foreign key (a, b) references o (a, b) on delete set null (a);',
    'with a as (select 1 as x) select * from a join lateral (select 2) b on true where a.x in (select y from c) union all select 3;',
    "insert into t (a, b) values (1, 'ä😀') on conflict (a) do update set b = excluded.b returning *;",
    'grant select, insert (a) on all tables in schema public to app;',
    "copy t from stdin;\n1\t2\n\\.\nselect set_config('search_path', 'a, b', false);",
    '-- migrate:down\n-- tenant-lint-disable-next-line x -- y\ndrop table if exists t cascade;',
  ];

  const cuts = fc.tuple(
    fc.nat(400),
    fc.nat(40),
    fc.constantFrom('', "'", '"', '$$', '(', ')', ';', '\\', '/*', '\0', '😀', '{{', '`', 'begin ', ':x'),
  );
  test('cut and mutated scripts never throw, and their numbers and spans hold', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray(statements, { minLength: 1 }),
        fc.array(cuts, { maxLength: 4 }),
        (chosen, edits) => {
          let text = chosen.join('\n');
          for (const [at, length, put] of edits) {
            const from = at % (text.length + 1);
            text = text.slice(0, from) + put + text.slice(from + length);
          }
          const facts = extract(text);
          expect(total(facts)).toBeGreaterThanOrEqual(0);
          const spans = [...facts.schema, ...facts.queries, ...facts.unchecked, ...facts.directives].flatMap(
            (x) => x.span ?? [],
          );
          for (const span of spans) {
            expect(span.start).toBeGreaterThanOrEqual(0);
            expect(span.end).toBeGreaterThanOrEqual(span.start);
            expect(span.end).toBeLessThanOrEqual(text.length);
          }
          expect(JSON.parse(JSON.stringify(facts))).toEqual(facts);
        },
      ),
      { numRuns: 400 },
    );
  }, 30_000);

  test('a body nested deeper than any program', () => {
    const blocks = `do $$ ${'begin '.repeat(10_000)} null; ${'end; '.repeat(10_000)} $$;\ncreate table t (a int);`;
    const facts = extract(blocks);
    expect(facts.schema.map((e) => e.action.do)).toEqual(['create table']);
    expect(facts.unchecked).toHaveLength(1);
    const operators = `create function f() returns int language plpgsql as $$ begin return ${Array(10_000).fill('1').join('+')}; end $$;`;
    const [event] = extract(operators).schema;
    expect(event?.action.do === 'create function' && event.action.function.body.known).toBe(false);
  });
});
