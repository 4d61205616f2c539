import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import { tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'require-row-security',
    group: 'policy',
    summary: "Require row security on every table of tenants' rows where the database isolates tenants",
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['R01', 'R07', 'T11'],
    messages: {
      disabled: {
        what: 'Row security is not enabled on {table}.',
        why: "Every role that may read {table} reads all tenants' rows.",
        fix: 'Run ALTER TABLE {table} ENABLE ROW LEVEL SECURITY in the migration that creates it, with a policy on {key}.',
      },
      disabledOnRoot: {
        what: 'Row security is not enabled on {table}, the table of tenants itself.',
        why: 'Every role that may read {table} sees who the other tenants are.',
        fix: 'Run ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, with a policy on {key}.',
      },
      disabledOnPartitioned: {
        what: 'Row security is not enabled on the partitioned table {table}.',
        why: "A query of {table} does not use the policies of its partitions, so it reads all tenants' rows.",
        fix: 'Run ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, with a policy on {key}.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    // Partitions and inheriting tables are reached by other ways than their parents.
    if (table.rowSecurity.enabled || table.partitionOf !== undefined || table.inherits.length > 0) return;
    if (!model.databaseIsolates(table)) return;
    const tenancy = model.tenancyOf(table.id);
    if (tenancy.kind !== 'keyed' && tenancy.kind !== 'root' && tenancy.kind !== 'child') return;
    const partitioned = table.partitionBy !== undefined && table.partitionBy.length > 0;
    const switched = table.rowSecurity.origin;
    yield {
      message: tenancy.kind === 'root' ? 'disabledOnRoot' : partitioned ? 'disabledOnPartitioned' : 'disabled',
      data: { table: tableName(table.id), key: keyText(tenancy) },
      span: table.origin.created,
      related: switched
        ? [switched.created, ...switched.changed].map((span) => ({ span, text: 'row security is switched here' }))
        : [],
      confidence: enabledUnseen(model) ? 'possible' : 'certain',
      table: table.id,
      key: table.id,
      cause: `row security ${table.id}`,
    };
  },
});

/** Whether statements that are put together while they run, for tables nobody can tell here, enable row security. */
const enabledUnseen = (model: Model): boolean =>
  model.unchecked.some(
    ({ reason, detail }) => reason === 'unsupported: dynamic SQL' && /\benable\s+row\s+level\s+sec/i.test(detail ?? ''),
  );

function keyText(
  tenancy: { readonly kind: string } & Partial<{ key: string; keys: readonly { column: string }[] }>,
): string {
  if (tenancy.key !== undefined) return tenancy.key;
  return tenancy.keys?.map((k) => k.column).join(' or ') ?? 'the row it belongs to';
}
