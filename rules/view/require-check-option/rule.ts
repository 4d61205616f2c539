import { defineRule } from '@tenant-lint/engine';
import { keyColumns, tableName } from '../../lib/naming.js';
import { appMay } from '../../lib/privileges.js';
import { unguarded } from '../../lib/views.js';

export default defineRule({
  meta: {
    id: 'require-check-option',
    group: 'view',
    summary: 'Require WITH CHECK OPTION on updatable views whose own condition is what holds tenants apart',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['V05'],
    messages: {
      missing: {
        what: 'View {view} can be written through, and nothing checks the new row against its condition.',
        why: 'A row of {table} can be inserted for another tenant, or moved to one, through {view}.',
        fix: 'Create it WITH CASCADED CHECK OPTION, or revoke INSERT and UPDATE on {view}.',
      },
    },
  },
  subject: 'view',
  *check(view, model) {
    if (view.shape?.updatable !== true || view.options['check_option'] !== undefined) return;
    const [reach, ...more] = unguarded(model, view);
    if (!reach || more.length > 0 || reach.target.role !== 'root' || reach.proof.kind !== 'isolated') return;
    if (!appMay(model, view.id, ['insert', 'update'])) return;
    yield {
      message: 'missing',
      data: {
        view: tableName(view.id),
        table: tableName(reach.table.id),
        key: keyColumns(model.tenancyOf(reach.table.id)).join(' or '),
      },
      span: view.query?.span ?? view.origin.created,
      confidence: reach.sure,
      table: reach.table.id,
      key: view.id,
    };
  },
});
