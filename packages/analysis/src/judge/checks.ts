import {
  keyOfValue,
  sameValue,
  truthinessOf,
  valueAt,
  type CallChain,
  type FunctionFacts,
  type FunctionId,
  type Path,
  type Reason,
  type Value,
} from '@tenant-lint/model';
import type { LinkedAccess } from '../model.js';
import type { Program } from '../link/program.js';
import { prefixOf } from '../trace/prefix.js';
import type { Provenance } from '../trace/provenance.js';
import { conversions, iterations } from '../trust/sources.js';
import { componentsOf } from './components.js';
import { atomsAt, chosen, dominates, entailed, precedes, presenceOf, stripped, type Atom } from './conditions.js';
import {
  isAsked,
  isAskedLater,
  isPresenceOf,
  isTested,
  isTestedLater,
  pairOf,
  pathInto,
  throwsWhenMissing,
} from './guards.js';
import { isKeyedDigest } from './digest.js';
import { holdsParameter, refusesByBoth } from './refusal.js';
import { endsBefore, lastOf, type Place } from './returns.js';
import { lookedForBy, pinsOf } from './selection.js';

/** How deep a called function is searched for the place where it refuses. */
const maxRefusalDepth = 3;
const maxMentionDepth = 3;
/** How many functions a value is followed into to the query that asks for it together with who calls. */
const maxMeetingDepth = 5;
/** How many rows, one the parent of the other, are loaded before the last one is checked. */
const maxLoads = 2;
/** How many calls, one inside the other, are read for a check of what they are handed. */
const maxSummaryDepth = 4;

/** What the checks have to be told about values and accesses. */
export interface Known {
  readonly sourcesOf: (value: Value) => readonly Provenance[];
  /** Whether only the tenant's own data or a verified identity supplies a value. */
  readonly isOwn: (value: Value) => boolean;
  /** Whether an access found a row of the tenant by this very value. */
  readonly foundUnder: (access: LinkedAccess, value: Value) => boolean;
  readonly accessesOf: (f: FunctionId) => readonly LinkedAccess[];
  /** The arguments that a call hands to a function which the configuration declares to be their check. */
  readonly declaredOf: (chain: CallChain) => readonly Value[] | undefined;
}

/**
 * Checks that every path to a place has passed, and that tie an identifier to the tenant or the caller:
 * - the identifier, or what was looked up by it, was compared with a verified or a checked value, and only the equal case goes on;
 * - a row of the tenant was found by the same identifier;
 * - a list of a verified identity was searched for it;
 * - it was handed to a function after which, by its body, one of these holds: on every way on which that function can have ended, given what
 *   the caller found out about its answer;
 * - the identifier (or what was looked up by it) was handed, together with a verified identity, to a function that can refuse: it throws or
 *   leaves early, or its result was tested. What that function is called is no evidence; that it refuses is.
 */
export class Checks {
  readonly #memo = new Map<string, Reason | false>();
  readonly #refuses = new Map<FunctionId, boolean>();
  readonly #meets = new Map<string, boolean>();

  constructor(
    private readonly program: Program,
    private readonly known: Known,
  ) {}

  /** The check of `value` that every path to `chain` has passed, if there is one. */
  before(value: Value, chain: CallChain): Reason | undefined {
    const f = this.program.function(chain.function);
    if (!f) return undefined;
    if (value.kind === 'list') {
      const all = value.of.map((item) => this.before(itemOf(item.value), chain));
      return all.every((one) => one !== undefined) ? all[0] : undefined;
    }
    const at = { f, block: chain.block, offset: chain.span.start };
    const found = this.#at(value, at, maxSummaryDepth) ?? this.#beforeCallback(value, chain);
    if (found) return found;
    const listed = this.#listOf(value);
    const each = listed && this.before(listed.value, listed.chain);
    if (each) return each;
    // What a function hands back of what it was called with: `const { id } = await checked(session.user, id)`.
    const resolved = stripped(value).kind === 'result' ? this.program.resolve(stripped(value)) : value;
    return sameValue(resolved, value) ? undefined : this.#at(resolved, at, maxSummaryDepth);
  }

