import type { Model } from '@tenant-lint/analysis';
import type { TableId } from '@tenant-lint/model';
import { rolesOf } from './roles.js';

/**
 * Roles under which requests of users run on hosted platforms, which grant them everything in `public` by default privileges that no
 * migration shows. https://supabase.com/docs/guides/database/postgres/roles
 */
const hostedRoles: readonly string[] = ['anon', 'authenticated'];

interface Known {
  /** The application's roles with the roles they are members of, and PUBLIC; empty: not known. */
  readonly roles: ReadonlySet<string>;
  readonly hosted: boolean;
}

const remembered = new WeakMap<Model, Known>();

/**
 * The roles under which the application runs: those of the configuration, else those that a table with row security is granted to (nobody
 * puts policies before a role that does not need them).
 */
function knownRoles(model: Model): Known {
  const before = remembered.get(model);
  if (before) return before;
  const { tables, grants, roles } = model.schema;
  const bypasses = (role: string): boolean =>
    roles.get(role)?.attributes.some((a) => /^(?:bypassrls|superuser)$/i.test(a)) === true;
  const granted = grants.flatMap((grant) =>
    grant.on.some(
      (o) =>
        o.kind === 'table' && tables.get(`${o.name.schema ?? 'public'}.${o.name.name}`)?.rowSecurity.enabled === true,
    )
      ? grant.to.filter((role) => !bypasses(role))
      : [],
  );
  const named = model.tenancy.appRoles.length > 0 ? model.tenancy.appRoles : granted;
  const used = [...named, ...[...tables.values()].flatMap((t) => t.policies.flatMap((p) => p.roles))];
  const all = named.length > 0 ? ['public', ...named.flatMap((role) => [...rolesOf(model, role)])] : [];
  const known = { roles: new Set(all), hosted: used.some((role) => hostedRoles.includes(role)) };
  remembered.set(model, known);
  return known;
}

/** Whether it is known under which roles the application runs. */
export const knowsAppRoles = (model: Model): boolean => knownRoles(model).roles.size > 0;

/**
 * Whether the application may do one of these things with a table or view: some grant or default privilege gives it to its role, or it is
 * not known which role that is.
 */
export function appMay(model: Model, id: TableId, privileges: readonly string[]): boolean {
  const { roles, hosted } = knownRoles(model);
  if (hosted && id.startsWith('public.')) return !isRevoked(model, id);
  if (roles.size === 0) return true;
  const [schema] = id.split('.', 1);
  const gives = (grant: { readonly privileges: readonly string[]; readonly to: readonly string[] }): boolean =>
    grant.to.some((role) => roles.has(role)) &&
    (grant.privileges.length === 0 || grant.privileges.some((p) => p.startsWith('all') || privileges.includes(p)));
  return (
    model.schema.grants.some(
      (grant) =>
        gives(grant) &&
        grant.on.some((o) => o.kind === 'table' && `${o.name.schema ?? 'public'}.${o.name.name}` === id),
    ) ||
    model.schema.defaultPrivileges.some(
      (given) =>
        gives(given) &&
        given.objects.startsWith('table') &&
        (given.on.length === 0 || given.on.some((o) => o.kind === 'schema' && o.name === schema)),
    )
  );
}

/** Whether a migration takes an object of a hosted platform away from the roles of requests. */
function isRevoked(model: Model, id: TableId): boolean {
  const left = new Set(hostedRoles);
  for (const facts of model.files.values())
    for (const { action, direction } of facts.schema) {
      if ((action.do !== 'revoke' && action.do !== 'grant') || direction === 'down') continue;
      const names = action.on.some(
        (o) =>
          o.kind === 'table' &&
          (o.name.schema === undefined ? id.endsWith(`.${o.name.name}`) : `${o.name.schema}.${o.name.name}` === id),
      );
      if (!names) continue;
      for (const role of action.to)
        if (action.do === 'grant') left.add(role);
        else if (action.privileges.some((p) => p.startsWith('all') || p === 'select')) left.delete(role);
    }
  return !hostedRoles.some((role) => left.has(role));
}
