import {
  propertyOf,
  type ColumnDefinition,
  type ConstraintDefinition,
  type Decorator,
  type LinkContext,
  type RelationDefinition,
  type Span,
  type TypeName,
  type Value,
} from '@tenant-lint/model';
import { classOf, exportOf, optionOf, textIn, type DeclaredModel } from './models.js';

export interface Columns {
  readonly columns: ColumnDefinition[];
  readonly constraints: ConstraintDefinition[];
  readonly relations: RelationDefinition[];
}

const types: Readonly<Record<string, string>> = {
  STRING: 'character varying(255)',
  CHAR: 'character(255)',
  TEXT: 'text',
  CITEXT: 'citext',
  TINYINT: 'smallint',
  SMALLINT: 'smallint',
  MEDIUMINT: 'integer',
  INTEGER: 'integer',
  BIGINT: 'bigint',
  FLOAT: 'double precision',
  REAL: 'real',
  DOUBLE: 'double precision',
  DECIMAL: 'numeric',
  BOOLEAN: 'boolean',
  DATE: 'timestamp with time zone',
  DATEONLY: 'date',
  TIME: 'time without time zone',
  NOW: 'timestamp with time zone',
  JSON: 'json',
  JSONB: 'jsonb',
  UUID: 'uuid',
  UUIDV4: 'uuid',
  BLOB: 'bytea',
  ENUM: 'text',
};

/** The Postgres type of `DataTypes.STRING(20)`; empty where it is not known. */
export function typeOf(value: Value | undefined, context: LinkContext, depth = 0): string {
  if (!value || depth > 4) return '';
  const named = (names: readonly string[]): string => types[names.findLast((n) => Object.hasOwn(types, n)) ?? ''] ?? '';
  if (value.kind === 'instance') return typeOf(value.of, context, depth + 1);
  if (value.kind === 'constant') return named([String(value.value).toUpperCase()]);
  if (value.kind === 'result') {
    const step = context.chain(value.chain)?.steps.find((s) => s.arguments !== undefined);
    const chain = context.chain(value.chain);
    if (step?.name === 'ARRAY') return `${typeOf(step.arguments?.[0], context, depth + 1)}[]`;
    return named([
      ...('path' in (chain?.receiver ?? {}) ? (chain!.receiver as { path: readonly string[] }).path : []),
      ...(chain?.steps.map((s) => s.name) ?? []),
    ]);
  }
  if ('path' in value) return named(['name' in value ? value.name : '', ...value.path]);
  return '';
}

const isTrue = (v: Value | undefined): boolean => v?.kind === 'constant' && v.value === true;
const isFalse = (v: Value | undefined): boolean => v?.kind === 'constant' && v.value === false;
export const snake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();

/** The columns of a model: those it declares, its key, its times. */
export function columnsOf(model: DeclaredModel, options: Value | undefined, context: LinkContext): Columns {
  const found: Columns = { columns: [], constraints: [], relations: [] };
  const underscored = isTrue(optionOf(options, 'underscored'));
  const uniques = new Map<string, string[]>();
  const add = (property: string, type: string, settings: Value | undefined, span: Span): void => {
    const name = textIn(optionOf(settings, 'field'), context) ?? (underscored ? snake(property) : property);
    const isKey = isTrue(optionOf(settings, 'primaryKey'));
    const value = optionOf(settings, 'defaultValue');
    found.columns.push({
      name,
      type,
      notNull: isFalse(optionOf(settings, 'allowNull')) || isKey,
      ...(name === property ? {} : { property }),
      ...(value?.kind === 'constant' ? { default: value } : {}),
      span,
    });
    if (isKey) keys.push(name);
    const unique = optionOf(settings, 'unique');
    if (isTrue(unique)) found.constraints.push({ kind: 'unique', columns: [name], span });
    const group = textIn(unique, context) ?? textIn(optionOf(unique, 'name'), context);
    if (group !== undefined) uniques.set(group, [...(uniques.get(group) ?? []), name]);
    const reference = optionOf(settings, 'references');
    const to = reference && referenced(optionOf(reference, 'model') ?? optionOf(reference, 'table'), context);
    if (to !== undefined)
      found.constraints.push({
        kind: 'foreign key',
        columns: [name],
        references: { by: 'sql', name: to },
        referencedColumns: [textIn(optionOf(reference, 'key'), context) ?? 'id'],
        span,
      });
  };
  const keys: string[] = [];
  if (model.decorated) decorated(model, context, add, found.relations);
  else fields(model.fields, context, model.span, add);
  if (keys.length === 0 && !found.columns.some((c) => c.name === 'id')) {
    found.columns.unshift({ name: 'id', type: 'integer', notNull: true, identity: true, span: model.span });
    keys.push('id');
  }
  if (keys.length > 0) found.constraints.push({ kind: 'primary key', columns: keys, span: model.span });
  if (!isFalse(optionOf(options, 'timestamps')))
    for (const property of ['createdAt', 'updatedAt']) {
      const given = optionOf(options, property);
      if (isFalse(given)) continue;
      const name = textIn(given, context) ?? (underscored ? snake(property) : property);
      if (!found.columns.some((c) => c.name === name))
        found.columns.push({ name, type: types['DATE']!, notNull: true, span: model.span });
    }
  for (const columns of uniques.values()) found.constraints.push({ kind: 'unique', columns, span: model.span });
  return found;
}

