import { defineRule } from '@tenant-lint/engine';
import { isolatedTables } from '../../lib/roles.js';

/** What the platform exposes anyway; tables there are judged by their own row security. */
const byDefault: ReadonlySet<string> = new Set(['public', 'graphql_public']);

export default defineRule({
  meta: {
    id: 'supabase-no-wide-api',
    group: 'platform',
    summary: 'Disallow that a role setting exposes further schemas to the API',
    since: 'next',
    severity: 'warning',
    recommended: false,
    platform: 'supabase',
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['Z08'],
    messages: {
      wide: {
        what: 'The API exposes the schema {schema}, in which {tables} of tenants have no row security.',
        why: 'Every table of an exposed schema can be asked for over HTTP; the setting overrides what the dashboard shows.',
        fix: 'Take {schema} out of pgrst.db_schemas, or enable row security on all its tables.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    for (const { name, value, of, span } of model.schema.settings) {
      if (name !== 'pgrst.db_schemas') continue;
      for (const schema of value.split(',').map((s) => s.trim().replace(/^["']|["']$/g, ''))) {
        if (byDefault.has(schema)) continue;
        const tables = isolatedTables(model).filter(
          (t) => (t.name.schema ?? 'public') === schema && !t.rowSecurity.enabled,
        );
        if (tables.length === 0) continue;
        yield {
          message: 'wide',
          data: { schema, tables: tables.map((t) => t.name.name).join(', ') },
          span,
          related: tables.map((t) => ({ span: t.origin.created, text: `${t.name.name} has no row security` })),
          confidence: 'certain',
          key: `${of ?? ''} ${schema}`,
        };
      }
    }
  },
});
