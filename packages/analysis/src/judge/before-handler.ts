import type {
  CallChain,
  FileFacts,
  Decorator,
  FunctionFacts,
  FunctionId,
  Predicate,
  Reason,
  Span,
  Value,
} from '@tenant-lint/model';
import type { LinkedAccess } from '../model.js';
import type { Program } from '../link/program.js';
import type { InputProvenance, Provenance } from '../trace/provenance.js';
import { stripped } from './conditions.js';
import { comesFrom } from './loaded.js';
import { readsOf } from './reads.js';
import { lookedForBy } from './selection.js';

/** How many wrappers, builders and called functions, one inside the other, are looked into. */
const maxDepth = 5;

interface Registered {
  readonly arguments: readonly Value[];
  readonly receiver: Value;
  readonly span: Span;
}

/**
 * What runs before a handler: the wrapper it is handed to, the middleware of its route, of its router and of the builder of a procedure,
 * the guards of its class. One that can refuse, and that looks at the same part of the request, may be the check of it.
 */
export class BeforeHandler {
  readonly #memo = new Map<string, Reason | false>();
  readonly #looks = new Map<FunctionId, { readonly text: string; readonly values: unknown }>();
  #uses: readonly Registered[] | undefined;
  #registered: readonly Registered[] | undefined;

  constructor(
    private readonly program: Program,
    private readonly accessesOf: (f: FunctionId) => readonly LinkedAccess[],
    private readonly sourcesOf: (value: Value) => readonly Provenance[],
  ) {}

  /** The function that runs before the one that receives `source`, looks at the same name and can refuse. */
  check(source: InputProvenance): Reason | undefined {
    if (source.at === undefined) return undefined;
    const name = source.named ?? source.what.split('.').at(-1) ?? '';
    const key = `${source.at} ${name}`;
    const known = this.#memo.get(key);
    if (known !== undefined) return known === false ? undefined : known;
    const found = [...this.functionsBefore(source.at)].find((id) => this.#refusesBy(id, name));
    const f = found === undefined ? undefined : this.program.function(found);
    const reason = f && { text: `${f.name ?? 'what runs before'} looks at ${name} and can refuse`, span: f.span };
    this.#memo.set(key, reason ?? false);
    return reason;
  }

  /**
   * Like check, for an identifier that is not the tenant's: that somebody looks whether it is there is no check of whose it is. A function
   * before looks up a row by it, and for whom, or what it finds is compared, or handed on.
   */
  authorises(source: InputProvenance): Reason | undefined {
    if (source.at === undefined) return undefined;
    const name = source.named ?? source.what.split('.').at(-1) ?? '';
    const key = `! ${source.at} ${name}`;
    const known = this.#memo.get(key);
    if (known !== undefined) return known === false ? undefined : known;
    const found = [...this.functionsBefore(source.at)].find((id) => this.#authorisesBy(id, name));
    const f = found === undefined ? undefined : this.program.function(found);
    const reason = f && { text: `${f.name ?? 'what runs before'} looks up ${name} and can refuse`, span: f.span };
    this.#memo.set(key, reason ?? false);
    return reason;
  }

  #authorisesBy(id: FunctionId, name: string): boolean {
    if (name === '' || !this.#refusesBy(id, name)) return false;
    return this.#withCalled(id, 3, new Set()).some((f) =>
      this.accessesOf(f.id).some((access) => {
        const chain = access.chain === undefined ? undefined : this.program.chain(access.chain);
        const sought = chain && lookedForBy(this.accessesOf(f.id), chain);
        const deciding = sought?.filter((v) => stripped(v).kind !== 'constant') ?? [];
        if (!chain || !deciding.some((v) => 'path' in stripped(v) && nameOf(v, f) === name)) return false;
        // For whom, or of which tenant, is asked for too, or of what was found.
        const isOfMore = deciding.length > 1 || access.targets.some((t) => asksForMore(t.predicate));
        return isOfMore || this.#isComparedLater(chain.id, f);
      }),
    );
  }

  /** Whether what a query found is compared with something, or handed to something else. */
  #isComparedLater(chain: string, f: FunctionFacts): boolean {
    const isOf = (v: Value): boolean => comesFrom(v, chain, this.program, 2);
    const isCompared = (v: Value): boolean => {
      const own = stripped(v);
      if (own.kind !== 'apply') return false;
      if (!/^[!=]==?$/.test(own.function)) return own.to.some(isCompared);
      return own.to.some(isOf) && own.to.every((side) => !['constant', 'undefined'].includes(stripped(side).kind));
    };
    return (
      f.blocks.some((b) => b.holds !== undefined && isCompared(b.holds)) ||
      f.returns.some((r) => isCompared(r.value)) ||
      this.program.chainsOf(f.id).some((c) => c.id !== chain && c.steps.some((s) => s.arguments?.some(isOf)))
    );
  }

