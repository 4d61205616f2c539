export const joins: Readonly<Record<string, string>> = {
  join: 'INNER JOIN',
  innerJoin: 'INNER JOIN',
  leftJoin: 'LEFT JOIN',
  leftOuterJoin: 'LEFT JOIN',
  rightJoin: 'RIGHT JOIN',
  rightOuterJoin: 'RIGHT JOIN',
  outerJoin: 'FULL JOIN',
  fullOuterJoin: 'FULL JOIN',
  crossJoin: 'CROSS JOIN',
};

export const unions: Readonly<Record<string, string>> = {
  union: 'UNION',
  unionAll: 'UNION ALL',
  intersect: 'INTERSECT',
  except: 'EXCEPT',
};

export const ctes: ReadonlySet<string> = new Set([
  'with',
  'withRecursive',
  'withMaterialized',
  'withNotMaterialized',
  'withRaw',
]);

/** Steps that name the table of a statement. */
export const tables: ReadonlySet<string> = new Set(['from', 'into', 'table', 'fromRaw']);

export const aggregates: Readonly<Record<string, string>> = {
  count: 'count',
  countDistinct: 'count(DISTINCT',
  min: 'min',
  max: 'max',
  sum: 'sum',
  sumDistinct: 'sum(DISTINCT',
  avg: 'avg',
  avgDistinct: 'avg(DISTINCT',
};

export const writes: ReadonlySet<string> = new Set([
  'insert',
  'update',
  'del',
  'delete',
  'truncate',
  'increment',
  'decrement',
  'upsert',
]);

/** Steps that wait for a statement. */
export const runs: ReadonlySet<string> = new Set(['then', 'catch', 'finally', 'stream', 'pipe', 'asCallback']);

const others = [
  'select',
  'column',
  'columns',
  'distinct',
  'distinctOn',
  'first',
  'pluck',
  'joinRaw',
  'groupBy',
  'groupByRaw',
  'orderBy',
  'orderByRaw',
  'limit',
  'offset',
  'returning',
  'onConflict',
  'merge',
  'ignore',
  'clearWhere',
  'clearSelect',
  'clearOrder',
  'clearHaving',
  'clear',
  'modify',
  'clone',
  'as',
  'transacting',
  'forUpdate',
  'forShare',
  'skipLocked',
  'withSchema',
  'queryBuilder',
  'timeout',
  'debug',
  'options',
  'comment',
  'connection',
  'using',
  'updateFrom',
  'columnInfo',
  'noWait',
  'forNoKeyUpdate',
  'forKeyShare',
  'hintComment',
  'clearGroup',
  'clearCounters',
  'rank',
  'denseRank',
  'rowNumber',
  'jsonExtract',
  'toSQL',
  'toString',
  'toQuery',
  'on',
];
/** Steps of Objection's queries, which change a builder in place like the rest. */
export const modelSteps: ReadonlySet<string> = new Set([
  ...['findById', 'findByIds', 'findOne', 'deleteById', 'patch', 'patchAndFetch', 'patchAndFetchById', 'relate'],
  ...['updateAndFetch', 'updateAndFetchById', 'insertAndFetch', 'insertGraph', 'insertGraphAndFetch', 'unrelate'],
  ...['insertWithRelated', 'upsertGraph', 'upsertGraphAndFetch', 'resultSize', 'onBuild', 'onBuildKnex', 'for'],
  ...['joinRelated', 'innerJoinRelated', 'leftJoinRelated', 'leftOuterJoinRelated', 'alias', 'skipUndefined'],
  ...['throwIfNotFound', 'context', 'mergeContext', 'allowGraph', 'allowEager', 'page', 'range', 'castTo', 'eager'],
  ...['withGraphFetched', 'withGraphJoined', 'modifyGraph', 'modifiers', 'runBefore', 'runAfter', 'onError'],
]);
const all: ReadonlySet<string> = new Set([
  ...modelSteps,
  ...Object.keys(joins),
  ...Object.keys(unions),
  ...ctes,
  ...tables,
  ...Object.keys(aggregates),
  ...writes,
  ...runs,
  ...others,
]);

/** A condition by the name of its method. */
export interface ConditionWord {
  readonly bool: 'AND' | 'OR';
  readonly clause: 'where' | 'having' | 'on';
  readonly not: boolean;
  /** What follows: '', 'In', 'Null', 'Exists', 'Raw' ... */
  readonly kind: string;
}

const kinds: ReadonlySet<string> = new Set([
  ...['', 'In', 'Null', 'Exists', 'Between', 'Column', 'Raw', 'Like', 'ILike', 'Wrapped', 'Val', 'Composite'],
  ...['InComposite', 'JsonObject', 'JsonPath', 'JsonSupersetOf', 'JsonSubsetOf', 'JsonNotSupersetOf', 'JsonPathEquals'],
]);

/** `orWhereNotIn`, `andOn`, `havingRaw` ...; undefined for any other method. */
export function conditionWord(name: string): ConditionWord | undefined {
  const match = /^(and|or)?(where|having|on)(Not)?([A-Z]\w*)?$/i.exec(name);
  if (!match) return undefined;
  const [, bool, clause = '', not, kind = ''] = match;
  if (bool === undefined ? !/^[who]/.test(clause) : !/^[WHO]/.test(clause)) return undefined;
  if (!kinds.has(kind)) return undefined;
  return {
    bool: bool === 'or' ? 'OR' : 'AND',
    clause: clause.toLowerCase() as ConditionWord['clause'],
    not: not !== undefined,
    kind,
  };
}

/** Whether a step can be one of the query builder. */
export const isBuilderStep = (name: string): boolean => all.has(name) || conditionWord(name) !== undefined;
