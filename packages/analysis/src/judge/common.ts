import type { Predicate, Table, TableId, Target, TenancyModel } from '@tenant-lint/model';
import type { LinkedAccess } from '../model.js';

/** The tables of which some rows belong to nobody on purpose: every key may be NULL, and a query asks for the rows in which one is. */
export function commonTables(
  accesses: readonly LinkedAccess[],
  tableOf: (target: Target) => Table | undefined,
  tenancy: TenancyModel,
): ReadonlySet<TableId> {
  const found = new Set<TableId>();
  for (const access of accesses) {
    for (const target of access.targets) {
      const table = tableOf(target);
      const owned = table && tenancy.tables.get(table.id);
      if (!table || found.has(table.id) || owned?.kind !== 'keyed') continue;
      const keys = owned.keys.map((k) => k.column);
      if (keys.some((key) => table.columns.get(key)?.notNull !== false)) continue;
      if (asksForNull(target.predicate, target, new Set(keys))) found.add(table.id);
    }
  }
  return found;
}

function asksForNull(predicate: Predicate, target: Target, keys: ReadonlySet<string>): boolean {
  switch (predicate.kind) {
    case 'and':
    case 'or':
    case 'either':
      return predicate.of.some((p) => asksForNull(p, target, keys));
    case 'optional':
      return asksForNull(predicate.of, target, keys);
    case 'null':
      return predicate.of.kind === 'column' && predicate.of.target === target.ref && keys.has(predicate.of.column);
    default:
      return false;
  }
}
