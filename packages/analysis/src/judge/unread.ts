import type { CallChain, ChainId, Decorator, FunctionFacts, FunctionId, Reason, Span, Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import type { LinkedAccess } from '../model.js';
import { mayBeSameInput, type InputProvenance, type Provenance } from '../trace/provenance.js';
import { conversions, iterations, signatures, trustedSources } from '../trust/sources.js';
import { precedes, stripped } from './conditions.js';
import { isTestedLater } from './guards.js';
import { comesFrom } from './loaded.js';
import { holdsParameter } from './refusal.js';

/** A call that was not read, on the way of an identifier. */
export interface UnreadCall {
  readonly reason: Reason;
  /** It is handed who asks together with what is asked for: more likely than not it is there to check the one against the other. */
  readonly isHandedBoth: boolean;
}

/** How many functions, one around or inside the other, are searched for calls that were not read. */
const maxDepth = 3;
const maxCalls = 5;

/** Middleware that reads a request or checks its form, and asks nobody who sends it. */
const forms =
  /^(?:express|body-parser|cors|helmet|multer)$|^@hono\/(?:zod|valibot|typebox|arktype|effect|standard|typia)(?:-validator|-openapi)?$|^hono\/(?:validator|cors|logger|body-limit)$|^(?:celebrate|express-validator|zod-express-middleware|fastify-type-provider-zod)$/;
/** Decorators of frameworks, which route, describe and authenticate, and know nothing of rows. */
const frameworks = /^@nestjs\/|^type-graphql$|^class-(?:validator|transformer)$|^@mikro-orm\/|^typeorm$/;

/** What a call says about lists and texts, whatever they hold. */
const membership: ReadonlySet<string> = new Set(['includes', 'has', 'get', 'set', 'add', 'push', 'indexOf', 'concat']);

/**
 * Calls between the request and an access whose bodies are not in the program, and that may check what they are handed: a verified identity,
 * the identifier that picks the row, or the loaded row. A leak behind one rests on the assumption that it does not check.
 */
export class Unread {
  readonly #memo = new Map<string, UnreadCall | false>();

  readonly #hands = new Map<FunctionId, boolean>();

  constructor(
    private readonly program: Program,
    private readonly sourcesOf: (value: Value) => readonly Provenance[],
    /** Whether a call is one of a data library. */
    private readonly isOfData: (chain: string) => boolean,
  ) {}

  /** The first such call on the way of a source to an access, or behind an access that only reads. */
  onWay(source: InputProvenance, access: LinkedAccess): UnreadCall | undefined {
    const opaque = source.unread === undefined ? undefined : this.program.chain(source.unread);
    if (opaque) return unreadCall(opaque);
    const around = source.at === undefined ? undefined : (this.#wrapper(source.at) ?? this.#decorator(source.at));
    if (around) return around;
    for (const id of [access.chain, ...(source.through ?? [])]) {
      const found = id === undefined ? undefined : (this.#oneOfSeveral(id) ?? this.#before(id, source, maxDepth));
      if (found) return found;
    }
    return access.operation === 'read' && access.chain !== undefined ? this.#after(access.chain, source) : undefined;
  }

  /** A call of something that several classes implement: which of them it reaches, the program decides when it runs. */
  #oneOfSeveral(id: ChainId): UnreadCall | undefined {
    const chain = this.program.chain(id);
    return chain && (chain.callees?.length ?? 0) > 1
      ? {
          reason: { text: 'as far as this is the implementation that is called', span: chain.span },
          isHandedBoth: false,
        }
      : undefined;
  }

  /** A wrapper around the entry point, or middleware of its route, that comes from elsewhere: `export const GET = withAuth(handler)`. */
  #wrapper(entry: string): UnreadCall | undefined {
    const kind = this.program.entryOf(entry)?.kind ?? '';
    const handed = this.program.function(entry)?.handedTo;
    const chain = handed && this.program.chain(handed.chain);
    if (!chain) return undefined;
    if (/^(?:next|remix|sveltekit) /.test(kind)) return this.program.calleeOf(chain) ? undefined : unreadCall(chain);
    if (kind !== 'http handler') return undefined;
    for (const argument of chain.steps[handed.step]?.arguments?.slice(0, handed.argument) ?? []) {
      const made = this.#isElsewhere(argument) ? this.program.importOf(argument, 4) : undefined;
      if (made && !forms.test(made.module)) return named(made, chain.span);
    }
    return undefined;
  }

  /** A decorator of the handler or its class, or a guard it names, whose body is not in the program. */
  #decorator(entry: string): UnreadCall | undefined {
    const f = this.program.function(entry);
    const made =
      f?.class === undefined ? undefined : this.program.facts(f.span.file)?.classes.find((c) => c.name === f.class);
    const all: readonly Decorator[] = [...(f?.decorators ?? []), ...(made?.decorators ?? [])];
    for (const value of all.flatMap((d) => [d.name, ...d.arguments])) {
      const root =
        this.#isElsewhere(value) && !this.program.classOf(value) ? this.program.importOf(value, 4) : undefined;
      if (f && root && !frameworks.test(root.module) && isNamedLikeCode(value)) return named(root, f.span);
    }
    return undefined;
  }

  /** Whether what a value is, or what made it, is no function of the program. */
  #isElsewhere(value: Value): boolean {
    const resolved = this.program.resolve(stripped(value));
    if (resolved.kind === 'result') {
      const chain = this.program.chain(resolved.chain);
      return chain !== undefined && !this.program.calleeOf(chain);
    }
    return resolved.kind === 'import' || resolved.kind === 'instance';
  }

  /** The first call that may check it before `id`: in its function, around it, and in the functions of the program that are called before. */
  #before(id: string, source: InputProvenance, depth: number): UnreadCall | undefined {
    const key = `${id} ${nameOfSource(source)} ${depth}`;
    const known = this.#memo.get(key);
    if (known !== undefined) return known === false ? undefined : known;
    this.#memo.set(key, false);
    const chain = this.program.chain(id);
    const f = chain && this.program.function(chain.function);
    if (!chain || !f) return undefined;
    let found: UnreadCall | undefined;
    for (const earlier of this.program.chainsOf(f.id)) {
      if (earlier.span.end > chain.span.start || !precedes(f, earlier.block, chain.block)) continue;
      const isOpen =
        this.#dispatches(earlier, f) &&
        earlier.steps.some((s) => s.arguments?.some((a) => this.#isIdentity(a) || this.#isOf(a, source)));
      found =
        isOpen || this.#mayCheck(earlier, f, source)
          ? unreadCall(
              earlier,
              this.#handsBoth(earlier, (v) => this.#isOf(v, source)),
            )
          : this.#inside(earlier, source, depth);
      if (found) break;
    }
    // A callback runs where it is handed over: `db.transaction(async (tx) => ...)`.
    if (!found && depth > 0 && f.handedTo && f.handedTo.chain !== id && !this.program.entryOf(f.id))
      found = this.#before(f.handedTo.chain, source, depth - 1);
    this.#memo.set(key, found ?? false);
    return found;
  }

  /** A call that was not read in a function of the program that is handed the identifier or an identity. */
  #inside(call: CallChain, source: InputProvenance, depth: number): UnreadCall | undefined {
    const callee = depth > 0 && !this.isOfData(call.id) ? this.program.calleeOf(call) : undefined;
    const f = callee && this.program.function(callee.function);
    if (!f || !call.steps.some((s) => s.arguments?.some((a) => this.#isIdentity(a) || this.#isOf(a, source))))
      return undefined;
    const key = `in ${f.id} ${nameOfSource(source)} ${depth}`;
    const known = this.#memo.get(key);
    if (known !== undefined) return known === false ? undefined : known;
    this.#memo.set(key, false);
    let found: UnreadCall | undefined;
    for (const inner of this.program.chainsOf(f.id)) {
      found = this.#mayCheck(inner, f, source)
        ? unreadCall(
            inner,
            this.#handsBoth(inner, (v) => this.#isOf(v, source)),
          )
        : this.#inside(inner, source, depth - 1);
      if (found) break;
    }
    this.#memo.set(key, found ?? false);
    return found;
  }

  /** A call behind a load that is handed the row, and from which it need not go on: it is handed an identity too, or its answer is asked for. */
  #after(id: string, source: InputProvenance): UnreadCall | undefined {
    const key = `after ${id} ${nameOfSource(source)}`;
    const known = this.#memo.get(key);
    if (known !== undefined) return known === false ? undefined : known;
    const chain = this.program.chain(id);
    const f = chain && this.program.function(chain.function);
    const found =
      f &&
      this.program.chainsOf(f.id).find((later) => {
        if (later.span.start < chain.span.end || later.use === 'returned') return false;
        const isOpen = this.#dispatches(later, f);
        if (!isOpen && !this.#isUnread(later)) return false;
        const args = later.steps.flatMap((s) => s.arguments ?? []);
        const isRow = (a: Value): boolean => comesFrom(a, id, this.program, 2) || this.#isOtherLoad(a, source);
        if (!args.some(isRow)) return false;
        // The answer to the request: `res.json(row)`.
        if (this.#isOfEntry(later.receiver) && !this.#isAsked(later, f)) return false;
        return isOpen || args.some((a) => this.#isIdentity(a)) || this.#mayRefuse(later, f);
      });
    const call =
      found &&
      unreadCall(
        found,
        this.#handsBoth(found, (v) => comesFrom(v, id, this.program, 2) || this.#isOtherLoad(v, source)),
      );
    this.#memo.set(key, call ?? false);
    return call;
  }

  /** Whether a function of the program is called for what it refuses, and hands what it is given to a function that nobody can name. */
  #dispatches(call: CallChain, f: FunctionFacts): boolean {
    if (this.isOfData(call.id) || !this.#mayRefuse(call, f)) return false;
    const callee = this.program.calleeOf(call);
    return callee !== undefined && !callee.wrapped && this.#handsOn(callee.function, maxCalls);
  }

  #handsOn(id: FunctionId, depth: number): boolean {
    const known = this.#hands.get(id);
    if (known !== undefined) return known;
    const f = this.program.function(id);
    if (!f || depth <= 0) return false;
    this.#hands.set(id, false);
    const all = this.program.facts(f.span.file)?.functions ?? [];
    const family = new Set([id]);
    for (const inner of all) if (inner.parent !== undefined && family.has(inner.parent)) family.add(inner.id);
    const isHanded = (v: Value): boolean => holdsParameter(v, family, 3);
    const found = [...family].some((one) =>
      this.program.chainsOf(one).some((c) => {
        if (!c.steps.some((s) => s.arguments?.some(isHanded))) return false;
        const callee = this.program.calleeOf(c);
        return callee ? !family.has(callee.function) && this.#handsOn(callee.function, depth - 1) : this.#isUnread(c);
      }),
    );
    this.#hands.set(id, found);
    return found;
  }

  /** Whether a value is what another access found by the same identifier. */
  #isOtherLoad(value: Value, source: InputProvenance): boolean {
    const own = stripped(value);
    return own.kind === 'result' && this.isOfData(own.chain) && this.#isOf(own, source, 1);
  }

  #mayCheck(chain: CallChain, f: FunctionFacts, source: InputProvenance): boolean {
    if (!this.#isUnread(chain)) return false;
    const args = chain.steps.flatMap((s) => s.arguments ?? []);
    if (this.program.importOf(chain.receiver, 8) && args.some((a) => this.#isIdentity(a))) return true;
    return this.#mayRefuse(chain, f) && args.some((a) => this.#isIdentity(a) || this.#isOf(a, source));
  }

  /**
   * Whether a call is handed an identity together with what `isIt` says. A call whose end nobody waits for, and whose answer nobody reads, may
   * be told of both in one object; only what refuses takes the one and the other: `authorize(user, 'update', document)`.
   */
  #handsBoth(chain: CallChain, isIt: (value: Value) => boolean): boolean {
    // An answer to the request is told, and refuses nothing.
    if (chain.use === 'returned') return false;
    const args = chain.steps.flatMap((s) => s.arguments ?? []);
    const isTold = chain.use === 'discarded' && !chain.awaited;
    const own = isTold ? args.filter((a) => !['object', 'text', 'list'].includes(stripped(a).kind)) : args;
    return own.some((a, i) => this.#isIdentity(a) && own.some((b, j) => (i !== j || !isTold) && isIt(b)));
  }

  /** Whether a call can be there for what it refuses: nothing is done with its answer, or it is asked for. */
  #mayRefuse(chain: CallChain, f: FunctionFacts): boolean {
    return chain.use === 'discarded' ? chain.awaited || !this.#isOfEntry(chain.receiver) : this.#isAsked(chain, f);
  }

  #isAsked(chain: CallChain, f: FunctionFacts): boolean {
    return chain.use === 'other' || isTestedLater(f, chain.id, chain.span.end, this.program);
  }

  /** Whether something is called that is no function of the program, and no method of a list, a text, or the platform. */
  #isUnread(chain: CallChain): boolean {
    if (this.isOfData(chain.id) || this.program.calleeOf(chain)) return false;
    const called = chain.steps.filter((s) => s.arguments !== undefined);
    const names = called.map((s) => (s.name === '' ? nameOf(chain) : s.name));
    const last = names.at(-1);
    if (last === undefined || membership.has(last) || names.some((n) => conversions.has(n) || iterations.has(n)))
      return false;
    const root = this.program.importOf(chain.receiver, 8);
    // Whoever presents what was made of the row with a secret has been given it.
    const isProof =
      signatures.some((s) => root !== undefined && s.modules.test(root.module)) && names.some(isComparison);
    if (root && isProof) return true;
    if (root) return !/^node:|^crypto$/.test(root.module) && !trustedSources.some((s) => s.modules.test(root.module));
    const of = this.program.resolve(stripped(chain.receiver));
    // What a collection holds is called, and no method of the collection: `guards.get('order').check(id)`.
    if (of.kind === 'instance') return of.of.kind !== 'global' || names.some((n) => membership.has(n));
    if (!['this', 'binding', 'element', 'parameter', 'result', 'unknown'].includes(of.kind)) return false;
    return !this.sourcesOf(of).some((s) => s.kind === 'input' || s.kind === 'row');
  }

  #isOfEntry(value: Value): boolean {
    const own = stripped(value);
    return own.kind === 'parameter' && this.program.entryOf(own.function) !== undefined;
  }

  /** Whether a value is what the source says, holds it, or is made or looked up by it. */
  #isOf(value: Value, source: InputProvenance, depth = 2): boolean {
    const own = stripped(value);
    if (own.kind === 'object')
      return own.entries.some((e) => this.#isOf('spread' in e ? e.spread : e.value, source, depth));
    if (own.kind === 'constant' || own.kind === 'function') return false;
    const made = own.kind === 'result' && depth > 0 ? this.program.chain(own.chain) : undefined;
    if (made?.steps.some((s) => s.arguments?.some((a) => this.#isOf(a, source, depth - 1)))) return true;
    return this.sourcesOf(own).some(
      (s) =>
        s.kind === 'input' &&
        (mayBeSameInput(s, source) ||
          (s.at === source.at && s.named === source.named && source.what.startsWith(`${s.what}.`))),
    );
  }

  /** A verified identity as it stands, or first in an object. */
  #isIdentity(value: Value): boolean {
    const own = stripped(value);
    if (own.kind === 'object') return own.entries.some((e) => this.#isIdentity('spread' in e ? e.spread : e.value));
    if (own.kind === 'constant' || own.kind === 'function' || own.kind === 'text') return false;
    return this.sourcesOf(own).some((s) => s.kind === 'trusted');
  }
}

const nameOfSource = ({ at = '', what, named = '', property = [] }: InputProvenance): string =>
  [at, what, named, ...property].join(' ');

const unreadCall = (chain: CallChain, isHandedBoth = false): UnreadCall => ({
  reason: { text: `as far as ${nameOf(chain)} does not check it`, span: chain.span },
  isHandedBoth,
});

const named = (what: { readonly name: string; readonly module: string }, span: Span): UnreadCall => ({
  reason: { text: `as far as ${what.name} of ${what.module} does not check it`, span },
  isHandedBoth: false,
});

/** Functions of the platform that compare a secret or a signature. */
const isComparison = (name: string): boolean => name === 'timingSafeEqual' || name === 'verify';

/** A decorator or a class that one names; not a text or options. */
const isNamedLikeCode = (value: Value): boolean => ['import', 'binding', 'result', 'instance'].includes(value.kind);

function nameOf(chain: CallChain): string {
  const steps = chain.steps.flatMap((s) => (s.name === '' ? [] : [s.name]));
  const first = 'name' in chain.receiver ? [chain.receiver.name] : [];
  return [...first, ...steps].slice(0, 3).join('.') || 'a call';
}
