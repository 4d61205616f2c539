import type { JoinExpr, Node, RangeFunction, RangeVar } from '@pgsql/types';
import type { Predicate, Target, TargetRef, Value } from '@tenant-lint/model';
import { known, notKnown } from '@tenant-lint/model';
import { lowerCondition } from './conditions.js';
import type { Conjunct, Context, Draft } from './context.js';
import { collecting, newRef } from './context.js';
import { holeOf } from './holes.js';
import { qualifiedName, strings } from './nodes.js';
import type { Level, Scope, Source } from './scope.js';
import { inLevel, outputSource, resolveColumn, tableSource } from './scope.js';
import { lowerRows } from './select.js';
import type { Rows } from './select.js';
import { nodeSpan, spanAt } from './spans.js';
import { lowerExpression } from './values.js';

/** FROM as a tree of joins. */
export type FromNode = FromLeaf | FromJoin;

export interface FromLeaf {
  readonly kind: 'leaf';
  readonly source: Source;
  /** The targets behind it, those of sub-queries inside included. */
  readonly drafts: readonly Draft[];
  /** The targets whose rows it yields. */
  readonly own: readonly Draft[];
  /** What holds of every row it yields. */
  readonly exposed: readonly Conjunct[];
  readonly optional: ReadonlySet<TargetRef>;
}

export interface FromJoin {
  readonly kind: 'join';
  type: 'inner' | 'left' | 'right' | 'full';
  readonly left: FromNode;
  readonly right: FromNode;
  readonly on: readonly Conjunct[];
  readonly merged: ReadonlyMap<string, Value>;
  /** `(a JOIN b ...) AS name` hides a and b. */
  readonly alias?: Source;
}

export type Role = Target['role'];

/** The FROM list: items joined without a condition. `role` is the first table's; the others are joins, unless all share a role. */
export function lowerFrom(items: readonly Node[], scope: Scope, role: Role): FromNode | undefined {
  let tree: FromNode | undefined;
  for (const item of items) {
    const next = lowerItem(item, scope, tree ? sourcesOf(tree) : [], tree ? joinedRole(role) : role);
    tree = tree ? { kind: 'join', type: 'inner', left: tree, right: next, on: [], merged: new Map() } : next;
  }
  return tree;
}

/** Joined tables of the statement itself are joins; in a sub-query or CTE every table has the sub-query's role. */
export const joinedRole = (role: Role): Role => (role === 'root' || role === 'union-arm' ? 'join' : role);

export function sourcesOf(node: FromNode): readonly Source[] {
  if (node.kind === 'leaf') return [node.source];
  return node.alias ? [node.alias] : [...sourcesOf(node.left), ...sourcesOf(node.right)];
}

/** The names that a FROM tree brings into scope. */
export const levelOf = (node: FromNode | undefined): Level => ({
  sources: node ? sourcesOf(node) : [],
  merged: node && node.kind === 'join' ? mergedOf(node) : new Map(),
});

function mergedOf(node: FromNode): ReadonlyMap<string, Value> {
  if (node.kind === 'leaf' || node.alias) return new Map();
  return new Map([...mergedOf(node.left), ...mergedOf(node.right), ...node.merged]);
}

