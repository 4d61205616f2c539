import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { PolicySubject } from '@tenant-lint/engine';
import { placeOf } from '../../lib/evidence.js';
import { tableName } from '../../lib/naming.js';
import { policyFinding } from '../../lib/policy.js';
import { tenantKeys } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'no-leaking-check',
    group: 'policy',
    summary: 'Disallow policies that let a row be written for another tenant',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['P01', 'P02', 'P08', 'M05', 'P16'],
    messages: {
      leaking: {
        what: 'WITH CHECK of policy {policy} of {table} accepts rows of another tenant.',
        why: "It accepts {witness}, so rows can be {done} in another tenant's name.",
        fix: 'Compare {key} with the current tenant in WITH CHECK, as in USING.',
      },
      movable: {
        severity: 'info',
        what: '{role} may update {column} of {table}.',
        why: 'Moving a row to another tenant is then held back by the policy alone.',
        fix: 'Revoke UPDATE on {table}, and grant it on the columns that the application changes.',
      },
    },
  },
  subject: 'policy',
  *check(subject, model) {
    const finding = policyFinding(subject, model, 'no-leaking-check');
    if (finding) yield { ...finding, message: 'leaking' };
    else yield* movableBy(subject, model);
  },
});

/** The privilege to update the key, of a table whose policies allow updates. Told once, at the first policy that does. */
function* movableBy({ table, policy }: PolicySubject, model: Model) {
  const updating = table.policies.filter((p) => p.permissive && (p.command === 'all' || p.command === 'update'));
  const [key] = tenantKeys(model, table);
  if (updating[0] !== policy || key === undefined) return;
  for (const grant of model.schema.grants) {
    const updates = grant.privileges.some((p) => p.toLowerCase() === 'update' || p.toLowerCase().startsWith('all'));
    const onTable = grant.on.some(
      (o) => o.kind === 'table' && `${o.name.schema ?? 'public'}.${o.name.name}` === table.id,
    );
    if (!updates || !onTable || (grant.columns !== undefined && !grant.columns.includes(key.column))) continue;
    const [role] = grant.to;
    if (role === undefined) continue;
    yield {
      message: 'movable' as const,
      data: { role, column: key.column, table: tableName(table.id) },
      span: grant.span,
      related: [{ span: placeOf(policy.origin).span, text: 'this policy allows updates' }],
      confidence: 'certain' as const,
      table: table.id,
      key: `${table.id} ${role}`,
      cause: `grant ${table.id} ${role}`,
    };
    return;
  }
}
