/** What one row of a query of the catalogue becomes: a statement, and what it is about. */
export interface CatalogueQuery {
  /** Gives rows of subject and statement, in the order in which they are to stand; and perhaps the columns that it reads as text. */
  readonly sql: string;
  /** The first version of the server that has what it reads; 0 where absent. */
  readonly since?: number;
  readonly before?: number;
}

const notOfExtension = (catalog: string, alias: string): string =>
  `not exists (select from pg_depend d where d.classid = 'pg_catalog.${catalog}'::regclass and d.objid = ${alias}.oid and d.deptype = 'e')`;

/** Schemas of the system. */
const isSystem = (n: string): string => `(${n}.nspname ~ '^pg_' or ${n}.nspname = 'information_schema')`;

/** Schemas that a hosting platform made and keeps for itself: they belong to one of its administrators (Supabase: auth, storage, realtime). */
const isPlatform = (n: string): string => `pg_get_userbyid(${n}.nspowner) ~ '^supabase_(.*_)?admin$'`;

/** Relations of the project; those of the platform count where somebody made a policy for them. `c` and `n` are pg_class and pg_namespace. */
const ownRelation = `not ${isSystem('n')} and c.relpersistence <> 't' and ${notOfExtension('pg_class', 'c')}
  and (not ${isPlatform('n')} or exists (select from pg_policy own where own.polrelid = c.oid))`;

const relations = `pg_class c join pg_namespace n on n.oid = c.relnamespace`;
const functions = `pg_proc p join pg_namespace n on n.oid = p.pronamespace`;
const ownFunction = `p.prokind in ('f', 'p') and not ${isSystem('n')} and not ${isPlatform('n')} and ${notOfExtension('pg_proc', 'p')}`;

/** A table, view or index as messages name it. */
const shown = `n.nspname || '.' || c.relname`;

/** A role or PUBLIC in SQL. */
const roleName = (oid: string): string =>
  `case ${oid} when 0 then 'public' else quote_ident(pg_get_userbyid(${oid})) end`;

/**
 * Roles are the server's, and others use it too: those count that own something here, may reach something, or are named by a policy, and those
 * that they are members of or that are members of them. The superuser that every server begins with is left out where it has its usual name.
 */
const usedRoles = `with recursive named as (
    select c.relowner as oid from ${relations} where ${ownRelation}
    union select p.proowner from ${functions} where ${ownFunction}
    union select n.nspowner from pg_namespace n where not ${isSystem('n')} and not ${isPlatform('n')}
    union select (aclexplode(c.relacl)).grantee from ${relations} where ${ownRelation}
    union select (aclexplode(a.attacl)).grantee from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace where ${ownRelation}
    union select (aclexplode(p.proacl)).grantee from ${functions} where ${ownFunction}
    union select (aclexplode(n.nspacl)).grantee from pg_namespace n where not ${isSystem('n')}
    union select unnest(p.polroles) from pg_policy p
    union select d.defaclrole from pg_default_acl d
    union select s.setrole from pg_db_role_setting s where s.setdatabase in (0, (select oid from pg_database where datname = current_database()))
  ), used as (
    select oid from named
    union select case when m.member = used.oid then m.roleid else m.member end
    from used join pg_auth_members m on used.oid in (m.member, m.roleid)
  ), roles as (
    select r.* from pg_roles r where r.oid in (select oid from used) and r.rolname !~ '^pg_' and not (r.oid = 10 and r.rolname = 'postgres')
  )`;

/** The statements that grant what an access list says to all but the owner. `list`, `owner`: columns; `on`: TABLE and the object's name. */
const granted = (list: string, owner: string, on: string, subject: string, from: string, but = ''): string => `
  select ${subject}, format('grant %s on %s to %s%s', string_agg(x.privilege_type, ', ' order by x.privilege_type), ${on}, ${roleName('x.grantee')},
    case when x.is_grantable then ' with grant option' else '' end)
  from ${from} cross join lateral aclexplode(${list}) x
  where x.grantee <> ${owner} ${but}
  group by ${subject}, ${on}, x.grantee, x.is_grantable
  order by 1, 2`;

/** What ALTER ... SET sets: a list as it is, anything else as text, and nothing that may be a secret. */
const settings = `quote_ident(split_part(setting, '=', 1)) || ' to ' || case
  when split_part(setting, '=', 1) = 'search_path' then coalesce(nullif(substr(setting, strpos(setting, '=') + 1), ''), '''''')
  when split_part(setting, '=', 1) ~* '(secret|passw|token|key)' then '''not shown'''
  else quote_literal(substr(setting, strpos(setting, '=') + 1)) end`;

