import { defineRule } from '@tenant-lint/engine';
import { grantsOn } from '../../lib/grants.js';
import { isolatedTables } from '../../lib/roles.js';
import { tableName } from '../../lib/naming.js';

export default defineRule({
  meta: {
    id: 'supabase-no-graphql-exposure',
    group: 'platform',
    summary: "Disallow that anonymous requests read the schema of tenants' tables through GraphQL",
    since: 'next',
    severity: 'warning',
    recommended: false,
    platform: 'supabase',
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['Z06'],
    messages: {
      graphql: {
        what: 'anon may select {tables}, so the GraphQL API shows their columns to everybody.',
        why: 'The extension builds its schema from privileges: names of tables, columns and relations are visible without signing in.',
        fix: 'Revoke SELECT on tables of tenants from anon, or drop the extension pg_graphql.',
      },
    },
  },
  subject: 'project',
  *check(_, model) {
    if (!model.schema.extensions.has('pg_graphql')) return;
    const open = isolatedTables(model).flatMap((table) => {
      const grant = grantsOn(model, table).find(
        (g) =>
          g.to.some((r) => r === 'anon' || r === 'public') &&
          g.privileges.some((p) => /^(?:select|all(?: privileges)?)$/i.test(p)),
      );
      return grant ? [{ table, grant }] : [];
    });
    const [first, ...rest] = open;
    if (!first) return;
    yield {
      message: 'graphql',
      data: { tables: open.map(({ table }) => tableName(table.id)).join(', ') },
      span: first.grant.span,
      related: rest.map(({ table, grant }) => ({ span: grant.span, text: `and ${tableName(table.id)}` })),
      confidence: 'certain',
      key: 'graphql',
    };
  },
});
