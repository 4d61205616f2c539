import { defineRule } from '@tenant-lint/engine';
import { keyColumns, tableName } from '../../lib/naming.js';
import { appMay, knowsAppRoles } from '../../lib/privileges.js';
import { databaseIsolates } from '../../lib/views.js';

export default defineRule({
  meta: {
    id: 'no-tenant-foreign-table',
    group: 'view',
    summary: "Disallow foreign tables with tenants' rows that the application can read",
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['V10'],
    messages: {
      open: {
        what: 'Foreign table {table} holds rows of tenants, told apart by {key}.',
        why: "Row security does not exist for foreign tables, so whoever may read {table} reads all tenants' rows.",
        fix: 'Revoke it from the roles of the application, and show it through a view that compares {key}.',
      },
    },
  },
  subject: 'view',
  *check(view, model) {
    if (view.foreign !== true || !databaseIsolates(model)) return;
    const tenancy = model.tenancyOf(view.id);
    if (tenancy.kind !== 'keyed' || !appMay(model, view.id, ['select', 'insert', 'update', 'delete'])) return;
    yield {
      message: 'open',
      data: { table: tableName(view.id), key: keyColumns(tenancy).join(' or ') },
      span: view.origin.created,
      confidence: knowsAppRoles(model) ? 'certain' : 'likely',
      table: view.id,
      key: view.id,
    };
  },
});