  /**
   * The functions that every request passes on its way to a handler: those of its own route, and those that its router, and the one this is
   * mounted on, use for whatever path.
   */
  passedBy(id: FunctionId): ReadonlySet<FunctionId> {
    const found = new Set<FunctionId>();
    const f = this.program.function(id);
    const chain = f?.handedTo && this.program.chain(f.handedTo.chain);
    const own = chain && f?.handedTo ? chain.steps[f.handedTo.step] : undefined;
    const here: readonly Registered[] =
      chain && own?.arguments && routes.has(own.name)
        ? [{ arguments: own.arguments, receiver: chain.receiver, span: chain.span }]
        : this.#registrations(id);
    const ways = here.map((route) => {
      const passed = new Set<FunctionId>();
      for (const argument of route.arguments) this.#collect(argument, passed, 2);
      this.#madeWith(route.receiver, passed);
      this.#usedBefore(route, passed, 3);
      return passed;
    });
    for (const one of ways[0] ?? []) if (one !== id && ways.every((way) => way.has(one))) found.add(one);
    return found;
  }

  /** What the program made a router with: `secured({ verify: checkSignature }).access(policy).get('/x', show)`. */
  #madeWith(router: Value, passed: Set<FunctionId>, depth = maxDepth): void {
    if (depth <= 0) return;
    // The call of a function of the program is handed what the object keeps to itself.
    const bound = router.kind === 'binding' ? this.program.facts(router.file)?.bindings[router.name] : undefined;
    if (bound?.kind === 'result')
      for (const step of this.program.chain(bound.chain)?.steps ?? [])
        for (const argument of step.arguments ?? []) this.#collect(argument, passed, 3);
    const made = this.program.resolve(router);
    // The object of a class of the program, however it was made.
    if (made.kind === 'instance' && this.program.classOf(made.of))
      for (const argument of made.arguments) this.#collect(argument, passed, 4);
    const chain = made.kind === 'result' ? this.program.chain(made.chain) : undefined;
    if (!chain) return;
    for (const step of chain.steps) for (const argument of step.arguments ?? []) this.#collect(argument, passed, 2);
    this.#madeWith(chain.receiver, passed, depth - 1);
  }

  /** The middleware that the builder of a procedure was given: `t.procedure.use(signedIn).use(staff).query(handler)`. */
  builtWith(id: FunctionId): ReadonlySet<FunctionId> {
    const found = new Set<FunctionId>();
    const f = this.program.function(id);
    let chain = f?.handedTo && this.program.chain(f.handedTo.chain);
    let end = f?.handedTo?.step;
    for (let depth = maxDepth; chain && depth > 0; depth--) {
      for (const step of chain.steps.slice(0, end))
        if (step.name === 'use') for (const argument of step.arguments ?? []) this.#collect(argument, found, 2);
      const base = this.program.resolve(chain.receiver);
      chain = base.kind === 'result' ? this.program.chain(base.chain) : undefined;
      end = undefined;
    }
    return found;
  }

  /** Middleware for whatever path that stands before a route, or before the place where its router is mounted. */
  #usedBefore(route: Registered, passed: Set<FunctionId>, depth: number): void {
    const own = depth > 0 ? this.#nameOf(route.receiver) : undefined;
    if (own === undefined) return;
    this.#uses ??= [...this.program.files.values()].flatMap((facts) => registrationsOf(facts).mounts);
    const mounted: Registered[] = [];
    for (const use of this.#uses) {
      if (use.arguments.some((a) => this.#nameOf(a) === own)) mounted.push(use);
      else if (this.#nameOf(use.receiver) === own && isForAll(use) && stands(use, route))
        for (const argument of use.arguments) this.#collect(argument, passed, 2);
    }
    if (mounted.length === 1) this.#usedBefore(mounted[0]!, passed, depth - 1);
  }

  /**
   * The functions that run before one that the outside world calls: wrappers, middleware, guards. `exact`: not those of a path that another
   * router is mounted on.
   */
  functionsBefore(id: FunctionId, exact = false): ReadonlySet<FunctionId> {
    const found = new Set<FunctionId>();
    const f = this.program.function(id);
    if (!f) return found;
    const chain = f.handedTo && this.program.chain(f.handedTo.chain);
    if (f.handedTo && chain) {
      const callee = this.program.calleeOf(chain);
      if (callee) found.add(callee.function);
      for (const step of chain.steps.slice(0, f.handedTo.step + 1))
        for (const argument of step.arguments ?? []) this.#collect(argument, found, maxDepth);
      this.#collect(chain.receiver, found, maxDepth);
      this.#ofRouter(chain.receiver, found, 3, exact);
    }
    for (const registered of this.#registrations(id)) {
      for (const argument of registered.arguments) this.#collect(argument, found, maxDepth);
      this.#collect(registered.receiver, found, maxDepth);
      this.#ofRouter(registered.receiver, found, 3, exact);
    }
    this.#ofGuards(f, found);
    found.delete(id);
    return found;
  }

  /** Where a handler that is declared by name is registered: `router.get('/x', check, show)`. */
  #registrations(id: FunctionId): readonly Registered[] {
    const f = this.program.function(id);
    if (!f || f.handedTo) return [];
    return this.#routes().filter(({ arguments: args }) =>
      args.some((a) => {
        const value = this.program.resolve(a);
        return value.kind === 'function' && value.function === id;
      }),
    );
  }

  #routes(): readonly Registered[] {
    return (this.#registered ??= [...this.program.files.values()].flatMap((facts) => registrationsOf(facts).routes));
  }

  /** Middleware of the router on which a route is registered, and of the one it is mounted on. */
  #ofRouter(router: Value, found: Set<FunctionId>, depth: number, exact: boolean): void {
    if (depth <= 0) return;
    const own = this.#nameOf(router);
    if (own === undefined) return;
    this.#uses ??= [...this.program.files.values()].flatMap((facts) => registrationsOf(facts).mounts);
    for (const use of this.#uses) {
      const isMount = use.arguments.some((a) => this.#nameOf(a) === own);
      if (!isMount && (this.#nameOf(use.receiver) !== own || (exact && this.#mountsOther(use)))) continue;
      for (const argument of use.arguments)
        if (this.#nameOf(argument) !== own) this.#collect(argument, found, maxDepth);
      if (isMount) this.#ofRouter(use.receiver, found, depth - 1, exact);
    }
  }

  /** Whether middleware is registered for a path together with a router of its own: `app.use('/a', check, a)`. */
  #mountsOther({ arguments: args }: Registered): boolean {
    const [path, ...rest] = args;
    if (path?.kind !== 'constant' || rest.length < 2) return false;
    return rest.some((a) => {
      const resolved = this.program.resolve(a);
      return resolved.kind === 'result' || resolved.kind === 'instance';
    });
  }

  /** The binding behind a value, as file and name. */
  #nameOf(value: Value): string | undefined {
    if (value.kind === 'binding') return `${value.file}#${value.name}`;
    if (value.kind !== 'import') return undefined;
    const file = this.program.modules.resolve(value.from, value.module);
    // What `require` gives of a file that exports one value: `module.exports = router`.
    const whole =
      file === undefined || value.name !== '*' ? undefined : this.program.facts(file)?.bindings['module.exports'];
    if (whole?.kind === 'binding') return this.#nameOf(whole);
    const found = file === undefined ? undefined : this.program.exported(file, value.name);
    return found && 'file' in found ? `${found.file}#${found.local}` : undefined;
  }

  #ofGuards(f: FunctionFacts, found: Set<FunctionId>): void {
    const facts = this.program.facts(f.span.file);
    const made = f.class === undefined ? undefined : facts?.classes.find((c) => c.name === f.class);
    const decorators: readonly Decorator[] = [...f.decorators, ...(made?.decorators ?? [])];
    for (const argument of decorators.flatMap((d) => d.arguments)) {
      const guard = this.program.classOf(argument)?.facts.methods['canActivate'];
      if (guard !== undefined) found.add(guard);
      this.#collect(argument, found, 2);
    }
  }

  /** Functions that a value is, is made with, or was built from: `t.procedure.use(t.middleware(check))`. */
  #collect(value: Value, found: Set<FunctionId>, depth: number): void {
    if (depth <= 0) return;
    const resolved = this.program.resolve(value);
    if (resolved.kind === 'function') found.add(resolved.function);
    else if (resolved.kind === 'list') for (const item of resolved.of) this.#collect(item.value, found, depth - 1);
    else if (resolved.kind === 'object')
      for (const entry of resolved.entries)
        this.#collect('spread' in entry ? entry.spread : entry.value, found, depth - 1);
    else if (resolved.kind === 'result') {
      const chain = this.program.chain(resolved.chain);
      if (!chain) return;
      const callee = this.program.calleeOf(chain);
      if (callee) found.add(callee.function);
      for (const step of chain.steps) for (const a of step.arguments ?? []) this.#collect(a, found, depth - 1);
      this.#collect(chain.receiver, found, depth - 1);
    }
  }

  /** Whether a function, its closures or what it calls leave early somewhere, and name a part of the request. */
  #refusesBy(id: FunctionId, name: string): boolean {
    if (name === '') return false;
    const all = this.#withCalled(id, 3, new Set());
    const refuses = all.some((f) => f.blocks.some((b) => b.because === 'exit'));
    return refuses && all.some((f) => this.#looksAt(f, name));
  }

  /** Whether a function reads what is called `name`, and not from what is verified or loaded: `session.orgId` is no look at `input.orgId`. */
  #looksAt(f: FunctionFacts, name: string): boolean {
    const { text, values } = this.#lookedAt(f);
    if (!text.includes(JSON.stringify(name))) return false;
    return readsOf(values, name).some(
      (value) =>
        value.kind === 'constant' ||
        this.sourcesOf(value).some((s) => s.kind === 'input' || s.kind === 'parameter' || s.kind === 'unknown'),
    );
  }

  #withCalled(id: FunctionId, depth: number, seen: Set<FunctionId>): readonly FunctionFacts[] {
    const f = this.program.function(id);
    if (!f || depth <= 0 || seen.has(id)) return [];
    seen.add(id);
    const facts = this.program.facts(f.span.file);
    const inner = facts?.functions.filter((g) => g.parent === id).map((g) => g.id) ?? [];
    const called = this.program.chainsOf(id).flatMap((c) => this.program.calleeOf(c)?.function ?? []);
    return [
      f,
      ...inner.flatMap((g) => this.#withCalled(g, depth, seen)),
      ...called.flatMap((g) => this.#withCalled(g, depth - 1, seen)),
    ];
  }

  #lookedAt(f: FunctionFacts): { readonly text: string; readonly values: unknown } {
    let looked = this.#looks.get(f.id);
    if (looked === undefined) {
      const accesses = this.accessesOf(f.id);
      const values = [
        f.blocks,
        this.program.chainsOf(f.id).map((c) => lookedForBy(accesses, c) ?? [c.receiver, c.steps]),
      ];
      looked = { text: JSON.stringify(values), values };
      this.#looks.set(f.id, looked);
    }
    return looked;
  }
}

