import {
  propertyOf,
  type CallChain,
  type FileFacts,
  type LinkContext,
  type Span,
  type Value,
} from '@tenant-lint/model';

/** A model that a file declares, by `define`, by `init` or by decorators. */
export interface DeclaredModel {
  readonly name: string;
  readonly fields?: Value;
  readonly options?: Value;
  /** The class whose decorated fields are the model, or on which `init` is called. */
  readonly of?: { readonly file: string; readonly name: string };
  readonly decorated?: true;
  readonly chain?: CallChain;
  readonly span: Span;
}

const modules = /^(?:sequelize|sequelize-typescript|@sequelize\/core|@sequelize\/core\/.*)$/;
export const fromSequelize = (value: Value): boolean => value.kind === 'import' && modules.test(value.module);

/** The name under which an import of Sequelize is used: `DataTypes.UUID`. */
export function exportOf(value: Value): string | undefined {
  if (value.kind !== 'import' || !modules.test(value.module)) return undefined;
  const names = value.name === 'default' || value.name === '*' ? value.path : [value.name, ...value.path];
  return names.join('.');
}

const remembered = new WeakMap<LinkContext, WeakMap<FileFacts, readonly DeclaredModel[]>>();

/** The models of a file. */
export function modelsIn(facts: FileFacts, context: LinkContext): readonly DeclaredModel[] {
  let files = remembered.get(context);
  if (!files) remembered.set(context, (files = new WeakMap()));
  const known = files.get(facts);
  if (known) return known;
  const found = [...facts.chains.flatMap((c) => modelBy(c, facts, context) ?? []), ...decoratedIn(facts, context)];
  files.set(facts, found);
  return found;
}

export const optionOf = (value: Value | undefined, name: string): Value | undefined => {
  const found = value && propertyOf(value, name);
  return found && found.kind !== 'undefined' ? found : undefined;
};

export const textIn = (value: Value | undefined, context: LinkContext): string | undefined => {
  const v = value && (value.kind === 'constant' ? value : context.resolve(value));
  return v?.kind === 'constant' && typeof v.value === 'string' ? v.value : undefined;
};

function modelBy(chain: CallChain, facts: FileFacts, context: LinkContext): DeclaredModel | undefined {
  const step = chain.steps.at(-1);
  if (!step?.arguments || chain.steps.slice(0, -1).some((s) => s.arguments !== undefined)) return undefined;
  const [first, second, third] = step.arguments;
  if (step.name === 'define' && first && second) {
    const name = textIn(first, context);
    const fields = context.resolve(second);
    if (name === undefined || fields.kind !== 'object' || !isSequelize(chain, facts)) return undefined;
    return { name, fields, ...(third ? { options: context.resolve(third) } : {}), chain, span: chain.span };
  }
  if (step.name !== 'init' || !first || !second) return undefined;
  const options = context.resolve(second);
  const fields = context.resolve(first);
  const of = classOf(chain.receiver, context);
  if (!of || fields.kind !== 'object' || optionOf(options, 'sequelize') === undefined) return undefined;
  const name = textIn(optionOf(options, 'modelName'), context) ?? of.name;
  return { name, fields, options, of, chain, span: chain.span };
}

/** `define` is a word of many libraries: this one is Sequelize's where the receiver or the file says so. */
function isSequelize(chain: CallChain, facts: FileFacts): boolean {
  const names = [
    'name' in chain.receiver ? chain.receiver.name : '',
    ...('path' in chain.receiver ? chain.receiver.path : []),
    ...chain.steps.map((s) => s.name),
  ];
  if (names.some((n) => /sequelize/i.test(n)) || facts.imports.some((i) => modules.test(i.module))) return true;
  // module.exports = (sequelize, DataTypes) => sequelize.define(...)
  const { receiver } = chain;
  const f = receiver.kind === 'parameter' ? facts.functions.find((one) => one.id === receiver.function) : undefined;
  return receiver.kind === 'parameter' && /sequelize/i.test(f?.parameters[receiver.index]?.name ?? '');
}

/** The class that a value is. */
export function classOf(value: Value, context: LinkContext): { file: string; name: string } | undefined {
  if (value.kind === 'this' && value.path.length === 0) return { file: value.from, name: value.class };
  const v = context.resolve(value);
  if (v.kind !== 'binding' || v.path.length > 0) return undefined;
  return context.facts(v.file)?.classes.some((c) => c.name === v.name) ? { file: v.file, name: v.name } : undefined;
}

/** Classes with the decorators of sequelize-typescript. */
function decoratedIn(facts: FileFacts, context: LinkContext): readonly DeclaredModel[] {
  return facts.classes.flatMap((c): DeclaredModel[] => {
    const table = c.decorators.find((d) => exportOf(d.name) === 'Table');
    if (!table) return [];
    const [options] = table.arguments;
    return [
      {
        name: textIn(optionOf(options, 'modelName'), context) ?? c.name,
        ...(options ? { options: context.resolve(options) } : {}),
        of: { file: facts.file, name: c.name },
        decorated: true,
        span: c.span,
      },
    ];
  });
}
