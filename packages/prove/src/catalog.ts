import { rowsOf, quoteName, type Session } from './session/session.js';

/** A table, partition, view, materialized view or foreign table as it is in the database. */
export interface Relation {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'table' | 'partitioned' | 'view' | 'materialized view' | 'foreign table';
  readonly owner: string;
  readonly rowSecurity: boolean;
  readonly forced: boolean;
  /** The table it is a partition of, or inherits from. */
  readonly parent?: string;
  readonly partition: boolean;
  /** FOR VALUES ... */
  readonly bound?: string;
  /** LIST (tenant_id) of a partitioned table. */
  readonly partitionKey?: string;
  readonly columns: readonly CatalogColumn[];
  readonly constraints: readonly CatalogConstraint[];
  /** Key columns of unique indexes that no constraint owns, where all keys are plain columns. */
  readonly uniques: readonly (readonly number[])[];
  /** The texts of its policies' conditions. */
  readonly policies: readonly string[];
}

export interface CatalogColumn {
  readonly number: number;
  readonly name: string;
  /** As format_type writes it: 'uuid', 'character varying(80)', 'public.status[]'. */
  readonly type: string;
  /** The base type of a domain, else the type. */
  readonly base: string;
  readonly kind: 'base' | 'enum' | 'composite' | 'range' | 'multirange' | 'array' | 'pseudo';
  readonly labels: readonly string[];
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  readonly identity: boolean;
  readonly generated: boolean;
  /** Conditions of its domain. */
  readonly domainChecks: readonly string[];
}

export interface CatalogConstraint {
  readonly name: string;
  readonly kind: 'primary key' | 'unique' | 'foreign key' | 'check' | 'exclude';
  readonly columns: readonly number[];
  readonly definition: string;
  readonly to?: string;
  readonly toColumns: readonly number[];
  /** What a DELETE of the referenced row does: a no action, r restrict, c cascade, n set null, d set default. */
  readonly onDelete: string;
}

export interface CatalogFunction {
  readonly oid: string;
  readonly schema: string;
  readonly name: string;
  readonly kind: 'function' | 'procedure';
  readonly returnsTrigger: boolean;
  readonly definer: boolean;
  readonly source: string;
  /** Input parameters. */
  readonly parameters: readonly { readonly name: string; readonly type: string }[];
}

export interface CatalogRole {
  readonly name: string;
  readonly superuser: boolean;
  readonly bypasses: boolean;
  readonly login: boolean;
  /** It was there before the migrations. */
  readonly given: boolean;
}

/** The database after the migrations, objects of extensions and of the system left out. */
export interface Catalog {
  readonly relations: readonly Relation[];
  readonly functions: readonly CatalogFunction[];
  readonly roles: readonly CatalogRole[];
  /** View to relations it reads, directly. */
  readonly reads: Readonly<Record<string, readonly string[]>>;
}

/** `schema.name`, as the model names tables. */
export const idOf = (r: { readonly schema: string; readonly name: string }): string => `${r.schema}.${r.name}`;

/** The name in SQL. */
export const sqlName = (r: { readonly schema: string; readonly name: string }): string =>
  `${quoteName(r.schema)}.${quoteName(r.name)}`;

const system = `('pg_catalog', 'information_schema', 'pg_toast')`;
const notOfExtension = (catalog: string, alias: string): string =>
  `not exists (select from pg_depend d where d.classid = '${catalog}'::regclass and d.objid = ${alias}.oid and d.deptype = 'e')`;

