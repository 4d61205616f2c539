import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mapPredicate, type Predicate, type Value } from '@tenant-lint/model';
import { foldSchema } from '../src/fold/index.js';
import { compareMigrations } from '../src/fold/order.js';
import { factsOf, fold, foldSql, tableIn } from './fold-support.js';

/** `target.column` of every column a condition reads, unresolved ones with a question mark. */
function columnsOf(predicate: Predicate | undefined): string[] {
  const found: string[] = [];
  const note = (value: Value): Value => {
    if (value.kind === 'column') found.push(`${value.target ?? '?'}.${value.column}`);
    return value;
  };
  if (predicate) mapPredicate(predicate, note);
  return found;
}

describe('order of migrations', () => {
  const ordered = (...names: string[]): string[] => [...names].sort(compareMigrations);

  it('numbers count by value', () => {
    expect(ordered('10_c.sql', '2_b.sql', '1_a.sql')).toEqual(['1_a.sql', '2_b.sql', '10_c.sql']);
    expect(ordered('0010_c.sql', '0009_b.sql')).toEqual(['0009_b.sql', '0010_c.sql']);
  });

  it('Flyway: versions of several parts, repeatable migrations last', () => {
    expect(ordered('R__views.sql', 'V10__c.sql', 'V2_1__b2.sql', 'V2__b.sql', 'V1.5__a.sql')).toEqual([
      'V1.5__a.sql',
      'V2__b.sql',
      'V2_1__b2.sql',
      'V10__c.sql',
      'R__views.sql',
    ]);
  });

  it('dates of different length compare as text, as Prisma does', () => {
    expect(
      ordered('20241231_b/migration.sql', '20241230101010_a/migration.sql', '202310311254_z/migration.sql'),
    ).toEqual(['202310311254_z/migration.sql', '20241230101010_a/migration.sql', '20241231_b/migration.sql']);
  });

  it('applies the files of a history in order, however they are handed over', () => {
    const files = {
      'db/migrations/V10__drop.sql': 'alter table t drop column b;',
      'db/migrations/V2__add.sql': 'alter table t add column b int, add column c int;',
      'db/migrations/V1__init.sql': 'create table t (a int);',
    };
    const there = foldSchema(factsOf(files));
    const back = foldSchema([...factsOf(files)].reverse());
    expect([...tableIn(there, 'public.t').columns.keys()]).toEqual(['a', 'c']);
    expect(back).toEqual(there);
  });

  it('keeps the histories of two databases apart', () => {
    const schema = fold({
      'apps/a/migrations/0001_init.sql': 'create table users (id uuid primary key); create table a (id int);',
      'apps/a/migrations/0002_drop.sql': 'drop table logs;',
      'apps/b/migrations/0001_init.sql':
        'create table logs (id uuid primary key); create table users (id uuid primary key, name text);',
    });
    expect([...schema.tables.keys()].sort()).toEqual(['public.a', 'public.logs', 'public.users']);
    expect([...tableIn(schema, 'public.users').columns.keys()]).toEqual(['id', 'name']);
    expect(tableIn(schema, 'public.users').constraints).toHaveLength(1);
  });

  it('folders that carry the order hold one history, also with odd names', () => {
    const schema = fold({
      'prisma/migrations/20240101000000_init/migration.sql': 'create table t (a int);',
      'prisma/migrations/20240102000000_more copy/migration.sql': 'alter table t add column b int;',
    });
    expect([...tableIn(schema, 'public.t').columns.keys()]).toEqual(['a', 'b']);
    expect(schema.dangling).toEqual([]);
  });

  it('files without numbers may come in any order', () => {
    const schema = fold({
      'db/schema/migrations/a_policies.sql':
        'alter table docs enable row level security; create policy p on docs using (true);',
      'db/schema/migrations/z_tables.sql': 'create table docs (id uuid);',
    });
    expect(tableIn(schema, 'public.docs').rowSecurity.enabled).toBe(true);
    expect(tableIn(schema, 'public.docs').policies.map((p) => p.name)).toEqual(['p']);
    expect(schema.dangling).toEqual([]);
  });

  it('down sections and down files change nothing', () => {
    const schema = fold({
      'db/migrations/20240101000000_init.sql':
        '-- migrate:up\ncreate table t (a int);\n-- migrate:down\ndrop table t;\n',
      'db/migrate/000001_init.up.sql': 'create table u (a int);',
      'db/migrate/000001_init.down.sql': 'drop table u;',
    });
    expect([...schema.tables.keys()].sort()).toEqual(['public.t', 'public.u']);
  });

  it('seeds, tests and queries make no tables', () => {
    const facts = factsOf({
      'supabase/migrations/0001_init.sql': 'create table t (a int);',
      'supabase/seed.sql': 'create table s (a int);',
      'supabase/tests/t.sql': 'begin; create table x (a int); select plan(1);',
    });
    expect([...foldSchema(facts).tables.keys()]).toEqual(['public.t']);
  });
});

