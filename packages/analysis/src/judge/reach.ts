import {
  valueAt,
  type CallChain,
  type EntryPoint,
  type FileFacts,
  type FunctionFacts,
  type FunctionId,
  type Value,
} from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import type { Provenance } from '../trace/provenance.js';
import { signatureChecks } from '../trust/sources.js';
import type { BeforeHandler } from './before-handler.js';
import { isEnvironment } from './environment.js';
import { layoutsOf } from './layouts.js';
import type { Publicity } from './publicity.js';
import type { Staff } from './staff.js';

/**
 * - `request`: an entry point that users can reach calls the function, directly or through others;
 * - `public`: only entry points do that ask nobody who they are, or that are meant for the following two;
 * - `system`: only entry points do that know their caller by a secret of the system (a signature, a token from the environment): webhooks, cron;
 * - `staff`: only on ways that let nobody pass but the operator's own people;
 * - `no request`: none does; `unknown`: the program has no entry point that is recognised.
 */
export type Reached = 'request' | 'public' | 'system' | 'staff' | 'no request' | 'unknown';

const maxDepth = 5;
/** What compares two secrets. */
const constantTime = /^(?:node:)?crypto$/;
/** Where several lead to a function, the one with the least authority counts. */
const order: readonly Reached[] = ['public', 'system', 'staff'];

/** Whether the outside world's requests lead to a function. */
export class Reach {
  readonly #memo = new Map<FunctionId, Reached>();
  readonly #system = new Map<FunctionId, boolean>();
  /** The entry points that are being asked whether they know the system: what a value is may lead back to the same question. */
  readonly #asking = new Set<FunctionId>();
  /** How often a question under way was asked again, so that its answer was left out. */
  #cuts = 0;
  #hasEntries: boolean | undefined;

  constructor(
    private readonly program: Program,
    private readonly sourcesOf: (value: Value) => readonly Provenance[],
    private readonly staff: Staff,
    private readonly publicity: Publicity,
    private readonly beforeHandler: BeforeHandler,
  ) {}

  of(id: FunctionId): Reached {
    const known = this.#memo.get(id);
    if (known) return known;
    const cuts = this.#cuts;
    const answer = this.#search(id);
    if (this.#cuts === cuts) this.#memo.set(id, answer);
    return answer;
  }

  #search(id: FunctionId): Reached {
    this.#hasEntries ??= [...this.program.files.values()].some(
      (facts) => facts.functions.some((f) => f.entry) || facts.entries !== undefined || facts.registered !== undefined,
    );
    if (!this.#hasEntries) return 'unknown';
    const found = new Set<Reached>();
    const seen = new Set<FunctionId>([id]);
    const pending: FunctionId[] = [id];
    for (let at = pending.pop(); at !== undefined; at = pending.pop()) {
      const f = this.program.function(at);
      if (!f) continue;
      const entry = this.program.entryOf(at);
      if (entry) {
        const kind = this.#kindOf(at, entry);
        if (kind === 'request') return kind;
        found.add(kind);
        continue;
      }
      const next = this.program.callersOf(at).flatMap((site) => {
        if (!this.staff.before(site.chain)) return [site.chain.function];
        found.add('staff');
        return [];
      });
      // A closure runs when what encloses it does, unless that is the module itself.
      if (f.parent !== undefined && this.program.function(f.parent)?.parent !== undefined) next.push(f.parent);
      for (const caller of next) if (!seen.has(caller)) pending.push((seen.add(caller), caller));
    }
    return order.find((kind) => found.has(kind)) ?? 'no request';
  }

  #kindOf(id: FunctionId, entry: EntryPoint): Reached {
    const middleware = [...this.beforeHandler.passedBy(id), ...this.beforeHandler.builtWith(id)];
    if (this.staff.ofEntry(id) || middleware.some((m) => this.staff.ofMiddleware(m))) return 'staff';
    if (layoutsOf(id, this.program).some((around) => this.staff.throughout(around))) return 'staff';
    if (this.#knowsTheSystem(id)) return 'system';
    return this.publicity.isPublic(id, entry) ? 'public' : 'request';
  }

