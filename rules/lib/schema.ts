import type { Model } from '@tenant-lint/analysis';
import type { Constraint, Predicate, Table, TableId, TableName, TenantKey } from '@tenant-lint/model';

/** The tenant keys of a table that has some. */
export function tenantKeys(model: Model, table: Table): readonly TenantKey[] {
  const tenancy = model.tenancyOf(table.id);
  return tenancy.kind === 'keyed' ? tenancy.keys : [];
}

/** Whether rows of the table belong to one tenant each, by a key of their own or through another table. */
export const belongsToTenants = (model: Model, id: TableId): boolean => {
  const { kind } = model.tenancyOf(id);
  return kind === 'keyed' || kind === 'child';
};

/** The table that a name stands for in the folded schema. */
export function tableNamed(model: Model, name: TableName): Table | undefined {
  if (name.by === 'sql') {
    const exact = model.schema.tables.get(`${name.schema ?? 'public'}.${name.name}`);
    if (exact) return exact;
  }
  const same = (alias: TableName): boolean =>
    alias.by === name.by &&
    alias.name === name.name &&
    (alias.by !== 'binding' || name.by !== 'binding' || alias.file === name.file);
  return [...model.schema.tables.values()].find((table) => table.aliases.some(same));
}

/** The foreign keys of a table with the table each leads to, where that is known. */
export function references(
  model: Model,
  table: Table,
): { readonly constraint: Extract<Constraint, { kind: 'foreign key' }>; readonly to: Table | undefined }[] {
  return table.constraints.flatMap((constraint) =>
    constraint.kind === 'foreign key' ? [{ constraint, to: tableNamed(model, constraint.references) }] : [],
  );
}

/** Every predicate in another one, itself first; sub-queries included. */
export function* predicatesIn(predicate: Predicate): Iterable<Predicate> {
  yield predicate;
  switch (predicate.kind) {
    case 'and':
    case 'or':
    case 'either':
      for (const part of predicate.of) yield* predicatesIn(part);
      break;
    case 'not':
    case 'is':
    case 'optional':
      yield* predicatesIn(predicate.of);
      break;
    case 'case':
      for (const [when, then] of predicate.of) {
        yield* predicatesIn(when);
        yield* predicatesIn(then);
      }
      yield* predicatesIn(predicate.otherwise);
      break;
    case 'exists':
    case 'in-query':
      for (const query of [predicate.query, ...(predicate.query.arms ?? [])]) yield* predicatesIn(query.condition);
      break;
    default:
  }
}
