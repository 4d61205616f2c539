import { uniqueKeys, type Model } from '@tenant-lint/analysis';
import type { Access, Predicate, Table, TableId, Target, TargetRef, Value } from '@tenant-lint/model';
import { keyColumns, tableName } from './naming.js';

/**
 * A target that is joined to another table of tenants' rows by columns that rows of several tenants may share: neither the tenant keys are
 * compared, nor is a row of one side found by what identifies it (and so belongs to whoever owns the row that names it). Undefined where it
 * is tied, or where that is not known. `condition` is the comparison that is missing.
 */
export function untiedJoin(
  model: Model,
  access: Pick<Access, 'targets'>,
  target: Target,
): { readonly with: TableId; readonly condition: string } | undefined {
  const table = keyedTable(model, target);
  if (!table) return undefined;
  const others = access.targets.flatMap((other) => {
    const of = other === target || other.operation === 'create' ? undefined : keyedTable(model, other);
    return of ? [{ other, of }] : [];
  });
  const [first] = others;
  if (!first) return undefined;
  const parts = conjuncts(target.predicate);
  if (parts.some(({ kind }) => kind !== 'compare' && kind !== 'null' && kind !== 'in')) return undefined;
  const tables = new Map<TargetRef, Table>([
    [target.ref, table],
    ...others.map(({ other, of }) => [other.ref, of] as const),
  ]);
  // Rows of a table that no tenant owns, or of one that is not known, may be what ties the two.
  for (const other of access.targets) if (!tables.has(other.ref) && mentions(parts, other.ref)) return undefined;
  if (parts.some((part) => ties(model, part, tables))) return undefined;
  const [key] = keyColumns(model.tenancyOf(table.id));
  const [otherKey] = keyColumns(model.tenancyOf(first.of.id));
  return {
    with: first.of.id,
    condition: `${nameOf(target, table)}.${key ?? ''} = ${nameOf(first.other, first.of)}.${otherKey ?? ''}`,
  };
}

const nameOf = (target: Target, table: Table): string => target.alias ?? tableName(table.id);

function keyedTable(model: Model, target: Target): Table | undefined {
  const table = model.tableOf(target);
  return table && 'rowSecurity' in table && model.tenancyOf(table.id).kind === 'keyed' ? table : undefined;
}

const conjuncts = (predicate: Predicate): readonly Predicate[] =>
  predicate.kind === 'and' ? predicate.of.flatMap(conjuncts) : predicate.kind === 'always' ? [] : [predicate];

const bare = (value: Value): Value =>
  value.kind === 'apply' && value.function.startsWith('cast:') && value.to[0] ? bare(value.to[0]) : value;

function mentions(parts: readonly Predicate[], ref: TargetRef): boolean {
  return parts.some(
    (part) =>
      part.kind === 'compare' &&
      [part.left, part.right].some((side) => {
        const value = bare(side);
        return value.kind === 'column' && (value.target === ref || value.target === undefined);
      }),
  );
}

/** Whether a comparison holds two rows to one tenant. */
function ties(model: Model, part: Predicate, tables: ReadonlyMap<TargetRef, Table>): boolean {
  if (part.kind !== 'compare') return false;
  const [left, right] = [bare(part.left), bare(part.right)];
  if (left.kind !== 'column' || right.kind !== 'column') {
    // What is compared with something that is no column may identify the row: by a parameter, the tenant of the session.
    return (
      [left, right].some((value) => value.kind === 'column' && isKey(model, value, tables)) && part.operator === '='
    );
  }
  if (left.target === undefined || right.target === undefined) return true;
  if (left.target === right.target || part.operator !== '=') return false;
  const keys = [left, right].filter((value) => isKey(model, value, tables)).length;
  return keys === 2 || [left, right].some((value) => identifies(value, tables));
}

const isKey = (
  model: Model,
  value: Extract<Value, { kind: 'column' }>,
  tables: ReadonlyMap<TargetRef, Table>,
): boolean => {
  const table = value.target === undefined ? undefined : tables.get(value.target);
  return table !== undefined && keyColumns(model.tenancyOf(table.id)).includes(value.column);
};

/** Whether a column finds one row of its table by itself, or names a row of another one by reference. */
function identifies(value: Extract<Value, { kind: 'column' }>, tables: ReadonlyMap<TargetRef, Table>): boolean {
  const table = value.target === undefined ? undefined : tables.get(value.target);
  if (!table) return true;
  if (uniqueKeys(table).some((key) => key.length === 1 && key[0] === value.column)) return true;
  return table.constraints.some((c) => c.kind === 'foreign key' && c.columns.includes(value.column));
}
