import type { Column, Constraint, Index, Origin, TableId, TableName } from '@tenant-lint/model';
import { idOf } from './names.js';
import { bothOrigins, idOfDraft, type TableDraft, World } from './world.js';

/**
 * Unites what several sources say of the same schema: a Prisma or Drizzle schema and the migrations made from it, several histories, a dump.
 * Facts that two of them state become one, with both places as its origin. The first source that knows an object decides where its
 * fact begins; for what the database enforces, the migrations decide where they are the more exact.
 */
export function mergeWorlds(worlds: readonly World[]): World {
  const all = new World();
  for (const world of worlds) {
    for (const table of world.tables.values()) {
      const id = idOfDraft(table);
      const before = all.tables.get(id);
      all.tables.set(id, before ? mergeTables(before, table) : table);
    }
    for (const [id, view] of world.views) {
      const before = all.views.get(id);
      all.views.set(id, before ? { ...view, ...before, origin: bothOrigins(before.origin, view.origin) } : view);
    }
    for (const [id, functions] of world.functions) if (!all.functions.has(id)) all.functions.set(id, functions);
    for (const [name, role] of world.roles) {
      const before = all.roles.get(name);
      all.roles.set(
        name,
        before
          ? {
              name,
              attributes: united(before.attributes, role.attributes),
              memberOf: united(before.memberOf, role.memberOf),
              origin: bothOrigins(before.origin, role.origin),
              attributeAt: { ...role.attributeAt, ...before.attributeAt },
              memberAt: { ...role.memberAt, ...before.memberAt },
              withoutSet: (before.withoutSet ?? []).filter((r) => role.withoutSet?.includes(r)),
            }
          : role,
      );
    }
    for (const [id, labels] of world.enums) all.enums.set(id, united(all.enums.get(id) ?? [], labels));
    for (const extension of world.extensions) all.extensions.add(extension);
    for (const schema of world.schemas) all.schemas.add(schema);
    for (const [name, publication] of world.publications) all.publications.set(name, publication);
    for (const [name, owner] of world.schemaOwners) all.schemaOwners.set(name, owner);
    all.jobs.push(...world.jobs);
    all.grants.push(...world.grants);
    all.defaultPrivileges.push(...world.defaultPrivileges);
    all.settings.push(...world.settings);
    all.relations.push(...world.relations);
    all.dangling.push(...world.dangling);
  }
  return all;
}

const united = <T>(a: readonly T[], b: readonly T[]): T[] => [...new Set([...a, ...b])];

/** `a` is the table as the earlier source knows it. */
function mergeTables(a: TableDraft, b: TableDraft): TableDraft {
  const columns = new Map<string, Column>(a.columns);
  for (const column of b.columns.values()) {
    const before = columns.get(column.name);
    columns.set(column.name, before ? mergeColumns(before, column) : column);
  }
  const { constraints, indexes } = mergeKeys(a, b);
  const owner = a.owner ?? b.owner;
  const partitionOf = a.partitionOf ?? b.partitionOf;
  const partitionBy = a.partitionBy ?? b.partitionBy;
  const detached = a.detached ?? b.detached;
  return {
    schema: a.schema,
    name: a.name,
    aliases: uniqueBy([...a.aliases, ...b.aliases], aliasKey),
    columns,
    constraints,
    indexes,
    relations: uniqueBy([...a.relations, ...b.relations], (r) => r.name),
    rowSecurity: mergeRowSecurity(a, b),
    protectedBy: { ...b.protectedBy, ...a.protectedBy },
    policies: mergeNamed(a.policies, b.policies),
    triggers: mergeNamed(a.triggers, b.triggers),
    rules: mergeNamed(a.rules, b.rules),
    inherits: united(a.inherits, b.inherits),
    origin: bothOrigins(a.origin, b.origin),
    complete: a.complete && b.complete,
    view: a.view,
    // A table of that name in a database with SQL is the one that more can be said of.
    ...(a.documents && b.documents ? { documents: true } : {}),
    copyOf: a.copyOf.length > 0 ? a.copyOf : b.copyOf,
    ...(detached ? { detached } : {}),
    ...(a.defaultPartition || b.defaultPartition ? { defaultPartition: true } : {}),
    ...(owner ? { owner } : {}),
    ...(partitionOf === undefined ? {} : { partitionOf }),
    ...(partitionBy ? { partitionBy } : {}),
  };
}

function mergeColumns(a: Column, b: Column): Column {
  const property = a.property ?? b.property;
  const value = b.default ?? a.default;
  return {
    ...a,
    // What the later source says of the type is what the database has: `character varying(255)` where code says text.
    type: b.type === '' ? a.type : b.type,
    notNull: a.notNull || b.notNull,
    ...(value === undefined ? {} : { default: value }),
    ...(a.generated || b.generated ? { generated: true } : {}),
    ...(a.identity || b.identity ? { identity: true } : {}),
    ...(property === undefined ? {} : { property }),
    origin: bothOrigins(a.origin, b.origin),
  };
}

function mergeRowSecurity(a: TableDraft, b: TableDraft): TableDraft['rowSecurity'] {
  const origins = [a.rowSecurity.origin, b.rowSecurity.origin].filter((o): o is Origin => o !== undefined);
  const [first, second] = origins;
  return {
    enabled: a.rowSecurity.enabled || b.rowSecurity.enabled,
    forced: a.rowSecurity.forced || b.rowSecurity.forced,
    ...(first ? { origin: second ? bothOrigins(first, second) : first } : {}),
  };
}

