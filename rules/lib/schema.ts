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
  let known = byAlias.get(model);
  if (!known) byAlias.set(model, (known = aliasesOf(model)));
  return known.get(aliasKey(name));
}

const byAlias = new WeakMap<Model, ReadonlyMap<string, Table>>();

const aliasKey = (name: TableName): string => `${name.by} ${name.by === 'binding' ? name.file : ''} ${name.name}`;

/** The tables by each name that code has for them; of two that share one the first. */
function aliasesOf(model: Model): ReadonlyMap<string, Table> {
  const found = new Map<string, Table>();
  for (const table of model.schema.tables.values())
    for (const alias of table.aliases) if (!found.has(aliasKey(alias))) found.set(aliasKey(alias), table);
  return found;
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
