import type {
  ColumnDefinition,
  ConstraintDefinition,
  FileFacts,
  IndexDefinition,
  LinkContext,
  RelationDefinition,
  SchemaEvent,
  Span,
  Value,
} from '@tenant-lint/model';
import {
  classOf,
  decoratorsFrom,
  fieldsOf,
  importedAs,
  lineage,
  nameIn,
  propertyRead,
  thunk,
  type Field,
  type Found,
} from '../entities/classes.js';
import { tableEvent } from '../entities/event.js';
import { columnType, flag, option, text, texts } from '../entities/options.js';
import { isMikro, modelName, underscore } from './names.js';

/** Tables that the entities of a file declare: decorated classes, and `new EntitySchema({...})`. */
export const declarations = (facts: FileFacts, context: LinkContext): readonly SchemaEvent[] => [
  ...facts.classes.flatMap((c) => ofClass({ facts: c, file: facts.file }, context) ?? []),
  ...Object.entries(facts.bindings).flatMap(([name, value]) => ofSchema(name, value, facts.file, context) ?? []),
];

function ofClass(found: Found, context: LinkContext): SchemaEvent | undefined {
  const decorators = decoratorsFrom(found.facts.decorators, context, isMikro);
  const entity = decorators.find((d) => d.name === 'Entity');
  const [options] = entity?.arguments ?? [];
  if (!entity || flag(options, 'abstract', context)) return undefined;
  const reading = new Reading(found.facts.name, found.facts.span, context);
  for (const field of fieldsOf(found, context, isMikro)) {
    const made = field.decorators.find((d) => kinds[d.name] !== undefined);
    if (made) reading.property(field.name, kinds[made.name]!, optionsOf(made, field, context), field.span, 0);
    for (const name of ['Unique', 'Index'])
      if (field.decorators.some((d) => d.name === name)) reading.key(name, [field.name], field.span);
  }
  for (const { facts } of lineage(found, context).of)
    for (const { name, arguments: args } of decoratorsFrom(facts.decorators, context, isMikro))
      if (name === 'Unique' || name === 'Index')
        reading.key(name, texts(option(args[0], 'properties', context), context), facts.span);
  return reading.event(options, { by: 'binding', file: found.file, name: found.facts.name });
}

function ofSchema(binding: string, value: Value, file: string, context: LinkContext): SchemaEvent | undefined {
  if (value.kind !== 'instance') return undefined;
  const from = importedAs(value.of, context);
  const [options] = value.arguments;
  if (!from || !isMikro(from.module) || from.name !== 'EntitySchema' || !options) return undefined;
  const of = option(options, 'class', context);
  const name = text(option(options, 'name', context), context) ?? (of && 'name' in of ? of.name : binding);
  const reading = new Reading(name, value.span, context);
  const properties = option(options, 'properties', context);
  for (const entry of properties?.kind === 'object' ? properties.entries : []) {
    if (!('set' in entry)) continue;
    const given = entry.value;
    const kind = bySpelling[text(option(given, 'kind', context) ?? option(given, 'reference', context), context) ?? ''];
    const primary = flag(given, 'primary', context) ?? false;
    const type = text(option(given, 'type', context), context);
    const made: PropertyOptions = {
      options: given,
      nullable: flag(given, 'nullable', context) ?? false,
      ...(type === undefined ? {} : { type }),
      target: option(given, 'entity', context),
      inverse: option(given, 'mappedBy', context),
      file,
    };
    reading.property(entry.set, kind ?? (primary ? 'key' : 'column'), made, entry.span ?? value.span, 0);
  }
  return reading.event(options, { by: 'binding', file, name: binding });
}

type Kind = 'key' | 'column' | 'many to one' | 'one to one' | 'one to many' | 'many to many' | 'embedded';

const kinds: Readonly<Record<string, Kind>> = {
  PrimaryKey: 'key',
  SerializedPrimaryKey: 'column',
  Property: 'column',
  Enum: 'column',
  ManyToOne: 'many to one',
  OneToOne: 'one to one',
  OneToMany: 'one to many',
  ManyToMany: 'many to many',
  Embedded: 'embedded',
};
const bySpelling: Readonly<Record<string, Kind>> = {
  'm:1': 'many to one',
  '1:1': 'one to one',
  '1:m': 'one to many',
  'm:n': 'many to many',
};

interface PropertyOptions {
  readonly options: Value | undefined;
  readonly nullable: boolean;
  readonly type?: string;
  readonly target: Value | undefined;
  readonly inverse: Value | undefined;
  readonly file: string;
}

/** `@ManyToOne(() => Org, { nullable: true })`, `@ManyToOne({ entity: () => Org })`, or the type of the property alone. */
function optionsOf(made: Field['decorators'][number], field: Field, context: LinkContext): PropertyOptions {
  const [first, second, third] = made.arguments;
  const options = [first, second, third].find((a) => a?.kind === 'object');
  const named = /(?:^|[<\s])([A-Z]\w*)[^<\w]*$/.exec(field.type?.text ?? '')?.[1];
  const target =
    (first?.kind === 'object' ? undefined : first) ??
    option(options, 'entity', context) ??
    (named === undefined ? undefined : nameIn(field.file, named));
  const written = option(options, 'type', context);
  const type = text(written, context) ?? text(option(options, 'columnType', context), context);
  const ownType = field.type?.text.split('|')[0]?.trim();
  const nullable =
    flag(options, 'nullable', context) ?? ((field.type?.optional ?? false) || (field.type?.nullable ?? false));
  return {
    options,
    nullable,
    type: columnType(type, ownType),
    target,
    inverse:
      second?.kind === 'object'
        ? option(options, 'mappedBy', context)
        : (second ?? option(options, 'mappedBy', context)),
    file: field.file,
  };
}

