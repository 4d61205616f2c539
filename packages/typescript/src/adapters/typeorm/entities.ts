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
import {
  classOf,
  decoratorsFrom,
  fieldsOf,
  lineage,
  propertyRead,
  thunk,
  type Field,
  type Found,
} from '../entities/classes.js';
import { tableEvent } from '../entities/event.js';
import { columnType, flag, option, text, texts } from '../entities/options.js';
import { actionOf } from './actions.js';
import { isTypeorm, modelName, namingOf, type Naming } from './names.js';
import { schemaEvents } from './entity-schema.js';

/** Tables that the entities of a file declare: decorated classes, and `EntitySchema` objects. */
export function declarations(facts: FileFacts, context: LinkContext): readonly SchemaEvent[] {
  const events = facts.classes.flatMap((c) => entityEvent({ facts: c, file: facts.file }, facts, context) ?? []);
  return [...events, ...schemaEvents(facts, context)];
}

const entityDecorators = new Set(['Entity', 'ViewEntity']);

/** The decorator that makes a class an entity, with its name and options. */
export function entityOf(
  found: Found,
  context: LinkContext,
): { name?: string | undefined; schema?: string | undefined; view: boolean } | undefined {
  const own = decoratorsFrom(found.facts.decorators, context, isTypeorm).find((d) => entityDecorators.has(d.name));
  if (!own) return undefined;
  const [first, second] = own.arguments;
  const name = text(first, context);
  const options = name === undefined ? first : second;
  return {
    name: name ?? text(option(options, 'name', context), context),
    schema: text(option(options, 'schema', context), context),
    view: own.name === 'ViewEntity',
  };
}

/** The name of the table of an entity class; that of the parent for a child in the same table. */
function entityEvent(found: Found, facts: FileFacts, context: LinkContext): SchemaEvent | undefined {
  const entity = entityOf(found, context);
  if (!entity) return undefined;
  const naming = namingOf(found.file, context);
  const reading = new Reading(found, naming, context);
  // Children of single table inheritance keep their columns in the parent's table.
  const children = facts.classes.filter((c) => isChildOf({ facts: c, file: facts.file }, found, context));
  for (const field of fieldsOf(found, context, isTypeorm)) reading.field(field, []);
  for (const child of children)
    for (const field of fieldsOf({ facts: child, file: facts.file }, context, isTypeorm)) reading.field(field, []);
  reading.classDecorators();
  return tableEvent({
    schema: entity.schema,
    name: entity.name ?? naming.table(found.facts.name),
    aliases: [found.facts, ...children].flatMap((c) => [
      { by: 'binding' as const, file: found.file, name: c.name },
      modelName(c.name),
    ]),
    columns: reading.columns,
    indexes: reading.indexes,
    relations: reading.relations,
    constraints: reading.allConstraints(),
    view: entity.view,
    span: found.facts.span,
  });
}

function isChildOf(child: Found, parent: Found, context: LinkContext): boolean {
  const decorated = decoratorsFrom(child.facts.decorators, context, isTypeorm).some((d) => d.name === 'ChildEntity');
  return (
    decorated &&
    lineage(child, context)
      .of.slice(1)
      .some((f) => f.facts === parent.facts)
  );
}

/** What one entity declares, while its fields are read. */
class Reading {
  readonly columns: ColumnDefinition[] = [];
  readonly indexes: IndexDefinition[] = [];
  readonly relations: RelationDefinition[] = [];
  readonly #constraints: ConstraintDefinition[] = [];
  readonly #key: string[] = [];

  constructor(
    private readonly found: Found,
    private readonly naming: Naming,
    private readonly context: LinkContext,
  ) {}

