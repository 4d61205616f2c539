import type { Tenancy } from '@tenant-lint/model';
import { idOf, type Catalog, type CatalogColumn, type Relation } from '../catalog.js';

/** Columns that hold the same value in the rows of one side, because references tie them: one class has one value for each tenant. */
export interface Classes {
  /** The class of a column. */
  of(relation: Relation, column: number): string;
  /** Whether a class holds more than this one column. */
  linked(relation: Relation, column: number): boolean;
  /** The columns of a class, in the order of the catalogue. */
  members(id: string): readonly { readonly relation: Relation; readonly column: CatalogColumn }[];
  /** The class of what identifies the tenant, by the spelling of the key; undefined where the key is not there. */
  readonly tenants: ReadonlySet<string>;
  /** The class of what identifies the user, where there is a table of users. */
  readonly user: string | undefined;
}

const userColumn = /^_?(?:user_?id|owner_?id|created_?by|author_?id|profile_?id|auth_?user_?id|member_?id)$/i;
const userTable = /^(?:users?|app_users?|profiles?|people|members|auth_users?)$/i;

/** Groups columns: those a reference ties, partitions with their parent, tenant keys with the root, columns named like a user's id. Pure. */
export function classesOf(catalog: Catalog, tenancyOf: (relation: Relation) => Tenancy): Classes {
  const parents = new Map<string, string>();
  const find = (id: string): string => {
    let at = id;
    for (let next = parents.get(at); next !== undefined; next = parents.get(at)) at = next;
    return at;
  };
  const unite = (a: string, b: string): void => {
    const [x, y] = [find(a), find(b)];
    if (x !== y) parents.set(x < y ? y : x, x < y ? x : y);
  };
  const key = (relation: Relation, column: number): string => `${idOf(relation)}#${String(column).padStart(4, '0')}`;
  const byOid = new Map(catalog.relations.map((r) => [r.oid, r]));
  const byId = new Map(catalog.relations.map((r) => [idOf(r), r]));
  for (const relation of catalog.relations) {
    for (const constraint of relation.constraints) {
      const to = constraint.to === undefined ? undefined : byOid.get(constraint.to);
      if (!to) continue;
      for (const [i, column] of constraint.columns.entries()) {
        const other = constraint.toColumns[i];
        if (other !== undefined) unite(key(relation, column), key(to, other));
      }
    }
    const parent = relation.parent === undefined ? undefined : byOid.get(relation.parent);
    for (const column of parent?.columns ?? []) {
      const own = relation.columns.find((c) => c.name === column.name);
      if (own && parent) unite(key(relation, own.number), key(parent, column.number));
    }
  }
  const keys: string[] = [];
  const roots = new Map<string, string>();
  for (const relation of catalog.relations) {
    const tenancy = tenancyOf(relation);
    if (tenancy.kind !== 'root') continue;
    const column = relation.columns.find((c) => c.name === tenancy.key);
    if (column) roots.set(idOf(relation), key(relation, column.number));
  }
  const bySpelling = new Map<string, string>();
  for (const relation of catalog.relations) {
    const tenancy = tenancyOf(relation);
    if (tenancy.kind !== 'keyed') continue;
    for (const k of tenancy.keys) {
      const column = relation.columns.find((c) => c.name === k.column);
      if (!column) continue;
      const own = key(relation, column.number);
      const root = k.root === undefined ? undefined : roots.get(k.root);
      const same = root ?? bySpelling.get(k.column);
      if (same === undefined) bySpelling.set(k.column, own);
      else unite(own, same);
      keys.push(own);
    }
  }
  keys.push(...roots.values());
  const users =
    byId.get('auth.users') ??
    catalog.relations.find((r) => userTable.test(r.name) && r.kind === 'table' && tenancyOf(r).kind !== 'root') ??
    catalog.relations.find((r) => userTable.test(r.name) && r.kind === 'table');
  const usersKey = users?.constraints.find((c) => c.kind === 'primary key')?.columns[0];
  const user = users && usersKey !== undefined ? key(users, usersKey) : undefined;
  if (users && user !== undefined) {
    const type = users.columns.find((c) => c.number === usersKey)?.base;
    for (const relation of catalog.relations)
      for (const column of relation.columns)
        if (userColumn.test(column.name) && column.base === type) unite(user, key(relation, column.number));
  }
  const members = new Map<string, { relation: Relation; column: CatalogColumn }[]>();
  for (const relation of catalog.relations)
    for (const column of relation.columns) {
      const id = find(key(relation, column.number));
      members.set(id, [...(members.get(id) ?? []), { relation, column }]);
    }
  return {
    of: (relation, column) => find(key(relation, column)),
    linked: (relation, column) => (members.get(find(key(relation, column)))?.length ?? 0) > 1,
    members: (id) => members.get(id) ?? [],
    tenants: new Set(keys.map(find)),
    user: user === undefined ? undefined : find(user),
  };
}
