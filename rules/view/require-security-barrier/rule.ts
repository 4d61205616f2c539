import { defineRule } from '@tenant-lint/engine';
import { lostOption } from '../../lib/lost-option.js';
import { tableName } from '../../lib/naming.js';
import { isOn, reachOf, unguarded } from '../../lib/views.js';

export default defineRule({
  meta: {
    id: 'require-security-barrier',
    group: 'view',
    summary: 'Require security_barrier on views whose own condition is what holds tenants apart',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['V04'],
    messages: {
      missing: {
        what: 'The condition of view {view} is all that holds rows of {table} to one tenant, and it is no security barrier.',
        why: 'A condition of the caller with a cheap function may be run first, and sees the rows of other tenants.',
        fix: 'Create it WITH (security_barrier = true), or with security_invoker so that the policies of {table} hold.',
      },
      lost: {
        what: 'View {view} loses security_barrier here, and its condition is all that holds rows of {table} to one tenant.',
        why: 'A condition of the caller with a cheap function may be run first, and sees the rows of other tenants.',
        fix: 'Repeat WITH (security_barrier = true) whenever the view is replaced.',
      },
    },
  },
  subject: 'view',
  *check(view, model) {
    if (view.materialized || view.foreign || isOn(view, 'security_barrier')) return;
    const reaches = unguarded(model, view);
    const [first] = reaches;
    // One that leaks anyway is reported for that.
    if (!first || reaches.some(({ proof }) => proof.kind !== 'isolated')) return;
    if (reachOf(model, view) === 'none') return;
    const loss = lostOption(model, view, (before) => isOn(before, 'security_barrier'));
    yield {
      message: loss ? 'lost' : 'missing',
      data: { view: tableName(view.id), table: tableName(first.table.id) },
      span: loss?.removed ?? view.query?.span ?? view.origin.created,
      related: loss ? [{ span: loss.established, text: 'the view had security_barrier here' }] : [],
      confidence: reaches.some(({ sure }) => sure === 'certain') ? 'certain' : 'possible',
      table: first.table.id,
      key: view.id,
    };
  },
});
