import type { ViewReach } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Value, View } from '@tenant-lint/model';
import { keyColumns, tableName } from '../../lib/naming.js';
import { untiedJoin } from '../../lib/tied.js';
import { databaseIsolates, isInvoker, reachOf } from '../../lib/views.js';

export default defineRule({
  meta: {
    id: 'require-tenant-in-view',
    group: 'view',
    summary: 'Require that views keep the tenant: in their columns, their groups and their joins',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['V07', 'V08', 'V09'],
    messages: {
      hidden: {
        what: 'View {view} does not show {key} of {table}.',
        why: 'Nobody who reads it can tell whose rows these are, filter them or join them by tenant.',
        fix: 'Add {key} to the columns of {view}.',
      },
      mixed: {
        severity: 'error',
        what: 'View {view} aggregates rows of {table} of all tenants without {key}.',
        why: 'Each figure is made of the rows of several tenants, and shown to all of them.',
        fix: 'Add {key} to its columns and to GROUP BY.',
      },
      mixedByInvoker: {
        what: 'View {view} aggregates rows of {table} without {key}.',
        why: 'For a role that sees several tenants, each figure mixes them.',
        fix: 'Add {key} to its columns and to GROUP BY.',
      },
      joined: {
        severity: 'error',
        what: 'View {view} joins {other} to {table} without comparing the tenant.',
        why: 'Rows of different tenants whose other columns happen to agree are shown together.',
        fix: 'Add {condition} to the join.',
      },
      joinedByInvoker: {
        what: 'View {view} joins {other} to {table} without comparing the tenant.',
        why: 'For a role that sees several tenants, rows of different tenants are shown together.',
        fix: 'Add {condition} to the join.',
      },
    },
  },
  subject: 'view',
  *check(view, model) {
    if (!databaseIsolates(model) || view.foreign || !view.query) return;
    const reaches = model.viewReaches(view).filter(({ table }) => model.tenancyOf(table.id).kind === 'keyed');
    const [first] = reaches;
    if (!first || reachOf(model, view) === 'none') return;
    const common = {
      span: view.query.span,
      confidence: 'certain',
      table: first.table.id,
    } as const;
    const strict = isInvoker(view);
    const name = tableName(view.id);
    for (const reach of reaches) {
      if (reach.target.role === 'root' || reach.proof.kind === 'isolated') continue;
      const untied = untiedJoin(model, view.query, reach.target);
      if (!untied) continue;
      yield {
        ...common,
        message: strict ? 'joinedByInvoker' : 'joined',
        data: {
          view: name,
          table: tableName(untied.with),
          other: tableName(reach.table.id),
          condition: untied.condition,
        },
        key: `${view.id} ${reach.table.id}`,
      };
    }
    // Sub-queries in conditions show no rows.
    const shown = reaches.filter(({ target }) => target.role !== 'subquery');
    if (shown.length === 0 || shown.some((reach) => showsKey(view, reach, keyColumns(model.tenancyOf(reach.table.id)))))
      return;
    // A view that holds its rows to one tenant itself needs to say no more.
    if (shown.every(({ proof }) => proof.kind === 'isolated')) return;
    const key = keyColumns(model.tenancyOf(shown[0]!.table.id)).join(' or ');
    const grouped = view.shape?.grouped === true;
    yield {
      ...common,
      message: grouped ? (strict ? 'mixedByInvoker' : 'mixed') : 'hidden',
      data: { view: name, table: tableName(shown[0]!.table.id), key },
      key: view.id,
    };
  },
});

/** Whether one of the columns of a view is a tenant key of a table that it reads, under whatever name. */
function showsKey(view: View, { target }: ViewReach, keys: readonly string[]): boolean {
  const { output } = view.query!;
  if (!output) return true;
  const isKey = (value: Value): boolean => {
    if (value.kind === 'column') return keys.includes(value.column) && (value.target ?? target.ref) === target.ref;
    if (value.kind === 'apply' && (value.function.startsWith('cast:') || value.function === 'coalesce'))
      return value.to.some(isKey);
    if (value.kind === 'choice') return value.of.some(isKey);
    return value.kind === 'unknown' || value.kind === 'query';
  };
  return output.some((column) =>
    'star' in column ? column.star.length === 0 || column.star.includes(target.ref) : isKey(column.value),
  );
}