describe('what names something unknown', () => {
  it('is kept with its place, and costs nothing else', () => {
    const schema = foldSql(`alter table nowhere add column a int;
      create policy p on "auth"."users" using (true);
      create table t (a int);
      alter table t rename column b to c;`);
    expect(schema.dangling.map((d) => d.what)).toEqual([
      'add column of nowhere',
      'create policy of auth.users',
      'column t.b',
    ]);
    expect(schema.dangling.every((d) => d.span.file === 'db/migrations/0001_init.sql')).toBe(true);
    expect(schema.tables.size).toBe(1);
  });

  it('temporary tables and dropping what is not there are nothing unknown', () => {
    const schema = foldSql(
      'create temp table tmp (a int); alter table tmp add column b int; drop table tmp; drop table if exists x;',
    );
    expect(schema.tables.size).toBe(0);
    expect(schema.dangling).toEqual([]);
  });
});

describe('origins', () => {
  it('name the statement that made a fact and those that changed it, in order', () => {
    const schema = fold({
      'm/migrations/0001_init.sql': 'create table t (tenant_id uuid);',
      'm/migrations/0002_null.sql': 'alter table t alter column tenant_id set not null;',
      'm/migrations/0003_rls.sql': 'alter table t enable row level security;',
      'm/migrations/0004_force.sql': 'alter table t force row level security;',
    });
    const table = tableIn(schema, 'public.t');
    const files = (o: { created: { file: string }; changed: readonly { file: string }[] } | undefined): string[] =>
      o ? [o.created, ...o.changed].map((s) => s.file.slice('m/migrations/'.length, 'm/migrations/'.length + 4)) : [];
    expect(files(table.columns.get('tenant_id')?.origin)).toEqual(['0001', '0002']);
    expect(files(table.rowSecurity.origin)).toEqual(['0003', '0004']);
    expect(files(table.origin)).toEqual(['0001', '0002', '0003', '0004']);
  });
});

