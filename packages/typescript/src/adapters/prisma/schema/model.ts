import type {
  ColumnDefinition,
  ConstraintDefinition,
  IndexDefinition,
  ReferenceAction,
  RelationDefinition,
  SchemaAction,
  Span,
  TableName,
  Value,
} from '@tenant-lint/model';
import type { Argument, Attribute, Block, Expression, Member, Range } from './parse.js';
import { columnType, isScalar } from './types.js';

/** The declarations of one file that its models refer to. */
export interface Declared {
  readonly file: string;
  readonly models: ReadonlyMap<string, Block>;
  /** Name in the schema to name in the database. */
  readonly enums: ReadonlyMap<string, string>;
}

export const modelName = (name: string): TableName => ({ by: 'model', library: 'prisma', name });

/** Identifiers of Postgres end at 63 characters; Prisma cuts the front part. */
const named = (table: string, columns: readonly string[], suffix: string): string =>
  `${[table, ...columns].join('_').slice(0, 63 - suffix.length - 1)}_${suffix}`;

/** The table that a `model` or `view` block stands for. */
export function tableOfModel(block: Block, declared: Declared): SchemaAction {
  const span = (range: Range): Span => ({ file: declared.file, start: range.start, end: range.end });
  const name = databaseName(block);
  const schema = text(argument(find(block, 'schema'), 0, 'name'));
  const fields = block.members.filter((f) => f.type !== undefined);
  const isRelation = (field: Member): boolean => refersToModel(field, declared);
  const columnsOf = (attribute: Attribute, position = 0): string[] =>
    names(argument(attribute, position, 'fields')).map((field) => databaseNameOf(block, field));

  const constraints: ConstraintDefinition[] = [];
  const indexes: IndexDefinition[] = [];
  const add = (attribute: Attribute, columns: readonly string[], properties: readonly string[]): void => {
    const map = text(argument(attribute, undefined, 'map'));
    if (columns.length === 0) return;
    if (attribute.name === 'id') {
      const property = compoundName(attribute, properties);
      constraints.push({
        kind: 'primary key',
        name: map ?? `${name}_pkey`,
        ...property,
        columns,
        span: span(attribute),
      });
    } else if (attribute.name === 'unique') {
      const property = compoundName(attribute, properties);
      constraints.push({
        kind: 'unique',
        name: map ?? named(name, columns, 'key'),
        ...property,
        columns,
        span: span(attribute),
      });
    } else {
      const type = argument(attribute, undefined, 'type');
      const method = type?.kind === 'name' ? type.text.toLowerCase() : 'btree';
      const keys = columns.map((column) => ({ column }));
      indexes.push({
        name: map ?? named(name, columns, 'idx'),
        unique: false,
        method,
        keys,
        include: [],
        span: span(attribute),
      });
    }
  };
  for (const field of fields) {
    for (const a of field.attributes)
      if (a.name === 'id' || a.name === 'unique') add(a, [databaseName(field)], [field.name]);
  }
  for (const a of block.attributes) {
    if (a.name === 'id' || a.name === 'unique' || a.name === 'index')
      add(a, columnsOf(a), names(argument(a, 0, 'fields')));
  }
  const relations: RelationDefinition[] = [];
  for (const field of fields.filter(isRelation)) {
    const { relation, key } = relationOf(block, field, declared, span);
    relations.push(relation);
    if (key) constraints.push({ ...key, name: key.name ?? named(name, key.columns, 'fkey') });
  }
  return {
    do: 'create table',
    table: { ...(schema === undefined ? {} : { schema }), name },
    aliases: [modelName(block.name)],
    columns: fields.filter((f) => !isRelation(f)).map((f) => columnOf(f, block, declared, span)),
    constraints,
    indexes,
    relations,
    ifNotExists: false,
    temporary: false,
    inherits: [],
    like: [],
    ...(block.keyword === 'view' ? { foreign: true } : {}),
  };
}

/** Where the schema itself gives a compound key a name of its own, or the one Prisma makes of its fields. */
const compoundName = (attribute: Attribute, properties: readonly string[]): { property?: string } => {
  const given = text(argument(attribute, undefined, 'name'));
  if (given !== undefined) return { property: given };
  return properties.length > 1 ? { property: properties.join('_') } : {};
};

function columnOf(field: Member, block: Block, declared: Declared, span: (range: Range) => Span): ColumnDefinition {
  const name = databaseName(field);
  const key = find(field, 'id') !== undefined || names(argument(find(block, 'id'), 0, 'fields')).includes(field.name);
  const value = argument(find(field, 'default'), 0, 'value');
  return {
    name,
    type: columnType(field, declared.enums),
    notNull: key || (!field.optional && !field.list),
    ...(value ? { default: defaultValue(value) } : {}),
    ...(name === field.name ? {} : { property: field.name }),
    span: span(field),
  };
}

