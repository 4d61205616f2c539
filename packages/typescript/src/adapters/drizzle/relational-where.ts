import {
  always,
  and,
  equal,
  not,
  or,
  type Known,
  type Predicate,
  type Query,
  type TableName,
  type TargetRef,
  type Value,
} from '@tenant-lint/model';
import { lowerWhere } from './condition.js';
import { callOf, chainOf, comparisons, functionCall } from './names.js';
import { columnName, Scope, tableKey, tableSource, type Source } from './scope.js';

/** How deep filters are followed. */
const maxDepth = 8;

/** The first version takes a condition or a callback that makes one, the second an object; the shape of the value tells them apart. */
export function lowerRelationalWhere(value: Value, source: Source, scope: Scope): Predicate {
  if (value.kind === 'function') return lowerCallback(value.function, source, scope);
  if (value.kind === 'object') return lowerFilter(value, source, scope, 0);
  if (value.kind === 'choice' || value.kind === 'missing-able') {
    const of = value.kind === 'choice' ? value.of : [value.of];
    if (of.some((v) => v.kind === 'object' || v.kind === 'function')) {
      const arms = of.map((v) =>
        v.kind === 'undefined' ? always('no condition') : lowerRelationalWhere(v, source, scope),
      );
      if (value.kind === 'missing-able')
        return { kind: 'optional', of: arms[0]!, on: value, otherwise: always('no condition'), why: dropped };
      return { kind: 'either', of: arms, ...(value.test && arms.length === 2 ? { test: value.test } : {}) };
    }
    return lowerWhere(value, scope);
  }
  const chain = chainOf(value, scope.context);
  if (chain && functionCall(callOf(chain), scope.context, scope.isOperators)) return lowerWhere(value, scope);
  const resolved = scope.context.resolve(value);
  if (resolved.kind === 'function') return lowerCallback(resolved.function, source, scope);
  if (resolved.kind === 'object') return lowerFilter(resolved, source, scope, 0);
  return lowerWhere(value, scope);
}

/** `(table, operators) => condition`. */
function lowerCallback(id: string, source: Source, scope: Scope): Predicate {
  const f = scope.context.function(id);
  if (!f) return { kind: 'unknown', reason: 'the callback of where was not found' };
  scope.hand({ kind: 'parameter', function: id, index: 0, path: [] }, source);
  scope.hand({ kind: 'parameter', function: id, index: 1, path: [] }, 'operators');
  const conditions = f.returns.map((r) => lowerWhere(r.value, scope));
  const [first] = conditions;
  if (conditions.length === 1 && first) return first;
  return conditions.length === 0 ? always('no condition') : { kind: 'either', of: conditions };
}

const dropped = 'Drizzle leaves out a filter whose value is undefined';

/** The object form of relational queries: columns, AND, OR, NOT, RAW and relations. */
function lowerFilter(value: Value, source: Source, scope: Scope, depth: number): Predicate {
  if (value.kind === 'undefined') return always('no condition');
  if (value.kind === 'missing-able')
    return {
      kind: 'optional',
      of: lowerFilter(value.of, source, scope, depth),
      on: value,
      otherwise: always(dropped),
      why: dropped,
    };
  if (value.kind === 'choice')
    return {
      kind: 'either',
      of: value.of.map((v) => lowerFilter(v, source, scope, depth)),
      ...(value.test && value.of.length === 2 ? { test: value.test } : {}),
    };
  const resolved = value.kind === 'object' ? value : scope.context.resolve(value);
  if (resolved.kind !== 'object' || depth > maxDepth)
    return { kind: 'unknown', reason: 'a filter that was not followed' };
  const parts = resolved.entries.map((entry): Predicate => {
    if ('spread' in entry) return lowerFilter(entry.spread, source, scope, depth + 1);
    if (!('set' in entry)) return { kind: 'unknown', reason: 'a filter on a computed column' };
    const part = lowerFilterEntry(entry.set, entry.value, source, scope, depth);
    return entry.maybe
      ? {
          kind: 'optional',
          of: part,
          on: entry.test ?? entry.value,
          otherwise: always(dropped),
          why: 'the condition is added on some paths only',
        }
      : part;
  });
  return and(...parts);
}

function lowerFilterEntry(name: string, value: Value, source: Source, scope: Scope, depth: number): Predicate {
  const list = (): readonly Predicate[] => {
    const resolved = value.kind === 'list' ? value : scope.context.resolve(value);
    return resolved.kind === 'list'
      ? resolved.of.map((i) => lowerFilter(i.value, source, scope, depth + 1))
      : [{ kind: 'unknown', reason: `a list of filters in ${name}` }];
  };
  if (value.kind === 'undefined') return always(dropped);
  switch (name) {
    case 'AND':
      return and(...list());
    case 'OR': {
      const all = list();
      return all.length === 0 ? always('Drizzle leaves out an empty OR') : or(...all);
    }
    case 'NOT':
      return not(lowerFilter(value, source, scope, depth + 1));
    case 'RAW':
      return value.kind === 'function' ? lowerCallback(value.function, source, scope) : lowerWhere(value, scope);
    default:
  }
  const relation = source.table.known ? scope.context.relation(source.table.value, name) : undefined;
  if (relation && !source.known?.columns.has(name))
    return lowerRelationFilter(relation, name, value, source, scope, depth);
  const column: Value = {
    kind: 'column',
    ...(source.ref === undefined ? {} : { target: source.ref }),
    column: columnName(source.known, name),
  };
  return lowerColumnFilter(column, value, scope, depth);
}

