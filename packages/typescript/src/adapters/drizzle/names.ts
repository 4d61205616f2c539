import type { CallChain, LinkContext, Step, Value } from '@tenant-lint/model';
import { splitPath, type Call } from '../query-text/calls.js';

/** Operators that make a condition or an expression, by their exported names. */
export const comparisons: Readonly<Record<string, string>> = {
  eq: '=',
  ne: '<>',
  gt: '>',
  gte: '>=',
  lt: '<',
  lte: '<=',
  like: 'like',
  ilike: 'ilike',
  notLike: 'not like',
  notIlike: 'not ilike',
  arrayContains: '@>',
  arrayContained: '<@',
  arrayOverlaps: '&&',
};
const otherOperators = [
  'and',
  'or',
  'not',
  'inArray',
  'notInArray',
  'isNull',
  'isNotNull',
  'exists',
  'notExists',
  'between',
  'notBetween',
  'sql',
];
const aggregates = ['count', 'countDistinct', 'sum', 'sumDistinct', 'avg', 'avgDistinct', 'max', 'min', 'asc', 'desc'];
export const operators: ReadonlySet<string> = new Set([...Object.keys(comparisons), ...otherOperators, ...aggregates]);

export const tableFunctions: Readonly<Record<string, 'table' | 'creator'>> = {
  pgTable: 'table',
  mysqlTable: 'table',
  sqliteTable: 'table',
  singlestoreTable: 'table',
  pgTableCreator: 'creator',
  mysqlTableCreator: 'creator',
  sqliteTableCreator: 'creator',
  singlestoreTableCreator: 'creator',
};
export const schemaFunctions: ReadonlySet<string> = new Set(['pgSchema', 'mysqlSchema']);
export const viewFunctions: ReadonlySet<string> = new Set(['pgView', 'pgMaterializedView', 'mysqlView', 'sqliteView']);

export const selectStarts: ReadonlySet<string> = new Set(['select', 'selectDistinct', 'selectDistinctOn']);
export const setFunctions: ReadonlySet<string> = new Set([
  'union',
  'unionAll',
  'intersect',
  'intersectAll',
  'except',
  'exceptAll',
]);
export const joins: Readonly<Record<string, 'inner' | 'left' | 'right' | 'full' | 'cross'>> = {
  innerJoin: 'inner',
  leftJoin: 'left',
  rightJoin: 'right',
  fullJoin: 'full',
  crossJoin: 'cross',
  innerJoinLateral: 'inner',
  leftJoinLateral: 'left',
  crossJoinLateral: 'cross',
};
/** Steps of a builder that has been started: a chain that begins with one continues another chain. */
export const builderSteps: ReadonlySet<string> = new Set([
  ...Object.keys(joins),
  ...setFunctions,
  'from',
  'where',
  'having',
  'groupBy',
  'orderBy',
  'limit',
  'offset',
  'for',
  'as',
  'set',
  'values',
  'returning',
  'onConflictDoNothing',
  'onConflictDoUpdate',
  'onDuplicateKeyUpdate',
  'overridingSystemValue',
  '$dynamic',
  '$withCache',
  'prepare',
  'execute',
  'iterator',
  'then',
  'catch',
  'finally',
  'all',
  'get',
  'run',
]);

/** Functions of the library that matter here, by their exported names. */
const knownFunctions: ReadonlySet<string> = new Set([
  ...operators,
  ...Object.keys(tableFunctions),
  ...schemaFunctions,
  ...viewFunctions,
  ...setFunctions,
  ...[
    'alias',
    'aliasedTable',
    'relations',
    'defineRelations',
    'defineRelationsPart',
    'drizzle',
    'withReplicas',
    'placeholder',
  ],
  ...['primaryKey', 'foreignKey', 'unique', 'uniqueIndex', 'index', 'check', 'pgPolicy', 'pgRole', 'pgEnum'],
]);

/** The normal form of a chain. */
export function callOf(chain: CallChain): Call {
  const { base, path } = splitPath(chain.receiver);
  const reads = path.map((name): Step => ({ name, span: chain.span }));
  return { base, steps: [...reads, ...chain.steps], chain };
}

