import type { Node, SelectStmt } from '@pgsql/types';
import type { TargetRef, Value } from '@tenant-lint/model';
import type { Arm, Conjunct, Draft, OutputItem } from './context.js';
import { collecting } from './context.js';
import { withCtes } from './ctes.js';
import { lowerDml } from './dml.js';
import type { Role } from './from.js';
import { levelOf, lowerConjuncts, lowerFrom } from './from.js';
import type { FromNode } from './from.js';
import { exposedBy, joinConditions, leavesWithConditions, optionalIn, reduceOuterJoins, strictRefs } from './joins.js';
import { listItems, qualifiedName, strings } from './nodes.js';
import type { Level, Scope } from './scope.js';
import { findSource, inLevel } from './scope.js';
import { unionOutput } from './unions.js';
import { lowerExpression } from './values.js';

/** What a query yields. */
export interface Rows {
  readonly output: readonly OutputItem[];
  /** What holds of every row. */
  readonly exposed: readonly Conjunct[];
  /** Every target, those of sub-queries included. */
  readonly drafts: readonly Draft[];
  /** The targets of its FROM. */
  readonly own: readonly Draft[];
  /** Targets that an outer join may leave out of a row. */
  readonly optional: ReadonlySet<TargetRef>;
  /** One row even where nothing matches: aggregates without GROUP BY. */
  readonly single?: true;
  /** Of a set operation: its sides. */
  readonly parts?: readonly Rows[];
  readonly operation?: 'union' | 'intersect' | 'except';
  /** The reference that stands for the set operation. */
  readonly union?: TargetRef;
}

export const noRows: Rows = { output: [], exposed: [], drafts: [], own: [], optional: new Set() };

/** Any node that yields rows: SELECT, or INSERT, UPDATE, DELETE, MERGE with RETURNING. */
export function lowerRows(node: Node | undefined, scope: Scope, role: Role): Rows {
  if (node && 'SelectStmt' in node) return lowerSelect(node.SelectStmt, scope, role);
  return (node ? lowerDml(node, scope, role) : undefined) ?? noRows;
}

export function lowerSelect(select: SelectStmt, outer: Scope, role: Role): Rows {
  const { scope, drafts: cteDrafts } = withCtes(select.withClause, outer);
  const rows =
    (select.op ?? 'SETOP_NONE') === 'SETOP_NONE'
      ? lowerPlain(select, scope, role)
      : lowerSetOperation(select, scope, role);
  const unused = cteDrafts();
  return unused.length > 0 ? { ...rows, drafts: [...rows.drafts, ...unused] } : rows;
}

const setOperations = { SETOP_UNION: 'union', SETOP_INTERSECT: 'intersect', SETOP_EXCEPT: 'except' } as const;

function lowerSetOperation(select: SelectStmt, scope: Scope, role: Role): Rows {
  const armRole: Role = role === 'root' ? 'union-arm' : role;
  const sides = [select.larg, select.rarg].map((side) => (side ? lowerSelect(side, scope, armRole) : noRows));
  const { subs } = collecting(scope.context, () =>
    lowerNodes([...(select.sortClause ?? []), select.limitCount, select.limitOffset], scope),
  );
  const operation = setOperations[select.op as keyof typeof setOperations] ?? 'union';
  const rows = unite(sides, operation, scope);
  return subs.length > 0 ? { ...rows, drafts: [...rows.drafts, ...subs] } : rows;
}

/** The rows of a set operation. Only UNION's right side adds rows; that of INTERSECT and EXCEPT is read all the same. */
export function unite(parts: readonly Rows[], operation: 'union' | 'intersect' | 'except', scope: Scope): Rows {
  const arms = parts.map((part, i): Arm => ({
    output: part.output,
    exposed: part.exposed,
    drafts: part.drafts,
    adds: i === 0 || operation === 'union',
  }));
  const { ref, output } = unionOutput(scope.context, arms);
  arms.forEach((arm, i) => {
    for (const draft of arm.drafts) draft.arms.set(ref, i);
  });
  return {
    output,
    exposed: [],
    drafts: parts.flatMap((part) => part.drafts),
    own: parts.flatMap((part) => part.own),
    optional: new Set(parts.flatMap((part) => [...part.optional])),
    parts,
    operation,
    union: ref,
  };
}

function lowerPlain(select: SelectStmt, scope: Scope, role: Role): Rows {
  if (select.valuesLists) return lowerValues(select.valuesLists, scope);
  const from = lowerFrom(select.fromClause ?? [], scope, role);
  const level = levelOf(from);
  const inner = inLevel(scope, level);
  const where = [...lowerConjuncts(select.whereClause, inner), ...lowerConjuncts(select.havingClause, inner)];
  const { result: output, subs } = collecting(scope.context, () => {
    const items = lowerOutput(select.targetList ?? [], inner, level);
    lowerNodes(
      [
        ...(select.groupClause ?? []),
        ...(select.distinctClause ?? []),
        ...(select.windowClause ?? []),
        ...(select.sortClause ?? []),
        select.limitCount,
        select.limitOffset,
      ],
      inner,
    );
    return items;
  });
  const single = yieldsOneRow(select);
  return { ...combine(from, where, subs), output, ...(single ? { single: true } : {}) };
}

/**
 * Hands every target of one query level the conditions that bind it. `where` holds for every row; `subs` are the targets of sub-queries
 * outside of conditions.
 */
