import type { CreateStmt, CreateTableAsStmt, IndexElem, IndexStmt, Node, RangeVar } from '@pgsql/types';
import type {
  ColumnDefinition,
  ConstraintDefinition,
  IndexDefinition,
  ObjectName,
  SchemaAction,
} from '@tenant-lint/model';
import { columnOf } from './columns.js';
import { constraintOf } from './constraints.js';
import { elementSpan, innerQuery, rowCondition, rowValue, type Ddl } from './context.js';
import { objectName, optionsOf, strings } from './names.js';
import { printType } from './types.js';
import { viewShape } from './view-shape.js';

type CreateTable = Extract<SchemaAction, { do: 'create table' }>;

/** CREATE TABLE, and CREATE FOREIGN TABLE by its base. */
export function createTable(ddl: Ddl, node: CreateStmt, foreign = false): SchemaAction[] {
  const table = objectName(node.relation);
  const columns: ColumnDefinition[] = [];
  const constraints: ConstraintDefinition[] = [];
  const like: CreateTable['like'][number][] = [];
  for (const element of node.tableElts ?? []) {
    if ('ColumnDef' in element) {
      const read = columnOf(ddl, table, element.ColumnDef);
      columns.push(read.column);
      constraints.push(...read.constraints);
    } else if ('Constraint' in element) {
      const span = elementSpan(ddl, element.Constraint.location);
      const read = constraintOf(ddl, table, element.Constraint, span);
      if (read) constraints.push(read);
    } else if ('TableLikeClause' in element) {
      const { relation, options } = element.TableLikeClause;
      like.push({ table: objectName(relation), including: likeOptions(options ?? 0) });
    }
  }
  if (node.ofTypename) {
    ddl.unchecked({
      reason: 'unsupported: columns of a typed table',
      detail: printType(node.ofTypename),
      span: elementSpan(ddl, 0),
    });
  }
  const keys = new Set(constraints.flatMap((c) => (c.kind === 'primary key' ? c.columns : [])));
  const parents = (node.inhRelations ?? []).flatMap((parent) =>
    'RangeVar' in parent ? [objectName(parent.RangeVar)] : [],
  );
  const partitionOf = node.partbound ? parents[0] : undefined;
  const partitionBy = node.partspec?.partParams?.flatMap((part) =>
    'PartitionElem' in part ? [part.PartitionElem.name ?? '(expression)'] : [],
  );
  return [
    {
      ...emptyTable(table),
      columns: columns.map((column) => (keys.has(column.name) ? { ...column, notNull: true } : column)),
      constraints,
      like,
      ifNotExists: node.if_not_exists ?? false,
      temporary: isTemporary(node.relation),
      inherits: partitionOf ? [] : parents,
      ...(partitionOf ? { partitionOf } : {}),
      ...(node.partbound?.is_default ? { defaultPartition: true } : {}),
      ...(partitionBy ? { partitionBy } : {}),
      ...(foreign ? { foreign } : {}),
    },
  ];
}

const emptyTable = (table: ObjectName): CreateTable => ({
  do: 'create table',
  table,
  aliases: [],
  columns: [],
  constraints: [],
  indexes: [],
  relations: [],
  ifNotExists: false,
  temporary: false,
  inherits: [],
  like: [],
});

const isTemporary = (range: RangeVar | undefined): boolean => range?.relpersistence === 't';

/** CREATE TABLE AS and SELECT INTO. */
export function createTableAs(
  ddl: Ddl,
  target: RangeVar | undefined,
  names: readonly Node[] | undefined,
  query: Node | undefined,
  ifNotExists = false,
): SchemaAction[] {
  const lowered = innerQuery(ddl, query);
  if (!lowered.known) ddl.unchecked({ reason: `unsupported: ${lowered.reason}`, span: elementSpan(ddl, 0) });
  const span = elementSpan(ddl, target?.location);
  const columns = strings(names).map((name) => ({ name, type: 'unknown', notNull: false, span }));
  return [
    {
      ...emptyTable(objectName(target)),
      columns,
      ifNotExists,
      temporary: isTemporary(target),
      ...(lowered.known ? { asQuery: lowered.value } : {}),
    },
  ];
}

/** CREATE MATERIALIZED VIEW shares its statement with CREATE TABLE AS. */
export function createMaterializedView(ddl: Ddl, node: CreateTableAsStmt): SchemaAction[] {
  return [
    {
      do: 'create view',
      view: objectName(node.into?.rel),
      materialized: true,
      replace: false,
      options: optionsOf(node.into?.options),
      columns: strings(node.into?.colNames),
      query: innerQuery(ddl, node.query),
      ...(node.query ? { shape: { ...viewShape(node.query), updatable: false } } : {}),
    },
  ];
}

export function createIndex(ddl: Ddl, node: IndexStmt): SchemaAction[] {
  const table = objectName(node.relation);
  const elements = (nodes: readonly Node[] | undefined): IndexElem[] =>
    (nodes ?? []).flatMap((element) => ('IndexElem' in element ? [element.IndexElem] : []));
  const index: IndexDefinition = {
    ...(node.idxname !== undefined ? { name: node.idxname } : {}),
    unique: node.unique ?? false,
    method: node.accessMethod ?? 'btree',
    keys: elements(node.indexParams).map((element) => {
      if (element.name !== undefined) return { column: element.name };
      return element.expr ? { expression: rowValue(ddl, table, element.expr) } : {};
    }),
    include: elements(node.indexIncludingParams).flatMap((element) =>
      element.name === undefined ? [] : [element.name],
    ),
    ...(node.whereClause ? { predicate: rowCondition(ddl, table, node.whereClause) } : {}),
  };
  return [{ do: 'create index', table, index }];
}

/** Bits of TableLikeOption in PostgreSQL's parsenodes.h. */
const likeBits = [
  'comments',
  'compression',
  'constraints',
  'defaults',
  'generated',
  'identity',
  'indexes',
  'statistics',
  'storage',
];
const likeOptions = (bits: number): string[] => likeBits.filter((_, i) => (bits & (1 << i)) !== 0);
