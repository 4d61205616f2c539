import type { Model, ViewReach } from '@tenant-lint/analysis';
import type { Table, TableId, View } from '@tenant-lint/model';
import { appMay } from './privileges.js';
import { rolesOf } from './roles.js';

/** Whether an option of a view is on; Postgres reads one without a value as on. */
export const isOn = (view: View, option: string): boolean =>
  /^(?:|true|on|yes|1)$/i.test(view.options[option] ?? 'off');

export const isInvoker = (view: View): boolean => !view.materialized && isOn(view, 'security_invoker');

/** Whether the database is what isolates tenants somewhere in the project. */
export const databaseIsolates = (model: Model): boolean => {
  const { strategy } = model.tenancy;
  if (strategy === 'rls' || strategy === 'hybrid') return true;
  for (const table of model.schema.tables.values()) if (table.rowSecurity.enabled) return true;
  return false;
};

/**
 * How sure it is that the policies of a table do not hold for what a view with the rights of its owner reads; undefined: they hold. The owner
 * of the table, superusers and roles with BYPASSRLS are above them; FORCE binds the owner.
 */
export function ownerBypasses(model: Model, view: View, table: Table): 'certain' | 'possible' | undefined {
  const role = view.owner?.role;
  const { forced } = table.rowSecurity;
  // Nobody is named: both belong to whoever runs the migrations.
  if (role === undefined) {
    if (table.owner !== undefined) return 'possible';
    return forced ? 'possible' : 'certain';
  }
  const roles = [...rolesOf(model, role)];
  const attributes = model.schema.roles.get(role)?.attributes.map((a) => a.toLowerCase()) ?? [];
  if (attributes.some((a) => a === 'superuser' || a === 'bypassrls')) return 'certain';
  if (table.owner === undefined) return model.schema.roles.has(role) ? undefined : 'possible';
  return roles.includes(table.owner.role) && !forced ? 'certain' : undefined;
}

/** The tables that a view reads with rights to which their policies do not apply. */
export const unguarded = (
  model: Model,
  view: View,
): readonly (ViewReach & { readonly sure: 'certain' | 'possible' })[] =>
  isInvoker(view)
    ? []
    : model.viewReaches(view).flatMap((reach) => {
        if (!reach.table.rowSecurity.enabled) return [];
        const sure = ownerBypasses(model, view, reach.table);
        return sure ? [{ ...reach, sure }] : [];
      });

/** The views that read a view, directly or through others. */
export function readersOf(model: Model, id: TableId, seen = new Set<TableId>()): readonly View[] {
  const found: View[] = [];
  for (const view of model.schema.views.values()) {
    if (seen.has(view.id) || !(view.query?.targets ?? []).some((t) => model.tableOf(t)?.id === id)) continue;
    seen.add(view.id);
    found.push(view, ...readersOf(model, view.id, seen));
  }
  return found;
}

/** Whether the application may read a view itself, or what another view makes of it. */
export function reachOf(model: Model, view: View): 'direct' | 'through' | 'none' {
  if (appMay(model, view.id, ['select'])) return 'direct';
  return readersOf(model, view.id).some((reader) => appMay(model, reader.id, ['select'])) ? 'through' : 'none';
}