  /** The check that a called function has made of what it hands back: `const tenant = await tenantOf(request)`, which throws for strangers. */
  returned(chain: CallChain, index: number, path: Path): Reason | undefined {
    const f = this.program.function(this.program.calleeOf(chain)?.function ?? '');
    const one = f?.returns[index];
    return f && one
      ? this.#at(valueAt(one.value, path), { f, block: one.block, offset: one.span.start }, maxSummaryDepth)
      : undefined;
  }

  /**
   * The check of `value` that only those pass through for whom a verified value is there: `if (user.orgId) await check(user.orgId, id)` before
   * `chain`, which everybody reaches.
   */
  skippable(value: Value, chain: CallChain, isVerified: (value: Value) => boolean): Reason | undefined {
    const f = this.program.function(chain.function);
    if (!f || this.before(value, chain)) return undefined;
    for (const [at, block] of f.blocks.entries()) {
      if (block.start > chain.span.start) continue;
      let branch: number | undefined = at;
      while (branch !== undefined && f.blocks[branch]?.because !== 'branch') branch = f.blocks[branch]?.parent;
      const holds = branch === undefined ? undefined : f.blocks[branch]?.holds;
      if (branch === undefined || !holds || dominates(f, branch, chain.block)) continue;
      if (!isPresenceOf(holds, isVerified)) continue;
      const found = this.#at(value, { f, block: at, offset: chain.span.start }, maxSummaryDepth);
      if (found)
        return { ...found, span: { file: f.span.file, start: f.blocks[branch]!.start, end: f.blocks[branch]!.start } };
    }
    return undefined;
  }

  /** The check of `value` that a function has made when it is through. */
  within(value: Value, f: FunctionFacts): Reason | undefined {
    return this.#at(value, { f, block: lastOf(f), offset: f.span.end }, maxSummaryDepth);
  }

  /**
   * The check that the row (or something of it) that `chain` returned is handed to afterwards, together with a verified identity: a function
   * that can refuse, or whose answer is tested.
   */
  after(chain: string, f: FunctionFacts, offset: number, depth = maxLoads): Reason | undefined {
    const loaded: Value = { kind: 'result', chain, path: [] };
    for (const later of this.#chainsOf(f)) {
      if (later.span.start < offset) continue;
      const args = later.steps.flatMap((s) => s.arguments ?? []);
      if (!args.some((a) => this.#mentions(a, loaded, maxMentionDepth))) continue;
      // What it belongs to is loaded, and that is checked: `page = await pageOf(comment.pageId); await mayView(page, user)`.
      const through = depth > 0 && this.#isLoadBy(later, args, chain);
      const parent = through ? this.after(later.id, f, later.span.end, depth - 1) : undefined;
      if (parent) return parent;
      const declared = this.known.declaredOf(later)?.some((a) => this.#mentions(a, loaded, maxMentionDepth)) ?? false;
      if (!declared && !args.some((a) => this.#isIdentity(a))) continue;
      if (
        declared ||
        this.#refusesRow(later, loaded) ||
        isTestedLater(f, later.id, later.span.end, this.program) ||
        isAskedLater(f, later.id, later.span.end, this.program)
      ) {
        return { text: 'what was loaded is checked against a verified identity afterwards', span: later.span };
      }
    }
    return undefined;
  }

  /** What a call is handed and decides which row it looks up: what the queries of the function ask for, or what it hands on. */
  #deciding(call: CallChain): readonly Value[] {
    const all = call.steps.flatMap((s) => s.arguments ?? []);
    const callee = this.program.calleeOf(call);
    const accesses = callee && !callee.wrapped ? this.known.accessesOf(callee.function) : [];
    const handed = callee && call.steps[callee.step]?.arguments;
    if (!handed || accesses.length === 0) return all;
    const queries = new Set(accesses.map((a) => a.chain));
    const used = [
      ...accesses.flatMap((a) => a.targets.flatMap((t) => pinsOf(t.predicate, t.ref).map((pin) => pin.value))),
      ...this.program
        .chainsOf(callee.function)
        .filter((c) => !queries.has(c.id))
        .flatMap((c) => c.steps.flatMap((s) => s.arguments ?? [])),
    ];
    const own = new Set([callee.function]);
    return handed.filter((_, index) => used.some((v) => holdsParameter(v, own, 3, index)));
  }

  /** Whether a call looks up a row by nothing but a property of a loaded one. */
  #isLoadBy(later: CallChain, args: readonly Value[], chain: string): boolean {
    const isPart = (a: Value): boolean => (pathInto(a, chain, this.program)?.length ?? 0) > 0;
    const isFixed = (a: Value): boolean => a.kind === 'constant' || a.kind === 'undefined' || a.kind === 'object';
    if (!args.every((a) => isPart(a) || isFixed(stripped(a)))) return false;
    return this.#deciding(later).some(isPart);
  }

  /** Whether a function can end early because of what the row is to the identity: that it throws for another reason is no check. */
  #refusesRow(call: CallChain, loaded: Value): boolean {
    return refusesByBoth(
      call,
      (v) => this.#mentions(v, loaded, maxMentionDepth),
      (v) => this.#isIdentity(v),
      this.program,
    );
  }

  /** A callback runs where it is handed over, so that what was checked before holds inside: `db.transaction(async (tx) => ...)`. */
  #beforeCallback(value: Value, chain: CallChain): Reason | undefined {
    const handed = this.program.function(chain.function)?.handedTo;
    const outer = handed && this.program.chain(handed.chain);
    return outer && outer.id !== chain.id ? this.before(value, outer) : undefined;
  }

  /** What the callback of an iteration is called with, as an item of the list, where it is called: `ids.map((id) => ...)`. */
  #listOf(value: Value): { readonly value: Value; readonly chain: CallChain } | undefined {
    const own = stripped(value);
    const handed =
      own.kind === 'parameter' && own.index === 0 ? this.program.function(own.function)?.handedTo : undefined;
    const chain = handed && this.program.chain(handed.chain);
    if (own.kind !== 'parameter' || !handed || !chain || !iterations.has(chain.steps[handed.step]?.name ?? ''))
      return undefined;
    return { value: valueAt(prefixOf(chain, handed.step, this.program), ['*', ...own.path]), chain };
  }

