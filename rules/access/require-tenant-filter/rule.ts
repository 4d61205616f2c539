import { defineRule } from '@tenant-lint/engine';
import { relatedOf, spanFromConditions } from '../../lib/evidence.js';
import { leakOf } from '../../lib/leak.js';
import { methodName, participle, tableName, targetKey, tieOf } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'require-tenant-filter',
    group: 'access',
    summary: "Require that reads and bulk writes of tenants' rows are limited to the current tenant",
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['C-1', 'C-5', 'C-16', 'C-24', 'C-25', 'C-45', 'C-76'],
    messages: {
      unfiltered: {
        what: '{method} on {table} has no condition on {tie}.',
        why: 'Rows of every tenant can be {done} here.',
        fix: 'Add a condition that holds {tie} to the current tenant.',
      },
    },
  },
  subject: 'target',
  *check(subject, model) {
    const leak = leakOf(subject, model);
    if (leak?.explainedBy !== 'require-tenant-filter') return;
    const { access, target } = subject;
    yield {
      message: 'unfiltered',
      data: {
        method: methodName(access),
        table: tableName(leak.table.id),
        tie: tieOf(leak.tenancy),
        done: participle(target.operation),
      },
      span: spanFromConditions(access, target),
      access: access.span,
      confidence: leak.verdict.confidence,
      evidence: leak.verdict.evidence,
      witness: leak.verdict.witness.text,
      table: leak.table.id,
      related: relatedOf(leak.verdict.because, access.span),
      key: targetKey(model, access, target, leak.table),
    };
  },
});
