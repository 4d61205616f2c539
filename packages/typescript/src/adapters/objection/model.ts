import { propertyOf, type ClassFacts, type FunctionId, type LinkContext, type Value } from '@tenant-lint/model';

/** A model class. */
export interface ModelClass {
  readonly file: string;
  readonly facts: ClassFacts;
  readonly table: string;
  /** Columns of the key. */
  readonly id: readonly string[];
}

/** One relation of a model, as its mapping says: columns of both sides, and those of the table between. */
export interface Relation {
  readonly model: ModelClass;
  readonly from: string;
  readonly to: string;
  readonly through?: { readonly table: string; readonly from: string; readonly to: string };
}

const maxParents = 8;

/** The class that a value is; `this` within a class is the class, or an instance of it. */
export function classOf(value: Value, context: LinkContext): { file: string; facts: ClassFacts } | undefined {
  if (value.kind === 'this' && (value.path.length === 0 || value.path[0] === 'constructor'))
    return find(value.from, value.class, context);
  const resolved = value.kind === 'binding' ? value : context.resolve(value);
  if (resolved.kind !== 'binding' || resolved.path.length > 0) return undefined;
  const own = find(resolved.file, resolved.name, context);
  if (own) return own;
  const next = context.resolve(resolved);
  return next.kind === 'binding' && next.path.length === 0 ? find(next.file, next.name, context) : undefined;
}

function find(file: string, name: string, context: LinkContext): { file: string; facts: ClassFacts } | undefined {
  const facts = context.facts(file)?.classes.find((c) => c.name === name);
  return facts && { file, facts };
}

/** A class and those it extends, nearest first; and whether the last one is the library's. */
function lineage(
  own: { file: string; facts: ClassFacts },
  context: LinkContext,
): { classes: readonly ClassFacts[]; isModel: boolean } {
  const classes: ClassFacts[] = [own.facts];
  let at = own.facts.extends;
  for (let i = 0; at && i < maxParents; i++) {
    const resolved = context.resolve(at);
    for (const v of [at, resolved])
      if (v.kind === 'import' && v.module === 'objection') return { classes, isModel: true };
    const parent = classOf(at, context);
    if (!parent) {
      // `class Base extends softDelete(Model)`: what a function makes of a class.
      const chain = resolved.kind === 'result' ? context.chain(resolved.chain) : undefined;
      at = chain?.steps.at(-1)?.arguments?.[0];
      continue;
    }
    classes.push(parent.facts);
    at = parent.facts.extends;
  }
  return { classes, isModel: false };
}

/** A static member: a field, or what a getter or function of that name returns. */
function member(classes: readonly ClassFacts[], name: string, context: LinkContext): Value | undefined {
  for (const c of classes) {
    const field = Object.hasOwn(c.fields, name) ? c.fields[name]?.value : undefined;
    const method = Object.hasOwn(c.methods, name) ? c.methods[name] : undefined;
    const value = field && context.resolve(field);
    if (value && value.kind !== 'function') return value;
    const id = value?.kind === 'function' ? value.function : method;
    const returned = id === undefined ? undefined : context.function(id)?.returns.at(-1)?.value;
    if (returned) return context.resolve(returned);
  }
  return undefined;
}

const textOf = (value: Value | undefined): string | undefined =>
  value?.kind === 'constant' && typeof value.value === 'string' ? value.value : undefined;

/** The model that a value is a class of; undefined for anything else. */
export function modelOf(value: Value, context: LinkContext): ModelClass | undefined {
  const own = classOf(value, context);
  return own && modelOfClass(own, context);
}

function modelOfClass(own: { file: string; facts: ClassFacts }, context: LinkContext): ModelClass | undefined {
  const { classes, isModel } = lineage(own, context);
  const table = textOf(member(classes, 'tableName', context));
  if (table === undefined || (!isModel && own.facts.extends === undefined)) return undefined;
  const id = member(classes, 'idColumn', context);
  const columns = id?.kind === 'list' ? id.of.map((i) => textOf(i.value) ?? '') : [textOf(id) ?? 'id'];
  return { ...own, table, id: columns };
}

