import type { Constraint, Index, Origin, Schema, Table, TableId } from '@tenant-lint/model';
import { referencedId } from './tables.js';

/** A foreign key as an edge between tables. */
export interface Reference {
  readonly from: TableId;
  readonly columns: readonly string[];
  readonly to: TableId;
  readonly referencedColumns: readonly string[];
  readonly constraint: Extract<Constraint, { kind: 'foreign key' }>;
}

/** A list of columns that an index is ordered by: of an index, or of the index that a key or unique constraint implies. */
export interface LeadingIndex {
  readonly name?: string;
  /** Up to the first expression; the expression itself and what follows it do not count. */
  readonly columns: readonly string[];
  readonly unique: boolean;
  /** Serves only queries that imply its predicate. */
  readonly partial: boolean;
  readonly origin: Origin;
}

/** The columns of the primary key; empty if there is none. */
export function primaryKey(table: Table): readonly string[] {
  const key = table.constraints.find((c) => c.kind === 'primary key');
  return key?.kind === 'primary key' ? key.columns : [];
}

/**
 * The column lists that are unique over the whole table: primary key, unique constraints, unique indexes without predicate and without
 * expressions. The primary key comes first; no list twice.
 */
export function uniqueKeys(table: Table): readonly (readonly string[])[] {
  const lists: (readonly string[])[] = [
    primaryKey(table),
    ...table.constraints.flatMap((c) => (c.kind === 'unique' ? [c.columns] : [])),
    ...table.indexes.flatMap((i) => (i.unique && !i.predicate ? [columnsOf(i) ?? []] : [])),
  ].filter((list) => list.length > 0);
  return [...new Map(lists.map((list) => [JSON.stringify(list), list])).values()];
}

const columnsOf = (index: Index): readonly string[] | undefined => {
  const columns = index.keys.flatMap((k) => k.column ?? []);
  return columns.length === index.keys.length ? columns : undefined;
};

/** Indexes that an equality on their first column can use: B-trees (and hash indexes), those of constraints included. */
export function leadingIndexes(table: Table): readonly LeadingIndex[] {
  const found: LeadingIndex[] = [];
  for (const c of table.constraints) {
    if (c.kind !== 'primary key' && c.kind !== 'unique') continue;
    found.push({
      ...(c.name === undefined ? {} : { name: c.name }),
      columns: c.columns,
      unique: true,
      partial: false,
      origin: c.origin,
    });
  }
  for (const index of table.indexes) {
    if (index.method !== '' && index.method !== 'btree' && index.method !== 'hash') continue;
    const end = index.keys.findIndex((k) => k.column === undefined);
    const columns = (end === -1 ? index.keys : index.keys.slice(0, end)).flatMap((k) => k.column ?? []);
    if (columns.length === 0) continue;
    found.push({
      ...(index.name === undefined ? {} : { name: index.name }),
      columns,
      unique: index.unique,
      partial: index.predicate !== undefined,
      origin: index.origin,
    });
  }
  return found;
}

/** Whether a whole (not partial) index begins with the column. */
export const hasIndexLedBy = (table: Table, column: string): boolean =>
  leadingIndexes(table).some((i) => !i.partial && i.columns[0] === column);

/** The foreign keys of a table. Those to tables whose name could not be resolved are left out. */
export function referencesOf(table: Table): readonly Reference[] {
  return table.constraints.flatMap((constraint): Reference[] => {
    if (constraint.kind !== 'foreign key') return [];
    const to = referencedId(constraint);
    if (to === undefined) return [];
    return [
      { from: table.id, columns: constraint.columns, to, referencedColumns: constraint.referencedColumns, constraint },
    ];
  });
}

/** The foreign keys of all tables that refer to this one. */
export const referencesTo = (schema: Schema, table: Table): readonly Reference[] =>
  [...schema.tables.values()].flatMap((other) => referencesOf(other).filter((r) => r.to === table.id));