/** What stands before the tables. */
export const queriesBefore: readonly CatalogueQuery[] = [
  {
    sql: `${usedRoles} select 'role ' || rolname, format('create role %I with %s%s%s%s%s%s', rolname, case when rolcanlogin then 'login' else 'nologin' end,
      case when rolsuper then ' superuser' else '' end, case when rolbypassrls then ' bypassrls' else '' end, case when rolcreaterole then ' createrole' else '' end,
      case when rolcreatedb then ' createdb' else '' end, case when rolinherit then '' else ' noinherit' end) from roles order by 1`,
  },
  {
    before: 160000,
    sql: `${usedRoles} select 'role ' || b.rolname, format('grant %I to %I%s', a.rolname, b.rolname, case when m.admin_option then ' with admin option' else '' end)
      from pg_auth_members m join roles a on a.oid = m.roleid join roles b on b.oid = m.member order by 1, 2`,
  },
  {
    since: 160000,
    sql: `${usedRoles} select 'role ' || b.rolname, format('grant %I to %I with admin %s, inherit %s, set %s', a.rolname, b.rolname, m.admin_option, m.inherit_option, m.set_option)
      from pg_auth_members m join roles a on a.oid = m.roleid join roles b on b.oid = m.member order by 1, 2`,
  },
  {
    sql: `select 'schema ' || n.nspname, format('create schema %I', n.nspname) from pg_namespace n
      where not ${isSystem('n')} and not ${isPlatform('n')} and n.nspname <> 'public' order by 1`,
  },
  {
    sql: `select 'schema ' || n.nspname, format('alter schema %I owner to %I', n.nspname, pg_get_userbyid(n.nspowner)) from pg_namespace n
      where not ${isSystem('n')} and not ${isPlatform('n')} order by 1`,
  },
  {
    // That everybody may use the schema public is how databases begin.
    sql: granted(
      'n.nspacl',
      'n.nspowner',
      `'schema ' || quote_ident(n.nspname)`,
      `'schema ' || n.nspname`,
      `(select * from pg_namespace n where not ${isSystem('n')} and not ${isPlatform('n')}) n`,
      `and not (n.nspname = 'public' and x.grantee = 0 and x.privilege_type = 'USAGE')`,
    ),
  },
  {
    sql: `select 'extension ' || extname, format('create extension if not exists %I', extname) from pg_extension order by 1`,
  },
  {
    sql: `select 'type ' || n.nspname || '.' || t.typname, format('create type %s as enum (%s)', t.oid::regtype, (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder) from pg_enum e where e.enumtypid = t.oid))
      from pg_type t join pg_namespace n on n.oid = t.typnamespace
      where t.typtype = 'e' and not ${isSystem('n')} and not ${isPlatform('n')} and ${notOfExtension('pg_type', 't')} order by 1`,
  },
  {
    sql: `select 'type ' || n.nspname || '.' || t.typname, format('create domain %s as %s%s', t.oid::regtype, format_type(t.typbasetype, t.typtypmod), case when t.typnotnull then ' not null' else '' end)
      from pg_type t join pg_namespace n on n.oid = t.typnamespace
      where t.typtype = 'd' and not ${isSystem('n')} and not ${isPlatform('n')} and ${notOfExtension('pg_type', 't')} order by 1`,
  },
];

/** The tables, each as JSON: parents before their children. */
export const tablesQuery = `
with recursive depth as (
  select c.oid, 0 as level from pg_class c where not exists (select from pg_inherits i where i.inhrelid = c.oid)
  union select i.inhrelid, depth.level + 1 from depth join pg_inherits i on i.inhparent = depth.oid
)
select json_build_object(
  'shown', ${shown}, 'name', c.oid::regclass::text, 'foreign', c.relkind = 'f',
  'partitionBy', case c.relkind when 'p' then pg_get_partkeydef(c.oid) end,
  'parents', (select coalesce(json_agg(i.inhparent::regclass::text order by i.inhseqno), '[]') from pg_inherits i where i.inhrelid = c.oid),
  'bound', case when c.relispartition then pg_get_expr(c.relpartbound, c.oid) end,
  'columns', (select coalesce(json_agg(json_build_object('name', a.attname, 'sql', concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod),
      case when a.attgenerated <> '' then 'generated always as (' || pg_get_expr(d.adbin, d.adrelid) || ') stored'
           when a.attidentity = 'a' then 'generated always as identity' when a.attidentity = 'd' then 'generated by default as identity'
           else 'default ' || pg_get_expr(d.adbin, d.adrelid) end,
      case when a.attnotnull then 'not null' end)) order by a.attnum), '[]')
    from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attislocal)
)::text
from ${relations} join (select oid, max(level) as level from depth group by oid) l on l.oid = c.oid
where c.relkind in ('r', 'p', 'f') and ${ownRelation} order by l.level, 1`;

