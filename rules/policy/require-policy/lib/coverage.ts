import type { Command, Model } from '@tenant-lint/analysis';
import type { Policy, Span, Table } from '@tenant-lint/model';
import { rolesOf } from '../../../lib/roles.js';

/** The commands that policies speak of, in the order in which messages name them. */
export const allCommands: readonly Command[] = ['select', 'insert', 'update', 'delete'];
/** The policies that hold for a command. */
export const policiesFor = (policies: readonly Policy[], command: Command): Policy[] =>
  policies.filter((policy) => policy.command === 'all' || policy.command === command);

/** The commands that some permissive policy lets through. Without a clause a policy denies. */
export const commandsOf = (policies: readonly Policy[]): Set<Command> =>
  new Set(allCommands.filter((command) => policiesFor(policies, command).length > 0));

const appliesTo = (model: Model, policy: Policy, role: string): boolean =>
  policy.roles.length === 0 || policy.roles.some((name) => name === 'public' || rolesOf(model, role).has(name));

/** The application's roles are known, policies are for roles, and none of these is meant by any. */
export function roleWithoutPolicy(model: Model, policies: readonly Policy[]): string | undefined {
  const { appRoles } = model.tenancy;
  const some = appRoles.some((role) => policies.some((policy) => appliesTo(model, policy, role)));
  return some ? undefined : appRoles[0];
}

/** Privileges on a table for which a role has no permissive policy; roles that bypass row security need none. */
export function grantsWithoutPolicy(
  model: Model,
  table: Table,
  policies: readonly Policy[],
): { readonly grantee: string; readonly commands: Command[]; readonly span: Span }[] {
  return model.schema.grants.flatMap((grant) => {
    const onTable = grant.on.some(
      (object) => object.kind === 'table' && `${object.name.schema ?? 'public'}.${object.name.name}` === table.id,
    );
    if (!onTable) return [];
    const granted = allCommands.filter((command) =>
      grant.privileges.some((p) => p.toLowerCase() === command || p.toLowerCase().startsWith('all')),
    );
    return grant.to.flatMap((grantee) => {
      const bypasses = model.schema.roles.get(grantee)?.attributes.some((a) => /^(bypassrls|superuser)$/i.test(a));
      const commands = granted.filter(
        (command) => !policiesFor(policies, command).some((policy) => appliesTo(model, policy, grantee)),
      );
      return commands.length > 0 && bypasses !== true ? [{ grantee, commands, span: grant.span }] : [];
    });
  });
}
