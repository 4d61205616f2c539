import {
  mapValue,
  propertyOf,
  valueAt,
  type CallChain,
  type FunctionId,
  type LowerContext,
  type Span,
  type Value,
} from '@tenant-lint/model';
import { operations } from './recognise.js';

/** One `$extends` that a client has gone through. */
export interface Extension {
  /** Its `query` component. */
  readonly query: Value;
  /** What the functions that made it were called with. */
  readonly given: ReadonlyMap<FunctionId, readonly Value[]>;
  /** The client that it extends. */
  readonly base: Value;
  readonly span: Span;
}

type Given = Extension['given'];
const maxDepth = 12;

/** The extensions of a client, the last one first: operations go through them in that order. */
export function extensionsOf(
  value: Value,
  context: LowerContext,
  given: Given = new Map(),
  depth = 0,
): readonly Extension[] {
  if (depth > maxDepth) return [];
  const again = (v: Value, more: Given = given): readonly Extension[] => extensionsOf(v, context, more, depth + 1);
  switch (value.kind) {
    case 'missing-able':
      return again(value.of);
    case 'choice': {
      const [first, ...others] = value.of.map((v) => again(v));
      return first && others.every((o) => o.length > 0) ? first : [];
    }
    case 'apply':
      return value.function === '??' || value.function === '||'
        ? (value.to.map((v) => again(v)).find((e) => e.length > 0) ?? [])
        : [];
    case 'parameter': {
      const own = given.get(value.function)?.[value.index];
      if (own) return again(valueAt(own, value.path));
      const supplied = context.supplied?.(value) ?? [];
      const ways = supplied.map((v) => again(v));
      return ways.length > 0 && ways.every((w) => w.length > 0) ? ways[0]! : [];
    }
    case 'result': {
      const chain = context.chain(value.chain);
      if (!chain) return [];
      const last = chain.steps.findLastIndex((s) => s.arguments !== undefined);
      return value.path.length === 0 && chain.steps[last]?.name === '$extends'
        ? extended(chain, last, context, given, depth)
        : returnedBy(chain, last, value.path, context, given, depth);
    }
    case 'constant':
    case 'object':
    case 'list':
      return [];
    default: {
      const resolved = context.resolve(value);
      return resolved === value || JSON.stringify(resolved) === JSON.stringify(value) ? [] : again(resolved);
    }
  }
}

/** The extensions of the client that the first steps of a chain give: `prisma.$extends({ ... }).invoice.findMany()`. */
export function extensionsOfSteps(chain: CallChain, count: number, context: LowerContext): readonly Extension[] {
  const last = chain.steps.slice(0, count).findLastIndex((s) => s.arguments !== undefined);
  if (last < 0) return [];
  return chain.steps[last]!.name === '$extends'
    ? extended(chain, last, context, new Map(), 0)
    : returnedBy(chain, last, [], context, new Map(), 0);
}

function extended(
  chain: CallChain,
  at: number,
  context: LowerContext,
  given: Given,
  depth: number,
): readonly Extension[] {
  const [argument] = chain.steps[at]!.arguments ?? [];
  const before = chain.steps.slice(0, at);
  const base = before.some((s) => s.arguments)
    ? undefined
    : valueAt(
        chain.receiver,
        before.map((s) => s.name),
      );
  const inner = base ? extensionsOf(base, context, given, depth + 1) : extensionsOfSteps(chain, at, context);
  const found = argument && objectOf(argument, context, given, 0);
  const query = found && context.resolve(propertyOf(found.object, 'query'));
  const own: Extension[] =
    found && query && query.kind !== 'undefined'
      ? [{ query, given: found.given, base: base ?? chain.receiver, span: chain.span }]
      : [];
  return [...own, ...inner];
}

/** What a function of the program returns, called as a chain calls it. */
function returnedBy(
  chain: CallChain,
  at: number,
  path: readonly string[],
  context: LowerContext,
  given: Given,
  depth: number,
): readonly Extension[] {
  const call = callOf(chain, at, context);
  if (!call) return [];
  const returns = context.function(call.function)?.returns ?? [];
  const ways = returns.map((r) =>
    extensionsOf(valueAt(r.value, path), context, new Map([...given, [call.function, call.arguments]]), depth + 1),
  );
  return ways.length > 0 && ways.every((w) => w.length > 0) ? ways[0]! : [];
}

function callOf(
  chain: CallChain,
  at: number,
  context: LowerContext,
): { readonly function: FunctionId; readonly arguments: readonly Value[] } | undefined {
  const step = chain.steps[at];
  if (!step?.arguments || chain.steps.slice(0, at).some((s) => s.arguments)) return undefined;
  const names = chain.steps.slice(0, at + 1).flatMap((s) => (s.name === '' ? [] : [s.name]));
  const callee = context.resolve(valueAt(chain.receiver, names));
  return callee.kind === 'function' ? { function: callee.function, arguments: step.arguments } : undefined;
}

