import type { Predicate, TargetRef, Value, ValueOf } from '@tenant-lint/model';
import { and, mapPredicate, mapValue, or, unknownValue } from '@tenant-lint/model';
import type { Arm, Context, OutputItem } from './context.js';
import { isStar } from './context.js';
import type { Source } from './scope.js';
import { columnOf, outputSource } from './scope.js';

/*
 * A column of a union is another column in each of its arms. While a statement is lowered it is a column of the union's own reference
 * ('u0'); at the end it becomes, for a row of one arm, that arm's column, and for everything else one alternative per arm.
 */

/** A union as the output of a query: columns stay references to it. Columns before a star are known by position, others by name. */
export function unionOutput(context: Context, arms: readonly Arm[]): { ref: TargetRef; output: readonly OutputItem[] } {
  const ref = `u${context.unions.size}`;
  context.unions.set(ref, arms);
  const first = arms[0]?.output ?? [];
  const star: Source = { through: [ref], explicit: () => undefined };
  const firstStar = first.findIndex(isStar);
  const output = first.map((item, i): OutputItem => {
    if (isStar(item)) return { star: [star] };
    const byPosition = firstStar < 0 || i < firstStar;
    return { name: item.name, value: { kind: 'column', target: ref, column: byPosition ? `#${i}` : item.name } };
  });
  return { ref, output };
}

function armColumn(arm: Arm, names: readonly OutputItem[], column: string): Value {
  const position = /^#(\d+)$/.exec(column)?.[1];
  if (position === undefined) return columnOf(outputSource(undefined, arm.output), column);
  const index = Number(position);
  const firstStar = arm.output.findIndex(isStar);
  const item = arm.output[index];
  if (item && !isStar(item) && (firstStar < 0 || index < firstStar)) return item.value;
  const name = names[index];
  return name && !isStar(name)
    ? columnOf(outputSource(undefined, arm.output), name.name)
    : unknownValue('column of a union');
}

/** Replaces columns of the union by those of one arm. */
function inArm(union: TargetRef, index: number, context: Context): (value: Value) => Value {
  const arms = context.unions.get(union) ?? [];
  const arm = arms[index];
  const names = arms[0]?.output ?? [];
  if (!arm) return (value) => value;
  return (value) => {
    if (value.kind !== 'column') return value;
    if (value.target === union) return armColumn(arm, names, value.column);
    if (!value.candidates?.some((level) => level.includes(union))) return value;
    const through = arm.output.filter(isStar).flatMap((item) => item.star.flatMap((s) => s.through));
    const candidates = value.candidates
      .map((level) => level.flatMap((ref) => (ref === union ? through : [ref])))
      .filter((level) => level.length > 0);
    const only = candidates.length === 1 && candidates[0]?.length === 1 ? candidates[0][0] : undefined;
    const { candidates: _, ...column } = value;
    return only !== undefined && !value.otherwise ? { ...column, target: only } : { ...column, candidates };
  };
}

function unionsIn(tree: Predicate | Value, context: Context): Set<TargetRef> {
  const found = new Set<TargetRef>();
  someColumn(tree, (column) => {
    if (column.target !== undefined && context.unions.has(column.target)) found.add(column.target);
    for (const level of column.candidates ?? []) for (const ref of level) if (context.unions.has(ref)) found.add(ref);
    return false;
  });
  return found;
}

/** Whether `test` holds for some column of a tree, whatever it stands in; looks without making anything. */
function someColumn(node: unknown, test: (column: ValueOf<'column'>) => boolean): boolean {
  if (Array.isArray(node)) return node.some((item) => someColumn(item, test));
  if (node === null || typeof node !== 'object') return false;
  const record = node as Readonly<Record<string, unknown>>;
  if (record['kind'] === 'column' && test(record as unknown as ValueOf<'column'>)) return true;
  for (const key in record) {
    const inner = record[key];
    if (typeof inner === 'object' && key !== 'span' && someColumn(inner, test)) return true;
  }
  return false;
}

/** True if a column of the target occurs in the predicate. */
export const mentionsRef = (predicate: Predicate, ref: TargetRef): boolean =>
  someColumn(
    predicate,
    (column) => column.target === ref || column.candidates?.some((level) => level.includes(ref)) === true,
  );

/** More alternatives than this are not written out. */
const maxAlternatives = 64;

/**
 * Replaces the columns of unions. `arms` says in which arm the row at hand is; for other unions the predicate becomes an alternative of all
 * arms, each with its own conditions. Only unions for which `which` holds are touched.
 */
export function resolveUnions(
  predicate: Predicate,
  arms: ReadonlyMap<TargetRef, number>,
  context: Context,
  which: (ref: TargetRef) => boolean = () => true,
): Predicate {
  if (context.unions.size === 0) return predicate;
  let alternatives = 1;
  for (;;) {
    const next = [...unionsIn(predicate, context)].filter(which).sort(latestFirst)[0];
    if (next === undefined) return predicate;
    const chosen = arms.get(next);
    if (chosen !== undefined) {
      predicate = mapPredicate(predicate, inArm(next, chosen, context));
      continue;
    }
    const adding = (context.unions.get(next) ?? []).map((arm, i) => ({ arm, i })).filter(({ arm }) => arm.adds);
    alternatives *= Math.max(1, adding.length);
    if (adding.length === 0 || alternatives > maxAlternatives)
      return { kind: 'unknown', reason: 'too many unions in one statement' };
    const whole = predicate;
    predicate = or(
      ...adding.map(({ arm, i }) =>
        and(mapPredicate(whole, inArm(next, i, context)), ...arm.exposed.map((c) => c.predicate)),
      ),
    );
  }
}

/** Inner unions come later; their columns may be columns of outer ones, never the other way round. */
const latestFirst = (a: TargetRef, b: TargetRef): number => Number(b.slice(1)) - Number(a.slice(1));

/** As resolveUnions for a value: a choice of the arms' values. */
export function resolveUnionsInValue(
  value: Value,
  context: Context,
  which: (ref: TargetRef) => boolean = () => true,
  arms: ReadonlyMap<TargetRef, number> = new Map(),
): Value {
  if (context.unions.size === 0) return value;
  let alternatives = 1;
  for (;;) {
    const next = [...unionsIn(value, context)].filter(which).sort(latestFirst)[0];
    if (next === undefined) return value;
    const chosen = arms.get(next);
    const whole = value;
    if (chosen !== undefined) {
      value = mapValue(whole, inArm(next, chosen, context));
      continue;
    }
    const of = (context.unions.get(next) ?? []).flatMap((arm, i) =>
      arm.adds ? [mapValue(whole, inArm(next, i, context))] : [],
    );
    alternatives *= Math.max(1, of.length);
    if (alternatives > maxAlternatives) return unknownValue('too many unions in one statement');
    value = { kind: 'choice', of };
  }
}
