import type { Model } from '@tenant-lint/analysis';
import { defineRule, type PolicySubject } from '@tenant-lint/engine';
import type { Policy } from '@tenant-lint/model';
import { constantOf } from '../../lib/constant.js';
import { placeOf } from '../../lib/evidence.js';
import { tableName } from '../../lib/naming.js';

type Message = 'noFloor' | 'bypassing' | 'closed' | 'duplicate' | 'unnamed';

export default defineRule({
  meta: {
    id: 'no-inert-policy',
    group: 'policy',
    summary: 'Disallow policies that have no effect, or not the one they seem to have',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['P05', 'P11', 'P12', 'P13', 'P14', 'P15'],
    messages: {
      noFloor: {
        what: 'The restrictive policy {policy} of {table} refuses no row.',
        why: 'It looks like a floor under the other policies, and any of them lets through what it admits.',
        fix: 'Write the condition that every row must meet into the policy, or drop it.',
      },
      bypassing: {
        what: 'Policy {policy} of {table}{others} is only for {roles}, and row security does not hold for {them}.',
        why: 'It allows nothing that is not allowed anyway, and hides that these connections reach all rows.',
        fix: 'Drop the policy, or create it for the role with which the application connects.',
      },
      closed: {
        what: 'Policy {policy} of {table} has no {clause}, so it lets no row through.',
        why: 'It looks as if it allowed {command}; Postgres takes a missing condition of a permissive policy for false.',
        fix: 'Write the {clause} clause.',
      },
      duplicate: {
        severity: 'info',
        what: 'Policy {policy} of {table} says the same as policy {other}.',
        why: 'Whoever tightens one of them changes nothing, because the other one still lets the rows through.',
        fix: 'Drop one of the two policies.',
      },
      unnamed: {
        severity: 'info',
        what: 'The name of policy {policy} of {table} says nothing.',
        why: 'Nobody can tell from a list of policies what it allows and to whom.',
        fix: 'Rename the policy to what it allows, with ALTER POLICY ... RENAME TO.',
      },
    },
  },
  subject: 'policy',
  *check(subject, model) {
    const { table, policy } = subject;
    const { kind } = model.tenancyOf(table.id);
    if (!table.rowSecurity.enabled || kind === 'shared') return;
    const found = inertness(subject, model);
    if (!found) return;
    const place = placeOf(policy.origin);
    const alike = found.message === 'bypassing' ? forTheSameRoles(policy, model) : [];
    if (alike.length > 0 && alike[0]?.policy !== policy) return;
    const count = alike.length - 1;
    yield {
      message: found.message,
      data: {
        policy: policy.name,
        table: tableName(table.id),
        ...found.data,
        others: count > 0 ? `, like ${count} other${count > 1 ? 's' : ''},` : '',
      },
      span: place.span,
      related: [
        ...place.related,
        ...alike.slice(1).map((o) => ({
          span: o.policy.origin.created,
          text: `policy ${o.policy.name} of ${tableName(o.table.id)} is for the same role`,
        })),
      ],
      confidence: 'certain' as const,
      table: table.id,
      key: `${table.id} ${policy.name} ${found.message}`,
    };
  },
});

/** The policies of all tables that are only for the same roles: one decision about the role mends them all. */
function forTheSameRoles({ roles }: Policy, model: Model): readonly PolicySubject[] {
  const key = [...roles].sort().join();
  const found = [...model.schema.tables.values()].flatMap((table) =>
    table.rowSecurity.enabled && model.tenancyOf(table.id).kind !== 'shared'
      ? table.policies.filter((p) => [...p.roles].sort().join() === key).map((policy) => ({ table, policy }))
      : [],
  );
  return found.sort(({ policy: { origin: a } }, { policy: { origin: b } }) =>
    a.created.file === b.created.file ? a.created.start - b.created.start : a.created.file < b.created.file ? -1 : 1,
  );
}

function inertness(
  { table, policy }: PolicySubject,
  model: Model,
): { readonly message: Message; readonly data: Readonly<Record<string, string>> } | undefined {
  const bypassing = policy.roles.filter((role) => bypasses(model, role));
  if (policy.roles.length > 0 && bypassing.length === policy.roles.length)
    return {
      message: 'bypassing',
      data: { roles: bypassing.join(' and '), them: bypassing.length === 1 ? 'it' : 'them' },
    };
  if (!policy.permissive) return refusesNothing(policy) ? { message: 'noFloor', data: {} } : undefined;
  const missing = missingClause(policy);
  if (missing !== undefined)
    return { message: 'closed', data: { clause: missing, command: policy.command.toUpperCase() } };
  const at = table.policies.indexOf(policy);
  const other = table.policies.slice(0, at).find((p) => meaning(p) === meaning(policy));
  if (other) return { message: 'duplicate', data: { other: other.name } };
  return placeholder.test(policy.name) ? { message: 'unnamed', data: {} } : undefined;
}

/**
 * Roles that bypass row security: by their attributes, or because the platform makes them so outside of the migrations.
 * https://supabase.com/docs/guides/database/postgres/roles
 */
function bypasses(model: Model, name: string): boolean {
  const role = model.schema.roles.get(name);
  if (role) return role.attributes.some((a) => /^(?:bypassrls|superuser)$/i.test(a));
  return name === 'service_role' || name === 'supabase_admin' || name === 'postgres';
}

/** A restrictive policy without a condition on rows of its commands, or with one that is always true. */
function refusesNothing(policy: Policy): boolean {
  const trivial = (clause: Policy['using']): boolean => clause === undefined || constantOf(clause) === true;
  const { using, check = using } = policy;
  if (policy.command === 'insert') return trivial(check);
  if (policy.command === 'select' || policy.command === 'delete') return trivial(using);
  return trivial(using) && trivial(check);
}

/** The clause whose lack makes a permissive policy admit nothing. */
function missingClause({ command, using, check }: Policy): string | undefined {
  if (command === 'insert') return check === undefined ? 'WITH CHECK' : undefined;
  if (command === 'all' && check !== undefined) return undefined;
  return using === undefined ? 'USING' : undefined;
}

const meaning = ({ permissive, command, roles, using, check }: Policy): string =>
  JSON.stringify(
    [permissive, command, [...roles].sort(), using ?? null, check ?? using ?? null],
    (key, value: unknown) => (key === 'span' ? undefined : value),
  );

/** Names that are left over from a template or a trial. */
const placeholder =
  /^(?:(?:my|new|test|temp|tmp|todo|some|the|a)?[ _-]*(?:policy|rls)(?:[ _-]*name)?|untitled|todo|fixme|test(?:ing)?|tmp|temp|foo|bar|baz|asdf|x+|change[ _-]?me|placeholder)[ _-]*\d*$/i;
