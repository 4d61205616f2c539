import type {
  FunctionDefinition,
  FunctionPrivileges,
  LostAttribute,
  ObjectName,
  SchemaAction,
  SchemaFunction,
  Span,
} from '@tenant-lint/model';
import { idOf } from './names.js';
import { born, changedBy, type World } from './world.js';

type Action<K extends SchemaAction['do']> = Extract<SchemaAction, { do: K }>;

const inputTypes = (f: FunctionDefinition): readonly string[] =>
  f.parameters.filter((p) => p.mode !== 'out' && p.mode !== 'table').map((p) => typeKey(p.type));

/** A type as it tells overloads apart: modifiers do not count, and a qualified name may be written without its schema. */
const typeKey = (type: string): string =>
  type
    .replace(/\([\d,\s]*\)/g, '')
    .replace(/^(?:public|pg_catalog)\./, '')
    .toLowerCase();

/** Whether a function is the one that a statement names: by its name alone, or with the types of its parameters. */
export const isNamed = (f: FunctionDefinition, inputs: readonly string[] | undefined): boolean =>
  inputs === undefined || inputTypes(f).join() === inputs.map(typeKey).join();

/**
 * CREATE [OR REPLACE] FUNCTION: the definition with the same input types is replaced as a whole, but for its owner and its privileges;
 * others are overloads. Source: postgresql.org/docs/current/sql-createfunction.html, "Notes".
 */
export function createFunction(world: World, action: Action<'create function'>, span: Span): void {
  const place = world.place(action.function.name);
  const id = idOf(place.schema, place.name);
  const definition = { ...action.function, name: place };
  world.made.add(id);
  const list = world.functions.get(id) ?? [];
  const at = list.findIndex((f) => inputTypes(f).join() === inputTypes(definition).join());
  const before = list[at];
  if (before) {
    const lost = [...stillLost(before.lost ?? [], definition), ...lostBy(before, definition, span, 'replace')];
    const replaced: SchemaFunction = {
      ...definition,
      ...(before.owner === undefined ? {} : { owner: before.owner }),
      ...(before.execute ? { execute: before.execute } : {}),
      ...(lost.length > 0 ? { lost } : {}),
      origin: changedBy(before.origin, span),
    };
    world.functions.set(id, list.with(at, replaced));
    return;
  }
  const dropped = world.droppedFunctions.get(id);
  const execute: FunctionPrivileges = {
    granted: defaultGrants(world, place.schema, span),
    revoked: [],
    ...(dropped ? { dropped } : {}),
  };
  const owner = world.role === undefined ? {} : { owner: world.role };
  world.functions.set(id, [...list, { ...definition, ...owner, execute, origin: born(span) }]);
}

/** PUBLIC, unless that was revoked for all schemas, and whoever default privileges of the schema name. */
function defaultGrants(world: World, schema: string, span: Span): FunctionPrivileges['granted'] {
  const granted = world.publicExecuteRevoked ? [] : [{ role: 'public', span }];
  for (const given of world.defaultPrivileges) {
    if (!/^(?:functions|routines)$/.test(given.objects)) continue;
    const here = given.on.length === 0 || given.on.some((o) => o.kind === 'schema' && o.name === schema);
    if (here) granted.push(...given.to.map((role) => ({ role, span: given.span })));
  }
  return granted;
}

/** What a function had and its next form has not. */
function lostBy(
  before: SchemaFunction,
  after: Pick<SchemaFunction, 'securityDefiner' | 'leakproof' | 'settings'>,
  by: Span,
  how: LostAttribute['how'],
): LostAttribute[] {
  const had = before.origin.changed.at(-1) ?? before.origin.created;
  const lost: LostAttribute[] = [];
  if (before.securityDefiner && !after.securityDefiner) lost.push({ what: 'security definer', had, by, how });
  if (!before.securityDefiner && after.securityDefiner) lost.push({ what: 'security invoker', had, by, how });
  if (before.leakproof && !after.leakproof) lost.push({ what: 'leakproof', had, by, how });
  const path = before.settings['search_path'];
  if (path !== undefined && after.settings['search_path'] === undefined)
    lost.push({ what: 'search_path', value: path, had, by, how });
  return lost;
}

/** What a later statement put back is not lost any more. */
const stillLost = (
  lost: readonly LostAttribute[],
  now: Pick<SchemaFunction, 'securityDefiner' | 'leakproof' | 'settings'>,
): LostAttribute[] =>
  lost.filter(({ what }) => {
    if (what === 'security definer') return !now.securityDefiner;
    if (what === 'security invoker') return now.securityDefiner;
    return what === 'leakproof' ? !now.leakproof : now.settings['search_path'] === undefined;
  });

