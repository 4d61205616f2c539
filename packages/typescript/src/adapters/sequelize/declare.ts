import {
  type FileFacts,
  type IndexDefinition,
  type LinkContext,
  type RelationDefinition,
  type SchemaEvent,
  type Span,
  type TableName,
  type Value,
} from '@tenant-lint/model';
import { collectionName } from '../mongoose/plural.js';
import { camel, columnsOf, snake } from './columns.js';
import { classOf, modelsIn, optionOf, textIn, type DeclaredModel } from './models.js';

export const modelName = (name: string): TableName => ({ by: 'model', library: 'sequelize', name });

/** The tables of the models that a file declares, and the associations that it makes. */
export function declarations(facts: FileFacts, context: LinkContext): readonly SchemaEvent[] {
  const events: SchemaEvent[] = [];
  const models = modelsIn(facts, context);
  const made = associations(facts, context);
  for (const model of models) {
    const options = allOptions(model, context);
    const { columns, constraints, relations } = columnsOf(model, options, context);
    const schema = textIn(optionOf(options, 'schema'), context);
    for (const { to, relation } of made.filter((a) => a.from === model.name && a.holds)) {
      const [key = ''] = relation.columns;
      const isKnown = columns.some((c) => c.name === key || c.property === key);
      if (!isKnown) columns.push({ name: key, type: '', notNull: false, span: relation.span });
      const isStated = constraints.some((c) => c.kind === 'foreign key' && c.columns.includes(key));
      if (isStated) continue;
      const { references, span } = relation;
      constraints.push({
        kind: 'foreign key',
        columns: [key],
        references: modelName(to),
        referencedColumns: references,
        span,
      });
    }
    events.push({
      action: {
        do: 'create table',
        table: { ...(schema === undefined ? {} : { schema }), name: tableOf(model, options, context) },
        aliases: [modelName(model.name), ...bindingsOf(model, facts)],
        columns,
        constraints,
        indexes: indexesOf(options, model.span, context),
        relations,
        ifNotExists: false,
        temporary: false,
        inherits: [],
        like: [],
      },
      span: model.span,
      direction: 'up',
    });
  }
  for (const { from, relation, span } of made)
    events.push({
      action: { do: 'add relations', table: modelName(from), relations: [relation] },
      span,
      direction: 'up',
    });
  return events;
}

/** What the connection sets for all models, and what the model sets. */
function allOptions(model: DeclaredModel, context: LinkContext): Value | undefined {
  const connection =
    model.chain?.steps.at(-1)?.name === 'define' ? model.chain.receiver : optionOf(model.options, 'sequelize');
  const made = connection && context.resolve(connection);
  const settings =
    made?.kind === 'instance'
      ? made.arguments.map((a) => context.resolve(a)).find((a) => a.kind === 'object')
      : undefined;
  const define = optionOf(settings, 'define');
  if (!define) return model.options;
  return {
    kind: 'object',
    entries: [{ spread: context.resolve(define) }, ...(model.options ? [{ spread: model.options }] : [])],
  };
}

const isOn = (value: Value | undefined): boolean => value?.kind === 'constant' && value.value === true;

function tableOf(model: DeclaredModel, options: Value | undefined, context: LinkContext): string {
  const given =
    textIn(optionOf(options, 'tableName'), context) ?? (model.decorated ? textIn(options, context) : undefined);
  if (given !== undefined) return given;
  if (isOn(optionOf(options, 'freezeTableName'))) return model.name;
  // sequelize-typescript takes the name of the class as it is.
  const plural = model.decorated ? model.name : pluralOf(model.name);
  return isOn(optionOf(options, 'underscored')) ? snake(plural) : plural;
}

/** `OrderItem` is kept in `OrderItems`. */
export function pluralOf(name: string): string {
  const lower = collectionName(name);
  let same = 0;
  while (same < name.length && name[same]!.toLowerCase() === lower[same]) same++;
  return name.slice(0, same) + lower.slice(same);
}

function bindingsOf(model: DeclaredModel, facts: FileFacts): readonly TableName[] {
  const names = new Set<string>(model.of?.file === facts.file ? [model.of.name] : []);
  const isIt = (value: Value): boolean => {
    if (value.kind === 'result') return value.chain === model.chain?.id && value.path.length === 0;
    const [first] = value.kind === 'object' ? value.entries : [];
    return first !== undefined && 'spread' in first && isIt(first.spread);
  };
  for (const [name, value] of Object.entries(facts.bindings)) if (isIt(value)) names.add(name);
  return [...names].map((name) => ({ by: 'binding', file: facts.file, name }));
}

