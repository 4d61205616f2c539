import {
  and,
  equal,
  propertyOf,
  type Access,
  type CallChain,
  type Client,
  type LowerContext,
  type Lowered,
  type Operation,
  type Predicate,
  type Step,
  type Target,
  type Value,
  type Writes,
} from '@tenant-lint/model';
import { readList } from '../prisma/list.js';
import { describe, modelNamed, spanOf, unknownCondition, type Rows } from '../prisma/lowering.js';
import { readObject } from '../prisma/object.js';
import { isTrue, settled } from '../prisma/shape.js';
import { filterCondition } from './filter.js';
import { declaredModel, hookCondition } from './hooks.js';
import { exportOf } from './models.js';
import { modelOperations, operations, querySteps, type Kind } from './operations.js';
import { pipelineOf } from './pipeline.js';
import { populated } from './populate.js';
import { continuations, continued, idOf, runQuery } from './query.js';
import { modelOf, readFrom, type ModelRef } from './receiver.js';
import { mongoLowering, noFilter, type Mongo } from './shapes.js';
import { documentOf, documentsOf, equalities, newDocument, updateOf } from './writes.js';

interface Found {
  readonly model: ModelRef;
  readonly receiver: Value;
  readonly step: Step;
  readonly kind: Kind;
  /** The operation and what follows it. */
  readonly steps: readonly Step[];
}

/** Lowers a call on a model, on a query that is one, or on a document. */
export function lower(chain: CallChain, context: LowerContext): Lowered {
  const found = operationOf(chain, context);
  if (found) return lowerOperation(chain, found, context);
  if (continuesQuery(chain, context)) return 'no access';
  return lowerDocument(chain, context);
}

/** The operation of a chain on a model. */
function operationOf(chain: CallChain, context: LowerContext): Found | undefined {
  const { steps } = chain;
  const at = steps.findIndex((s) => s.arguments !== undefined && Object.hasOwn(modelOperations, s.name));
  const step = steps[at];
  if (!step?.arguments) return undefined;
  const before = steps.slice(0, at);
  const kind = modelOperations[step.name]!;
  const model = before.some((s) => s.arguments !== undefined)
    ? calledModel(chain.receiver, before, context)
    : modelOf(
        readFrom(
          chain.receiver,
          before.map((s) => s.name),
        ),
        context,
      );
  if (!model) return undefined;
  const [first] = step.arguments;
  const value = first && (first.kind === 'function' ? first : context.resolve(first));
  // What is only called like a model is one where the call looks like one of Mongoose's.
  if (!model.proven && (value?.kind === 'function' || (kind.common && value && value.kind !== 'object')))
    return undefined;
  const receiver = readFrom(
    chain.receiver,
    before.filter((s) => s.arguments === undefined).map((s) => s.name),
  );
  return { model, receiver, step, kind, steps: steps.slice(at).filter((s) => s.arguments !== undefined) };
}

/** `mongoose.model('X').find()`, `connection.model('X').find()`. */
function calledModel(receiver: Value, before: readonly Step[], context: LowerContext): ModelRef | undefined {
  const last = before.filter((s) => s.arguments !== undefined).at(-1);
  const [name] = last?.arguments ?? [];
  const isModel = last?.name === 'model' || (last?.name === '' && exportOf(receiver) === 'model');
  if (!isModel || name?.kind !== 'constant') return undefined;
  const ref = { by: 'model', library: 'mongoose', name: String(name.value) } as const;
  return context.table(ref) || exportOf(receiver) !== undefined ? { name: ref, proven: true } : undefined;
}

/** A chain whose receiver is a query in a variable: it is lowered where the query begins. */
function continuesQuery(chain: CallChain, context: LowerContext): boolean {
  const [step] = chain.steps;
  if (!step?.arguments || !querySteps.has(step.name)) return false;
  return continued(chain.receiver).some((id) => {
    const before = context.chain(id);
    if (!before || before.awaited || before === chain) return false;
    const found = operationOf(before, context);
    return found ? found.kind.query === true : before.id !== chain.id && continuesQuery(before, context);
  });
}

