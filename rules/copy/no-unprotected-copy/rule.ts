import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Related, Span, Table, TableId } from '@tenant-lint/model';
import { tableName } from '../../lib/naming.js';
import { mergesOf } from './lib/staging.js';

export default defineRule({
  meta: {
    id: 'no-unprotected-copy',
    group: 'copy',
    summary: 'Disallow copies of protected tables that have no row security of their own',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['sql'],
    needs: ['migrations'],
    catalogue: ['I04', 'I05', 'I06', 'I07', 'I08'],
    messages: {
      like: {
        what: '{table} is made like {source}, without its row security and its policies.',
        why: 'LIKE copies neither, so every row of {table} is open to every role that may read it.',
        fix: 'Run ALTER TABLE {table} ENABLE ROW LEVEL SECURITY and create the policies of {source} for it, or drop {table} in the same migration.',
      },
      query: {
        what: '{table} stores rows of {source}, without its row security and its policies.',
        why: 'Every role that may read {table} reads the rows of all tenants that were copied.',
        fix: 'Run ALTER TABLE {table} ENABLE ROW LEVEL SECURITY and create the policies of {source} for it, or drop {table} in the same migration.',
      },
      twin: {
        what: '{table} has all columns of {source}, but neither its row security nor its policies.',
        why: 'Rows that move to {table} are open to every role that may read it.',
        fix: 'Run ALTER TABLE {table} ENABLE ROW LEVEL SECURITY and create the policies of {source} for it.',
      },
      swapped: {
        what: 'Another table takes the name {table} here, and it has no row security.',
        why: 'Row security, policies and privileges stay with the table that had the name before.',
        fix: 'Enable row security on the new table and create its policies before it is renamed.',
      },
      staged: {
        severity: 'info',
        what: '{staging} takes rows of {source} of all tenants, and is merged into {table} without its key.',
        why: 'Rows of several tenants meet in it, and nothing holds them apart on their way back.',
        fix: 'Fill {staging} for one tenant at a time, or compare {key} where it is merged.',
      },
    },
  },
  subject: 'project',
  *check(model) {
    for (const table of model.schema.tables.values()) {
      const found = isBare(table) ? copyOf(model, table) : undefined;
      if (!found) continue;
      yield {
        message: found.message,
        data: { table: tableName(table.id), source: tableName(found.source) },
        span: found.span,
        related: found.related,
        confidence: found.message === 'twin' ? 'likely' : 'certain',
        table: table.id,
        key: table.id,
        cause: `row security ${table.id}`,
      };
    }
    for (const { staging, source, table, key, span } of mergesOf(model)) {
      yield {
        message: 'staged',
        data: { staging, source: tableName(source), table: tableName(table), key },
        span,
        confidence: 'likely',
        table,
        key: `${table} ${staging}`,
      };
    }
  },
});

/** Partitions and children are a matter of their parents. */
const isBare = (table: Table): boolean =>
  !table.rowSecurity.enabled && table.partitionOf === undefined && table.inherits.length === 0 && !table.detached;

interface Copy {
  readonly message: 'like' | 'query' | 'twin' | 'swapped';
  readonly source: TableId;
  readonly span: Span;
  readonly related: readonly Related[];
}

function copyOf(model: Model, table: Table): Copy | undefined {
  const swap = model.schema.history?.find(
    (loss) => loss.kind === 'row security' && loss.table === table.id && loss.by === 'swapped',
  );
  if (swap) {
    const related = [{ span: swap.established, text: 'the table of that name had row security here' }];
    return { message: 'swapped', source: table.id, span: swap.removed, related };
  }
  for (const { table: id, by } of table.copyOf ?? []) {
    const source = model.schema.tables.get(id);
    // What only aggregates shows no row.
    if (source && isProtected(model, source) && (by === 'like' || table.columns.size > 0))
      return { message: by, source: id, span: table.origin.created, related: enabledAt(source) };
  }
  const twin = twinOf(model, table);
  return twin && { message: 'twin', source: twin.id, span: table.origin.created, related: enabledAt(twin) };
}

function isProtected(model: Model, table: Table): boolean {
  const { kind } = model.tenancyOf(table.id);
  return table.rowSecurity.enabled && kind !== 'shared' && kind !== 'unknown';
}

const enabledAt = (table: Table): Related[] => {
  const { origin } = table.rowSecurity;
  return origin ? [{ span: origin.created, text: `row security of ${tableName(table.id)} is enabled here` }] : [];
};

/** A protected table with the same columns whose name is the beginning of this one's: orders for orders_bak and orders_2024. */
function twinOf(model: Model, table: Table): Table | undefined {
  for (const other of model.schema.tables.values()) {
    const { name } = other.name;
    if (other === table || !table.name.name.includes(name) || table.name.name === name) continue;
    if (other.columns.size < 2 || ![...other.columns.keys()].every((column) => table.columns.has(column))) continue;
    if (isProtected(model, other)) return other;
  }
  return undefined;
}
