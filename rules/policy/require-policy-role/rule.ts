import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Policy, Table } from '@tenant-lint/model';
import { tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'require-policy-role',
    group: 'policy',
    summary: 'Require policies to say for which roles they are',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['P09'],
    messages: {
      everybody: {
        what: 'Policy {policy} of {table}{others} is for every role.',
        why: 'Without TO a policy is for PUBLIC, so it also opens the table to roles that were not thought of: anonymous ones, and those that are created later.',
        fix: 'Name the roles in the TO clause of the policy.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    const open = policiesOf(model).filter(({ policy }) => policy.permissive && policy.roles.length === 0);
    const [first, ...rest] = open;
    if (first === undefined) return;
    const span = first.policy.origin.created;
    yield {
      message: 'everybody',
      data: {
        policy: first.policy.name,
        table: tableName(first.table.id),
        others: rest.length === 0 ? '' : ` and ${rest.length} other ${rest.length === 1 ? 'policy' : 'policies'}`,
      },
      span,
      related: rest.map(({ table, policy }) => ({
        span: policy.origin.created,
        text: `policy ${policy.name} of ${tableName(table.id)} is for every role too`,
      })),
      // Where a single role connects, PUBLIC and that role are the same for now.
      confidence: namesRoles(model) ? 'likely' : 'possible',
      table: first.table.id,
      key: 'public',
    };
  },
});

/** The policies of tables of tenants that row security holds for, in the order of their places. */
function policiesOf(model: Model): { readonly table: Table; readonly policy: Policy }[] {
  const found = [...model.schema.tables.values()].flatMap((table) => {
    const { kind } = model.tenancyOf(table.id);
    if (!table.rowSecurity.enabled || kind === 'shared' || kind === 'unknown') return [];
    return table.policies.map((policy) => ({ table, policy }));
  });
  return found.sort(({ policy: { origin: a } }, { policy: { origin: b } }) =>
    a.created.file === b.created.file ? a.created.start - b.created.start : a.created.file < b.created.file ? -1 : 1,
  );
}

/** Whether the project tells roles apart: other policies name one, or several roles that policies hold for were granted something. */
function namesRoles(model: Model): boolean {
  const bound = (role: string): boolean =>
    !(model.schema.roles.get(role)?.attributes ?? []).some((a) => /^(?:bypassrls|superuser)$/i.test(a));
  const named = policiesOf(model).some(({ policy }) => policy.roles.some(bound));
  const granted = new Set(model.schema.grants.flatMap((grant) => grant.to).filter((r) => r !== 'public' && bound(r)));
  return named || granted.size > 1;
}
