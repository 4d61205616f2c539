import { defineRule } from '@tenant-lint/engine';
import { relatedOf } from '../../lib/evidence.js';
import { leakOf } from '../../lib/leak.js';
import { methodName, participle, tableName, targetKey, tieOf } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-vanishing-filter',
    group: 'access',
    summary: 'Disallow tenant conditions that disappear when a value is missing',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['C-6', 'C-7', 'C-9', 'C-10', 'C-20', 'C-21'],
    messages: {
      vanishing: {
        what: '{method} on {table} loses its condition on {tie} when a value is missing.',
        why: 'Without that value rows of every tenant can be {done}.',
        fix: 'Stop with an error before the query when the value is missing, so that the condition always holds.',
      },
    },
  },
  subject: 'target',
  *check(subject, model) {
    const leak = leakOf(subject, model);
    if (leak?.explainedBy !== 'no-vanishing-filter') return;
    const { access, target } = subject;
    yield {
      message: 'vanishing',
      data: {
        method: methodName(access),
        table: tableName(leak.table.id),
        tie: tieOf(leak.tenancy),
        done: participle(target.operation),
      },
      span: access.span,
      confidence: leak.verdict.confidence,
      evidence: leak.verdict.evidence,
      witness: leak.verdict.witness.text,
      table: leak.table.id,
      related: relatedOf(leak.verdict.because, access.span),
      key: targetKey(model, access, target, leak.table),
    };
  },
});
