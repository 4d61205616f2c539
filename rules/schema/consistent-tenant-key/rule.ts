import { stemOf, type Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Column, Table } from '@tenant-lint/model';
import { tableName } from '../../lib/naming.js';
import { definitionOf, placeInTable } from '../../lib/place.js';
import { references, tenantKeys } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'consistent-tenant-key',
    group: 'schema',
    summary: 'Require one spelling of the tenant column, and that shared tables have none',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['T08', 'T12'],
    messages: {
      spelling: {
        what: '{table} calls its tenant {column}; {count} other tables call it {usual}.',
        why: 'Code, policies and tools that look for {usual} pass this table by.',
        fix: 'Rename {column} to {usual}, or name both in tenancy.keys.',
      },
      misspelt: {
        what: '{table}.{column} looks like {usual} in another spelling, and {table} has no tenant column.',
        why: 'If it holds the tenant, no condition, policy or tool treats the rows as belonging to one.',
        fix: 'Rename {column} to {usual}, or name it in tenancy.keys.',
      },
      shared: {
        what: '{table} is declared shared, and its {column} says which tenant a row belongs to.',
        why: 'Accesses to a shared table are not checked, so its rows are not kept apart.',
        fix: 'Take {table} out of tenancy.shared, or give the reason why its rows are for everybody there.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    if (table.partitionOf !== undefined || table.inherits.length > 0) return;
    const found = spelledOtherwise(model, table) ?? misspelt(model, table) ?? sharedWithKey(model, table);
    if (found === undefined) return;
    const { message, column, usual, count, at } = found;
    const place = placeInTable(column, table);
    yield {
      message,
      data: { table: tableName(table.id), column: column.name, usual: usual ?? '', count: count ?? 0 },
      ...place,
      ...(at ? { related: [...place.related, { span: definitionOf(at), text: `${at.name} elsewhere` }] } : {}),
      confidence: message === 'misspelt' ? 'likely' : 'certain',
      table: table.id,
      key: `${table.id}.${column.name}`,
    };
  },
});

interface Found {
  readonly message: 'spelling' | 'misspelt' | 'shared';
  readonly column: Column;
  readonly usual?: string;
  readonly count?: number;
  readonly at?: Column;
}

/** `tenantId` and `tenant_id` are one name: schema languages and SQL write it differently. */
const plain = (name: string): string => name.replace(/[_-]/g, '').toLowerCase();

/** Code names a column by its property, where a schema language gives it one. */
const inCode = (column: Column): string => plain(column.property ?? column.name);

/** A key that means the same as that of most tables of its root (`org_id`, `organization_id`) under another name. */
function spelledOtherwise(model: Model, table: Table): Found | undefined {
  for (const key of tenantKeys(model, table)) {
    const column = table.columns.get(key.column);
    if (column === undefined) continue;
    const same = keyColumnsOf(model).get(kindOf(key.root, key.column)) ?? [];
    const counts = new Map<string, number>();
    for (const other of same) counts.set(inCode(other.column), (counts.get(inCode(other.column)) ?? 0) + 1);
    const [usual] = [...counts].sort((a, b) => b[1] - a[1]);
    if (usual === undefined || usual[0] === inCode(column)) continue;
    const at = same.find((other) => inCode(other.column) === usual[0])?.column;
    if (at && plain(at.name) === plain(column.name)) continue;
    if (at) return { message: 'spelling', column, usual: at.name, count: usual[1], at };
  }
  return undefined;
}

interface KeyColumn {
  readonly column: Column;
}

/** Columns of one kind lead to one root and are called alike. */
const kindOf = (root: string | undefined, name: string): string => `${root ?? ''} ${stemOf(name)}`;

const keyColumns = new WeakMap<Model, ReadonlyMap<string, readonly KeyColumn[]>>();

/** The keys of all tables, by kind. */
function keyColumnsOf(model: Model): ReadonlyMap<string, readonly KeyColumn[]> {
  const known = keyColumns.get(model);
  if (known) return known;
  const found = new Map<string, KeyColumn[]>();
  for (const table of model.schema.tables.values()) {
    if (table.partitionOf !== undefined || table.inherits.length > 0) continue;
    for (const key of tenantKeys(model, table)) {
      const column = table.columns.get(key.column);
      if (!column) continue;
      const kind = kindOf(key.root, column.name);
      const same = found.get(kind);
      if (same) same.push({ column });
      else found.set(kind, [{ column }]);
    }
  }
  keyColumns.set(model, found);
  return found;
}

/** A column of a table without a key that is a letter or two away from one. */
function misspelt(model: Model, table: Table): Found | undefined {
  const { kind } = model.tenancyOf(table.id);
  if (kind !== 'unknown' && kind !== 'child') return undefined;
  for (const column of table.columns.values()) {
    if (references(model, table).some(({ constraint }) => constraint.columns.includes(column.name))) continue;
    for (const usual of model.tenancy.keys) {
      if (isNear(plain(column.name), plain(usual))) return { message: 'misspelt', column, usual };
    }
  }
  return undefined;
}

/** One edit in a word of six letters or more, two in a longer one; the `id` at the end must be there in both. */
function isNear(a: string, b: string): boolean {
  const words = [a, b].map((name) => /^(.*?)(id|uuid)$/.exec(name));
  const [x, y] = words.map((match) => match?.[1]);
  if (x === undefined || y === undefined || x === y) return false;
  const allowed = y.length >= 10 ? 2 : y.length >= 6 ? 1 : 0;
  return Math.abs(x.length - y.length) <= allowed && edits(x, y) <= allowed;
}

/** Insertions, deletions, replacements and swaps of neighbours that make one word of the other. */
function edits(a: string, b: string): number {
  const rows: number[][] = Array.from({ length: a.length + 1 }, (_, i) => [i]);
  for (let j = 1; j <= b.length; j++) rows[0]![j] = j;
  for (let i = 1; i <= a.length; i++) {
    for (let j = 1; j <= b.length; j++) {
      const at = (r: number, c: number): number => rows[r]?.[c] ?? 0;
      const swapped =
        i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? at(i - 2, j - 2) + 1 : Infinity;
      rows[i]![j] = Math.min(
        at(i - 1, j) + 1,
        at(i, j - 1) + 1,
        at(i - 1, j - 1) + (a[i - 1] === b[j - 1] ? 0 : 1),
        swapped,
      );
    }
  }
  return rows[a.length]?.[b.length] ?? Infinity;
}

/** A table that the configuration declares shared without a reason, although it refers to the tenants or has their key. */
function sharedWithKey(model: Model, table: Table): Found | undefined {
  const tenancy = model.tenancyOf(table.id);
  if (tenancy.kind !== 'shared' || tenancy.why !== 'declared in the configuration') return undefined;
  const referring = references(model, table).find(
    ({ constraint, to }) =>
      to !== undefined && model.tenancyOf(to.id).kind === 'root' && constraint.columns.length === 1,
  );
  const name = referring?.constraint.columns[0];
  const column =
    (name === undefined ? undefined : table.columns.get(name)) ??
    [...table.columns.values()].find((c) => model.tenancy.keys.some((key) => plain(key) === plain(c.name)));
  return column && { message: 'shared', column };
}
