import type { Span, TableId } from '@tenant-lint/model';

export type ChangedThing =
  | 'table'
  | 'tenancy'
  | 'column'
  | 'constraint'
  | 'index'
  | 'row security'
  | 'policy'
  | 'view'
  | 'function'
  | 'role'
  | 'grant';

/** What a change does to isolation: `unknown` where that could not be decided. */
export type Effect = 'weaker' | 'stricter' | 'neutral' | 'unknown';

/** One difference between two states of a project. */
export interface Change {
  readonly thing: ChangedThing;
  readonly what: 'added' | 'removed' | 'changed';
  readonly name: string;
  readonly table?: TableId;
  readonly effect: Effect;
  /** One sentence without a full stop. */
  readonly text: string;
  /** The statement in the later state. */
  readonly after?: Span;
  /** The statement in the earlier state. */
  readonly before?: Span;
}

/** Of two collections by key: what only one has, and the pairs of both. */
export function matched<T>(
  before: Iterable<T>,
  after: Iterable<T>,
  keyOf: (one: T) => string,
): { readonly removed: readonly T[]; readonly added: readonly T[]; readonly both: readonly (readonly [T, T])[] } {
  const earlier = new Map([...before].map((one) => [keyOf(one), one]));
  const later = new Map([...after].map((one) => [keyOf(one), one]));
  return {
    removed: [...earlier].flatMap(([key, one]) => (later.has(key) ? [] : [one])),
    added: [...later].flatMap(([key, one]) => (earlier.has(key) ? [] : [one])),
    both: [...later].flatMap(([key, one]) => {
      const other = earlier.get(key);
      return other === undefined ? [] : [[other, one] as const];
    }),
  };
}

/** A text that is equal for facts that are equal wherever they stand. */
export const withoutPlaces = (fact: unknown): string =>
  JSON.stringify(fact, (key, inner: unknown) =>
    key === 'span' || key === 'origin' || key.endsWith('Span') || key === 'property' || key === 'attributeAt'
      ? undefined
      : inner,
  );
