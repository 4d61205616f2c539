import { PGlite } from '@electric-sql/pglite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Schema } from '@tenant-lint/model';
import { referencesOf } from '../src/fold/index.js';
import { foldSql } from './fold-support.js';

// What a history leaves behind is decided by Postgres. Each history is run there and folded here, and the two catalogues must be equal.
const histories: Readonly<Record<string, string>> = {
  'names that Postgres chooses for keys, references, checks and indexes': `
    create table tenants (id uuid primary key, slug text unique, age int check (age > 0));
    create table invoices (
      id serial, tenant_id uuid not null references tenants, number int, total int,
      primary key (tenant_id, id), unique (tenant_id, number), check (total >= 0), check (total < number), check (number > total)
    );
    create index on invoices (total);
    create index on invoices (tenant_id, total);
    create unique index on invoices (lower(number::text));
    create index on invoices ((total + 1));`,
  'names too long for Postgres are cut': `
    create table a_table_with_a_rather_long_name_that_goes_on (
      a_column_with_a_rather_long_name_as_well_yes int unique,
      id int primary key
    );
    create table a_table_with_a_rather_long_name_that_goes_on_and_on_for_ever_ (
      ref_to_it int references a_table_with_a_rather_long_name_that_goes_on (id));
    create index on a_table_with_a_rather_long_name_that_goes_on (a_column_with_a_rather_long_name_as_well_yes, id);`,
  'constraints dropped by the names that Postgres chose': `
    create table tenants (id uuid primary key);
    create table users (id uuid primary key, email text unique, tenant_id uuid references tenants(id), age int check (age > 0));
    alter table users drop constraint users_email_key;
    alter table users drop constraint users_tenant_id_fkey;
    alter table users drop constraint users_age_check;
    alter table users add unique (tenant_id, email);`,
  'a primary key makes its columns NOT NULL, and dropping it': `
    create table a (x int, y int);
    alter table a add primary key (x, y);
    create table b (x int);
    create unique index b_x on b (x);
    alter table b alter column x set not null;
    alter table b add constraint b_pk primary key using index b_x;`,
  'columns renamed everywhere': `
    create table tenants (id uuid primary key);
    create table orders (id uuid primary key, org_id uuid not null references tenants (id), unique (org_id, id), check (org_id is not null));
    create table lines (id uuid, org_id uuid, order_id uuid, foreign key (org_id, order_id) references orders (org_id, id));
    create index orders_org on orders (org_id);
    alter table orders rename column org_id to tenant_id;
    alter table tenants rename column id to tenant;
    alter table orders rename constraint orders_pkey to orders_key;
    alter index orders_org rename to orders_tenant;
    alter index orders_key rename to orders_primary;`,
  'tables renamed and moved, references follow': `
    create schema app;
    create table org (id uuid primary key);
    create table doc (id uuid primary key, org_id uuid references org);
    alter table org rename to organizations;
    alter table organizations set schema app;
    alter table doc set schema app;`,
  'a dropped column takes its keys, indexes, checks and references along': `
    create table t (id uuid primary key, a int, b int, unique (a, b), check (a > b), check (b > 0));
    create index t_ab on t (a, b);
    create index t_b on t (b);
    create index t_part on t (b) where a > 0;
    create index t_incl on t (b) include (a);
    create table r (a int, b int, foreign key (a, b) references t (a, b));
    alter table t drop column a cascade;`,
  'a dropped column takes its policies along': `
    create table t (id uuid, tenant_id uuid, open boolean);
    alter table t enable row level security;
    create policy mine on t using (tenant_id = current_setting('app.t')::uuid);
    create policy public on t for select using (open);
    alter table t drop column tenant_id cascade;`,
  'a dropped table takes references, policies and views of others along': `
    create table m (id uuid primary key, u text);
    create table t (id uuid, m_id uuid references m);
    create policy p on t using (exists (select 1 from m where m.id = t.m_id));
    create policy q on t for select using (true);
    create view v as select m.id from m;
    create view w as select v.id from v;
    drop table m cascade;`,
  'row security switched, policies altered and dropped': `
    create table t (id uuid, tenant_id uuid);
    alter table t enable row level security, force row level security;
    create policy a on t for update to public using (true) with check (true);
    create policy b on t as restrictive for delete using (false);
    create policy c on t;
    alter policy a on t rename to aa;
    drop policy c on t;
    alter table t no force row level security;`,
  'a table dropped and made again has no row security': `
    create table t (id uuid, tenant_id uuid);
    alter table t enable row level security;
    create policy a on t using (true);
    drop table t;
    create table t (id uuid);`,
  'partitions get columns, keys and indexes, and follow their parent': `
    create table e (id uuid, tenant_id uuid not null, at date not null, primary key (tenant_id, id)) partition by hash (tenant_id);
    alter table e enable row level security;
    create table e0 partition of e for values with (modulus 2, remainder 0);
    create table e1 (id uuid not null, tenant_id uuid not null, at date not null);
    alter table e attach partition e1 for values with (modulus 2, remainder 1);
    alter table e add column note text;
    create index e_at on e (at);
    alter table e rename column note to remark;
    alter table e detach partition e1;`,
  'inheritance gives columns and checks, not keys': `
    create table base (id uuid primary key, tenant_id uuid not null, n int check (n > 0));
    create table child (extra text) inherits (base);
    alter table base add column later int;
    alter table child no inherit base;
    alter table base add column last int;`,
  'LIKE copies what it includes': `
    create table src (id uuid primary key, tenant_id uuid not null default gen_random_uuid(), n int unique check (n > 0));
    create index src_t on src (tenant_id);
    alter table src enable row level security;
    create table plain (like src);
    create table every (like src including all);
    create table parts (like src including constraints including indexes, more text);`,
  'if not exists changes nothing': `
    create table t (id uuid);
    create table if not exists t (id uuid, other text);
    alter table t add column if not exists id text;
    alter table t add column if not exists name text;
    create index i on t (id);
    create index if not exists i on t (name);
    drop table if exists nowhere;
    drop index if exists nowhere;`,
  'search_path decides where names live': `
    create schema app;
    set search_path to app, public;
    create table t (id uuid primary key);
    create table u (t_id uuid references t);
    alter table t add column n int;
    create table public.t (id int);
    alter table t add column m int;
    reset search_path;`,
  'quoted mixed-case names': `
    create table "Invoice" ("id" uuid primary key, "tenantId" uuid not null);
    create table invoice (id uuid);
    alter table "Invoice" add constraint "Invoice_key" unique ("tenantId", "id");
    alter table "Invoice" rename column "tenantId" to "orgId";
    create index "Invoice_orgId_idx" on "Invoice" ("orgId");`,
  'a table made by a query has columns and no keys': `
    create table t (id uuid primary key, tenant_id uuid not null, n int not null);
    create table copy as select * from t;
    create table two as select tenant_id, n as amount from t;
    select id into picked from t;`,
  'a swap of tables leaves row security behind': `
    create table t (id uuid);
    alter table t enable row level security;
    create policy p on t using (true);
    create table t_new (id uuid, more int);
    alter table t rename to t_old;
    alter table t_new rename to t;`,
  'dropped keys take references along': `
    create table t (id uuid primary key, code text unique);
    create table r (t_id uuid references t, code text references t (code));
    alter table t drop constraint t_code_key cascade;
    alter table t drop constraint t_pkey cascade;`,
  'identity, serial and generated columns are NOT NULL as Postgres says': `
    create table t (a serial, b bigint generated always as identity, c int generated always as (1) stored, d int);
    alter table t add column e bigserial;`,
  'exclusion constraints': `
    create table b (id int, span int4range, exclude using gist (span with &&));`,
};

