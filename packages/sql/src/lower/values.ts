import type { A_Expr, CaseExpr, ColumnRef, FuncCall, Node, SubLink } from '@pgsql/types';
import type { Value } from '@tenant-lint/model';
import { constant, unknownValue } from '@tenant-lint/model';
import { lowerCondition } from './conditions.js';
import { holeOf, holeValue } from './holes.js';
import { constantOf, qualifiedName, strings, typeText } from './nodes.js';
import type { Scope } from './scope.js';
import { findSource, resolveColumn, resolveQualified } from './scope.js';
import { nodeSpan } from './spans.js';
import { bareExpression, subQuery } from './subqueries.js';

const apply = (name: string, to: readonly Value[]): Value => ({ kind: 'apply', function: name, to });

/** An expression of SQL as a value. What has no counterpart in the model becomes `unknown` with the reason; never throws on odd nodes. */
export function lowerExpression(node: Node | undefined, scope: Scope): Value {
  if (!node) return unknownValue('missing expression');
  const value = (inner: Node | undefined): Value => lowerExpression(inner, scope);
  const values = (inner: readonly Node[] | undefined): Value[] => (inner ?? []).map(value);
  if ('ColumnRef' in node) return lowerColumn(node.ColumnRef, scope);
  if ('A_Const' in node) return constantOf(node.A_Const);
  if ('ParamRef' in node) return { kind: 'placeholder', name: String(node.ParamRef.number ?? 0) };
  if ('TypeCast' in node) return apply(`cast:${typeText(node.TypeCast.typeName)}`, [value(node.TypeCast.arg)]);
  if ('FuncCall' in node) return lowerCall(node.FuncCall, scope);
  if ('A_Expr' in node) return lowerOperator(node.A_Expr, node, scope);
  if ('BoolExpr' in node || 'NullTest' in node || 'BooleanTest' in node) {
    return { kind: 'predicate', predicate: lowerCondition(node, scope) };
  }
  if ('SubLink' in node) return lowerSubLink(node.SubLink, node, scope);
  if ('CoalesceExpr' in node) return apply('coalesce', values(node.CoalesceExpr.args));
  if ('MinMaxExpr' in node)
    return apply(node.MinMaxExpr.op === 'IS_LEAST' ? 'least' : 'greatest', values(node.MinMaxExpr.args));
  if ('CaseExpr' in node) return lowerCase(node.CaseExpr, scope);
  if ('SQLValueFunction' in node) {
    const name = (node.SQLValueFunction.op ?? '')
      .replace(/^SVFOP_/, '')
      .replace(/_N$/, '')
      .toLowerCase();
    return apply(name === 'user' ? 'current_user' : name, []);
  }
  if ('A_ArrayExpr' in node) return { kind: 'list', of: values(node.A_ArrayExpr.elements).map((v) => ({ value: v })) };
  if ('RowExpr' in node) return apply('row', values(node.RowExpr.args));
  if ('CollateClause' in node) return value(node.CollateClause.arg);
  if ('NamedArgExpr' in node) return value(node.NamedArgExpr.arg);
  if ('A_Indirection' in node)
    return lowerIndirection(node.A_Indirection.arg, node.A_Indirection.indirection ?? [], scope);
  if ('SetToDefault' in node) return unknownValue('DEFAULT');
  if ('GroupingFunc' in node) return apply('grouping', values(node.GroupingFunc.args));
  if ('MultiAssignRef' in node) return unknownValue('part of a row');
  return unknownValue(`expression ${Object.keys(node)[0] ?? ''}`);
}

function lowerColumn(ref: ColumnRef, scope: Scope): Value {
  const fields = ref.fields ?? [];
  const names = strings(fields);
  const hole = names.map(holeOf).find((n) => n !== undefined);
  if (hole !== undefined)
    return names.length === 1 && /^__hole_\d+__$/.test(names[0] ?? '')
      ? holeValue(hole)
      : unknownValue('dynamic column name');
  const last = fields.at(-1);
  if (last && 'A_Star' in last) return unknownValue('whole row');
  const column = names.at(-1);
  if (column === undefined) return unknownValue('empty column reference');
  const resolved =
    names.length === 1 ? resolveColumn(scope, column) : resolveQualified(scope, names.slice(0, -1), column);
  const value = names.length === 1 ? orWholeRow(resolved, column, scope) : resolved;
  const span = value.kind === 'column' && !value.span ? nodeSpan(scope.context, ref) : undefined;
  return span ? { ...(value as Value & { kind: 'column' }), span } : value;
}

/** A name that is no column may name a source, and then means its whole row. */
function orWholeRow(value: Value, name: string, scope: Scope): Value {
  if (!findSource(scope, [name])) return value;
  if (value.kind === 'unknown') return unknownValue('whole row');
  if (value.kind !== 'column' || value.target !== undefined || value.otherwise) return value;
  return { ...value, otherwise: unknownValue('whole row') };
}