function defaultValue(value: Expression): Value {
  switch (value.kind) {
    case 'string':
      return { kind: 'constant', value: value.text };
    case 'number':
      return { kind: 'constant', value: Number(value.text) };
    case 'name':
      return { kind: 'constant', value: value.text === 'true' ? true : value.text === 'false' ? false : value.text };
    case 'list':
      return { kind: 'list', of: value.items.map((item) => ({ value: defaultValue(item) })) };
    case 'call': {
      if (value.name === 'dbgenerated') return generatedDefault(text(value.arguments[0]?.value));
      const to = value.arguments.map((a) => defaultValue(a.value));
      return { kind: 'apply', function: value.name === 'autoincrement' ? 'nextval' : value.name.toLowerCase(), to };
    }
  }
}

const setting = /^\(*\s*current_setting\(\s*'([^']+)'(?:\s*::\s*text)?\s*(?:,\s*(true|false)\s*)?\)/i;

/** A default written in SQL; a setting that it reads matters, as it may be the tenant. */
function generatedDefault(sql: string | undefined): Value {
  const found = sql === undefined ? null : setting.exec(sql);
  if (found) return { kind: 'setting', name: found[1]!, missingOk: found[2]?.toLowerCase() === 'true' };
  return { kind: 'unknown', reason: sql === undefined ? 'a default of the database' : `the SQL default ${sql}` };
}

/** Whether a field is a relation. The other model may be declared in another file of the schema; then what only a relation can look like decides. */
function refersToModel(field: Member, declared: Declared): boolean {
  const type = field.type ?? '';
  if (isScalar(type) || declared.enums.has(type)) return false;
  if (declared.models.has(type) || find(field, 'relation')) return true;
  // A required single relation holds its columns and has @relation; with a default or a column type it is an enum.
  return (field.list || field.optional) && !field.attributes.some((a) => /^(default|id|unique|map|db\.)/.test(a.name));
}

const actions: Readonly<Record<string, ReferenceAction>> = {
  Cascade: 'cascade',
  Restrict: 'restrict',
  NoAction: 'no action',
  SetNull: 'set null',
  SetDefault: 'set default',
};

type ForeignKey = Extract<ConstraintDefinition, { kind: 'foreign key' }>;

function relationOf(
  block: Block,
  field: Member,
  declared: Declared,
  span: (range: Range) => Span,
): { relation: RelationDefinition; key?: ForeignKey } {
  const attribute = find(field, 'relation');
  const local = names(argument(attribute, undefined, 'fields'));
  const other = declared.models.get(field.type ?? '');
  const columns = local.map((name) => databaseNameOf(block, name));
  const references = names(argument(attribute, undefined, 'references')).map((name) =>
    other ? databaseNameOf(other, name) : name,
  );
  const relationName = text(argument(attribute, 0, 'name'));
  const to = modelName(field.type ?? '');
  const relation: RelationDefinition = {
    name: field.name,
    to,
    cardinality: field.list ? 'many' : 'one',
    columns,
    references,
    ...(relationName === undefined ? {} : { relationName }),
    nullable: field.optional,
    span: span(field),
  };
  if (columns.length === 0 || columns.length !== references.length || attribute === undefined) return { relation };
  const action = (name: string, fallback: ReferenceAction): ReferenceAction => {
    const value = argument(attribute, undefined, name);
    return (value?.kind === 'name' ? actions[value.text] : undefined) ?? fallback;
  };
  const name = text(argument(attribute, undefined, 'map'));
  const key: ForeignKey = {
    kind: 'foreign key',
    ...(name === undefined ? {} : { name }),
    columns,
    references: to,
    referencedColumns: references,
    onDelete: action('onDelete', field.optional ? 'set null' : 'restrict'),
    onUpdate: action('onUpdate', 'cascade'),
    span: span(attribute),
  };
  return { relation, key };
}

/** `@map` of a field, `@@map` of a block, or its own name. */
export const databaseName = (of: Member | Block): string => text(argument(find(of, 'map'), 0, 'name')) ?? of.name;

function databaseNameOf(block: Block, field: string): string {
  const member = block.members.find((m) => m.name === field);
  return member ? databaseName(member) : field;
}

export const find = (of: Member | Block, name: string): Attribute | undefined =>
  of.attributes.find((a) => a.name === name);

/** The argument called `name`, else the unnamed one at `position`. */
export function argument(
  attribute: Attribute | undefined,
  position: number | undefined,
  name: string,
): Expression | undefined {
  const args: readonly Argument[] = attribute?.arguments ?? [];
  const given =
    args.find((a) => a.name === name) ??
    (position === undefined ? undefined : args.filter((a) => a.name === undefined)[position]);
  return given?.value;
}

export const text = (value: Expression | undefined): string | undefined =>
  value?.kind === 'string' ? value.text : undefined;

/** `[a, b(sort: Desc)]` as names. */
export function names(value: Expression | undefined): string[] {
  if (value?.kind === 'name') return [value.text];
  if (value?.kind === 'call') return [value.name];
  return value?.kind === 'list' ? value.items.flatMap(names) : [];
}
