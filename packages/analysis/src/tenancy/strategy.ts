import type { Schema, Strategy, Table, TableId, Tenancy } from '@tenant-lint/model';
import { patternOf, type TenancyHints, type TenancyOptions } from './options.js';

/** How tenants are kept apart, and what shows it. */
export function strategyOf(
  schema: Schema,
  tenancies: ReadonlyMap<TableId, Tenancy>,
  options: TenancyOptions,
  hints: TenancyHints | undefined,
): { readonly strategy: Strategy; readonly reason: string } {
  if (options.strategy) return { strategy: options.strategy, reason: 'given by the configuration' };
  const keyed = [...tenancies].flatMap(([id, t]) => (t.kind === 'keyed' ? (schema.tables.get(id) ?? []) : []));
  const isolated = keyed.filter((t) => t.rowSecurity.enabled && t.policies.length > 0).length;
  const perTenant = schemaPerTenant(schema, options, hints);
  if (perTenant !== undefined)
    return keyed.length > 0 && (isolated > 0 || keyed.length * 3 >= schema.tables.size)
      ? { strategy: 'hybrid', reason: `${perTenant}, and ${keyed.length} shared tables carry a key` }
      : { strategy: 'schema', reason: perTenant };
  const reason = `${isolated} of ${keyed.length} tables with a tenant key have row security and policies`;
  if (isolated === 0) return { strategy: 'row', reason };
  return { strategy: isolated * 2 > keyed.length ? 'rls' : 'hybrid', reason };
}

/** What shows that each tenant has a schema of its own. */
export function schemaPerTenant(
  schema: Schema,
  options: TenancyOptions,
  hints: TenancyHints | undefined,
): string | undefined {
  if (options.schemas !== undefined) return `schemas ${options.schemas} belong to one tenant each`;
  for (const functions of schema.functions.values())
    for (const f of functions) {
      const text = f.text.toLowerCase();
      if (/create\s+schema[^;]*(?:%i|%s|\|\|)/.test(text) && /execute/.test(text))
        return `function ${f.name.name} creates schemas by name`;
    }
  const twins = twinSchemas(schema);
  if (twins) return `the schemas ${twins.join(', ')} have the same tables`;
  if ((hints?.dynamicSchemas ?? 0) > 0)
    return `code puts values into schema names in ${hints?.dynamicSchemas ?? 0} places`;
  return undefined;
}

/** Schemas with the same tables and names that differ in their last part: tenant_1, tenant_2. */
function twinSchemas(schema: Schema): readonly string[] | undefined {
  const tables = new Map<string, string[]>();
  for (const { name } of schema.tables.values()) {
    const list = tables.get(name.schema ?? 'public');
    if (list) list.push(name.name);
    else tables.set(name.schema ?? 'public', [name.name]);
  }
  const families = new Map<string, string[]>();
  for (const [name, list] of tables) {
    const prefix = /^(.*[a-z].*?)_?[^_]+$/i.exec(name)?.[1];
    if (prefix === undefined || name === 'public') continue;
    const key = `${prefix} ${list.sort().join()}`;
    families.set(key, [...(families.get(key) ?? []), name]);
  }
  return [...families.values()].find((f) => f.length > 1);
}

/** Whether a table lives in a schema that belongs to one tenant. */
export const isInTenantSchema = (table: Table, options: TenancyOptions): boolean =>
  options.schemas !== undefined && patternOf(options.schemas).test(table.name.schema ?? 'public');