/** Lowering with the settings of the library as the program and the model's schema make them. */
function loweringFor(context: LowerContext, chain: CallChain): Mongo {
  const major = Number(/\d+/.exec(context.version(chain.span.file, 'mongoose') ?? '')?.[0] ?? Number.NaN);
  const { options } = context;
  const lowering: Mongo = mongoLowering(context, chain.span, {
    odm: true,
    ignoreUndefined: options['mongodb.ignoreUndefined'] === true,
    strips: (rows) => {
      if (!rows.table?.documents || !rows.table.complete) return false;
      const model = declaredModel(rows, lowering);
      const own = model?.schema.options && propertyOf(model.schema.options, 'strictQuery');
      if (own?.kind === 'constant') return own.value === true;
      // Mongoose 6 is the version that strips unless told otherwise.
      return (options['mongoose.strictQuery'] ?? major === 6) === true;
    },
  });
  return lowering;
}

function lowerOperation(chain: CallChain, found: Found, context: LowerContext): Lowered {
  const l = loweringFor(context, chain);
  const rows: Rows = { ...modelNamed(found.model.name, l), ref: l.target() };
  const targets = targetsOf(chain, found, rows, l);
  return {
    accesses: [
      accessOf(chain, found.step.name, targets.method, targets.operation, targets.targets, plain(found.receiver), l),
    ],
  };
}

const plain = (receiver: Value): Client => ({ receiver, kind: 'plain' });

function accessOf(
  chain: CallChain,
  name: string,
  method: string,
  operation: Operation,
  targets: readonly Target[],
  client: Client,
  l: Mongo,
): Access {
  return {
    id: chain.id,
    library: 'mongoose',
    method: method === 'where' ? 'find' : method || name,
    operation,
    targets,
    client,
    span: chain.span,
    chain: chain.id,
    function: chain.function,
    ...(l.unchecked.length > 0 ? { unchecked: l.unchecked } : {}),
    ...(l.lost.length > 0 ? { lost: l.lost } : {}),
  };
}

interface Reached {
  readonly method: string;
  readonly operation: Operation;
  readonly targets: readonly Target[];
}

function targetsOf(chain: CallChain, found: Found, rows: Rows, l: Mongo): Reached {
  const { step, kind } = found;
  const args = step.arguments ?? [];
  const root = (operation: Operation, predicate: Predicate, more: Partial<Target> = {}): Target => ({
    ref: rows.ref,
    table: { known: true, value: rows.name },
    role: 'root',
    operation,
    predicate,
    cardinality: kind.cardinality,
    span: step.span,
    ...more,
  });
  const reached = (operation: Operation, targets: readonly Target[]): Reached => ({
    method: step.name,
    operation,
    targets,
  });
  switch (step.name) {
    case 'create':
    case 'insertOne':
    case 'insertMany':
      return reached('create', createdBy(args, rows, l, root));
    case 'bulkSave':
      return reached('upsert', [root('upsert', noFilter, { writes: { set: {}, open: true } })]);
    case 'bulkWrite':
      return reached('raw', bulk(args[0], rows, l, root));
    case 'aggregate':
    case 'aggregatePaginate':
    case 'watch': {
      // Aggregation casts and strips nothing.
      const native: Mongo = Object.assign(Object.create(l) as Mongo, { odm: false, strips: () => false });
      const stages = args[0] ? readList(args[0], native) : [];
      const added = found.steps.slice(1).flatMap((s): { value: Value }[] => {
        if (s.name === 'append' || s.name === 'pipeline') return (s.arguments ?? []).map((value) => ({ value }));
        const [first] = s.arguments ?? [];
        return first && aggregateSteps.has(s.name)
          ? [{ value: { kind: 'object', entries: [{ set: `$${s.name}`, value: first, span: s.span }] } }]
          : [];
      });
      const hook = step.name === 'watch' ? noFilter : hookCondition('aggregate', rows, l);
      const pipeline: Value | undefined =
        stages && added.length > 0
          ? {
              kind: 'list',
              of: [
                ...stages.map((i) => ({ value: i.value, ...(i.spread ? { spread: true as const } : {}) })),
                ...added,
              ],
            }
          : args[0];
      const of = pipelineOf(pipeline, rows, native);
      return reached('read', [root('read', and(of.condition, hook)), ...of.targets]);
    }
    default:
      return query(chain, found, rows, l, root);
  }
}

