import type { CallChain, FileFacts, LinkContext, Span, Step, Value } from '@tenant-lint/model';

/** A schema as a value shows it, with what its file does to it. */
export interface SchemaSource {
  /** The object of fields: the first argument of `new Schema(...)`. */
  readonly fields: Value | undefined;
  readonly options: Value | undefined;
  /** A class whose decorated fields are the schema. */
  readonly of?: { readonly file: string; readonly name: string };
  /** Calls on it: index, pre, plugin, virtual, add, set. */
  readonly calls: readonly CallChain[];
  readonly span: Span;
}

/** A model that a file declares. */
export interface DeclaredModel {
  readonly name: string;
  /** The third argument of `model(...)`. */
  readonly collection?: Value;
  readonly schema: SchemaSource;
  readonly chain?: CallChain;
  /** The model whose collection it shares, with a mark of its own. */
  readonly base?: Value;
  readonly span: Span;
}

const modules = /^(?:mongoose|@nestjs\/mongoose|@typegoose\/typegoose|@feathersjs\/mongoose)$/;
export const fromMongoose = (value: Value): boolean => value.kind === 'import' && modules.test(value.module);

/** The name under which an import of Mongoose is used: `Schema` of `mongoose.Schema`. */
export function exportOf(value: Value): string | undefined {
  if (value.kind !== 'import' || !modules.test(value.module)) return undefined;
  const names = value.name === 'default' || value.name === '*' ? value.path : [value.name, ...value.path];
  return names[0] === 'default' ? names.slice(1).join('.') : names.join('.');
}

/** By the context, since what a name stands for is a matter of the whole program. */
const remembered = new WeakMap<LinkContext, WeakMap<FileFacts, readonly DeclaredModel[]>>();

/** The models of a file: `model('X', schema)`, `discriminator`, classes with `@Schema()` and those handed to `getModelForClass`. */
export function modelsIn(facts: FileFacts, context: LinkContext): readonly DeclaredModel[] {
  let files = remembered.get(context);
  if (!files) remembered.set(context, (files = new WeakMap()));
  const known = files.get(facts);
  if (known) return known;
  const found = mayDeclare(facts)
    ? [...facts.chains.flatMap((c) => modelBy(c, context) ?? []), ...classesIn(facts)]
    : [];
  files.set(facts, found);
  return found;
}

const mayDeclare = (facts: FileFacts): boolean =>
  facts.imports.some((i) => modules.test(i.module)) ||
  facts.chains.some((c) => c.steps.some((s) => s.name === 'model' || s.name === 'discriminator')) ||
  facts.chains.some((c) => fromMongoose(c.receiver));

/** The model that a chain makes. */
function modelBy(chain: CallChain, context: LinkContext): DeclaredModel | undefined {
  const step = chain.steps.filter((s) => s.arguments !== undefined).at(-1);
  if (!step?.arguments) return undefined;
  const called = step.name || exportOf(chain.receiver);
  const [first, second, third] = step.arguments;
  if (called === 'getModelForClass' && first) {
    const schema = classSchema(first, chain.span, context);
    return schema?.of && { name: schema.of.name, schema, chain, span: chain.span };
  }
  if ((called !== 'model' && called !== 'discriminator') || !first || !second) return undefined;
  const name = nameIn(first, context);
  const schema = name === undefined ? undefined : schemaOf(second, chain.span, context);
  if (name === undefined || !schema) return undefined;
  return {
    name,
    schema,
    chain,
    span: chain.span,
    ...(called === 'model' && third ? { collection: third } : {}),
    ...(called === 'discriminator' ? { base: chain.receiver } : {}),
  };
}

/** `'Invoice'`, a constant of that value, `Invoice.name` of a class. */
export function nameIn(value: Value, context: LinkContext): string | undefined {
  const v = value.kind === 'constant' ? value : context.resolve(value);
  if (v.kind === 'constant') return typeof v.value === 'string' ? v.value : undefined;
  if (('path' in value && value.path.at(-1) === 'name') || value.kind === 'binding' || value.kind === 'import')
    return classNamed(value, context)?.name;
  return undefined;
}

function classNamed(value: Value, context: LinkContext): { file: string; name: string } | undefined {
  const base =
    'path' in value && value.path.length > 0 ? ({ ...value, path: value.path.slice(0, -1) } as Value) : value;
  for (const one of [value, base]) {
    const v = context.resolve(one);
    if (v.kind !== 'binding') continue;
    const found = context.facts(v.file)?.classes.find((c) => c.name === v.name);
    if (found) return { file: v.file, name: v.name };
  }
  return undefined;
}