/** What is handed to `$extends`: an object, or what `defineExtension` makes of one, or of a function that extends the client again. */
function objectOf(
  argument: Value,
  context: LowerContext,
  given: Given,
  depth: number,
): { readonly object: Value; readonly given: Given } | undefined {
  if (depth > 6) return undefined;
  const value = argument.kind === 'result' ? argument : context.resolve(argument);
  if (value.kind === 'object') return { object: value, given };
  if (value.kind === 'function') {
    const returned = context.function(value.function)?.returns ?? [];
    return returned.length === 1 ? objectOf(returned[0]!.value, context, given, depth + 1) : undefined;
  }
  const chain = value.kind === 'result' && value.path.length === 0 ? context.chain(value.chain) : undefined;
  if (!chain) return undefined;
  const at = chain.steps.findLastIndex((s) => s.arguments !== undefined);
  const last = chain.steps[at];
  if (last?.name === 'defineExtension' || last?.name === '$extends')
    return last.arguments?.[0] && objectOf(last.arguments[0], context, given, depth + 1);
  const call = callOf(chain, at, context);
  const returned = call && (context.function(call.function)?.returns ?? []);
  return call && returned?.length === 1
    ? objectOf(returned[0]!.value, context, new Map([...given, [call.function, call.arguments]]), depth + 1)
    : undefined;
}

/** The function of an extension that an operation on a model goes through; with `model` absent, a raw query. */
export function handlerOf(
  { query }: Extension,
  method: string,
  model: string | undefined,
  context: LowerContext,
): FunctionId | undefined {
  const within = (owner: Value, name: string): Value => context.resolve(propertyOf(owner, name));
  const all = within(query, '$allModels');
  const own = model === undefined ? undefined : within(query, model.charAt(0).toLowerCase() + model.slice(1));
  const candidates =
    own === undefined
      ? [within(query, method)]
      : [within(own, method), within(own, '$allOperations'), within(all, method), within(all, '$allOperations')];
  for (const value of [...candidates, within(query, '$allOperations')])
    if (value.kind === 'function') return value.function;
  return undefined;
}

/** The calls by which a handler hands the operation on: `query(args)`. */
export const handingOn = (handler: FunctionId, context: LowerContext): readonly CallChain[] => {
  const f = context.function(handler);
  const facts = f && context.facts(f.span.file);
  return (facts?.chains ?? []).filter(({ function: owner, receiver, steps }) => {
    if (owner !== handler && context.function(owner)?.parent !== handler) return false;
    const names = 'path' in receiver ? receiver.path : [];
    if (steps.length > 1 || !steps[0]?.arguments) return false;
    if (steps[0].name === 'query') return true;
    return (
      receiver.kind === 'parameter' && receiver.function === handler && steps[0].name === '' && names.at(-1) === 'query'
    );
  });
};

/** What an extension makes of the arguments of an operation. */
export interface Rewritten {
  readonly args: Value;
  /** Where it hands them on as they are if something is missing. */
  readonly skipped?: Span;
}

/** What an extension makes of the arguments of an operation; undefined where no function of it sees the operation. */
export function rewritten(
  extension: Extension,
  call: { readonly method: string; readonly model: string; readonly args: Value },
  context: LowerContext,
): Rewritten | undefined {
  const handler = handlerOf(extension, call.method, call.model, context);
  if (handler === undefined) return undefined;
  const asCalled = (value: Value): Value =>
    mapValue(value, (inner) => {
      if (inner.kind !== 'parameter') return inner;
      if (inner.function !== handler) {
        const own = extension.given.get(inner.function)?.[inner.index];
        return own ? valueAt(own, inner.path) : inner;
      }
      const [first, ...rest] = inner.path;
      if (first === 'args') return valueAt(call.args, rest);
      if (first === 'model') return { kind: 'constant', value: call.model };
      return first === 'operation' ? { kind: 'constant', value: call.method } : inner;
    });
  const test = (value: Value): boolean | undefined => truth(asCalled(value), asCalled, context);
  const listed = operationsListed(handler, asCalled, context);
  const found = handingOn(handler, context).filter((chain) => {
    const blocks = context.function(chain.function)?.blocks ?? [];
    for (let at: number | undefined = chain.block; at !== undefined; at = blocks[at]?.parent)
      if (blocks[at]?.holds && test(blocks[at]!.holds!) === false) return false;
    return true;
  });
  const given = (chain: CallChain): readonly Value[] => chain.steps[0]?.arguments?.slice(0, 1) ?? [];
  const isPlain = (chain: CallChain): boolean =>
    given(chain).every((v) => v.kind === 'parameter' && v.function === handler && v.path.at(-1) === 'args');
  // As it was asked, and only where there is nobody to ask for.
  const skips = found.filter((chain) => isPlain(chain) && isWithoutValue(chain, test, context));
  const others = found.filter((chain) => !skips.includes(chain));
  const counted = others.some((chain) => !isPlain(chain)) ? others : found;
  let skipped = counted === others ? skips[0]?.span : undefined;
  const results = counted.flatMap((chain) =>
    given(chain).map((value) => {
      const settled = decided(asCalled(value), listed, (v) => truth(v, asCalled, context));
      if (settled.skips) skipped ??= chain.span;
      return settled.value;
    }),
  );
  const [first] = results;
  if (!first) return undefined;
  return {
    args: results.length === 1 ? first : { kind: 'choice', of: results },
    ...(skipped ? { skipped } : {}),
  };
}

