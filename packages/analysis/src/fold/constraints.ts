import type { Constraint, ConstraintDefinition, SchemaAction, Span } from '@tenant-lint/model';
import { lastOf, lose } from './history.js';
import { constraintName, idOf } from './names.js';
import { columnsRead } from './rewrite.js';
import { born, changedBy, idOfDraft, type TableDraft, type World } from './world.js';

type Action<K extends SchemaAction['do']> = Extract<SchemaAction, { do: K }>;

/** Adds a constraint under its real name. A primary key makes its columns NOT NULL. */
export function addConstraint(world: World, table: TableDraft, definition: ConstraintDefinition, span: Span): void {
  const id = idOfDraft(table);
  const constraint = qualify(world, table, definition);
  const read = constraint.kind === 'check' ? [...columnsRead(constraint.predicate, id, id)] : [];
  const name = constraintName(constraint, table.name, (n) => world.isTaken(table.schema, n), read);
  if (constraint.name !== undefined && table.constraints.some((c) => c.name === name)) return;
  if (constraint.kind === 'primary key') {
    table.constraints = table.constraints.filter((c) => c.kind !== 'primary key');
    for (const column of constraint.columns) {
      const before = table.columns.get(column);
      if (before && !before.notNull)
        table.columns.set(column, { ...before, notNull: true, origin: changedBy(before.origin, span) });
    }
  }
  table.constraints.push({ ...constraint, name, origin: born(span) });
}

/** With the names it uses tied to what they mean now. */
function qualify(world: World, table: TableDraft, constraint: ConstraintDefinition): ConstraintDefinition {
  if (constraint.kind === 'check')
    return { ...constraint, predicate: world.bind(constraint.predicate, idOfDraft(table)) };
  if (constraint.kind !== 'foreign key' || constraint.references.by !== 'sql') return constraint;
  const found = world.lookup.qualify(constraint.references) ?? world.place(constraint.references);
  return { ...constraint, references: { by: 'sql', ...found } };
}

export function addConstraintUsingIndex(
  world: World,
  table: TableDraft,
  action: Action<'add constraint using index'>,
  span: Span,
): boolean {
  const index = table.indexes.find((i) => i.name === action.index);
  if (!index) return false;
  table.indexes = table.indexes.filter((i) => i !== index);
  addConstraint(
    world,
    table,
    {
      kind: action.constraint,
      name: action.name ?? action.index,
      columns: index.keys.flatMap((k) => (k.column === undefined ? [] : [k.column])),
      span,
    },
    span,
  );
  return true;
}

/** Drops a constraint; a key takes the references that rest on it along. */
export function dropConstraint(world: World, table: TableDraft, name: string, span: Span): void {
  const dropped = table.constraints.find((c) => c.name === name);
  if (!dropped) return;
  lose(world, table, { kind: 'constraint', constraint: dropped }, lastOf(dropped.origin), span);
  table.constraints = table.constraints.filter((c) => c !== dropped);
  table.origin = changedBy(table.origin, span);
  if (dropped.kind !== 'primary key' && dropped.kind !== 'unique') return;
  const id = idOfDraft(table);
  const stillUnique = uniqueColumns(table);
  for (const other of world.tables.values()) {
    other.constraints = other.constraints.filter((c) => {
      if (c.kind !== 'foreign key' || c.references.by !== 'sql') return true;
      if (idOf(c.references.schema ?? 'public', c.references.name) !== id) return true;
      const rests =
        c.referencedColumns.length === 0
          ? dropped.kind === 'primary key'
          : sameSet(c.referencedColumns, dropped.columns);
      if (!rests || stillUnique.some((u) => sameSet(u, c.referencedColumns))) return true;
      lose(world, other, { kind: 'constraint', constraint: c }, lastOf(c.origin), span, true);
      return false;
    });
  }
}

const uniqueColumns = (table: TableDraft): readonly (readonly string[])[] => [
  ...table.constraints.flatMap((c) => (c.kind === 'primary key' || c.kind === 'unique' ? [c.columns] : [])),
  ...table.indexes.flatMap((i) => (i.unique && !i.predicate ? [i.keys.flatMap((k) => k.column ?? [])] : [])),
];

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((x) => b.includes(x));

/** Changes the constraint of that name; false if there is none. */
export function changeConstraint(
  table: TableDraft,
  name: string,
  change: (c: Constraint) => Constraint,
  span: Span,
): boolean {
  let found = false;
  table.constraints = table.constraints.map((c) => {
    if (c.name !== name) return c;
    found = true;
    return { ...change(c), origin: changedBy(c.origin, span) };
  });
  return found;
}
