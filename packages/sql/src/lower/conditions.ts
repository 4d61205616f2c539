import type { A_Expr, Node, SubLink } from '@pgsql/types';
import type { Operator, Predicate, Span, Value } from '@tenant-lint/model';
import { always, and, never, not, or, unknownValue } from '@tenant-lint/model';
import { listItems, qualifiedName } from './nodes.js';
import type { Scope } from './scope.js';
import { yieldsOneRow } from './select.js';
import { nodeSpan } from './spans.js';
import { bareExpression, subQuery } from './subqueries.js';
import { caseTest, lowerExpression } from './values.js';

/** A condition of SQL as a predicate; three-valued logic is kept. What has no counterpart becomes `unknown`; never throws on odd nodes. */
export function lowerCondition(node: Node | undefined, scope: Scope): Predicate {
  if (!node) return { kind: 'unknown', reason: 'missing condition' };
  if ('BoolExpr' in node) {
    const of = (node.BoolExpr.args ?? []).map((arg) => lowerCondition(arg, scope));
    if (node.BoolExpr.boolop === 'NOT_EXPR') return not(of[0] ?? { kind: 'unknown', reason: 'NOT' });
    // `or` and `and` drop constants, which is exact: TRUE OR x is TRUE, FALSE AND x is FALSE.
    return node.BoolExpr.boolop === 'OR_EXPR' ? or(...of) : and(...of);
  }
  const span = nodeSpan(scope.context, node);
  const spanned = span ? { span } : {};
  if ('A_Expr' in node) return lowerComparison(node.A_Expr, node, scope, span);
  if ('NullTest' in node) return nullTest(node.NullTest.arg, node.NullTest.nulltesttype === 'IS_NOT_NULL', scope, span);
  if ('BooleanTest' in node) {
    const of = lowerCondition(node.BooleanTest.arg, scope);
    const type = node.BooleanTest.booltesttype ?? 'IS_TRUE';
    const test = type.endsWith('TRUE') ? true : type.endsWith('FALSE') ? false : null;
    const is: Predicate = { kind: 'is', of, test };
    return type.startsWith('IS_NOT') ? not(is) : is;
  }
  if ('SubLink' in node) return lowerSubLink(node.SubLink, scope, span);
  if ('CaseExpr' in node) {
    const expr = node.CaseExpr;
    const of = (expr.args ?? []).map((when): readonly [Predicate, Predicate] =>
      'CaseWhen' in when
        ? [caseTest(expr, when.CaseWhen.expr, scope), lowerCondition(when.CaseWhen.result, scope)]
        : [{ kind: 'unknown', reason: 'CASE' }, never],
    );
    const otherwise: Predicate = expr.defresult
      ? lowerCondition(expr.defresult, scope)
      : { kind: 'value', of: { kind: 'constant', value: null } };
    return { kind: 'case', of, otherwise };
  }
  if ('A_Const' in node && node.A_Const.boolval) {
    return node.A_Const.boolval.boolval ? { ...always('TRUE'), ...spanned } : never;
  }
  if ('CurrentOfExpr' in node) return { kind: 'unknown', reason: 'WHERE CURRENT OF a cursor', ...spanned };
  return asCondition(lowerExpression(node, scope), span);
}

/** A value in the place of a condition. */
export function asCondition(value: Value, span?: Span): Predicate {
  const spanned = span ? { span } : {};
  if (value.kind === 'predicate') return value.predicate;
  if (value.kind === 'placeholder' && value.name.startsWith('hole:')) {
    return { kind: 'unknown', reason: 'a condition put in by the program', ...spanned };
  }
  if (value.kind === 'unknown') return { kind: 'unknown', reason: value.reason, ...spanned };
  if (value.kind === 'constant' && value.value === true) return { ...always('TRUE'), ...spanned };
  if (value.kind === 'constant' && value.value === false) return never;
  return { kind: 'value', of: value, ...spanned };
}

const rowOf = (node: Node | undefined): readonly Node[] | undefined =>
  node && 'RowExpr' in node ? (node.RowExpr.args ?? []) : undefined;

function nullTest(arg: Node | undefined, negated: boolean, scope: Scope, span: Span | undefined): Predicate {
  const one = (node: Node | undefined): Predicate => {
    const test: Predicate = { kind: 'null', of: lowerExpression(node, scope), ...(span ? { span } : {}) };
    return negated ? not(test) : test;
  };
  const row = rowOf(arg);
  // A row IS [NOT] NULL where every field is.
  return row ? and(...row.map(one)) : one(arg);
}