function lowerItem(item: Node, scope: Scope, before: readonly Source[], role: Role): FromNode {
  const lateral = (): Scope => (before.length > 0 ? inLevel(scope, { sources: before, merged: new Map() }) : scope);
  if ('RangeVar' in item) return tableLeaf(item.RangeVar, scope, role);
  if ('JoinExpr' in item) return lowerJoin(item.JoinExpr, scope, before, role);
  if ('RangeSubselect' in item) {
    const { subquery, alias } = item.RangeSubselect;
    const rows = lowerRows(
      subquery,
      item.RangeSubselect.lateral ? lateral() : scope,
      role === 'cte' ? 'cte' : 'subquery',
    );
    return rowsLeaf(rows, alias?.aliasname, strings(alias?.colnames));
  }
  if ('RangeFunction' in item) return functionLeaf(item.RangeFunction, lateral());
  if ('RangeTableSample' in item && item.RangeTableSample.relation)
    return lowerItem(item.RangeTableSample.relation, scope, before, role);
  // XMLTABLE, JSON_TABLE: rows made of a value; their columns are in its document.
  const body = Object.values(item)[0] as { alias?: { aliasname?: string }; docexpr?: Node } | undefined;
  const of = body?.docexpr
    ? lowerExpression(body.docexpr, lateral())
    : ({ kind: 'unknown', reason: Object.keys(item)[0] ?? 'FROM' } as const);
  return valueLeaf(body?.alias?.aliasname, [], (column) => ({ kind: 'element', of, path: ['*', column] }));
}

export function rowsLeaf(rows: Rows, name: string | undefined, names: readonly string[] = []): FromLeaf {
  return {
    kind: 'leaf',
    source: outputSource(name, rows.output, names),
    drafts: rows.drafts,
    own: rows.own,
    // A query that aggregates without groups yields a row even where nothing matches.
    exposed: rows.single ? [] : rows.exposed,
    optional: rows.single ? new Set(rows.own.map((d) => d.ref)) : rows.optional,
  };
}

function valueLeaf(
  name: string | undefined,
  columns: readonly (readonly [string, Value])[],
  otherwise?: (column: string) => Value,
): FromLeaf {
  const named = new Map(columns);
  const source: Source = {
    ...(name !== undefined ? { name } : {}),
    through: [],
    explicit: (column) => named.get(column),
    ...(otherwise ? { otherwise } : {}),
  };
  return { kind: 'leaf', source, drafts: [], own: [], exposed: [], optional: new Set() };
}

/** A table, or a reference to a common table expression. */
function tableLeaf(relation: RangeVar, scope: Scope, role: Role): FromLeaf {
  const cte = relation.schemaname === undefined ? scope.ctes.get(relation.relname ?? '') : undefined;
  const names = strings(relation.alias?.colnames);
  if (cte) return rowsLeaf(cte.reference(), relation.alias?.aliasname ?? relation.relname, names);
  const draft = newDraft(scope.context, relation, role, 'read');
  const source = tableSource(
    draft.ref,
    aliasOf(relation) ?? relation.relname ?? '',
    aliasOf(relation) === undefined ? relation.schemaname : undefined,
    names,
  );
  return { kind: 'leaf', source, drafts: [draft], own: [draft], exposed: [], optional: new Set() };
}

/** The alias, if it is one: a hole in its place is a piece of SQL. */
export function aliasOf(relation: RangeVar): string | undefined {
  const alias = relation.alias?.aliasname;
  return holeOf(alias) === undefined ? alias : undefined;
}

/** A target for a table that a statement names. */
export function newDraft(context: Context, relation: RangeVar, role: Role, operation: Target['operation']): Draft {
  const { schemaname: schema, relname: name = '' } = relation;
  const dynamicSchema = holeOf(schema) !== undefined;
  const table: Draft['table'] =
    holeOf(name) !== undefined
      ? notKnown('dynamic table name')
      : known({ by: 'sql', ...(schema !== undefined && !dynamicSchema ? { schema } : {}), name });
  const alias = aliasOf(relation);
  const fragment = alias === undefined && relation.alias !== undefined;
  return {
    ref: newRef(context),
    table,
    ...(alias !== undefined ? { alias } : {}),
    role,
    operation,
    cardinality: 'many',
    span: nodeSpan(context, { location: relation.location ?? -1 }) ?? spanAt(context, 0, 1),
    // Where a table's alias would be, the text has a piece that the program puts in: it may be any condition.
    conditions: fragment ? [{ kind: 'unknown', reason: 'piece of SQL put in by the program' }] : [],
    vacuous: 'no condition',
    arms: new Map(),
  };
}

