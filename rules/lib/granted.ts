import type { Model, PolicyLeak } from '@tenant-lint/analysis';
import type { Policy, Table } from '@tenant-lint/model';
import { grantsOn, isSupabase } from './grants.js';
import { rolesOf } from './roles.js';

const remembered = new WeakMap<Table, { readonly model: Model; readonly leaks: readonly PolicyLeak[] }>();

/** The leaks of the policies of a table, without those through a policy whose roles have no privilege by which a row could leave. */
export function grantedLeaks(model: Model, table: Table): readonly PolicyLeak[] {
  const known = remembered.get(table);
  if (known?.model === model) return known.leaks;
  const all = model.policyLeaks(table);
  const leaks =
    all.length === 0 || !showsAllGrants(model, table) ? all : all.filter((leak) => mayUse(model, table, leak));
  remembered.set(table, { model, leaks });
  return leaks;
}

/**
 * Whether the migrations show who may use a table: some of them grants it, and nothing else may have. Platforms grant tables by default
 * privileges that no migration shows, default privileges do so for tables to come, and a statement that is put together is not known.
 */
function showsAllGrants(model: Model, table: Table): boolean {
  if (isSupabase(model) || grantsOn(model, table).length === 0) return false;
  if (model.schema.defaultPrivileges.some((given) => given.objects.startsWith('table'))) return false;
  return !model.unchecked.some((u) => /\bgrant\b/i.test(u.detail ?? ''));
}

/** Whether somebody for whom the policy holds has the privilege for one of the commands by which it leaks. */
function mayUse(model: Model, table: Table, { policy, commands }: PolicyLeak): boolean {
  if (policy.roles.length === 0 || policy.roles.includes('public')) return true;
  const grants = grantsOn(model, table);
  return holders(model, policy).some((role) => {
    const all = rolesOf(model, role);
    if (table.owner !== undefined && all.has(table.owner.role)) return true;
    return grants.some(
      ({ to, privileges }) =>
        to.some((name) => name === 'public' || all.has(name)) &&
        privileges.some((p) => p.startsWith('all') || commands.some((command) => command === p)),
    );
  });
}

/** The roles that a policy names, and their members. */
const holders = (model: Model, policy: Policy): readonly string[] => [
  ...policy.roles,
  ...[...model.schema.roles.keys()].filter((role) => policy.roles.some((name) => rolesOf(model, role).has(name))),
];
