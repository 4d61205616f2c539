import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Related, Span, Table } from '@tenant-lint/model';
import { tableName } from '../../lib/naming.js';
import { ancestorsOf } from '../../lib/partitions.js';
import { appMay } from '../../lib/privileges.js';

export default defineRule({
  meta: {
    id: 'require-row-security-on-partition',
    group: 'copy',
    summary: 'Require row security on partitions and inheriting tables of a table that has it',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['I01', 'I02', 'I03'],
    messages: {
      partition: {
        what: 'Row security is enabled on {parent}, but not on its partition {table}.',
        why: 'Policies of {parent} hold for queries of {parent} only; a query that names {table} reads the rows of all tenants in it.',
        fix: 'Run ALTER TABLE {table} ENABLE ROW LEVEL SECURITY where the partition is made, or revoke {table} from all roles but its owner.',
      },
      child: {
        what: 'Row security is enabled on {parent}, but not on {table}, which inherits from it.',
        why: 'Policies of {parent} hold for queries of {parent} only; a query that names {table} reads the rows of all tenants in it.',
        fix: 'Run ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, with the policies of {parent}.',
      },
      detached: {
        what: '{table} is no longer a part of {parent} from here on, and has no row security of its own.',
        why: "What protected its rows was a query's way through {parent}; now every role that may read {table} reads all tenants' rows.",
        fix: 'Run ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, with the policies of {parent}, before it is detached.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    if (table.rowSecurity.enabled) return;
    const found = unprotectedPart(model, table);
    if (!found) return;
    const { parent } = found;
    const { kind } = model.tenancyOf(parent.id);
    if (kind === 'shared' || kind === 'unknown') return;
    const enabled = parent.rowSecurity.origin;
    const related: Related[] = enabled
      ? [{ span: enabled.created, text: `row security of ${tableName(parent.id)} is enabled here` }]
      : [];
    yield {
      message: found.message,
      data: { table: tableName(table.id), parent: tableName(parent.id) },
      span: found.span,
      related,
      confidence: 'certain',
      table: table.id,
      key: table.id,
      cause: `row security ${table.id}`,
    };
  },
});

function unprotectedPart(
  model: Model,
  table: Table,
): { readonly parent: Table; readonly message: 'partition' | 'child' | 'detached'; readonly span: Span } | undefined {
  const parent = ancestorsOf(model, table).find((above) => above.rowSecurity.enabled);
  if (parent) {
    // Grants on the parent do not reach its parts.
    if (!appMay(model, table.id, ['select', 'insert', 'update', 'delete'])) return undefined;
    return { parent, message: table.partitionOf === undefined ? 'child' : 'partition', span: table.origin.created };
  }
  const former = table.detached && model.schema.tables.get(table.detached.from);
  if (!table.detached || !former?.rowSecurity.enabled) return undefined;
  return { parent: former, message: 'detached', span: table.detached.span };
}