describe('policies', () => {
  const tables = `create table members (org_id uuid, user_id uuid);
    create table docs (id uuid, tenant_id uuid);`;

  it('names are tied when the policy is made: a column added later to an inner table does not capture them', () => {
    const schema = foldSql(`${tables}
      create policy p on docs using (exists (select 1 from members m where m.org_id = tenant_id));
      alter table members add column tenant_id uuid;`);
    expect(columnsOf(tableIn(schema, 'public.docs').policies[0]?.using)).toContain('self.tenant_id');
  });

  it('a column that the inner table has captures the name', () => {
    const schema = foldSql(`${tables}
      alter table members add column tenant_id uuid;
      create policy p on docs using (exists (select 1 from members m where m.org_id = tenant_id));`);
    const columns = columnsOf(tableIn(schema, 'public.docs').policies[0]?.using);
    expect(columns).toContainEqual(expect.stringMatching(/\.tenant_id$/));
    expect(columns).not.toContain('self.tenant_id');
    expect(columns).not.toContain('?.tenant_id');
    expect(tableIn(schema, 'public.docs').policies[0]?.captured).toMatchObject([
      { column: 'tenant_id', by: 'public.members' },
    ]);
  });

  it('follow renames of columns and tables, in their own table and in sub-queries', () => {
    const schema = foldSql(`${tables}
      create policy p on docs using (tenant_id = current_setting('app.t')::uuid)
        with check (tenant_id in (select m.org_id from members m where m.user_id = current_setting('app.u')::uuid));
      alter table docs rename column tenant_id to workspace_id;
      alter table members rename column org_id to workspace;
      alter table members rename to memberships;`);
    const policy = tableIn(schema, 'public.docs').policies[0];
    expect(columnsOf(policy?.using)).toEqual(['self.workspace_id']);
    expect(columnsOf(policy?.check)).toContain('self.workspace_id');
    expect(JSON.stringify(policy?.check)).toContain('"name":"memberships"');
    expect(JSON.stringify(policy?.check)).toContain('"column":"workspace"');
    expect(JSON.stringify(policy)).not.toContain('org_id');
  });

  it('ALTER POLICY replaces the parts it names and keeps the others', () => {
    const schema = foldSql(`${tables}
      create policy p on docs to app using (tenant_id is null) with check (true);
      alter policy p on docs to public, other using (id is null);`);
    const policy = tableIn(schema, 'public.docs').policies[0];
    expect(columnsOf(policy?.using)).toEqual(['self.id']);
    expect(policy?.check?.kind).toBe('always');
    expect(policy?.origin.changed).toHaveLength(1);
  });
});

describe('views, functions, roles and grants', () => {
  it('replacing a view loses the options that are not repeated', () => {
    const schema = foldSql(`create table t (a int);
      create view v with (security_invoker = true) as select * from t;
      create or replace view v as select * from t;`);
    expect(schema.views.get('public.v')?.options).toEqual({});
    expect(schema.views.get('public.v')?.origin.changed).toHaveLength(1);
  });

  it('options of a view change one by one; a view renamed keeps them', () => {
    const schema = foldSql(`create table t (a int);
      create view v with (security_invoker = true) as select * from t;
      alter view v set (security_barrier = true);
      alter view v rename to w;`);
    expect(Object.keys(schema.views.get('public.w')?.options ?? {}).sort()).toEqual([
      'security_barrier',
      'security_invoker',
    ]);
    expect(schema.views.has('public.v')).toBe(false);
  });

  it('functions are overloaded by their input types, and replaced by the same ones', () => {
    const schema = foldSql(`create function f(a int) returns int language sql as 'select 1';
      create function f(a text) returns int language sql as 'select 2';
      create or replace function f(b int) returns int language sql security definer as 'select 3';
      alter function f(int) set search_path = public;`);
    const list = schema.functions.get('public.f') ?? [];
    expect(list).toHaveLength(2);
    expect(list.map((f) => f.securityDefiner)).toEqual([true, false]);
    expect(Object.keys(list[0]?.settings ?? {})).toEqual(['search_path']);
  });

  it('attributes of roles replace their opposites; membership adds up', () => {
    const schema = foldSql(`create role app login bypassrls; create role staff;
      alter role app nobypassrls; grant staff to app; create role other; grant other to app; revoke other from app;`);
    expect(schema.roles.get('app')?.attributes).toContain('nobypassrls');
    expect(schema.roles.get('app')?.attributes).not.toContain('bypassrls');
    expect(schema.roles.get('app')?.memberOf).toEqual(['staff']);
  });

  it('what a REVOKE leaves of a grant', () => {
    const left = (text: string): string[] =>
      foldSql(`create table t (a int); create table u (a int); ${text}`).grants.map(
        (g) =>
          `${g.privileges.join()} on ${g.on.map((o) => (o.kind === 'table' ? o.name.name : o.kind)).join()} to ${g.to.join()}`,
      );
    expect(left('grant select, insert on t, u to app, ro; revoke insert on t from ro;')).toEqual([
      'select,insert on u to app,ro',
      'select,insert on t to app',
      'select on t to ro',
    ]);
    expect(left('grant all on t to app; revoke truncate on t from app;')[0]).not.toContain('truncate');
    expect(left('grant select on t to app; revoke all on t from app;')).toEqual([]);
  });

  it('ALL TABLES means those that exist', () => {
    const schema =
      foldSql(`create table a (x int); grant select on all tables in schema public to app; create table b (x int);
      revoke select on a from app;`);
    expect(schema.grants.map((g) => g.on.map((o) => o.kind))).toEqual([['all tables']]);
  });

  it('settings of roles and databases', () => {
    const schema = foldSql(
      "alter role app set app.tenant_id = '1'; alter role app set app.tenant_id = '2'; set app.other = '3';",
    );
    expect(schema.settings.map((s) => `${s.name}=${s.value} ${s.scope} ${s.of ?? ''}`)).toEqual([
      'app.tenant_id=2 role app',
    ]);
  });
});

