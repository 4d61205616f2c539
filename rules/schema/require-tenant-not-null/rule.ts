import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Column, Span, Table } from '@tenant-lint/model';
import { tableName } from '../../lib/naming.js';
import { definitionOf, placeInTable } from '../../lib/place.js';
import { emptyKey } from '../../lib/policy.js';
import { predicatesIn, tenantKeys } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'require-tenant-not-null',
    group: 'schema',
    summary: 'Require that the tenant column is never NULL',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['T02', 'T03', 'K03', 'K11'],
    messages: {
      nullable: {
        severity: 'warning',
        what: '{table}.{column} may be NULL.',
        why: 'A row without it belongs to no tenant, and a lenient condition shows it to all of them.',
        fix: 'Set {column} NOT NULL, and mark rows that all tenants share by a column of their own.',
      },
      unguarded: {
        what: '{table}.{column} may be NULL, and row security of {table} rests on it.',
        why: 'A row without it belongs to no tenant, and a lenient policy shows it to all of them.',
        fix: 'Set {column} NOT NULL, and mark rows that all tenants share by a column of their own.',
      },
      unseen: {
        severity: 'warning',
        what: '{table}.{column} may be NULL.',
        why: "Policies hide a row without it from every tenant, and whatever goes around them finds it in nobody's name.",
        fix: 'Set {column} NOT NULL, and mark rows that all tenants share by a column of their own.',
      },
      neverTightened: {
        severity: 'warning',
        what: '{table}.{column} was added later, and no migration makes it NOT NULL.',
        why: 'Rows that were there before, or that an insert forgets to mark, belong to no tenant.',
        fix: 'Fill the old rows, then set {column} NOT NULL in a migration.',
      },
      skipsReference: {
        what: '{table}.{column} may be NULL, and the reference over {columns} is not checked for a row where it is.',
        why: "Such a row can point at another tenant's rows.",
        fix: 'Set {column} NOT NULL, or declare the reference MATCH FULL.',
      },
      skipsUnique: {
        severity: 'warning',
        what: '{table}.{column} may be NULL, and uniqueness over {columns} does not hold for rows where it is.',
        why: 'Any number of equal rows can be stored without a tenant.',
        fix: 'Set {column} NOT NULL, or declare the constraint NULLS NOT DISTINCT.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    const keys = tenantKeys(model, table);
    // Mixed tenancy: one key that always holds is enough, and a check may tie several that hold by turns.
    if (keys.some((key) => !isNullable(table, key.column)) || tiedByCheck(table, keys)) return;
    for (const key of keys) {
      const column = table.columns.get(key.column);
      if (column === undefined || marksShared(model, table, key.column)) continue;
      const { message, columns, at } = worstConsequence(model, table, column);
      const place = placeInTable(column, table);
      yield {
        message,
        data: { table: tableName(table.id), column: key.column, columns: columns.join(', ') },
        span: place.span,
        related: at
          ? [...place.related, { span: at, text: 'this does not hold for rows without a tenant' }]
          : place.related,
        confidence: 'certain',
        table: table.id,
        key: `${table.id}.${key.column}`,
        cause: `not null ${table.id}.${key.column}`,
      };
    }
  },
});

const isNullable = (table: Table, column: string): boolean => {
  const found = table.columns.get(column);
  const inPrimaryKey = table.constraints.some((c) => c.kind === 'primary key' && c.columns.includes(column));
  return found !== undefined && !found.notNull && !inPrimaryKey;
};

const tiedByCheck = (table: Table, keys: readonly { readonly column: string }[]): boolean =>
  table.constraints.some((c) => {
    if (c.kind !== 'check') return false;
    const text = JSON.stringify(c.predicate);
    return keys.every((key) => text.includes(JSON.stringify(key.column)));
  });

/**
 * Rows marked by a NULL key are shared on purpose where a policy for reading says so and no policy for writing lets a tenant make or
 * change them.
 */
function marksShared(model: Model, table: Table, column: string): boolean {
  const says = table.policies.some(
    (policy) =>
      (policy.command === 'select' || policy.command === 'all') &&
      policy.using !== undefined &&
      [...predicatesIn(policy.using)].some(
        (p) => p.kind === 'null' && p.of.kind === 'column' && p.of.column === column,
      ),
  );
  return says && !model.policyLeaks(table).some((leak) => leak.commands.some((command) => command !== 'select'));
}

type MessageId = 'nullable' | 'unguarded' | 'unseen' | 'neverTightened' | 'skipsReference' | 'skipsUnique';

/** Whether something lets rows without a tenant through: a policy does, or none is in force. */
const showsUnowned = (model: Model, table: Table): boolean =>
  !table.rowSecurity.enabled ||
  model.policyLeaks(table).some((leak) => leak.excuse === undefined && !emptyKey(leak.witness.text));

/** One nullable key is one finding: the worst that follows from it. */
function worstConsequence(
  model: Model,
  table: Table,
  column: Column,
): { readonly message: MessageId; readonly columns: readonly string[]; readonly at?: Span } {
  for (const c of table.constraints) {
    const skips =
      c.kind === 'foreign key' && c.columns.length > 1 && c.columns.includes(column.name) && c.matchFull !== true;
    // Where every column of the reference may be NULL only together with the key, MATCH SIMPLE skips rows that point nowhere.
    if (skips && c.columns.some((name) => name !== column.name)) {
      return { message: 'skipsReference', columns: c.columns, at: definitionOf(c) };
    }
  }
  if (model.databaseIsolates(table)) {
    if (showsUnowned(model, table)) return { message: 'unguarded', columns: [] };
    // What a policy that is not understood lets through is not known.
    return { message: model.policyUnknowns(table).length > 0 ? 'nullable' : 'unseen', columns: [] };
  }
  for (const c of table.constraints) {
    if (c.kind === 'unique' && c.columns.length > 1 && c.columns.includes(column.name) && c.nullsNotDistinct !== true) {
      return { message: 'skipsUnique', columns: c.columns, at: definitionOf(c) };
    }
  }
  const { created } = column.origin;
  const addedLater = created.file !== table.origin.created.file || created.start !== table.origin.created.start;
  const isStatement = created.start >= table.origin.created.end || created.file !== table.origin.created.file;
  return { message: addedLater && isStatement ? 'neverTightened' : 'nullable', columns: [] };
}