  #isTestedAt(earlier: CallChain, at: Place): boolean {
    return testedAt(at, earlier).some((block) => isTested(at.f, earlier.id, block, this.program));
  }

  /** It is a property of a row that was authorised since it was loaded: `await mayEdit(page, user)`, and then `page.id`. */
  #ofCheckedRow(value: Value, at: Place): Reason | undefined {
    const load = value.kind === 'result' && value.path.length > 0 ? this.program.chain(value.chain) : undefined;
    if (!load || load.function !== at.f.id) return undefined;
    const loaded: Value = { kind: 'result', chain: load.id, path: [] };
    for (const earlier of this.#chainsOf(at.f)) {
      if (earlier.span.start < load.span.end || earlier.span.end > at.offset) continue;
      const args = earlier.steps.flatMap((s) => s.arguments ?? []);
      if (!args.some((a) => sameValue(stripped(a), loaded)) || !args.some((a) => this.#isIdentity(a))) continue;
      if (!precedes(at.f, earlier.block, at.block)) continue;
      if (this.#refusesRow(earlier, loaded) || this.#isTestedAt(earlier, at))
        return { text: 'the row it is read from was checked against a verified identity before', span: earlier.span };
    }
    return undefined;
  }

  /** Every item of a list was checked, one by one: in the callback of an earlier iteration over it, or in a loop. */
  #checkedEach(value: Value, at: Place, depth: number): Reason | undefined {
    if (depth <= 1 || (!('path' in value) && value.kind !== 'choice')) return undefined;
    const own = 'path' in value ? value.path : [];
    const last = own.findLastIndex((name) => name === '*' || /^\d+$/.test(name));
    const list: Value = 'path' in value && last >= 0 ? { ...value, path: own.slice(0, last) } : value;
    const rest = last < 0 ? [] : own.slice(last + 1);
    // `const ids = Array.isArray(id) ? id : [id]`, and then `ids[0]`.
    const isIn = (whole: Value): boolean =>
      sameValue(whole, list) ||
      (whole.kind === 'choice' && ['0', '*'].some((name) => sameValue(valueAt(whole, [name]), value)));
    for (const earlier of this.#chainsOf(at.f)) {
      if (earlier.span.end > at.offset || !precedes(at.f, earlier.block, at.block)) continue;
      for (const [index, step] of earlier.steps.entries()) {
        const [callback] = step.arguments ?? [];
        if (callback?.kind !== 'function' || !iterations.has(step.name)) continue;
        if (!isIn(prefixOf(earlier, index, this.program))) continue;
        const f = this.program.function(callback.function);
        const own: Value = { kind: 'parameter', function: callback.function, index: 0, path: rest };
        const found = f && this.#at(own, { f, block: lastOf(f), offset: f.span.end }, depth - 1);
        if (found) return found;
        const isLast = index === earlier.steps.length - 1;
        const isEvery = f && step.name === 'every' && isLast && this.#isTestedAt(earlier, at);
        const held = isEvery ? this.#heldBy(own, f, depth - 1) : undefined;
        if (held) return held;
      }
    }
    for (const [index, block] of at.f.blocks.entries()) {
      if (!block.each || block.start > at.offset || dominates(at.f, index, at.block)) continue;
      if (block.parent === undefined || !dominates(at.f, block.parent, at.block)) continue;
      if (!isIn(stripped(block.each))) continue;
      const item = valueAt(stripped(block.each), ['*', ...rest]);
      const found = this.#at(item, { ...at, block: lastOf(at.f, index) }, depth - 1);
      if (found) return found;
    }
    return undefined;
  }

  /** The check of a value that a function has made wherever it answers that it holds: `ids.every((id) => own.includes(id))`. */
  #heldBy(value: Value, f: FunctionFacts, depth: number): Reason | undefined {
    let first: Reason | undefined;
    for (const { value: answer, block, span } of f.returns) {
      if (truthinessOf(stripped(answer)) === false) continue;
      const at: Place = { f, block, offset: span.start };
      const found =
        this.#compared(value, at, depth, [...entailed(answer), ...atomsAt(f, block)]) ?? this.#at(value, at, depth);
      if (!found) return undefined;
      first ??= found;
    }
    return first;
  }

  /** An item of a list that was made of another one, whose items are checked: by leaving some out, or item by item. */
  #ofItem(value: Value, at: Place, depth: number): Reason | undefined {
    const chain = value.kind === 'result' && depth > 1 ? this.program.chain(value.chain) : undefined;
    const last = chain?.steps.at(-1);
    if (!chain || !last?.arguments || value.kind !== 'result' || !/^(?:\*|\d+)$/.test(value.path[0] ?? ''))
      return undefined;
    if (keeping.has(last.name))
      return this.#at(valueAt(prefixOf(chain, chain.steps.length - 1, this.program), value.path), at, depth - 1);
    const [callback] = last.arguments;
    const f =
      last.name === 'map' && callback?.kind === 'function' ? this.program.function(callback.function) : undefined;
    const found = f?.returns.map((r) =>
      this.#at(valueAt(r.value, value.path.slice(1)), { f, block: r.block, offset: r.span.start }, depth - 1),
    );
    return found?.every((r) => r !== undefined) ? found[0] : undefined;
  }

  #at(given: Value, at: Place, depth: number): Reason | undefined {
    const value = stripped(given);
    if (depth <= 0 || value.kind === 'constant' || value.kind === 'undefined' || value.kind === 'unknown')
      return undefined;
    // What was not found within fewer steps may be found within more.
    const key = `${depth}/${at.f.id}/${at.block}/${at.offset}/${at.caller?.chain.id ?? ''}/${keyOfValue(value)}`;
    const known = this.#memo.get(key);
    if (known !== undefined) return known === false ? undefined : known;
    this.#memo.set(key, false);
    const found =
      this.#compared(value, at, depth) ??
      this.#found(value, at) ??
      this.#handed(value, at, depth) ??
      this.#ofCheckedRow(value, at) ??
      this.#checkedEach(value, at, depth) ??
      this.#ofItem(value, at, depth);
    this.#memo.set(key, found ?? false);
    return found;
  }

  /** A row of the tenant was found by the same identifier. */
  #found(value: Value, at: Place): Reason | undefined {
    for (const access of this.known.accessesOf(at.f.id)) {
      const earlier = access.chain === undefined ? undefined : this.program.chain(access.chain);
      if (!earlier || earlier.span.start >= at.offset || !precedes(at.f, earlier.block, at.block, value)) continue;
      if (!throwsWhenMissing(access) && !this.#isTestedAt(earlier, at)) continue;
      if (this.known.foundUnder(access, value))
        return { text: 'a row of the tenant was found by the same identifier before', span: access.span };
    }
    return undefined;
  }

  /** It was handed to a function that checks it. */
  #handed(value: Value, at: Place, depth: number): Reason | undefined {
    for (const earlier of this.#chainsOf(at.f)) {
      if (earlier.span.end > at.offset || !precedes(at.f, earlier.block, at.block, value)) continue;
      const args = earlier.steps.flatMap((s) => s.arguments ?? []);
      const isMentioned = args.some((a) => this.#mentions(a, value, maxMentionDepth));
      if (!isMentioned && !args.some((a) => pathsTo(a, value).length > 0)) continue;
      if (this.known.declaredOf(earlier)?.some((a) => this.#mentions(a, value, maxMentionDepth)))
        return { text: 'it was handed to a declared check before', span: earlier.span };
      if (this.#checksInside(value, earlier, at, depth))
        return { text: 'it was handed to a function that checks it before', span: earlier.span };
      if (!isMentioned) continue;
      const isHandedIdentity = args.some((a) => this.#isIdentity(a)) && this.#looksAt(value, earlier, depth);
      if (!isHandedIdentity && !this.#meetsIdentity(value, earlier, maxMeetingDepth, false)) continue;
      if (
        this.#canRefuse(earlier) ||
        this.#isTestedAt(earlier, at) ||
        testedAt(at, earlier).some((block) => isAsked(at.f, earlier.id, block, this.program))
      )
        return { text: 'the identifier was checked against a verified identity before', span: earlier.span };
    }
    return undefined;
  }

  /**
   * Whether a call that is handed a value looks at it: a query by what its rows have to equal; a function of the program by a comparison, or by
   * handing it to what looks at it. Anything else is taken to.
   */
  #looksAt(value: Value, chain: CallChain, depth: number): boolean {
    const sought = lookedForBy(this.known.accessesOf(chain.function), chain);
    if (sought) return sought.some((v) => this.#mentions(v, value, maxMentionDepth));
    const callee = this.program.calleeOf(chain);
    const target = callee && !callee.wrapped ? this.program.function(callee.function) : undefined;
    const args = callee && chain.steps[callee.step]?.arguments;
    if (!callee && isConversion(chain)) return false;
    if (!target || !args || depth <= 0) return true;
    const inner = args.flatMap((argument, index) =>
      pathsTo(argument, value).map((path): Value => ({ kind: 'parameter', function: target.id, index, path })),
    );
    // Handed on inside something else, or read by closures.
    if (inner.length === 0 || this.#isReadInClosures(target)) return true;
    return inner.some(
      (v) =>
        target.blocks.some((b) => b.holds !== undefined && this.#isCompared(b.holds, v)) ||
        this.#chainsOf(target).some(
          (c) =>
            c.steps.some((s) => s.arguments?.some((a) => this.#mentions(a, v, maxMentionDepth))) &&
            this.#looksAt(v, c, depth - 1),
        ),
    );
  }

  /** Whether functions within a function read its parameters: what they do with them is not followed. */
  #isReadInClosures(f: FunctionFacts): boolean {
    const closures = this.program.facts(f.span.file)?.functions.filter((g) => g.parent === f.id) ?? [];
    const parameter = `"kind":"parameter","function":${JSON.stringify(f.id)}`;
    return closures.some((g) => JSON.stringify([g.blocks, g.returns, this.program.chainsOf(g.id)]).includes(parameter));
  }

  /** Whether in a called function, which asks for itself who calls, one query looks for rows of a verified identity by a value. */
  #meetsIdentity(value: Value, chain: CallChain, depth: number, inside = true): boolean {
    const sought = lookedForBy(this.known.accessesOf(chain.function), chain);
    const mentions = (a: Value): boolean => this.#mentions(a, value, maxMentionDepth);
    if (sought) return inside && sought.some(mentions) && sought.some((a) => this.#isIdentity(a));
    const callee = this.program.calleeOf(chain);
    const target = callee && !callee.wrapped ? this.program.function(callee.function) : undefined;
    const args = callee && chain.steps[callee.step]?.arguments;
    if (!target || !args || depth <= 0) return false;
    const key = `${target.id}/${depth}/${args
      .map((a) =>
        pathsTo(a, value)
          .map((path) => path.join('.'))
          .join(','),
      )
      .join('/')}`;
    const known = this.#meets.get(key);
    if (known !== undefined) return known;
    this.#meets.set(key, false);
    const inner = args.flatMap((argument, index) =>
      pathsTo(argument, value).map((path): Value => ({ kind: 'parameter', function: target.id, index, path })),
    );
    const found = inner.some((v) => this.#chainsOf(target).some((c) => this.#meetsIdentity(v, c, depth - 1)));
    this.#meets.set(key, found);
    return found;
  }

  /** Whether a condition compares a value with something: more than that it is there. */
  #isCompared(condition: Value, value: Value): boolean {
    const own = stripped(condition);
    if (own.kind !== 'apply') return false;
    if (own.function === '&&' || own.function === '||' || own.function === '!')
      return own.to.some((v) => this.#isCompared(v, value));
    // Whether a call found what it looked for, the call says: `mayEdit(user, page) === true`.
    const [call] = own.to.filter((v) => v.kind !== 'constant' && v.kind !== 'undefined').map(stripped);
    const isAnswer = own.to.length === 2 && own.to.some((v) => v.kind === 'constant' || v.kind === 'undefined');
    if (isAnswer && call?.kind === 'result' && call.path.length === 0 && this.#calledBy(call)) return false;
    return own.to.length > 1 && own.to.some((v) => this.#mentions(v, value, maxMentionDepth));
  }

  /** The function of the program that gave a value. */
  #calledBy(value: Extract<Value, { kind: 'result' }>): FunctionId | undefined {
    const chain = this.program.chain(value.chain);
    return chain && this.program.calleeOf(chain)?.function;
  }

  /** Whether on every way on which the called function can have ended before `at`, what it was handed is checked. */
  #checksInside(value: Value, chain: CallChain, at: Place, depth: number): boolean {
    const callee = this.program.calleeOf(chain);
    const target = callee && !callee.wrapped ? this.program.function(callee.function) : undefined;
    const args = callee && chain.steps[callee.step]?.arguments;
    if (!target || !args || depth <= 1) return false;
    const inner = args.flatMap((argument, index) =>
      pathsTo(argument, value).map((path): Value => ({ kind: 'parameter', function: target.id, index, path })),
    );
    if (inner.length === 0) return false;
    const caller = { chain, arguments: args, at };
    const ends = endsBefore(chain, target, at, this.program).filter((end) => !inner.some((v) => isMissing(v, end)));
    return (
      ends.length > 0 &&
      ends.every((end) => inner.some((v) => this.#at(v, { ...end, caller }, depth - 1) !== undefined))
    );
  }

  /** `if (id !== session.orgId) throw`, `if (!session.projects.some((p) => p.id === id)) throw`. */
  #compared(
    value: Value,
    at: Place,
    depth: number,
    atoms: readonly Atom[] = [...atomsAt(at.f, at.block), ...this.#whereFound(value, at)],
  ): Reason | undefined {
    const here = { file: at.f.span.file, start: at.f.blocks[at.block]!.start, end: at.f.blocks[at.block]!.start };
    for (const { value: condition, holds } of atoms) {
      if (!holds) continue;
      if (this.#isListed(chosen(condition, atoms), value, at))
        return { text: 'it is one of those of a verified identity here', span: here };
      const pair = pairOf(condition, this.program) ?? (isEquality(condition) ? condition.to : undefined);
      if (pair?.some((side) => this.#isLookedUpBy(side, value) && isKeyedDigest(side, this.program)))
        return { text: 'what was made of it with a secret is presented with it', span: here };
      if (condition.kind !== 'apply' || condition.function !== '===' || condition.to.length !== 2) continue;
      for (const [side, other] of [
        [condition.to[0]!, condition.to[1]!],
        [condition.to[1]!, condition.to[0]!],
      ] as const) {
        const isSame = sameValue(stripped(side), value);
        if (!isSame && !this.#isLookedUpBy(side, value)) continue;
        if (this.#isVerified(other, at, depth - 1)) return { text: 'it equals a verified value here', span: here };
        if (sameValue(stripped(other), value) || this.#isLookedUpBy(other, value)) continue;
        const checked = this.#atOrBefore(other, at, depth - 1);
        if (checked) return { ...checked, text: `it belongs to what was checked: ${checked.text}` };
      }
    }
    return undefined;
  }

  /** What is known where there is a row of that identifier at all: `if (row) { if (row.userId !== me) throw }`. */
  #whereFound(value: Value, { f, block, offset }: Place): readonly Atom[] {
    return f.blocks.flatMap((exit, index) => {
      if (exit.because !== 'exit' || !exit.holds || exit.start > offset || dominates(f, index, block)) return [];
      let branches = 0;
      for (let up = exit.parent; up !== undefined && !dominates(f, up, block); up = f.blocks[up]?.parent) {
        const { because, holds } = f.blocks[up]!;
        if (because === 'exit') continue;
        const presence = holds && entailed(holds).length === 1 ? presenceOf(entailed(holds)[0]!) : undefined;
        if (because !== 'branch' || !presence?.holds || !this.#isLookedUpBy(presence.value, value)) return [];
        branches++;
      }
      return branches > 0 ? entailed(exit.holds) : [];
    });
  }

  /** What a function or a query gave for the identifier: its owner. */
  #isLookedUpBy(side: Value, value: Value): boolean {
    const own = stripped(side);
    return own.kind === 'result' && this.#mentions(own, value, maxMentionDepth);
  }

  /** `orgs.includes(id)`, `session.projects.some((p) => p.id === id)` on a list of a verified identity. */
  #isListed(condition: Value, value: Value, at: Place): boolean {
    const own = stripped(condition);
    const chain = own.kind === 'result' ? this.program.chain(own.chain) : undefined;
    const last = chain?.steps.findLast((s) => s.arguments !== undefined);
    const [argument] = last?.arguments ?? [];
    if (!chain || !last || !argument || !membership.has(last.name)) return false;
    const searched = argument.kind === 'function' ? this.program.function(argument.function)?.returns : undefined;
    const isFor = searched
      ? searched.length > 0 && searched.every((r) => this.#requires(r.value, value))
      : this.#mentions(argument, value, maxMentionDepth);
    if (!isFor) return false;
    const names = chain.steps.slice(0, chain.steps.indexOf(last)).flatMap((s) => (s.arguments ? [] : [s.name]));
    return this.#isVerified(valueAt(chain.receiver, names), at, 2);
  }

  /** Whether a condition holds only where something equals the value. */
  #requires(condition: Value, value: Value): boolean {
    const own = stripped(condition);
    if (own.kind !== 'apply') return false;
    if (own.function === '&&') return own.to.some((v) => this.#requires(v, value));
    if (own.function === '||') return own.to.every((v) => this.#requires(v, value));
    return /^={2,3}$/.test(own.function) && own.to.some((v) => this.#mentions(v, value, maxMentionDepth));
  }

  #isVerified(value: Value, at: Place, depth: number): boolean {
    if (depth <= 0) return false;
    const own = stripped(value);
    const handed = handedAs(own, at);
    if (handed) return this.#isVerified(handed.value, handed.at, depth - 1);
    return this.known.isOwn(own) || this.#isOfChecked(own, at, depth);
  }

  /** A property of what a function of the program looked up by nothing but checked identifiers. */
  #isOfChecked(value: Value, at: Place, depth: number): boolean {
    const chain = value.kind === 'result' && value.path.length > 0 ? this.program.chain(value.chain) : undefined;
    const callee = chain && this.program.calleeOf(chain);
    const args = callee && chain.steps[callee.step]?.arguments?.map(stripped);
    if (!args || depth <= 1) return false;
    const deciding = args.filter((a) => a.kind !== 'constant' && a.kind !== 'undefined' && a.kind !== 'import');
    return (
      deciding.length > 0 &&
      deciding.every((a) => this.#isVerified(a, at, depth - 1) || this.#atOrBefore(a, at, depth - 1) !== undefined)
    );
  }

  /** A parameter of a function that is being looked into is what this very call hands over. */
  #atOrBefore(value: Value, at: Place, depth: number): Reason | undefined {
    const found = this.#at(value, at, depth);
    const handed = found ? undefined : handedAs(stripped(value), at);
    return handed ? this.#atOrBefore(handed.value, handed.at, depth - 1) : found;
  }

  /** Whether a value holds another: is it, contains it, is the object it is read from, or was looked up by it. */
  #mentions(where: Value, what: Value, depth: number): boolean {
    const own = stripped(where);
    if (sameValue(own, what)) return true;
    if (depth <= 0) return false;
    switch (own.kind) {
      case 'result': {
        if (what.kind === 'result' && own.chain === what.chain) {
          const isWhole = what.path.length === 0;
          if (isWhole || (own.path.length > 0 && own.path.every((p, i) => what.path[i] === p))) return true;
        }
        const chain = this.program.chain(own.chain);
        if (!chain || (isConversion(chain) && saysNothing.has(own.path[0] ?? ''))) return false;
        return this.#deciding(chain).some((a) => this.#mentions(a, what, depth - 1));
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
        return componentsOf(own).some((v) => this.#mentions(v, what, depth));
    }
  }

  /** Whether a value holds one that a session, a token or the context has verified. */
  #isIdentity(value: Value): boolean {
    const own = stripped(value);
    if (own.kind === 'object') return own.entries.some((e) => this.#isIdentity('spread' in e ? e.spread : e.value));
    if (own.kind === 'list') return own.of.some((i) => this.#isIdentity(i.value));
    return this.known.sourcesOf(own).some((s) => s.kind === 'trusted');
  }

  #chainsOf(f: FunctionFacts): readonly CallChain[] {
    return this.program.chainsOf(f.id);
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
    const found =
      f.blocks.some((b) => b.because === 'exit') ||
      this.#chainsOf(f).some((c) => {
        const callee = this.program.calleeOf(c);
        return callee !== undefined && this.#refusing(callee.function, depth - 1);
      });
    this.#refuses.set(id, found);
    return found;
  }
}

/** A call that only brings what it is handed into a form: what it gives is looked at, or nothing is. `schema.safeParse(body)`. */
const isConversion = (chain: CallChain): boolean =>
  conversions.has(chain.steps.findLast((s) => s.arguments !== undefined)?.name ?? '');

/** What such a call tells of the form, and not of the value. */
const saysNothing: ReadonlySet<string> = new Set(['success', 'error', 'issues']);

/** Where the answer of an earlier call may have been tested: on the way to a place, or in the branch that the call stands in. */
const testedAt = (at: Place, earlier: CallChain): readonly number[] =>
  dominates(at.f, earlier.block, at.block) ? [at.block] : [at.block, lastOf(at.f, earlier.block)];

/** An item of a list, under its path where the list has one. */
const itemOf = (value: Value): Value =>
  value.kind === 'element' && 'path' in stripped(value.of) ? valueAt(stripped(value.of), value.path) : value;

const isEquality = (value: Value): value is Extract<Value, { kind: 'apply' }> =>
  value.kind === 'apply' && value.function === '===';

/** Methods of lists that give items of the list. */
const keeping: ReadonlySet<string> = new Set(['filter', 'slice', 'sort', 'toSorted', 'reverse', 'toReversed']);

/** Methods of lists and sets that say whether something is in them. */
const membership: ReadonlySet<string> = new Set(['some', 'find', 'includes', 'has']);

/** The paths under which an argument holds a value: '' where it is the value, `access.0.id` inside literals, `id` where it is its object. */
function pathsTo(argument: Value, value: Value, depth = 4): readonly (readonly string[])[] {
  const own = stripped(argument);
  if (sameValue(own, value)) return [[]];
  if (depth <= 0) return [];
  const under = (name: string, inner: Value): readonly (readonly string[])[] =>
    pathsTo(inner, value, depth - 1).map((path) => [name, ...path]);
  if (own.kind === 'object') return own.entries.flatMap((e) => ('set' in e ? under(e.set, e.value) : []));
  if (own.kind === 'list') return own.of.flatMap((item) => under('*', item.value));
  // The object that the value is a property of.
  const held = 'path' in own && 'path' in value && own.kind === value.kind && own.path.length < value.path.length;
  if (!held || !own.path.every((name, i) => value.path[i] === name)) return [];
  const rest = value.path.slice(own.path.length);
  return sameValue(valueAt(own, rest), value) ? [rest] : [];
}

function handedAs(value: Value, at: Place): { readonly value: Value; readonly at: Place } | undefined {
  if (value.kind !== 'parameter' || !at.caller || value.function !== at.f.id) return undefined;
  const argument = at.caller.arguments[value.index];
  return argument && { value: valueAt(argument, value.path), at: at.caller.at };
}

/** Whether a function ended because there was no value: `if (!id) return`. */
const isMissing = (value: Value, { f, block }: Place): boolean =>
  atomsAt(f, block).some((atom) => {
    const presence = presenceOf(atom);
    return presence !== undefined && !presence.holds && sameValue(presence.value, value);
  });
