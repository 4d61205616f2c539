import type { Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Predicate, Span, Table, TableId } from '@tenant-lint/model';
import { tableName } from '../../lib/naming.js';
import { placeInTable } from '../../lib/place.js';
import { clausesOf } from '../../lib/conditions.js';
import { predicatesIn, tableNamed, tenantKeys } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'require-tenant-first-index',
    group: 'index',
    summary: 'Require an index that begins with the tenant column',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    options: {
      type: 'object',
      additionalProperties: false,
      properties: {
        ignoreBelowRows: {
          type: 'integer',
          minimum: 0,
          description:
            'Tables with fewer rows are left out, by the estimate of the database that --url names; without one, nothing is known of rows, and none is.',
        },
      },
    },
    catalogue: ['X01', 'X02', 'X07', 'X10', 'M09'],
    messages: {
      missing: {
        what: 'No index of {table} begins with {key}.',
        why: "Every query for one tenant reads all tenants' rows, so one large tenant slows down all others.",
        fix: 'Add an index on ({key}, ...) with the columns that are searched or sorted by.',
      },
      dropped: {
        what: 'This drops {index}, the only index of {table} that begins with {key}.',
        why: "From here on every query for one tenant reads all tenants' rows.",
        fix: 'Create another index on ({key}, ...) before dropping this one.',
      },
      secondary: {
        severity: 'info',
        what: 'The index of {table} over {columns} does not begin with {key}.',
        why: "A search for one tenant's rows walks through the entries of all tenants.",
        fix: 'Make it an index on ({key}, {columns}).',
      },
      membership: {
        what: 'Policies look up {table} by {columns}, and no index of it begins with any of these columns.',
        why: 'The look-up reads the whole table for every statement of every tenant.',
        fix: 'Add an index on ({columns}).',
      },
    },
  },
  subject: 'table',
  *check(table, model, options) {
    if (!table.complete) return;
    const { ignoreBelowRows } = options;
    if (typeof ignoreBelowRows === 'number' && table.rows !== undefined && table.rows < ignoreBelowRows) return;
    const keys = tenantKeys(model, table).map((key) => key.column);
    const common = { confidence: 'certain', table: table.id } as const;
    const [key] = keys;
    if (key !== undefined && !keys.some((column) => leads(table, column))) {
      const lost = droppedIndex(model, table, keys);
      const place = lost
        ? { span: lost.span, related: [{ span: lost.created, text: 'it was created here' }] }
        : { span: table.origin.created };
      yield {
        ...common,
        ...place,
        message: lost ? 'dropped' : 'missing',
        data: { table: tableName(table.id), key: keys.join(' or '), index: lost?.name ?? '' },
        key: table.id,
      };
    }
    if (key !== undefined) {
      for (const index of table.indexes) {
        const columns = index.keys.flatMap((k) => k.column ?? []);
        if (index.unique || columns.length < index.keys.length || keys.some((k) => columns.includes(k))) continue;
        // Whether it serves searches within a tenant hangs on the queries.
        yield {
          ...common,
          ...placeInTable(index, table),
          message: 'secondary',
          data: { table: tableName(table.id), columns: columns.join(', '), key },
          key: `${table.id} ${columns.join(',')}`,
        };
      }
    }
    const searched = columnsSearchedByPolicies(model, table.id);
    if (searched.length > 0 && !searched.some((column) => leads(table, column))) {
      yield {
        ...common,
        span: table.origin.created,
        message: 'membership',
        data: { table: tableName(table.id), columns: searched.join(', ') },
        key: `${table.id} membership`,
      };
    }
  },
});

/** Whether an index, a unique constraint or the primary key can find rows by this column: it is the first, in a method that compares. */
function leads(table: Table, column: string): boolean {
  return (
    table.indexes.some(
      (index) =>
        (index.method === 'btree' || index.method === 'hash' || index.method === '') &&
        index.keys[0]?.column === column,
    ) || table.constraints.some((c) => (c.kind === 'primary key' || c.kind === 'unique') && c.columns[0] === column)
  );
}

/** The last index that began with a key and that a migration dropped. */
function droppedIndex(
  model: Model,
  table: Table,
  keys: readonly string[],
): { readonly name: string; readonly span: Span; readonly created: Span } | undefined {
  const events = [...model.files.values()].flatMap((facts) => facts.schema.filter((event) => event.direction === 'up'));
  const created = new Map<string, Span>();
  for (const { action, span } of events) {
    if (action.do !== 'create index' || action.index.name === undefined) continue;
    if (tableNamed(model, { by: 'sql', ...action.table })?.id !== table.id) continue;
    if (keys.includes(action.index.keys[0]?.column ?? '')) created.set(action.index.name, span);
  }
  const drops = events.flatMap(({ action, span }) => {
    const from = action.do === 'drop index' ? created.get(action.index.name) : undefined;
    return action.do === 'drop index' && from ? [{ name: action.index.name, span, created: from }] : [];
  });
  return drops.at(-1);
}

const searched = new WeakMap<Model, ReadonlyMap<TableId, readonly string[]>>();

/** The columns by which sub-queries of other tables' policies pick rows of this table. */
function columnsSearchedByPolicies(model: Model, table: TableId): readonly string[] {
  let known = searched.get(model);
  if (!known) searched.set(model, (known = searchedColumns(model)));
  return known.get(table) ?? [];
}

function searchedColumns(model: Model): ReadonlyMap<TableId, readonly string[]> {
  const columns = new Map<TableId, Set<string>>();
  for (const table of model.schema.tables.values())
    for (const policy of table.policies)
      for (const clause of clausesOf(policy))
        for (const found of searchedIn(model, clause)) {
          if (found.table === table.id) continue;
          let of = columns.get(found.table);
          if (!of) columns.set(found.table, (of = new Set()));
          of.add(found.column);
        }
  return new Map([...columns].map(([table, names]) => [table, [...names].sort()]));
}

function* searchedIn(
  model: Model,
  predicate: Predicate,
): Iterable<{ readonly table: TableId; readonly column: string }> {
  for (const part of predicatesIn(predicate)) {
    if (part.kind !== 'exists' && part.kind !== 'in-query') continue;
    const tables = new Map(
      part.query.targets.flatMap((target) => {
        const table = target.table.known ? tableNamed(model, target.table.value) : undefined;
        return table ? [[target.ref, table.id] as const] : [];
      }),
    );
    for (const inner of predicatesIn(part.query.condition)) {
      if (inner.kind !== 'compare' || inner.operator !== '=') continue;
      for (const side of [inner.left, inner.right]) {
        if (side.kind !== 'column') continue;
        const ref = side.target ?? side.candidates?.[0]?.[0];
        const table = ref === undefined ? undefined : tables.get(ref);
        if (table !== undefined) yield { table, column: side.column };
      }
    }
  }
}
