import { primaryKey, type Model } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Table, TableId, TenantKey } from '@tenant-lint/model';
import { tableName } from '../../lib/naming.js';
import { definitionOf, placeInTable } from '../../lib/place.js';
import { references, tenantKeys } from '../../lib/schema.js';

export default defineRule({
  meta: {
    id: 'require-tenant-reference',
    group: 'schema',
    summary: 'Require that the tenant column refers to the table of tenants and has its type',
    since: 'next',
    severity: 'warning',
    recommended: true,
    hosts: ['typescript', 'sql'],
    needs: ['schema'],
    catalogue: ['T06', 'T07'],
    messages: {
      missing: {
        what: '{table}.{column} does not refer to {root}.',
        why: 'Rows can belong to a tenant that does not exist, and stay when their tenant is deleted.',
        fix: 'Add FOREIGN KEY ({column}) REFERENCES {root} ({key}).',
      },
      none: {
        what: '{count} of the {all} tables that belong to {root} do not refer to it: {tables}.',
        why: 'Rows can belong to a tenant that does not exist, and stay when their tenant is deleted.',
        fix: 'Add a foreign key over the tenant column of each to {root} ({key}).',
      },
      type: {
        what: '{table}.{column} is {type}, and {other} is {otherType}.',
        why: 'Every comparison of the two needs a cast, which keeps an index from being used and a foreign key from being declared.',
        fix: 'Make {column} {otherType}.',
      },
    },
  },
  subject: 'table',
  *check(table, model) {
    yield* unreferenced(table, model);
    if (table.partitionOf !== undefined || table.inherits.length > 0) return;
    for (const key of tenantKeys(model, table)) {
      const column = table.columns.get(key.column);
      const root = key.root === undefined ? undefined : model.schema.tables.get(key.root);
      const rootKey = root && root.columns.get(primaryKey(root)[0] ?? '');
      const other =
        rootKey && root ? { name: `${tableName(root.id)}.${rootKey.name}`, column: rootKey } : usual(model, key);
      if (column === undefined || other === undefined) continue;
      if (family(column.type) === undefined || family(other.column.type) === undefined) continue;
      if (family(column.type) === family(other.column.type)) continue;
      const place = placeInTable(column, table);
      yield {
        message: 'type',
        data: {
          table: tableName(table.id),
          column: column.name,
          type: column.type,
          other: other.name,
          otherType: other.column.type,
        },
        ...place,
        related: [...place.related, { span: definitionOf(other.column), text: `${other.name} is declared here` }],
        confidence: 'certain',
        table: table.id,
        key: `${table.id}.${column.name} type`,
      };
    }
  },
});

/**
 * Tables of a root, and which of them no foreign key holds to it. Those of another schema count only where some of them refer to it: else
 * they may lie in another database.
 */
function tablesOf(model: Model, root: Table): TablesOfRoot {
  let known = ofRoots.get(model);
  if (!known) ofRoots.set(model, (known = new Map()));
  let found = known.get(root.id);
  if (!found) known.set(root.id, (found = tablesFor(model, root)));
  return found;
}

interface TablesOfRoot {
  readonly all: readonly Table[];
  readonly bare: readonly Table[];
}

const ofRoots = new WeakMap<Model, Map<TableId, TablesOfRoot>>();

function tablesFor(model: Model, root: Table): TablesOfRoot {
  const every = [...model.schema.tables.values()].filter(
    (table) =>
      table.partitionOf === undefined &&
      table.inherits.length === 0 &&
      table.complete &&
      tenantKeys(model, table).some((key) => key.root === root.id),
  );
  const isBare = (table: Table): boolean => !tenantKeys(model, table).some((key) => isReferring(table, key.column));
  // A composite key carries the tenant too, but from table to table within the other schema.
  const leadsHere = (table: Table): boolean =>
    references(model, table).some(({ to }) => to?.name.schema === root.name.schema);
  const schemas = new Set([root.name.schema, ...every.filter(leadsHere).map((t) => t.name.schema)]);
  const all = every.filter((table) => schemas.has(table.name.schema));
  return { all, bare: all.filter(isBare) };
}

const isReferring = (table: Table, column: string): boolean =>
  table.constraints.some((c) => c.kind === 'foreign key' && c.columns.includes(column));

/** Where most tables refer to the root, each that does not is an oversight; where most do not, it is one decision, and one finding. */
function* unreferenced(
  table: Table,
  model: Model,
): Iterable<{
  message: 'missing' | 'none';
  data: Record<string, string | number>;
  span: Table['origin']['created'];
  related: ReturnType<typeof placeInTable>['related'];
  confidence: 'certain';
  table: TableId;
  key: string;
}> {
  const id = model.tenancyOf(table.id).kind === 'root' ? table.id : undefined;
  const key = id === undefined ? firstKey(model, table) : undefined;
  const rootId = id ?? key?.root;
  const root = rootId === undefined ? undefined : model.schema.tables.get(rootId);
  if (root === undefined) return;
  const { all, bare } = tablesOf(model, root);
  const oneDecision = bare.length * 2 > all.length;
  const names = { root: tableName(root.id), key: primaryKey(root)[0] ?? 'id' };
  const common = { confidence: 'certain', table: table.id } as const;
  if (id !== undefined) {
    if (!oneDecision) return;
    const shown = bare.map((t) => tableName(t.id));
    yield {
      ...common,
      message: 'none',
      data: { ...names, count: bare.length, all: all.length, tables: listed(shown) },
      span: table.origin.created,
      related: bare
        .slice(0, 10)
        .map((t) => ({ span: t.origin.created, text: `${tableName(t.id)} does not refer to it` })),
      key: `${table.id} unreferenced`,
    };
    return;
  }
  const column = key && table.columns.get(key.column);
  if (oneDecision || column === undefined || !bare.includes(table)) return;
  yield {
    ...common,
    message: 'missing',
    data: { ...names, table: tableName(table.id), column: column.name },
    ...placeInTable(column, table),
    key: `${table.id}.${column.name}`,
  };
}

const firstKey = (model: Model, table: Table): TenantKey | undefined =>
  tenantKeys(model, table).find((key) => key.root !== undefined);

const listed = (names: readonly string[]): string =>
  names.length > 6 ? `${names.slice(0, 6).join(', ')} and ${names.length - 6} more` : names.join(', ');

/** Without a table of tenants: the column of the same name in the first table whose type most tables share. */
function usual(
  model: Model,
  key: TenantKey,
):
  | { readonly name: string; readonly column: Table['columns'] extends ReadonlyMap<string, infer C> ? C : never }
  | undefined {
  const found = [...model.schema.tables.values()].flatMap((table) => {
    const own = tenantKeys(model, table).find((k) => k.column === key.column && k.root === key.root);
    const column = own && table.columns.get(own.column);
    return column && family(column.type) !== undefined
      ? [{ name: `${tableName(table.id)}.${column.name}`, column }]
      : [];
  });
  const count = (type: string): number => found.filter((f) => family(f.column.type) === family(type)).length;
  const [first] = [...found].sort((a, b) => count(b.column.type) - count(a.column.type));
  // One against one says nothing about which of the two is right, but that they differ.
  return first;
}

/** Types between which Postgres compares without a cast; undefined for types of the project. */
function family(type: string): string | undefined {
  if (type.endsWith('[]')) return undefined;
  if (/^(?:text|character|char|varchar|bpchar|citext|string)/.test(type)) return 'text';
  if (/^(?:(?:small|big)?(?:int|serial)|integer)/.test(type)) return 'integer';
  return /^uuid/.test(type) ? 'uuid' : undefined;
}
