import { defineRule } from '@tenant-lint/engine';
import { tableName } from '../../lib/naming.js';
import { knowsAppRoles } from '../../lib/privileges.js';
import { databaseIsolates, reachOf } from '../../lib/views.js';

export default defineRule({
  meta: {
    id: 'no-tenant-materialized-view',
    group: 'view',
    summary: "Disallow materialized views of tenants' rows that the application can read",
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['V06'],
    messages: {
      open: {
        what: 'Materialized view {view} stores rows of {table} of all tenants.',
        why: "Policies cannot be put on it, so whoever may read {view} reads all tenants' rows.",
        fix: 'Revoke it from the roles of the application, and show it through a view that compares the tenant.',
      },
    },
  },
  subject: 'view',
  *check(view, model) {
    if (!view.materialized || !databaseIsolates(model)) return;
    const reaches = model.viewReaches(view).filter(({ table }) => model.databaseIsolates(table));
    const [first] = reaches;
    if (!first || reachOf(model, view) !== 'direct') return;
    yield {
      message: 'open',
      data: {
        view: tableName(view.id),
        table: [...new Set(reaches.map(({ table }) => tableName(table.id)))].join(', '),
      },
      span: view.query?.span ?? view.origin.created,
      confidence: knowsAppRoles(model) ? 'certain' : 'likely',
      table: first.table.id,
      key: view.id,
    };
  },
});
