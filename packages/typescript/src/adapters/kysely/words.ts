/** Steps that start a statement. */
export const starts: ReadonlySet<string> = new Set([
  'selectFrom',
  'selectNoFrom',
  'updateTable',
  'deleteFrom',
  'insertInto',
  'replaceInto',
  'mergeInto',
]);

/** Steps that run a statement. */
export const runs: ReadonlySet<string> = new Set([
  'execute',
  'executeTakeFirst',
  'executeTakeFirstOrThrow',
  'stream',
  'explain',
]);

export const joins: Readonly<Record<string, string>> = {
  innerJoin: 'INNER JOIN',
  leftJoin: 'LEFT JOIN',
  rightJoin: 'RIGHT JOIN',
  fullJoin: 'FULL JOIN',
  crossJoin: 'CROSS JOIN',
  innerJoinLateral: 'INNER JOIN LATERAL',
  leftJoinLateral: 'LEFT JOIN LATERAL',
  crossJoinLateral: 'CROSS JOIN LATERAL',
};

export const unions: Readonly<Record<string, string>> = {
  union: 'UNION',
  unionAll: 'UNION ALL',
  intersect: 'INTERSECT',
  intersectAll: 'INTERSECT ALL',
  except: 'EXCEPT',
  exceptAll: 'EXCEPT ALL',
};

/** Steps of a statement that was started. */
export const builderSteps: ReadonlySet<string> = new Set([
  ...starts,
  ...runs,
  ...Object.keys(joins),
  ...Object.keys(unions),
  'with',
  'withRecursive',
  'where',
  'whereRef',
  'having',
  'havingRef',
  'select',
  'selectAll',
  'distinct',
  'distinctOn',
  'groupBy',
  'orderBy',
  'limit',
  'offset',
  'fetch',
  'set',
  'values',
  'columns',
  'expression',
  'onConflict',
  'from',
  'using',
  'returning',
  'returningAll',
  'forUpdate',
  'forShare',
  'skipLocked',
  'as',
  'compile',
  'toOperationNode',
  'clearWhere',
  'clearSelect',
  'clearOrderBy',
  'clearLimit',
  'clearOffset',
  'clearGroupBy',
  '$if',
  '$call',
  '$castTo',
  '$narrowType',
  '$assertType',
  '$asScalar',
  '$notNull',
  'modifyEnd',
  'modifyFront',
  'defaultValues',
  'ignore',
  'orIgnore',
]);

/** Operators that PostgreSQL has under the same name. Those with a question mark read as parameters to the SQL front end. */
export const operators: ReadonlySet<string> = new Set([
  ...['=', '==', '!=', '<>', '>', '>=', '<', '<=', 'in', 'not in', 'is', 'is not', 'like', 'not like', 'ilike'],
  ...['not ilike', 'similar to', 'is distinct from', 'is not distinct from', '@>', '<@', '^@', '&&', '~', '~*'],
  ...['!~', '!~*', '@@', '@@@', '<->', '<#>', '<=>', '||', '->', '->>', '#>', '#>>', '+', '-', '*', '/', '%'],
]);
