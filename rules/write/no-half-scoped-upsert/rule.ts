import { defineRule } from '@tenant-lint/engine';
import { relatedOf } from '../../lib/evidence.js';
import { leakOf } from '../../lib/leak.js';
import { keyColumns, methodName, tableName, targetKey, tieOf } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-half-scoped-upsert',
    group: 'write',
    summary: 'Disallow an upsert that gives a new row its tenant and overwrites an existing row of any tenant',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['C-40'],
    messages: {
      overwrites: {
        what: '{method} on {table} sets {tie} of a new row, but finds an existing one by {columns} alone.',
        why: "Where {columns} is taken by another tenant's row, that row is overwritten.",
        fix: 'Make {tie} part of what the existing row is found by: of the unique key, or of the condition of the update.',
      },
    },
  },
  subject: 'target',
  *check(subject, model) {
    const { access, target } = subject;
    if (target.operation !== 'upsert' || (target.updates && isEmpty(target.updates))) return;
    const leak = leakOf(subject, model);
    if (!leak || (leak.explainedBy !== 'no-unscoped-get' && leak.explainedBy !== 'require-tenant-filter')) return;
    const keys = keyColumns(leak.tenancy);
    if (leak.tenancy.kind !== 'keyed' || !keys.some((key) => target.writes?.set[key])) return;
    const { pinnedBy, source } = model.selection(access, target);
    const columns = pinnedBy.length > 0 ? pinnedBy : (target.conflict ?? []);
    yield {
      message: 'overwrites',
      data: {
        method: methodName(access),
        table: tableName(leak.table.id),
        tie: tieOf(leak.tenancy),
        columns: columns.length > 0 ? columns.join(' and ') : 'another condition',
      },
      span: access.span,
      confidence: leak.verdict.confidence,
      evidence: leak.verdict.evidence,
      witness: leak.verdict.witness.text,
      table: leak.table.id,
      related: relatedOf(source ? [source, ...leak.verdict.because] : leak.verdict.because, access.span),
      key: targetKey(model, access, target, leak.table),
    };
  },
});

/** Nothing is changed where the row is there: `update: {}`. */
const isEmpty = (updates: { readonly set: Readonly<Record<string, unknown>>; readonly open: boolean }): boolean =>
  !updates.open && Object.keys(updates.set).length === 0;