/** Whether control comes to a call only where some value is missing. */
function isWithoutValue(chain: CallChain, test: (value: Value) => boolean | undefined, context: LowerContext): boolean {
  const blocks = context.function(chain.function)?.blocks ?? [];
  for (let at: number | undefined = chain.block; at !== undefined; at = blocks[at]?.parent) {
    const holds: Value | undefined = blocks[at]?.holds;
    if (holds && test(holds) === undefined && isAbsence(holds)) return true;
  }
  return false;
}

/** `!tenant`, `tenant === undefined`. */
function isAbsence(value: Value): boolean {
  if (value.kind !== 'apply') return false;
  const [left, right] = value.to;
  if (value.function === '!') return left !== undefined && isPresence(left);
  return /^={2,3}$/.test(value.function) && [left, right].some((v) => v !== undefined && isNothing(v));
}

/** `tenant`, `tenant !== undefined`. */
function isPresence(value: Value): boolean {
  if (value.kind === 'missing-able') return isPresence(value.of);
  if (value.kind !== 'apply') return ['parameter', 'result', 'element', 'binding', 'import'].includes(value.kind);
  if (value.function === '!') return value.to[0] !== undefined && isAbsence(value.to[0]);
  return /^!={1,2}$/.test(value.function) && value.to.some(isNothing);
}

const isNothing = (value: Value): boolean =>
  value.kind === 'undefined' || (value.kind === 'constant' && value.value === null);

/**
 * Whether the lists of operations and of models that a handler asks (`['findMany'].includes(operation)`) let this call through; undefined
 * where it asks none.
 */
function operationsListed(
  handler: FunctionId,
  asCalled: (value: Value) => Value,
  context: LowerContext,
): boolean | undefined {
  const f = context.function(handler);
  const chains = (f && context.facts(f.span.file)?.chains) ?? [];
  const by = new Map<string, boolean>();
  for (const chain of chains) {
    if (chain.function !== handler) continue;
    const asked: Value = { kind: 'result', chain: chain.id, path: [] };
    const contains = truth(asked, asCalled, context);
    const [about] = chain.steps[0]?.arguments ?? [];
    const name = about?.kind === 'parameter' && about.function === handler ? about.path.at(-1) : undefined;
    if (contains === undefined || name === undefined) continue;
    const holds = f?.blocks.flatMap((b) => (b.holds && mentionsChain(b.holds, chain.id) ? [b.holds] : [])) ?? [];
    const isNegated = holds.length > 0 && holds.every((h) => h.kind === 'apply' && h.function === '!');
    by.set(name, by.get(name) === true || contains !== isNegated);
  }
  return by.size === 0 ? undefined : [...by.values()].every(Boolean);
}

function mentionsChain(value: Value, chain: string): boolean {
  let found = false;
  mapValue(value, (inner) => {
    found ||= inner.kind === 'result' && inner.chain === chain;
    return inner;
  });
  return found;
}

/**
 * A value without what is set on some paths only, as far as it can be told whether this call takes them. What is left out only where a value
 * is missing is kept, and said: `skips`.
 */