/** The static function `query` that a model or a model it extends declares: a default scope. */
export function ownQuery(model: ModelClass, context: LinkContext): FunctionId | undefined {
  const { classes } = lineage(model, context);
  for (const c of classes) if (Object.hasOwn(c.methods, 'query')) return c.methods['query'];
  return undefined;
}

/** The function of a named modifier. */
export function modifierOf(model: ModelClass, name: string, context: LinkContext): FunctionId | undefined {
  const { classes } = lineage(model, context);
  const modifiers = member(classes, 'modifiers', context);
  const value = modifiers && context.resolve(propertyOf(modifiers, name));
  return value?.kind === 'function' ? value.function : undefined;
}

/** A method of the model's own query builder class. */
export function builderMethod(model: ModelClass, name: string, context: LinkContext): FunctionId | undefined {
  const { classes } = lineage(model, context);
  const own = member(classes, 'QueryBuilder', context);
  const given = own && classOf(own, context);
  if (!given) return undefined;
  for (const c of lineage(given, context).classes) if (Object.hasOwn(c.methods, name)) return c.methods[name];
  return undefined;
}

/** A relation by its name. */
export function relationOf(model: ModelClass, name: string, context: LinkContext): Relation | undefined {
  const { classes } = lineage(model, context);
  const mappings = member(classes, 'relationMappings', context);
  const found = mappings && context.resolve(propertyOf(mappings, name));
  if (found?.kind !== 'object') return undefined;
  const given = context.resolve(propertyOf(found, 'modelClass'));
  const related = relatedModel(given.kind === 'function' ? returned(given.function, context) : given, model, context);
  const join = propertyOf(found, 'join');
  const from = columnOf(propertyOf(join, 'from'), context);
  const to = columnOf(propertyOf(join, 'to'), context);
  if (!related || !from || !to) return undefined;
  const between = propertyOf(join, 'through');
  if (between.kind === 'undefined') return { model: related, from: from.column, to: to.column };
  const [a, b] = [columnOf(propertyOf(between, 'from'), context), columnOf(propertyOf(between, 'to'), context)];
  if (!a || !b) return undefined;
  return {
    model: related,
    from: from.column,
    to: to.column,
    through: { table: a.table, from: a.column, to: b.column },
  };
}

const returned = (id: FunctionId, context: LinkContext): Value | undefined => context.function(id)?.returns[0]?.value;

/** A class, or the path of the file that exports it. */
function relatedModel(value: Value | undefined, from: ModelClass, context: LinkContext): ModelClass | undefined {
  if (!value) return undefined;
  const direct = modelOf(value, context);
  if (direct) return direct;
  const text = textOf(value);
  if (text === undefined) return undefined;
  const module = text.startsWith('.') ? text : `./${text.slice(text.lastIndexOf('/') + 1)}`;
  for (const name of ['default', module.slice(module.lastIndexOf('/') + 1)]) {
    const found = modelOf({ kind: 'import', from: from.file, module, name, path: [] }, context);
    if (found) return found;
  }
  return undefined;
}

function columnOf(value: Value, context: LinkContext): { table: string; column: string } | undefined {
  const own = context.resolve(value);
  const text = textOf(own) ?? templateOf(own, context);
  if (text === undefined) return undefined;
  const at = text.lastIndexOf('.');
  return { table: text.slice(0, Math.max(0, at)), column: text.slice(at + 1) };
}

/** `${Org.tableName}.id`: the column is what stands behind the last dot. */
function templateOf(value: Value, context: LinkContext): string | undefined {
  if (value.kind !== 'text') return undefined;
  const parts = value.parts.map((p) => {
    if ('text' in p) return p.text;
    const path = 'path' in p.hole ? p.hole.path : [];
    const own = path.at(-1) === 'tableName' && 'path' in p.hole ? { ...p.hole, path: path.slice(0, -1) } : undefined;
    return (own && modelOf(own, context)?.table) ?? '';
  });
  return parts.join('');
}
