import {
  valueAt,
  type CallChain,
  type ChainId,
  type FunctionFacts,
  type FunctionId,
  type Path,
  type Reason,
  type Span,
  type Value,
} from '@tenant-lint/model';
import { Program } from '../link/program.js';
import {
  conversions,
  decoders,
  forms,
  inputSources,
  iterations,
  readers,
  signatures,
  textDecoders,
  transformers,
  trustedSources,
} from '../trust/sources.js';

/** Where a value comes from, as far as it matters for tenancy. */
export type Provenance =
  /** Verified by a session, a token, the request's context. */
  | {
      readonly kind: 'trusted';
      readonly what: string;
      readonly path: Path;
      readonly via: readonly Reason[];
      /** The function whose context it is a part of. */
      readonly at?: FunctionId;
    }
  /** A property of a row that an access returned; `access` is the id of its chain. */
  | { readonly kind: 'row'; readonly chain: string; readonly path: Path; readonly via: readonly Reason[] }
  | {
      readonly kind: 'input';
      readonly what: string;
      readonly via: readonly Reason[];
      readonly assumed?: string;
      /** The function that receives it. */
      readonly at?: FunctionId;
      /** The calls that hand it on, the last one first. */
      readonly through?: readonly ChainId[];
      /** Where it is read from the request, and the name it is read under there: `headers.get('x-tenant')`. */
      readonly span?: Span;
      readonly named?: string;
      /** The claims of a token whose signature nobody has checked. */
      readonly decoded?: true;
      /** The last call that brought it into a form: `schema.parse(body)`. */
      readonly parsed?: ChainId;
      /** A call whose body is not in the program, and that is taken to keep a property of what it was handed. */
      readonly unread?: ChainId;
    }
  /** A parameter that nobody in the program supplies. */
  | {
      readonly kind: 'parameter';
      readonly function: FunctionId;
      readonly name: string;
      readonly via: readonly Reason[];
    }
  | { readonly kind: 'constant' }
  | { readonly kind: 'unknown'; readonly reason: string };

export type InputProvenance = Extract<Provenance, { kind: 'input' }>;

/** How many steps a value is followed, and how many one question may take in all. */
const maxDepth = 16;
const maxSteps = 4_000;
const maxCallers = 64;

/** Traces values to their sources: through locals (the front end did that), helpers, callers, wrappers and iteration callbacks. */
export class Tracer {
  readonly #memo = new Map<string, readonly Provenance[]>();
  /** The questions under way, outermost first: key to depth. */
  readonly #active = new Map<string, number>();
  /** The outermost question under way that an answer was left out for. */
  #cutAt = Infinity;
  /** How often a way was given up for its length. */
  #givenUp = 0;
  #steps = 0;

  /** `isAccess` tells whether a chain (by its original id) is a trip to the database. */
  constructor(
    private readonly program: Program,
    private readonly isAccess: (chain: string) => boolean,
    /** The check of an argument that every path to a call has passed. */
    private readonly checked: (value: Value, chain: CallChain) => Reason | undefined = () => undefined,
    /** Whether the row that an access returned is that of a secret the caller presented: an API key, a session. */
    private readonly isCredential: (chain: string) => boolean = () => false,
    /** What the configuration declares a value to be. */
    private readonly declared: (value: Value) => { kind: 'trusted' | 'input'; what: string } | undefined = () =>
      undefined,
    /** The check that a called function has made of what its return number `index` hands back at `path`. */
    private readonly checkedReturn: (chain: CallChain, index: number, path: Path) => Reason | undefined = () =>
      undefined,
  ) {}

