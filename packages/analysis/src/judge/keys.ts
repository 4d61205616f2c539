import type { Table, Tenancy } from '@tenant-lint/model';
import { referencesOf } from '../fold/index.js';

/** The columns of a table that say whose a row is, or lead to it. */
export function keyColumns(tenancy: Tenancy | undefined): readonly string[] {
  if (tenancy?.kind === 'keyed') return tenancy.keys.map((k) => k.column);
  if (tenancy?.kind === 'root') return [tenancy.key];
  if (tenancy?.kind === 'child') return tenancy.through.flatMap((t) => t.columns);
  return [];
}

/** The columns that name a row of another table: by a foreign key, or where the store has none, by what the model declares. */
export const referringColumns = (table: Table): readonly string[] => [
  ...referencesOf(table).flatMap((r) => r.columns),
  ...table.relations.flatMap((r) => (r.inverse || r.cardinality !== 'one' ? [] : (r.columns ?? []))),
];
