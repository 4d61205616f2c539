import type { Grant, GrantObject, SchemaAction, Span } from '@tenant-lint/model';
import { changeExecute } from './functions.js';
import { idOf } from './names.js';
import type { DefaultPrivilege, World } from './world.js';

type Action<K extends SchemaAction['do']> = Extract<SchemaAction, { do: K }>;

/** What ALL PRIVILEGES means for a table, so that a later REVOKE of one of them leaves the others. */
const tablePrivileges = ['select', 'insert', 'update', 'delete', 'truncate', 'references', 'trigger', 'maintain'];
const isAll = (privileges: readonly string[]): boolean =>
  privileges.length === 0 || privileges.some((p) => /^all(?: privileges)?$/i.test(p));

/**
 * GRANT. `ON ALL TABLES IN SCHEMA` reaches the tables that exist now and none that come later: they are listed beside it.
 */
export function grant(world: World, action: Action<'grant' | 'revoke'>, span: Span): void {
  const { privileges, to, columns } = action;
  changeExecute(world, action, span);
  world.grants.push({ privileges, on: withTables(world, action.on), to, ...(columns ? { columns } : {}), span });
}

function withTables(world: World, on: readonly GrantObject[]): GrantObject[] {
  return on.flatMap((object): GrantObject[] => {
    if (object.kind === 'table') {
      const id = world.find(object.name, 'either');
      const table = id === undefined ? undefined : world.tables.get(id);
      return [table ? { kind: 'table', name: { schema: table.schema, name: table.name } } : object];
    }
    if (object.kind !== 'all tables') return [object];
    const tables = [...world.tables.values()].filter((t) => t.schema === object.schema);
    const views = [...world.views.values()].filter((v) => v.name.schema === object.schema);
    const names = [...tables.map((t) => ({ schema: t.schema, name: t.name })), ...views.map((v) => v.name)];
    return [object, ...names.map((name): GrantObject => ({ kind: 'table', name }))];
  });
}

/** REVOKE: what is left of each earlier grant. */
export function revoke(world: World, action: Action<'grant' | 'revoke'>, span: Span): void {
  changeExecute(world, action, span);
  const revoked = new Set(withTables(world, action.on).map(keyOf));
  world.grants = world.grants.flatMap((given) => {
    const hit = given.on.filter((o) => revoked.has(keyOf(o)));
    const roles = given.to.filter((r) => action.to.includes(r));
    if (hit.length === 0 || roles.length === 0) return [given];
    if (action.columns && !given.columns) return [given];
    const left = remaining(given, action.privileges, action.columns, hit);
    const on = given.on.filter((o) => !hit.includes(o));
    const to = given.to.filter((r) => !roles.includes(r));
    return [
      ...(on.length > 0 ? [{ ...given, on }] : []),
      ...(to.length > 0 ? [{ ...given, on: hit, to }] : []),
      ...(left ? [{ ...left, on: hit, to: roles }] : []),
    ];
  });
}

function remaining(
  given: Grant,
  privileges: readonly string[],
  columns: readonly string[] | undefined,
  on: readonly GrantObject[],
): Grant | undefined {
  if (columns && given.columns) {
    const left = given.columns.filter((c) => !columns.includes(c));
    return left.length > 0 ? { ...given, columns: left } : undefined;
  }
  if (isAll(privileges)) return undefined;
  const tables = on.every((o) => o.kind === 'table' || o.kind === 'all tables');
  const schemas = on.every((o) => o.kind === 'schema');
  const every = tables ? tablePrivileges : schemas ? ['usage', 'create'] : given.privileges;
  const held = isAll(given.privileges) ? every : given.privileges;
  const left = held.filter((p) => !privileges.includes(p));
  return left.length > 0 ? { ...given, privileges: left } : undefined;
}

function keyOf(object: GrantObject): string {
  switch (object.kind) {
    case 'table':
    case 'function':
      return `${object.kind} ${idOf(object.name.schema ?? 'public', object.name.name)}`;
    case 'schema':
      return `schema ${object.name}`;
    case 'other':
      return `${object.what} ${object.name}`;
    default:
      return `${object.kind} ${object.schema}`;
  }
}

export function changeDefaultPrivileges(world: World, action: Action<'default privileges'>, span: Span): void {
  const { privileges, objects, to } = action;
  const schemas = action.schemas.map((name): GrantObject => ({ kind: 'schema', name }));
  // What PUBLIC has by default is the system's, not a schema's: only a revoke for all schemas takes it away.
  if (/^(?:functions|routines)$/.test(objects) && schemas.length === 0 && to.includes('public'))
    world.publicExecuteRevoked = !action.grant;
  if (action.grant) {
    world.defaultPrivileges.push({ privileges, objects, on: schemas, to, span });
    return;
  }
  const revoked = new Set(schemas.map(keyOf));
  world.defaultPrivileges = world.defaultPrivileges.flatMap((given): DefaultPrivilege[] => {
    const sameSchemas = given.on.length === schemas.length && given.on.every((o) => revoked.has(keyOf(o)));
    if (given.objects !== objects || !sameSchemas) return [given];
    const roles = given.to.filter((r) => !to.includes(r));
    const left = isAll(privileges) ? [] : given.privileges.filter((p) => !privileges.includes(p));
    return [
      ...(roles.length > 0 ? [{ ...given, to: roles }] : []),
      ...(left.length > 0 && roles.length < given.to.length
        ? [{ ...given, privileges: left, to: given.to.filter((r) => to.includes(r)) }]
        : []),
    ];
  });
}