  /** Every source that `value` may come from; at least one. */
  sourcesOf(value: Value): readonly Provenance[] {
    if (this.#active.size === 0) this.#steps = 0;
    return distinct(this.#trace(value, maxDepth));
  }

  #trace(value: Value, depth: number): readonly Provenance[] {
    if (depth <= 0 || ++this.#steps > maxSteps) {
      this.#givenUp++;
      return [{ kind: 'unknown', reason: 'too many steps' }];
    }
    const declared = this.declared(value);
    if (declared?.kind === 'trusted') return [{ kind: 'trusted', what: declared.what, path: [], via: [] }];
    if (declared) return [{ kind: 'input', what: declared.what, via: [] }];
    switch (value.kind) {
      case 'constant':
      case 'undefined':
      case 'global':
        return [{ kind: 'constant' }];
      case 'tenant':
        return [
          value.verified
            ? { kind: 'trusted', what: value.source, path: [], via: [] }
            : { kind: 'input', what: value.source, via: [] },
        ];
      case 'setting':
        return [{ kind: 'trusted', what: `setting ${value.name}`, path: [], via: [] }];
      case 'input':
        return [{ kind: 'input', what: [value.source, ...value.path].join('.'), via: [] }];
      case 'row':
        return [{ kind: 'row', chain: value.access, path: value.path, via: [] }];
      case 'missing-able':
      case 'element':
        if (value.kind === 'element') {
          const resolved = this.program.resolve(value);
          if (resolved !== value) return this.#trace(resolved, depth - 1);
        }
        return this.#trace(value.of, depth);
      case 'choice':
        return value.of.flatMap((v) => this.#trace(v, depth - 1));
      case 'apply':
        if (value.function === '&&') return this.#trace(value.to.at(-1) ?? value, depth - 1);
        return value.to.length === 0
          ? [{ kind: 'unknown', reason: value.function }]
          : value.to.flatMap((v) => this.#trace(v, depth - 1));
      case 'text':
        return value.parts.some((p) => 'hole' in p)
          ? value.parts.flatMap((p) => ('hole' in p ? this.#trace(p.hole, depth - 1) : []))
          : [{ kind: 'constant' }];
      case 'list':
        return value.of.length === 0
          ? [{ kind: 'constant' }]
          : value.of.flatMap((i) => this.#trace(i.value, depth - 1));
      case 'object':
        return value.entries.length === 0
          ? [{ kind: 'constant' }]
          : value.entries.flatMap((e) => this.#trace('spread' in e ? e.spread : e.value, depth - 1));
      case 'parameter':
        return this.#parameter(value, depth);
      case 'result':
        return this.#result(value, depth);
      case 'binding':
      case 'import':
      case 'this': {
        const resolved = this.program.resolve(value);
        if (resolved !== value) return this.#trace(resolved, depth - 1);
        return [{ kind: 'unknown', reason: describe(value) }];
      }
      case 'unknown':
        return [{ kind: 'unknown', reason: value.reason }];
      case 'instance':
        // `new URL(request.url)` is what it is made of.
        if (value.of.kind === 'global' && forms.has(value.of.name) && value.arguments.length > 0)
          return value.arguments.flatMap((v) => this.#trace(v, depth - 1));
        return [{ kind: 'unknown', reason: value.kind }];
      default:
        return [{ kind: 'unknown', reason: value.kind }];
    }
  }

  #parameter(value: Extract<Value, { kind: 'parameter' }>, depth: number): readonly Provenance[] {
    const key = `${value.function}/${value.index}/${value.path.join('.')}`;
    return this.#once(key, () => {
      const found = distinct(this.#parameterOf(value, depth));
      return found.length > 0 ? found : [{ kind: 'unknown', reason: 'recursion' } as const];
    });
  }

  /**
   * Answers a question once. An answer is remembered if it is the whole one: no way was given up for its length, and none led back to a
   * question that is still under way further out (Tarjan's low link, kept for answers).
   */
  #once(key: string, answer: () => readonly Provenance[]): readonly Provenance[] {
    const memo = this.#memo.get(key);
    if (memo) return memo;
    const under = this.#active.get(key);
    if (under !== undefined) {
      this.#cutAt = Math.min(this.#cutAt, under);
      return [];
    }
    const at = this.#active.size;
    const [cutBefore, givenUpBefore] = [this.#cutAt, this.#givenUp];
    this.#cutAt = Infinity;
    this.#active.set(key, at);
    const found = answer();
    this.#active.delete(key);
    const isWhole = this.#cutAt >= at && this.#givenUp === givenUpBefore;
    if (isWhole || at === 0) this.#memo.set(key, found);
    this.#cutAt = Math.min(cutBefore, this.#cutAt >= at ? Infinity : this.#cutAt);
    return found;
  }

  #parameterOf(value: Extract<Value, { kind: 'parameter' }>, depth: number): readonly Provenance[] {
    const f = this.program.function(value.function);
    if (!f) return [{ kind: 'unknown', reason: 'unknown function' }];
    const role = roleOf(this.program.entryOf(f.id)?.roles ?? [], value.index, value.path);
    const named = f.parameters[value.index]?.name;
    // A destructured parameter has no name of its own; what is read from it has.
    const name = [...(named === undefined ? [] : [named]), ...value.path].join('.') || `argument ${value.index + 1}`;
    // What a server file exports is called by the program too, and only then may nobody outside know of it.
    const isShared =
      role === 'input' &&
      f.handedTo === undefined &&
      this.program.entryOf(f.id)?.kind === 'server action' &&
      this.program.callersOf(f.id).length > 0;
    if (role === 'input' && !isShared) return [{ kind: 'input', what: name, via: [], at: f.id }];
    const decorated = role === 'context' ? this.#decorated(f, value, depth) : [];
    if (decorated.length > 0) return decorated;
    if (role === 'context') return [{ kind: 'trusted', what: name, path: value.path, via: [], at: f.id }];
    const handed = f.handedTo && this.program.chain(f.handedTo.chain);
    if (f.handedTo && handed && value.index === 0 && iterations.has(handed.steps[f.handedTo.step]?.name ?? '')) {
      return this.#trace(valueAt(prefixOf(handed, f.handedTo.step, this.program), value.path), depth - 1);
    }
    const callers = this.program.callersOf(value.function);
    if (callers.length === 0) return [{ kind: 'parameter', function: value.function, name, via: [] }];
    const outside: readonly Provenance[] = isShared
      ? [{ kind: 'input', what: name, via: [], at: f.id, assumed: 'it is called from outside' }]
      : [];
    const inside = callers.slice(0, maxCallers).flatMap((site): readonly Provenance[] => {
      const argument = site.chain.steps[site.step]?.arguments?.[value.index];
      if (argument === undefined) return [{ kind: 'constant' }];
      const handed = valueAt(argument, value.path);
      const sources = this.#trace(handed, depth - 1);
      const check = sources.some((p) => p.kind === 'input' || p.kind === 'parameter')
        ? this.checked(handed, site.chain)
        : undefined;
      if (check) return [{ kind: 'trusted', what: 'a checked identifier', path: [], via: [check] }];
      const step: Reason = { text: `${f.name ?? 'the function'} is called with it`, span: site.chain.span };
      return sources.map((p) => {
        if (!('via' in p)) return p;
        const via = p.via.some((v) => sameReason(v, step)) ? p.via : [...p.via, step];
        return p.kind === 'input' ? { ...p, via, through: [...(p.through ?? []), site.chain.id] } : { ...p, via };
      });
    });
    const left = callers.length - maxCallers;
    const rest: readonly Provenance[] =
      left > 0
        ? [{ kind: 'unknown', reason: `${left} more calls of ${f.name ?? 'the function'} were not followed` }]
        : [];
    return [...outside, ...inside, ...rest];
  }

  /**
   * What a parameter decorator of the program takes from what the client sends: `createParamDecorator((data, context) => ...)`. What it takes
   * from elsewhere of the request, guards have put there; so has one whose body is not in the program.
   */
  #decorated(f: FunctionFacts, value: Extract<Value, { kind: 'parameter' }>, depth: number): readonly Provenance[] {
    return (f.parameters[value.index]?.decorators ?? []).flatMap((decorator): readonly Provenance[] => {
      const made = this.program.resolve(decorator.name);
      const chain = made.kind === 'result' ? this.program.chain(made.chain) : undefined;
      const root = chain && this.program.importOf(chain.receiver, 4);
      if (root?.module !== '@nestjs/common' || root.name !== 'createParamDecorator') return [];
      const [reader] = chain?.steps.find((s) => s.arguments !== undefined)?.arguments ?? [];
      const read = reader && this.program.resolve(reader);
      const returns = read?.kind === 'function' ? (this.program.function(read.function)?.returns ?? []) : [];
      const all = returns.flatMap((r) =>
        waysOf(r.value).flatMap((one): readonly Provenance[] => {
          const way = valueAt(one, value.path);
          const path = read?.kind === 'function' ? this.#pathFrom(way, read.function, 6) : undefined;
          if (!path) return this.#trace(way, depth - 1).map((p) => (p.kind === 'input' ? { ...p, at: f.id } : p));
          const part = path.findIndex((name) => sentParts.has(name));
          if (part < 0) return [{ kind: 'trusted', what: path.join('.'), path: value.path, via: [], at: f.id }];
          return [{ kind: 'input', what: path.slice(part).join('.'), via: [], at: f.id }];
        }),
      );
      // Where a guard puts the same there, the client is not asked.
      const isPut = all.some((p) => p.kind === 'trusted');
      const sent = all.flatMap((p): readonly Provenance[] =>
        p.kind === 'input' ? [isPut ? { ...p, assumed: 'no guard has put it there' } : p] : [],
      );
      return sent.length > 0 ? [...sent, ...all.filter((p) => p.kind === 'trusted')] : [];
    });
  }

  /** The names that are read, one after the other, from the context that a parameter decorator is handed. */
  #pathFrom(value: Value, reader: FunctionId, depth: number): Path | undefined {
    const own = this.program.resolve(value);
    if (own.kind === 'missing-able' || own.kind === 'element') return this.#pathFrom(own.of, reader, depth - 1);
    if (own.kind === 'parameter') return own.function === reader && own.index === 1 ? own.path : undefined;
    const chain = own.kind === 'result' && depth > 0 ? this.program.chain(own.chain) : undefined;
    const before = chain && this.#pathFrom(chain.receiver, reader, depth - 1);
    if (!before || own.kind !== 'result') return undefined;
    const called = chain.steps.flatMap((s) => [s.name, ...(s.arguments ?? []).flatMap(textOf)]);
    return [...before, ...called.filter((name) => name !== ''), ...own.path];
  }

  #result(value: Extract<Value, { kind: 'result' }>, depth: number): readonly Provenance[] {
    const original = Program.originalChain(value.chain);
    if (this.isAccess(original)) {
      if (this.isCredential(original))
        return [{ kind: 'trusted', what: 'a presented credential', path: value.path, via: [] }];
      return [{ kind: 'row', chain: original, path: value.path, via: [] }];
    }
    const chain = this.program.chain(value.chain);
    if (!chain) return [{ kind: 'unknown', reason: 'unknown call' }];
    const key = `${value.chain}/${value.path.join('.')}`;
    return this.#once(key, () => this.#call(chain, value.path, depth));
  }

  #call(chain: CallChain, path: Path, depth: number): readonly Provenance[] {
    const last = chain.steps.at(-1);
    const called = last?.arguments !== undefined ? last : undefined;
    const known = this.#library(chain, path);
    if (known) return [known];
    const transformed = this.#transformed(chain);
    if (transformed) return this.#trace(valueAt(transformed, path), depth - 1);
    // Promise.all([a, b]) is the list of what they give.
    const args = called?.arguments ?? [];
    if (chain.receiver.kind === 'global' && chain.receiver.name === 'Promise' && args[0])
      return this.#trace(valueAt(args[0], path), depth - 1);
    const returns = this.program.returnsOf(chain.id);
    if (returns.length > 0)
      return returns.flatMap((r, i): readonly Provenance[] => {
        const sources = this.#trace(valueAt(r, path), depth - 1);
        const check = sources.some((p) => p.kind === 'input') ? this.checkedReturn(chain, i, path) : undefined;
        return check ? [{ kind: 'trusted', what: 'a checked identifier', path: [], via: [check] }] : sources;
      });
    const name = called?.name === '' ? nameOf(chain.receiver) : called?.name;
    if (name !== undefined && conversions.has(name) && args[0]) {
      const inner = this.#trace(valueAt(args[0], path[0] === 'data' ? path.slice(1) : path), depth - 1);
      return inner.map((p) => (p.kind === 'input' ? { ...p, parsed: chain.id } : p));
    }
    const text = this.#decodedText(chain);
    if (text && this.#verifies(chain.function, 3)) return [{ kind: 'trusted', what: 'a signed text', path, via: [] }];
    if (text)
      return this.#trace(text, depth - 1).map((p) =>
        p.kind === 'input' ? { ...p, what: calledName(chain), span: chain.span, decoded: true as const } : p,
      );
    // A method of a value (text, list, request): what it gives comes from that value.
    const first = chain.steps.findIndex((st) => st.arguments !== undefined);
    // The method counts: `c.req.header()` reads the request, `c.get()` the context.
    const read = chain.steps.slice(0, first + 1).flatMap((st) => (st.name === '' ? [] : [st.name]));
    const receiver = this.#trace(valueAt(chain.receiver, read), depth - 1);
    const carried = receiver.filter((p) => p.kind !== 'unknown' && p.kind !== 'constant');
    if (carried.length > 0)
      return carried.map((p) => {
        if (p.kind === 'trusted' || p.kind === 'row') return { ...p, path: [...p.path, ...path] };
        if (p.kind !== 'input' || p.span !== undefined || !readers.has(name ?? '')) return p;
        return { ...p, span: chain.span, ...(args[0] ? namedBy(args[0]) : {}) };
      });
    const handed = this.program.calleeOf(chain) ? undefined : sameProperty(args, path);
    if (handed) return this.#trace(handed, depth - 1).map((p) => (p.kind === 'input' ? { ...p, unread: chain.id } : p));
    return [{ kind: 'unknown', reason: `the result of ${name ?? 'a call'}` }];
  }

  /** Whether a function, or what it calls, computes or compares a signature. */
  #verifies(id: FunctionId, depth: number): boolean {
    if (depth <= 0) return false;
    return this.program.chainsOf(id).some((chain) => {
      const root = this.program.importOf(chain.receiver, 4);
      const isSignature = signatures.some(
        (s) => root !== undefined && s.modules.test(root.module) && isCalled(s, root.name, chain),
      );
      const callee = isSignature ? undefined : this.program.calleeOf(chain);
      return isSignature || (callee !== undefined && this.#verifies(callee.function, depth - 1));
    });
  }

  /** The text that a call decodes without a check: `atob(x)`, `Buffer.from(x, 'base64url')`. */
  #decodedText(chain: CallChain): Value | undefined {
    const { receiver, steps } = chain;
    if (receiver.kind !== 'global') return undefined;
    const step = steps.find((s) => s.arguments !== undefined);
    const called = [receiver.name, ...receiver.path, ...(step && step.name !== '' ? [step.name] : [])].join('.');
    const decoder = textDecoders.find((d) => d.called === called);
    const [text, encoding] = step?.arguments ?? [];
    if (!decoder || !text) return undefined;
    return !decoder.encodings || (encoding?.kind === 'constant' && decoder.encodings.includes(String(encoding.value)))
      ? text
      : undefined;
  }

