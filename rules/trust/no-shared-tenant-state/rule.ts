import { defineRule } from '@tenant-lint/engine';
import { participle, tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'no-shared-tenant-state',
    group: 'trust',
    summary: 'Disallow a current tenant that requests share',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-32', 'C-33'],
    messages: {
      kept: {
        what: '{name} keeps the current tenant where all requests share it.',
        why: 'While one request waits for the database another one sets it, and goes on with the tenant of somebody else.',
        fix: 'Hand the tenant on as an argument, or run the request in an AsyncLocalStorage.',
      },
      entered: {
        what: '{name}.enterWith replaces the store of whatever runs on.',
        why: 'It has no end: what runs in the same chain of calls afterwards works with this tenant.',
        fix: 'Use {name}.run with a function that does the work.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    for (const { how, name, spans, uses } of model.sharedTenants()) {
      const [span, ...more] = spans;
      yield {
        message: how,
        data: { name },
        span,
        confidence: how === 'kept' && uses.length > 0 ? 'certain' : 'likely',
        key: `${span.file} ${name}`,
        cause: uses.map(({ access, target }) => `target ${access.id} ${target.ref}`),
        related: [
          ...more.map((other) => ({ span: other, text: 'it is set here too' })),
          ...uses.map(({ access, target }) => {
            const table = model.tableOf(target);
            const of = table ? tableName(table.id) : 'a table';
            return { span: access.span, text: `${of} is ${participle(target.operation)} with it here` };
          }),
        ].slice(0, 20),
      };
    }
  },
});
