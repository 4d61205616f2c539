import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { mulberry32 } from './random.js';

/** A long history of a project with row security: as many files, functions and policies as a real one that was counted. */
export const migrationFiles = 350;
const functionCount = 946;
const policyCount = 506;
const tableCount = 100;
const policiesOfTable = 4;

/**
 * Writes the migrations of a project in which the database isolates tenants, below `folder`: tables with their policies, functions in SQL and
 * PL/pgSQL that read and write them, and later changes of both. `scale` multiplies all counts. The same arguments give the same bytes.
 */
export function generateMigrations(folder: string, scale = 1): void {
  const random = mulberry32(35_094_650);
  const tables = tableCount * scale;
  const files: string[][] = [[start]];
  for (let t = 0; t < tables; t++) files.push([table(t, random), ...policies(t)]);
  const rest = migrationFiles * scale - files.length;
  for (let i = 0; i < rest; i++) files.push([change(i, tables)]);
  const later = files.slice(tables + 1);
  const redone = policyCount * scale - tables * policiesOfTable;
  for (let i = 0; i < redone; i++) later[(i * 7) % later.length]!.push(policyAgain(i % tables));
  // A third of the functions are replaced by later migrations, as they are in real histories.
  const functions = functionCount * scale - 1;
  const named = Math.ceil(functions * 0.7);
  for (let i = 0; i < functions; i++)
    later[Math.floor((i * later.length) / functions)]!.push(fn(i % named, tables, i >= named));
  const root = path.join(folder, 'supabase', 'migrations');
  mkdirSync(root, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "name": "generated", "private": true }\n');
  for (const [i, statements] of files.entries())
    writeFileSync(path.join(root, `${20_240_101_000_000 + i}_step.sql`), `${statements.join('\n\n')}\n`);
}

const start = `create table public.organizations (
  id uuid primary key default gen_random_uuid(),
  name text not null,
  created_at timestamptz not null default now()
);
create table public.members (
  organization_id uuid not null references public.organizations (id) on delete cascade,
  user_id uuid not null,
  role text not null default 'member' check (role in ('owner', 'admin', 'member')),
  primary key (user_id, organization_id)
);
alter table public.organizations enable row level security;
alter table public.members enable row level security;

create function public.is_member(org uuid) returns boolean
language sql stable security definer set search_path = '' as $$
  select exists (select 1 from public.members m where m.organization_id = org and m.user_id = (select auth.uid()))
$$;`;

const nameOf = (t: number): string => `records_${String(t).padStart(4, '0')}`;

function table(t: number, random: () => number): string {
  const name = nameOf(t);
  const parent = t > 0 && random() < 0.5 ? nameOf(Math.floor(random() * t)) : undefined;
  return `create table public.${name} (
  id uuid not null default gen_random_uuid(),
  organization_id uuid not null references public.organizations (id) on delete cascade,
  ${parent === undefined ? '' : 'parent_id uuid,\n  '}title text not null,
  status text not null default 'open' check (status in ('open', 'done', 'archived')),
  amount numeric(12, 2) not null default 0,
  details jsonb not null default '{}'::jsonb,
  created_by uuid not null default auth.uid(),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (organization_id, id)${
    parent === undefined
      ? ''
      : `,\n  foreign key (organization_id, parent_id) references public.${parent} (organization_id, id) on delete cascade`
  }
);
create index ${name}_status on public.${name} (organization_id, status, created_at desc);
comment on table public.${name} is 'Records of kind ${t}';
alter table public.${name} enable row level security;
grant select, insert, update, delete on public.${name} to authenticated;`;
}

function policies(t: number): string[] {
  const name = nameOf(t);
  return [
    `create policy ${name}_select on public.${name} for select to authenticated using (public.is_member(organization_id));`,
    `create policy ${name}_insert on public.${name} for insert to authenticated with check (public.is_member(organization_id) and created_by = (select auth.uid()));`,
    `create policy ${name}_update on public.${name} for update to authenticated using (public.is_member(organization_id)) with check (public.is_member(organization_id));`,
    `create policy ${name}_delete on public.${name} for delete to authenticated using (
  organization_id in (select m.organization_id from public.members m where m.user_id = (select auth.uid()) and m.role in ('owner', 'admin'))
);`,
  ];
}