  /** The argument that a library only brings into another form: `plainToInstance(Command, data)`. */
  #transformed(chain: CallChain): Value | undefined {
    const root = this.program.importOf(chain.receiver, 4);
    const found =
      root && transformers.find((t) => t.modules.test(root.module) && isCalled(t, calledBy(chain) ?? root.name, chain));
    return found && chain.steps.findLast((s) => s.arguments !== undefined)?.arguments?.[found.argument];
  }

  /** What a library guarantees about the result of a call, by the import that the callee goes back to. */
  #library(chain: CallChain, path: Path): Provenance | undefined {
    const root = this.program.importOf(chain.receiver, maxDepth);
    if (!root) return undefined;
    const step = chain.steps.find((s) => s.arguments !== undefined);
    if (inputSources.some((s) => s.modules.test(root.module) && s.exports.includes(root.name))) {
      const argument = chain.steps.findLast((s) => s.arguments !== undefined)?.arguments?.[0];
      return {
        kind: 'input',
        what: root.name,
        via: [],
        at: chain.function,
        span: chain.span,
        ...(argument ? namedBy(argument) : {}),
      };
    }
    if (decoders.some((s) => s.modules.test(root.module) && isCalled(s, root.name, chain)))
      return { kind: 'input', what: calledName(chain), via: [], at: chain.function, span: chain.span, decoded: true };
    for (const source of trustedSources) {
      if (!source.modules.test(root.module)) continue;
      if (!isCalled(source, root.name, chain)) continue;
      if (source.except?.some((e) => e.some((name) => path.includes(name))))
        return { kind: 'input', what: `${root.name}.${path.join('.')}`, via: [] };
      return {
        kind: 'trusted',
        what: `${root.name}${step && step.name !== '' ? `.${step.name}` : ''} of ${root.module}`,
        path,
        via: [],
      };
    }
    return undefined;
  }
}