const relationsQuery = `
select coalesce(json_agg(json_build_object(
  'oid', c.oid::text, 'schema', n.nspname, 'name', c.relname,
  'kind', case c.relkind when 'r' then 'table' when 'p' then 'partitioned' when 'v' then 'view' when 'm' then 'materialized view' else 'foreign table' end,
  'owner', pg_get_userbyid(c.relowner), 'rowSecurity', c.relrowsecurity, 'forced', c.relforcerowsecurity,
  'parent', (select i.inhparent::text from pg_inherits i where i.inhrelid = c.oid order by i.inhseqno limit 1),
  'partition', c.relispartition, 'bound', pg_get_expr(c.relpartbound, c.oid),
  'partitionKey', case c.relkind when 'p' then pg_get_partkeydef(c.oid) end,
  'columns', (select coalesce(json_agg(json_build_object(
      'number', a.attnum, 'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
      'base', format_type(coalesce(nullif(t.typbasetype, 0), t.oid), case when t.typtype = 'd' then t.typtypmod else a.atttypmod end),
      'kind', case when b.typcategory = 'A' then 'array' else case b.typtype when 'e' then 'enum' when 'c' then 'composite' when 'r' then 'range' when 'm' then 'multirange' when 'p' then 'pseudo' else 'base' end end,
      'labels', (select coalesce(json_agg(e.enumlabel order by e.enumsortorder), '[]') from pg_enum e where e.enumtypid = b.oid),
      'notNull', a.attnotnull or t.typnotnull, 'hasDefault', a.atthasdef, 'identity', a.attidentity <> '', 'generated', a.attgenerated <> '',
      'domainChecks', (select coalesce(json_agg(pg_get_constraintdef(k.oid) order by k.conname), '[]') from pg_constraint k where k.contypid = t.oid)
    ) order by a.attnum), '[]')
    from pg_attribute a join pg_type t on t.oid = a.atttypid join pg_type b on b.oid = coalesce(nullif(t.typbasetype, 0), t.oid)
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
  'constraints', (select coalesce(json_agg(json_build_object(
      'name', k.conname,
      'kind', case k.contype when 'p' then 'primary key' when 'u' then 'unique' when 'f' then 'foreign key' when 'x' then 'exclude' else 'check' end,
      'columns', coalesce(k.conkey, '{}'), 'definition', pg_get_constraintdef(k.oid),
      'to', nullif(k.confrelid, 0)::text, 'toColumns', coalesce(k.confkey, '{}'), 'onDelete', k.confdeltype
    ) order by k.conname), '[]') from pg_constraint k where k.conrelid = c.oid and k.contype in ('p', 'u', 'f', 'c', 'x')),
  'uniques', (select coalesce(json_agg(i.indkey::int2[] order by i.indexrelid), '[]') from pg_index i
    where i.indrelid = c.oid and i.indisunique and not (0 = any (i.indkey::int2[]))
      and not exists (select from pg_constraint k where k.conindid = i.indexrelid)),
  'policies', (select coalesce(json_agg(concat_ws(' ', pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid)) order by p.polname), '[]')
    from pg_policy p where p.polrelid = c.oid)
) order by n.nspname, c.relname), '[]')::text
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relpersistence <> 't' and n.nspname not in ${system} and n.nspname not like 'pg_temp%'
  and n.nspname not like 'pg_toast%' and ${notOfExtension('pg_class', 'c')}`;

const functionsQuery = `
select coalesce(json_agg(json_build_object(
  'oid', p.oid::text, 'schema', n.nspname, 'name', p.proname, 'kind', case p.prokind when 'p' then 'procedure' else 'function' end,
  'returnsTrigger', p.prorettype in ('trigger'::regtype, 'event_trigger'::regtype), 'definer', p.prosecdef, 'source', p.prosrc || coalesce(pg_get_function_sqlbody(p.oid), ''),
  'parameters', (select coalesce(json_agg(json_build_object('name', coalesce(p.proargnames[i], ''), 'type', format_type(t, null)) order by i), '[]')
    from unnest(p.proargtypes::oid[]) with ordinality u (t, i))
) order by n.nspname, p.proname, p.oid::regprocedure::text), '[]')::text
from pg_proc p join pg_namespace n on n.oid = p.pronamespace
where p.prokind in ('f', 'p') and n.nspname not in ${system} and ${notOfExtension('pg_proc', 'p')}`;

const readsQuery = `
select coalesce(json_object_agg(v, t), '{}')::text from (
  select r.ev_class::text as v, json_agg(distinct d.refobjid::text) as t
  from pg_depend d join pg_rewrite r on r.oid = d.objid
  where d.classid = 'pg_rewrite'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class
  group by 1) x`;

/** The roles there are; asked before the migrations too. */
export async function readRoles(session: Session): Promise<readonly Omit<CatalogRole, 'given'>[]> {
  return (await asked(
    session,
    `select coalesce(json_agg(json_build_object('name', rolname, 'superuser', rolsuper, 'bypasses', rolbypassrls, 'login', rolcanlogin) order by rolname), '[]')::text
     from pg_roles where rolname not like 'pg\\_%'`,
  )) as readonly Omit<CatalogRole, 'given'>[];
}

/** Reads the catalogue. `before`: names of the roles that were there before the migrations. @throws Error of Postgres */
export async function readCatalog(session: Session, before: ReadonlySet<string>): Promise<Catalog> {
  const roles = await readRoles(session);
  const relations = (await asked(session, relationsQuery)) as readonly (Relation & {
    parent: string | null;
    bound: string | null;
    partitionKey: string | null;
  })[];
  return {
    relations: relations.map(({ parent, bound, partitionKey, ...r }) => ({
      ...r,
      ...(parent === null ? {} : { parent }),
      ...(bound === null ? {} : { bound }),
      ...(partitionKey === null ? {} : { partitionKey }),
      constraints: r.constraints.map(({ to, ...c }) => ({
        ...c,
        ...((to as string | null) === null || to === undefined ? {} : { to }),
      })),
    })),
    functions: (await asked(session, functionsQuery)) as readonly CatalogFunction[],
    roles: roles.map((r) => ({ ...r, given: before.has(r.name) })),
    reads: (await asked(session, readsQuery)) as Catalog['reads'],
  };
}

async function asked(session: Session, sql: string): Promise<unknown> {
  const [row] = await rowsOf(session, sql, 'reading the catalogue');
  return JSON.parse(row?.[0] ?? 'null') as unknown;
}
