import { primaryKey, uniqueKeys, type Model } from '@tenant-lint/analysis';
import type { Constraint, Table, TenantKey } from '@tenant-lint/model';
import { isIssued, soundsIssued } from './issued.js';
import { references, tenantKeys } from './schema.js';

export type ForeignKey = Extract<Constraint, { kind: 'foreign key' }>;

/** A column that carries the tenant in one table, with the column that carries the same tenant in another. */
export interface KeyPair {
  readonly own: string;
  readonly theirs: string;
}

/** The keys that two tables have in common: both identify the same root or, where none is known, have the same name. */
export function commonKeys(model: Model, table: Table, parent: Table): readonly KeyPair[] {
  const same = (a: TenantKey, b: TenantKey): boolean =>
    a.root === undefined && b.root === undefined ? a.column === b.column : a.root === b.root;
  return tenantKeys(model, table).flatMap((own) =>
    tenantKeys(model, parent).flatMap((theirs) =>
      same(own, theirs) ? [{ own: own.column, theirs: theirs.column }] : [],
    ),
  );
}

/** The columns that a foreign key points at. */
export const referencedColumns = (constraint: ForeignKey, parent: Table): readonly string[] =>
  constraint.referencedColumns.length > 0 ? constraint.referencedColumns : primaryKey(parent);

/** Whether a foreign key ties the tenant of a row to the tenant of the row that it points at. */
export function carriesTenant(model: Model, table: Table, constraint: ForeignKey, parent: Table): boolean {
  const pairs = commonKeys(model, table, parent);
  const referenced = referencedColumns(constraint, parent);
  return constraint.columns.some((own, i) => pairs.some((pair) => pair.own === own && pair.theirs === referenced[i]));
}

/**
 * Whether values of a column that another one (`from`) refers to can be guessed or chosen: numbers that count up, and texts that people
 * make up.
 */
export function isGuessable(model: Model, table: Table, name: string, from: string): boolean {
  const column = table.columns.get(name);
  if (column === undefined) return false;
  return isNumber(column.type) || (!isIssued(model, table, name) && !soundsIssued(from));
}

export const isNumber = (type: string): boolean =>
  /^(?:(?:big|small)?(?:int|serial)|integer|numeric|decimal)/.test(type);

/** Whether some reference between tables of the project carries the tenant already. */
export const usesCompositeReferences = (model: Model): boolean =>
  [...model.schema.tables.values()].some((table) =>
    references(model, table).some(
      ({ constraint, to }) => to !== undefined && carriesTenant(model, table, constraint, to),
    ),
  );

/** Whether a reference over the tenant and these columns has something to point at. */
export const hasCompositeTarget = (parent: Table, key: string, columns: readonly string[]): boolean =>
  uniqueKeys(parent).some(
    (unique) => unique.length === columns.length + 1 && [key, ...columns].every((c) => unique.includes(c)),
  );
