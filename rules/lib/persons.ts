import { identityOf } from '@tenant-lint/analysis';
import type { Table, TableName } from '@tenant-lint/model';
import { bareValue, clausesOf, comparisonsIn } from './conditions.js';

/** The columns that are never NULL and say which person a row belongs to: policies compare them with the caller. */
export function personColumns(table: Table): readonly string[] {
  if (!table.rowSecurity.enabled) return [];
  const columns = table.policies.flatMap((policy) =>
    clausesOf(policy).flatMap((clause) =>
      comparisonsIn(clause).flatMap(({ operator, sides }) => {
        const bare = sides.map(bareValue);
        if (operator !== '=' || !sides.some((side) => identityOf(bareValue(side)) === 'caller')) return [];
        return bare.flatMap((v) => (v.kind === 'column' && v.target === 'self' ? [v.column] : []));
      }),
    ),
  );
  return [...new Set(columns)].filter((name) => table.columns.get(name)?.notNull === true);
}

/** Where Supabase keeps who may sign in. */
const isUsers = (name: TableName): boolean => name.by === 'sql' && name.schema === 'auth' && name.name === 'users';

/** Whether a reference leads to somebody who signs in: to the account itself, or to a table with one row for each. */
export const namesAccount = (to: TableName, table: Table | undefined): boolean =>
  isUsers(to) ||
  (table?.constraints ?? []).some(
    (c) =>
      c.kind === 'foreign key' &&
      isUsers(c.references) &&
      (table?.constraints ?? []).some(
        (p) => p.kind === 'primary key' && p.columns.length === 1 && p.columns[0] === c.columns[0],
      ),
  );
