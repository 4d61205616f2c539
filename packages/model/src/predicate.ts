import type { Span } from './span.js';
import type { Value } from './value.js';
import type { Target } from './access.js';

/** Names a target within one access or one policy: 't0', 't1' ... In a policy `self` is the row of the policy's own table. */
export type TargetRef = string;

export type Operator =
  | '='
  | '<>'
  | '<'
  | '<='
  | '>'
  | '>='
  | 'like'
  | 'ilike'
  | 'not like'
  | 'not ilike'
  | 'is distinct from'
  | 'is not distinct from'
  /** Any other operator, as written: '@>', '~', '&&' ... It says nothing the prover understands. */
  | (string & {});

/**
 * A condition on rows, in three-valued logic. What a library really does is already lowered: filters that vanish are `optional`,
 * arrays that mean OR are `or`.
 */
export type Predicate =
  | { readonly kind: 'and' | 'or'; readonly of: readonly Predicate[] }
  | { readonly kind: 'not'; readonly of: Predicate }
  | {
      readonly kind: 'compare';
      readonly left: Value;
      readonly operator: Operator;
      readonly right: Value;
      readonly span?: Span;
    }
  | { readonly kind: 'null'; readonly of: Value; readonly span?: Span }
  /** `left IN (...)`, `left = ANY (...)` over a list; a list value that is not a literal is one item of kind `element`-like value with `list: true`. */
  | {
      readonly kind: 'in';
      readonly left: Value;
      readonly right: readonly Value[];
      readonly open?: true;
      readonly span?: Span;
    }
  /** `(left...) IN (SELECT ...)`; compared by position with the query's output. */
  | { readonly kind: 'in-query'; readonly left: readonly Value[]; readonly query: Query; readonly span?: Span }
  | { readonly kind: 'exists'; readonly query: Query; readonly span?: Span }
  /** Holds for the rows that an implicit reference (a many-to-many relation without a table of its own in the schema) ties to `to`. */
  | {
      readonly kind: 'related';
      readonly target: TargetRef;
      readonly to: TargetRef;
      readonly by: string;
      readonly span?: Span;
    }
  | { readonly kind: 'case'; readonly of: readonly (readonly [Predicate, Predicate])[]; readonly otherwise: Predicate }
  /** A value used as a condition: a boolean column, a call of a function that returns boolean. */
  | { readonly kind: 'value'; readonly of: Value; readonly span?: Span }
  /** `of IS TRUE`, `IS FALSE`, `IS UNKNOWN`. */
  | { readonly kind: 'is'; readonly of: Predicate; readonly test: boolean | null }
  /**
   * `of`, unless the value `on` is missing at run time: then the library puts `otherwise` in its place (`always` where it drops the
   * filter). `why` says in a few words what the library does: "Prisma drops a filter whose value is undefined".
   */
  | {
      readonly kind: 'optional';
      readonly of: Predicate;
      readonly on: Value;
      readonly otherwise: Predicate;
      readonly why: string;
      readonly span?: Span;
    }
  /**
   * One of these conditions is the one that applies, chosen by the program at run time; whoever judges must assume the worst of them. With
   * `test`: the first where the test holds, else the second (exactly two). `where: admin ? {} : { orgId }`.
   */
  | { readonly kind: 'either'; readonly of: readonly Predicate[]; readonly test?: Value; readonly span?: Span }
  /** `why`: 'no condition', or what made it vacuous. */
  | { readonly kind: 'always'; readonly why: string; readonly span?: Span }
  | { readonly kind: 'never' }
  /** `from`: the value that says what is asked for, where it was not followed: `where: filter`. */
  | { readonly kind: 'unknown'; readonly reason: string; readonly from?: Value; readonly span?: Span };

/** A sub-query: SELECT output FROM targets WHERE condition; with arms, their union. */
export interface Query {
  readonly targets: readonly Target[];
  /** The whole condition: WHERE and the ON of its joins. */
  readonly condition: Predicate;
  readonly output: readonly Value[];
  readonly arms?: readonly Query[];
  readonly span?: Span;
}

export const always = (why: string): Predicate => ({ kind: 'always', why });
export const never: Predicate = { kind: 'never' };

/** The conjunction, flattened; `always` is left out unless nothing else is there. */
export function and(...of: readonly Predicate[]): Predicate {
  const flat = of.flatMap((p) => (p.kind === 'and' ? p.of : [p])).filter((p) => p.kind !== 'always');
  if (flat.some((p) => p.kind === 'never')) return never;
  if (flat.length === 1 && flat[0]) return flat[0];
  return flat.length === 0 ? (of[0] ?? always('no condition')) : { kind: 'and', of: flat };
}

/** The disjunction, flattened; an empty one is `never`. */
export function or(...of: readonly Predicate[]): Predicate {
  const flat = of.flatMap((p) => (p.kind === 'or' ? p.of : [p])).filter((p) => p.kind !== 'never');
  const vacuous = flat.find((p) => p.kind === 'always');
  if (vacuous) return vacuous;
  if (flat.length === 1 && flat[0]) return flat[0];
  return flat.length === 0 ? never : { kind: 'or', of: flat };
}

export const not = (of: Predicate): Predicate => (of.kind === 'not' ? of.of : { kind: 'not', of });

export const equal = (left: Value, right: Value, span?: Span): Predicate => ({
  kind: 'compare',
  left,
  operator: '=',
  right,
  ...(span ? { span } : {}),
});
