import type { Span } from './span.js';

/**
 * Best first. `unverified`: isolated, but by a value that only claims to be the tenant. `intended`: not isolated, and only people who work for
 * all tenants get there.
 */
export const evidences = [
  'isolated',
  'unverified',
  'derived',
  'guarded',
  'contextual',
  'intended',
  'unknown',
  'negated',
  'vanishing',
  'none',
] as const;
export type Evidence = (typeof evidences)[number];

export const confidences = ['certain', 'likely', 'possible'] as const;
export type Confidence = (typeof confidences)[number];

/** One line of an argument, with the place it rests on. */
export interface Reason {
  readonly text: string;
  readonly span?: Span;
}

/** The foreign row that gets through, in words and as the assignment that the prover found. */
export interface Witness {
  /** "a row of another tenant whose id is the given one" */
  readonly text: string;
  /** What each atom was: 'invoice.organization_id' -> 'B', setting -> ''. */
  readonly assignment: Readonly<Record<string, string>>;
}

/** The answer for one target of an access, or one command of a table's policies. */
export type Verdict =
  | {
      readonly kind: 'isolated';
      readonly evidence: 'isolated' | 'unverified' | 'derived' | 'guarded' | 'contextual' | 'intended';
      readonly because: readonly Reason[];
    }
  | {
      readonly kind: 'leak';
      readonly evidence: 'negated' | 'vanishing' | 'none';
      readonly confidence: Confidence;
      readonly witness: Witness;
      readonly because: readonly Reason[];
    }
  | { readonly kind: 'unknown'; readonly evidence: 'unknown'; readonly hangsOn: readonly Reason[] };
