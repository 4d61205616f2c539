import type {
  Access,
  Column,
  ColumnDefinition,
  Constraint,
  ConstraintDefinition,
  SchemaAction,
  Span,
  TableId,
} from '@tenant-lint/model';
import { addConstraint } from './constraints.js';
import { losePolicies } from './history.js';
import { addIndex } from './indexes.js';
import { idOf, shown } from './names.js';
import { readsTable, renameTable } from './rewrite.js';
import { dropViewsThat } from './views.js';
import { born, bothOrigins, changedBy, idOfDraft, type TableDraft, type World } from './world.js';

type Action<K extends SchemaAction['do']> = Extract<SchemaAction, { do: K }>;

/** CREATE TABLE in all its forms, and the tables (and views) that schema languages declare. */
export function createTable(world: World, action: Action<'create table'>, span: Span): void {
  if (action.temporary) {
    world.temporary.add(action.table.name);
    return;
  }
  const place = world.place(action.table);
  const id = idOf(place.schema, place.name);
  const existing = world.tables.get(id);
  if (existing && action.ifNotExists) return;
  world.known.add(id);
  const table: TableDraft = {
    ...place,
    aliases: [...action.aliases],
    columns: new Map(),
    constraints: [],
    indexes: [],
    relations: [...action.relations],
    rowSecurity: { enabled: false, forced: false },
    protectedBy: {},
    policies: [],
    triggers: [],
    rules: [],
    inherits: [],
    origin: born(span),
    complete: true,
    view: action.foreign === true,
    ...(action.documents ? { documents: true } : {}),
    copyOf: [],
    ...(action.defaultPartition ? { defaultPartition: true } : {}),
    ...(world.role === undefined ? {} : { owner: { role: world.role, span } }),
    ...(action.partitionBy ? { partitionBy: action.partitionBy } : {}),
  };
  world.tables.set(id, table);
  for (const parent of action.inherits) {
    const from = world.require(parent, 'columns that another table inherits', span);
    if (from) inheritFrom(world, table, from, span, false);
    else table.complete = false;
  }
  if (action.partitionOf) {
    const parent = world.require(action.partitionOf, 'a partition', span);
    if (parent) {
      table.partitionOf = idOfDraft(parent);
      inheritFrom(world, table, parent, span, true);
    } else table.complete = false;
  }
  for (const like of action.like) {
    const from = world.table(like.table);
    if (from) {
      copyLike(world, table, from, like.including, span);
      table.copyOf.push({ table: from, by: 'like' });
    } else table.complete = false;
  }
  for (const column of action.columns) addColumn(table, column, span);
  for (const constraint of action.constraints) addConstraint(world, table, constraint, span);
  for (const index of action.indexes) addIndex(world, table, index, span);
  if (action.asQuery) columnsOfQuery(world, table, world.bind(action.asQuery, undefined), span);
}

export function addColumn(table: TableDraft, column: ColumnDefinition, span: Span): void {
  const before = table.columns.get(column.name);
  const implied = /^(?:big|small)?serial[248]?$/.test(column.type) || column.identity === true;
  table.columns.set(column.name, {
    ...column,
    notNull: column.notNull || implied || (before?.notNull ?? false),
    origin: before ? bothOrigins(before.origin, born(span)) : born(span),
  });
}

export function changeColumn(table: TableDraft, name: string, change: (column: Column) => Column, span: Span): boolean {
  const column = table.columns.get(name);
  if (column) table.columns.set(name, { ...change(column), origin: changedBy(column.origin, span) });
  return column !== undefined;
}

/** A child gets the parent's columns and CHECKs; a partition its keys, references and indexes as well. Never its row security. */
function inheritFrom(world: World, child: TableDraft, parent: TableDraft, span: Span, partition: boolean): void {
  if (!partition && !child.inherits.includes(idOfDraft(parent))) child.inherits.push(idOfDraft(parent));
  adoptColumns(child, parent, span);
  child.complete &&= parent.complete;
  for (const constraint of parent.constraints)
    if (constraint.kind === 'check') copyConstraint(world, child, constraint, span, false);
  if (partition) adoptKeys(world, child, parent, span);
}

function adoptColumns(child: TableDraft, parent: TableDraft, span: Span): void {
  for (const column of parent.columns.values())
    if (!child.columns.has(column.name)) child.columns.set(column.name, { ...column, origin: born(span) });
}

