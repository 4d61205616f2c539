import { defineRule } from '@tenant-lint/engine';
import type { Loss, Related, Span, View } from '@tenant-lint/model';
import { lostOption } from '../../lib/lost-option.js';
import { keyColumns, tableName } from '../../lib/naming.js';
import { isOn, reachOf, readersOf, unguarded } from '../../lib/views.js';

export default defineRule({
  meta: {
    id: 'require-security-invoker',
    group: 'view',
    summary:
      'Require security_invoker on views that show rows which policies hold back, unless the view isolates tenants itself',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['V01', 'V02', 'V03', 'V11'],
    messages: {
      owner: {
        what: 'View {view} reads {table} with the rights of its owner, to whom the policies of {table} do not apply.',
        why: "Whoever may read {view} reads all tenants' rows of {table}.",
        fix: 'Create it WITH (security_invoker = true), so that {table} is read with the rights of whoever asks.',
      },
      lost: {
        what: 'View {view} loses security_invoker here, and reads {table} with the rights of its owner again.',
        why: "The policies of {table} do not apply to the owner, so whoever may read {view} reads all tenants' rows.",
        fix: 'Repeat WITH (security_invoker = true) whenever the view is replaced.',
      },
    },
  },
  subject: 'view',
  *check(view, model) {
    if (view.materialized || view.foreign) return;
    const leaking = unguarded(model, view).filter(({ proof }) => proof.kind !== 'isolated');
    const [first] = [...leaking].sort((a, b) => rank(a) - rank(b));
    if (!first) return;
    const reach = reachOf(model, view);
    if (reach === 'none') return;
    const loss = lostOption(model, view, (before) => isOn(before, 'security_invoker'));
    const readers = readersOf(model, view.id).map((reader): Related => {
      return { span: reader.origin.created, text: `view ${tableName(reader.id)} shows what it reads` };
    });
    const unsure = first.sure === 'possible' || first.proof.kind === 'unknown' || reach === 'through';
    yield {
      message: loss ? 'lost' : 'owner',
      data: {
        view: tableName(view.id),
        table: [...new Set(leaking.map(({ table }) => tableName(table.id)))].join(', '),
        key: keyColumns(model.tenancyOf(first.table.id)).join(' or '),
      },
      span: loss?.removed ?? definitionOf(view),
      related: [...before(loss), ...readers],
      confidence: unsure ? 'possible' : 'certain',
      ...(first.proof.kind === 'leak' ? { witness: first.proof.witness.text } : {}),
      table: first.table.id,
      key: view.id,
      cause: `view ${view.id}`,
    };
  },
});

const rank = ({ sure, proof }: { readonly sure: string; readonly proof: { readonly kind: string } }): number =>
  (sure === 'certain' ? 0 : 2) + (proof.kind === 'leak' ? 0 : 1);

/** The statement that made the view what it is: the last CREATE OR REPLACE. */
const definitionOf = (view: View): Span => view.query?.span ?? view.origin.created;

const before = (loss: Loss | undefined): Related[] =>
  loss ? [{ span: loss.established, text: 'the view had security_invoker here' }] : [];
