import { constant, propertyOf, unknownValue, type CallChain, type Value } from '@tenant-lint/model';
import { stepsIn } from '../knex/family.js';
import { expandedSteps, lostStep } from '../knex/modify.js';
import { isBuilderStep } from '../knex/words.js';
import type { Build } from '../query-text/build.js';
import { functionOf } from '../query-text/functions.js';
import { both, callOf, chainOf, type Builder, type BuilderStep } from '../query-text/calls.js';
import { builderMethod, classOf, modelOf, modifierOf, ownQuery, relationOf, type ModelClass } from './model.js';

/** A chain that starts with `Model.query()` and its like, as a builder with the steps of the query builder underneath. */
export function startOf(chain: CallChain, build: Build): Builder | undefined {
  const { context } = build;
  const call = callOf(chain);
  const at = call.steps.findIndex((s) => s.arguments !== undefined);
  const step = call.steps[at];
  if (!step?.arguments) return undefined;
  const reads = call.steps.slice(0, at);
  const own = reads.reduce<Value>(
    (v, s) => ('path' in v ? { ...v, path: [...v.path, s.name] } : { kind: 'element', of: v, path: [s.name] }),
    call.base,
  );
  const rest = call.steps.slice(at + 1);
  const made = (model: ModelClass, first: readonly BuilderStep[]): Builder => {
    const alias = build.text(rest.find((s) => s.name === 'alias')?.arguments?.[0]);
    const table = alias === undefined ? model.table : `${model.table} as ${alias}`;
    const name = alias ?? model.table;
    const steps = rest.flatMap((s) => translated(s, { model, name, build, skips: rest.some(isSkip) }));
    return { base: call.base, reads, table: constant(table), called: true, sure: true, steps: [...first, ...steps] };
  };
  switch (step.name) {
    case 'query': {
      // `super.query()` within a scope of its own.
      if (own.kind === 'this' && own.path[0] === 'super') return undefined;
      const bound = boundModel(own, build);
      const model = bound ?? modelOf(own, context);
      return model && made(model, defaultScope(model, build));
    }
    case 'relatedQuery': {
      const model = modelOf(own, context);
      const relation = model && relationOf(model, build.text(step.arguments[0]) ?? '', context);
      if (!model || !relation) return undefined;
      const ids = rest.find((s) => s.name === 'for')?.arguments?.[0];
      return made(relation.model, ids ? related(model, relation, ids, step, build) : [lost(step)]);
    }
    case '$relatedQuery': {
      const model = instanceModel(own, build);
      const relation = model && relationOf(model, build.text(step.arguments[0]) ?? '', context);
      if (!relation) return undefined;
      const key = propertyOf(own, relation.from);
      const column = constant(`${relation.model.table}.${relation.to}`);
      if (!relation.through)
        return made(relation.model, [{ name: 'where', arguments: [column, key], span: step.span }]);
      return made(relation.model, [lost(step)]);
    }
    case '$query': {
      const model = instanceModel(own, build);
      const [id] = model?.id ?? [];
      if (!model || id === undefined) return undefined;
      const column = constant(`${model.table}.${id}`);
      return made(model, [{ name: 'where', arguments: [column, propertyOf(own, id)], span: step.span }]);
    }
    default:
      return undefined;
  }
}

const isSkip = (s: BuilderStep): boolean => s.name === 'skipUndefined';
const lost = (step: BuilderStep): BuilderStep => ({ name: lostStep, arguments: [], span: step.span });

/** `Model.bindKnex(tenantKnex).query()`. */
function boundModel(value: Value, build: Build): ModelClass | undefined {
  const chain = chainOf(value, build.context);
  const call = chain && callOf(chain);
  const at = call?.steps.findIndex((s) => s.arguments !== undefined) ?? -1;
  const step = call?.steps[at];
  if (!call || (step?.name !== 'bindKnex' && step?.name !== 'bindTransaction')) return undefined;
  const own = call.steps
    .slice(0, at)
    .reduce<Value>((v, s) => ('path' in v ? { ...v, path: [...v.path, s.name] } : v), call.base);
  return modelOf(own, build.context);
}

