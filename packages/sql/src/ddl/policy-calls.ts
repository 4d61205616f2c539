import type { A_Expr, FuncCall, Node } from '@pgsql/types';
import type { PolicyCall } from '@tenant-lint/model';
import { bareExpression, qualifiedName, strings } from '../lower/index.js';
import { elementSpan, type Ddl } from './context.js';

interface Place {
  readonly place: PolicyCall['place'];
  /** The column that the expression around must equal. */
  readonly equals?: string;
  /** Every part of the condition must hold: no OR and no NOT around. */
  readonly required: boolean;
}

/** The calls in a condition, in order. */
export function callsIn(ddl: Ddl, condition: Node): PolicyCall[] {
  const calls: PolicyCall[] = [];
  visit(ddl, condition, { place: 'row', required: true }, calls);
  return calls;
}

/** Walks a part of a syntax tree, whose nodes are objects with one key, their kind. */
function visit(ddl: Ddl, part: unknown, at: Place, calls: PolicyCall[]): void {
  if (Array.isArray(part)) {
    for (const item of part) visit(ddl, item, at, calls);
    return;
  }
  if (typeof part !== 'object' || part === null) return;
  const node = part as Node;
  if ('BoolExpr' in node) {
    visit(
      ddl,
      node.BoolExpr.args,
      { place: at.place, required: at.required && node.BoolExpr.boolop === 'AND_EXPR' },
      calls,
    );
  } else if ('A_Expr' in node) {
    comparison(ddl, node.A_Expr, at, calls);
  } else if ('SubLink' in node) {
    const { subselect, testexpr } = node.SubLink;
    const bare = bareExpression(subselect);
    visit(ddl, testexpr, { place: at.place, required: false }, calls);
    // A sub-select without columns is evaluated before the rows are looked at.
    if (bare && node.SubLink.subLinkType === 'EXPR_SUBLINK')
      visit(ddl, bare, readsColumns(bare) ? at : { place: 'once', required: false }, calls);
    else visit(ddl, subselect, { place: 'query', required: false }, calls);
  } else if ('FuncCall' in node) {
    const call = node.FuncCall;
    calls.push(callOf(ddl, call, at));
    visit(ddl, call.args, at, calls);
  } else {
    for (const value of Object.values(part)) visit(ddl, value, at, calls);
  }
}

/** `column = expression`, either way round, also over a list or an array. */
function comparison(ddl: Ddl, expr: A_Expr, at: Place, calls: PolicyCall[]): void {
  const equality =
    qualifiedName(expr.name) === '=' &&
    (expr.kind === 'AEXPR_OP' || expr.kind === 'AEXPR_OP_ANY' || expr.kind === 'AEXPR_IN');
  for (const [side, other] of [
    [expr.lexpr, expr.rexpr],
    [expr.rexpr, expr.lexpr],
  ] as const) {
    const column = equality && at.required && at.place === 'row' && !readsColumns(side) ? columnOf(other) : undefined;
    const inside = equality ? column : at.equals;
    visit(ddl, side, { ...placeOnly(at), ...(inside === undefined ? {} : { equals: inside }) }, calls);
  }
}

const placeOnly = ({ place }: Place): Place => ({ place, required: false });

const columnOf = (node: Node | undefined): string | undefined =>
  node && 'ColumnRef' in node ? strings(node.ColumnRef.fields).at(-1) : undefined;

function callOf(ddl: Ddl, call: FuncCall, at: Place): PolicyCall {
  return {
    function: qualifiedName(call.funcname),
    place: at.place,
    readsColumns: readsColumns(call.args),
    ...(at.equals === undefined ? {} : { equals: at.equals }),
    span: elementSpan(ddl, call.location),
  };
}

/** Whether a part of a tree names columns. */
function readsColumns(part: unknown): boolean {
  if (Array.isArray(part)) return part.some(readsColumns);
  if (typeof part !== 'object' || part === null) return false;
  return 'ColumnRef' in part || Object.values(part).some(readsColumns);
}
