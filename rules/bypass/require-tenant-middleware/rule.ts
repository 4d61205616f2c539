import { defineRule } from '@tenant-lint/engine';
import { functionPath, tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'require-tenant-middleware',
    group: 'bypass',
    summary: 'Require that routes which take the tenant from the request context are behind what puts it there',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-68'],
    messages: {
      open: {
        what: 'This route takes {property} for the tenant of {table}, and is not behind {guard}, which {count} other routes are behind.',
        why: 'Nothing has put a tenant there, or checked it: the condition may be missing, or hold what the client sent.',
        fix: 'Register {guard} before this route.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    for (const { span, property, guarded, guard, access } of model.openRoutes()) {
      const table = access.targets.map((t) => model.tableOf(t)).find((t) => t !== undefined);
      if (!table) continue;
      yield {
        message: 'open',
        data: {
          property,
          table: tableName(table.id),
          guard: guard?.name ?? 'the middleware',
          count: guarded,
        },
        span,
        confidence: 'likely',
        table: table.id,
        related: [
          ...(guard ? [{ span: guard.span, text: 'this runs before the others' }] : []),
          { span: access.span, text: 'the tenant is used here' },
        ],
        key: `${span.file} ${functionPath(model, access)} ${property} ${table.id}`,
      };
    }
  },
});
