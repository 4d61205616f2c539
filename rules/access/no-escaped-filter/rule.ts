import { defineRule } from '@tenant-lint/engine';
import { relatedOf } from '../../lib/evidence.js';
import { leakOf } from '../../lib/leak.js';
import { methodName, participle, tableName, targetKey, tieOf } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-escaped-filter',
    group: 'access',
    summary: 'Disallow conditions that mention the tenant and let other tenants through',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['C-11', 'C-12', 'C-13', 'C-14', 'C-15', 'C-23'],
    messages: {
      escaped: {
        what: '{method} on {table} mentions {tie}, but its condition also holds for rows of other tenants.',
        why: 'It lets through {witness}, so what belongs to other tenants can be {done}.',
        fix: 'Compare {tie} with the current tenant by equality, and join that to everything else with AND.',
      },
    },
  },
  subject: 'target',
  *check(subject, model) {
    const leak = leakOf(subject, model);
    if (leak?.explainedBy !== 'no-escaped-filter') return;
    const { access, target } = subject;
    yield {
      message: 'escaped',
      data: {
        method: methodName(access),
        table: tableName(leak.table.id),
        tie: tieOf(leak.tenancy),
        witness: leak.verdict.witness.text,
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
