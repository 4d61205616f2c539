import type { Span } from './span.js';
import type { ChainId, FunctionId, Value } from './value.js';

/** One use of something outside the database that rows of tenants are kept in. */
export interface ResourceAccess {
  readonly kind: 'cache';
  readonly library: string;
  readonly method: string;
  /** What it is found by again. */
  readonly key: Value;
  /** What is kept. */
  readonly payload: Value;
  readonly chain: ChainId;
  readonly function: FunctionId;
  readonly span: Span;
}
