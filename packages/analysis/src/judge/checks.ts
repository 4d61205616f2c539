import {
  keyOfValue,
  sameValue,
  type CallChain,
  type FunctionFacts,
  type FunctionId,
  type Reason,
  type Value,
} from '@tenant-lint/model';
import type { LinkedAccess } from '../model.js';
import type { Program } from '../link/program.js';
import type { Provenance } from '../trace/provenance.js';
import { atomsAt, dominates, isTested, isTestedLater, throwsWhenMissing } from './guards.js';

/** How deep a called function is searched for the place where it refuses. */
const maxRefusalDepth = 3;
const maxMentionDepth = 3;

/**
 * Checks that every path to a call has passed, and that tie an identifier to the tenant or the caller:
 * - the identifier was compared with a verified value, and only the equal case goes on;
 * - a row of the tenant was found by the same identifier;
 * - the identifier (or what was looked up by it) was handed, together with a verified identity, to a function that can refuse: it throws or
 *   leaves early, or its result was tested. What that function is called is no evidence; that it refuses is.
 */
export class Checks {
  readonly #memo = new Map<string, Reason | false>();
  readonly #refuses = new Map<FunctionId, boolean>();

  constructor(
    private readonly program: Program,
    private readonly sourcesOf: (value: Value) => readonly Provenance[],
    private readonly foundUnder: (access: LinkedAccess, value: Value) => boolean,
    private readonly accessesOf: (f: FunctionId) => readonly LinkedAccess[],
  ) {}

  /** The check of `value` that every path to `chain` has passed, if there is one. */
  before(value: Value, chain: CallChain): Reason | undefined {
    const own = stripped(value);
    if (own.kind === 'constant' || own.kind === 'undefined' || own.kind === 'unknown') return undefined;
    const key = `${chain.id}/${keyOfValue(own)}`;
    const known = this.#memo.get(key);
    if (known !== undefined) return known === false ? undefined : known;
    this.#memo.set(key, false);
    const found = this.#search(own, chain) ?? this.#beforeCallback(own, chain);
    this.#memo.set(key, found ?? false);
    return found;
  }

