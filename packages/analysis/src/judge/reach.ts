import type { FunctionId } from '@tenant-lint/model';
import type { Program } from '../link/program.js';

/**
 * Whether the outside world's requests lead to a function: an entry point calls it, directly or through others. Where the program has no
 * entry point that is recognised, nobody knows.
 */
export class Reach {
  readonly #memo = new Map<FunctionId, 'request' | 'no request' | 'unknown'>();
  #hasEntries: boolean | undefined;

  constructor(private readonly program: Program) {}

  of(id: FunctionId): 'request' | 'no request' | 'unknown' {
    const known = this.#memo.get(id);
    if (known) return known;
    const answer = this.#search(id);
    this.#memo.set(id, answer);
    return answer;
  }

  #search(id: FunctionId): 'request' | 'no request' | 'unknown' {
    this.#hasEntries ??= [...this.program.files.values()].some((facts) => facts.functions.some((f) => f.entry));
    if (!this.#hasEntries) return 'unknown';
    const seen = new Set<FunctionId>([id]);
    const pending: FunctionId[] = [id];
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      const f = this.program.function(at);
      if (!f) continue;
      if (this.program.entryOf(at)) return 'request';
      const next = this.program.callersOf(at).map((site) => site.chain.function);
      // A closure runs when what encloses it does, unless that is the module itself.
      if (f.parent !== undefined && this.program.function(f.parent)?.parent !== undefined) next.push(f.parent);
      for (const caller of next) if (!seen.has(caller)) pending.push((seen.add(caller), caller));
    }
    return 'no request';
  }
}
