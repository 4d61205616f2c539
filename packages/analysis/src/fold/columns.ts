import type { Constraint, Span, TableId } from '@tenant-lint/model';
import { lastOf, lose, losePolicies } from './history.js';
import { columnsRead, readsColumn, renameColumn } from './rewrite.js';
import { referencedId } from './tables.js';
import { dropViewsThat } from './views.js';
import { changedBy, idOfDraft, type TableDraft, type World } from './world.js';

/** Drops a column with the indexes, constraints, policies and views that use it. See dropTable for CASCADE. */
export function dropColumn(world: World, table: TableDraft, column: string, span: Span): void {
  const id = idOfDraft(table);
  const dropped = table.columns.get(column);
  if (dropped) lose(world, table, { kind: 'column', column: dropped }, lastOf(dropped.origin), span);
  table.columns.delete(column);
  table.origin = changedBy(table.origin, span);
  table.relations = table.relations.filter((r) => !r.columns.includes(column));
  for (const c of table.constraints)
    if (constraintUses(c, id, column))
      lose(world, table, { kind: 'constraint', constraint: c }, lastOf(c.origin), span, true);
  table.constraints = table.constraints.filter((c) => !constraintUses(c, id, column));
  table.indexes = table.indexes.filter(
    (i) =>
      !i.keys.some((k) => k.column === column) &&
      !i.include.includes(column) &&
      !readsColumn([i.keys, i.predicate], id, id, column),
  );
  for (const other of world.tables.values()) {
    const self = idOfDraft(other);
    const gone = other.policies.filter((p) => readsColumn([p.using, p.check], id, self, column));
    if (gone[0]) losePolicies(world, other, gone[0].name, span, true);
    other.policies = other.policies.filter((p) => !gone.includes(p));
    if (other !== table)
      other.constraints = other.constraints.filter(
        (c) => c.kind !== 'foreign key' || referencedId(c) !== id || !c.referencedColumns.includes(column),
      );
  }
  dropViewsThat(world, (query) => readsColumn([query], id, undefined, column));
}

function constraintUses(constraint: Constraint, id: TableId, column: string): boolean {
  if (constraint.kind === 'check') return columnsRead(constraint.predicate, id, id).has(column);
  if (constraint.kind === 'exclude') return constraint.elements.some((e) => e.column === column);
  return constraint.columns.includes(column);
}

/** Renames a column wherever it is named: keys, references from other tables, indexes, policies, CHECKs, views. */
export function renameColumnOf(world: World, table: TableDraft, from: string, to: string, span: Span): void {
  const id = idOfDraft(table);
  const rename = (name: string): string => (name === from ? to : name);
  const columns = [...table.columns.values()];
  table.columns.clear();
  for (const c of columns)
    table.columns.set(rename(c.name), c.name === from ? { ...c, name: to, origin: changedBy(c.origin, span) } : c);
  table.origin = changedBy(table.origin, span);
  table.relations = table.relations.map((r) => ({ ...r, columns: r.columns.map(rename) }));
  if (table.partitionBy) table.partitionBy = table.partitionBy.map(rename);
  table.indexes = table.indexes.map((i) => ({
    ...i,
    keys: i.keys.map((k) =>
      k.column !== undefined
        ? { ...k, column: rename(k.column) }
        : k.expression
          ? { ...k, expression: renameColumn(k.expression, id, id, from, to) }
          : k,
    ),
    include: i.include.map(rename),
    ...(i.predicate ? { predicate: renameColumn(i.predicate, id, id, from, to) } : {}),
  }));
  table.constraints = table.constraints.map((c): Constraint => {
    if (c.kind === 'check') return { ...c, predicate: renameColumn(c.predicate, id, id, from, to) };
    if (c.kind === 'exclude')
      return { ...c, elements: c.elements.map((e) => (e.column === from ? { ...e, column: to } : e)) };
    if (c.kind !== 'foreign key') return { ...c, columns: c.columns.map(rename) };
    return {
      ...c,
      columns: c.columns.map(rename),
      ...(c.onDeleteColumns ? { onDeleteColumns: c.onDeleteColumns.map(rename) } : {}),
    };
  });
  for (const other of world.tables.values()) {
    const self = idOfDraft(other);
    other.policies = other.policies.map((p) => renameColumn(p, id, self, from, to));
    other.constraints = other.constraints.map((c) =>
      c.kind === 'foreign key' && referencedId(c) === id
        ? { ...c, referencedColumns: c.referencedColumns.map(rename) }
        : c,
    );
  }
  for (const [view, definition] of world.views) {
    const renamed = renameColumn(definition, id, undefined, from, to);
    if (renamed !== definition) world.views.set(view, renamed);
  }
}