/** Keys, references and indexes of a partitioned table exist on each partition: one that has an equal keeps it. */
function adoptKeys(world: World, child: TableDraft, parent: TableDraft, span: Span): void {
  for (const constraint of parent.constraints) {
    if (constraint.kind === 'check' || constraint.kind === 'exclude') continue;
    const has = child.constraints.some(
      (c) => c.kind === constraint.kind && 'columns' in c && c.columns.join() === constraint.columns.join(),
    );
    if (!has) copyConstraint(world, child, constraint, span, true);
  }
  for (const index of parent.indexes) {
    const keys = JSON.stringify(index.keys.map((k) => k.column ?? k.expression));
    const has = child.indexes.some(
      (i) => i.unique === index.unique && JSON.stringify(i.keys.map((k) => k.column ?? k.expression)) === keys,
    );
    if (!has) copyIndex(world, child, index, span);
  }
}

function copyConstraint(world: World, to: TableDraft, constraint: Constraint, span: Span, rename: boolean): void {
  const { origin, ...definition } = constraint;
  void origin;
  const copy = { ...definition, span };
  if (rename) delete (copy as { name?: string }).name;
  addConstraint(world, to, copy as ConstraintDefinition, span);
}

function copyIndex(world: World, to: TableDraft, index: TableDraft['indexes'][number], span: Span): void {
  const { name, origin, ...definition } = index;
  void name;
  void origin;
  addIndex(world, to, definition, span);
}

/** LIKE copies columns and NOT NULL, and what INCLUDING names; never references, row security or policies. */
function copyLike(world: World, to: TableDraft, from: TableDraft, including: readonly string[], span: Span): void {
  const has = (what: string): boolean => including.includes('all') || including.includes(what);
  for (const source of from.columns.values()) {
    const { default: value, generated, identity, property, ...column } = source;
    void property;
    to.columns.set(column.name, {
      ...column,
      ...(value !== undefined && has('defaults') ? { default: value } : {}),
      ...(generated && has('generated') ? { generated } : {}),
      ...(identity && has('identity') ? { identity } : {}),
      origin: born(span),
    });
  }
  to.complete &&= from.complete;
  for (const constraint of from.constraints) {
    if (constraint.kind === 'check' ? has('constraints') : constraint.kind !== 'foreign key' && has('indexes'))
      copyConstraint(world, to, constraint, span, constraint.kind !== 'check');
  }
  if (has('indexes')) for (const index of from.indexes) copyIndex(world, to, index, span);
}

/** The columns that CREATE TABLE AS makes, as far as its query shows them. Nothing but names and types is copied. */
function columnsOfQuery(world: World, table: TableDraft, query: Access, span: Span): void {
  table.complete = false;
  const sourceOf = (ref: string): TableDraft | undefined => {
    const name = query.targets.find((t) => t.ref === ref)?.table;
    return name?.known && name.value.by === 'sql' ? world.table(name.value) : undefined;
  };
  for (const { ref, role } of query.targets) {
    const from = role === 'subquery' ? undefined : sourceOf(ref);
    if (from && from !== table && !table.copyOf.some((c) => c.table === from))
      table.copyOf.push({ table: from, by: 'query' });
  }
  const add = (name: string, source: Column | undefined): void => {
    if (!table.columns.has(name))
      table.columns.set(name, { name, type: source?.type ?? '', notNull: false, span, origin: born(span) });
  };
  if (query.output) {
    for (const column of query.output) {
      if ('star' in column)
        for (const ref of column.star) for (const c of sourceOf(ref)?.columns.values() ?? []) add(c.name, c);
      else {
        const value = column.value;
        const from = value.kind === 'column' && value.target !== undefined ? sourceOf(value.target) : undefined;
        add(column.name, value.kind === 'column' ? from?.columns.get(value.column) : undefined);
      }
    }
    return;
  }
  for (const target of query.targets) {
    const source = sourceOf(target.ref);
    for (const name of target.columns ?? source?.columns.keys() ?? []) add(name, source?.columns.get(name));
  }
}

/** Partitions and inheriting tables follow their parent. */
export function childrenOf(world: World, id: TableId): readonly { table: TableDraft; partition: boolean }[] {
  return [...world.tables.values()]
    .filter((t) => t.partitionOf === id || t.inherits.includes(id))
    .map((table) => ({ table, partition: table.partitionOf === id }));
}

