import type { ChainId, FunctionId } from '@tenant-lint/model';
import { fileOfId } from '../link/callers.js';
import type { LinkedAccess } from '../model.js';

/** Accesses by the chain that makes them, and by the function that they are in. */
export class AccessIndex {
  readonly #byChain = new Map<ChainId, LinkedAccess[]>();
  readonly #byFunction = new Map<FunctionId, LinkedAccess[]>();

  /** `below`: the accesses as they were, of which those of some files have been read anew. */
  constructor(
    accesses: readonly LinkedAccess[],
    private readonly below?: { readonly index: AccessIndex; readonly replaced: ReadonlySet<string> },
  ) {
    for (const access of accesses) {
      if (access.chain !== undefined) push(this.#byChain, access.chain, access);
      if (access.function !== undefined) push(this.#byFunction, access.function, access);
    }
  }

  ofChain(id: ChainId): readonly LinkedAccess[] {
    const below = this.#belowOf(id);
    return below ? below.ofChain(id) : (this.#byChain.get(id) ?? []);
  }

  ofFunction(id: FunctionId): readonly LinkedAccess[] {
    const below = this.#belowOf(id);
    return below ? below.ofFunction(id) : (this.#byFunction.get(id) ?? []);
  }

  #belowOf(id: string): AccessIndex | undefined {
    return this.below && !this.below.replaced.has(fileOfId(id)) ? this.below.index : undefined;
  }
}

function push<K, T>(map: Map<K, T[]>, key: K, item: T): void {
  const list = map.get(key);
  if (list) list.push(item);
  else map.set(key, [item]);
}
