import type { Span } from './span.js';
import type { ChainId, FunctionId, Value } from './value.js';

/**
 * One use of something outside the database that data of tenants are kept in, or go through: a cache, a store of objects, a queue of jobs,
 * an index for search, a channel to browsers.
 */
export interface ResourceAccess {
  /** `lock`: kept only where nothing is, so that others wait or give up. `limit`: uses are counted under the key. */
  readonly kind: 'cache' | 'lock' | 'limit' | 'object' | 'job' | 'search' | 'channel';
  readonly library: string;
  readonly method: string;
  /** What is done: to an object, on a channel; to the keys of a cache that match a pattern, which is `key`. Absent where a cache keeps something. */
  readonly operation?: 'read' | 'write' | 'delete' | 'list' | 'join' | 'send' | 'find';
  /** What it is found by again; of a job what tells it from others, of a search all that narrows it. Undefined where there is none. */
  readonly key: Value;
  /** What the client of a cache puts before keys, though not before patterns. It is a part of the key where something is kept. */
  readonly prefix?: Value;
  /** What is kept or sent; of a limit there is nothing. */
  readonly payload: Value;
  readonly chain: ChainId;
  readonly function: FunctionId;
  readonly span: Span;
}