const aggregateSteps = new Set([
  'match',
  'lookup',
  'graphLookup',
  'unionWith',
  'group',
  'project',
  'unwind',
  'facet',
  'addFields',
  'replaceRoot',
  'sortByCount',
  'count',
]);

type Root = (operation: Operation, predicate: Predicate, more?: Partial<Target>) => Target;

function query(chain: CallChain, found: Found, rows: Rows, l: Mongo, root: Root): Reached {
  const later = continuations(chain, l.context.facts(chain.span.file)?.chains ?? []);
  const steps = [
    ...found.steps,
    ...later.flatMap(({ chain: c, sure }) => (sure ? c.steps.filter((s) => s.arguments !== undefined) : [])),
  ];
  const state = runQuery(steps, found.kind, rows, l);
  const { kind } = state;
  const widened = later.some(({ chain: c, sure }) => !sure && c.steps.some((s) => ['setQuery', 'or'].includes(s.name)));
  const own = widened
    ? and(state.condition, unknownCondition('the query is changed on some paths', chain.span))
    : state.condition;
  const condition = and(own, hookCondition(state.method, rows, l));
  const columns = kind.counts ? [] : state.columns;
  const more = { cardinality: kind.cardinality, ...(columns ? { columns } : {}) };
  const reached = (operation: Operation, target: Target): Reached => ({
    method: state.method,
    operation,
    targets: [target, ...state.included],
  });
  if (kind.operation !== 'update') return reached(kind.operation, root(kind.operation, condition, more));
  const update = updateOf(state.update, l);
  if (!isUpsert(state.options, l))
    return reached('update', root('update', condition, { ...more, writes: update.changes }));
  return reached('upsert', root('upsert', condition, { ...more, ...upserted(condition, update, rows) }));
}

function upserted(
  condition: Predicate,
  update: ReturnType<typeof updateOf>,
  rows: Rows,
): { writes: Writes; updates: Writes; conflict: readonly string[] } {
  const found = equalities(condition, rows);
  return {
    writes: { set: { ...found, ...update.inserts.set }, open: update.inserts.open },
    updates: update.changes,
    conflict: Object.keys(found),
  };
}

const isUpsert = (options: Value | undefined, l: Mongo): boolean =>
  options !== undefined && isTrue(l.context.resolve(propertyOf(l.context.resolve(options), 'upsert')));

/** One target for every document that the call shows. */
function createdBy(args: readonly Value[], rows: Rows, l: Mongo, root: Root): readonly Target[] {
  return documentsOf(args, l).map((item, i): Target => {
    const writes = item.spread ? { set: {}, open: true } : documentOf(item.value, l);
    return root('create', newDocument, {
      ref: i === 0 ? rows.ref : l.target(),
      writes,
      span: spanOf(item.value, l.span),
    });
  });
}

/** `bulkWrite([{ updateOne: { filter, update } }, ...])`: a target for each operation. */
function bulk(value: Value | undefined, rows: Rows, l: Mongo, root: Root): readonly Target[] {
  const list = value && readList(value, l);
  if (!value || !list) {
    l.unchecked.push({ reason: `the operations are ${value ? describe(value) : 'not given'}`, span: l.span });
    return [root('raw', unknownCondition('the operations are not known', l.span))];
  }
  const targets = list.flatMap((item): Target[] => {
    const operation = item.spread ? undefined : readObject(item.value, l);
    const [only] = operation ? [...operation.properties.values()] : [];
    const args = only && readObject(only.value, l);
    if (!only || !args) {
      l.unchecked.push({ reason: 'an operation of bulkWrite is not known', span: spanOf(item.value, l.span) });
      return [];
    }
    const here: Rows = { ...rows, ref: l.target() };
    const part = (name: string): Value | undefined => args.properties.get(name)?.value;
    const at = { ref: here.ref, span: spanOf(item.value, l.span), cardinality: 'many' as const };
    if (only.name === 'insertOne')
      return [root('create', newDocument, { ...at, writes: documentOf(part('document'), l) })];
    const condition = filterCondition(part('filter'), here, l);
    if (only.name.startsWith('delete')) return [root('delete', condition, at)];
    const update = updateOf(part('update') ?? part('replacement'), l);
    const upsert = part('upsert');
    return upsert && isTrue(settled(upsert, l))
      ? [root('upsert', condition, { ...at, ...upserted(condition, update, here) })]
      : [root('update', condition, { ...at, writes: update.changes })];
  });
  return targets;
}

