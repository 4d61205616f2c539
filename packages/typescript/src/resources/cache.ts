import type { Adapter, CallChain, LowerContext, ResourceAccess, Step, Value } from '@tenant-lint/model';
import { constant, propertyOf, undefinedValue, unknownValue } from '@tenant-lint/model';

/** Classes whose instances keep what they are given under a key, and functions that make such an instance. */
const stores: readonly { readonly modules: RegExp; readonly names: readonly string[] }[] = [
  { modules: /^ioredis$/, names: ['default', 'Redis', 'Cluster'] },
  { modules: /^redis$|^@redis\/client$/, names: ['createClient', 'createCluster', 'default', '*'] },
  { modules: /^@upstash\/redis(\/.*)?$/, names: ['Redis'] },
  { modules: /^@vercel\/kv$/, names: ['kv', 'createClient', 'default'] },
  { modules: /^lru-cache$/, names: ['LRUCache', 'default'] },
  { modules: /^keyv$/, names: ['default', 'Keyv'] },
  { modules: /^node-cache$/, names: ['default'] },
];

/** Methods that keep a value: the positions of key and value among their arguments. */
const writes: Readonly<Record<string, readonly [key: number, value: number]>> = {
  set: [0, 1],
  setex: [0, 2],
  setEx: [0, 2],
  psetex: [0, 2],
  setnx: [0, 1],
  setNX: [0, 1],
};

/** Methods of Redis that go over the keys that match a pattern, and where the pattern stands: by itself, or among options. */
const overKeys: Readonly<Record<string, 'pattern' | 'options' | 'all'>> = {
  keys: 'pattern',
  scan: 'options',
  scanStream: 'options',
  scanBufferStream: 'options',
  scanIterator: 'options',
  flushall: 'all',
  flushAll: 'all',
  flushdb: 'all',
  flushDb: 'all',
};

/** Methods of a store that keep nothing where something is kept. */
const exclusive: ReadonlySet<string> = new Set(['setnx', 'setNX']);

/** Whether an argument of `set` asks for that: `'NX'` of ioredis, `{ NX: true }` of redis, `{ nx: true }` of Upstash. */
const asksForNone = (value: Value): boolean =>
  value.kind === 'object'
    ? value.entries.some(
        (e) =>
          'set' in e &&
          ((e.set.toLowerCase() === 'nx' && e.value.kind === 'constant' && e.value.value === true) ||
            (e.set === 'condition' && e.value.kind === 'constant' && e.value.value === 'NX')),
      )
    : value.kind === 'constant' && typeof value.value === 'string' && value.value.toUpperCase() === 'NX';

/** What counts uses under a key: classes, and the method that counts one. */
const limiters: readonly { readonly modules: RegExp; readonly names: RegExp; readonly method: string }[] = [
  { modules: /^@upstash\/ratelimit$/, names: /^Ratelimit$/, method: 'limit' },
  { modules: /^rate-limiter-flexible$/, names: /^RateLimiter/, method: 'consume' },
];

function limitOf(chain: CallChain, context: LowerContext): ResourceAccess | undefined {
  const [step, ...rest] = chain.steps;
  const key = step?.arguments?.[0];
  const kind = step && key && rest.length === 0 ? limiters.find((l) => l.method === step.name) : undefined;
  if (!step || !key || !kind) return undefined;
  const made = madeBy(context.resolve(chain.receiver), context);
  if (made?.kind !== 'import' || !kind.modules.test(made.module) || !kind.names.test(made.name)) return undefined;
  return {
    kind: 'limit',
    library: made.module,
    method: step.name,
    key,
    payload: undefinedValue,
    chain: chain.id,
    function: chain.function,
    span: chain.span,
  };
}

/** Whether a value is a store that outlives the request: of a library, or a Map of the module. */
function storeOf(given: Value, context: LowerContext): string | undefined {
  const value = given.kind === 'missing-able' ? given.of : given;
  const resolved = context.resolve(value);
  const made = madeBy(resolved, context);
  if (made?.kind === 'import')
    return stores.some((s) => s.modules.test(made.module) && s.names.includes(made.name)) ? made.module : undefined;
  const isShared = value.kind === 'binding' || value.kind === 'import';
  return isShared && resolved.kind === 'instance' && made?.kind === 'global' && made.name === 'Map' ? 'Map' : undefined;
}

