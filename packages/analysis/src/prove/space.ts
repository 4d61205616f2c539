import type { TargetRef } from '@tenant-lint/model';

type Choice = string | number | boolean | null | object;

interface Pending {
  readonly key: string;
  readonly domain: readonly Choice[];
}

/** What a search over one scope found. */
export type Found =
  | 'no'
  /** A full assignment makes it true, whatever the rest. */
  | 'yes'
  /** It hangs on something unknown. */
  | 'maybe'
  /** It hangs on a choice of an enclosing scope that is not made yet. */
  | 'outer';

/** Who owns a row and what the settings say decides most; choosing these first prunes the most. */
const decisive = (key: string): boolean => key.startsWith('row|') || key.startsWith('setting|');

/** A result with the choices it was found under. */
export interface Remembered<T> {
  readonly reads: readonly (readonly [string, Choice])[];
  readonly result: T;
}

/** Notes which choices, made before it began, a computation reads; and whether it asked for one that is still open. */
class Recorder {
  readonly reads = new Map<string, Choice>();
  open = false;

  constructor(
    readonly before: ReadonlySet<string>,
    private readonly depth: number,
  ) {}

  read(key: string, choice: Choice | undefined, depth: number): void {
    if (choice !== undefined) this.reads.set(key, choice);
    else if (depth <= this.depth) this.open = true;
  }
}

/** Raised when a search visits too many assignments. */
export class TooLarge extends Error {
  constructor() {
    super('too many combinations');
  }
}

/**
 * The space of assignments: variables with small domains, chosen lazily. An evaluation asks for variables with `pick`; the first that is
 * not chosen yet is what the search branches on next, after it has pruned branches whose outcome cannot be true any more (the scheme of
 * DPLL with partial evaluation). Sub-queries open inner scopes: variables of their rows are searched inside, existentially.
 */
export class Space {
  readonly #chosen = new Map<string, Choice>();
  readonly #pending: (Pending | undefined)[] = [undefined];
  readonly #depthOf = new Map<TargetRef, number>();
  readonly #recorders: Recorder[] = [];
  #depth = 0;
  #steps = 0;

  constructor(private readonly limit: number) {}

  /** The possible values of a variable: the chosen one, or all of them. Variables belong to the innermost scope of the targets they name. */
  pick<T extends Choice>(key: string, domain: readonly T[], refs: readonly TargetRef[]): readonly T[] {
    const chosen = this.#chosen.get(key);
    if (chosen !== undefined) {
      for (const recorder of this.#recorders) if (recorder.before.has(key)) recorder.read(key, chosen, 0);
      return domain.includes(chosen as T) ? [chosen as T] : [];
    }
    const depth = this.#depthFor(refs);
    for (const recorder of this.#recorders) recorder.read(key, undefined, depth);
    if (domain.length > 1) {
      if (depth > this.#depth) return domain;
      const pending = this.#pending[depth];
      if (pending === undefined || (!decisive(pending.key) && decisive(key))) this.#pending[depth] = { key, domain };
    }
    return domain;
  }

  /**
   * Searches for an assignment of this scope's variables under which `evaluate` is true only. `true` in the set of outcomes means possible.
   * With `visit`, all assignments that may be true are visited instead, and told whether nothing unknown stands in the way.
   * @throws TooLarge
   */
  search(evaluate: () => { canBeTrue: boolean; onlyTrue: boolean }, visit?: (surely: boolean) => void): Found {
    if (++this.#steps > this.limit) throw new TooLarge();
    const depth = this.#depth;
    this.#pending[depth] = undefined;
    const outerBefore = this.#outerPending(depth);
    const { canBeTrue, onlyTrue } = evaluate();
    if (!canBeTrue) return 'no';
    const pending = this.#pending[depth] as Pending | undefined;
    if (!visit && onlyTrue) return 'yes';
    if (pending === undefined) {
      const found = onlyTrue ? 'yes' : this.#outerPending(depth) > outerBefore || outerBefore > 0 ? 'outer' : 'maybe';
      visit?.(found !== 'maybe');
      return found;
    }
    let found: Found = 'no';
    for (const choice of pending.domain) {
      this.#chosen.set(pending.key, choice);
      const inner = this.search(evaluate, visit);
      if (inner === 'yes' && !visit) return 'yes';
      this.#chosen.delete(pending.key);
      if (inner === 'yes' || found === 'no') found = inner;
      else if (inner === 'outer' && found === 'maybe') found = inner;
    }
    return found;
  }

  #depthFor(refs: readonly TargetRef[]): number {
    let depth = 0;
    for (const ref of refs) depth = Math.max(depth, this.#depthOf.get(ref) ?? 0);
    return depth;
  }

  /**
   * Runs `body`, whose result depends on nothing but choices, or gives what it gave before under the same choices. Only results that do not
   * depend on choices of enclosing scopes that are still open are remembered.
   */
  remembering<T extends string>(memory: Remembered<T>[], body: () => T): T {
    for (const { reads, result } of memory) {
      if (reads.every(([key, choice]) => this.#chosen.get(key) === choice)) {
        // For whoever records around this, the remembered result has read the same.
        for (const recorder of this.#recorders)
          for (const [key, choice] of reads) if (recorder.before.has(key)) recorder.read(key, choice, 0);
        return result;
      }
    }
    const recorder = new Recorder(new Set(this.#chosen.keys()), this.#depth);
    this.#recorders.push(recorder);
    try {
      const result = body();
      if (!recorder.open) memory.push({ reads: [...recorder.reads], result });
      return result;
    } finally {
      this.#recorders.pop();
    }
  }

  /** Runs `body` inside the scope of a sub-query over `refs`, and forgets the choices made there. */
  within<T>(refs: readonly TargetRef[], body: () => T): T {
    const before = new Map(refs.map((ref) => [ref, this.#depthOf.get(ref)]));
    const keys = new Set(this.#chosen.keys());
    this.#depth++;
    for (const ref of refs) this.#depthOf.set(ref, this.#depth);
    try {
      return body();
    } finally {
      this.#pending.length = this.#depth;
      this.#depth--;
      for (const [ref, depth] of before)
        if (depth === undefined) this.#depthOf.delete(ref);
        else this.#depthOf.set(ref, depth);
      for (const key of this.#chosen.keys()) if (!keys.has(key)) this.#chosen.delete(key);
    }
  }

  /** Allows as many steps again. */
  renew(): void {
    this.#steps = 0;
  }

  get chosen(): ReadonlyMap<string, Choice> {
    return this.#chosen;
  }

  #outerPending(depth: number): number {
    let count = 0;
    for (let i = 0; i < depth; i++) if (this.#pending[i] !== undefined) count++;
    return count;
  }
}