/** A schema behind a value; statics and methods that were set on it are looked through. */
export function schemaOf(value: Value, span: Span, context: LinkContext, depth = 0): SchemaSource | undefined {
  if (depth > 6) return undefined;
  const v = value.kind === 'instance' ? value : context.resolve(value);
  if (v.kind === 'object') {
    const [first] = v.entries;
    return first && 'spread' in first ? schemaOf(first.spread, span, context, depth + 1) : undefined;
  }
  if (v.kind === 'instance') {
    const name = exportOf(v.of) ?? exportOf(context.resolve(v.of));
    if (name !== 'Schema') return undefined;
    const [fields, options] = v.arguments;
    return { fields, options, calls: callsOn(v.span, context), span: v.span };
  }
  if (v.kind !== 'result') return undefined;
  const chain = context.chain(v.chain);
  const last = chain?.steps.at(-1);
  const [of] = last?.arguments ?? [];
  if (last?.name !== 'createForClass' || !of) return undefined;
  return classSchema(of, span, context, chain?.span);
}

function classSchema(value: Value, span: Span, context: LinkContext, made?: Span): SchemaSource | undefined {
  const of = classNamed(value, context);
  const found = of && context.facts(of.file)?.classes.find((c) => c.name === of.name);
  if (!of || !found) return undefined;
  const options = found.decorators.find((d) => exportOf(d.name) === 'Schema' || exportOf(d.name) === 'modelOptions');
  return {
    fields: undefined,
    options: options?.arguments[0],
    of,
    calls: made ? callsOn(made, context) : [],
    span: found.span.start >= 0 ? found.span : span,
  };
}

/** Classes that Nest's decorator declares; those without an own `_id` are parts of others. */
function classesIn(facts: FileFacts): readonly DeclaredModel[] {
  return facts.classes.flatMap((c): DeclaredModel[] => {
    const decorator = c.decorators.find((d) => exportOf(d.name) === 'Schema');
    if (!decorator) return [];
    const [options] = decorator.arguments;
    const made = facts.chains.find(
      (chain) => chain.steps.at(-1)?.name === 'createForClass' && isNamed(chain.steps.at(-1)?.arguments?.[0], c.name),
    );
    const schema: SchemaSource = {
      fields: undefined,
      options,
      of: { file: facts.file, name: c.name },
      calls: made ? calls(facts, (v) => v.kind === 'binding' && isBoundTo(facts, v.name, made.id)) : [],
      span: c.span,
    };
    return [{ name: c.name, schema, span: c.span }];
  });
}

const isNamed = (value: Value | undefined, name: string): boolean => value?.kind === 'binding' && value.name === name;

const isBoundTo = (facts: FileFacts, name: string, chain: string): boolean => {
  const value = facts.bindings[name];
  return value?.kind === 'result' && value.chain === chain;
};

const changes = new Set(['index', 'pre', 'plugin', 'virtual', 'add', 'set']);

/** The calls of a file on the schema that was made at `made`. */
function callsOn(made: Span, context: LinkContext): readonly CallChain[] {
  const facts = context.facts(made.file);
  if (!facts) return [];
  const isIt = (value: Value, depth: number): boolean => {
    if (depth > 4) return false;
    if (value.kind === 'instance') return value.span.start === made.start;
    if (value.kind === 'result') return context.chain(value.chain)?.span.start === made.start;
    if (value.kind === 'object') {
      const [first] = value.entries;
      return first !== undefined && 'spread' in first && isIt(first.spread, depth + 1);
    }
    const v = value.kind === 'binding' ? context.resolve(value) : value;
    return v !== value && isIt(v, depth + 1);
  };
  return calls(facts, (receiver) => isIt(receiver, 0));
}

const calls = (facts: FileFacts, isReceiver: (value: Value) => boolean): readonly CallChain[] =>
  facts.chains.filter((c) => c.steps.some((s) => changes.has(s.name) && s.arguments) && isReceiver(c.receiver));

/** The steps of a schema's calls that have one of these names, in source order. */
export const callsNamed = (schema: SchemaSource, name: string): readonly Step[] =>
  schema.calls.flatMap((c) => c.steps.filter((s) => s.name === name && s.arguments !== undefined));
