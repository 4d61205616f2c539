import { always, undefinedValue, type Predicate, type Span, type Value } from '@tenant-lint/model';
import { chosen, undefinedFilter, unlessUndefined } from './drops.js';
import { unknownCondition, type Lowering } from './lowering.js';

/** `Prisma.skip` leaves its field out, whatever the settings. */
const isSkip = (v: Value): boolean =>
  v.kind === 'import' && (v.name === 'Prisma' ? v.path.join('.') === 'skip' : v.path.join('.') === 'Prisma.skip');

const structural = new Set<Value['kind']>(['object', 'list', 'choice', 'undefined', 'constant', 'text', 'predicate']);

/** Resolves names only as far as the result shows structure: an object, a list, a choice, null or undefined. Otherwise the value itself. */
export function settled(value: Value, l: Lowering): Value {
  if (structural.has(value.kind) || isSkip(value)) return value;
  const resolved = l.context.resolve(value);
  if (isSkip(resolved)) return resolved;
  if (resolved.kind === 'constant') return resolved.value === null ? resolved : value;
  return structural.has(resolved.kind) || resolved.kind === 'missing-able' || asChoice(resolved) ? resolved : value;
}

export interface Choice {
  readonly of: readonly Value[];
  readonly test?: Value;
}

/** `a && b`, `a ?? b` and `a || b` as a choice; the latter two only where `b` is a missing value or a literal: otherwise they are a value. */
export function asChoice(value: Value): Choice | undefined {
  if (value.kind === 'choice') return value;
  if (value.kind !== 'apply' || value.to.length < 2) return undefined;
  const last = value.to[value.to.length - 1]!;
  const before = value.to.slice(0, -1);
  const test = before.length === 1 ? before[0]! : { ...value, to: before };
  if (value.function === '&&') return { of: [last, undefinedValue], test };
  if (value.function !== '??' && value.function !== '||') return undefined;
  // Who writes `orgId ?? undefined` says that it may be missing.
  if (last.kind === 'undefined' && test.kind !== 'missing-able' && before.length === 1)
    return { of: [test, last], test: { kind: 'missing-able', of: test, how: 'empty', certain: true } };
  const plain = last.kind === 'constant' ? last.value === null : ['undefined', 'object', 'list'].includes(last.kind);
  return plain ? { of: [test.kind === 'missing-able' ? test.of : test, last], test } : undefined;
}

/** What each kind of value is lowered to. */
export interface Shapes {
  /** Takes the place of undefined. */
  readonly absent: Predicate;
  readonly isNull: () => Predicate;
  /** For a value that is one thing. */
  readonly leaf: (value: Value) => Predicate;
  readonly span?: Span;
}

/** Lowers a value that may be there or not, or one of several. */
export function byShape(value: Value, l: Lowering, to: Shapes): Predicate {
  return l.deeper(
    () => unknownCondition('nested too deeply'),
    () => {
      const v = settled(value, l);
      if (v.kind === 'undefined') return l.strict ? { kind: 'never' } : to.absent;
      if (isSkip(v)) return to.absent;
      if (v.kind === 'constant' && v.value === null) return to.isNull();
      if (v.kind === 'missing-able') {
        const of = byShape(v.of, l, to);
        if (v.how === 'undefined') return unlessUndefined(of, v, to.absent, l, to.span);
        return v.how === 'null'
          ? { kind: 'optional', of, on: v, otherwise: to.isNull(), why: 'null is compared with IS NULL' }
          : of;
      }
      const choice = asChoice(v);
      if (!choice) return to.leaf(v);
      return chosen(
        choice.of.map((one) => byShape(one, l, to)),
        choice.test,
        to.span,
      );
    },
  );
}

/** What a dropped filter is replaced by outside of OR and NOT. */
export const droppedFilter: Predicate = always(undefinedFilter);

/** The alternatives of a value that leave nothing out: where a part is only there on some paths, the part. */
export function whenPresent(value: Value, l: Lowering): { readonly of: readonly Value[]; readonly sure: boolean } {
  return l.deeper<{ of: readonly Value[]; sure: boolean }>(
    () => ({ of: [value], sure: false }),
    () => {
      const v = settled(value, l);
      if (isFalse(v) || isSkip(v)) return { of: [], sure: false };
      if (v.kind === 'missing-able') return { of: whenPresent(v.of, l).of, sure: false };
      const choice = asChoice(v);
      if (!choice) return { of: [v.kind === 'object' || v.kind === 'list' ? v : value], sure: true };
      const parts = choice.of.map((one) => whenPresent(one, l));
      return { of: parts.flatMap((p) => p.of), sure: parts.every((p) => p.sure && p.of.length > 0) };
    },
  );
}

export const isTrue = (v: Value): boolean => v.kind === 'constant' && v.value === true;
export const isFalse = (v: Value): boolean =>
  v.kind === 'undefined' || (v.kind === 'constant' && (v.value === false || v.value === null));
