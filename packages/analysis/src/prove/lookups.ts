import { and, or, type Policy, type Table, type TableId } from '@tenant-lint/model';
import type { PolicyLookup } from '../model.js';
import { newRows, policiesFor, rolesOf } from './compose.js';
import type { PolicyContext } from './policies.js';
import { PolicyWorld } from './policy-world.js';
import { prove } from './prove.js';
import type { World } from './question.js';

/**
 * The tables in which policies of other tables look up what the caller may see, with the policies by which the caller may write rows of its
 * own there for any tenant: who may write the row that grants access grants it to himself.
 */
export function lookupsOfPolicies(context: PolicyContext): readonly PolicyLookup[] {
  const { schema, tenancy } = context;
  const columns = new Map<TableId, string[]>();
  for (const [id, found] of PolicyWorld.lookups(context)) columns.set(id, [...found.keys()]);
  return [...columns].flatMap(([id, names]): PolicyLookup[] => {
    const table = schema.tables.get(id);
    const kind = tenancy.tables.get(id)?.kind;
    if (!table || (kind !== 'keyed' && kind !== 'child')) return [];
    const by = [...new Set([...(PolicyWorld.lookups(context).get(id)?.values() ?? [])].flat())];
    if (by.length === 0) return [];
    return [{ table, columns: names, by, writableBy: writable(table, names, context) }];
  });
}

/** The policies by which a row that names the caller can be written, whatever its tenant. */
function writable(table: Table, columns: readonly string[], context: PolicyContext): readonly Policy[] {
  if (!table.rowSecurity.enabled) return [];
  const found = new Set<Policy>();
  // A row that no look-up accepts grants nothing: an invitation that is used up.
  const asked = PolicyWorld.demands(context, table.id);
  const demanded = asked.length === 0 ? [] : [or(...asked)];
  for (const role of rolesOf(table, context)) {
    const world = new PolicyWorld(context, role);
    const self = world.self(table);
    // That a row names the caller shows nothing here: it is the caller who writes the name.
    const naive: World = withPlain(world, self.ref, columns);
    for (const command of ['insert', 'update'] as const) {
      const { permissive, restrictive } = policiesFor(table, command, role);
      for (const policy of permissive) {
        const own = newRows(policy);
        if (!own || found.has(policy)) continue;
        const predicate = and(own, ...restrictive.flatMap((p) => newRows(p) ?? []));
        const question = { target: self, predicate, nullRows: 'foreign' as const };
        // What leaks anyway is reported as that.
        if (prove({ ...question, world }).kind === 'leak') continue;
        const granting = { ...question, predicate: and(predicate, ...demanded) };
        if (prove({ ...granting, world: naive }).kind === 'leak') found.add(policy);
      }
    }
  }
  return [...found];
}

function withPlain(world: PolicyWorld, ref: string, columns: readonly string[]): World {
  const plain: World = {
    tenancy: (target) => world.tenancy(target),
    column: (target, column) => {
      const fact = world.column(target, column);
      return target.ref === ref && columns.includes(column) && fact.role !== 'key' ? { ...fact, role: 'plain' } : fact;
    },
    function: (name, args) => world.function(name, args),
    columns: (target) => world.columns(target),
    bound: (f) => world.bound(f),
    rowSecurity: (target) => world.rowSecurity(target),
    staff: world.staff,
    settings: world.settings,
    roles: world.roles,
    name: (target) => world.name(target),
  };
  return plain;
}