type Add = (property: string, type: string, settings: Value | undefined, span: Span) => void;

function fields(value: Value | undefined, context: LinkContext, span: Span, add: Add, depth = 0): void {
  const v = value && (value.kind === 'object' ? value : context.resolve(value));
  if (v?.kind !== 'object' || depth > 6) return;
  for (const entry of v.entries) {
    if ('spread' in entry) fields(entry.spread, context, span, add, depth + 1);
    else if ('set' in entry) {
      const given = entry.value.kind === 'object' ? entry.value : context.resolve(entry.value);
      const settings = given.kind === 'object' ? given : undefined;
      add(
        entry.set,
        typeOf(settings ? propertyOf(settings, 'type') : entry.value, context),
        settings,
        entry.span ?? span,
      );
    }
  }
}

/** The name of a referenced table: `'orgs'`, `{ tableName: 'orgs' }`. */
function referenced(value: Value | undefined, context: LinkContext): string | undefined {
  if (!value) return undefined;
  return textIn(value, context) ?? textIn(optionOf(context.resolve(value), 'tableName'), context);
}

const relations: Readonly<Record<string, 'one' | 'many'>> = {
  BelongsTo: 'one',
  HasOne: 'one',
  HasMany: 'many',
  BelongsToMany: 'many',
};

/** `() => Org` and `Org` name the class. */
function classNamed(value: Value | undefined, context: LinkContext): string | undefined {
  if (!value) return undefined;
  const f = value.kind === 'function' ? context.function(value.function) : undefined;
  const of = f?.returns[0]?.value ?? value;
  return classOf(of, context)?.name ?? ('name' in of ? of.name : undefined);
}

function decorated(model: DeclaredModel, context: LinkContext, add: Add, out: RelationDefinition[]): void {
  const { of } = model;
  const facts = of && context.facts(of.file);
  const found = facts?.classes.find((c) => c.name === of?.name);
  if (!found) return;
  if (found.extends) {
    const parent = classOf(found.extends, context);
    if (parent) decorated({ ...model, of: parent }, context, add, out);
  }
  const foreign = new Map<string, string>();
  for (const [name, field] of Object.entries(found.fields)) {
    const by = (decorator: string): Decorator | undefined =>
      field.decorators.find((d) => exportOf(d.name) === decorator);
    const key = by('ForeignKey');
    const target = classNamed(key?.arguments[0], context);
    if (target !== undefined) foreign.set(target, name);
    if (!key && !by('Column') && !by('PrimaryKey')) continue;
    add(name, ...columnBy(by, field.type, context), found.span);
  }
  for (const [name, field] of Object.entries(found.fields)) {
    for (const d of field.decorators) {
      const cardinality = relations[exportOf(d.name) ?? ''];
      const to = cardinality && classNamed(d.arguments[0], context);
      if (!cardinality || to === undefined) continue;
      const own = textIn(d.arguments[1], context) ?? textIn(optionOf(d.arguments[1], 'foreignKey'), context);
      const held = exportOf(d.name) === 'BelongsTo' ? (own ?? foreign.get(to) ?? `${camel(to)}Id`) : undefined;
      out.push({
        name,
        to: { by: 'model', library: 'sequelize', name: to },
        cardinality,
        columns: held === undefined ? [] : [held],
        references: held === undefined ? [] : ['id'],
        span: found.span,
      });
    }
  }
}

export const camel = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

function columnBy(
  by: (decorator: string) => Decorator | undefined,
  type: TypeName | undefined,
  context: LinkContext,
): [string, Value] {
  const given = by('Column')?.arguments[0];
  const settings = given && context.resolve(given);
  const isObject = settings?.kind === 'object';
  const entries = isObject ? [...settings.entries] : [];
  const flag = (set: string, value: boolean): void => void entries.push({ set, value: { kind: 'constant', value } });
  if (by('PrimaryKey')) flag('primaryKey', true);
  if (by('AllowNull')) flag('allowNull', !isFalse(by('AllowNull')?.arguments[0]));
  if (by('Unique')) flag('unique', true);
  const annotation: Readonly<Record<string, string>> = {
    string: 'character varying(255)',
    number: 'integer',
    boolean: 'boolean',
    Date: 'timestamp with time zone',
  };
  const declared = isObject ? typeOf(propertyOf(settings, 'type'), context) : typeOf(given, context);
  return [declared || (annotation[type?.text ?? ''] ?? ''), { kind: 'object', entries }];
}