/** The model of a row: what its class, its declared type, or the query that found it says. */
function instanceModel(value: Value, build: Build): ModelClass | undefined {
  const { context } = build;
  const own = build.value(value);
  if (own.kind === 'this') return modelOf({ ...own, path: [] }, context);
  const type = context.typeOf(own);
  const typed = type?.name && classOf(type.name, context) ? modelOf(type.name, context) : undefined;
  if (typed) return typed;
  const chain =
    own.kind === 'result' ? context.chain(own.chain) : own.kind === 'missing-able' ? chainOf(own, context) : undefined;
  const call = chain && callOf(chain);
  const at = call?.steps.findIndex((s) => s.arguments !== undefined) ?? -1;
  if (!call || at < 0 || call.steps[at]?.name !== 'query') return undefined;
  const model = call.steps
    .slice(0, at)
    .reduce<Value>((v, s) => ('path' in v ? { ...v, path: [...v.path, s.name] } : v), call.base);
  return modelOf(model, context);
}

/** What `static query()` of the model adds to every query. */
function defaultScope(model: ModelClass, build: Build): readonly BuilderStep[] {
  const id = ownQuery(model, build.context);
  const f = id === undefined ? undefined : build.context.function(id);
  if (id === undefined || !f) return [];
  const [returned] = f.returns;
  const chain = f.returns.length === 1 && returned ? chainOf(build.value(returned.value), build.context) : undefined;
  const call = chain && callOf(chain);
  const at = call?.steps.findIndex((s) => s.name === 'query' && s.arguments) ?? -1;
  if (!call || at < 0) return [{ name: lostStep, arguments: [], span: f.span }];
  const scope = { model, name: model.table, build, skips: false };
  return call.steps.slice(at + 1).flatMap((s) => translated(s, scope));
}

function related(
  model: ModelClass,
  relation: NonNullable<ReturnType<typeof relationOf>>,
  ids: Value,
  step: BuilderStep,
  build: Build,
): readonly BuilderStep[] {
  const column = constant(`${relation.model.table}.${relation.to}`);
  if (relation.through || relation.from !== model.id[0]) return [lost(step)];
  const value = build.value(ids);
  const many = value.kind === 'list' || chainOf(value, build.context) !== undefined;
  const list: Value = many ? value : { kind: 'list', of: [{ value }] };
  return [{ name: 'whereIn', arguments: [column, list], span: step.span }];
}

interface Translation {
  readonly model: ModelClass;
  /** The name of the table within the query. */
  readonly name: string;
  readonly build: Build;
  readonly skips: boolean;
}

const harmless: ReadonlySet<string> = new Set([
  ...['alias', 'for', 'skipUndefined', 'throwIfNotFound', 'context', 'allowGraph', 'allowEager', 'page', 'range'],
  ...['castTo', 'debug', 'timeout', 'runBefore', 'runAfter', 'onError', 'withGraphFetched', 'withGraphJoined', 'eager'],
  ...['modifyGraph', 'graphExpressionObject', 'modifiers', 'noWait', 'mergeContext'],
]);