describe('any statements in any order', () => {
  const statements = [
    'create table a (id uuid primary key, b_id uuid, n int unique, check (n > 0))',
    'create table b (id uuid primary key, a_id uuid references a)',
    'create table c (like a including all) inherits (b)',
    'create table d partition of a default',
    'alter table a add foreign key (b_id) references b',
    'alter table a rename to b',
    'alter table b rename to a',
    'alter table a rename column n to m',
    'alter table a add column x int',
    'alter table b add column x int',
    'alter table a drop column id cascade',
    'alter table b drop constraint b_pkey cascade',
    'alter table a set schema s',
    'alter table b inherit a',
    'alter table a inherit b',
    'alter table a attach partition b default',
    'alter table b attach partition a default',
    'alter table a detach partition b',
    'create policy p on a using (exists (select 1 from b where b.a_id = id))',
    'alter policy p on a using (n = 1)',
    'create view v as select * from a join b on b.a_id = a.id',
    'create view w as select * from v',
    'create or replace view v as select * from w',
    'drop view v cascade',
    'drop table a cascade',
    'drop schema s cascade',
    'create index i on a (n) where m > 0',
    'alter index i rename to a_pkey',
    'grant all on all tables in schema public to app',
    'revoke insert on a from app',
  ];

  it('tables that inherit in a circle are changed once', () => {
    const schema = foldSql(
      'create table a (id int); create table b (id int); alter table a inherit b; alter table b inherit a; alter table a add column x int;',
    );
    expect([...tableIn(schema, 'public.b').columns.keys()]).toEqual(['id', 'x']);
  });

  it('ends, does not throw, and gives the same twice', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...statements), { maxLength: 25 }), (list) => {
        const facts = factsOf({ 'db/migrations/1_a.sql': `${[...statements.slice(0, 2), ...list].join(';\n')};` });
        const schema = foldSchema(facts);
        expect(foldSchema(facts)).toEqual(schema);
        for (const [id, table] of schema.tables) expect(table.id).toBe(id);
      }),
      { numRuns: 500, seed: 7 },
    );
  });
});

describe('what cannot be known', () => {
  it('a table made like an unknown one is not complete', () => {
    const schema = foldSql(
      'create table t (like elsewhere.x including all); create table u as select * from elsewhere.y;',
    );
    expect(tableIn(schema, 'public.t').complete).toBe(false);
    expect(tableIn(schema, 'public.u').complete).toBe(false);
  });

  it('deep chains of partitions and views end', () => {
    const parts = Array.from(
      { length: 60 },
      (_, i) => `create table p${i + 1} partition of p${i} default partition by list (a);`,
    );
    const views = Array.from({ length: 60 }, (_, i) => `create view v${i + 1} as select * from v${i};`);
    const schema = foldSql(
      `create table p0 (a int) partition by list (a); ${parts.join(' ')} alter table p0 add column b int;
       create view v0 as select * from p60; ${views.join(' ')} drop table p0 cascade;`,
    );
    expect(schema.tables.size).toBe(0);
    expect(schema.views.size).toBe(0);
  });
});
