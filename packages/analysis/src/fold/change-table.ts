import type { SchemaAction, Span } from '@tenant-lint/model';
import { addConstraint, addConstraintUsingIndex, changeConstraint, dropConstraint } from './constraints.js';
import { dropColumn, renameColumnOf } from './columns.js';
import { lastOf, lose } from './history.js';
import { addIndex } from './indexes.js';
import { addColumn, changeColumn, childrenOf, columnOf } from './tables.js';
import { born, changedBy, idOfDraft, type TableDraft, type World } from './world.js';

/** What ALTER TABLE, CREATE INDEX and row security do to one table. */
export type TableChange = Extract<
  SchemaAction,
  {
    do:
      | 'add column'
      | 'drop column'
      | 'rename column'
      | 'alter column'
      | 'add constraint'
      | 'add constraint using index'
      | 'drop constraint'
      | 'validate constraint'
      | 'rename constraint'
      | 'create index'
      | 'row security';
  }
>;

/** Changes a table and those that follow it. Broken histories can inherit in a circle: each table is changed once. */
export function changeTable(
  world: World,
  table: TableDraft,
  action: TableChange,
  span: Span,
  done = new Set<TableDraft>(),
): void {
  if (done.has(table)) return;
  done.add(table);
  changeOne(world, table, action, span);
  for (const { table: child, partition } of childrenOf(world, idOfDraft(table))) {
    if (follows(action, partition)) changeTable(world, child, unnamed(action), span, done);
  }
}

/** Which changes of a parent its children share. Row security is each table's own. */
function follows(action: TableChange, partition: boolean): boolean {
  switch (action.do) {
    case 'add column':
    case 'drop column':
    case 'rename column':
    case 'alter column':
      return true;
    case 'add constraint':
      return partition || action.constraint.kind === 'check';
    case 'create index':
      return partition;
    default:
      return false;
  }
}

/** The copy on a partition gets a name of its own. */
function unnamed(action: TableChange): TableChange {
  if (action.do === 'create index') {
    const { name, ...index } = action.index;
    void name;
    return { ...action, index };
  }
  if (action.do === 'add constraint' && action.constraint.kind !== 'check') {
    const { name, ...constraint } = action.constraint;
    void name;
    return { ...action, constraint };
  }
  return action;
}

function changeOne(world: World, table: TableDraft, action: TableChange, span: Span): void {
  switch (action.do) {
    case 'add column':
      if (table.columns.has(action.column.name) && action.ifNotExists) return;
      addColumn(table, action.column, span);
      for (const constraint of action.constraints) addConstraint(world, table, constraint, span);
      break;
    case 'drop column':
      return dropColumn(world, table, action.column, span);
    case 'rename column':
      if (!table.columns.has(action.column))
        return missing(world, table, `column ${columnOf(table, action.column)}`, span);
      return renameColumnOf(world, table, action.column, action.to, span);
    case 'alter column': {
      noteColumn(world, table, action, span);
      const found = changeColumn(
        table,
        action.column,
        (column) => {
          const { default: before, ...rest } = column;
          const value = action.default === undefined ? before : (action.default ?? undefined);
          return {
            ...rest,
            ...(value === undefined ? {} : { default: value }),
            ...(action.type === undefined ? {} : { type: action.type }),
            ...(action.notNull === undefined ? {} : { notNull: action.notNull }),
          };
        },
        span,
      );
      if (!found) missing(world, table, `column ${columnOf(table, action.column)}`, span);
      break;
    }
    case 'add constraint':
      addConstraint(world, table, action.constraint, span);
      break;
    case 'add constraint using index':
      if (!addConstraintUsingIndex(world, table, action, span)) missing(world, table, `index ${action.index}`, span);
      break;
    case 'drop constraint':
      return dropConstraint(world, table, action.constraint, span);
    case 'validate constraint':
      if (!changeConstraint(table, action.constraint, (c) => ('notValid' in c ? { ...c, notValid: false } : c), span))
        missing(world, table, `constraint ${action.constraint}`, span);
      break;
    case 'rename constraint':
      if (!changeConstraint(table, action.constraint, (c) => ({ ...c, name: action.to }), span))
        missing(world, table, `constraint ${action.constraint}`, span);
      break;
    case 'create index':
      return addIndex(world, table, action.index, span);
    case 'row security': {
      const { origin } = table.rowSecurity;
      noteRowSecurity(world, table, action, span);
      table.rowSecurity = {
        enabled: action.enabled ?? table.rowSecurity.enabled,
        forced: action.forced ?? table.rowSecurity.forced,
        origin: origin ? changedBy(origin, span) : born(span),
      };
      break;
    }
  }
  table.origin = changedBy(table.origin, span);
}

function noteRowSecurity(
  world: World,
  table: TableDraft,
  { enabled, forced }: Extract<TableChange, { do: 'row security' }>,
  span: Span,
): void {
  const { rowSecurity: before, protectedBy: by } = table;
  if (enabled === false && before.enabled)
    lose(world, table, { kind: 'row security' }, by.enabled ?? table.origin.created, span);
  if (forced === false && before.forced)
    lose(world, table, { kind: 'forced row security' }, by.forced ?? table.origin.created, span);
  if (enabled === true && !before.enabled) by.enabled = span;
  if (forced === true && !before.forced) by.forced = span;
}

function noteColumn(
  world: World,
  table: TableDraft,
  action: Extract<TableChange, { do: 'alter column' }>,
  span: Span,
): void {
  const column = table.columns.get(action.column);
  if (!column) return;
  const note = (kind: 'not null' | 'type' | 'default'): void =>
    lose(world, table, { kind, column }, lastOf(column.origin), span);
  if (action.notNull === false && column.notNull) note('not null');
  if (action.type !== undefined && action.type !== column.type) note('type');
  if (action.default !== undefined && column.default !== undefined) note('default');
}

/** A part that a completely known table does not have. Of an incomplete one nothing can be said. */
function missing(world: World, table: TableDraft, what: string, span: Span): void {
  if (table.complete) world.dangling.push({ what, span });
}
