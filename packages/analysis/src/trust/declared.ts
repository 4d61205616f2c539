import type { CallChain, FileFacts, Path, Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';

/** What a configuration declares about values, functions and clients, by the names that the code uses. */
export interface TrustOptions {
  /** Trusted sources of the current tenant: `ctx.session.orgId`, `getTenant()`. */
  readonly tenant?: readonly string[];
  /** Further untrusted sources: `ctx.input`. */
  readonly input?: readonly string[];
  /** Functions that throw unless the arguments at these positions belong together; without positions, all of them. */
  readonly guards?: Readonly<
    Record<string, { readonly tenant?: number; readonly user?: number; readonly id?: number }>
  >;
  /** Database clients that bypass isolation, or are bound to a tenant. */
  readonly clients?: Readonly<Record<string, 'bypass' | 'scoped'>>;
}

/** A source as it is written: the names of a path, and whether the first ones are a call. */
interface Pattern {
  readonly names: readonly string[];
  /** How many of the names stand before the call; undefined where nothing is called. */
  readonly called?: number;
}

/** Answers what the configuration says of values and calls. */
export class Declared {
  readonly #tenant: readonly Pattern[];
  readonly #input: readonly Pattern[];

  constructor(
    private readonly options: TrustOptions,
    private readonly program: Program,
  ) {
    this.#tenant = (options.tenant ?? []).map(patternOf);
    this.#input = (options.input ?? []).map(patternOf);
  }

  /** Whether a value is declared to be the tenant, or to be input; `what` is how the configuration writes it. */
  sourceOf(value: Value): { readonly kind: 'trusted' | 'input'; readonly what: string } | undefined {
    if (this.#tenant.length === 0 && this.#input.length === 0) return undefined;
    const written = this.#written(value);
    if (!written) return undefined;
    const trusted = this.#tenant.find((p) => matches(p, written));
    if (trusted) return { kind: 'trusted', what: textOf(trusted) };
    const input = this.#input.find((p) => matches(p, written));
    return input && { kind: 'input', what: textOf(input) };
  }

  /** The arguments that a declared guard checks; undefined where the call goes to none. */
  guarded(chain: CallChain): readonly Value[] | undefined {
    const { guards } = this.options;
    if (!guards) return undefined;
    const step = chain.steps.find((s) => s.arguments !== undefined);
    const names = [step?.name === '' ? nameOf(chain.receiver) : step?.name, importedName(chain.receiver)];
    const name = names.find((n) => n !== undefined && Object.hasOwn(guards, n));
    const guard = name === undefined ? undefined : guards[name];
    if (!guard || !step?.arguments) return undefined;
    const positions = [guard.tenant, guard.id].filter((p) => p !== undefined);
    return positions.length === 0 ? step.arguments : positions.flatMap((p) => step.arguments![p] ?? []);
  }

  /** What the configuration says of the client that an access runs on. */
  clientOf(receiver: Value): 'bypass' | 'scoped' | undefined {
    const { clients } = this.options;
    if (!clients) return undefined;
    for (const name of [this.#nameOf(receiver), nameOf(receiver), importedName(receiver)])
      if (name !== undefined && Object.hasOwn(clients, name)) return clients[name];
    return undefined;
  }

  /** The name of a parameter that is the client itself: `withTenant(id, (tx) => ...)`, and of a function that gives it: `forTenant(id)`. */
  #nameOf(receiver: Value): string | undefined {
    if (receiver.kind === 'result' && receiver.path.length === 0) {
      const chain = this.program.chain(receiver.chain);
      const last = chain?.steps.at(-1);
      return last?.arguments === undefined ? undefined : last.name || (chain && nameOf(chain.receiver));
    }
    if (receiver.kind !== 'parameter' || receiver.path.length > 0) return undefined;
    return this.program.function(receiver.function)?.parameters[receiver.index]?.name;
  }

  /** A value as a path of names: `ctx.session.orgId`, `getTenant().id`. */
  #written(value: Value): Pattern | undefined {
    switch (value.kind) {
      case 'parameter': {
        const name = this.program.function(value.function)?.parameters[value.index]?.name;
        return { names: [...(name === undefined ? [] : [name]), ...value.path] };
      }
      case 'this':
        return { names: ['this', ...value.path] };
      case 'global':
      case 'binding':
      case 'import':
        return { names: [value.name, ...value.path] };
      case 'result': {
        const chain = this.program.chain(value.chain);
        const last = chain?.steps.at(-1);
        if (!chain || last?.arguments === undefined) return undefined;
        const before = this.#written(chain.receiver)?.names ?? [];
        const names = [...before, ...chain.steps.flatMap((s) => (s.name === '' ? [] : [s.name]))];
        return { names: [...names, ...value.path], called: names.length };
      }
      default:
        return undefined;
    }
  }
}

function patternOf(text: string): Pattern {
  const call = text.indexOf('()');
  const names = text.replaceAll('()', '').split('.');
  return call < 0 ? { names } : { names, called: text.slice(0, call).split('.').length };
}

const textOf = (pattern: Pattern): string =>
  pattern.names.map((name, i) => (i + 1 === pattern.called ? `${name}()` : name)).join('.');

/** A declared path stands for itself and all below it; a destructured parameter has no first name of its own. */
function matches(pattern: Pattern, written: Pattern): boolean {
  const startsWith = (names: Path): boolean => names.every((name, i) => written.names[i] === name);
  if (pattern.called !== undefined) return pattern.called === written.called && startsWith(pattern.names);
  if (written.called !== undefined) return false;
  return startsWith(pattern.names) || (pattern.names.length > 1 && startsWith(pattern.names.slice(1)));
}

const nameOf = (value: Value): string | undefined => {
  if ('path' in value && value.path.length > 0) return value.path.at(-1);
  return 'name' in value ? value.name : undefined;
};

const importedName = (value: Value): string | undefined => (value.kind === 'import' ? value.name : undefined);

/** The declared names that no file uses, with the names it does use, for a suggestion. */
export function unmatchedTrust(
  files: ReadonlyMap<string, FileFacts>,
  options: TrustOptions,
): {
  readonly unmatched: readonly { readonly option: string; readonly name: string }[];
  readonly names: readonly string[];
} {
  const called = new Set<string>();
  const named = new Set<string>(['this']);
  const declared = [options.guards, options.clients, options.tenant, options.input];
  if (declared.every((d) => Object.keys(d ?? {}).length === 0)) return { unmatched: [], names: [] };
  for (const facts of files.values()) {
    for (const { local, name } of facts.imports) {
      for (const n of [local, name]) {
        named.add(n);
        called.add(n);
      }
    }
    for (const name of Object.keys(facts.bindings)) named.add(name);
    for (const f of facts.functions) {
      if (f.name !== undefined) called.add(f.name);
      for (const p of f.parameters) {
        if (p.name !== undefined) named.add(p.name);
        for (const n of Object.keys(p.type?.properties ?? {})) named.add(n);
      }
    }
    for (const chain of facts.chains) {
      if ('name' in chain.receiver) named.add(chain.receiver.name);
      for (const part of 'path' in chain.receiver ? chain.receiver.path : []) named.add(part);
      for (const step of chain.steps) (step.arguments ? called : named).add(step.name);
    }
    for (const made of facts.classes) for (const n of Object.keys(made.fields)) named.add(n);
  }
  const unmatched: { option: string; name: string }[] = [];
  for (const name of Object.keys(options.guards ?? {}))
    if (!called.has(name)) unmatched.push({ option: 'trust.guards', name });
  for (const name of Object.keys(options.clients ?? {}))
    if (!named.has(name) && !called.has(name)) unmatched.push({ option: 'trust.clients', name });
  for (const option of ['tenant', 'input'] as const) {
    for (const text of options[option] ?? []) {
      const pattern = patternOf(text);
      const [first = ''] = pattern.names;
      const last = pattern.called === undefined ? first : (pattern.names[pattern.called - 1] ?? first);
      const known =
        pattern.called === undefined ? named.has(first) || named.has(pattern.names[1] ?? '') : called.has(last);
      if (!known) unmatched.push({ option: `trust.${option}`, name: last });
    }
  }
  return { unmatched, names: [...new Set([...called, ...named])].filter((n) => n.length > 1).sort() };
}
