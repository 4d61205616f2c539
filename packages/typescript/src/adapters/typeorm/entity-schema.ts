import type {
  ColumnDefinition,
  ConstraintDefinition,
  FileFacts,
  IndexDefinition,
  LinkContext,
  RelationDefinition,
  SchemaEvent,
  TableName,
  Value,
} from '@tenant-lint/model';
import { importedAs } from '../entities/classes.js';
import { tableEvent } from '../entities/event.js';
import { columnType, flag, option, text, texts } from '../entities/options.js';
import { actionOf } from './actions.js';
import { isTypeorm, namingOf } from './names.js';

/** Tables declared by `new EntitySchema({ name, tableName, columns, relations })`. */
export const schemaEvents = (facts: FileFacts, context: LinkContext): readonly SchemaEvent[] =>
  Object.entries(facts.bindings).flatMap(([binding, value]) => {
    if (value.kind !== 'instance') return [];
    const made = importedAs(value.of, context);
    const [options] = value.arguments;
    const isSchema = made && isTypeorm(made.module) && made.name === 'EntitySchema';
    return isSchema && options ? [read(binding, options, value.span, facts.file, context)] : [];
  });

type Entries = readonly (readonly [string, Value])[];

const entriesOf = (value: Value | undefined, context: LinkContext): Entries => {
  const object = value && (value.kind === 'object' ? value : context.resolve(value));
  if (object?.kind !== 'object') return [];
  return object.entries.flatMap((e): Entries =>
    'set' in e ? [[e.set, e.value]] : 'spread' in e ? entriesOf(e.spread, context) : [],
  );
};

function read(
  binding: string,
  options: Value,
  span: ColumnDefinition['span'],
  file: string,
  context: LinkContext,
): SchemaEvent {
  const naming = namingOf(file, context);
  const name = text(option(options, 'name', context), context) ?? binding;
  const columns: ColumnDefinition[] = [];
  const constraints: ConstraintDefinition[] = [];
  const indexes: IndexDefinition[] = [];
  const relations: RelationDefinition[] = [];
  const key: string[] = [];
  const is = (value: Value, of: string): boolean => flag(value, of, context) ?? false;
  for (const [property, value] of entriesOf(option(options, 'columns', context), context)) {
    const column = naming.column(property, [], text(option(value, 'name', context), context));
    const type = option(value, 'type', context);
    const written = text(type, context) ?? (type?.kind === 'global' ? type.name : undefined);
    const primary = is(value, 'primary') || is(value, 'objectId');
    if (primary) key.push(column);
    if (is(value, 'unique')) constraints.push({ kind: 'unique', columns: [column], span });
    columns.push({
      name: column,
      type: columnType(written, undefined),
      notNull: !is(value, 'nullable'),
      ...(column === property ? {} : { property }),
      span: 'span' in value && value.span ? value.span : span,
    });
  }
  for (const [property, value] of entriesOf(option(options, 'relations', context), context)) {
    const target = text(option(value, 'target', context), context);
    if (target === undefined) continue;
    const to: TableName = { by: 'model', library: 'typeorm', name: target };
    const type = text(option(value, 'type', context), context) ?? '';
    const join = option(value, 'joinColumn', context);
    const held = type === 'many-to-one' || (type === 'one-to-one' && join !== undefined);
    const inverse = text(option(value, 'inverseSide', context), context);
    const plain = { name: property, to, cardinality: /-to-many$/.test(type) ? ('many' as const) : ('one' as const) };
    if (!held) {
      const named = inverse === undefined || type === 'many-to-many' ? {} : { relationName: `${target}.${inverse}` };
      relations.push({ ...plain, columns: [], references: [], ...named, span });
      continue;
    }
    const reference = text(option(join, 'referencedColumnName', context), context) ?? 'id';
    const column = text(option(join, 'name', context), context) ?? naming.joinColumn(property, reference);
    const nullable = flag(value, 'nullable', context) ?? true;
    const action = actionOf(option(value, 'onDelete', context), context);
    columns.push({ name: column, type: '', notNull: !nullable, span });
    relations.push({
      ...plain,
      columns: [column],
      references: [reference],
      relationName: `${name}.${property}`,
      ...(nullable ? { nullable: true } : {}),
      span,
    });
    constraints.push({
      kind: 'foreign key',
      columns: [column],
      references: to,
      referencedColumns: [reference],
      ...(action ? { onDelete: action } : {}),
      span,
    });
  }
  const columnOf = (property: string): string =>
    relations.find((r) => r.name === property)?.columns[0] ??
    columns.find((c) => c.property === property)?.name ??
    property;
  for (const list of ['uniques', 'indices'] as const) {
    const value = option(options, list, context);
    if (value?.kind !== 'list') continue;
    for (const { value: one } of value.of) {
      const of = texts(option(one, 'columns', context), context).map(columnOf);
      if (list === 'uniques') constraints.push({ kind: 'unique', columns: of, span });
      else
        indexes.push({
          unique: is(one, 'unique'),
          method: 'btree',
          keys: of.map((column) => ({ column })),
          include: [],
          span,
        });
    }
  }
  return tableEvent({
    schema: text(option(options, 'schema', context), context),
    name: text(option(options, 'tableName', context), context) ?? naming.table(name),
    aliases: [
      { by: 'binding', file, name: binding },
      { by: 'model', library: 'typeorm', name },
    ],
    columns,
    constraints: key.length > 0 ? [{ kind: 'primary key', columns: key, span }, ...constraints] : constraints,
    indexes,
    relations,
    span,
  });
}
