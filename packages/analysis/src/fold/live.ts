import type { Constraint, Grant, Index, Origin } from '@tenant-lint/model';
import { constraintKey, indexKey } from './merge.js';
import { idOf } from './names.js';
import { World, type TableDraft } from './world.js';

/**
 * What files state of a schema, and what a database says it is: of every table, view, function and role that is there, the database's word
 * holds, whatever the files say. What files state alike keeps their place, so that a finding points at a line where there is one; names of code
 * stay with their tables. What the database does not know (migrations that have not run yet, another database) is as the files say.
 */
export function asTheDatabaseIs(stated: World, live: World): World {
  const world = new World();
  // In the order of the files, so that what is told of several is told of the same one.
  for (const [id, table] of [...stated.tables, ...live.tables]) {
    const before = stated.tables.get(id);
    const now = live.tables.get(id);
    world.tables.set(id, before && now ? tableAsItIs(before, now) : table);
  }
  // A view of the database that code declares as a table: only code knows its names.
  for (const id of live.views.keys()) {
    const declared = world.tables.get(id);
    if (declared && declared.aliases.length === 0 && !declared.view) world.tables.delete(id);
  }
  for (const [id, view] of stated.views) if (!live.tables.has(id)) world.views.set(id, view);
  for (const [id, view] of live.views) world.views.set(id, placed(view, stated.views.get(id)));
  for (const [id, functions] of stated.functions) world.functions.set(id, functions);
  for (const [id, functions] of live.functions)
    world.functions.set(id, alike(functions, stated.functions.get(id) ?? [], keyOf));
  for (const [name, role] of stated.roles) world.roles.set(name, role);
  for (const [name, role] of live.roles) {
    world.roles.set(name, placed(role, stated.roles.get(name)));
  }
  // What holds for all objects of a schema has been granted on each of them.
  const isThere = ({ on }: Grant): boolean =>
    on.some((object) => {
      switch (object.kind) {
        case 'table':
          return live.find(object.name, 'either') !== undefined;
        case 'function':
          return live.functions.has(idOf(object.name.schema ?? 'public', object.name.name));
        case 'other':
          return false;
        default:
          return true;
      }
    });
  world.grants = [...stated.grants.filter((g) => !isThere(g)), ...alike(live.grants, stated.grants, keyOf)];
  world.defaultPrivileges = alike(live.defaultPrivileges, stated.defaultPrivileges, keyOf);
  for (const [id, labels] of [...stated.enums, ...live.enums]) world.enums.set(id, labels);
  for (const extension of [...stated.extensions, ...live.extensions]) world.extensions.add(extension);
  for (const schema of [...stated.schemas, ...live.schemas]) world.schemas.add(schema);
  for (const [name, publication] of [...stated.publications, ...live.publications])
    world.publications.set(name, publication);
  for (const [name, owner] of [...stated.schemaOwners, ...live.schemaOwners]) world.schemaOwners.set(name, owner);
  world.settings = [...live.settings];
  world.jobs.push(...stated.jobs);
  world.relations.push(...stated.relations);
  world.dangling.push(...stated.dangling, ...live.dangling);
  for (const id of [...stated.known, ...live.known]) world.known.add(id);
  return world;
}

function tableAsItIs(stated: TableDraft, live: TableDraft): TableDraft {
  const columns = new Map(
    [...live.columns].map(([name, column]) => {
      const before = stated.columns.get(name);
      if (!before) return [name, column];
      const property = before.property ?? column.property;
      const named = { ...column, ...(property === undefined ? {} : { property }) };
      // A column that lost its NOT NULL is not what the files state.
      return [name, before.notNull === column.notNull ? placedAs(named, before) : named];
    }),
  );
  const { enabled, forced } = stated.rowSecurity;
  const isAlike = enabled === live.rowSecurity.enabled && forced === live.rowSecurity.forced;
  const indexes = alike(live.indexes, stated.indexes, indexKey);
  return {
    ...live,
    aliases: stated.aliases.length > 0 ? stated.aliases : live.aliases,
    columns,
    constraints: [
      ...alike(live.constraints, stated.constraints, constraintKey).map(withNames(stated.constraints)),
      ...statedAsConstraints(stated, indexes),
    ],
    indexes: indexes.filter((index) => statedAsConstraint(stated, index) === undefined),
    relations: stated.relations,
    rowSecurity: isAlike ? { ...live.rowSecurity, ...stated.rowSecurity } : live.rowSecurity,
    protectedBy: isAlike ? stated.protectedBy : live.protectedBy,
    policies: alike(live.policies, stated.policies, keyOf),
    triggers: alike(live.triggers, stated.triggers, keyOf),
    rules: alike(live.rules, stated.rules, keyOf),
    origin: stated.origin,
    ...(live.owner && stated.owner?.role === live.owner.role ? { owner: stated.owner } : {}),
  };
}

/** The unique constraint that schema languages state where the database has a unique index on the same columns. */
const statedAsConstraint = (stated: TableDraft, index: Index): Constraint | undefined =>
  index.unique && index.predicate === undefined && index.keys.every((k) => k.column !== undefined)
    ? stated.constraints.find((c) => c.kind === 'unique' && c.columns.join() === index.keys.map((k) => k.column).join())
    : undefined;

const statedAsConstraints = (stated: TableDraft, indexes: readonly Index[]): Constraint[] =>
  indexes.flatMap((index) => statedAsConstraint(stated, index) ?? []);

/** Names that only code has for a key. */
const withNames =
  (stated: readonly Constraint[]) =>
  (live: Constraint): Constraint => {
    const same = stated.find((c) => 'property' in c && constraintKey(c) === constraintKey(live));
    return same && 'property' in same && 'columns' in live && live.kind === same.kind
      ? { ...live, property: same.property }
      : live;
  };

/** A fact of the database with the place at which files state it, where they state the same. */
const placed = <T extends { readonly origin: Origin }>(live: T, stated: T | undefined): T =>
  stated && keyOf(live) === keyOf(stated) ? placedAs(live, stated) : live;

/** A fact with the places of another. */
const placedAs = <T extends object>(live: T, stated: T): T => ({
  ...live,
  ...Object.fromEntries(Object.entries(stated).filter(([key]) => isPlace(key))),
});

/** Facts of the database, each with the places of one with the same key that files state. */
function alike<T extends object>(live: readonly T[], stated: readonly T[], key: (one: T) => string): T[] {
  const places = new Map(stated.map((one) => [key(one), one]));
  return live.map((one) => {
    const same = places.get(key(one));
    return same ? placedAs(one, same) : one;
  });
}

const isPlace = (key: string): boolean =>
  key === 'span' || key === 'origin' || key.endsWith('Span') || key.endsWith('At');

/** Equal for facts that mean the same, wherever they stand. */
const keyOf = (fact: object): string =>
  JSON.stringify(fact, (key, value: unknown) => {
    if (isPlace(key) || key === 'start' || key === 'end') return undefined;
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  });
