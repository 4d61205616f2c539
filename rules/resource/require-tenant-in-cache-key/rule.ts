import { defineRule } from '@tenant-lint/engine';
import { tableName } from '../../lib/naming.js';
import { passedTenants } from '../../lib/patterns.js';
import { holdsTenants } from '../../lib/resources.js';

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
      prefix: {
        what: '{method} goes over the keys of all tenants: what the client puts before a key it does not put before a pattern.',
        why: 'What other tenants keep is found, and shown or removed together with what is meant.',
        fix: 'Write the prefix before the pattern, too, and take it off the keys that are found.',
      },
      wildcard: {
        what: '{method} goes over the keys of all tenants: its pattern does not say which tenant.',
        why: 'What other tenants keep is found, and shown or removed together with what is meant.',
        fix: 'Put the tenant into the pattern.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    for (const resource of model.resources) {
      const passed = holdsTenants(model) ? passedTenants(model, resource) : undefined;
      if (passed)
        yield {
          message: passed.how,
          data: { method: resource.method },
          span: resource.span,
          confidence: passed.confidence,
          related: passed.kept ? [{ span: passed.kept.span, text: 'what belongs to one tenant is kept here' }] : [],
          key: `${resource.span.file} ${resource.library}.${resource.method}`,
        };
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
