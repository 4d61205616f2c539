import type { ObjectName, SchemaAction, Span } from '@tenant-lint/model';
import { shown } from './names.js';
import { changeView } from './views.js';
import { born, changedBy, type World } from './world.js';

type Action<K extends SchemaAction['do']> = Extract<SchemaAction, { do: K }>;

/** CREATE and ALTER ROLE. Roles belong to the cluster: one may exist without a CREATE in the history. */
export function changeRole(
  world: World,
  name: string,
  span: Span,
  attributes: readonly string[],
  memberOf: readonly string[],
): void {
  const before = world.roles.get(name);
  const opposite = (a: string): string => (a.startsWith('no') ? a.slice(2) : `no${a}`);
  const kept = (before?.attributes ?? []).filter((a) => !attributes.includes(a) && !attributes.includes(opposite(a)));
  const at = (names: readonly string[]): Record<string, Span> => Object.fromEntries(names.map((n) => [n, span]));
  world.roles.set(name, {
    name,
    attributes: [...kept, ...attributes],
    memberOf: [...new Set([...(before?.memberOf ?? []), ...memberOf])],
    origin: before ? changedBy(before.origin, span) : born(span),
    attributeAt: { ...before?.attributeAt, ...at(attributes) },
    memberAt: { ...before?.memberAt, ...at(memberOf) },
    withoutSet: before?.withoutSet ?? [],
  });
}

/** GRANT role. Who may neither use its privileges nor become it is no member that matters. */
export function joinRoles(world: World, name: string, action: Action<'grant role' | 'revoke role'>, span: Span): void {
  const { roles, set, inherit } = action;
  if (set === false && inherit === false) return leaveRoles(world, name, roles, span);
  changeRole(world, name, span, [], roles);
  const role = world.roles.get(name);
  const others = (role?.withoutSet ?? []).filter((r) => !roles.includes(r));
  if (role) world.roles.set(name, { ...role, withoutSet: set === false ? [...others, ...roles] : others });
}

export function leaveRoles(world: World, name: string, roles: readonly string[], span: Span): void {
  const before = world.roles.get(name);
  if (!before) return;
  world.roles.set(name, {
    ...before,
    memberOf: before.memberOf.filter((r) => !roles.includes(r)),
    origin: changedBy(before.origin, span),
  });
}

/** ALTER PUBLICATION. One that no file creates is a platform's own: `supabase_realtime`. */
export function changePublication(world: World, action: Action<'alter publication'>, span: Span): void {
  const before = world.publications.get(action.name) ?? { name: action.name, tables: [], allTables: false, span };
  const named = (t: { readonly table: ObjectName }): string => `${t.table.schema ?? 'public'}.${t.table.name}`;
  const changed = new Set(action.tables.map(named));
  const schemas = action.schemas ?? [];
  const others = action.change === 'set' ? [] : before.tables.filter((t) => !changed.has(named(t)));
  const otherSchemas = action.change === 'set' ? [] : (before.schemas ?? []).filter((s) => !schemas.includes(s));
  const added = action.change === 'drop' ? [] : action.tables.map((t) => ({ ...t, span }));
  const allSchemas = action.change === 'drop' ? otherSchemas : [...otherSchemas, ...schemas];
  world.publications.set(action.name, {
    ...before,
    tables: [...others, ...added],
    schemas: allSchemas,
  });
}

/** OWNER TO on what has an owner here. */
export function setOwner(world: World, action: Action<'owner'>, span: Span): void {
  if (action.what === 'schema') {
    world.schemaOwners.set(action.name.name, { role: action.to, span });
    return;
  }
  if (!['table', 'view', 'materialized view', 'foreign table'].includes(action.what)) return;
  const table = world.table(action.name);
  if (table) {
    table.owner = { role: action.to, span };
    return;
  }
  if (changeView(world, action.name, (view) => ({ ...view, owner: { role: action.to, span } }), span)) return;
  if (!world.isTemporary(action.name) && action.what === 'table')
    world.dangling.push({ what: `owner of ${shown(action.name)}`, span });
}