export function attachPartition(
  world: World,
  action: Action<'attach partition' | 'detach partition'>,
  span: Span,
): void {
  const parent = world.require(action.table, action.do, span);
  const child = world.require(action.partition, action.do, span);
  if (!parent || !child) return;
  child.origin = changedBy(child.origin, span);
  if (action.do === 'attach partition') {
    child.partitionOf = idOfDraft(parent);
    delete child.detached;
    adoptColumns(child, parent, span);
    adoptKeys(world, child, parent, span);
  } else {
    delete child.partitionOf;
    child.detached = { from: parent, span };
  }
}

export function setInheritance(world: World, action: Action<'inherit' | 'no inherit'>, span: Span): void {
  const child = world.require(action.table, action.do, span);
  const parent = world.require(action.parent, action.do, span);
  if (!parent || !child) return;
  child.origin = changedBy(child.origin, span);
  const id = idOfDraft(parent);
  child.inherits = child.inherits.filter((i) => i !== id);
  delete child.detached;
  if (action.do === 'inherit') child.inherits.push(id);
  else child.detached = { from: parent, span };
}

/**
 * Everything that depends on a table goes with it: references of other tables, policies and views that read it, partitions. Without
 * CASCADE Postgres would refuse to drop a table that something depends on, so in a history that ran it makes no difference.
 */
export function dropTable(world: World, id: TableId, span: Span): void {
  const table = world.tables.get(id);
  if (!table) return;
  const children = childrenOf(world, id);
  world.tables.delete(id);
  world.history.holders.push({ id, before: table, dropped: true, span });
  for (const { table: child, partition } of children) {
    if (partition) dropTable(world, idOfDraft(child), span);
    else child.inherits = child.inherits.filter((i) => i !== id);
  }
  for (const other of world.tables.values()) {
    const constraints = other.constraints.filter((c) => c.kind !== 'foreign key' || referencedId(c) !== id);
    const policies = other.policies.filter((p) => !readsTable([p.using, p.check], id));
    const gone = other.policies.find((p) => !policies.includes(p));
    if (gone) losePolicies(world, other, gone.name, span, true);
    if (constraints.length === other.constraints.length && policies.length === other.policies.length) continue;
    other.constraints = constraints;
    other.policies = policies;
    other.origin = changedBy(other.origin, span);
  }
  dropViewsThat(world, (query) => readsTable([query], id));
}

/** The id a foreign key refers to, where its name is qualified (as in every folded schema). */
export const referencedId = (
  constraint: Extract<ConstraintDefinition, { kind: 'foreign key' }>,
): TableId | undefined =>
  constraint.references.by === 'sql'
    ? idOf(constraint.references.schema ?? 'public', constraint.references.name)
    : undefined;

/** RENAME TO and SET SCHEMA: references, policies and views follow, since Postgres keeps them by identity, not by name. */
export function moveTable(world: World, id: TableId, to: { schema: string; name: string }, span: Span): void {
  const table = world.tables.get(id);
  const target = idOf(to.schema, to.name);
  if (!table || id === target) return;
  world.tables.delete(id);
  world.history.holders.push({ id, before: table, dropped: false, span });
  // The order of creation is kept, so that reports stay stable under renames.
  table.schema = to.schema;
  table.name = to.name;
  table.origin = changedBy(table.origin, span);
  world.tables.set(target, table);
  world.known.add(target);
  for (const other of world.tables.values()) {
    if (other.partitionOf === id) other.partitionOf = target;
    other.inherits = other.inherits.map((i) => (i === id ? target : i));
    other.constraints = other.constraints.map((c) =>
      c.kind === 'foreign key' && referencedId(c) === id
        ? { ...c, references: { by: 'sql', ...to } }
        : c.kind === 'check'
          ? renameTable(c, id, to)
          : c,
    );
    other.policies = other.policies.map((p) => renameTable(p, id, to));
  }
  for (const [view, definition] of world.views) {
    const renamed = renameTable(definition, id, to);
    if (renamed !== definition) world.views.set(view, renamed);
  }
}

/** For messages about things that are not there. */
export const columnOf = (table: TableDraft, column: string): string => `${shown(table)}.${column}`;