/** What one entity declares, while its properties are read. */
class Reading {
  readonly #columns: ColumnDefinition[] = [];
  readonly #constraints: ConstraintDefinition[] = [];
  readonly #indexes: IndexDefinition[] = [];
  readonly #relations: RelationDefinition[] = [];
  readonly #key: string[] = [];

  constructor(
    private readonly name: string,
    private readonly span: Span,
    private readonly context: LinkContext,
  ) {}

  event(options: Value | undefined, alias: { by: 'binding'; file: string; name: string }): SchemaEvent {
    const { context } = this;
    const table = text(option(options, 'tableName', context) ?? option(options, 'collection', context), context);
    const key: ConstraintDefinition = { kind: 'primary key', columns: this.#key, span: this.span };
    return tableEvent({
      schema: text(option(options, 'schema', context), context),
      name: table ?? underscore(this.name),
      aliases: [alias, modelName(this.name)],
      columns: this.#columns,
      constraints: this.#key.length > 0 ? [key, ...this.#constraints] : this.#constraints,
      indexes: this.#indexes,
      relations: this.#relations,
      span: this.span,
    });
  }

  property(name: string, kind: Kind, given: PropertyOptions, span: Span, depth: number, prefix = ''): void {
    const { context } = this;
    const { options } = given;
    if (flag(options, 'persist', context) === false) return;
    const written = text(option(options, 'fieldName', context) ?? option(options, 'name', context), context);
    if (kind === 'embedded') return this.#embed(name, given, depth);
    if (kind === 'key' || kind === 'column') {
      const column = `${prefix}${written ?? underscore(name)}`;
      const property = prefix === '' ? name : `${prefix.replace(/_$/, '')}.${name}`;
      if (kind === 'key') this.#key.push(column);
      if (flag(options, 'unique', context)) this.#constraints.push({ kind: 'unique', columns: [column], span });
      this.#columns.push({
        name: column,
        type: given.type ?? '',
        notNull: kind === 'key' || !given.nullable,
        ...(property === column ? {} : { property }),
        span,
      });
      return;
    }
    this.#relation(name, kind, given, written, span);
  }

  #embed(name: string, given: PropertyOptions, depth: number): void {
    const of = thunk(given.target, this.context);
    const inner = of && classOf(of, this.context);
    if (!inner || depth > 3) return;
    const prefix = text(option(given.options, 'prefix', this.context), this.context);
    const none = flag(given.options, 'prefix', this.context) === false;
    for (const field of fieldsOf(inner, this.context, isMikro)) {
      const made = field.decorators.find((d) => kinds[d.name] !== undefined);
      if (!made) continue;
      const before = none ? '' : (prefix ?? `${underscore(name)}_`);
      this.property(field.name, kinds[made.name]!, optionsOf(made, field, this.context), field.span, depth + 1, before);
    }
  }

  #relation(name: string, kind: Kind, given: PropertyOptions, written: string | undefined, span: Span): void {
    const { context } = this;
    const target = thunk(given.target, context);
    const named = text(target, context);
    const found = target && classOf(target, context);
    const is = named ?? found?.facts.name ?? (target && 'name' in target ? target.name : undefined);
    if (is === undefined) return;
    const to = found ? { by: 'binding' as const, file: found.file, name: is } : modelName(is);
    const inverse = propertyRead(given.inverse, context);
    const many = kind === 'one to many' || kind === 'many to many';
    const held = kind === 'many to one' || (kind === 'one to one' && inverse === undefined);
    const plain = { name, to, cardinality: many ? ('many' as const) : ('one' as const) };
    if (!held) {
      const tied = inverse === undefined || kind === 'many to many' ? {} : { relationName: `${is}.${inverse}` };
      this.#relations.push({ ...plain, columns: [], references: [], ...tied, span });
      return;
    }
    const joined = text(option(given.options, 'joinColumn', context), context);
    const column = joined ?? written ?? `${underscore(name)}_id`;
    const reference = text(option(given.options, 'referenceColumnName', context), context) ?? 'id';
    const primary = flag(given.options, 'primary', context) ?? false;
    if (primary) this.#key.push(column);
    this.#columns.push({ name: column, type: '', notNull: primary || !given.nullable, span });
    this.#relations.push({
      ...plain,
      columns: [column],
      references: [reference],
      relationName: `${this.name}.${name}`,
      ...(given.nullable ? { nullable: true } : {}),
      span,
    });
    this.#constraints.push({
      kind: 'foreign key',
      columns: [column],
      references: to,
      referencedColumns: [reference],
      span,
    });
    if (kind === 'one to one') this.#constraints.push({ kind: 'unique', columns: [column], span });
  }

  key(decorator: string, properties: readonly string[], span: Span): void {
    if (properties.length === 0) return;
    const columns = properties.map(
      (p) =>
        this.#relations.find((r) => r.name === p)?.columns[0] ?? this.#columns.find((c) => c.property === p)?.name ?? p,
    );
    if (decorator === 'Unique') this.#constraints.push({ kind: 'unique', columns, span });
    else {
      const keys = columns.map((column) => ({ column }));
      this.#indexes.push({ unique: false, method: 'btree', keys, include: [], span });
    }
  }
}
