import { defineRule } from '@tenant-lint/engine';
import { tableName } from '../../lib/naming.js';
import { publishedTables } from '../../lib/publications.js';

export default defineRule({
  meta: {
    id: 'require-publication-filter',
    group: 'platform',
    summary: 'Require a row filter or a column list where rows of tenants are published',
    since: 'next',
    severity: 'warning',
    recommended: false,

    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['Z07'],
    messages: {
      whole: {
        what: 'The publication {publication} sends all rows of {table}.',
        why: 'Row security does not hold for replication: a subscriber gets the rows of all tenants.',
        fix: 'Add WHERE ({key} = ...) for a subscriber of one tenant, or list the columns that leave the database.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    for (const { publication, table, filtered, span } of publishedTables(model)) {
      const tenancy = model.tenancyOf(table.id);
      // What the platform broadcasts asks the policies for each subscriber.
      if (filtered || publication === 'supabase_realtime' || tenancy.kind !== 'keyed') continue;
      if (!model.databaseIsolates(table)) continue;
      yield {
        message: 'whole',
        data: { publication, table: tableName(table.id), key: tenancy.keys[0]?.column ?? 'the tenant' },
        span,
        confidence: 'certain',
        table: table.id,
        key: `${publication} ${table.id}`,
      };
    }
  },
});