/** What an instance or the result of a factory goes back to. */
function madeBy(value: Value, context: LowerContext): Value | undefined {
  if (value.kind === 'import') return value;
  if (value.kind === 'instance') return context.resolve(value.of);
  const chain = value.kind === 'result' ? context.chain(value.chain) : undefined;
  return chain && context.resolve(chain.receiver);
}

/** The pattern that a method goes over keys by: all of them where it is told none. */
function patternOf(args: readonly Value[], where: 'pattern' | 'options' | 'all', context: LowerContext): Value {
  if (where === 'pattern') return args[0] ?? unknownValue('no pattern is given');
  const all = constant('*');
  if (where === 'all') return all;
  const isMatch = (name: string): boolean => /^match$/i.test(name);
  for (const [i, arg] of args.entries()) {
    const given = context.resolve(arg);
    if (given.kind === 'constant' && typeof given.value === 'string' && isMatch(given.value))
      return args[i + 1] ?? unknownValue('no pattern is given');
    if (given.kind !== 'object') continue;
    if (given.entries.some((e) => !('set' in e))) return unknownValue('options that are not seen');
    const set = given.entries.find((e) => 'set' in e && isMatch(e.set));
    if (set && 'set' in set) return set.value;
  }
  // What is left is a cursor, or was not seen.
  return args.slice(1).some((a) => !['constant', 'object'].includes(context.resolve(a).kind))
    ? unknownValue('options that are not seen')
    : all;
}

/** What the client of ioredis puts before every key. */
function prefixOf(given: Value, context: LowerContext): Value | undefined {
  const client = context.resolve(given.kind === 'missing-able' ? given.of : given);
  if (client.kind !== 'instance') return undefined;
  for (const arg of client.arguments) {
    const options = context.resolve(arg);
    const prefix = options.kind === 'object' ? propertyOf(options, 'keyPrefix') : undefinedValue;
    if (prefix.kind !== 'undefined') return prefix;
  }
  return undefined;
}

function goesOver(chain: CallChain, step: Step, context: LowerContext): ResourceAccess | undefined {
  const where = Object.hasOwn(overKeys, step.name) ? overKeys[step.name] : undefined;
  const library = where && storeOf(chain.receiver, context);
  if (!where || !library || !/redis|kv/.test(library)) return undefined;
  const prefix = library === 'ioredis' ? prefixOf(chain.receiver, context) : undefined;
  return {
    kind: 'cache',
    operation: where === 'all' ? 'delete' : 'find',
    library,
    method: step.name,
    key: patternOf(step.arguments ?? [], where, context),
    payload: undefinedValue,
    ...(prefix ? { prefix } : {}),
    chain: chain.id,
    function: chain.function,
    span: chain.span,
  };
}

function resource(chain: CallChain, context: LowerContext): ResourceAccess | undefined {
  const [step, ...rest] = chain.steps;
  const places = step?.arguments && rest.length === 0 ? writes[step.name] : undefined;
  if (!step) return undefined;
  if (!places) return goesOver(chain, step, context) ?? limitOf(chain, context);
  const key = step.arguments?.[places[0]];
  const payload = step.arguments?.[places[1]];
  const library = key && payload && storeOf(chain.receiver, context);
  if (!library) return undefined;
  const prefix = library === 'ioredis' ? prefixOf(chain.receiver, context) : undefined;
  return {
    kind: exclusive.has(step.name) || step.arguments?.slice(2).some(asksForNone) ? 'lock' : 'cache',
    library,
    method: step.name,
    key: prefix ? { kind: 'apply', function: '+', to: [prefix, key] } : key,
    payload,
    chain: chain.id,
    function: chain.function,
    span: chain.span,
  };
}

/** Caches, locks and limits: what is kept or counted under a key of the program's own, in the process or beside it. */
export const caches: Adapter = {
  id: 'cache',
  title: 'Caches',
  packages: [],
  everywhere: true,
  // Where the client is made; what is kept is read by a data library, whose vocabulary selects the file that keeps it.
  vocabulary:
    /['"](?:ioredis|redis|@redis\/client|@upstash\/redis(?:\/\w+)?|@vercel\/kv|lru-cache|keyv|node-cache|@upstash\/ratelimit|rate-limiter-flexible)['"]/,
  resource,
  lower: () => 'not mine',
};
