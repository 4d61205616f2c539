import {
  propertyOf,
  type ColumnDefinition,
  type ConstraintDefinition,
  type FileFacts,
  type IndexDefinition,
  type LinkContext,
  type RelationDefinition,
  type SchemaAction,
  type SchemaEvent,
  type Span,
  type TableName,
  type Value,
} from '@tenant-lint/model';
import { fieldsOf, type Field } from './fields.js';
import { callsNamed, modelsIn, nameIn, type DeclaredModel } from './models.js';
import { collectionName } from './plural.js';

type CreateTable = Extract<SchemaAction, { do: 'create table' }>;

export const modelName = (name: string): TableName => ({ by: 'model', library: 'mongoose', name });

/** The collections of the models that a file declares, as tables. Models that share a collection make one. */
export function declarations(facts: FileFacts, context: LinkContext): readonly SchemaEvent[] {
  const tables = new Map<string, { action: CreateTable; span: Span }>();
  for (const model of modelsIn(facts, context)) {
    const action = tableOf(model, facts, context);
    const before = tables.get(action.table.name);
    tables.set(action.table.name, {
      action: before ? united(before.action, action) : action,
      span: before?.span ?? model.span,
    });
  }
  return [...tables.values()].map(({ action, span }): SchemaEvent => ({ action, span, direction: 'up' }));
}

function tableOf(model: DeclaredModel, facts: FileFacts, context: LinkContext): CreateTable {
  const { schema } = model;
  const { fields } = fieldsOf(schema, context);
  const columns = new Map<string, ColumnDefinition>();
  const key: ColumnDefinition = { name: '_id', type: 'objectid', notNull: true, span: model.span };
  columns.set('_id', key);
  for (const field of fields) columns.set(field.path, columnOf(field));
  if (isOn(option(model, 'timestamps')))
    for (const name of ['createdAt', 'updatedAt'])
      columns.set(name, { name, type: 'timestamp with time zone', notNull: true, span: model.span });
  const id = columns.get('_id');
  if (id) columns.set('_id', { ...id, notNull: true });
  return {
    do: 'create table',
    table: { name: collectionOf(model, context) },
    aliases: [modelName(model.name), ...bindingsOf(model, facts)],
    columns: [...columns.values()],
    constraints: [
      { kind: 'primary key', columns: ['_id'], span: model.span },
      ...fields.flatMap((f): ConstraintDefinition[] =>
        f.unique ? [{ kind: 'unique', columns: [f.path], span: f.span }] : [],
      ),
    ],
    indexes: callsNamed(schema, 'index').flatMap((step) => indexOf(step.arguments ?? [], step.span)),
    relations: [...fields.flatMap(relationOf), ...virtualsOf(model, context)],
    ifNotExists: false,
    temporary: false,
    inherits: [],
    like: [],
    documents: true,
  };
}

const columnOf = (field: Field): ColumnDefinition => ({
  name: field.path,
  type: field.type,
  notNull: field.required,
  ...(field.default ? { default: field.default } : {}),
  span: field.span,
});

function option(model: DeclaredModel, name: string): Value | undefined {
  const { options } = model.schema;
  const found = options && propertyOf(options, name);
  const nested = options && propertyOf(propertyOf(options, 'schemaOptions'), name);
  return found && found.kind !== 'undefined' ? found : nested;
}

const isOn = (value: Value | undefined): boolean =>
  value !== undefined && value.kind !== 'undefined' && !(value.kind === 'constant' && value.value === false);

/** The third argument of `model`, the option `collection`, the collection of the base model, or the plural of the name. */
function collectionOf(model: DeclaredModel, context: LinkContext): string {
  const given = model.collection ?? option(model, 'collection');
  const name = given && nameIn(given, context);
  if (name !== undefined) return name;
  if (model.base) {
    const base = context.resolve(model.base);
    const chain = base.kind === 'result' ? context.chain(base.chain) : undefined;
    const declared = chain && context.facts(chain.span.file);
    const of = declared && modelsIn(declared, context).find((m) => m.chain?.id === chain.id);
    if (of && of !== model) return collectionOf(of, context);
  }
  return collectionName(model.name);
}

