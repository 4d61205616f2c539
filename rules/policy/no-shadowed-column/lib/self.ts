import { resolveColumns, type Model } from '@tenant-lint/analysis';
import type { Predicate, Query, Span, TableName, Value } from '@tenant-lint/model';
import { bareValue, nodesIn } from '../../../lib/conditions.js';
import { tableNamed } from '../../../lib/schema.js';

/** A column that a sub-query compares with itself. */
export interface SelfComparison {
  readonly column: string;
  /** The table that the name means. */
  readonly table: string;
  /** It is the policy's own table, so the sub-query has no such column. */
  readonly self: boolean;
  readonly span?: Span;
}

/**
 * The comparisons of sub-queries in which both sides are the same column of the same row. At the top of a condition that is a tautology
 * written down; in a sub-query it is a name that means something else than its author thought. `inside`: the tree is a sub-query itself.
 */
export function selfComparisons(
  tree: Predicate | Value | undefined,
  model: Model,
  inside = false,
): readonly SelfComparison[] {
  if (!tree) return [];
  const names = new Map<string, string>();
  for (const node of nodesIn(tree))
    if (typeof node['ref'] === 'string' && 'role' in node) names.set(node['ref'], shown(node['table']));
  const found: SelfComparison[] = [];
  const same = (left: Value, right: Value, span: Span | undefined): void => {
    const [a, b] = [bareValue(left), bareValue(right)];
    if (a.kind !== 'column' || b.kind !== 'column' || a.target === undefined) return;
    if (a.target !== b.target || a.column !== b.column) return;
    const table = names.get(a.target);
    const at = span ?? b.span ?? a.span;
    found.push({ column: a.column, table: table ?? '', self: table === undefined, ...(at ? { span: at } : {}) });
  };
  for (const query of queriesIn(tree, inside))
    for (const node of nodesIn(query)) {
      const p = node as unknown as Predicate;
      if (p.kind === 'compare' && p.operator === '=') same(p.left, p.right, p.span);
    }
  for (const node of nodesIn(tree)) {
    const p = node as unknown as Predicate;
    if (p.kind !== 'in-query') continue;
    for (const [i, left] of p.left.entries()) {
      const output = p.query.output[i];
      if (output) same(left, output, p.span);
    }
  }
  return found;
}

function queriesIn(tree: Predicate | Value, inside: boolean): readonly unknown[] {
  if (inside) return [tree];
  const found: unknown[] = [];
  for (const node of nodesIn(tree)) {
    const query = node['query'] as Query | undefined;
    if (query && 'condition' in query) found.push(query.condition, query.targets);
  }
  return found;
}

const shown = (table: unknown): string => {
  const { known, value } = (table ?? {}) as { known?: boolean; value?: TableName };
  return known && value ? value.name : 'the sub-query';
};

/** The body of a function with its names bound, innermost table first. */
export const boundBody = (body: Value, model: Model): Value =>
  resolveColumns(body, (target) => {
    const table = target.table.known ? tableNamed(model, target.table.value) : undefined;
    return table?.complete ? new Set(table.columns.keys()) : undefined;
  });
