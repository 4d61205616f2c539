import type { Predicate, Schema, Table, TenancyModel, Value } from '@tenant-lint/model';
import { strengthOf } from './staff.js';
import { eachNode } from './walk.js';

/**
 * Whether a plain 'admin' names the operator's people in this project. It names those in charge of a tenant where the project has a word of its
 * own for the operator ('super_admin'), or where some policy asks for it together with the tenant of the row.
 */
export function adminsAreStaff(schema: Schema, tenancy: TenancyModel): boolean {
  let staff = true;
  const look = (tree: Predicate | Value, keys: readonly string[]): void =>
    eachNode(tree, (node) => {
      if (namedIn(node) === 'strong' || (keys.length > 0 && withinTenant(node, keys))) staff = false;
    });
  for (const table of schema.tables.values()) {
    if (!staff) return false;
    const keys = keysOf(table, tenancy);
    for (const policy of table.policies)
      for (const clause of [policy.using, policy.check]) if (clause) look(clause, keys);
  }
  for (const overloads of schema.functions.values())
    for (const { body } of overloads) if (staff && body.known) look(body.value, []);
  return staff;
}

/** The words of a node that may say who somebody is: constants, columns, and what a function is called. */
function namedIn(node: Readonly<Record<string, unknown>>): 'strong' | 'weak' | undefined {
  if (node['kind'] === 'constant' && typeof node['value'] === 'string') return strengthOf(node['value']);
  if (node['kind'] === 'column') return strengthOf(String(node['column']));
  if (node['kind'] === 'apply') return strengthOf(String(node['function']).replace(/^.*\./, ''));
  return undefined;
}

/** Some condition asks for an administrator and for the tenant of the row: in two parts of an AND, or in one call or sub-query. */
function withinTenant(node: Readonly<Record<string, unknown>>, keys: readonly string[]): boolean {
  const asks = (part: unknown): { admin: boolean; tenant: boolean } => {
    let admin = false;
    let tenant = false;
    eachNode(part, (inner) => {
      admin ||= namedIn(inner) !== undefined;
      tenant ||= inner['kind'] === 'column' && inner['target'] === 'self' && keys.includes(String(inner['column']));
    });
    return { admin, tenant };
  };
  if (node['kind'] === 'and') {
    const parts = (node['of'] as readonly Predicate[]).map(asks);
    return parts.some((a, i) => a.admin && parts.some((b, j) => (i !== j || a.tenant) && b.tenant));
  }
  if (node['kind'] !== 'apply' && node['kind'] !== 'exists' && node['kind'] !== 'in-query') return false;
  const { admin, tenant } = asks(node);
  return admin && tenant;
}

/** The columns by which a row of a table belongs to a tenant. */
function keysOf(table: Table, tenancy: TenancyModel): readonly string[] {
  const of = tenancy.tables.get(table.id);
  if (of?.kind === 'keyed') return of.keys.map((key) => key.column);
  return of?.kind === 'root' ? [of.key] : table.relations.flatMap((relation) => relation.columns);
}
