import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Confidence, Table, Value } from '@tenant-lint/model';
import { isGenerated, isIssued, wordsOf } from '../../lib/issued.js';
import { tableName } from '../../lib/naming.js';
import { placeInTable, type Defined } from '../../lib/place.js';
import { references, tenantKeys } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'require-tenant-in-unique',
    group: 'schema',
    summary: 'Require the tenant column in unique constraints over values that tenants choose',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['K07', 'K08', 'K09', 'K10'],
    messages: {
      global: {
        what: '{what} of {table} over {columns} does not contain {key}.',
        why: 'A value that one tenant uses is refused to all others, which also tells them that it exists.',
        fix: 'Make it unique over {key}, {columns}.',
      },
      globalUnderRls: {
        severity: 'error',
        what: '{what} of {table} over {columns} does not contain {key}.',
        why: 'Uniqueness is checked against rows that row security hides, so a refused insert shows that another tenant has the value.',
        fix: 'Make it unique over {key}, {columns}.',
      },
      exclusion: {
        what: 'The exclusion constraint of {table} over {columns} does not compare {key}.',
        why: "A row of one tenant is refused because of another tenant's, which also tells that it exists.",
        fix: 'Add {key} WITH = to the constraint.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    const keys = tenantKeys(model, table).map((key) => key.column);
    const [key] = keys;
    if (key === undefined) return;
    const seen = new Set<string>();
    for (const unique of uniquesOf(table)) {
      if (unique.columns.some((column) => keys.includes(column))) continue;
      const shape = [unique.partly ?? '', ...[...unique.columns].sort()].join(',');
      if (seen.has(shape)) continue;
      seen.add(shape);
      const confidence = confidenceOf(model, table, unique);
      if (confidence === undefined) continue;
      const underRls = model.databaseIsolates(table);
      yield {
        message: unique.kind === 'exclude' ? 'exclusion' : underRls ? 'globalUnderRls' : 'global',
        data: {
          what: unique.kind === 'primary key' ? 'The primary key' : 'Uniqueness',
          table: tableName(table.id),
          columns: unique.columns.join(', '),
          key,
        },
        ...placeInTable(unique.defined, table),
        confidence,
        table: table.id,
        key: `${table.id} ${unique.kind} ${unique.columns.join(',')} ${unique.partly ?? ''}`,
        cause: `unique ${table.id} ${[...unique.columns].sort().join()}`,
      };
    }
  },
});

interface Unique {
  readonly kind: 'primary key' | 'unique' | 'exclude';
  /** Columns, those inside expressions included. */
  readonly columns: readonly string[];
  /** Name of an index over expressions or some rows only; two of them are not the same. */
  readonly partly?: string;
  readonly defined: Defined;
}

/** Whatever refuses a row because of another one. The condition of a partial index is no part of its key. */
function uniquesOf(table: Table): Unique[] {
  const constraints = table.constraints.flatMap((c): Unique[] => {
    if (c.kind === 'primary key' || c.kind === 'unique') return [{ kind: c.kind, columns: c.columns, defined: c }];
    if (c.kind !== 'exclude') return [];
    // Only equality of the key separates tenants; any other operator on it leaves the constraint global.
    const columns = c.elements.flatMap((e) => (e.column === undefined ? [] : [e]));
    return [
      {
        kind: 'exclude',
        columns: columns.map((e) => (e.operator === '=' ? (e.column ?? '') : `${e.column ?? ''} ${e.operator}`)),
        defined: c,
      },
    ];
  });
  const indexes = table.indexes
    .filter((index) => index.unique)
    .map((index): Unique => ({
      kind: 'unique',
      columns: index.keys.flatMap((k) => (k.column === undefined ? columnsIn(k.expression) : [k.column])),
      ...(index.predicate || index.keys.some((k) => k.column === undefined) ? { partly: index.name ?? 'unnamed' } : {}),
      defined: index,
    }));
  return [...constraints, ...indexes];
}

const columnsIn = (value: Value | undefined): string[] => {
  if (value === undefined) return [];
  if (value.kind === 'column') return [value.column];
  return value.kind === 'apply' ? value.to.flatMap(columnsIn) : [];
};

/** How sure it is that the values are chosen by tenants; undefined where they are not. */
function confidenceOf(model: Model, table: Table, unique: Unique): Confidence | undefined {
  if (unique.columns.length === 0) return undefined;
  if (unique.kind === 'exclude') return 'certain';
  if (unique.kind === 'unique') {
    return unique.columns.some((column) => isIssued(model, table, column)) ? undefined : 'certain';
  }
  // A primary key: generated ones and the table's own `id` are surrogates, whoever makes them up.
  const columns = unique.columns.map((name) => table.columns.get(name));
  if (columns.some((c) => c === undefined || c.type.startsWith('uuid') || isGenerated(c))) return undefined;
  const references_ = references(model, table);
  if (unique.columns.some((name) => references_.some(({ constraint }) => constraint.columns.includes(name))))
    return undefined;
  if (unique.columns.some((name) => isOwnId(table, name))) return undefined;
  return unique.columns.some((column) => isIssued(model, table, column)) ? 'possible' : 'likely';
}

/** `id`, or `order_id` of orders. */
function isOwnId(table: Table, name: string): boolean {
  const words = wordsOf(name);
  if (words.join('') === 'id') return true;
  if (!['id', 'uid', 'uuid'].includes(words.at(-1) ?? '')) return false;
  const owner = words.slice(0, -1).join('');
  const own = wordsOf(table.name.name).join('');
  return own.startsWith(owner) || own.endsWith(`${owner}s`);
}