/** A call of a function, and the steps after it. */
export interface FunctionCall {
  readonly name: string;
  /** The module it is imported from; absent for a callback's operators and for what could not be resolved. */
  readonly module?: string;
  readonly step: Step;
  readonly arguments: readonly Value[];
  readonly rest: readonly Step[];
}

export const isDrizzle = (module: string): boolean => module === 'drizzle-orm' || module.startsWith('drizzle-orm/');

/**
 * The library function that a chain calls first: `eq(...)`, `ops.eq(...)`, `schema.table(...)` is none. `isOperators` says which values are the operators that
 * the library hands to a callback.
 */
export function functionCall(
  call: Call,
  context: LinkContext,
  isOperators?: (base: Value) => boolean,
): FunctionCall | undefined {
  const { base, steps } = call;
  const handed = isOperators?.(base) ?? false;
  const at = steps.findIndex((s) => s.arguments !== undefined);
  const step = steps[at];
  if (at < 0 || !step?.arguments) return undefined;
  const names = steps.slice(0, at + 1).flatMap((s) => (s.name === '' ? [] : [s.name]));
  const made = { step, arguments: step.arguments, rest: steps.slice(at + 1) };
  const only = names[0];
  if (handed) return names.length === 1 && only !== undefined ? { name: only, ...made } : undefined;
  if (base.kind !== 'import') return undefined;
  // A module of another name may re-export the library's functions, but hardly under other names.
  if (
    !isDrizzle(base.module) &&
    !knownFunctions.has(base.name) &&
    !(names[0] !== undefined && knownFunctions.has(names[0]))
  )
    return undefined;
  const imported = importOf(base, names, context);
  if (!imported || imported.rest > 0) {
    // `sql.raw(...)`, `sql.join(...)`: a function with a namespace of its own.
    if (imported && imported.name === 'sql' && imported.rest === 1 && isDrizzle(imported.module)) {
      return { name: `sql.${names.at(-1)!}`, module: imported.module, ...made };
    }
    return undefined;
  }
  // A module that is not part of the program may re-export the library: its operators are known by name.
  if (!isDrizzle(imported.module) && !(operators.has(imported.name) && isElsewhere(base, context))) return undefined;
  return { name: imported.name, module: imported.module, ...made };
}

/** The module and name that an import denotes, and how many of `names` are left to be read from it. */
function importOf(
  base: Extract<Value, { kind: 'import' }>,
  names: readonly string[],
  context: LinkContext,
): { module: string; name: string; rest: number } | undefined {
  if (base.name === '*' && names[0] !== undefined) {
    const inner: Value = { ...base, path: [names[0]] };
    const resolved = isDrizzle(base.module) ? inner : context.resolve(inner);
    if (resolved.kind !== 'import') return undefined;
    return {
      module: resolved.module,
      name: resolved.name === '*' ? (resolved.path[0] ?? '*') : resolved.name,
      rest: names.length - 1,
    };
  }
  const resolved = isDrizzle(base.module) ? base : context.resolve(base);
  if (resolved.kind !== 'import') return undefined;
  const name = resolved.name === '*' ? resolved.path[0] : resolved.name;
  return name === undefined ? undefined : { module: resolved.module, name, rest: names.length };
}

const isElsewhere = (base: Value, context: LinkContext): boolean => {
  const resolved = context.resolve(base);
  return resolved.kind === 'import';
};

/** The chain that a value is the result of, with nothing read from it; through imports and bindings. */
export function chainOf(value: Value, context: LinkContext): CallChain | undefined {
  const direct = value.kind === 'result' && value.path.length === 0 ? context.chain(value.chain) : undefined;
  if (direct && isLibraryCall(direct, context)) return direct;
  const resolved = value.kind === 'missing-able' ? value.of : context.resolve(value);
  return resolved.kind === 'result' && resolved.path.length === 0 ? context.chain(resolved.chain) : undefined;
}

/** Whether a chain calls the library itself, so that nothing of the program is to be read through first. */
const isLibraryCall = (chain: CallChain, context: LinkContext): boolean =>
  functionCall(callOf(chain), context) !== undefined;