function decided(
  value: Value,
  listed: boolean | undefined,
  test: (value: Value) => boolean | undefined,
): { readonly value: Value; readonly skips: boolean } {
  let skips = false;
  const settled = mapValue(value, (inner) => {
    if (inner.kind === 'choice' && inner.test && inner.of.length === 2) {
      const holds = test(inner.test);
      if (holds !== undefined) return inner.of[holds ? 0 : 1]!;
      if (!isPresence(inner.test) && !isAbsence(inner.test)) return inner;
      skips = true;
      return inner.of[isPresence(inner.test) ? 0 : 1]!;
    }
    if (inner.kind !== 'object' || !inner.entries.some((e) => e.maybe)) return inner;
    return {
      ...inner,
      entries: inner.entries.flatMap((entry) => {
        if (!entry.maybe) return [entry];
        const holds = (entry.test ? test(entry.test) : undefined) ?? listed;
        const { maybe: _, test: __, ...rest } = entry;
        if (holds === undefined && entry.test && isPresence(entry.test)) {
          skips = true;
          return [rest as typeof entry];
        }
        if (holds === undefined) return [entry];
        return holds ? [rest as typeof entry] : [];
      }),
    };
  });
  return { value: settled, skips };
}

/** What a test of an extension says for one operation, undefined where that is not known. */
function truth(value: Value, asCalled: (value: Value) => Value, context: LowerContext): boolean | undefined {
  const again = (v: Value): boolean | undefined => truth(v, asCalled, context);
  if (value.kind === 'constant') return Boolean(value.value);
  if (value.kind === 'missing-able') return again(value.of);
  if (value.kind === 'apply') {
    const [left, right] = value.to;
    if (value.function === '!' && left) {
      const inner = again(left);
      return inner === undefined ? undefined : !inner;
    }
    if (!left || !right) return undefined;
    if (value.function === '&&' || value.function === '||') {
      const [a, b] = [again(left), again(right)];
      const decides = value.function === '||';
      if (a === decides || b === decides) return decides;
      return a === undefined || b === undefined ? undefined : !decides;
    }
    if (!/^[!=]==?$/.test(value.function) || left.kind !== 'constant' || right.kind !== 'constant') return undefined;
    return (left.value === right.value) === value.function.startsWith('=');
  }
  const chain = value.kind === 'result' && value.path.length === 0 ? context.chain(value.chain) : undefined;
  const [step, more] = chain?.steps ?? [];
  const [argument] = step?.arguments ?? [];
  if (!chain || !argument || more || (step?.name !== 'includes' && step?.name !== 'has')) return undefined;
  const wanted = asCalled(argument);
  const list = listOf(chain.receiver, context);
  return wanted.kind === 'constant' && list ? list.includes(wanted.value) : undefined;
}

/** The constants of a list or a set. */
function listOf(value: Value, context: LowerContext): readonly unknown[] | undefined {
  const resolved = context.resolve(value);
  const list =
    resolved.kind === 'instance' && resolved.of.kind === 'global' && resolved.of.name === 'Set'
      ? resolved.arguments[0]
      : resolved;
  const own = list && context.resolve(list);
  if (own?.kind !== 'list' || own.of.some((i) => i.value.kind !== 'constant')) return undefined;
  return own.of.map((i) => (i.value.kind === 'constant' ? i.value.value : undefined));
}

/** What an extension adds to conditions: the properties of the model with their values, and the operations that it adds them to. */
export interface Added {
  readonly where: ReadonlyMap<string, Value>;
  readonly operations: readonly string[];
}

const known = new WeakMap<Value, Map<string, Added>>();

export function addedBy(extension: Extension, model: string, context: LowerContext): Added {
  let byModel = known.get(extension.query);
  if (!byModel) known.set(extension.query, (byModel = new Map()));
  // What it was made with is a part of the values, so that only extensions without arguments are remembered.
  const before = extension.given.size === 0 ? byModel.get(model) : undefined;
  if (before) return before;
  const asked: Value = {
    kind: 'object',
    entries: [{ set: 'where', value: { kind: 'unknown', reason: 'what was asked for' } }],
  };
  let where: ReadonlyMap<string, Value> = new Map();
  const covered: string[] = [];
  for (const method of Object.keys(operations)) {
    const changed = rewritten(extension, { method, model, args: asked }, context);
    const found = changed && addedTo(propertyOf(changed.args, 'where'));
    if (!found || found.size === 0) continue;
    if (where.size === 0) where = found;
    covered.push(method);
  }
  const added: Added = { where, operations: covered };
  byModel.set(model, added);
  return added;
}

/** The properties that are there whatever was asked for. */
function addedTo(where: Value): Map<string, Value> {
  const found = new Map<string, Value>();
  const look = (value: Value): void => {
    if (value.kind === 'list') for (const item of value.of) look(item.value);
    if (value.kind !== 'object') return;
    for (const entry of value.entries) {
      if (entry.maybe) continue;
      if ('spread' in entry) look(entry.spread);
      else if ('set' in entry && entry.set === 'AND') look(entry.value);
      else if ('set' in entry && !['OR', 'NOT'].includes(entry.set)) found.set(entry.set, entry.value);
    }
  };
  look(where);
  return found;
}