function functionId(world: World, name: ObjectName): string | undefined {
  if (name.schema !== undefined) return idOf(name.schema, name.name);
  for (const schema of [...world.searchPath, 'public'])
    if (world.functions.has(idOf(schema, name.name))) return idOf(schema, name.name);
  return undefined;
}

/** Changes the functions that a statement names. False if there is none. */
function change(
  world: World,
  name: ObjectName,
  inputs: readonly string[] | undefined,
  to: (f: SchemaFunction) => SchemaFunction,
): boolean {
  const id = functionId(world, name);
  const list = id === undefined ? undefined : world.functions.get(id);
  if (id === undefined || !list?.some((f) => isNamed(f, inputs))) return false;
  world.functions.set(
    id,
    list.map((f) => (isNamed(f, inputs) ? to(f) : f)),
  );
  return true;
}

/** ALTER FUNCTION. False if there is none of that name. */
export function alterFunction(world: World, action: Action<'alter function'>, span: Span): boolean {
  return change(world, action.name, action.inputs, (f) => {
    const settings = Object.fromEntries(
      Object.entries({ ...f.settings, ...action.set }).filter(
        ([name]) => !action.reset?.includes(name) && !action.reset?.includes('all'),
      ),
    );
    const { lost: before = [], ...rest } = f;
    const altered: SchemaFunction = {
      ...rest,
      settings,
      ...(action.securityDefiner === undefined ? {} : { securityDefiner: action.securityDefiner }),
      ...(action.volatility === undefined ? {} : { volatility: action.volatility }),
      ...(action.leakproof === undefined ? {} : { leakproof: action.leakproof }),
      ...(action.owner === undefined ? {} : { owner: action.owner }),
      origin: changedBy(f.origin, span),
    };
    const lost = [...stillLost(before, altered), ...lostBy(f, altered, span, 'alter')];
    return lost.length > 0 ? { ...altered, lost } : altered;
  });
}

/** ALTER FUNCTION ... RENAME TO, SET SCHEMA. False if there is none of that name. */
export function renameFunction(world: World, action: Action<'rename function'>, span: Span): boolean {
  const id = functionId(world, action.name);
  const list = id === undefined ? undefined : world.functions.get(id);
  const found = list?.filter((f) => isNamed(f, action.inputs)) ?? [];
  if (id === undefined || !list || found.length === 0) return false;
  const rest = list.filter((f) => !found.includes(f));
  if (rest.length > 0) world.functions.set(id, rest);
  else world.functions.delete(id);
  for (const f of found) {
    const name = { schema: action.to.schema ?? f.name.schema ?? 'public', name: action.to.name };
    const to = idOf(name.schema, name.name);
    const moved = { ...f, name, origin: changedBy(f.origin, span) };
    world.functions.set(to, [...(world.functions.get(to) ?? []), moved]);
  }
  return true;
}

export function dropFunction(world: World, action: Action<'drop function'>, span: Span): void {
  const id = functionId(world, action.name);
  const list = id === undefined ? undefined : world.functions.get(id);
  if (id === undefined || !list) return;
  const gone = list.filter((f) => isNamed(f, action.inputs));
  const left = list.filter((f) => !gone.includes(f));
  if (left.length > 0) world.functions.set(id, left);
  else world.functions.delete(id);
  for (const f of gone) {
    const revoked = f.execute?.revoked[0]?.span ?? f.execute?.dropped?.revoked;
    if (revoked) world.droppedFunctions.set(id, { span, revoked });
  }
}

/** GRANT and REVOKE of EXECUTE on the functions that exist now. */
export function changeExecute(world: World, action: Action<'grant' | 'revoke'>, span: Span): void {
  if (!action.privileges.some((p) => /^(?:all(?: privileges)?|execute)$/i.test(p))) return;
  const change = (f: SchemaFunction): SchemaFunction => {
    const before = f.execute ?? { granted: [], revoked: [] };
    const roles = action.to.map((role) => ({ role, span }));
    const others = <T extends { readonly role: string }>(list: readonly T[]): T[] =>
      list.filter((entry) => !action.to.includes(entry.role));
    const execute: FunctionPrivileges =
      action.do === 'grant'
        ? { ...before, granted: [...others(before.granted), ...roles], revoked: others(before.revoked) }
        : { ...before, granted: others(before.granted), revoked: [...others(before.revoked), ...roles] };
    return { ...f, execute };
  };
  for (const object of action.on) {
    if (object.kind === 'function') {
      const id = functionId(world, object.name);
      const list = id === undefined ? undefined : world.functions.get(id);
      if (id !== undefined && list)
        world.functions.set(
          id,
          list.map((f) => (isNamed(f, object.inputs) ? change(f) : f)),
        );
    } else if (object.kind === 'all functions')
      for (const [id, list] of world.functions)
        if (list[0]?.name.schema === object.schema) world.functions.set(id, list.map(change));
  }
}
