import type {
  ColumnDefinition,
  ConstraintDefinition,
  IndexDefinition,
  RelationDefinition,
  SchemaEvent,
  Span,
  TableName,
} from '@tenant-lint/model';

/** What an entity says of its table, whichever library reads it. */
export interface EntityTable {
  readonly schema?: string | undefined;
  readonly name: string;
  readonly aliases: readonly TableName[];
  readonly columns: readonly ColumnDefinition[];
  readonly constraints: readonly ConstraintDefinition[];
  readonly indexes: readonly IndexDefinition[];
  readonly relations: readonly RelationDefinition[];
  readonly view?: boolean;
  readonly span: Span;
}

/** The event that creates the table of an entity. A column that a relation and a property share is one. */
export function tableEvent(entity: EntityTable): SchemaEvent {
  const columns = new Map<string, ColumnDefinition>();
  for (const column of entity.columns) {
    const before = columns.get(column.name);
    columns.set(
      column.name,
      before
        ? {
            ...column,
            ...before,
            type: before.type === '' ? column.type : before.type,
            notNull: before.notNull || column.notNull,
            ...(before.property === undefined && column.property !== undefined ? { property: column.property } : {}),
          }
        : column,
    );
  }
  return {
    action: {
      do: 'create table',
      table: { ...(entity.schema === undefined ? {} : { schema: entity.schema }), name: entity.name },
      aliases: entity.aliases,
      columns: [...columns.values()],
      constraints: entity.constraints,
      indexes: entity.indexes,
      relations: entity.relations,
      ifNotExists: false,
      temporary: false,
      inherits: [],
      like: [],
      ...(entity.view ? { foreign: true } : {}),
    },
    span: entity.span,
    direction: 'up',
  };
}