/** One step of the library as steps of the query builder underneath. */
function translated(step: BuilderStep, t: Translation): readonly BuilderStep[] {
  const { model, name, build } = t;
  const [first, second] = step.arguments ?? [];
  const key = model.id[0] ?? 'id';
  const own = (word: string, ...args: Value[]): BuilderStep => ({
    name: word,
    arguments: args,
    span: step.span,
    ...(step.when ? { when: step.when } : {}),
  });
  const byId = (id: Value | undefined): BuilderStep =>
    model.id.length > 1 ? lost(step) : own('where', constant(`${name}.${key}`), id ?? { kind: 'undefined' });
  if (!step.arguments) return [];
  switch (step.name) {
    case 'findById':
      return [byId(first)];
    case 'findByIds':
      return first ? [own('whereIn', constant(`${name}.${key}`), first)] : [];
    case 'findOne':
      return [{ ...step, name: 'where' }];
    case 'deleteById':
      return [own('del'), byId(first)];
    case 'patch':
    case 'patchAndFetch':
    case 'updateAndFetch':
      return [{ ...step, name: 'update' }];
    case 'patchAndFetchById':
    case 'updateAndFetchById':
      return [byId(first), own('update', ...(second ? [second] : []))];
    case 'insertAndFetch':
    case 'insertGraph':
    case 'insertGraphAndFetch':
    case 'insertWithRelated':
      return [own('insert', ...(first ? [first] : []))];
    case 'upsertGraph':
    case 'upsertGraphAndFetch': {
      // A row with the id of an existing one is updated, whoever's it is.
      build.unchecked.push({ reason: `${step.name}() also writes related rows`, span: step.span });
      const id = first ? propertyOf(build.resolved(first), key) : unknownValue('a graph');
      return id.kind === 'undefined'
        ? [own('insert', ...(first ? [first] : []))]
        : [byId(id), own('update', ...(first ? [first] : []))];
    }
    case 'resultSize':
      return [own('count', constant('*'))];
    case 'relate':
    case 'unrelate':
      build.unchecked.push({ reason: `${step.name}() was not followed`, span: step.span });
      return [own('update')];
    case 'joinRelated':
    case 'innerJoinRelated':
    case 'leftJoinRelated':
    case 'leftOuterJoinRelated':
      return joined(step, t);
    case 'modify': {
      const named = build.text(first);
      if (named === undefined) return expandedSteps([step], build);
      const id = modifierOf(model, named, build.context);
      return id === undefined ? [lost(step)] : inlined(id, step, t, (step.arguments ?? []).slice(1));
    }
    case 'onBuild':
    case 'onBuildKnex': {
      const id = first && functionOf(first, build);
      return id === undefined ? [lost(step)] : inlined(id, step, t, []);
    }
    default: {
      if (step.name.startsWith('where') && t.skips) return [{ ...step, ...skipping(step) }];
      if (harmless.has(step.name)) return [];
      if (isBuilderStep(step.name)) return [step];
      const id = builderMethod(model, step.name, build.context);
      return id === undefined ? [lost(step)] : inlined(id, step, t, step.arguments, true);
    }
  }
}

/** `skipUndefined()`: a condition whose value is missing is left out. */
function skipping(step: BuilderStep): { when?: Value } {
  const value = step.arguments?.at(-1);
  const when = both(step.when, value);
  return when ? { when } : {};
}

/** What a modifier, or a method of the model's own builder class, does to the query. */
function inlined(
  id: string,
  step: BuilderStep,
  t: Translation,
  args: readonly Value[],
  isMethod = false,
): readonly BuilderStep[] {
  const { build } = t;
  const self: Value = { kind: 'parameter', function: id, index: 0, path: [] };
  build.called(id, isMethod ? args : [self, ...args]);
  const steps = build.guard(`modifier:${id}`, () => stepsIn(id, build, 0, isMethod), []);
  return steps
    .flatMap((s) => translated(s, t))
    .map((s): BuilderStep => {
      const when = both(step.when, s.when);
      return when ? { ...s, when } : s;
    });
}

/** `joinRelated('lines')`, `joinRelated('[org, lines]')`. */
function joined(step: BuilderStep, t: Translation): readonly BuilderStep[] {
  const { build, model, name } = t;
  const text = build.text(step.arguments?.[0]);
  const names = text === undefined ? undefined : (/^\[([\w\s,]+)\]$/.exec(text)?.[1]?.split(',') ?? [text]);
  const steps = names?.map((n): BuilderStep | undefined => {
    const relation = relationOf(model, n.trim(), build.context);
    if (!relation || relation.through) return undefined;
    const table = n.trim() === relation.model.table ? relation.model.table : `${relation.model.table} as ${n.trim()}`;
    return {
      name: step.name.startsWith('left') ? 'leftJoin' : 'join',
      arguments: [constant(table), constant(`${n.trim()}.${relation.to}`), constant(`${name}.${relation.from}`)],
      span: step.span,
    };
  });
  if (steps?.every((s) => s !== undefined)) return steps;
  return [lost(step)];
}
