import type { Node } from '@pgsql/types';
import type { Query, TargetRef, Value } from '@tenant-lint/model';
import { and, never, unknownValue } from '@tenant-lint/model';
import { isStar } from './context.js';
import type { Context, Draft, OutputItem } from './context.js';
import { targetOf } from './finish.js';
import type { Scope } from './scope.js';
import { lowerSelect } from './select.js';
import type { Rows } from './select.js';
import { nodeSpan } from './spans.js';
import { mentionsRef, resolveUnions, resolveUnionsInValue } from './unions.js';

/** The expression of `(SELECT expression)` that reads no table: the sub-select is only a wrapper, as around auth.uid() in policies. */
export function bareExpression(node: Node | undefined): Node | undefined {
  if (!node || !('SelectStmt' in node)) return undefined;
  const select = node.SelectStmt;
  if (select.fromClause || select.whereClause || select.havingClause || select.withClause || select.groupClause)
    return undefined;
  if (select.valuesLists || select.limitCount || select.limitOffset || (select.op ?? 'SETOP_NONE') !== 'SETOP_NONE')
    return undefined;
  const [item, ...more] = select.targetList ?? [];
  if (!item || more.length > 0 || !('ResTarget' in item)) return undefined;
  const value = item.ResTarget.val;
  return value && !('SetToDefault' in value) ? value : undefined;
}

/**
 * A sub-select inside an expression. Its tables are targets of the statement too: they are handed to `context.subs`, and get the outer
 * conditions when these are known.
 */
export function subQuery(node: Node | undefined, scope: Scope): Query {
  if (!node || !('SelectStmt' in node)) return notUnderstood('sub-query that is no SELECT');
  const before = scope.context.unions.size;
  const rows = lowerSelect(node.SelectStmt, scope, 'subquery');
  scope.context.subs.push(...rows.drafts);
  const span = nodeSpan(scope.context, node);
  return { ...queryOf(rows, scope, before), ...(span ? { span } : {}) };
}

const notUnderstood = (reason: string): Query => ({ targets: [], condition: { kind: 'unknown', reason }, output: [] });

/**
 * Rows as a query of the model. Unions in its FROM (numbered from `firstUnion`) are expanded, those further out are left for later. `around`:
 * the set operations whose part this is.
 */
function queryOf(rows: Rows, scope: Scope, firstUnion: number, around: readonly TargetRef[] = []): Query {
  const inner = (ref: string): boolean => Number(ref.slice(1)) >= firstUnion;
  if (rows.parts) {
    const within = rows.union === undefined ? around : [...around, rows.union];
    const [first, ...others] = rows.parts.map((part) => queryOf(part, scope, firstUnion, within));
    if (!first) return notUnderstood('empty union');
    // The query itself yields nothing, so that a reader who counts it beside its arms is right too.
    if (rows.operation === 'union')
      return { targets: [], condition: never, output: first.output, arms: [first, ...others] };
    // The rows of INTERSECT and EXCEPT are among those of the left side; which of them is not said.
    return {
      ...first,
      condition: and(first.condition, { kind: 'unknown', reason: rows.operation ?? 'set operation' }),
    };
  }
  const context = scope.context;
  const dropped = rows.optional;
  const understood = rows.exposed.map((c) =>
    [...dropped].some((ref) => mentionsRef(c.predicate, ref))
      ? ({ kind: 'unknown', reason: 'outer join' } as const)
      : c.predicate,
  );
  const own = rows.own.filter((d) => !dropped.has(d.ref));
  const choices = armsOf(own, context, (ref) => inner(ref) && !around.includes(ref));
  if (!choices) return notUnderstood('too many unions in one statement');
  const [first, ...others] = choices.map((chosen): Query => {
    const exposed = [...chosen].flatMap(([ref, i]) => context.unions.get(ref)?.[i]?.exposed ?? []);
    const whole = and(...understood, ...exposed.map((c) => c.predicate));
    return {
      targets: own.filter((d) => isIn(d, chosen)).map((d) => targetOf(d, context, inner)),
      condition: resolveUnions(whole, chosen, context, inner),
      output: rows.output.map((item) => resolveUnionsInValue(outputValue(item), context, inner, chosen)),
    };
  });
  if (!first || others.length === 0) return first ?? notUnderstood('empty union');
  return { targets: [], condition: never, output: first.output, arms: [first, ...others] };
}

const maxChoices = 64;

/** For every way through the unions in FROM (those for which `inner` holds) the arm that is taken in each; undefined: too many. */
function armsOf(
  own: readonly Draft[],
  context: Context,
  inner: (ref: TargetRef) => boolean,
): readonly ReadonlyMap<TargetRef, number>[] | undefined {
  const unions = [...new Set(own.flatMap((d) => [...d.arms.keys()]))].filter(inner);
  // A union that stands in an arm of another one has the higher number.
  unions.sort((a, b) => Number(a.slice(1)) - Number(b.slice(1)));
  let choices: ReadonlyMap<TargetRef, number>[] = [new Map()];
  for (const ref of unions) {
    const adding = [...(context.unions.get(ref) ?? []).entries()].filter(([, arm]) => arm.adds);
    choices = choices.flatMap((chosen) =>
      own.some((d) => d.arms.has(ref) && isIn(d, chosen)) ? adding.map(([i]) => new Map(chosen).set(ref, i)) : [chosen],
    );
    if (choices.length > maxChoices) return undefined;
  }
  return choices;
}

/** Whether the rows of a target come through the chosen arms. */
const isIn = (draft: Draft, chosen: ReadonlyMap<TargetRef, number>): boolean =>
  [...draft.arms].every(([ref, i]) => (chosen.get(ref) ?? i) === i);

function outputValue(item: OutputItem): Value {
  if (!isStar(item)) return item.value;
  const through = item.star.flatMap((s) => s.through);
  const [only] = through;
  return through.length === 1 && only !== undefined
    ? { kind: 'column', target: only, column: '*' }
    : unknownValue('SELECT *');
}
