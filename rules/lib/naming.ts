import type { LinkedAccess, Model } from '@tenant-lint/analysis';
import type { FunctionFacts, Operation, Table, TableId, Target, Tenancy } from '@tenant-lint/model';

/** A table by the name people use: without the schema where that is `public`. */
export const tableName = (id: TableId): string => id.replace(/^public\./, '');

/** The columns that carry the tenant: of a keyed table its keys, of the table of tenants what identifies them, else none. */
export function keyColumns(tenancy: Tenancy): readonly string[] {
  if (tenancy.kind === 'keyed') return tenancy.keys.map((key) => key.column);
  return tenancy.kind === 'root' ? [tenancy.key] : [];
}

/** The tables next to a child on its way to a key, by name. */
export const parentNames = (tenancy: Tenancy): string[] =>
  tenancy.kind === 'child' ? [...new Set(tenancy.through.map((t) => tableName(t.to)))] : [];

/** What ties a row to its tenant, as a noun for messages: "organization_id", or "invoices, through which its rows belong to a tenant". */
export function tieOf(tenancy: Tenancy): string {
  const keys = keyColumns(tenancy);
  if (keys.length > 0) return keys.join(' or ');
  const parents = parentNames(tenancy);
  return parents.length > 0 ? `the tenant of ${parents.join(' or ')}` : 'the tenant';
}

/** What is done to a row, as a participle for "... can be {done}". */
export function participle(operation: Operation): string {
  switch (operation) {
    case 'read':
      return 'read';
    case 'create':
      return 'written';
    case 'update':
    case 'upsert':
      return 'changed';
    case 'delete':
    case 'truncate':
      return 'deleted';
    case 'raw':
      return 'reached';
  }
}

/** How code names the operation: `findMany`, or for SQL text the statement. */
export const methodName = (access: LinkedAccess): string =>
  access.library === 'sql' ? access.method.toUpperCase() : access.method;

/** The enclosing function with those around it, outermost first; empty for module level and SQL files. */
export function functionPath(model: Model, access: LinkedAccess): string {
  const functions = model.files.get(access.file)?.functions ?? [];
  const names: string[] = [];
  const seen = new Set<string>();
  let current: FunctionFacts | undefined = access.in;
  while (current !== undefined && !seen.has(current.id)) {
    seen.add(current.id);
    const name = current.class === undefined ? (current.name ?? '') : `${current.class}.${current.name ?? ''}`;
    if (name !== '') names.unshift(name);
    const parent: string | undefined = current.parent;
    current = parent === undefined ? undefined : functions.find((f) => f.id === parent);
  }
  return names.join('/');
}

/** Identifies a target across edits: file, enclosing function and shape of the access. */
export const targetKey = (model: Model, access: LinkedAccess, target: Target, table: Pick<Table, 'id'>): string =>
  [access.file, functionPath(model, access), `${access.library}.${access.method}`, table.id, target.role].join(' ');
