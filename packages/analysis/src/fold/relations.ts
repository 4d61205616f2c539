import type { Constraint, Relation, RelationDefinition, TableId, TableName } from '@tenant-lint/model';
import { aliasKey, aliasesOf } from './merge.js';
import { idOf, nameOfId } from './names.js';
import { idOfDraft, type TableDraft, type World } from './world.js';

/** What a name in a declared schema refers to. */
export type Resolve = (name: TableName, world: World) => TableId | undefined;

/**
 * Finds the table of a name: among the aliases of its own source (two Prisma schemas of one repository may both have a `User`), then of
 * all sources. A binding whose file is not known is found by its name if only one table has it.
 */
export function resolver(worlds: readonly World[]): Resolve {
  const everywhere = aliasesOf(worlds);
  const own = new Map(worlds.map((w) => [w, aliasesOf([w])]));
  const byBinding = new Map<string, TableId | null>();
  for (const world of worlds)
    for (const table of world.tables.values())
      for (const alias of table.aliases) {
        if (alias.by !== 'binding') continue;
        const before = byBinding.get(alias.name);
        const id = idOfDraft(table);
        byBinding.set(alias.name, before === undefined || before === id ? id : null);
      }
  return (name, world) => {
    if (name.by === 'sql') {
      const found = world.lookup.qualify(name) ?? world.place(name);
      return idOf(found.schema, found.name);
    }
    const key = aliasKey(name);
    const exact = own.get(world)?.get(key) ?? everywhere.get(key);
    return exact ?? (name.by === 'binding' ? (byBinding.get(name.name) ?? undefined) : undefined);
  };
}

/** Gives every foreign key the qualified SQL name of the table it refers to; done before sources are merged, so that equal ones are seen. */
export function settleReferences(world: World, resolve: Resolve): void {
  for (const table of world.tables.values()) {
    table.constraints = table.constraints.map((constraint) => {
      if (constraint.kind !== 'foreign key') return constraint;
      const id = resolve(constraint.references, world);
      return id === undefined ? constraint : { ...constraint, references: { by: 'sql', ...nameOfId(id) } };
    });
    table.relations = table.relations.map((relation) => {
      const id = resolve(relation.to, world);
      return id === undefined ? relation : { ...relation, to: { by: 'sql', ...nameOfId(id) } };
    });
  }
}

/** Adds the relations that were declared apart from their tables. Those whose table nothing declares go to `dangling`. */
export function attachRelations(world: World, resolve: Resolve): void {
  for (const { table: name, relations, span } of world.relations) {
    const id = resolve(name, world);
    const table = id === undefined ? undefined : world.tables.get(id);
    if (!table) {
      world.dangling.push({ what: `relations of ${name.name}`, span });
      continue;
    }
    const known = new Set(table.relations.map((r) => r.name));
    for (const relation of relations) {
      const to = resolve(relation.to, world);
      if (known.has(relation.name)) continue;
      table.relations.push(to === undefined ? relation : { ...relation, to: { by: 'sql', ...nameOfId(to) } });
    }
  }
}

/** The database's column for a name that may be the code's. */
export function columnName(table: TableDraft | undefined, name: string): string {
  if (!table || table.columns.has(name)) return name;
  for (const column of table.columns.values()) if (column.property === name) return column.name;
  return name;
}

/** Constraints in their final form: columns by database name, the key a reference goes to spelled out. */
export function finishConstraint(world: World, table: TableDraft, constraint: Constraint): Constraint {
  if (constraint.kind === 'check' || constraint.kind === 'exclude') return constraint;
  const columns = constraint.columns.map((c) => columnName(table, c));
  if (constraint.kind !== 'foreign key') return { ...constraint, columns };
  const target = targetOf(world, constraint.references);
  const named = constraint.referencedColumns.map((c) => columnName(target, c));
  const key = target?.constraints.find((c) => c.kind === 'primary key');
  return {
    ...constraint,
    columns,
    referencedColumns: named.length === 0 && key?.kind === 'primary key' ? key.columns : named,
  };
}

function targetOf(world: World, name: TableName): TableDraft | undefined {
  return name.by === 'sql' ? world.tables.get(idOf(name.schema ?? 'public', name.name)) : undefined;
}

/**
 * The relations of a table with the columns that tie the rows. A side that names none takes them from the other side: the one with the
 * same relation name, else the only one that leads back. Where neither side has any, the relation is many-to-many.
 */
export function finishRelations(world: World, table: TableDraft): readonly Relation[] {
  const id = idOfDraft(table);
  return table.relations.flatMap((relation): Relation[] => {
    const target = targetOf(world, relation.to);
    if (!target) return [];
    const to = idOfDraft(target);
    if (relation.columns.length > 0)
      return [
        {
          ...relation,
          to,
          columns: relation.columns.map((c) => columnName(table, c)),
          references: relation.references.map((c) => columnName(target, c)),
        },
      ];
    const inverse = inverseOf(relation, target, id);
    if (!inverse) return [{ ...relation, to }];
    return [
      {
        ...relation,
        to,
        columns: inverse.references.map((c) => columnName(table, c)),
        references: inverse.columns.map((c) => columnName(target, c)),
        inverse: true,
      },
    ];
  });
}

function inverseOf(relation: RelationDefinition, target: TableDraft, id: TableId): RelationDefinition | undefined {
  const back = target.relations.filter(
    (r) => r.columns.length > 0 && r.to.by === 'sql' && idOf(r.to.schema ?? 'public', r.to.name) === id,
  );
  const named = back.filter((r) => r.relationName === relation.relationName);
  if (relation.relationName !== undefined) return named.length === 1 ? named[0] : undefined;
  return back.length === 1 ? back[0] : named.length === 1 ? named[0] : undefined;
}
