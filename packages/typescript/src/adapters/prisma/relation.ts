import { and, column, equal, type Predicate, type TableName } from '@tenant-lint/model';
import { columnNamed, modelNamed, type Lowering, type Model, type Rows } from './lowering.js';

/** A relation as it can be followed from one model. */
export interface Link {
  readonly name: string;
  readonly to: Model;
  readonly many: boolean;
  /** Pairs of columns (of this model, of the other) that are equal. Empty: an implicit many-to-many relation. */
  readonly pairs: readonly (readonly [string, string])[];
  /** The columns that tie the rows are columns of this model. */
  readonly owned: boolean;
  /** A name for the relation, for a many-to-many one. */
  readonly by: string;
}

/** The relation called `name`. The side without columns takes them from the other one. */
export function linkNamed(model: Model, name: string, l: Lowering): Link | undefined {
  const found = l.context.relation(model.name, name);
  if (!found) return undefined;
  const to = modelNamed(found.to, l);
  const own = found.columns.map((c) => columnNamed(model, c));
  const other = found.references.map((c) => columnNamed(to, c));
  const paired = own.length > 0 && own.length === other.length;
  const inverse = paired ? undefined : inverseOf(model, to, found.relationName);
  const pairs = paired
    ? own.map((c, i) => [c, other[i]!] as const)
    : (inverse?.columns.map((c, i) => [columnNamed(model, inverse.references[i] ?? c), columnNamed(to, c)] as const) ??
      []);
  // Either side may have been completed from the other one: the foreign key is what tells whose columns they are.
  const owned = paired && holdsKey(model, own, found.cardinality === 'many');
  return { name, to, many: found.cardinality === 'many', pairs, owned, by: found.relationName ?? name };
}

function holdsKey(model: Model, columns: readonly string[], many: boolean): boolean {
  if (many) return false;
  const keys = model.table?.constraints.filter((c) => c.kind === 'foreign key') ?? [];
  if (keys.length === 0) return true;
  return keys.some((k) => k.columns.length === columns.length && k.columns.every((c) => columns.includes(c)));
}

function inverseOf(
  model: Model,
  to: Model,
  relationName: string | undefined,
): { columns: readonly string[]; references: readonly string[] } | undefined {
  const candidates = to.table?.relations.filter(
    (r) => r.to === model.table?.id && r.columns.length > 0 && r.columns.length === r.references.length,
  );
  return candidates?.find((r) => r.relationName === relationName);
}

/** The condition that ties rows of the relation's model to rows of its owner. */
export function joinOf(link: Link, from: Rows, to: Rows): Predicate {
  if (link.pairs.length === 0) return { kind: 'related', target: to.ref, to: from.ref, by: link.by };
  return and(...link.pairs.map(([mine, theirs]) => equal(column(to.ref, theirs), column(from.ref, mine))));
}

/** The name of the model in the client: `invoice` for Invoice. */
export const modelOfProperty = (property: string, l: Lowering): TableName | undefined => {
  const upper: TableName = {
    by: 'model',
    library: 'prisma',
    name: property.charAt(0).toUpperCase() + property.slice(1),
  };
  const asIs: TableName = { by: 'model', library: 'prisma', name: property };
  return [upper, asIs].find((name) => l.context.table(name) !== undefined);
};
