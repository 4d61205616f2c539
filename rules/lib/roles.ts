import type { Model } from '@tenant-lint/analysis';

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