function lowerRelationFilter(
  relation: NonNullable<Relation>,
  name: string,
  value: Value,
  source: Source,
  scope: Scope,
  depth: number,
): Predicate {
  const table = { known: true as const, value: relation.to };
  const inner = new Scope(scope.build, scope);
  const ref = scope.build.ref();
  const other = tableSource(tableKey(relation.to), table, ref, scope.context);
  inner.sources.push(other);
  const negated = value.kind === 'constant' && value.value === false;
  const filter = value.kind === 'constant' ? always('no condition') : lowerFilter(value, other, inner, depth + 1);
  const condition = and(relationTie(relation, name, source, ref, table, scope), filter);
  const query: Query = {
    targets: [
      {
        ref,
        table,
        role: 'subquery',
        operation: 'read',
        predicate: condition,
        cardinality: 'many',
        columns: [],
        span: scope.build.span,
      },
    ],
    condition,
    output: [],
  };
  const exists: Predicate = { kind: 'exists', query };
  return negated ? not(exists) : exists;
}

/** `column: value` or `column: { eq, ne, in, ... }`. */
function lowerColumnFilter(column: Value, value: Value, scope: Scope, depth: number): Predicate {
  if (value.kind === 'undefined') return always(dropped);
  if (value.kind === 'missing-able' && value.how === 'undefined') {
    return {
      kind: 'optional',
      of: lowerColumnFilter(column, value.of, scope, depth),
      on: value,
      otherwise: always(dropped),
      why: dropped,
    };
  }
  if (value.kind === 'choice') {
    const arms = value.of.map((v) => lowerColumnFilter(column, v, scope, depth));
    return { kind: 'either', of: arms, ...(value.test && arms.length === 2 ? { test: value.test } : {}) };
  }
  if (value.kind !== 'object' || depth > maxDepth) {
    if (value.kind === 'constant' && value.value === null)
      return { kind: 'compare', left: column, operator: '=', right: value };
    return equal(column, value);
  }
  return and(
    ...value.entries.map((entry): Predicate => {
      if (!('set' in entry)) return { kind: 'unknown', reason: 'a filter whose operator is computed' };
      const right = entry.value;
      if (right.kind === 'undefined') return always(dropped);
      const of = lowerColumnOperator(column, entry.set, right, scope, depth);
      return right.kind === 'missing-able' && right.how === 'undefined'
        ? { kind: 'optional', of, on: right, otherwise: always(dropped), why: dropped }
        : of;
    }),
  );
}

function lowerColumnOperator(column: Value, name: string, given: Value, scope: Scope, depth: number): Predicate {
  const right = given.kind === 'missing-able' ? given.of : given;
  const operator = comparisons[name];
  if (operator !== undefined) return { kind: 'compare', left: column, operator, right };
  switch (name) {
    case 'isNull':
      return { kind: 'null', of: column };
    case 'isNotNull':
      return not({ kind: 'null', of: column });
    case 'in':
    case 'notIn': {
      const of: Predicate =
        right.kind === 'list'
          ? right.of.length === 0
            ? { kind: 'never' }
            : {
                kind: 'in',
                left: column,
                right: right.of.map((i) => (i.spread ? { kind: 'element', of: i.value, path: ['*'] } : i.value)),
              }
          : { kind: 'in', left: column, right: [{ kind: 'element', of: right, path: ['*'] }], open: true };
      return name === 'in' ? of : not(of);
    }
    case 'NOT':
      return not(lowerColumnFilter(column, right, scope, depth + 1));
    case 'AND':
    case 'OR': {
      const all =
        right.kind === 'list' ? right.of.map((i) => lowerColumnFilter(column, i.value, scope, depth + 1)) : undefined;
      return all
        ? name === 'AND'
          ? and(...all)
          : or(...all)
        : { kind: 'unknown', reason: `a list of filters in ${name}` };
    }
    default:
      return { kind: 'unknown', reason: `the filter ${name}` };
  }
}

type Relation = ReturnType<Scope['context']['relation']>;

/** What ties the rows of a related table to those of its parent. */
export function relationTie(
  relation: Relation,
  name: string,
  parent: Source,
  ref: TargetRef,
  table: Known<TableName>,
  scope: Scope,
): Predicate {
  if (!relation || parent.ref === undefined)
    return { kind: 'unknown', reason: `the relation ${name} of ${parent.name} was not found` };
  if (relation.columns.length === 0 || relation.columns.length !== relation.references.length) {
    return { kind: 'related', target: ref, to: parent.ref, by: name };
  }
  const other = table.known ? scope.context.table(table.value) : undefined;
  return and(
    ...relation.columns.map((column, i) =>
      equal(
        { kind: 'column', target: ref, column: columnName(other, relation.references[i]!) },
        { kind: 'column', target: parent.ref!, column: columnName(parent.known, column) },
      ),
    ),
  );
}