/** Whether a chain calls what a list names: an export itself, or a method of what it stands for. */
function isCalled(
  source: { readonly exports: readonly string[]; readonly methods?: readonly string[] },
  root: string,
  chain: CallChain,
): boolean {
  if (!source.exports.includes(root)) return false;
  const { methods } = source;
  return !methods || methods.includes(root) || chain.steps.some((s) => methods.includes(s.name));
}

/**
 * `Command.create({ id }).id` of a function that is not in the program: what is handed over under a name, and read from the answer under the
 * same one.
 */
function sameProperty(args: readonly Value[], path: Path): Value | undefined {
  const [name] = path;
  const [only, ...others] = args.filter((a) => a.kind === 'object');
  if (name === undefined || only?.kind !== 'object' || others.length > 0) return undefined;
  return only.entries.some((e) => 'set' in e && e.set === name) ? valueAt(only, path) : undefined;
}

/** What of a request the client sends; anything else on it was put there. */
const sentParts: ReadonlySet<string> = new Set([
  'body',
  'query',
  'params',
  'headers',
  'cookies',
  'rawBody',
  'hostname',
  'ip',
  'url',
  'get',
  'header',
]);

const textOf = (value: Value): readonly string[] =>
  value.kind === 'constant' && typeof value.value === 'string' ? [value.value] : [];