  /**
   * The check that the row (or something of it) that `chain` returned is handed to afterwards, together with a verified identity: a function
   * that can refuse, or whose answer is tested.
   */
  after(chain: string, f: FunctionFacts, offset: number): Reason | undefined {
    const loaded: Value = { kind: 'result', chain, path: [] };
    for (const later of this.program.facts(f.span.file)?.chains ?? []) {
      if (later.function !== f.id || later.span.start < offset) continue;
      const args = later.steps.flatMap((s) => s.arguments ?? []);
      if (!args.some((a) => this.#mentions(a, loaded, maxMentionDepth)) || !args.some((a) => this.#isIdentity(a)))
        continue;
      if (this.#canRefuse(later) || isTestedLater(f, later.id, later.span.end, this.program)) {
        return { text: 'what was loaded is checked against a verified identity afterwards', span: later.span };
      }
    }
    return undefined;
  }

  /** A callback runs where it is handed over, so that what was checked before holds inside: `db.transaction(async (tx) => ...)`. */
  #beforeCallback(value: Value, chain: CallChain): Reason | undefined {
    const handed = this.program.function(chain.function)?.handedTo;
    const outer = handed && this.program.chain(handed.chain);
    return outer && outer.id !== chain.id ? this.before(value, outer) : undefined;
  }

  #search(value: Value, chain: CallChain): Reason | undefined {
    const f = this.program.function(chain.function);
    const facts = f && this.program.facts(f.span.file);
    if (!f || !facts) return undefined;
    const compared = this.#compared(value, f, chain.block);
    if (compared) return compared;
    for (const access of this.accessesOf(f.id)) {
      const earlier = access.chain === undefined ? undefined : this.program.chain(access.chain);
      if (!earlier || earlier.span.start >= chain.span.start || !dominates(f, earlier.block, chain.block)) continue;
      if (!throwsWhenMissing(access) && !isTested(f, earlier.id, chain.block, this.program)) continue;
      if (this.foundUnder(access, value))
        return { text: 'a row of the tenant was found by the same identifier before', span: access.span };
    }
    for (const earlier of facts.chains) {
      if (earlier.function !== f.id || earlier.span.end > chain.span.start || !dominates(f, earlier.block, chain.block))
        continue;
      const args = earlier.steps.flatMap((s) => s.arguments ?? []);
      if (!args.some((a) => this.#mentions(a, value, maxMentionDepth)) || !args.some((a) => this.#isIdentity(a)))
        continue;
      if (this.#canRefuse(earlier) || isTested(f, earlier.id, chain.block, this.program)) {
        return { text: 'the identifier was checked against a verified identity before', span: earlier.span };
      }
    }
    return undefined;
  }

  /** `if (id !== session.orgId) throw`: the identifier equals a verified value here. */
  #compared(value: Value, f: FunctionFacts, block: number): Reason | undefined {
    for (const { value: atom, holds } of atomsAt(f, block)) {
      if (!holds || atom.kind !== 'apply' || atom.function !== '===') continue;
      const own = atom.to.findIndex((side) => sameValue(stripped(side), value));
      const other = atom.to[1 - own];
      if (own >= 0 && other && this.sourcesOf(other).every((s) => s.kind === 'trusted'))
        return { text: 'it equals a verified value here', span: f.span };
    }
    return undefined;
  }

  /** Whether a value holds another: is it, contains it, is the object it is read from, or was looked up by it. */
  #mentions(where: Value, what: Value, depth: number): boolean {
    const own = stripped(where);
    if (sameValue(own, what)) return true;
    if (depth <= 0) return false;
    switch (own.kind) {
      case 'object':
        return own.entries.some((e) => this.#mentions('spread' in e ? e.spread : e.value, what, depth));
      case 'list':
        return own.of.some((i) => this.#mentions(i.value, what, depth));
      case 'apply':
        return own.to.some((v) => this.#mentions(v, what, depth));
      case 'choice':
        return own.of.some((v) => this.#mentions(v, what, depth));
      case 'element':
        return this.#mentions(own.of, what, depth);
      case 'result': {
        if (what.kind === 'result' && what.path.length === 0 && own.chain === what.chain) return true;
        const chain = this.program.chain(own.chain);
        return chain?.steps.some((s) => s.arguments?.some((a) => this.#mentions(a, what, depth - 1))) ?? false;
      }
      case 'parameter':
        return (
          what.kind === 'parameter' &&
          own.function === what.function &&
          own.index === what.index &&
          own.path.length > 0 &&
          own.path.every((p, i) => what.path[i] === p)
        );
      default:
        return false;
    }
  }

  /** Whether a value holds one that a session, a token or the context has verified. */
  #isIdentity(value: Value): boolean {
    const own = stripped(value);
    if (own.kind === 'object') return own.entries.some((e) => this.#isIdentity('spread' in e ? e.spread : e.value));
    if (own.kind === 'list') return own.of.some((i) => this.#isIdentity(i.value));
    return this.sourcesOf(own).some((s) => s.kind === 'trusted');
  }

  #canRefuse(chain: CallChain): boolean {
    const callee = this.program.calleeOf(chain);
    return callee !== undefined && this.#refusing(callee.function, maxRefusalDepth);
  }

  /** Whether a function has a path that ends it early, itself or in what it calls. */
  #refusing(id: FunctionId, depth: number): boolean {
    const known = this.#refuses.get(id);
    if (known !== undefined) return known;
    const f = this.program.function(id);
    if (!f || depth <= 0) return false;
    this.#refuses.set(id, false);
    const own = f.blocks.some((b) => b.because === 'exit');
    const facts = this.program.facts(f.span.file);
    const found =
      own ||
      (facts?.chains.some((c) => {
        if (c.function !== id) return false;
        const callee = this.program.calleeOf(c);
        return callee !== undefined && this.#refusing(callee.function, depth - 1);
      }) ??
        false);
    this.#refuses.set(id, found);
    return found;
  }
}

/** A value without what says only that it may be missing. */
export const stripped = (value: Value): Value => (value.kind === 'missing-able' ? stripped(value.of) : value);
