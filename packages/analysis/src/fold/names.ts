import type { ConstraintDefinition, IndexDefinition, ObjectName, TableId } from '@tenant-lint/model';

/** The id of a table whose schema is known. */
export const idOf = (schema: string, name: string): TableId => `${schema}.${name}`;

/** Where an id ends its schema: schemas with dots in their names do not occur in practice, table names with dots do. */
export function nameOfId(id: TableId): { schema: string; name: string } {
  const dot = id.indexOf('.');
  return { schema: id.slice(0, dot), name: id.slice(dot + 1) };
}

/** The name for messages: without the default schema. */
export const shown = (name: ObjectName): string =>
  name.schema === undefined || name.schema === 'public' ? name.name : `${name.schema}.${name.name}`;

const longestName = 63;

/**
 * The name Postgres gives to what has none: `<table>_<columns>_<label>`, the longer part cut first until it fits.
 * Source: makeObjectName in src/backend/commands/indexcmds.c.
 */
function defaultName(table: string, columns: string, label: string): string {
  let first = table;
  let second = columns;
  const room = longestName - label.length - 1 - (second === '' ? 0 : 1);
  while (first.length + second.length > room) {
    if (first.length > second.length) first = first.slice(0, -1);
    else second = second.slice(0, -1);
  }
  return [first, ...(second === '' ? [] : [second]), label].join('_');
}

/**
 * The name of a constraint, given or as Postgres would choose it. `taken` are the names that exist in the schema; a chosen name that
 * is taken gets a number. `checked` are the columns a CHECK reads.
 */
export function constraintName(
  constraint: ConstraintDefinition,
  table: string,
  taken: (name: string) => boolean,
  checked: readonly string[] = [],
): string {
  if (constraint.name !== undefined) return constraint.name;
  const base = ((): string => {
    switch (constraint.kind) {
      case 'primary key':
        return defaultName(table, '', 'pkey');
      case 'unique':
        return defaultName(table, constraint.columns.join('_'), 'key');
      case 'foreign key':
        return defaultName(table, constraint.columns.join('_'), 'fkey');
      case 'check':
        return defaultName(table, checked.length === 1 ? (checked[0] ?? '') : '', 'check');
      case 'exclude':
        return defaultName(table, constraint.elements.map((e) => e.column ?? 'expr').join('_'), 'excl');
    }
  })();
  return untaken(base, taken);
}

/** The name of an index, given or as Postgres would choose it. */
export function indexName(index: IndexDefinition, table: string, taken: (name: string) => boolean): string {
  if (index.name !== undefined) return index.name;
  const parts = index.keys.map(
    (k) =>
      k.column ??
      (k.expression?.kind === 'apply' && /^\w+$/.test(k.expression.function) ? k.expression.function : 'expr'),
  );
  return untaken(defaultName(table, parts.join('_'), 'idx'), taken);
}

function untaken(base: string, taken: (name: string) => boolean): string {
  let name = base;
  for (let i = 1; taken(name); i++) name = `${base}${i}`;
  return name;
}
