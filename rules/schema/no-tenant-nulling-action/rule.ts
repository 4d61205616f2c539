import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { ReferenceAction, Table } from '@tenant-lint/model';
import { tableName } from '../../lib/naming.js';
import { placeInTable } from '../../lib/place.js';
import type { ForeignKey } from '../../lib/reference.js';
import { references, tenantKeys } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'no-tenant-nulling-action',
    group: 'schema',
    summary: 'Disallow references that set the tenant column to NULL or to its default',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['K04'],
    messages: {
      nulls: {
        what: '{event} of a row of {parent} sets {table}.{column} to {value}.',
        why: 'SET NULL and SET DEFAULT change every column of the reference, so the rows that pointed at it lose their tenant.',
        fix: 'Name the columns that may change: {action} ({others}), from Postgres 15 on.',
      },
      refuses: {
        severity: 'warning',
        what: '{event} of a row of {parent} would set {table}.{column} to NULL, which it cannot be.',
        why: 'The statement fails for every row that something points at; no row leaks.',
        fix: 'Name the columns that may change, {action} ({others}), or choose another action.',
      },
      orphans: {
        severity: 'warning',
        what: '{event} of a row of {parent} sets {table}.{column} to {value}, the only thing that says whose row it is.',
        why: 'The rows of a deleted tenant stay and belong to nobody, and a lenient condition shows them to everybody.',
        fix: 'Delete the rows along (ON DELETE CASCADE), or refuse the deletion while there are any.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    if (table.partitionOf !== undefined) return;
    for (const { constraint, to } of references(model, table)) {
      for (const [event, action, only] of actionsOf(constraint)) {
        const found = lostKey(model, table, constraint, action, only);
        if (found === undefined || to === undefined) continue;
        const others = constraint.columns.filter((column) => column !== found.column);
        yield {
          message: found.message,
          data: {
            event: event === 'delete' ? 'Deletion' : 'A changed key',
            parent: tableName(to.id),
            table: tableName(table.id),
            column: found.column,
            value: action === 'set default' ? 'its default' : 'NULL',
            action: `ON ${event.toUpperCase()} ${action.toUpperCase()}`,
            others: others.join(', '),
          },
          ...placeInTable(constraint, table),
          confidence: 'certain',
          table: table.id,
          key: `${table.id} ${constraint.columns.join(',')} ${event}`,
        };
      }
    }
  },
});

type Action = readonly ['delete' | 'update', ReferenceAction, readonly string[] | undefined];

function actionsOf(constraint: ForeignKey): Action[] {
  const all: Action[] = [];
  if (constraint.onDelete) all.push(['delete', constraint.onDelete, constraint.onDeleteColumns]);
  if (constraint.onUpdate) all.push(['update', constraint.onUpdate, undefined]);
  return all.filter(([, action]) => action === 'set null' || action === 'set default');
}

/** The tenant column that an action changes, and what comes of it. */
function lostKey(
  model: Model,
  table: Table,
  constraint: ForeignKey,
  action: ReferenceAction,
  only: readonly string[] | undefined,
): { readonly message: 'nulls' | 'refuses' | 'orphans'; readonly column: string } | undefined {
  const changed = only !== undefined && only.length > 0 ? only : constraint.columns;
  const keys = tenantKeys(model, table);
  const key = keys.find(({ column }) => changed.includes(column));
  if (key === undefined) return undefined;
  // Some other key still says whose row it is.
  if (keys.some((other) => !changed.includes(other.column) && !other.nullable)) return undefined;
  const hasDefault = action === 'set default' && table.columns.get(key.column)?.default !== undefined;
  const mayChange = key.nullable || hasDefault;
  if (!mayChange) return { message: 'refuses', column: key.column };
  return { message: constraint.columns.length > 1 ? 'nulls' : 'orphans', column: key.column };
}
