import { defineRule } from '@tenant-lint/engine';
import { relatedOf, spanFromConditions } from '../../lib/evidence.js';
import { leakOf } from '../../lib/leak.js';
import { methodName, participle, tableName, targetKey, tieOf } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-unscoped-get',
    group: 'access',
    summary: "Disallow picking a tenant's row by an identifier alone",
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['C-2', 'C-3', 'C-4', 'C-47', 'C-49', 'C-50', 'C-51', 'C-52'],
    messages: {
      unscoped: {
        what: '{method} on {table} selects by {columns} alone{source}.',
        why: 'A row of any tenant can be {done} by whoever knows its {columns}.',
        fix: 'Add {tie} to the condition, or compare the row with the current tenant before it is used.',
      },
    },
  },
  subject: 'target',
  *check(subject, model) {
    const leak = leakOf(subject, model);
    if (leak?.explainedBy !== 'no-unscoped-get') return;
    const { access, target } = subject;
    const { pinnedBy, source } = model.selection(access, target);
    yield {
      message: 'unscoped',
      data: {
        method: methodName(access),
        table: tableName(leak.table.id),
        columns: pinnedBy.join(' and '),
        source: source === undefined ? '' : `, and the value is ${source.text}`,
        tie: tieOf(leak.tenancy),
        done: participle(target.operation),
      },
      span: spanFromConditions(access, target),
      access: access.span,
      confidence: leak.verdict.confidence,
      evidence: leak.verdict.evidence,
      witness: leak.verdict.witness.text,
      table: leak.table.id,
      related: relatedOf(source ? [source, ...leak.verdict.because] : leak.verdict.because, access.span),
      key: `${targetKey(model, access, target, leak.table)} ${pinnedBy.join(',')}`,
    };
  },
});