function mergeNamed<T extends { readonly name: string; readonly origin: Origin }>(
  a: readonly T[],
  b: readonly T[],
): T[] {
  const merged = new Map(a.map((x) => [x.name, x]));
  for (const item of b) {
    const before = merged.get(item.name);
    merged.set(item.name, before ? { ...item, ...before, origin: bothOrigins(before.origin, item.origin) } : item);
  }
  return [...merged.values()];
}

/**
 * Constraints and indexes together: what one source calls a unique constraint is a unique index in the other, and an index that a
 * schema language can only declare whole may be partial in the migration that was edited by hand.
 */
function mergeKeys(a: TableDraft, b: TableDraft): { constraints: Constraint[]; indexes: Index[] } {
  const constraints: Constraint[] = [];
  const indexes: Index[] = [];
  const restConstraints = [...b.constraints];
  const restIndexes = [...b.indexes];
  for (const constraint of a.constraints) {
    const same = take(restConstraints, (c) => constraintKey(c) === constraintKey(constraint));
    if (same || constraint.kind !== 'unique') {
      constraints.push(
        same ? { ...same, ...constraint, origin: bothOrigins(constraint.origin, same.origin) } : constraint,
      );
      continue;
    }
    const key = listKey(constraint.columns);
    const isSame = (i: Index): boolean => i.unique && indexColumns(i) === key;
    const index = take(restIndexes, (i) => isSame(i) && !i.predicate) ?? take(restIndexes, isSame);
    const origin = index && bothOrigins(constraint.origin, index.origin);
    if (index?.predicate && origin) indexes.push({ ...index, origin });
    else constraints.push(origin ? { ...constraint, origin } : constraint);
  }
  for (const constraint of restConstraints) {
    const covered =
      constraint.kind === 'unique' &&
      a.indexes.some((i) => i.unique && !i.predicate && indexColumns(i) === listKey(constraint.columns));
    const second = constraint.kind === 'primary key' && constraints.some((c) => c.kind === 'primary key');
    if (!covered && !second) constraints.push(constraint);
  }
  for (const index of a.indexes) {
    const isSame = (i: Index): boolean => i.unique === index.unique && indexKey(i) === indexKey(index);
    const same =
      take(restIndexes, (i) => isSame(i) && (i.predicate === undefined) === (index.predicate === undefined)) ??
      take(restIndexes, isSame);
    indexes.push(same ? { ...index, ...same, origin: bothOrigins(index.origin, same.origin) } : index);
  }
  return { constraints, indexes: [...indexes, ...restIndexes] };
}

function take<T>(list: T[], test: (item: T) => boolean): T | undefined {
  const at = list.findIndex(test);
  return at === -1 ? undefined : list.splice(at, 1)[0];
}

const listKey = (columns: readonly string[]): string => JSON.stringify(columns);

/** The columns of an index; undefined if a key is an expression. */
const indexColumns = (index: Index): string | undefined =>
  index.keys.every((k) => k.column !== undefined) ? listKey(index.keys.map((k) => k.column ?? '')) : undefined;

const withoutPlaces = (value: unknown): string =>
  JSON.stringify(value, (key, inner: unknown) => (key === 'span' || key === 'start' ? undefined : inner));

/** Equal for indexes over the same keys, whatever they are called. */
export const indexKey = (index: Index): string => `${index.method} ${withoutPlaces(index.keys)}`;

/** Equal for constraints that say the same, whatever they are called. References must have been resolved to names of the database. */
export function constraintKey(constraint: Constraint): string {
  switch (constraint.kind) {
    case 'primary key':
    case 'unique':
      return `${constraint.kind} ${listKey(constraint.columns)}`;
    case 'foreign key':
      return `${constraint.kind} ${listKey(constraint.columns)} ${aliasKey(constraint.references)}`;
    case 'check':
      return `check ${constraint.name ?? withoutPlaces(constraint.predicate)}`;
    case 'exclude':
      return `exclude ${constraint.name ?? withoutPlaces(constraint.elements)}`;
  }
}

/** Equal for equal names. */
export function aliasKey(name: TableName): string {
  switch (name.by) {
    case 'sql':
      return `sql ${idOf(name.schema ?? 'public', name.name)}`;
    case 'model':
      return `model ${name.library} ${name.name}`;
    case 'binding':
      return `binding ${name.file} ${name.name}`;
  }
}

function uniqueBy<T>(items: readonly T[], key: (item: T) => string): T[] {
  const seen = new Map<string, T>();
  for (const item of items) if (!seen.has(key(item))) seen.set(key(item), item);
  return [...seen.values()];
}

/** The table of each alias in these worlds; the first that declares it wins. */
export function aliasesOf(worlds: readonly World[]): ReadonlyMap<string, TableId> {
  const aliases = new Map<string, TableId>();
  for (const world of worlds)
    for (const table of world.tables.values())
      for (const alias of table.aliases) {
        const key = aliasKey(alias);
        if (!aliases.has(key)) aliases.set(key, idOfDraft(table));
      }
  return aliases;
}
