import { defineRule } from '@tenant-lint/engine';
import { tableName } from '../../lib/naming.js';
import { publishedTables } from '../../lib/publications.js';

export default defineRule({
  meta: {
    id: 'supabase-no-open-realtime',
    group: 'platform',
    summary: 'Disallow tables without row security in the realtime publication',
    since: 'next',
    severity: 'error',
    recommended: false,
    platform: 'supabase',
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['Z03'],
    messages: {
      open: {
        what: '{table} is published to supabase_realtime and has no row security.',
        why: 'Every client that subscribes gets the changes of all tenants.',
        fix: 'Enable row security with a policy on {table}, or drop it from the publication.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    for (const { publication, table, span } of publishedTables(model)) {
      if (publication !== 'supabase_realtime' || table.rowSecurity.enabled) continue;
      const { kind } = model.tenancyOf(table.id);
      if (kind === 'shared') continue;
      yield {
        message: 'open',
        data: { table: tableName(table.id) },
        span,
        related: [{ span: table.origin.created, text: 'the table is created here' }],
        confidence: kind === 'unknown' ? 'likely' : 'certain',
        table: table.id,
        key: table.id,
      };
    }
  },
});
