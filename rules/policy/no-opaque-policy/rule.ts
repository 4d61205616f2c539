import type { PolicyUnknown } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import { tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-opaque-policy',
    group: 'policy',
    summary: 'Disallow policies whose effect cannot be told from the migrations',
    since: 'next',
    severity: 'info',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['Q26'],
    messages: {
      opaque: {
        what: 'Whether policy {policy} of {table}{others} isolates tenants cannot be told.',
        why: 'It hangs on {reason}.',
        fix: 'Write the function into a migration, in SQL, or with plain RETURN statements in PL/pgSQL.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    const byReason = new Map<string, PolicyUnknown[]>();
    for (const table of model.schema.tables.values()) {
      if (!table.rowSecurity.enabled) continue;
      for (const unknown of model.policyUnknowns(table)) {
        const reason = unknown.hangsOn.map((r) => r.text).join('; ');
        byReason.set(reason, [...(byReason.get(reason) ?? []), unknown]);
      }
    }
    for (const [reason, found] of byReason) {
      const policies = [...new Map(found.map((u) => [`${u.table} ${u.policy.name}`, u])).values()];
      policies.sort(({ policy: { origin: a } }, { policy: { origin: b } }) =>
        a.created.file === b.created.file
          ? a.created.start - b.created.start
          : a.created.file < b.created.file
            ? -1
            : 1,
      );
      const [first, ...rest] = policies;
      if (first === undefined) continue;
      yield {
        message: 'opaque',
        data: {
          policy: first.policy.name,
          table: tableName(first.table),
          others: rest.length === 0 ? '' : ` and of ${rest.length} other ${rest.length === 1 ? 'policy' : 'policies'}`,
          reason,
        },
        span: first.policy.origin.created,
        related: rest.map(({ policy, table }) => ({
          span: policy.origin.created,
          text: `policy ${policy.name} of ${tableName(table)} hangs on the same`,
        })),
        confidence: 'certain',
        table: first.table,
        key: `${first.table} ${first.policy.name} ${reason}`,
      };
    }
  },
});