const policyAgain = (t: number): string => `drop policy if exists ${nameOf(t)}_select on public.${nameOf(t)};
create policy ${nameOf(t)}_select on public.${nameOf(t)} for select to authenticated using (
  public.is_member(organization_id) and status <> 'archived'
);`;

function change(i: number, tables: number): string {
  const name = nameOf((i * 13) % tables);
  switch (i % 4) {
    case 0:
      return `alter table public.${name} add column if not exists note_${i} text;`;
    case 1:
      return `create index if not exists ${name}_by_${i} on public.${name} (organization_id, created_by, updated_at);`;
    case 2:
      return `alter table public.${name} add column if not exists priority_${i} integer not null default 0;\nupdate public.${name} set priority_${i} = 1 where status = 'open' and organization_id is not null;`;
    default:
      return `comment on column public.${name}.details is 'Free form, change ${i}';`;
  }
}

function fn(i: number, tables: number, again: boolean): string {
  const name = nameOf((i * 31) % tables);
  const other = nameOf((i * 17 + 5) % tables);
  const create = again ? 'create or replace function' : 'create function';
  switch (i % 5) {
    case 0:
      return `${create} public.touch_${i}() returns trigger language plpgsql set search_path = '' as $$
begin
  new.updated_at := now();
  if new.title is distinct from old.title then
    new.details := new.details || jsonb_build_object('renamed_at', now(), 'from', old.title);
  end if;
  return new;
end $$;`;
    case 1:
      return `${create} public.count_${i}(org uuid, wanted text default 'open') returns bigint
language sql stable set search_path = '' as $$
  select count(*) from public.${name} r where r.organization_id = org and r.status = wanted
$$;`;
    case 2:
      return `${create} public.close_${i}(org uuid, record uuid, reason text) returns public.${name}
language plpgsql security definer set search_path = '' as $$
declare
  result public.${name};
  total numeric;
begin
  if not public.is_member(org) then
    raise exception 'not a member' using errcode = '42501';
  end if;
  select coalesce(sum(o.amount), 0) into total from public.${other} o where o.organization_id = org and o.status = 'open';
  if total > 10000 then
    raise notice 'large: %', total;
  elsif reason is null or reason = '' then
    reason := 'none given';
  end if;
  update public.${name} r
    set status = 'done', details = r.details || jsonb_build_object('reason', reason, 'total', total), updated_at = now()
    where r.organization_id = org and r.id = record
    returning r.* into result;
  if not found then
    raise exception 'no record %', record;
  end if;
  return result;
end $$;`;
    case 3:
      return `${create} public.report_${i}(org uuid, since timestamptz) returns table (title text, amount numeric, others bigint)
language plpgsql stable set search_path = '' as $$
begin
  return query
    with recent as (
      select r.id, r.title, r.amount, r.created_by from public.${name} r
      where r.organization_id = org and r.created_at >= since and r.status <> 'archived'
    )
    select recent.title, recent.amount, count(o.id)
    from recent
    left join public.${other} o on o.organization_id = org and o.created_by = recent.created_by
    join public.members m on m.organization_id = org and m.user_id = recent.created_by
    group by recent.title, recent.amount
    order by recent.amount desc
    limit 100;
end $$;`;
    default:
      return `${create} public.import_${i}(org uuid, records jsonb) returns integer
language plpgsql set search_path = '' as $$
declare
  item jsonb;
  done integer := 0;
begin
  for item in select value from jsonb_array_elements(records) loop
    if item ->> 'title' is null then
      continue;
    end if;
    insert into public.${name} (organization_id, title, amount, details)
      values (org, item ->> 'title', coalesce((item ->> 'amount')::numeric, 0), item)
      on conflict (organization_id, id) do update set title = excluded.title, updated_at = now();
    done := done + 1;
  end loop;
  return done;
end $$;`;
  }
}