/** Whether a condition looks at other rows: those of members. */
function asksForMore(predicate: Predicate): boolean {
  if (predicate.kind === 'and') return predicate.of.some(asksForMore);
  return predicate.kind === 'exists' || predicate.kind === 'in-query';
}

/** The last name of what a value is read from, or the name of the parameter that it is. */
function nameOf(value: Value, f: FunctionFacts): string | undefined {
  const own = stripped(value);
  if (!('path' in own)) return undefined;
  const last = own.path.at(-1);
  if (last !== undefined || own.kind !== 'parameter') return last;
  return own.function === f.id ? f.parameters[own.index]?.name : undefined;
}

/** Whether middleware is for every path: none is named, or a pattern for all. */
function isForAll({ arguments: [first] }: Registered): boolean {
  if (first?.kind === 'text') return false;
  return first?.kind !== 'constant' || first.value === '*' || first.value === '/*' || first.value === '/';
}

/** Whether a call stands before another one; of two files nobody knows, and a router is put together before it is mounted. */
const stands = (one: Registered, before: Registered): boolean =>
  one.span.file !== before.span.file || one.span.start < before.span.start;

const mounts: ReadonlySet<string> = new Set(['use', 'register', 'addHook', 'route', 'param']);
const routes: ReadonlySet<string> = new Set(['get', 'head', 'post', 'put', 'patch', 'delete', 'del', 'options', 'all']);

interface Registrations {
  readonly routes: readonly Registered[];
  readonly mounts: readonly Registered[];
}

/** By the facts of a file, which outlive the program they are linked in. */
const registrations = new WeakMap<FileFacts, Registrations>();

/** The calls of a file that register handlers on routes, and those that put middleware or routers on a router. */
function registrationsOf(facts: FileFacts): Registrations {
  let found = registrations.get(facts);
  if (!found) {
    // What `use` gives to be used elsewhere is a builder of its own: `base.use(check).query(handler)`.
    const isKept = ({ use }: CallChain): boolean => use === 'discarded' || use === 'returned';
    const calls = (names: ReadonlySet<string>, least: number, of = (_: CallChain) => true): readonly Registered[] =>
      facts.chains
        .filter(of)
        .flatMap((chain) =>
          chain.steps.flatMap((step) =>
            step.arguments && step.arguments.length >= least && names.has(step.name)
              ? [{ arguments: step.arguments, receiver: chain.receiver, span: chain.span }]
              : [],
          ),
        );
    registrations.set(facts, (found = { routes: calls(routes, 2), mounts: calls(mounts, 0, isKept) }));
  }
  return found;
}