/** The values that one can be. */
function waysOf(value: Value): readonly Value[] {
  if (value.kind === 'choice') return value.of.flatMap(waysOf);
  if (value.kind === 'missing-able') return waysOf(value.of);
  return value.kind === 'apply' && (value.function === '??' || value.function === '||')
    ? value.to.flatMap(waysOf)
    : [value];
}

/** The name of the export that is called on a namespace. */
const calledBy = ({ steps }: CallChain): string | undefined =>
  steps.find((s) => s.arguments !== undefined)?.name || undefined;

function calledName({ receiver, steps }: CallChain): string {
  const called = steps.slice(0, steps.findIndex((s) => s.arguments !== undefined) + 1);
  return [nameOf(receiver) ?? '', ...called.map((s) => s.name)].filter((n) => n !== '').join('.');
}

/** The name under which something is read from the request. */
const namedBy = (argument: Value): { named?: string } =>
  argument.kind === 'constant' && typeof argument.value === 'string' ? { named: argument.value } : {};

/** The value of a chain before its step `step`: `rows` in `rows.filter(f).map(g)` for either step, since iteration keeps the rows. */
function prefixOf(chain: CallChain, step: number, program: Program): Value {
  const names: string[] = [];
  for (const s of chain.steps.slice(0, step)) {
    if (s.arguments === undefined) names.push(s.name);
    else if (!iterations.has(s.name)) {
      const whole = program.chain(chain.id);
      return whole ? { kind: 'result', chain: chain.id, path: [] } : valueAt(chain.receiver, names);
    }
  }
  return valueAt(chain.receiver, names);
}