  /** Whether an entry point refuses callers that do not know a secret of the system, itself, in what it calls, or in its wrapper. */
  #knowsTheSystem(id: FunctionId): boolean {
    const known = this.#system.get(id);
    if (known !== undefined) return known;
    if (this.#asking.has(id)) {
      this.#cuts++;
      return false;
    }
    const cuts = this.#cuts;
    this.#asking.add(id);
    const f = this.program.function(id);
    const wrapper = f?.handedTo && this.program.chain(f.handedTo.chain);
    const wrapping = wrapper && this.program.calleeOf(wrapper)?.function;
    const found =
      (wrapper !== undefined && this.#checksSignature(wrapper, maxDepth)) ||
      (wrapping !== undefined && this.#checks(wrapping, maxDepth, new Set())) ||
      this.#checks(id, maxDepth, new Set()) ||
      [...this.beforeHandler.passedBy(id), ...this.beforeHandler.builtWith(id)].some((before) =>
        this.#checks(before, maxDepth, new Set()),
      );
    this.#asking.delete(id);
    if (found || this.#cuts === cuts || this.#asking.size === 0) this.#system.set(id, found);
    return found;
  }

  /** `by`: the calls that are being followed into the function, the last one first. */
  #checks(id: FunctionId, depth: number, seen: Set<FunctionId>, by: readonly CallChain[] = []): boolean {
    const f = this.program.function(id);
    const facts = f && this.program.facts(f.span.file);
    if (!f || !facts || depth <= 0) return false;
    seen.add(id);
    // What a wrapper returns is a closure: its checks are the wrapper's.
    const body = this.#withClosures(id, facts);
    if (body.some((g) => g.blocks.some((b) => b.because === 'exit' && b.holds && this.#comparesSecret(b.holds))))
      return true;
    return body
      .flatMap((g) => this.program.chainsOf(g.id))
      .some((chain) => {
        if (this.#checksSignature(chain, depth, by)) return true;
        const callee = this.program.calleeOf(chain);
        if (callee === undefined || depth <= 1) return false;
        // Once more only where it is handed a secret of the system: what compares two texts is called by many.
        const isHandedSecret = chain.steps.some((s) => s.arguments?.some((a) => isEnvironment(a, this.program)));
        if (seen.has(callee.function) && !isHandedSecret) return false;
        // Only what is handed the request (or a part of it) can check where it comes from.
        const handsOn = chain.steps.some((s) =>
          s.arguments?.some((a) => this.#isOfRequest(a) || (by.length > 0 && this.#isMadeOf(a, id, 3))),
        );
        return handsOn && this.#checks(callee.function, depth - 1, seen, [chain, ...by]);
      });
  }

  /** Whether a value is made of what a function was handed: `Buffer.from(text)`. */
  #isMadeOf(value: Value, id: FunctionId, depth: number): boolean {
    if (value.kind === 'missing-able') return this.#isMadeOf(value.of, id, depth);
    if (value.kind === 'parameter') return value.function === id;
    const chain = value.kind === 'result' && depth > 0 ? this.program.chain(value.chain) : undefined;
    return chain?.steps.some((s) => s.arguments?.some((a) => this.#isMadeOf(a, id, depth - 1))) ?? false;
  }

  #withClosures(id: FunctionId, facts: FileFacts): readonly FunctionFacts[] {
    const ids = new Set([id]);
    return facts.functions.filter((g) => {
      if (g.id === id) return true;
      // Enclosing functions come first in the list.
      if (g.parent === undefined || !ids.has(g.parent)) return false;
      ids.add(g.id);
      return true;
    });
  }

  #isOfRequest(value: Value): boolean {
    if (value.kind === 'object')
      return value.entries.some((e) => this.#isOfRequest('spread' in e ? e.spread : e.value));
    // What a handler receives, or reads from it. Sources may be asked for this very answer.
    if (this.#isReceived(value, 3)) return true;
    // The parameter of a wrapper's closure is the request, though nothing in the program says so, and the context of a handler has it.
    return this.sourcesOf(value).some(
      (s) => s.kind === 'input' || s.kind === 'parameter' || (s.kind === 'trusted' && s.at !== undefined),
    );
  }

  #isReceived(value: Value, depth: number): boolean {
    if (value.kind === 'missing-able') return this.#isReceived(value.of, depth);
    if (value.kind === 'parameter')
      return (
        this.program.entryOf(value.function)?.roles?.some((r) => r.index === value.index && r.role === 'input') === true
      );
    const chain = value.kind === 'result' && depth > 0 ? this.program.chain(value.chain) : undefined;
    return chain !== undefined && this.#isReceived(chain.receiver, depth - 1);
  }

  /** `authorization === `Bearer ${process.env.CRON_SECRET}``, in either direction: something of the request equals something of the environment. */
  #comparesSecret(condition: Value): boolean {
    if (condition.kind !== 'apply') return false;
    if (/^[!=]==?$/.test(condition.function)) {
      const environment = condition.to.findIndex((v) => isEnvironment(v, this.program));
      const other = condition.to[1 - environment];
      return (
        environment >= 0 &&
        other !== undefined &&
        other.kind !== 'constant' &&
        !isEnvironment(other, this.program) &&
        this.#isOfRequest(other)
      );
    }
    return condition.to.some((v) => this.#comparesSecret(v));
  }

  #checksSignature(chain: CallChain, depth: number, by: readonly CallChain[] = []): boolean {
    if (depth <= 0) return false;
    const root = this.program.importOf(chain.receiver, 4);
    if (root && constantTime.test(root.module) && this.#calledName(chain, root.name) === 'timingSafeEqual')
      return chain.steps.some((s) => s.arguments?.some((a) => this.#isOfSystem(a, 3, by)));
    return (
      root !== undefined &&
      signatureChecks.some(
        (c) =>
          c.modules.test(root.module) &&
          (chain.awaited || chain.use === 'returned' || !chain.steps.some((s) => c.later?.includes(s.name))) &&
          (c.names.includes(root.name) || chain.steps.some((s) => c.names.includes(s.name))),
      )
    );
  }

  #calledName = (chain: CallChain, root: string): string => {
    const name = chain.steps.find((s) => s.arguments !== undefined)?.name ?? '';
    return name === '' ? root : name;
  };

  /** What a value is made of comes from the environment: as it stands, or handed in by the calls that are followed, or by every caller. */
  #isOfSystem(value: Value, depth: number, by: readonly CallChain[]): boolean {
    if (isEnvironment(value, this.program)) return true;
    if (depth <= 0) return false;
    if (value.kind === 'parameter') {
      const [site, ...outer] = by;
      const callee = site && this.program.calleeOf(site);
      const here = callee?.function === value.function ? site?.steps[callee.step]?.arguments?.[value.index] : undefined;
      if (here) return this.#isOfSystem(valueAt(here, value.path), depth - 1, outer);
      const callers = this.program.callersOf(value.function);
      const handed = callers.map((site) => site.chain.steps[site.step]?.arguments?.[value.index]);
      return (
        handed.length > 0 &&
        handed.every((a) => a !== undefined && this.#isOfSystem(valueAt(a, value.path), depth - 1, []))
      );
    }
    const chain = value.kind === 'result' ? this.program.chain(value.chain) : undefined;
    return (
      chain !== undefined &&
      (this.#isOfSystem(chain.receiver, depth - 1, by) ||
        chain.steps.some((s) => s.arguments?.some((a) => this.#isOfSystem(a, depth - 1, by))))
    );
  }
}
