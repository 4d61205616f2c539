import type { Model } from '@tenant-lint/analysis';
import type { Span, Table } from '@tenant-lint/model';

/** A role with all roles it is a member of, directly or not. */
export function rolesOf(model: Model, role: string): Set<string> {
  const all = new Set<string>();
  const open = [role];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    if (all.has(next)) continue;
    all.add(next);
    open.push(...(model.schema.roles.get(next)?.memberOf ?? []));
  }
  return all;
}

/** The application's role that owns what `owner` owns: the owner itself, or a member of it. */
export const appRoleOwning = (model: Model, owner: string): string | undefined =>
  model.tenancy.appRoles.find((role) => rolesOf(model, role).has(owner));

/** A role under which requests of tenants run. */
export interface AppRole {
  readonly name: string;
  /** Named by the configuration; otherwise policies, grants or logins show it. */
  readonly configured: boolean;
}

/** Roles that hosted platforms create for administration; no migration makes them, and policies do not hold for them. */
const administrative: ReadonlySet<string> = new Set([
  'postgres',
  'service_role',
  'supabase_admin',
  'supabase_auth_admin',
  'supabase_storage_admin',
  'dashboard_user',
  'authenticator',
]);

export const isAdministrative = (role: string): boolean => administrative.has(role);

/** Whether a role is exempt from row security by an attribute of its own. */
export const bypasses = (model: Model, role: string): 'SUPERUSER' | 'BYPASSRLS' | undefined => {
  const attributes = model.schema.roles.get(role)?.attributes ?? [];
  if (attributes.includes('superuser')) return 'SUPERUSER';
  return attributes.includes('bypassrls') || role === 'service_role' || role === 'postgres' ? 'BYPASSRLS' : undefined;
};

/**
 * The roles of the application: those that the configuration names; else those that policies are written for and that get privileges on
 * tables, with their members that log in; else whoever logs in. A role with BYPASSRLS to which no policy is addressed is one for
 * administration, as long as there is another.
 */
export function appRoles(model: Model): readonly AppRole[] {
  if (model.tenancy.appRoles.length > 0) return model.tenancy.appRoles.map((name) => ({ name, configured: true }));
  const addressed = new Set<string>();
  for (const table of model.schema.tables.values())
    for (const policy of table.policies) for (const role of policy.roles) addressed.add(role);
  const granted = new Set<string>();
  for (const grant of model.schema.grants)
    if (grant.on.some((o) => o.kind === 'table' || o.kind === 'all tables'))
      for (const role of grant.to) granted.add(role);
  const roles = [...model.schema.roles.values()];
  const logins = roles.filter((r) => r.attributes.includes('login')).map((r) => r.name);
  const isApp = (role: string): boolean =>
    role !== 'public' && !isAdministrative(role) && model.tenancy.adminRoles?.includes(role) !== true;
  const served = [...new Set([...addressed, ...granted])].filter(isApp);
  const members = logins.filter((name) => served.some((role) => role !== name && rolesOf(model, name).has(role)));
  const all = (served.length > 0 ? [...new Set([...served, ...members])] : logins).filter(isApp);
  const ordinary = all.filter((name) => bypasses(model, name) === undefined);
  const chosen = all.filter((name) => ordinary.includes(name) || ordinary.length === 0 || addressed.has(name));
  return chosen.map((name) => ({ name, configured: false }));
}

/** The roles that a role can become by SET ROLE, each with the memberships on the way there. */
export function reachableRoles(model: Model, role: string): ReadonlyMap<string, readonly Span[]> {
  const found = new Map<string, readonly Span[]>([[role, []]]);
  const visit = (name: string, way: readonly Span[]): void => {
    const from = model.schema.roles.get(name);
    for (const next of from?.memberOf ?? []) {
      if (found.has(next) || from?.withoutSet?.includes(next) === true) continue;
      const at = from?.memberAt?.[next];
      const path = at ? [...way, at] : way;
      found.set(next, path);
      visit(next, path);
    }
  };
  visit(role, []);
  return found;
}

/** Tables whose rows belong to tenants and that the database itself isolates. */
export const isolatedTables = (model: Model): readonly Table[] =>
  [...model.schema.tables.values()].filter((table) => {
    const { kind } = model.tenancyOf(table.id);
    return (kind === 'keyed' || kind === 'child' || kind === 'root') && model.databaseIsolates(table);
  });