function lowerCall(call: FuncCall, scope: Scope): Value {
  const name = qualifiedName(call.funcname);
  const args = (call.args ?? []).map((a) => lowerExpression(a, scope));
  // Conditions and orders inside an aggregate may hold sub-queries, whose tables are reached too.
  if (call.agg_filter) lowerCondition(call.agg_filter, scope);
  if (holeOf(name) !== undefined) return unknownValue('dynamic function name');
  if (name === 'current_setting') {
    const setting = withoutCasts(args[0]);
    const missing = withoutCasts(args[1]);
    if (setting?.kind === 'constant' && typeof setting.value === 'string') {
      // Policies do not hold superusers, so what asks within them is none; and nobody can set it.
      if (setting.value.toLowerCase() === 'is_superuser') return constant('off');
      return {
        kind: 'setting',
        name: setting.value.toLowerCase(),
        missingOk: missing?.kind === 'constant' && missing.value === true,
      };
    }
  }
  return apply(name, args);
}

function withoutCasts(value: Value | undefined): Value | undefined {
  while (value?.kind === 'apply' && value.function.startsWith('cast:')) value = value.to[0];
  return value;
}

/** Operators whose result is a truth value, of those that the model understands. */
const comparing = new Set(['=', '<>', '<', '<=', '>', '>=', '~~', '!~~', '~~*', '!~~*']);

function lowerOperator(expr: A_Expr, node: Node, scope: Scope): Value {
  if (expr.kind === 'AEXPR_NULLIF')
    return apply('nullif', [lowerExpression(expr.lexpr, scope), lowerExpression(expr.rexpr, scope)]);
  const name = qualifiedName(expr.name);
  if (expr.kind !== 'AEXPR_OP' || comparing.has(name))
    return { kind: 'predicate', predicate: lowerCondition(node, scope) };
  const right = lowerExpression(expr.rexpr, scope);
  if (!expr.lexpr) {
    if (name === '-' && right.kind === 'constant' && typeof right.value === 'number') return constant(-right.value);
    return apply(name, [right]);
  }
  return apply(name, [lowerExpression(expr.lexpr, scope), right]);
}

function lowerSubLink(link: SubLink, node: Node, scope: Scope): Value {
  if (link.subLinkType === 'EXPR_SUBLINK' || link.subLinkType === 'MULTIEXPR_SUBLINK') {
    const bare = bareExpression(link.subselect);
    if (bare) return lowerExpression(bare, scope);
    return { kind: 'query', query: subQuery(link.subselect, scope) };
  }
  if (link.subLinkType === 'ARRAY_SUBLINK')
    return apply('array', [{ kind: 'query', query: subQuery(link.subselect, scope) }]);
  return { kind: 'predicate', predicate: lowerCondition(node, scope) };
}

/** CASE as nested choices by test; without ELSE the last value is NULL. */
function lowerCase(expr: CaseExpr, scope: Scope): Value {
  const otherwise = expr.defresult ? lowerExpression(expr.defresult, scope) : constant(null);
  return (expr.args ?? []).reduceRight<Value>((rest, when) => {
    if (!('CaseWhen' in when)) return unknownValue('CASE');
    const test = caseTest(expr, when.CaseWhen.expr, scope);
    return {
      kind: 'choice',
      of: [lowerExpression(when.CaseWhen.result, scope), rest],
      test: { kind: 'predicate', predicate: test },
    };
  }, otherwise);
}

/** The condition of one WHEN: `CASE x WHEN y` compares. */
export function caseTest(expr: CaseExpr, when: Node | undefined, scope: Scope): ReturnType<typeof lowerCondition> {
  if (!expr.arg) return lowerCondition(when, scope);
  return {
    kind: 'compare',
    left: lowerExpression(expr.arg, scope),
    operator: '=',
    right: lowerExpression(when, scope),
  };
}

/** `(row).field`, `array[1]`, `json['key']`. A slice is a function of the array. */
function lowerIndirection(arg: Node | undefined, steps: readonly Node[], scope: Scope): Value {
  return steps.reduce<Value>(
    (of, step) => {
      if ('String' in step) return { kind: 'element', of, path: [step.String.sval ?? ''] };
      if ('A_Indices' in step) {
        if (step.A_Indices.is_slice) return apply('slice', [of]);
        const index = lowerExpression(step.A_Indices.uidx, scope);
        return { kind: 'element', of, path: [index.kind === 'constant' ? String(index.value) : '*'] };
      }
      return unknownValue('whole row');
    },
    lowerExpression(arg, scope),
  );
}