/** The names that the file gives a model. */
function bindingsOf(model: DeclaredModel, facts: FileFacts): readonly TableName[] {
  const { chain } = model;
  if (!chain) return [];
  const isIt = (value: Value): boolean =>
    value.kind === 'result'
      ? value.chain === chain.id && value.path.length === 0
      : (value.kind === 'apply' && value.to.some(isIt)) || (value.kind === 'choice' && value.of.some(isIt));
  return Object.entries(facts.bindings).flatMap(([name, value]): TableName[] =>
    isIt(value) ? [{ by: 'binding', file: facts.file, name }] : [],
  );
}

/** A reference to one document is a relation; a list of them has no column that holds one. */
function relationOf(field: Field): RelationDefinition[] {
  if (field.ref === undefined) return [];
  const many = field.type.endsWith('[]');
  return [
    {
      name: field.path,
      to: modelName(field.ref),
      cardinality: many ? 'many' : 'one',
      columns: many ? [] : [field.path],
      references: many ? [] : ['_id'],
      ...(many ? { relationName: `${field.path}/${field.ref}` } : {}),
      nullable: !field.required,
      span: field.span,
    },
  ];
}

/** `schema.virtual('lines', { ref: 'Line', localField: '_id', foreignField: 'invoice' })`. */
function virtualsOf(model: DeclaredModel, context: LinkContext): RelationDefinition[] {
  return callsNamed(model.schema, 'virtual').flatMap((step): RelationDefinition[] => {
    const [first, settings] = step.arguments ?? [];
    const at = (name: string): string | undefined => settings && nameIn(propertyOf(settings, name), context);
    const name = first && nameIn(first, context);
    const [ref, local, foreign] = [at('ref'), at('localField'), at('foreignField')];
    if (name === undefined || ref === undefined || local === undefined || foreign === undefined) return [];
    const one = settings && propertyOf(settings, 'justOne');
    return [
      {
        name,
        to: modelName(ref),
        cardinality: one?.kind === 'constant' && one.value === true ? 'one' : 'many',
        columns: [local],
        references: [foreign],
        span: step.span,
      },
    ];
  });
}

/** `schema.index({ orgId: 1, slug: 1 }, { unique: true })`. */
function indexOf(args: readonly Value[], span: Span): IndexDefinition[] {
  const [keys, settings] = args;
  if (keys?.kind !== 'object') return [];
  const columns = keys.entries.flatMap((e) => ('set' in e ? [e.set] : []));
  if (columns.length !== keys.entries.length) return [];
  const flag = (name: string): Value | undefined => settings && propertyOf(settings, name);
  const unique = flag('unique');
  const partial = flag('partialFilterExpression');
  const isPartial = partial !== undefined && partial.kind !== 'undefined';
  return [
    {
      unique: unique?.kind === 'constant' && unique.value === true && !isPartial,
      method: 'btree',
      keys: columns.map((column) => ({ column })),
      include: [],
      span,
    },
  ];
}

/** Models of one collection: what any of them says of it. */
function united(a: CreateTable, b: CreateTable): CreateTable {
  const columns = new Map([...a.columns, ...b.columns].reverse().map((c) => [c.name, c]));
  const shared = new Set(a.columns.map((c) => c.name));
  const own = new Set(b.columns.map((c) => c.name));
  return {
    ...a,
    aliases: [...a.aliases, ...b.aliases],
    // What only some of the models have, a document may lack.
    columns: [...columns.values()]
      .reverse()
      .map((c) => (shared.has(c.name) && own.has(c.name) ? c : shared.has(c.name) ? c : { ...c, notNull: false })),
    constraints: [...a.constraints, ...b.constraints.filter((c) => c.kind !== 'primary key')],
    indexes: [...a.indexes, ...b.indexes],
    relations: [...a.relations, ...b.relations.filter((r) => !a.relations.some((o) => o.name === r.name))],
  };
}
