import type { Catalog, CatalogColumn, CatalogFunction, Relation } from '../catalog.js';
import { literal, rowsOf, type Session } from '../session/session.js';

/** What a role may do, membership and PUBLIC included. */
export interface Privileges {
  column(relation: Relation, column: CatalogColumn, privilege: 'SELECT' | 'INSERT' | 'UPDATE'): boolean;
  relation(relation: Relation, privilege: 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE'): boolean;
  execute(f: CatalogFunction): boolean;
}

/** Asks Postgres what a role may do. @throws Error of Postgres */
export async function privilegesOf(session: Session, role: string, catalog: Catalog): Promise<Privileges> {
  const name = literal(role);
  const oids = catalog.relations.map((r) => r.oid);
  const functions = catalog.functions.map((f) => f.oid);
  const list = (values: readonly string[]): string => `'{${values.join(',')}}'::oid[]`;
  const columns = await rowsOf(
    session,
    `select a.attrelid::text || '#' || a.attnum || '#' || p from pg_attribute a, unnest('{SELECT,INSERT,UPDATE}'::text[]) p
     where a.attrelid = any (${list(oids)}) and a.attnum > 0 and not a.attisdropped and has_column_privilege(${name}, a.attrelid, a.attnum, p)`,
  );
  const tables = await rowsOf(
    session,
    `select c.oid::text || '#' || p from pg_class c, unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p
     where c.oid = any (${list(oids)}) and has_schema_privilege(${name}, c.relnamespace, 'USAGE')
       and (has_table_privilege(${name}, c.oid, p) or (p <> 'DELETE' and has_any_column_privilege(${name}, c.oid, p)))`,
  );
  const executable = await rowsOf(
    session,
    `select p.oid::text from pg_proc p where p.oid = any (${list(functions)})
       and has_schema_privilege(${name}, p.pronamespace, 'USAGE') and has_function_privilege(${name}, p.oid, 'EXECUTE')`,
  );
  const set = (rows: readonly (readonly (string | null)[])[]): ReadonlySet<string> =>
    new Set(rows.map((r) => r[0] ?? ''));
  const [byColumn, byTable, byFunction] = [set(columns), set(tables), set(executable)];
  return {
    column: (relation, column, privilege) => byColumn.has(`${relation.oid}#${column.number}#${privilege}`),
    relation: (relation, privilege) => byTable.has(`${relation.oid}#${privilege}`),
    execute: (f) => byFunction.has(f.oid),
  };
}