function indexesOf(options: Value | undefined, span: Span, context: LinkContext): IndexDefinition[] {
  const list = optionOf(options, 'indexes');
  if (list?.kind !== 'list') return [];
  return list.of.flatMap(({ value }): IndexDefinition[] => {
    const index = context.resolve(value);
    const columns = optionOf(index, 'fields');
    if (columns?.kind !== 'list') return [];
    const names = columns.of.map((f) => textIn(f.value, context) ?? textIn(optionOf(f.value, 'name'), context));
    if (names.some((n) => n === undefined)) return [];
    const partial = optionOf(index, 'where') !== undefined;
    return [
      {
        unique: isOn(optionOf(index, 'unique')) && !partial,
        method: 'btree',
        keys: names.map((column) => ({ column: column! })),
        include: [],
        span,
      },
    ];
  });
}

const kinds: Readonly<Record<string, 'one' | 'many'>> = {
  belongsTo: 'one',
  hasOne: 'one',
  hasMany: 'many',
  belongsToMany: 'many',
};

interface Association {
  readonly from: string;
  readonly to: string;
  /** The table of `from` holds the key. */
  readonly holds: boolean;
  readonly relation: RelationDefinition;
  readonly span: Span;
}

/** `Invoice.belongsTo(Customer, { foreignKey: 'customerId', as: 'customer' })`. */
function associations(facts: FileFacts, context: LinkContext): Association[] {
  return facts.chains.flatMap((chain): Association[] => {
    const step = chain.steps.at(-1);
    const cardinality = step && Object.hasOwn(kinds, step.name) ? kinds[step.name] : undefined;
    const [first, options] = step?.arguments ?? [];
    if (!step || !cardinality || !first) return [];
    const reads = chain.steps.slice(0, -1);
    if (reads.some((s) => s.arguments !== undefined)) return [];
    const from = modelNamed(chain.receiver, reads.at(-1)?.name, context);
    const to = modelNamed(first, undefined, context);
    if (from === undefined || to === undefined) return [];
    const settings = options && context.resolve(options);
    const as = textIn(optionOf(settings, 'as'), context);
    const given = optionOf(settings, 'foreignKey');
    const key = textIn(given, context) ?? textIn(optionOf(given, 'name'), context);
    const relation: RelationDefinition = {
      name: as ?? (cardinality === 'one' ? to : pluralOf(to)),
      to: modelName(to),
      cardinality,
      ...tie(step.name, key, as, from, to, settings, context),
      span: step.span,
    };
    const holds = step.name === 'belongsTo' && optionOf(settings, 'constraints')?.kind === undefined;
    return [{ from, to, holds, relation, span: chain.span }];
  });
}

/** The columns that tie the rows: the key is on the side that belongs. */
function tie(
  kind: string,
  key: string | undefined,
  as: string | undefined,
  from: string,
  to: string,
  settings: Value | undefined,
  context: LinkContext,
): { columns: readonly string[]; references: readonly string[]; relationName?: string } {
  if (kind === 'belongsToMany') return { columns: [], references: [], relationName: `${from}/${as ?? to}` };
  const target = textIn(optionOf(settings, 'targetKey'), context) ?? 'id';
  const source = textIn(optionOf(settings, 'sourceKey'), context) ?? 'id';
  if (kind === 'belongsTo') return { columns: [key ?? `${camel(as ?? to)}Id`], references: [target] };
  return { columns: [source], references: [key ?? `${camel(from)}Id`] };
}

/** The model that a value is: a class, what `define` made, or `models.Customer`. */
export function modelNamed(value: Value, read: string | undefined, context: LinkContext): string | undefined {
  if (read !== undefined) return /^[A-Z]/.test(read) ? read : undefined;
  const of = classOf(value, context);
  if (of) return of.name;
  const v = context.resolve(value);
  const chain = v.kind === 'result' && v.path.length === 0 ? context.chain(v.chain) : undefined;
  const last = chain?.steps.at(-1);
  if (last?.name === 'define' || last?.name === 'model') return textIn(last.arguments?.[0], context);
  if (v.kind === 'object') {
    const [first] = v.entries;
    return first && 'spread' in first ? modelNamed(first.spread, undefined, context) : undefined;
  }
  const name = 'path' in v ? (v.path.at(-1) ?? ('name' in v ? v.name : undefined)) : undefined;
  return name !== undefined && /^[A-Z]/.test(name) ? name : undefined;
}