interface Picture {
  readonly tables: Record<
    string,
    { columns: string[]; keys: string[]; indexes: string[]; security: string; policies: string[] }
  >;
  readonly views: string[];
}

function folded(schema: Schema): Picture {
  const tables: Picture['tables'] = {};
  for (const table of schema.tables.values()) {
    const references = new Map(referencesOf(table).map((r) => [r.constraint, r]));
    tables[table.id] = {
      columns: [...table.columns.values()].map((c) => `${c.name}${c.notNull ? ' not null' : ''}`).sort(),
      keys: table.constraints
        .map((c) => {
          if (c.kind === 'check' || c.kind === 'exclude') return `${c.name ?? '?'} ${c.kind}`;
          const reference = c.kind === 'foreign key' ? references.get(c) : undefined;
          const to = reference ? ` -> ${reference.to} (${reference.referencedColumns.join()})` : '';
          return `${c.name ?? '?'} ${c.kind} (${c.columns.join()})${to}`;
        })
        .sort(),
      indexes: table.indexes
        .map((i) => `${i.name ?? '?'}${i.unique ? ' unique' : ''} (${i.keys.map((k) => k.column ?? 'expr').join()})`)
        .sort(),
      security: `${table.rowSecurity.enabled ? 'on' : 'off'}${table.rowSecurity.forced ? ' forced' : ''}`,
      policies: table.policies
        .map(
          (p) =>
            `${p.name} ${p.permissive ? 'permissive' : 'restrictive'} ${p.command}${p.using ? ' using' : ''}${p.check ? ' check' : ''}`,
        )
        .sort(),
    };
  }
  return { tables, views: [...schema.views.keys()].sort() };
}