/** The views, each as JSON, with what they read. */
export const viewsQuery = `
select json_build_object(
  'shown', ${shown}, 'name', c.oid::regclass::text, 'materialized', c.relkind = 'm', 'definition', pg_get_viewdef(c.oid),
  'options', array_to_string(c.reloptions, ', '),
  'reads', (select coalesce(json_agg(distinct d.refobjid::regclass::text), '[]') from pg_depend d join pg_rewrite r on r.oid = d.objid
    where r.ev_class = c.oid and d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid <> c.oid)
)::text
from ${relations} where c.relkind in ('v', 'm') and ${ownRelation} order by 1`;

/** How many rows a table has, by the last VACUUM or ANALYZE; a partitioned one has those of its partitions. */
export const rowsQuery = `
select ${shown}, c.reltuples::float8 from ${relations} where c.relkind in ('r', 'p') and c.reltuples >= 0 and ${ownRelation} order by 1`;

/** Between the tables and the views. */
export const queriesBetween: readonly CatalogueQuery[] = [
  {
    sql: `select 'constraint ' || ${shown} || '/' || k.conname, format('alter table %s add constraint %I %s', c.oid::regclass, k.conname, pg_get_constraintdef(k.oid))
      from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
      where k.contype in ('p', 'u', 'c', 'x', 'f') and k.conparentid = 0 and k.coninhcount = 0 and ${ownRelation}
      order by case k.contype when 'p' then 0 when 'u' then 1 when 'f' then 3 else 2 end, 1`,
  },
  {
    sql: `select 'index ' || n.nspname || '.' || i.relname, pg_get_indexdef(x.indexrelid)
      from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('r', 'p') and x.indisvalid and not exists (select from pg_constraint k where k.conindid = x.indexrelid and k.contype in ('p', 'u', 'x')) and ${ownRelation} order by 1`,
  },
  {
    sql: `select 'function ' || p.oid::regprocedure, pg_get_functiondef(p.oid) from ${functions} where ${ownFunction} order by 1`,
  },
  {
    sql: `select 'function ' || p.oid::regprocedure, format('alter %s %s owner to %I', case p.prokind when 'p' then 'procedure' else 'function' end, p.oid::regprocedure, pg_get_userbyid(p.proowner))
      from ${functions} where ${ownFunction} order by 1`,
  },
  {
    sql: `select 'function ' || p.oid::regprocedure, format('revoke all on %s %s from public', case p.prokind when 'p' then 'procedure' else 'function' end, p.oid::regprocedure)
      from ${functions} where ${ownFunction} and p.proacl is not null and not exists (select from aclexplode(p.proacl) x where x.grantee = 0) order by 1`,
  },
  {
    sql: granted(
      'p.proacl',
      'p.proowner',
      `case p.prokind when 'p' then 'procedure ' else 'function ' end || p.oid::regprocedure`,
      `'function ' || p.oid::regprocedure`,
      `(select p.* from ${functions} where ${ownFunction}) p`,
    ),
  },
];

