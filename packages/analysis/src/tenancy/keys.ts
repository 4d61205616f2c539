import type { Table, TableId, TenantKey } from '@tenant-lint/model';
import { primaryKey } from '../fold/index.js';
import type { Graph } from './graph.js';
import { headOf, isIdentifier, isTenantStem, namesTable, singular, stemOf, tableWords, wordsOf } from './words.js';

/** What tenants, or parts of tenants, are kept in: a table, or only a column name that many tables share. */
export interface Container {
  readonly id?: TableId;
  /** What its key columns are called: `organization`, without `_id`. */
  readonly stems: ReadonlySet<string>;
  /** Only columns called so are keys: the configuration names them. */
  readonly exact?: true;
}

/** The names by which tables call a container: its own, and what most of its references use. */
export function containerOf(graph: Graph, id: TableId): Container {
  const stems = new Set<string>();
  for (const words of graph.words(id)) stems.add(words.join(' '));
  const incoming = graph.in(id).filter((e) => e.columns.length === 1 && e.stated !== 'name' && e.from !== id);
  const counts = new Map<string, number>();
  for (const edge of incoming) {
    const stem = stemOf(edge.columns[0] ?? '');
    if (stem !== undefined && edge.notNull) counts.set(stem, (counts.get(stem) ?? 0) + 1);
  }
  for (const [stem, count] of counts) if (count >= 2 && count * 4 >= incoming.length) stems.add(stem);
  return { id, stems };
}

/** How well a column name fits a container: its own name, the end of its name (`environment` of runtime_environment), or not at all. */
function fits(column: string, container: Container): boolean {
  const stem = stemOf(column);
  if (stem === undefined) return false;
  if (container.stems.has(stem)) return true;
  return (
    container.id !== undefined && [...container.stems].some((s) => s.includes(' ') && namesTable(stem, tableWords(s)))
  );
}

/**
 * The columns of a table that say which container its row belongs to. A reference under another name counts only where no column has the
 * proper one, and only if it is NOT NULL (or ties a user): `default_workspace_id` and `parent_organization_id` say something else.
 */
export function keysIn(graph: Graph, table: Table, container: Container): readonly TenantKey[] {
  const own = primaryKey(table);
  const referring = graph
    .out(table.id)
    .filter((e) => e.to === container.id && e.columns.length === 1 && e.from !== e.to)
    .map((e) => e.columns[0] ?? '');
  const fitting = [...table.columns.keys()].filter(
    (c) => fits(c, container) && isKeyType(table, c) && !(own.length === 1 && own[0] === c && stemIsOwn(table, c)),
  );
  const elsewhere = (column: string): boolean =>
    graph
      .out(table.id)
      .some((e) => e.stated !== 'name' && e.to !== container.id && e.columns.length === 1 && e.columns[0] === column);
  const proper = fitting.filter((c) => referring.includes(c) || !elsewhere(c));
  const stated = proper.filter((c) => referring.includes(c));
  const named = identifiersOf(table, proper, container);
  // Of users a single reference without a qualifier is meant, too: whoever signs up joins a tenant later.
  const joins = (c: string): boolean =>
    graph.users.has(table.id) && referring.length === 1 && stemOf(c)?.includes(' ') === false;
  const other = container.exact ? [] : referring.filter((c) => notNull(table, c) || joins(c));
  const columns = stated.length > 0 ? stated : named.length > 0 ? named : other;
  return [...new Set(columns)].map((column) => ({
    column,
    ...(container.id === undefined ? {} : { root: container.id }),
    nullable: !notNull(table, column),
  }));
}

/**
 * Without a reference, the name alone speaks: `project_id` before `project_ref`, and a bare `tenant` only where it can hold an identifier
 * and means what the tenants are; a bare `environment` is a label, and `orgs bigint` counts them.
 */
function identifiersOf(table: Table, columns: readonly string[], container: Container): readonly string[] {
  const identifiers = columns.filter(isIdentifier);
  if (identifiers.length > 0) return identifiers;
  return columns.filter(
    (c) =>
      container.exact === true ||
      table.columns.get(c)?.type === 'uuid' ||
      (!isCount(table, c) && [...container.stems].some((s) => isTenantStem(s) && stemOf(c) === s)),
  );
}

/** A number that is called by a plural: how many there are. */
const isCount = (table: Table, column: string): boolean => {
  const word = headOf(wordsOf(column));
  return singular(word) !== word && /^(?:int|bigint|smallint)/.test(table.columns.get(column)?.type ?? '');
};

const notNull = (table: Table, column: string): boolean => table.columns.get(column)?.notNull ?? false;

/** A key is an identifier: not a flag, a time, a document or a list. */
function isKeyType(table: Table, column: string): boolean {
  const type = table.columns.get(column)?.type ?? '';
  return !/^(?:bool|time|date|json|numeric|decimal|real|double|float|bytea|interval)|\[\]$/.test(type);
}

/** `tenant_id` as the primary key of `tenants` itself is no reference. */
const stemIsOwn = (table: Table, column: string): boolean => {
  const stem = stemOf(column);
  return stem !== undefined && namesTable(stem, tableWords(table.name.name));
};
