import type { Span } from './span.js';
import type { ChainId, FunctionId, Value } from './value.js';

/** One use of something outside the database that rows of tenants are kept in. */
export interface ResourceAccess {
  /** `lock`: kept only where nothing is, so that others wait or give up. `limit`: uses are counted under the key. */
  readonly kind: 'cache' | 'lock' | 'limit';
  readonly library: string;
  readonly method: string;
  /** What it is found by again. */
  readonly key: Value;
  /** What is kept; of a limit there is nothing. */
  readonly payload: Value;
  readonly chain: ChainId;
  readonly function: FunctionId;
  readonly span: Span;
}
