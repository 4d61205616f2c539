import { always, and, not, sameValue, type Predicate, type Span, type Value } from '@tenant-lint/model';
import type { Lowering } from './lowering.js';

/** What Prisma does with a filter whose value is undefined. */
export const undefinedFilter = 'Prisma drops a filter whose value is undefined';
const leftOut = 'the condition is left out when the tested value is missing';
export const noCondition = 'no condition';

/** A filter that is not there: left out, undefined, or an empty object. */
export const isDropped = (p: Predicate): boolean =>
  p.kind === 'always' && (p.why === noCondition || p.why.endsWith(' drops a filter whose value is undefined'));

/** `of`, or `otherwise` where `on` is undefined. */
export function unlessUndefined(of: Predicate, on: Value, otherwise: Predicate, l: Lowering, span?: Span): Predicate {
  if (l.strict || (of.kind === otherwise.kind && of.kind === 'always')) return of;
  return { kind: 'optional', of, on, otherwise, why: l.dropped ?? undefinedFilter, ...(span ? { span } : {}) };
}

/**
 * The predicate of `test ? first : second`. Where the test asks whether a value is there and the other branch has no condition, that is
 * a filter which vanishes with the value.
 */
export function chosen(of: readonly Predicate[], test: Value | undefined, span?: Span): Predicate {
  const [first, second] = of;
  if (first === undefined) return always(noCondition);
  if (of.every((p) => JSON.stringify(p) === JSON.stringify(first))) return first;
  const at = span ? { span } : {};
  const merged = sameComparison(of, test);
  if (merged) return merged;
  const asked = test && of.length === 2 && second ? presenceOf(test) : undefined;
  if (asked && second) {
    const [present, absent] = asked.present ? [first, second] : [second, first];
    if (absent.kind === 'always' && present.kind !== 'always') {
      return { kind: 'optional', of: present, on: asked.value, otherwise: absent, why: leftOut, ...at };
    }
  }
  return { kind: 'either', of, ...(test && of.length === 2 ? { test } : {}), ...at };
}

/** `column = a` or `column = b` is one comparison with a value that is either. */
function sameComparison(of: readonly Predicate[], test: Value | undefined): Predicate | undefined {
  const [first] = of;
  if (first?.kind !== 'compare') return undefined;
  const right: Value[] = [];
  for (const p of of) {
    if (p.kind !== 'compare' || p.operator !== first.operator || !sameValue(p.left, first.left)) return undefined;
    right.push(p.right);
  }
  return { ...first, right: { kind: 'choice', of: right, ...(test && right.length === 2 ? { test } : {}) } };
}

/** The value whose presence a test asks for, and whether the test holds when it is there. */
function presenceOf(test: Value): { value: Value; present: boolean } | undefined {
  if (test.kind !== 'apply') return isPlain(test) ? { value: missing(test, 'empty'), present: true } : undefined;
  const [left, right] = test.to;
  if (left === undefined) return undefined;
  if (test.function === '!') {
    const inner = presenceOf(left);
    return inner && { value: inner.value, present: !inner.present };
  }
  if (test.function === 'Boolean' && right === undefined) return presenceOf(left);
  const comparison = /^([!=])==?$/.exec(test.function);
  if (!comparison || right === undefined) return undefined;
  const present = comparison[1] === '!';
  if (isNullish(right) && isPlain(left)) return { value: missing(left, nullness(right)), present };
  if (isNullish(left) && isPlain(right)) return { value: missing(right, nullness(left)), present };
  return undefined;
}

const isNullish = (v: Value): boolean => v.kind === 'undefined' || (v.kind === 'constant' && v.value === null);
const nullness = (v: Value): 'undefined' | 'null' => (v.kind === 'undefined' ? 'undefined' : 'null');
const isPlain = (v: Value): boolean =>
  v.kind !== 'constant' && v.kind !== 'apply' && v.kind !== 'unknown' && v.kind !== 'choice';
const missing = (of: Value, how: 'undefined' | 'null' | 'empty'): Value =>
  of.kind === 'missing-able' ? of : { kind: 'missing-able', of, how, certain: false };

/**
 * A conjunction inside OR, NOT or AND, where a filter object from which everything was dropped is not "true" but absent: `empty` is what
 * takes its place. `wrap` is what is done to a conjunction that has something in it.
 */
export function combined(
  conjuncts: readonly Predicate[],
  wrap: (p: Predicate) => Predicate,
  empty: Predicate,
): Predicate {
  const present = conjuncts.filter((p) => !isDropped(p));
  if (present.length === 0) return empty;
  const index = present.findIndex(mayVanish);
  if (index < 0 || !present.every(mayVanish)) return wrap(and(...present));
  const p = present[index]!;
  const rest = present.filter((_, i) => i !== index);
  const without = combined(rest, wrap, empty);
  if (p.kind === 'optional') return { ...p, of: wrap(and(p.of, ...rest)), otherwise: without };
  if (p.kind === 'either') return { ...p, of: p.of.map((one) => (isDropped(one) ? without : wrap(and(one, ...rest)))) };
  return wrap(and(...present));
}

const mayVanish = (p: Predicate): boolean =>
  (p.kind === 'optional' && isDropped(p.otherwise)) || (p.kind === 'either' && p.of.some(isDropped));

/** NOT of a filter object: without any filter in it, it holds for every row. */
export const negated = (conjuncts: readonly Predicate[]): Predicate =>
  combined(conjuncts, not, always('Prisma drops a NOT without a filter'));
