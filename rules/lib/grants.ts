import type { Model } from '@tenant-lint/analysis';
import type { Grant, ObjectName, Table } from '@tenant-lint/model';

/** What is granted on a table, by its name or with all tables of its schema. */
export const grantsOn = (model: Model, table: Table): readonly Grant[] => grantsOnName(model, table.name);

/** The same for whatever has a name like a table: a view. */
export const grantsOnName = (model: Model, { schema = 'public', name }: ObjectName): readonly Grant[] =>
  model.schema.grants.filter((grant) =>
    grant.on.some((o) => o.kind === 'table' && o.name.name === name && (o.name.schema ?? 'public') === schema),
  );

/** Roles of Supabase under which requests run. https://supabase.com/docs/guides/database/postgres/roles */
const requestRoles: ReadonlySet<string> = new Set(['anon', 'authenticated']);

const onSupabase = new WeakMap<Model['schema'], boolean>();

/** Whether the migrations are those of a Supabase project: they rely on its functions, its roles or its schemas. */
export function isSupabase(model: Model): boolean {
  let known = onSupabase.get(model.schema);
  if (known === undefined) onSupabase.set(model.schema, (known = decide(model)));
  return known;
}

function decide({ schema, files }: Model): boolean {
  for (const file of files.keys()) if (/(?:^|\/)supabase\/migrations\//.test(file)) return true;
  const tables = [...schema.tables.values()];
  if (tables.some((t) => t.policies.some((p) => p.roles.some((r) => requestRoles.has(r))))) return true;
  const policies = JSON.stringify(tables.map((t) => t.policies.map((p) => [p.using ?? null, p.check ?? null])));
  return /"function":"auth\.(?:uid|jwt|role|email)"/.test(policies);
}

/** Whether requests reach the database under this role, through the HTTP interface of the platform and no other way. */
export const isRequestRole = (model: Model, role: string): boolean => requestRoles.has(role) && isSupabase(model);

/** Whether anybody may act as this role without logging in. */
export const isAnonymous = (model: Model, role: string): boolean =>
  role === 'public' || (role === 'anon' && isSupabase(model));