const documentMethods = new Set(['save', 'deleteOne', 'remove', 'updateOne', 'replaceOne', 'populate', 'execPopulate']);

/** `document.save()`, `document.deleteOne()`, `document.populate('customer')`. */
function lowerDocument(chain: CallChain, context: LowerContext): Lowered {
  const step = chain.steps.find((s) => s.arguments !== undefined);
  if (!step?.arguments || !documentMethods.has(step.name) || chain.steps[0] !== step) return 'not mine';
  const document = documentIn(chain.receiver, context);
  if (!document) return 'not mine';
  const l = loweringFor(context, chain);
  const rows: Rows = { ...modelNamed(document.model.name, l), ref: l.target() };
  const changed = documentOf(document.changes, l);
  const target = (operation: Operation, predicate: Predicate, more: Partial<Target> = {}): Target => ({
    ref: rows.ref,
    table: { known: true, value: rows.name },
    role: 'root',
    operation,
    predicate,
    cardinality: 'one',
    span: step.span,
    ...more,
  });
  const access = (operation: Operation, ...targets: Target[]): Lowered => ({
    accesses: [accessOf(chain, step.name, step.name, operation, targets, plain(chain.receiver), l)],
  });
  if (!document.row) {
    if (step.name !== 'save') return 'no access';
    return access('create', target('create', newDocument, { writes: changed }));
  }
  const here = equal(idOf(rows), propertyOf(document.row, '_id'));
  switch (step.name) {
    case 'save':
      return access('update', target('update', here, { writes: changed }));
    case 'updateOne':
    case 'replaceOne':
      return access('update', target('update', here, { writes: updateOf(step.arguments[0], l).changes }));
    case 'deleteOne':
    case 'remove':
      return access('delete', target('delete', here));
    default: {
      const loaded = populated(step.arguments, rows, l);
      // The document itself is there already.
      return loaded.length === 0 ? 'no access' : access('read', target('read', here), ...loaded);
    }
  }
}

interface DocumentValue {
  readonly model: ModelRef;
  /** The value that was loaded; absent for a new document. */
  readonly row?: Value;
  readonly changes: Value;
}

const single = new Set(['findOne', 'findById', 'findOneAndUpdate', 'findByIdAndUpdate', 'create', 'insertOne']);

/** A document that was made by `new Model(...)` or loaded as one. */
function documentIn(value: Value, context: LowerContext, depth = 0): DocumentValue | undefined {
  if (depth > 6) return undefined;
  const again = (v: Value): DocumentValue | undefined => documentIn(v, context, depth + 1);
  switch (value.kind) {
    case 'missing-able':
      return again(value.of);
    case 'choice':
      return value.of.map(again).find((d) => d !== undefined);
    case 'instance': {
      const model = modelOf(value.of, context);
      return model?.proven ? { model, changes: value.arguments[0] ?? { kind: 'object', entries: [] } } : undefined;
    }
    case 'object': {
      const [first, ...rest] = value.entries;
      const inner = first && 'spread' in first ? again(first.spread) : undefined;
      if (!inner) return undefined;
      const before = inner.row ? [] : [{ spread: inner.changes }];
      return { ...inner, changes: { kind: 'object', entries: [...before, ...rest] } };
    }
    case 'result': {
      if (value.path.length > 0) return undefined;
      const chain = context.chain(value.chain);
      const found = chain && operationOf(chain, context);
      const last = found?.steps.filter((s) => Object.hasOwn(operations, s.name) || s.name === 'create').at(-1);
      if (!found || !single.has(last?.name ?? '')) return undefined;
      return { model: found.model, row: value, changes: { kind: 'object', entries: [] } };
    }
    default: {
      const resolved = value.kind === 'binding' || value.kind === 'this' ? context.resolve(value) : value;
      return resolved === value ? undefined : again(resolved);
    }
  }
}
