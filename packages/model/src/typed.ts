import type { CallChain, TypeName } from './facts.js';
import type { ChainId, Value } from './value.js';

/** What syntax does not show of a call chain, so that a type check may be asked. */
export interface Unresolved {
  readonly chain: CallChain;
  /** No library is known to take it: what stands before its steps may be a client all the same. */
  readonly receiver: boolean;
  /** The steps that call nothing known of the program. */
  readonly callees: readonly number[];
}

/** What a type check shows of such a chain. */
export interface Typed {
  readonly chain: ChainId;
  /**
   * What stands before step `before` is declared as something of a data library. `read`: as this property of it; `value`: as this class of the
   * program.
   */
  readonly receiver?: {
    readonly before: number;
    readonly type: TypeName;
    readonly read?: string;
    readonly value?: Value;
  };
  /** The functions of the program that steps call, by where they stand. */
  readonly callees: readonly {
    readonly step: number;
    readonly file: string;
    readonly start: number;
    readonly end: number;
  }[];
}