/** After the views. */
export const queriesAfter: readonly CatalogueQuery[] = [
  {
    sql: `select case c.relkind when 'v' then 'view ' when 'm' then 'view ' else 'table ' end || ${shown},
      format('alter %s %s owner to %I', case c.relkind when 'v' then 'view' when 'm' then 'materialized view' else 'table' end, c.oid::regclass, pg_get_userbyid(c.relowner))
      from ${relations} where c.relkind in ('r', 'p', 'f', 'v', 'm') and ${ownRelation} order by 1`,
  },
  {
    sql: `select 'index ' || n.nspname || '.' || i.relname, pg_get_indexdef(x.indexrelid)
      from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid join pg_namespace n on n.oid = c.relnamespace
      where c.relkind = 'm' and x.indisvalid and ${ownRelation} order by 1`,
  },
  {
    sql: `select 'row security of ' || ${shown}, format('alter table %s enable row level security', c.oid::regclass) from ${relations} where c.relrowsecurity and ${ownRelation} order by 1`,
  },
  {
    sql: `select 'row security of ' || ${shown}, format('alter table %s force row level security', c.oid::regclass) from ${relations} where c.relforcerowsecurity and ${ownRelation} order by 1`,
  },
  {
    sql: `select 'policy ' || ${shown} || '/' || p.polname, format('create policy %I on %s as %s for %s to %s%s%s', p.polname, c.oid::regclass,
      case when p.polpermissive then 'permissive' else 'restrictive' end, case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end,
      (select string_agg(${roleName('r')}, ', ' order by r) from unnest(p.polroles) r),
      ' using (' || pg_get_expr(p.polqual, p.polrelid) || ')', ' with check (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'),
      (select array_agg(quote_ident(a.attname)) from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and a.atttypid = 'varchar'::regtype)
      from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace where ${ownRelation} order by 1`,
  },
  {
    sql: `select 'trigger ' || ${shown} || '/' || t.tgname, pg_get_triggerdef(t.oid)
      from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace where not t.tgisinternal and ${ownRelation} order by 1`,
  },
  {
    sql: `select 'trigger ' || ${shown} || '/' || t.tgname, format('alter table %s disable trigger %I', c.oid::regclass, t.tgname)
      from pg_trigger t join pg_class c on c.oid = t.tgrelid join pg_namespace n on n.oid = c.relnamespace where not t.tgisinternal and t.tgenabled = 'D' and ${ownRelation} order by 1`,
  },
  {
    sql: `select 'rule ' || ${shown} || '/' || r.rulename, pg_get_ruledef(r.oid)
      from pg_rewrite r join pg_class c on c.oid = r.ev_class join pg_namespace n on n.oid = c.relnamespace where r.rulename <> '_RETURN' and ${ownRelation} order by 1`,
  },
  {
    sql: granted(
      'c.relacl',
      'c.relowner',
      `'table ' || c.oid::regclass`,
      `'grant on ' || c.shown`,
      `(select c.*, ${shown} as shown from ${relations} where c.relkind in ('r', 'p', 'f', 'v', 'm') and ${ownRelation}) c`,
    ),
  },
  {
    sql: `select 'grant on ' || ${shown}, format('grant %s (%I) on table %s to %s', x.privilege_type, a.attname, c.oid::regclass, ${roleName('x.grantee')})
      from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace cross join lateral aclexplode(a.attacl) x
      where not a.attisdropped and x.grantee <> c.relowner and ${ownRelation} order by 1, 2`,
  },
  {
    sql: `select 'publication ' || p.pubname, format('create publication %I for all tables', p.pubname) from pg_publication p where p.puballtables order by 1`,
  },
  {
    before: 150000,
    sql: `select 'publication ' || p.pubname, format('create publication %I for table %s', p.pubname, string_agg(r.prrelid::regclass::text, ', ' order by r.prrelid::regclass::text))
      from pg_publication p join pg_publication_rel r on r.prpubid = p.oid group by p.pubname order by 1`,
  },
  {
    since: 150000,
    sql: `select 'publication ' || p.pubname, format('create publication %I for %s', p.pubname, string_agg(x.part, ', ' order by x.part))
      from pg_publication p join (
        select r.prpubid as oid, 'table ' || r.prrelid::regclass || coalesce(' where (' || pg_get_expr(r.prqual, r.prrelid) || ')', '') as part from pg_publication_rel r
        union all select s.pnpubid, 'tables in schema ' || quote_ident(n.nspname) from pg_publication_namespace s join pg_namespace n on n.oid = s.pnnspid
      ) x on x.oid = p.oid group by p.pubname order by 1`,
  },
  {
    sql: `${usedRoles} select 'role ' || r.rolname, format('alter role %I set ', r.rolname) || ${settings}
      from pg_db_role_setting s join roles r on r.oid = s.setrole cross join lateral unnest(s.setconfig) setting
      where s.setdatabase in (0, (select oid from pg_database where datname = current_database())) order by 1, 2`,
  },
  {
    sql: `select 'database', format('alter database %I set ', current_database()) || ${settings}
      from pg_db_role_setting s cross join lateral unnest(s.setconfig) setting
      where s.setrole = 0 and s.setdatabase = (select oid from pg_database where datname = current_database()) order by 2`,
  },
  {
    sql: `select 'default privileges of ' || pg_get_userbyid(d.defaclrole), format('alter default privileges for role %I%s grant %s on %s to %s', pg_get_userbyid(d.defaclrole),
        (select format(' in schema %I', n.nspname) from pg_namespace n where n.oid = d.defaclnamespace), string_agg(x.privilege_type, ', ' order by x.privilege_type),
        case d.defaclobjtype when 'r' then 'tables' when 'S' then 'sequences' when 'f' then 'functions' when 'T' then 'types' else 'schemas' end, ${roleName('x.grantee')})
      from pg_default_acl d cross join lateral aclexplode(d.defaclacl) x where x.grantee <> d.defaclrole
      group by d.oid, d.defaclrole, d.defaclnamespace, d.defaclobjtype, x.grantee order by 1, 2`,
  },
  {
    sql: `select 'default privileges of ' || pg_get_userbyid(d.defaclrole), format('alter default privileges for role %I revoke execute on functions from public', pg_get_userbyid(d.defaclrole))
      from pg_default_acl d where d.defaclnamespace = 0 and d.defaclobjtype = 'f' and not exists (select from aclexplode(d.defaclacl) x where x.grantee = 0) order by 1`,
  },
];
