import type { FunctionDefinition, ObjectName, SchemaAction, SchemaFunction, Span } from '@tenant-lint/model';
import { idOf, shown } from './names.js';
import { born, changedBy, type World } from './world.js';

type Action<K extends SchemaAction['do']> = Extract<SchemaAction, { do: K }>;

const inputsOf = (f: FunctionDefinition): string =>
  f.parameters
    .filter((p) => p.mode !== 'out' && p.mode !== 'table')
    .map((p) => p.type)
    .join(',');

/** CREATE [OR REPLACE] FUNCTION: the definition with the same input types is replaced as a whole, others are overloads. */
export function createFunction(world: World, action: Action<'create function'>, span: Span): void {
  const place = world.place(action.function.name);
  const id = idOf(place.schema, place.name);
  const definition = { ...action.function, name: place };
  const list = world.functions.get(id) ?? [];
  const at = list.findIndex((f) => inputsOf(f) === inputsOf(definition));
  const before = list[at];
  if (before) {
    const owner = before.owner === undefined ? {} : { owner: before.owner };
    world.functions.set(id, list.with(at, { ...definition, ...owner, origin: changedBy(before.origin, span) }));
  } else world.functions.set(id, [...list, { ...definition, origin: born(span) }]);
}

function functionId(world: World, name: ObjectName): string | undefined {
  if (name.schema !== undefined) return idOf(name.schema, name.name);
  for (const schema of [...world.searchPath, 'public'])
    if (world.functions.has(idOf(schema, name.name))) return idOf(schema, name.name);
  return undefined;
}

/** ALTER FUNCTION on all overloads of the name: the event does not say which. False if there is none. */
export function alterFunction(world: World, action: Action<'alter function'>, span: Span): boolean {
  const id = functionId(world, action.name);
  const list = id === undefined ? undefined : world.functions.get(id);
  if (id === undefined || !list) return false;
  world.functions.set(
    id,
    list.map((f): SchemaFunction => {
      const settings = Object.fromEntries(
        Object.entries({ ...f.settings, ...action.set }).filter(
          ([name]) => !action.reset?.includes(name) && !action.reset?.includes('all'),
        ),
      );
      return {
        ...f,
        settings,
        ...(action.securityDefiner === undefined ? {} : { securityDefiner: action.securityDefiner }),
        ...(action.volatility === undefined ? {} : { volatility: action.volatility }),
        ...(action.leakproof === undefined ? {} : { leakproof: action.leakproof }),
        ...(action.owner === undefined ? {} : { owner: action.owner }),
        origin: changedBy(f.origin, span),
      };
    }),
  );
  return true;
}

export function dropFunction(world: World, name: ObjectName): void {
  const id = functionId(world, name);
  if (id !== undefined) world.functions.delete(id);
}

/** CREATE, ALTER, DROP ROLE and grants of roles. Roles belong to the cluster: one may exist without a CREATE in the history. */
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
  world.roles.set(name, {
    name,
    attributes: [...kept, ...attributes],
    memberOf: [...new Set([...(before?.memberOf ?? []), ...memberOf])],
    origin: before ? changedBy(before.origin, span) : born(span),
  });
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

/** OWNER TO on what has an owner here. */
export function setOwner(world: World, action: Action<'owner'>, span: Span): void {
  if (action.what === 'function') {
    alterFunction(world, { do: 'alter function', name: action.name, owner: action.to }, span);
    return;
  }
  if (!['table', 'view', 'materialized view', 'foreign table'].includes(action.what)) return;
  const table = world.table(action.name);
  if (table) {
    table.owner = { role: action.to, span };
    return;
  }
  if (world.find(action.name, 'view') === undefined && !world.isTemporary(action.name) && action.what === 'table')
    world.dangling.push({ what: `owner of ${shown(action.name)}`, span });
}
