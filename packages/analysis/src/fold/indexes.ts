import type { IndexDefinition, ObjectName, Span } from '@tenant-lint/model';
import { lastOf, lose } from './history.js';
import { indexName } from './names.js';
import { born, changedBy, idOfDraft, type TableDraft, type World } from './world.js';

export function addIndex(world: World, table: TableDraft, index: IndexDefinition, span: Span): void {
  const id = idOfDraft(table);
  // CREATE INDEX IF NOT EXISTS on one that exists does nothing; without IF NOT EXISTS it cannot happen.
  if (index.name !== undefined && table.indexes.some((i) => i.name === index.name)) return;
  const name = indexName(index, table.name, (n) => world.isTaken(table.schema, n));
  table.indexes.push({ ...world.bind(index, id), name, origin: born(span) });
}

/** The table that has the index, or the key or unique constraint, of that name. An index lives in the schema of its table. */
function ownerOf(world: World, name: ObjectName): TableDraft | undefined {
  const owners = [...world.tables.values()].filter(
    (t) =>
      (name.schema === undefined || t.schema === name.schema) &&
      (t.indexes.some((i) => i.name === name.name) ||
        t.constraints.some((c) => c.name === name.name && (c.kind === 'primary key' || c.kind === 'unique'))),
  );
  if (name.schema === undefined)
    for (const schema of world.searchPath) {
      const here = owners.find((t) => t.schema === schema);
      if (here) return here;
    }
  return owners[0];
}

export function dropIndex(world: World, name: ObjectName, span: Span): void {
  const table = ownerOf(world, name);
  if (!table) return;
  for (const index of table.indexes)
    if (index.name === name.name) lose(world, table, { kind: 'index', index }, lastOf(index.origin), span);
  table.indexes = table.indexes.filter((i) => i.name !== name.name);
  table.origin = changedBy(table.origin, span);
}

/** Renaming the index of a constraint renames the constraint. */
export function renameIndex(world: World, name: ObjectName, to: string, span: Span): boolean {
  const table = ownerOf(world, name);
  if (!table) return false;
  table.indexes = table.indexes.map((i) =>
    i.name === name.name ? { ...i, name: to, origin: changedBy(i.origin, span) } : i,
  );
  table.constraints = table.constraints.map((c) =>
    c.name === name.name ? { ...c, name: to, origin: changedBy(c.origin, span) } : c,
  );
  return true;
}
