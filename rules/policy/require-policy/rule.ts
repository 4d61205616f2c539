import type { Command, Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Policy, Related, Span, Table } from '@tenant-lint/model';
import { placeOf } from '../../lib/evidence.js';
import { tableName } from '../../lib/naming.js';
import { references } from '../../lib/schema.js';
import { allCommands, commandsOf, grantsWithoutPolicy, policiesFor, roleWithoutPolicy } from './lib/coverage.js';

export default defineRule({
  meta: {
    id: 'require-policy',
    group: 'policy',
    summary: 'Require policies that let the application do what it is meant to do, and nothing by accident',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['R04', 'R05', 'R08', 'R09', 'R10', 'P04', 'P10', 'P17'],
    messages: {
      none: {
        what: 'Row security is enabled on {table}, and there is no policy.',
        why: 'No row can be read or written by anyone but the owner, and such tables end up opened in a hurry.',
        fix: 'Create a policy for {table} that compares its tenant with the current one.',
      },
      onlyRestrictive: {
        what: '{table} has only restrictive policies.',
        why: 'They narrow what a permissive policy allows, and nothing is allowed, so no row can be read or written.',
        fix: 'Create a permissive policy for {table}.',
      },
      noneForRole: {
        what: 'No policy of {table} is for {role}, the role of the application.',
        why: 'No row can be read or written by the application.',
        fix: 'Name {role} in the TO clause of a policy of {table}.',
      },
      noneForGrant: {
        severity: 'info',
        what: '{role} may {commands} {table}, but no permissive policy covers that.',
        why: 'The statement fails or affects no row, although it was granted.',
        fix: 'Create a policy FOR {command} TO {role}, or revoke the privilege.',
      },
      blindWrite: {
        what: '{table} has a policy for {commands} and none for SELECT.',
        why: 'A statement with a condition sees no row, so it affects none and reports no error.',
        fix: 'Create a policy FOR SELECT with the same condition.',
      },
      noReturning: {
        severity: 'info',
        what: '{table} has a policy for INSERT and none for SELECT.',
        why: 'INSERT ... RETURNING, which most libraries send, is refused.',
        fix: 'Create a policy FOR SELECT that shows the inserted row.',
      },
      noFloor: {
        severity: 'info',
        what: '{table} has {count} permissive policies for {command} and no restrictive one.',
        why: 'Permissive policies are joined by OR, so the widest of them, and any that is added later, decides.',
        fix: 'Create a RESTRICTIVE policy that compares the tenant, as a floor under all others.',
      },
      drift: {
        what: 'Policies cover {commands} on {parent}, which {table} belongs to, but not on {table}.',
        why: 'What the application can do with a row it cannot do with its parts, or it does that by a way around the policies.',
        fix: 'Create the missing policies of {table}, or say why it differs in a comment on the table.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    const { enabled, origin } = table.rowSecurity;
    const { kind } = model.tenancyOf(table.id);
    if (!enabled || (kind !== 'keyed' && kind !== 'root' && kind !== 'child')) return;
    const name = tableName(table.id);
    const switchedOn = placeOf(origin ?? table.origin);
    const common = { confidence: 'certain', table: table.id } as const;
    const permissive = table.policies.filter((policy) => policy.permissive);

    if (table.policies.length === 0) {
      yield { ...common, ...switchedOn, message: 'none', data: { table: name }, key: table.id };
      return;
    }
    if (permissive.length === 0) {
      yield {
        ...common,
        ...placesOf(table.policies),
        message: 'onlyRestrictive',
        data: { table: name },
        key: table.id,
      };
      return;
    }
    const role = roleWithoutPolicy(model, table, permissive);
    if (role !== undefined) {
      yield {
        ...common,
        ...placesOf(permissive),
        message: 'noneForRole',
        data: { table: name, role },
        key: `${table.id} ${role}`,
      };
      return;
    }
    const covered = commandsOf(permissive);
    const blind = (['update', 'delete'] as const).filter((command) => covered.has(command));
    if (!covered.has('select') && blind.length > 0) {
      yield {
        ...common,
        ...placesOf(permissive),
        message: 'blindWrite',
        data: { table: name, commands: sqlWords(blind) },
        key: table.id,
      };
    } else if (!covered.has('select') && covered.has('insert')) {
      yield { ...common, ...placesOf(permissive), message: 'noReturning', data: { table: name }, key: table.id };
    }
    for (const { grantee, commands, span } of grantsWithoutPolicy(model, table, permissive)) {
      yield {
        ...common,
        span,
        message: 'noneForGrant',
        data: { table: name, role: grantee, commands: sqlWords(commands), command: (commands[0] ?? '').toUpperCase() },
        key: `${table.id} ${grantee} ${commands.join(',')}`,
      };
    }
    const crowded = allCommands.find((command) => policiesFor(permissive, command).length > 1);
    if (crowded && permissive.length === table.policies.length) {
      const several = policiesFor(permissive, crowded);
      yield {
        ...common,
        ...placesOf(several),
        message: 'noFloor',
        data: { table: name, count: several.length, command: crowded.toUpperCase() },
        key: `${table.id} ${crowded}`,
      };
    }
    yield* driftOf(model, table, covered);
  },
});

const sqlWords = (commands: readonly string[]): string => commands.map((c) => c.toUpperCase()).join(' and ');

function placesOf(
  policies: readonly Policy[],
): { readonly span: Span; readonly related: Related[] } | Record<string, never> {
  const [first, ...rest] = policies;
  if (first === undefined) return {};
  return {
    span: first.origin.created,
    related: rest.map((policy) => ({ span: policy.origin.created, text: `policy ${policy.name}` })),
  };
}

/** A table that belongs to another one by a required reference is expected to allow what that one allows. */
function* driftOf(
  model: Model,
  table: Table,
  covered: ReadonlySet<Command>,
): Iterable<{
  message: 'drift';
  data: Record<string, string>;
  span: Span;
  related: Related[];
  confidence: 'possible';
  table: string;
  key: string;
}> {
  for (const { constraint, to } of references(model, table)) {
    if (to === undefined || to.id === table.id || !to.rowSecurity.enabled) continue;
    if (model.tenancyOf(to.id).kind === 'root') continue;
    if (constraint.columns.some((column) => table.columns.get(column)?.notNull !== true)) continue;
    const parents = to.policies.filter((policy) => policy.permissive);
    const missing = allCommands.filter((command) => commandsOf(parents).has(command) && !covered.has(command));
    const [policy] = table.policies;
    if (missing.length === 0 || policy === undefined) continue;
    yield {
      message: 'drift',
      data: { table: tableName(table.id), parent: tableName(to.id), commands: sqlWords(missing) },
      span: policy.origin.created,
      related: parents.map((p) => ({ span: p.origin.created, text: `policy ${p.name} of ${tableName(to.id)}` })),
      // An append-only part of a row that can be changed is a design.
      confidence: 'possible',
      table: table.id,
      key: `${table.id} ${to.id}`,
    };
    return;
  }
}
