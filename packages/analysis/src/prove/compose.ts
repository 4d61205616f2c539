import { and, or, type Policy, type Predicate, type Schema, type Table, type TenancyModel } from '@tenant-lint/model';
import type { Command } from '../model.js';

/** A role whose statements are looked at, with the roles it is a member of. */
export interface RoleView {
  readonly name: string;
  readonly all: ReadonlySet<string>;
  /** Nothing but a policy says that the application runs under it. */
  readonly assumed: boolean;
}

/**
 * Roles of hosted platforms that are created outside of the migrations and bypass row security.
 * https://supabase.com/docs/guides/database/postgres/roles
 */
const bypassing: ReadonlySet<string> = new Set(['postgres', 'service_role', 'supabase_admin']);

/** Roles of those platforms under which requests of users run. */
export const requesting: ReadonlySet<string> = new Set(['anon', 'authenticated', 'public']);

/** The roles whose policies count: those of the application where they are known, else every role that some policy names and PUBLIC. */
export function rolesOf(
  table: Table,
  context: { readonly schema: Schema; readonly tenancy: TenancyModel; readonly otherRoles?: ReadonlySet<string> },
): readonly RoleView[] {
  const { schema, tenancy, otherRoles } = context;
  const counts = (role: string): boolean => {
    const attributes = schema.roles.get(role)?.attributes.map((a) => a.toLowerCase()) ?? [];
    return (
      !bypassing.has(role) &&
      tenancy.adminRoles?.includes(role) !== true &&
      otherRoles?.has(role) !== true &&
      !attributes.some((a) => a === 'bypassrls' || a === 'superuser')
    );
  };
  const view = (name: string, assumed: boolean): RoleView => ({ name, all: membershipsOf(name, schema), assumed });
  const named = [...new Set(table.policies.flatMap((p) => p.roles))].filter((r) => r !== 'public' && counts(r));
  const known = tenancy.appRoles.filter(counts);
  if (known.length > 0) return known.map((name) => view(name, false));
  const everybody: RoleView = { name: 'public', all: new Set(['public']), assumed: false };
  return [everybody, ...named.map((name) => view(name, !requesting.has(name)))];
}

function membershipsOf(role: string, schema: Schema): ReadonlySet<string> {
  const found = new Set(['public']);
  const visit = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    for (const of of schema.roles.get(name)?.memberOf ?? []) visit(of);
  };
  visit(role);
  return found;
}

/** The policies of a table that apply to a command of a role. */
export function policiesFor(
  table: Table,
  command: Command,
  role: RoleView,
): { readonly permissive: readonly Policy[]; readonly restrictive: readonly Policy[] } {
  const applicable = table.policies.filter(
    (p) =>
      (p.command === 'all' || p.command === command) &&
      (p.roles.length === 0 || p.roles.some((r) => r === 'public' || role.all.has(r))),
  );
  return {
    permissive: applicable.filter((p) => p.permissive),
    restrictive: applicable.filter((p) => !p.permissive),
  };
}

/** The condition on existing rows. Without one a permissive policy admits nothing, and a restrictive one refuses nothing. */
export const existingRows = (policy: Policy): Predicate | undefined => policy.using;

/** The condition on new rows: WITH CHECK, or USING in its place. */
export const newRows = (policy: Policy): Predicate | undefined => policy.check ?? policy.using;

/**
 * The rows of a table that a command's policies admit for a role: some permissive policy, and every restrictive one. `never` without a
 * permissive policy.
 */
export function admitted(table: Table, command: Command, role: RoleView, side: 'using' | 'check'): Predicate {
  const { permissive, restrictive } = policiesFor(table, command, role);
  const clause = side === 'using' ? existingRows : newRows;
  return and(or(...permissive.flatMap((p) => clause(p) ?? [])), ...restrictive.flatMap((p) => clause(p) ?? []));
}
