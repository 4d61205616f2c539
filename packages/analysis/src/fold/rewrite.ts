import type { Known, Span, TableId, TableName, TargetRef, Value } from '@tenant-lint/model';
import { idOf } from './names.js';

/**
 * Conditions and queries as data: what tables and columns they name, and the same with other names. Facts are plain JSON, so one walk over
 * objects serves predicates, values and accesses alike.
 */

interface TargetLike {
  readonly ref: TargetRef;
  readonly table: Known<TableName>;
  readonly role: string;
}
type ColumnValue = Extract<Value, { kind: 'column' }>;

const isTarget = (node: object): node is TargetLike => 'ref' in node && 'table' in node && 'role' in node;
const isColumn = (node: object): node is ColumnValue =>
  'kind' in node && node.kind === 'column' && 'column' in node && typeof node.column === 'string';

/** Rewrites every object bottom-up; unchanged parts are not copied. */
function rewrite<T>(node: T, f: (object: object) => object): T {
  if (Array.isArray(node)) {
    let changed = false;
    const items = node.map((item: unknown) => {
      const next = rewrite(item, f);
      changed ||= next !== item;
      return next;
    });
    return changed ? (items as T) : node;
  }
  if (typeof node !== 'object' || node === null) return node;
  let copy: Record<string, unknown> | undefined;
  for (const [key, value] of Object.entries(node)) {
    if (typeof value !== 'object' || value === null || key === 'span') continue;
    const next = rewrite<unknown>(value, f);
    if (next === value) continue;
    copy ??= { ...(node as Record<string, unknown>) };
    copy[key] = next;
  }
  return f(copy ?? node) as T;
}

function visit(node: object, f: (object: object) => void): void {
  if (!Array.isArray(node)) f(node);
  for (const key in node) {
    const value: unknown = (node as Record<string, unknown>)[key];
    if (typeof value === 'object' && value !== null && key !== 'span') visit(value, f);
  }
}

/** What a table name means at one point of a history. */
export interface Lookup {
  /** The qualified name of an existing table or view, else undefined. */
  readonly qualify: (name: TableName) => { schema: string; name: string } | undefined;
  /** The columns of a table, if all of them are known. */
  readonly columns: (id: TableId) => ReadonlySet<string> | undefined;
}

type Targets = ReadonlyMap<TargetRef, TableId | undefined>;

/** Facts never change in place, so what they name is found once. */
const remembered = new WeakMap<object, Targets>();

/** The table each target of `root` names; `self` is the table that `root` belongs to. */
function targetsOf(root: object, self: TableId | undefined): Targets {
  let targets = remembered.get(root);
  if (!targets) {
    const found = new Map<TargetRef, TableId | undefined>();
    visit(root, (node) => {
      if (!isTarget(node)) return;
      const name = node.table.known ? node.table.value : undefined;
      found.set(node.ref, name?.by === 'sql' && name.schema !== undefined ? idOf(name.schema, name.name) : undefined);
    });
    targets = found;
    remembered.set(root, targets);
  }
  return self === undefined ? targets : new Map([...targets, ['self', self]]);
}

const names = (targets: Targets, id: TableId): boolean => {
  for (const target of targets.values()) if (target === id) return true;
  return false;
};

/** An unqualified name that a target of a sub-query took although the table it stands in has a column of that name as well. */
export interface Captured {
  readonly column: string;
  readonly by: TableId;
  readonly span?: Span;
}

/**
 * Ties names to the tables and columns that exist now. Postgres does so when it stores a policy, a CHECK or a view: what is added or
 * renamed later does not change what they mean. Names that nothing known explains stay as they are.
 */
export function bindNames<T extends object>(
  root: T,
  self: TableId | undefined,
  lookup: Lookup,
  captured: Captured[] = [],
): T {
  const qualified = rewrite(root, (node) => {
    if (!isTarget(node) || !node.table.known || node.table.value.by !== 'sql') return node;
    const found = lookup.qualify(node.table.value);
    return found ? { ...node, table: { known: true, value: { by: 'sql', ...found } } } : node;
  });
  const targets = targetsOf(qualified, self);
  return rewrite(qualified, (node) => {
    if (!isColumn(node) || node.target !== undefined || !node.candidates) return node;
    for (const scope of node.candidates) {
      const owners: TargetRef[] = [];
      for (const ref of scope) {
        const id = targets.get(ref);
        const columns = id === undefined ? undefined : lookup.columns(id);
        if (!columns) return node;
        if (columns.has(node.column)) owners.push(ref);
      }
      if (owners.length > 1) return node;
      if (owners[0] !== undefined) {
        const by = targets.get(owners[0]);
        if (by !== undefined && owners[0] !== 'self' && self !== undefined && lookup.columns(self)?.has(node.column))
          note(captured, { column: node.column, by, ...(node.span ? { span: node.span } : {}) });
        return { kind: 'column', target: owners[0], column: node.column, ...(node.span ? { span: node.span } : {}) };
      }
    }
    return node.otherwise ?? node;
  });
}

/** A condition stands in the tree once for its target and once for its query; a name in it is one name. */
function note(captured: Captured[], name: Captured): void {
  const same = (c: Captured): boolean =>
    c.column === name.column &&
    c.by === name.by &&
    c.span?.file === name.span?.file &&
    c.span?.start === name.span?.start;
  if (!captured.some(same)) captured.push(name);
}

/** Whether one of `parts` reads that column of table `id`, as far as they name it beyond doubt. */
export const readsColumn = (
  parts: readonly (object | undefined)[],
  id: TableId,
  self: TableId | undefined,
  column: string,
): boolean => parts.some((part) => part !== undefined && columnsRead(part, id, self).has(column));

/** The columns of table `id` that `root` reads, where it names them beyond doubt. */
export function columnsRead(root: object, id: TableId, self: TableId | undefined): ReadonlySet<string> {
  const targets = targetsOf(root, self);
  const read = new Set<string>();
  if (!names(targets, id)) return read;
  visit(root, (node) => {
    if (isColumn(node) && node.target !== undefined && targets.get(node.target) === id) read.add(node.column);
  });
  return read;
}

/** Whether one of `parts` reads table `id` in a sub-query. */
export const readsTable = (parts: readonly (object | undefined)[], id: TableId): boolean =>
  parts.some((part) => part !== undefined && names(targetsOf(part, undefined), id));

/** The same after `ALTER TABLE id RENAME COLUMN from TO to`. */
export function renameColumn<T extends object>(
  root: T,
  id: TableId,
  self: TableId | undefined,
  from: string,
  to: string,
): T {
  const targets = targetsOf(root, self);
  if (!names(targets, id)) return root;
  return rewrite(root, (node) => {
    if (isColumn(node))
      return node.target !== undefined && targets.get(node.target) === id && node.column === from
        ? { ...node, column: to }
        : node;
    if (isTarget(node) && targets.get(node.ref) === id && 'columns' in node && Array.isArray(node.columns))
      return { ...node, columns: node.columns.map((c: unknown) => (c === from ? to : c)) };
    return node;
  });
}

/** The same after table `id` got another name. */
export function renameTable<T extends object>(root: T, id: TableId, to: { schema: string; name: string }): T {
  if (!names(targetsOf(root, undefined), id)) return root;
  return rewrite(root, (node) => {
    if (!isTarget(node) || !node.table.known || node.table.value.by !== 'sql') return node;
    const { schema, name } = node.table.value;
    return schema !== undefined && idOf(schema, name) === id
      ? { ...node, table: { known: true, value: { by: 'sql', ...to } } }
      : node;
  });
}
