import { defineRule } from '@tenant-lint/engine';
import { tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'require-tenant-in-cache-key',
    group: 'resource',
    summary: "Require that tenants' rows are cached under a key that tells tenants apart",
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-80', 'C-81', 'C-82'],
    messages: {
      fixed: {
        what: 'Rows of {table} that belong to one tenant are cached under a key that is the same for all.',
        why: 'The tenant that asks next is given the rows of the first one.',
        fix: 'Make the tenant a part of the key.',
      },
      named: {
        what: 'Rows of {table} that belong to one tenant are cached under a key without the tenant.',
        why: 'A user of another tenant who asks by the same identifier is given them, and the condition on the tenant is never asked.',
        fix: 'Make the tenant a part of the key.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    for (const resource of model.resources) {
      const kept = resource.kind === 'cache' || resource.kind === 'lock' ? model.keptRows(resource) : undefined;
      if (!kept) continue;
      yield {
        message: kept.fixed ? 'fixed' : 'named',
        data: { table: tableName(kept.table) },
        span: resource.span,
        confidence: kept.confidence,
        table: kept.table,
        related: [{ span: kept.loaded, text: 'the rows are read here' }],
        key: `${resource.span.file} ${resource.library}.${resource.method} ${kept.table}`,
      };
    }
  },
});