function functionLeaf(item: RangeFunction, scope: Scope): FromLeaf {
  const calls = (item.functions ?? []).flatMap((f) => ('List' in f ? (f.List.items?.slice(0, 1) ?? []) : []));
  const [call] = calls;
  const name = call && 'FuncCall' in call ? qualifiedName(call.FuncCall.funcname) : undefined;
  const { result: values, subs } = collecting(scope.context, () => calls.map((c) => lowerExpression(c, scope)));
  const defined = (item.coldeflist ?? []).flatMap((c) => ('ColumnDef' in c ? [c.ColumnDef.colname ?? ''] : []));
  const renamed = strings(item.alias?.colnames);
  const names = renamed.length > 0 ? renamed : defined;
  const source = item.alias?.aliasname ?? name?.split('.').at(-1);
  const whole: Value = values[0] ?? { kind: 'unknown', reason: 'function in FROM' };
  const element = (column: string): Value => {
    // unnest(a, b): the n-th column holds an element of the n-th array.
    const position = names.indexOf(column);
    const array =
      whole.kind === 'apply' && whole.function === 'unnest'
        ? (whole.to[Math.max(0, position)] ?? whole.to[0])
        : undefined;
    return array ? { kind: 'element', of: array, path: ['*'] } : { kind: 'element', of: whole, path: ['*', column] };
  };
  const columns = names.map((column) => [column, element(column)] as const);
  const leaf = valueLeaf(source, columns, names.length === 0 ? element : undefined);
  return { ...leaf, drafts: subs };
}

const joinTypes: Readonly<Record<string, FromJoin['type']>> = {
  JOIN_LEFT: 'left',
  JOIN_RIGHT: 'right',
  JOIN_FULL: 'full',
};

function lowerJoin(join: JoinExpr, scope: Scope, before: readonly Source[], role: Role): FromNode {
  const left = join.larg ? lowerItem(join.larg, scope, before, role) : valueLeaf(undefined, []);
  const right = join.rarg
    ? lowerItem(join.rarg, scope, [...before, ...sourcesOf(left)], joinedRole(role))
    : valueLeaf(undefined, []);
  const type = joinTypes[join.jointype ?? ''] ?? 'inner';
  const merged = new Map<string, Value>();
  const on: Conjunct[] = [];
  const sides = [left, right].map((side): Scope => ({ ...scope, levels: [levelOf(side)] }));
  for (const column of strings(join.usingClause)) {
    const [a, b] = sides.map((side) => resolveColumn(side, column));
    if (!a || !b) continue;
    const span = nodeSpan(scope.context, { location: -1 });
    on.push({ predicate: { kind: 'compare', left: a, operator: '=', right: b, ...(span ? { span } : {}) }, subs: [] });
    merged.set(
      column,
      type === 'right' ? b : type === 'full' ? { kind: 'apply', function: 'coalesce', to: [a, b] } : a,
    );
  }
  if (join.isNatural) on.push({ predicate: { kind: 'unknown', reason: 'natural join' }, subs: [] });
  const node: FromJoin = { kind: 'join', type, left, right, on, merged };
  if (join.quals) on.push(...lowerConjuncts(join.quals, inLevel(scope, levelOf(node))));
  const alias = join.alias?.aliasname;
  if (alias === undefined) return node;
  return {
    ...node,
    alias: outputSource(alias, [{ star: [...sourcesOf(left), ...sourcesOf(right)] }], strings(join.alias?.colnames)),
  };
}

/** The conditions joined by AND at the top, each with the targets of its sub-queries. */
export function lowerConjuncts(node: Node | undefined, scope: Scope): Conjunct[] {
  if (!node) return [];
  if ('BoolExpr' in node && node.BoolExpr.boolop === 'AND_EXPR')
    return (node.BoolExpr.args ?? []).flatMap((arg) => lowerConjuncts(arg, scope));
  const { result, subs } = collecting<Predicate>(scope.context, () => lowerCondition(node, scope));
  return [{ predicate: result, subs }];
}
