import type { Predicate, TargetRef, Value } from '@tenant-lint/model';
import type { Conjunct } from './context.js';
import type { FromLeaf, FromNode } from './from.js';

/** The targets that a part of FROM yields rows of. */
function refsOf(node: FromNode): TargetRef[] {
  if (node.kind === 'leaf') return [...node.own.map((d) => d.ref), ...node.source.through];
  return [...refsOf(node.left), ...refsOf(node.right)];
}

/**
 * Turns outer joins into inner ones where a condition above cannot hold for a row that the join filled with NULLs, as Postgres does
 * (reduce_outer_joins in prepjointree.c). `strict`: the targets of which such a condition holds.
 */
export function reduceOuterJoins(node: FromNode, strict: ReadonlySet<TargetRef>): void {
  if (node.kind === 'leaf') return;
  const reaches = (side: FromNode): boolean => refsOf(side).some((ref) => strict.has(ref));
  const left = node.type === 'right' || node.type === 'full' ? reaches(node.left) : false;
  const right = node.type === 'left' || node.type === 'full' ? reaches(node.right) : false;
  if (node.type === 'full') node.type = left && right ? 'inner' : left ? 'left' : right ? 'right' : 'full';
  else if (left || right) node.type = 'inner';
  const own = new Set([...strict, ...(node.type === 'full' ? [] : strictRefs(node.on))]);
  reduceOuterJoins(
    node.left,
    node.type === 'inner' || node.type === 'right' ? own : node.type === 'full' ? new Set() : strict,
  );
  reduceOuterJoins(
    node.right,
    node.type === 'inner' || node.type === 'left' ? own : node.type === 'full' ? new Set() : strict,
  );
}

/** The targets that cannot be all NULL where these conditions hold. */
export function strictRefs(conjuncts: readonly Conjunct[]): Set<TargetRef> {
  const found = new Set<TargetRef>();
  for (const { predicate } of conjuncts) noteStrict(predicate, found);
  return found;
}

function noteStrict(predicate: Predicate, found: Set<TargetRef>): void {
  switch (predicate.kind) {
    case 'and':
      for (const p of predicate.of) noteStrict(p, found);
      return;
    case 'compare':
      if (predicate.operator.includes('distinct')) return;
      noteStrictValue(predicate.left, found);
      noteStrictValue(predicate.right, found);
      return;
    case 'in':
      noteStrictValue(predicate.left, found);
      return;
    case 'in-query':
      for (const value of predicate.left) noteStrictValue(value, found);
      return;
    case 'value':
      noteStrictValue(predicate.of, found);
      return;
    case 'not':
      // NOT of unknown is unknown, so what is strict inside stays so; but NOT (a AND b) may hold by either alone.
      if (predicate.of.kind === 'null') noteStrictValue(predicate.of.of, found);
      else if (['compare', 'in', 'value'].includes(predicate.of.kind)) noteStrict(predicate.of, found);
      return;
    case 'is':
      if (predicate.test === true) noteStrict(predicate.of, found);
      return;
    default:
  }
}

function noteStrictValue(value: Value, found: Set<TargetRef>): void {
  if (value.kind === 'column' && value.target !== undefined) found.add(value.target);
  else if (
    value.kind === 'apply' &&
    (value.function.startsWith('cast:') || ['lower', 'upper', 'trim', 'btrim'].includes(value.function))
  ) {
    for (const inner of value.to) noteStrictValue(inner, found);
  }
}

/** What surely holds of every row that this part of FROM yields. */
export function exposedBy(node: FromNode): readonly Conjunct[] {
  if (node.kind === 'leaf') return node.exposed;
  switch (node.type) {
    case 'inner':
      return [...exposedBy(node.left), ...exposedBy(node.right), ...node.on];
    case 'left':
      return exposedBy(node.left);
    case 'right':
      return exposedBy(node.right);
    case 'full':
      return [];
  }
}

/** The targets that may be absent (filled with NULLs) in a row of this part of FROM. */
export function optionalIn(node: FromNode): TargetRef[] {
  if (node.kind === 'leaf') return [...node.optional];
  const left = node.type === 'right' || node.type === 'full' ? refsOf(node.left) : optionalIn(node.left);
  const right = node.type === 'left' || node.type === 'full' ? refsOf(node.right) : optionalIn(node.right);
  return [...left, ...right];
}

/** Every leaf with the conditions that its rows must satisfy to reach the result: ON conditions of outer joins bind only the optional side. */
export function leavesWithConditions(
  node: FromNode,
  above: readonly Conjunct[],
): { leaf: FromLeaf; conjuncts: readonly Conjunct[] }[] {
  if (node.kind === 'leaf') return [{ leaf: node, conjuncts: above }];
  const { type, left, right, on } = node;
  const leftBound = type === 'inner' || type === 'right' ? [...on, ...exposedBy(right)] : [];
  const rightBound = type === 'inner' || type === 'left' ? [...on, ...exposedBy(left)] : [];
  return [
    ...leavesWithConditions(left, [...leftBound, ...above]),
    ...leavesWithConditions(right, [...rightBound, ...above]),
  ];
}

/** All ON conditions of a tree. */
export const joinConditions = (node: FromNode): readonly Conjunct[] =>
  node.kind === 'leaf' ? [] : [...joinConditions(node.left), ...joinConditions(node.right), ...node.on];