export function combine(
  from: FromNode | undefined,
  where: readonly Conjunct[],
  subs: readonly Draft[],
): Omit<Rows, 'output'> {
  if (from) reduceOuterJoins(from, strictRefs(where));
  const leaves = from ? leavesWithConditions(from, where) : [];
  for (const { leaf, conjuncts } of leaves) {
    for (const draft of leaf.drafts) draft.conditions.push(...conjuncts.map((c) => c.predicate));
  }
  const exposed = [...(from ? exposedBy(from) : []), ...where];
  // A sub-query's rows matter only for outer rows that pass: it gets the other outer conditions, without the one it stands in.
  const holders = [...(from ? joinConditions(from) : []), ...where];
  for (const holder of holders) {
    const others = exposed.filter((c) => c !== holder).map((c) => c.predicate);
    for (const draft of holder.subs) draft.conditions.push(...others);
  }
  for (const draft of subs) draft.conditions.push(...exposed.map((c) => c.predicate));
  return {
    exposed,
    drafts: [...leaves.flatMap(({ leaf }) => leaf.drafts), ...holders.flatMap((h) => h.subs), ...subs],
    own: leaves.flatMap(({ leaf }) => leaf.own),
    optional: new Set(from ? optionalIn(from) : []),
  };
}

/** The select list, or RETURNING. */
export function lowerOutput(items: readonly Node[], scope: Scope, level: Level): OutputItem[] {
  return items.map((item): OutputItem => {
    const target = 'ResTarget' in item ? item.ResTarget : undefined;
    const node = target?.val;
    if (node && 'ColumnRef' in node) {
      const fields = node.ColumnRef.fields ?? [];
      const last = fields.at(-1);
      if (last && 'A_Star' in last) {
        const qualifier = strings(fields);
        const source = qualifier.length > 0 ? findSource(scope, qualifier) : undefined;
        return { star: qualifier.length === 0 ? level.sources : source ? [source] : [] };
      }
    }
    return { name: target?.name ?? outputName(node), value: lowerExpression(node, scope) };
  });
}

/** The name that Postgres gives an output column without AS (FigureColname in parse_target.c, the cases that matter). */
function outputName(node: Node | undefined): string {
  if (!node) return '?column?';
  if ('ColumnRef' in node) return strings(node.ColumnRef.fields).at(-1) ?? '?column?';
  if ('FuncCall' in node) return strings(node.FuncCall.funcname).at(-1) ?? '?column?';
  if ('TypeCast' in node) {
    const inner = outputName(node.TypeCast.arg);
    return inner === '?column?' ? (strings(node.TypeCast.typeName?.names).at(-1) ?? inner) : inner;
  }
  if ('CollateClause' in node) return outputName(node.CollateClause.arg);
  if ('A_Indirection' in node)
    return strings(node.A_Indirection.indirection).at(-1) ?? outputName(node.A_Indirection.arg);
  if ('CoalesceExpr' in node) return 'coalesce';
  if ('CaseExpr' in node) return 'case';
  if ('SQLValueFunction' in node) return (node.SQLValueFunction.op ?? '').replace(/^SVFOP_/, '').toLowerCase();
  if ('SubLink' in node && node.SubLink.subLinkType === 'EXISTS_SUBLINK') return 'exists';
  if ('SubLink' in node && node.SubLink.subLinkType === 'EXPR_SUBLINK') {
    const select =
      node.SubLink.subselect && 'SelectStmt' in node.SubLink.subselect ? node.SubLink.subselect.SelectStmt : undefined;
    const [first] = select?.targetList ?? [];
    return first && 'ResTarget' in first ? (first.ResTarget.name ?? outputName(first.ResTarget.val)) : '?column?';
  }
  return '?column?';
}

const aggregates = new Set(
  'count sum avg min max array_agg string_agg json_agg jsonb_agg json_object_agg jsonb_object_agg bool_and bool_or every'.split(
    ' ',
  ),
);

/** True if a query yields one row whatever it finds: it aggregates without GROUP BY and HAVING. */
export const yieldsOneRow = (select: SelectStmt): boolean =>
  !select.groupClause && !select.havingClause && (select.targetList ?? []).some((item) => isAggregate(item));

/** True if a select item holds an aggregate outside of sub-queries and windows. Aggregates of the user's own are not known. */
export function isAggregate(node: unknown): boolean {
  if (Array.isArray(node)) return node.some(isAggregate);
  if (node === null || typeof node !== 'object') return false;
  if ('SubLink' in node) return false;
  if ('FuncCall' in node) {
    const call = node.FuncCall as Extract<Node, { FuncCall: unknown }>['FuncCall'];
    if (!call.over && (aggregates.has(qualifiedName(call.funcname)) || call.agg_within_group)) return true;
  }
  return Object.values(node).some(isAggregate);
}

/** VALUES as rows: each column is one of the values in it. */
function lowerValues(lists: readonly Node[], scope: Scope): Rows {
  const { result: rows, subs } = collecting(scope.context, () =>
    lists.map((list) => listItems(list).map((item) => lowerExpression(item, scope))),
  );
  const width = Math.max(0, ...rows.map((row) => row.length));
  const output = Array.from({ length: width }, (_, i): OutputItem => {
    const values = rows.map((row): Value => row[i] ?? { kind: 'unknown', reason: 'row of other length' });
    return {
      name: `column${i + 1}`,
      value: values.length === 1 && values[0] ? values[0] : { kind: 'choice', of: values },
    };
  });
  return { ...noRows, output, drafts: subs };
}

/** Lowers expressions whose value does not matter, for the sub-queries in them. */
function lowerNodes(nodes: readonly (Node | undefined)[], scope: Scope): void {
  for (const node of nodes) {
    if (!node) continue;
    if ('SortBy' in node) lowerNodes([node.SortBy.node], scope);
    else if ('WindowDef' in node)
      lowerNodes([...(node.WindowDef.partitionClause ?? []), ...(node.WindowDef.orderClause ?? [])], scope);
    else if ('GroupingSet' in node) lowerNodes(node.GroupingSet.content ?? [], scope);
    else lowerExpression(node, scope);
  }
}
