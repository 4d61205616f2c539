import type { Tenancy } from '@tenant-lint/model';
import { sqlName, type CatalogColumn, type Relation } from '../catalog.js';
import type { Row, Rows } from '../fill/fill.js';
import type { Side } from '../fill/values.js';
import { literal, quoteName } from '../session/session.js';

/** A table whose rows belong to tenants, with a row of each. */
export interface Owned {
  readonly relation: Relation;
  readonly tenancy: Tenancy;
  /** The columns that say whose a row is: its keys, the reference to its parent, or the key of the table of tenants. */
  readonly columns: readonly string[];
  readonly A: Row;
  readonly B: Row;
  /** Statements that remove the rows of other tables whose references would keep B's row. */
  readonly keptBy?: readonly string[];
}

/** The owned table, or why its rows cannot be told apart. */
export function ownedOf(
  relation: Relation,
  tenancy: Tenancy,
  rows: Rows | undefined,
  unfilled: string | undefined,
): Owned | string {
  if (tenancy.kind === 'shared') return `all tenants share it: ${tenancy.why}`;
  if (tenancy.kind === 'unknown') return `whose its rows are is unknown: ${tenancy.why}`;
  const columns =
    tenancy.kind === 'keyed'
      ? tenancy.keys.map((k) => k.column)
      : tenancy.kind === 'root'
        ? [tenancy.key]
        : (tenancy.through[0]?.columns ?? []);
  if (rows?.A === undefined || rows.B === undefined)
    return `no row could be made: ${unfilled ?? 'the table was not filled'}`;
  const { A, B } = rows;
  const present = columns.filter((c) => typeof A[c] === 'string' && typeof B[c] === 'string' && A[c] !== B[c]);
  if (present.length === 0) return `the rows of the two tenants do not differ in ${columns.join(', ') || 'any key'}`;
  return { relation, tenancy, columns: present, A, B };
}

/** The condition that holds for the rows of a side. */
export const isOf = (owned: Owned, side: Side): string =>
  owned.columns.map((c) => `${quoteName(c)} = ${literal(owned[side][c] ?? null)}`).join(' and ');

/** Turns triggers and the checks of references off and on again; only the owner of the server may. */
export const quietly = (statements: readonly string[]): readonly string[] =>
  statements.length === 0
    ? []
    : ['set local session_replication_role = replica', ...statements, 'set local session_replication_role = origin'];

/** Which rows B has, as a text that changes with each of them. */
const stateOf = (owned: Owned): string =>
  `(select coalesce(string_agg(t.tableoid::text || t.ctid::text, ',' order by t.tableoid, t.ctid), '') from ${sqlName(owned.relation)} t where ${isOf(owned, 'B')})`;

const statesOf = (tables: readonly Owned[]): string => tables.map(stateOf).join(" || '|' || ");

/** Notes which rows B has in some tables ... */
export const note = (tables: readonly Owned[]): string =>
  `select set_config('tenant_lint.mark', ${statesOf(tables)}, true)`;

/** ... and gives a row if they are others now. */
export const changed = (tables: readonly Owned[]): string =>
  `select 1 where current_setting('tenant_lint.mark') is distinct from (${statesOf(tables)})`;

/** A column that an UPDATE can set to itself without changing what the row means. */
export function idleColumn(relation: Relation, may: (column: CatalogColumn) => boolean): CatalogColumn | undefined {
  const keys = new Set(relation.constraints.filter((c) => c.kind !== 'check').flatMap((c) => c.columns));
  const usable = relation.columns.filter((c) => !c.generated && !c.identity && may(c));
  return usable.find((c) => !keys.has(c.number)) ?? usable[0];
}

/** Texts that only rows of B hold, longest first: they show where B's data comes out. */
export function markersOf(tables: readonly Owned[]): readonly string[] {
  const ofA = new Set(tables.flatMap((t) => Object.values(t.A)));
  const found = new Set<string>();
  for (const table of tables)
    for (const value of Object.values(table.B))
      if (value !== null && value.length >= 4 && !ofA.has(value) && !/^\d{4}-\d\d|^\\x/.test(value)) found.add(value);
  return [...found].sort((a, b) => b.length - a.length || (a < b ? -1 : 1));
}

/** Whether a text holds one of the markers, as SQL. */
export const holdsMarker = (text: string, markers: readonly string[]): string =>
  `${text} ~ ${literal(`(${markers.map((m) => m.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)).join('|')})`)}`;
