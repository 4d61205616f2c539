import { unknownValue, type Value } from '@tenant-lint/model';
import { lowerCondition } from './condition.js';
import { callOf, chainOf, functionCall, operators, comparisons } from './names.js';
import { builderOf, countOf, lowerQuery } from './select.js';
import type { Scope } from './scope.js';
import { sqlExpression } from './sql-template.js';

const conditions = new Set([
  ...Object.keys(comparisons),
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
]);

/**
 * A value as an operand: columns of the tables in scope, expressions of the library and scalar sub-queries are lowered, values of the
 * program stay what they are, so that link traces them.
 */
export function expression(value: Value, scope: Scope): Value {
  const column = scope.column(value);
  if (column) return column;
  if (value.kind === 'constant' || value.kind === 'undefined' || value.kind === 'unknown') return value;
  const chain = chainOf(value, scope.context);
  if (!chain) return value;
  const call = callOf(chain);
  const f = functionCall(call, scope.context, scope.isOperators);
  if (!f) {
    const builder = builderOf(value, scope);
    const query = builder ? lowerQuery(builder, scope) : countOf(call, scope);
    return query ? { kind: 'query', query } : value;
  }
  if (f.rest.some((s) => s.name === 'as') && f.name !== 'sql')
    return scope.build.guard(chain.id, () => lowerCall(f, value, scope), value);
  return scope.build.guard(
    chain.id,
    () => lowerCall(f, value, scope),
    unknownValue('an expression that refers to itself'),
  );
}

function lowerCall(f: NonNullable<ReturnType<typeof functionCall>>, value: Value, scope: Scope): Value {
  const first = f.arguments[0];
  if (f.name === 'sql' || f.name === 'sql.raw' || f.name === 'sql.join') return sqlExpression(f, scope);
  if (f.name === 'sql.placeholder' || f.name === 'placeholder') {
    return first?.kind === 'constant'
      ? { kind: 'placeholder', name: String(first.value) }
      : unknownValue('a placeholder whose name is computed');
  }
  if (f.name === 'sql.param') return first ?? value;
  if (f.name === 'sql.identifier') return unknownValue('a name');
  if (conditions.has(f.name)) return { kind: 'predicate', predicate: lowerCondition(value, scope).predicate };
  if (f.module === undefined || operators.has(f.name))
    return { kind: 'apply', function: f.name.toLowerCase(), to: f.arguments.map((a) => expression(a, scope)) };
  return value;
}