  allConstraints(): readonly ConstraintDefinition[] {
    const span = this.found.facts.span;
    return this.#key.length > 0
      ? [{ kind: 'primary key', columns: [...new Set(this.#key)], span }, ...this.#constraints]
      : this.#constraints;
  }

  field(field: Field, embedded: readonly string[]): void {
    const by = (name: string): Field['decorators'][number] | undefined => field.decorators.find((d) => d.name === name);
    const relation = field.decorators.find((d) => relations.has(d.name));
    if (relation) this.#relation(field, relation, by);
    const column = field.decorators.find((d) => columnDecorators.has(d.name));
    const [first, second] = column?.arguments ?? [];
    if (column && first?.kind === 'function') return this.#embed(field, first, second, embedded);
    if (column && !relation) {
      const definition = this.#column(field, column, embedded);
      this.columns.push(definition);
      const options = first?.kind === 'object' ? first : second;
      if (column.name.startsWith('Primary') || flag(options, 'primary', this.context)) this.#key.push(definition.name);
      if (flag(options, 'unique', this.context)) this.#unique([definition.name], field);
      const unique = by('Index')?.arguments.some((a) => flag(a, 'unique', this.context)) ?? false;
      if (by('Index')) this.#index([definition.name], unique, field);
    }
  }

  #column(field: Field, decorator: Field['decorators'][number], embedded: readonly string[]): ColumnDefinition {
    const { context } = this;
    const [first, second] = decorator.arguments;
    const options = first?.kind === 'object' ? first : second;
    const written = text(first, context) ?? text(option(options, 'type', context), context);
    const generated = decorator.name === 'PrimaryGeneratedColumn';
    const nullable = flag(options, 'nullable', context) ?? decorator.name === 'DeleteDateColumn';
    const type = generated
      ? written === 'uuid' || written === 'rowid'
        ? 'uuid'
        : 'integer'
      : /DateColumn$/.test(decorator.name)
        ? columnType(written ?? 'timestamp', undefined)
        : columnType(written === 'simple-array' ? 'text' : written, field.type?.text.split('|')[0]?.trim());
    const property = [...embedded, field.name].join('.');
    const value = option(options, 'default', context);
    const name = this.naming.column(field.name, embedded, text(option(options, 'name', context), context));
    const isArray = flag(options, 'array', context) ?? false;
    return {
      name,
      type: isArray ? `${type}[]` : type,
      notNull: !nullable,
      ...(generated && type === 'integer' ? { identity: true } : {}),
      ...(value ? { default: thunk(value, context) ?? value } : {}),
      ...(property === name ? {} : { property }),
      span: field.span,
    };
  }

  #embed(field: Field, type: Value, options: Value | undefined, outer: readonly string[]): void {
    const of = thunk(type, this.context);
    const inner = of && classOf(of, this.context);
    if (!inner || outer.length > 4) return;
    const prefix = option(options, 'prefix', this.context);
    const none = prefix?.kind === 'constant' && (prefix.value === false || prefix.value === '');
    const given = text(prefix, this.context);
    const before = this.columns.length;
    for (const one of fieldsOf(inner, this.context, isTypeorm)) this.field(one, [...outer, field.name]);
    if (!none && given === undefined) return;
    // Names with a prefix of their own are made again from what the properties are called.
    for (let i = before; i < this.columns.length; i++) {
      const column = this.columns[i]!;
      const last = (column.property ?? column.name).split('.').at(-1)!;
      this.columns[i] = { ...column, name: this.naming.column(last, none ? [] : [given!], undefined) };
    }
  }

  #relation(
    field: Field,
    decorator: Field['decorators'][number],
    by: (name: string) => Field['decorators'][number] | undefined,
  ): void {
    const { context } = this;
    const [target, inverseOrOptions, given] = decorator.arguments;
    const to = targetOf(target, field.file, context);
    if (!to) return;
    const options = given ?? (inverseOrOptions?.kind === 'object' ? inverseOrOptions : undefined);
    const join = by('JoinColumn');
    const held = decorator.name === 'ManyToOne' || (decorator.name === 'OneToOne' && join !== undefined);
    const many = decorator.name === 'OneToMany' || decorator.name === 'ManyToMany';
    const inverse = inverseOrOptions?.kind === 'object' ? undefined : propertyRead(inverseOrOptions, context);
    const plain = { name: field.name, to: to.name, cardinality: many ? ('many' as const) : ('one' as const) };
    if (!held) {
      const relationName = inverse === undefined || decorator.name === 'ManyToMany' ? undefined : `${to.is}.${inverse}`;
      const named = relationName === undefined ? {} : { relationName };
      this.relations.push({ ...plain, columns: [], references: [], ...named, span: field.span });
      return;
    }
    const nullable = flag(options, 'nullable', context) ?? true;
    const primary = by('PrimaryColumn') !== undefined || (flag(options, 'primary', context) ?? false);
    const key = to.found ? keyOf(to.found, context) : { name: 'id', type: '' };
    const columns = joinColumns(join, context).map((c) => {
      const references = c.references ?? key.name;
      return { name: c.name ?? this.naming.joinColumn(field.name, references), references };
    });
    for (const column of columns) {
      this.columns.push({
        name: column.name,
        type: key.type,
        notNull: !nullable || primary,
        span: field.span,
      });
      if (primary) this.#key.push(column.name);
    }
    const own = columns.map((c) => c.name);
    const references = columns.map((c) => c.references);
    const action = actionOf(option(options, 'onDelete', context), context);
    this.relations.push({
      ...plain,
      columns: own,
      references,
      relationName: `${this.found.facts.name}.${field.name}`,
      ...(nullable ? { nullable: true } : {}),
      span: field.span,
    });
    if (flag(options, 'createForeignKeyConstraints', context) !== false)
      this.#constraints.push({
        kind: 'foreign key',
        columns: own,
        references: to.name,
        referencedColumns: references,
        ...(action ? { onDelete: action } : {}),
        span: field.span,
      });
    if (decorator.name === 'OneToOne') this.#unique(own, field);
  }

  #unique(columns: readonly string[], at: { readonly span: Field['span'] }): void {
    this.#constraints.push({ kind: 'unique', columns, span: at.span });
  }

  #index(columns: readonly string[], unique: boolean, at: { readonly span: Field['span'] }): void {
    const keys = columns.map((column) => ({ column }));
    this.indexes.push({ unique, method: 'btree', keys, include: [], span: at.span });
  }

  /** `@Unique(['orgId', 'number'])`, `@Index('name', ['orgId'], { unique: true })` above the class. */
  classDecorators(): void {
    const { context } = this;
    for (const { facts } of lineage(this.found, context).of) {
      for (const { name, arguments: args } of decoratorsFrom(facts.decorators, context, isTypeorm)) {
        if (name !== 'Unique' && name !== 'Index') continue;
        const list = args.find((a) => a.kind === 'list' || a.kind === 'function');
        const columns = (list?.kind === 'list' ? texts(list, context) : readList(thunk(list, context))).map((p) =>
          this.#columnOf(p),
        );
        if (columns.length === 0) continue;
        const options = args.find((a) => a.kind === 'object');
        const where = text(option(options, 'where', context), context);
        if (name === 'Unique') this.#unique(columns, facts);
        else if (where === undefined) this.#index(columns, flag(options, 'unique', context) ?? false, facts);
        else this.#partial(columns, flag(options, 'unique', context) ?? false, where);
      }
    }
  }

  #partial(columns: readonly string[], unique: boolean, where: string): void {
    this.indexes.push({
      unique,
      method: 'btree',
      keys: columns.map((column) => ({ column })),
      include: [],
      predicate: { kind: 'unknown', reason: `the index is limited to rows where ${where}` },
      span: this.found.facts.span,
    });
  }

  #columnOf(property: string): string {
    const relation = this.relations.find((r) => r.name === property);
    if (relation?.columns[0] !== undefined) return relation.columns[0];
    return this.columns.find((c) => c.property === property)?.name ?? property;
  }
}

