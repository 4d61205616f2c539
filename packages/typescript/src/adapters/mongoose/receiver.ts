import { propertyOf, type LowerContext, type TableName, type Value } from '@tenant-lint/model';
import { modelName } from './declare.js';
import { exportOf, fromMongoose, nameIn } from './models.js';

/** The model that a receiver is. `proven`: by where it comes from, and not only by its name. */
export interface ModelRef {
  readonly name: TableName;
  readonly proven: boolean;
}

const maxDepth = 10;

/** Follows a receiver to the call that makes or finds a model, to an injected field, or to an annotation; else asks its name. */
export function modelOf(value: Value, context: LowerContext): ModelRef | undefined {
  return proven(value, context, 0) ?? byName(value, context);
}

function proven(value: Value, context: LowerContext, depth: number): ModelRef | undefined {
  if (depth > maxDepth) return undefined;
  const again = (v: Value): ModelRef | undefined => proven(v, context, depth + 1);
  const declared = context.tableOf(value);
  if (declared.known && isCollection(declared.value, context)) return { name: declared.value, proven: true };
  const typed = context.typeOf(value);
  const byType = typed && typedModel(typed.text, context);
  if (byType) return byType;
  switch (value.kind) {
    case 'missing-able':
      return again(value.of);
    case 'choice':
      return firstOf(value.of, again);
    case 'apply':
      return ['||', '??', '&&'].includes(value.function) ? firstOf(value.to, again) : undefined;
    case 'object': {
      // Functions set on a model leave it one.
      const [first] = value.entries;
      return first && 'spread' in first ? again(first.spread) : undefined;
    }
    case 'result': {
      const found = value.path.length === 0 ? madeBy(value, context) : inModels(value.path, context, false);
      if (found) return found;
      break;
    }
    case 'parameter': {
      const [decorated] = value.path.length === 0 ? [injected(value.function, value.index, context)] : [];
      if (decorated) return decorated;
      break;
    }
    case 'this': {
      const found = context.facts(value.from)?.classes.find((c) => c.name === value.class);
      const [name] = value.path;
      const field = name !== undefined && value.path.length === 1 ? found?.fields[name] : undefined;
      const ref = field?.decorators.map((d) => injectedName(d.name, d.arguments[0], context)).find((r) => r);
      if (ref) return ref;
      if (field?.value) return again(field.value);
      const annotated = field?.type && typedModel(field.type.text, context);
      if (annotated) return annotated;
      break;
    }
    case 'import': {
      const names = exportOf(value)?.split('.');
      if (names?.[0] === 'models' && names.length === 2) return inModels(names, context, true);
      break;
    }
    default:
  }
  const resolved = context.resolve(value);
  return resolved === value ? undefined : again(resolved);
}

function firstOf(values: readonly Value[], find: (v: Value) => ModelRef | undefined): ModelRef | undefined {
  for (const value of values) {
    const found = find(value);
    if (found) return found;
  }
  return undefined;
}

const isCollection = (name: TableName, context: LowerContext): boolean => context.table(name)?.documents === true;

/** `mongoose.model('X')`, `connection.model('X')`, `getModelForClass(X)`. */
function madeBy(value: Extract<Value, { kind: 'result' }>, context: LowerContext): ModelRef | undefined {
  const chain = context.chain(value.chain);
  const step = chain?.steps.filter((s) => s.arguments !== undefined).at(-1);
  const [first] = step?.arguments ?? [];
  if (!chain || !step || !first) return undefined;
  const called = step.name || exportOf(chain.receiver);
  if (!called || !['model', 'discriminator', 'getModelForClass'].includes(called)) return undefined;
  const name = nameIn(first, context);
  if (name === undefined) return undefined;
  const known = context.table(modelName(name)) !== undefined;
  return known || fromMongoose(chain.receiver) ? { name: modelName(name), proven: true } : undefined;
}

/** `mongoose.models.X`, `connection.models.X`. */
function inModels(path: readonly string[], context: LowerContext, sure: boolean): ModelRef | undefined {
  const [models, name] = path.slice(-2);
  if (models !== 'models' || name === undefined) return undefined;
  const ref = modelName(name);
  return sure || context.table(ref) ? { name: ref, proven: true } : undefined;
}

function injected(id: string, index: number, context: LowerContext): ModelRef | undefined {
  for (const d of context.function(id)?.parameters[index]?.decorators ?? []) {
    const found = injectedName(d.name, d.arguments[0], context);
    if (found) return found;
  }
  return undefined;
}

function injectedName(decorator: Value, argument: Value | undefined, context: LowerContext): ModelRef | undefined {
  if (exportOf(decorator) !== 'InjectModel' || !argument) return undefined;
  const name = nameIn(argument, context);
  return name === undefined ? undefined : { name: modelName(name), proven: true };
}

/** `Model<InvoiceDocument>`, `PaginateModel<IInvoice>`, `ReturnModelType<typeof Invoice>`. */
function typedModel(text: string, context: LowerContext): ModelRef | undefined {
  const of = /^(?:\w+\.)?\w*Model(?:Type)?<\s*(?:typeof\s+)?(?:\w+\.)?(\w+)/.exec(text)?.[1];
  if (of === undefined) return undefined;
  const bare = of.replace(/(?:Document|Doc|Model|Schema|Type)$/, '');
  const candidates = [of, bare, bare.replace(/^I(?=[A-Z])/, ''), bare.replace(/^T(?=[A-Z])/, '')];
  const name = candidates.find((c) => context.table(modelName(c)) !== undefined);
  return name === undefined ? undefined : { name: modelName(name), proven: true };
}

/** What is called like a model of the program: `ctx.models.Invoice`, `db.Invoice`, `InvoiceModel`. */
function byName(value: Value, context: LowerContext): ModelRef | undefined {
  if (!('path' in value) || value.kind === 'input' || value.kind === 'row') return undefined;
  const last = value.path.at(-1) ?? ('name' in value ? value.name : undefined);
  if (last === undefined || last === 'default') return undefined;
  const upper = last.charAt(0).toUpperCase() + last.slice(1);
  const bare = upper.replace(/Model$/, '');
  const candidates = bare === upper ? (upper === last ? [last] : []) : [upper, bare];
  const name = candidates.find((c) => isCollection(modelName(c), context));
  return name === undefined ? undefined : { name: modelName(name), proven: false };
}

/** The value that is read from a receiver by the names of steps. */
export const readFrom = (value: Value, names: readonly string[]): Value =>
  names.filter((n) => n !== '').reduce<Value>(propertyOf, value);
