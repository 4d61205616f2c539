import type { Command, Model } from '@tenant-lint/analysis';
import type { Grant, Policy, Span, Table } from '@tenant-lint/model';
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

/**
 * A role with which something connects and that no policy is for: one of the application's roles where these are known, else one that may
 * log in and was granted access to the table.
 */
export function roleWithoutPolicy(model: Model, table: Table, policies: readonly Policy[]): string | undefined {
  const granted = model.schema.grants.filter((grant) => isOn(grant, table)).flatMap((grant) => grant.to);
  const login = granted.filter((role) => hasAttribute(model, role, 'login') && !bypasses(model, role));
  const connecting = model.tenancy.appRoles.length > 0 ? model.tenancy.appRoles : login;
  const some = connecting.some((role) => policies.some((policy) => appliesTo(model, policy, role)));
  return some ? undefined : connecting[0];
}

const isOn = (grant: Grant, table: Table): boolean =>
  grant.on.some(
    (object) => object.kind === 'table' && `${object.name.schema ?? 'public'}.${object.name.name}` === table.id,
  );

const hasAttribute = (model: Model, role: string, attribute: string): boolean =>
  model.schema.roles.get(role)?.attributes.some((a) => a.toLowerCase() === attribute) === true;

const bypasses = (model: Model, role: string): boolean =>
  hasAttribute(model, role, 'bypassrls') || hasAttribute(model, role, 'superuser');

/** Privileges on a table for which a role has no permissive policy; roles that bypass row security need none. */
export function grantsWithoutPolicy(
  model: Model,
  table: Table,
  policies: readonly Policy[],
): { readonly grantee: string; readonly commands: Command[]; readonly span: Span }[] {
  return model.schema.grants.flatMap((grant) => {
    if (!isOn(grant, table)) return [];
    const granted = allCommands.filter((command) =>
      grant.privileges.some((p) => p.toLowerCase() === command || p.toLowerCase().startsWith('all')),
    );
    return grant.to.flatMap((grantee) => {
      const commands = granted.filter(
        (command) => !policiesFor(policies, command).some((policy) => appliesTo(model, policy, grantee)),
      );
      return commands.length > 0 && !bypasses(model, grantee) ? [{ grantee, commands, span: grant.span }] : [];
    });
  });
}
