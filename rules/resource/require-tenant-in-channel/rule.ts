import { defineRule } from '@tenant-lint/engine';
import { tableName } from '../../lib/naming.js';
import { holdsTenants, partsByKind } from '../../lib/resources.js';

export default defineRule({
  meta: {
    id: 'require-tenant-in-channel',
    group: 'resource',
    summary: 'Require that channels to browsers belong to a tenant, and that joining one is checked',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-88'],
    messages: {
      joined: {
        what: '{method} lets a client into the channel that {source} names, and nothing checks whether it may.',
        why: 'Whoever sends the name of the channel of another tenant receives all that is sent there.',
        fix: 'Check that the user belongs to the tenant of the channel before, or derive the name from the session.',
      },
      broadcast: {
        what: '{method} sends rows of {table} that belong to one tenant to a channel that is the same for all.',
        why: 'Users of every tenant receive them.',
        fix: 'Send them to a channel of the tenant.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    if (!holdsTenants(model)) return;
    for (const resource of model.resources) {
      if (resource.kind !== 'channel') continue;
      const parts = model.partsOf(resource, resource.key);
      const { own, unknown, request, random } = partsByKind(parts);
      if (resource.operation === 'join') {
        const [first] = request;
        if (!first || own.length > 0 || unknown.length > 0 || random.length > 0) continue;
        yield {
          message: 'joined',
          data: { method: resource.method, source: first.claim.what },
          span: resource.span,
          confidence: first.claim.confidence === 'possible' ? 'possible' : 'likely',
          key: `${resource.span.file} ${resource.library}.${resource.method} joined`,
        };
        continue;
      }
      if (parts.some((p) => p.kind !== 'fixed')) continue;
      const kept = model.keptRows(resource);
      if (!kept) continue;
      yield {
        message: 'broadcast',
        data: { method: resource.method, table: tableName(kept.table) },
        span: resource.span,
        confidence: kept.confidence,
        table: kept.table,
        related: [{ span: kept.loaded, text: 'the rows are read here' }],
        key: `${resource.span.file} ${resource.library}.${resource.method} ${kept.table}`,
      };
    }
  },
});