function roleOf(
  roles: readonly { index: number; path: Path; role: 'input' | 'context' }[],
  index: number,
  path: Path,
): 'input' | 'context' | undefined {
  let best: { path: Path; role: 'input' | 'context' } | undefined;
  for (const role of roles) {
    if (role.index !== index || role.path.length > path.length || !role.path.every((name, i) => path[i] === name))
      continue;
    if (!best || role.path.length > best.path.length) best = role;
  }
  return best?.role;
}

const nameOf = (value: Value): string | undefined =>
  'name' in value && typeof value.name === 'string' ? value.name : undefined;

/** A value in a few words, for reasons. */
export function describe(value: Value): string {
  switch (value.kind) {
    case 'import':
    case 'binding':
    case 'global':
      return [value.name, ...value.path].join('.');
    case 'this':
      return ['this', ...value.path].join('.');
    case 'parameter':
      return `parameter ${value.path.join('.')}`;
    case 'input':
      return [value.source, ...value.path].join('.');
    case 'constant':
      return JSON.stringify(value.value);
    case 'missing-able':
    case 'element':
      return describe(value.of);
    default:
      return value.kind;
  }
}

function distinct(sources: readonly Provenance[]): readonly Provenance[] {
  const seen = new Set<string>();
  return sources.filter((s) => {
    const key =
      s.kind === 'unknown' || s.kind === 'constant'
        ? s.kind
        : `${s.kind}/${'chain' in s ? s.chain : ''}/${'at' in s ? s.at : ''}/${'what' in s ? s.what : ''}/${'name' in s ? s.name : ''}/${'path' in s ? s.path.join('.') : ''}/${s.via.length > 0}`;
    return seen.has(key) ? false : (seen.add(key), true);
  });
}

const sameReason = (a: Reason, b: Reason): boolean =>
  a.span?.file === b.span?.file && a.span?.start === b.span?.start && a.span?.end === b.span?.end;

/** Whether nothing but verified identities (and fixed values) supplies what has these sources. */
export const areVerified = (sources: readonly Provenance[]): boolean =>
  sources.some((s) => s.kind === 'trusted') && sources.every((s) => s.kind === 'trusted' || s.kind === 'constant');