const relations = new Set(['ManyToOne', 'OneToMany', 'OneToOne', 'ManyToMany']);
const columnDecorators = new Set([
  'Column',
  'PrimaryColumn',
  'PrimaryGeneratedColumn',
  'ObjectIdColumn',
  'CreateDateColumn',
  'UpdateDateColumn',
  'DeleteDateColumn',
  'VersionColumn',
  'Generated',
  'ViewColumn',
]);

/** `(i) => [i.orgId, i.number]`. */
const readList = (value: Value | undefined): readonly string[] =>
  value?.kind === 'list' ? value.of.flatMap((i) => ('path' in i.value ? (i.value.path.at(-1) ?? []) : [])) : [];

/** The entity that a relation leads to: `() => Org`, `Org`, `'Org'`. */
export function targetOf(
  target: Value | undefined,
  file: string,
  context: LinkContext,
): { name: TableName; is: string; found?: Found } | undefined {
  const value = thunk(target, context);
  if (!value) return undefined;
  const name = text(value, context);
  if (name !== undefined) return { name: modelName(name), is: name };
  const found = classOf(value, context);
  if (found) return { name: { by: 'binding', file: found.file, name: found.facts.name }, is: found.facts.name, found };
  return value.kind === 'binding' || value.kind === 'import'
    ? { name: { by: 'binding', file, name: value.name }, is: value.name }
    : undefined;
}

/** The column that identifies the rows of an entity, and its type. */
export function keyOf(found: Found, context: LinkContext): { name: string; type: string } {
  const reading = new Reading(found, namingOf(found.file, context), context);
  const key = fieldsOf(found, context, isTypeorm).find((f) => f.decorators.some((d) => d.name.startsWith('Primary')));
  if (!key || key.decorators.some((d) => relations.has(d.name))) return { name: 'id', type: '' };
  reading.field(key, []);
  const [column] = reading.columns;
  return column ? { name: column.name, type: column.type } : { name: 'id', type: '' };
}

/** What `@JoinColumn` says; without it, or without a name in it, one column that the strategy names. */
function joinColumns(
  join: Field['decorators'][number] | undefined,
  context: LinkContext,
): readonly { name?: string | undefined; references?: string | undefined }[] {
  const [given] = join?.arguments ?? [];
  const list = given?.kind === 'list' ? given.of.map((i) => i.value) : [given];
  return list.map((one) => ({
    name: text(option(one, 'name', context), context),
    references: text(option(one, 'referencedColumnName', context), context),
  }));
}