const likes: Readonly<Record<string, Operator>> = {
  '~~': 'like',
  '!~~': 'not like',
  '~~*': 'ilike',
  '!~~*': 'not ilike',
};
const operatorOf = (expr: A_Expr): Operator => {
  const name = qualifiedName(expr.name);
  return likes[name] ?? name;
};

function lowerComparison(expr: A_Expr, node: Node, scope: Scope, span: Span | undefined): Predicate {
  const spanned = span ? { span } : {};
  const compare = (left: Value, operator: Operator, right: Value): Predicate => ({
    kind: 'compare',
    left,
    operator,
    right,
    ...spanned,
  });
  const value = (inner: Node | undefined): Value => lowerExpression(inner, scope);
  switch (expr.kind) {
    case 'AEXPR_NULLIF':
      return asCondition(lowerExpression(node, scope), span);
    case 'AEXPR_DISTINCT':
      return compare(value(expr.lexpr), 'is distinct from', value(expr.rexpr));
    case 'AEXPR_NOT_DISTINCT':
      return compare(value(expr.lexpr), 'is not distinct from', value(expr.rexpr));
    case 'AEXPR_SIMILAR': {
      const similar = compare(value(expr.lexpr), 'similar to', value(expr.rexpr));
      return qualifiedName(expr.name).startsWith('!') ? not(similar) : similar;
    }
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
    case 'AEXPR_NOT_BETWEEN_SYM': {
      const [low, high] = listItems(expr.rexpr).map(value);
      if (!low || !high) return { kind: 'unknown', reason: 'BETWEEN', ...spanned };
      const of = value(expr.lexpr);
      const within = (a: Value, b: Value): Predicate => and(compare(of, '>=', a), compare(of, '<=', b));
      const between = expr.kind.endsWith('SYM') ? or(within(low, high), within(high, low)) : within(low, high);
      return expr.kind.startsWith('AEXPR_NOT') ? not(between) : between;
    }
    case 'AEXPR_IN': {
      const among = lowerInList(expr.lexpr, listItems(expr.rexpr), scope, span);
      return qualifiedName(expr.name) === '<>' ? not(among) : among;
    }
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL':
      return lowerArrayComparison(expr, scope, span);
    default: {
      const operator = operatorOf(expr);
      const left = rowOf(expr.lexpr);
      const right = rowOf(expr.rexpr);
      if (left && right) return compareRows(left.map(value), operator, right.map(value), span);
      if (left && operator === '=' && expr.rexpr && 'SubLink' in expr.rexpr) {
        return {
          kind: 'in-query',
          left: left.map(value),
          query: subQuery(expr.rexpr.SubLink.subselect, scope),
          ...spanned,
        };
      }
      if (!expr.lexpr) return asCondition(lowerExpression(node, scope), span);
      return compare(value(expr.lexpr), operator, value(expr.rexpr));
    }
  }
}

/** Rows compare field by field; `<` and the like compare from the left, as in a dictionary. */
function compareRows(
  left: readonly Value[],
  operator: Operator,
  right: readonly Value[],
  span: Span | undefined,
): Predicate {
  const one = (i: number, by: Operator): Predicate => ({
    kind: 'compare',
    left: left[i] ?? unknownValue('row of other length'),
    operator: by,
    right: right[i] ?? unknownValue('row of other length'),
    ...(span ? { span } : {}),
  });
  const indices = [...left.keys()];
  if (left.length !== right.length) return { kind: 'unknown', reason: 'rows of different length' };
  if (operator === '=') return and(...indices.map((i) => one(i, '=')));
  if (operator === '<>') return or(...indices.map((i) => one(i, '<>')));
  if (['<', '<=', '>', '>='].includes(operator)) {
    const strict = operator.slice(0, 1);
    const last = left.length - 1;
    return or(
      ...indices.map((i) =>
        and(...indices.slice(0, i).map((j) => one(j, '=')), one(i, i === last ? operator : strict)),
      ),
    );
  }
  return { kind: 'unknown', reason: `rows compared by ${operator}` };
}

function lowerInList(left: Node | undefined, items: readonly Node[], scope: Scope, span: Span | undefined): Predicate {
  const row = rowOf(left);
  if (row) {
    const fields = row.map((field) => lowerExpression(field, scope));
    return or(
      ...items.map((item) => {
        const values = rowOf(item);
        return values
          ? compareRows(
              fields,
              '=',
              values.map((v) => lowerExpression(v, scope)),
              span,
            )
          : ({ kind: 'unknown', reason: 'row compared with a value' } as const);
      }),
    );
  }
  return {
    kind: 'in',
    left: lowerExpression(left, scope),
    right: items.map((item) => lowerExpression(item, scope)),
    ...(span ? { span } : {}),
  };
}