let db: PGlite;
beforeAll(async () => {
  db = await PGlite.create();
});
afterAll(() => db.close());

async function executed(history: string): Promise<Picture> {
  await db.exec(
    'drop schema if exists public cascade; drop schema if exists app cascade; create schema public; reset search_path',
  );
  await db.exec(history);
  await db.exec('reset search_path');
  const rows = async <T>(query: string): Promise<T[]> => (await db.query<T>(query)).rows;
  const own = `n.nspname not like 'pg\\_%' and n.nspname <> 'information_schema'`;
  const tables: Picture['tables'] = {};
  for (const t of await rows<{ id: string; relrowsecurity: boolean; relforcerowsecurity: boolean }>(
    `select n.nspname || '.' || c.relname as id, c.relrowsecurity, c.relforcerowsecurity from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('r', 'p') and ${own}`,
  ))
    tables[t.id] = {
      columns: [],
      keys: [],
      indexes: [],
      security: `${t.relrowsecurity ? 'on' : 'off'}${t.relforcerowsecurity ? ' forced' : ''}`,
      policies: [],
    };
  const add = async (into: 'columns' | 'keys' | 'indexes' | 'policies', query: string): Promise<void> => {
    for (const { id, line } of await rows<{ id: string; line: string }>(query)) tables[id]?.[into].push(line);
    for (const t of Object.values(tables)) t[into].sort();
  };
  const of = (from: string, oid: string): string =>
    `from ${from} join pg_class c on c.oid = ${oid} join pg_namespace n on n.oid = c.relnamespace`;
  await add(
    'columns',
    `select n.nspname || '.' || c.relname as id, a.attname || case when a.attnotnull then ' not null' else '' end as line
     ${of('pg_attribute a', 'a.attrelid')} where a.attnum > 0 and not a.attisdropped and c.relkind in ('r', 'p')`,
  );
  const names = (oid: string, keys: string): string =>
    `(select string_agg(a.attname, ',' order by k.at) from unnest(${keys}) with ordinality k(num, at) join pg_attribute a on a.attrelid = ${oid} and a.attnum = k.num)`;
  await add(
    'keys',
    `select n.nspname || '.' || c.relname as id, x.conname || case x.contype
       when 'c' then ' check' when 'x' then ' exclude'
       when 'p' then ' primary key (' || ${names('x.conrelid', 'x.conkey')} || ')'
       when 'u' then ' unique (' || ${names('x.conrelid', 'x.conkey')} || ')'
       when 'f' then ' foreign key (' || ${names('x.conrelid', 'x.conkey')} || ') -> ' || fn.nspname || '.' || f.relname || ' (' || ${names('x.confrelid', 'x.confkey')} || ')'
       end as line
     ${of('pg_constraint x', 'x.conrelid')} left join pg_class f on f.oid = x.confrelid left join pg_namespace fn on fn.oid = f.relnamespace
     where x.contype in ('c', 'p', 'u', 'f', 'x')`,
  );
  await add(
    'indexes',
    `select n.nspname || '.' || c.relname as id, ic.relname || case when i.indisunique then ' unique' else '' end || ' (' ||
       (select string_agg(coalesce(a.attname, 'expr'), ',' order by k.at) from unnest(i.indkey::int2[]) with ordinality k(num, at)
        left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.num where k.at <= i.indnkeyatts) || ')' as line
     ${of('pg_index i', 'i.indrelid')} join pg_class ic on ic.oid = i.indexrelid
     where not exists (select 1 from pg_constraint x where x.conindid = i.indexrelid and x.contype in ('p', 'u', 'x'))`,
  );
  await add(
    'policies',
    `select n.nspname || '.' || c.relname as id, p.polname || case when p.polpermissive then ' permissive ' else ' restrictive ' end ||
       case p.polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' else 'delete' end ||
       case when p.polqual is null then '' else ' using' end || case when p.polwithcheck is null then '' else ' check' end as line
     ${of('pg_policy p', 'p.polrelid')}`,
  );
  const views = await rows<{ id: string }>(
    `select n.nspname || '.' || c.relname as id from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.relkind in ('v', 'm') and ${own}`,
  );
  return { tables, views: views.map((v) => v.id).sort() };
}

describe('the folded schema is the one that Postgres has', () => {
  for (const [what, history] of Object.entries(histories))
    it(what, async () => {
      const schema = foldSql(history);
      expect(folded(schema)).toEqual(await executed(history));
      expect(schema.dangling).toEqual([]);
    });
});