/** `x = ANY (array)`, `x <> ALL (array)` and the like. `ANY` over a literal array is a list, over another one an open list. */
function lowerArrayComparison(expr: A_Expr, scope: Scope, span: Span | undefined): Predicate {
  const spanned = span ? { span } : {};
  const any = expr.kind === 'AEXPR_OP_ANY';
  const operator = operatorOf(expr);
  const left = lowerExpression(expr.lexpr, scope);
  const inner = arrayNode(expr.rexpr);
  const membership = any ? operator === '=' : operator === '<>';
  const orNot = (p: Predicate): Predicate => (any ? p : not(p));
  if (inner && 'SubLink' in inner && inner.SubLink.subLinkType === 'ARRAY_SUBLINK' && membership) {
    return orNot({ kind: 'in-query', left: [left], query: subQuery(inner.SubLink.subselect, scope), ...spanned });
  }
  if (inner && 'A_ArrayExpr' in inner) {
    const items = (inner.A_ArrayExpr.elements ?? []).map((e) => lowerExpression(e, scope));
    if (membership) return orNot({ kind: 'in', left, right: items, ...spanned });
    const each = items.map((right): Predicate => ({ kind: 'compare', left, operator, right, ...spanned }));
    return any ? or(...each) : and(...each);
  }
  const element: Value = { kind: 'element', of: lowerExpression(expr.rexpr, scope), path: ['*'] };
  if (membership) return orNot({ kind: 'in', left, right: [element], open: true, ...spanned });
  return { kind: 'compare', left, operator: any ? operator : `${operator} all`, right: element, ...spanned };
}

/** The array literal or ARRAY(SELECT ...) behind casts. */
function arrayNode(node: Node | undefined): Node | undefined {
  while (node && 'TypeCast' in node) node = node.TypeCast.arg;
  return node;
}

function lowerSubLink(link: SubLink, scope: Scope, span: Span | undefined): Predicate {
  const spanned = span ? { span } : {};
  switch (link.subLinkType) {
    case 'EXISTS_SUBLINK': {
      const query = subQuery(link.subselect, scope);
      const select = link.subselect && 'SelectStmt' in link.subselect ? link.subselect.SelectStmt : undefined;
      if (select && yieldsOneRow(select) && !select.limitCount && !select.limitOffset) {
        return { ...always('EXISTS over an aggregate holds for every row'), ...spanned };
      }
      return { kind: 'exists', query, ...spanned };
    }
    case 'ANY_SUBLINK':
    case 'ALL_SUBLINK': {
      const any = link.subLinkType === 'ANY_SUBLINK';
      const operator = likes[qualifiedName(link.operName)] ?? (qualifiedName(link.operName) || '=');
      const left = (rowOf(link.testexpr) ?? (link.testexpr ? [link.testexpr] : [])).map((n) =>
        lowerExpression(n, scope),
      );
      if (operator === (any ? '=' : '<>')) {
        const among = inSubQuery(left, link.subselect, scope, span);
        return any ? among : not(among);
      }
      const query = subQuery(link.subselect, scope);
      const right = query.output[0];
      if (!any || left.length !== 1 || !left[0] || !right || query.arms) {
        return { kind: 'unknown', reason: `${operator} ${any ? 'ANY' : 'ALL'} over a sub-select`, ...spanned };
      }
      const holds: Predicate = { kind: 'compare', left: left[0], operator, right, ...spanned };
      return { kind: 'exists', query: { ...query, condition: and(query.condition, holds) }, ...spanned };
    }
    default: {
      const bare = bareExpression(link.subselect);
      if (bare) return lowerCondition(bare, scope);
      return { kind: 'value', of: { kind: 'query', query: subQuery(link.subselect, scope) }, ...spanned };
    }
  }
}

/** `left IN (SELECT ...)`; a sub-select that only unnests an array is membership of that array. */
function inSubQuery(
  left: readonly Value[],
  subselect: Node | undefined,
  scope: Scope,
  span: Span | undefined,
): Predicate {
  const spanned = span ? { span } : {};
  const bare = bareExpression(subselect);
  const [only] = left;
  if (bare && left.length === 1 && only) {
    if ('FuncCall' in bare && qualifiedName(bare.FuncCall.funcname) === 'unnest' && bare.FuncCall.args?.length === 1) {
      const of = lowerExpression(bare.FuncCall.args[0], scope);
      return { kind: 'in', left: only, right: [{ kind: 'element', of, path: ['*'] }], open: true, ...spanned };
    }
  }
  return { kind: 'in-query', left, query: subQuery(subselect, scope), ...spanned };
}
