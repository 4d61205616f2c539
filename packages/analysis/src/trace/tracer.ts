import { valueAt, type CallChain, type Path, type Reason, type Value } from '@tenant-lint/model';
import { Program } from '../link/program.js';
import { conversions, forms, iterations, readers } from '../trust/sources.js';
import { holdsAlong } from './along.js';
import { decorated } from './decorated.js';
import {
  calledName,
  decodedText,
  libraryProvenance,
  nameOf,
  namedBy,
  readBytes,
  transformed,
  verifies,
} from './library.js';
import { describe, distinct, sameReason, type Provenance } from './provenance.js';
import { prefixOf } from './prefix.js';

/** How many steps a value is followed, and how many one question may take in all. */
const maxDepth = 16;
const maxSteps = 4_000;
const maxCallers = 64;
/** How many sources one question may have: a value that may be anything is unknown, and lists of lists must not grow beyond all bounds. */
const maxSources = 200;

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
        return this.#chosen(value, depth - 1);
      case 'apply':
        if (value.function === '&&') return this.#trace(value.to.at(-1) ?? value, depth - 1);
        return value.to.length === 0 ? [{ kind: 'unknown', reason: value.function }] : this.#all(value.to, depth - 1);
      case 'text':
        return value.parts.some((p) => 'hole' in p)
          ? this.#all(
              value.parts.flatMap((p) => ('hole' in p ? [p.hole] : [])),
              depth - 1,
            )
          : [{ kind: 'constant' }];
      case 'list':
        return value.of.length === 0
          ? [{ kind: 'constant' }]
          : this.#all(
              value.of.map((i) => i.value),
              depth - 1,
            );
      case 'object':
        return value.entries.length === 0
          ? [{ kind: 'constant' }]
          : this.#all(
              value.entries.map((e) => ('spread' in e ? e.spread : e.value)),
              depth - 1,
            );
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
          return this.#all(value.arguments, depth - 1);
        return [{ kind: 'unknown', reason: value.kind }];
      default:
        return [{ kind: 'unknown', reason: value.kind }];
    }
  }

  /** Of two values, what the test leaves of their sources where the calls on the way decide it: an option that only some callers hand over. */
  #chosen({ of, test }: Extract<Value, { kind: 'choice' }>, depth: number): readonly Provenance[] {
    const [then, other] = of;
    if (!test || !then || !other || of.length > 2) return this.#all(of, depth);
    const fits = (source: Provenance, answer: boolean): boolean =>
      !('through' in source) || holdsAlong(test, source.through ?? [], this.program) !== !answer;
    return this.#bounded([
      ...this.#trace(then, depth)
        .filter((source) => fits(source, true))
        .map((source) => (source.kind === 'unknown' ? { ...source, given: source.given ?? test } : source)),
      ...this.#trace(other, depth).filter((source) => fits(source, false)),
    ]);
  }

  /** The sources of several values, each once. */
  #all(values: readonly Value[], depth: number): readonly Provenance[] {
    return values.length === 1
      ? this.#trace(values[0]!, depth)
      : this.#bounded(values.flatMap((v) => this.#trace(v, depth)));
  }

  #bounded(sources: readonly Provenance[]): readonly Provenance[] {
    const found = distinct(sources);
    if (found.length <= maxSources) return found;
    this.#givenUp++;
    return [...found.slice(0, maxSources), { kind: 'unknown', reason: 'too many sources' }];
  }

  #parameter(value: Extract<Value, { kind: 'parameter' }>, depth: number): readonly Provenance[] {
    const key = `${value.function}/${value.index}/${value.path.join('.')}`;
    return this.#once(key, () => {
      const found = this.#bounded(this.#parameterOf(value, depth));
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
    const found = this.#bounded(answer());
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
    const given = role === 'context' ? decorated(f, value, this.program, (v) => this.#trace(v, depth - 1)) : [];
    if (given.length > 0) return given;
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
      const check = sources.some((p) => p.kind === 'input' || p.kind === 'parameter' || p.kind === 'row')
        ? this.checked(handed, site.chain)
        : undefined;
      if (check) return [{ kind: 'trusted', what: 'a checked identifier', path: [], via: [check] }];
      const step: Reason = { text: `${f.name ?? 'the function'} is called with it`, span: site.chain.span };
      return sources.map((p) => {
        if (!('via' in p)) return p;
        const via = p.via.some((v) => sameReason(v, step)) ? p.via : [...p.via, step];
        return p.kind === 'input' || p.kind === 'parameter'
          ? { ...p, via, through: [...(p.through ?? []), site.chain.id] }
          : { ...p, via };
      });
    });
    const left = callers.length - maxCallers;
    const rest: readonly Provenance[] =
      left > 0
        ? [{ kind: 'unknown', reason: `${left} more calls of ${f.name ?? 'the function'} were not followed` }]
        : [];
    return [...outside, ...(handed ? this.#throughOnly(handed, inside) : inside), ...rest];
  }

  /**
   * A callback is called for whoever handed it over: of what a wrapper calls all its callbacks with, the ways through other calls of the
   * wrapper lead to other callbacks.
   */
  #throughOnly(handing: CallChain, sources: readonly Provenance[]): readonly Provenance[] {
    const wrapper = this.program.calleeOf(handing)?.function;
    if (wrapper === undefined) return sources;
    const isOther = (source: Provenance): boolean => {
      const through = 'through' in source ? (source.through ?? []) : [];
      return (
        !through.includes(handing.id) &&
        through.some((id) => {
          const chain = this.program.chain(id);
          return chain !== undefined && this.program.calleeOf(chain)?.function === wrapper;
        })
      );
    };
    const own = sources.filter((source) => !isOther(source));
    if (own.length === 0) return sources;
    const ways = own.flatMap((source) => ('through' in source && source.through ? [source.through] : []));
    const isLeftOut = (option: Value): boolean =>
      ways.length > 0 && ways.every((way) => holdsAlong(option, way, this.program) === false);
    return own.filter((source) => source.kind !== 'unknown' || !source.given || !isLeftOut(source.given));
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
    const known = libraryProvenance(chain, path, this.program);
    if (known) return [known];
    const same = transformed(chain, this.program);
    if (same) return this.#trace(valueAt(same, path), depth - 1);
    // Promise.all([a, b]) is the list of what they give.
    const args = called?.arguments ?? [];
    if (chain.receiver.kind === 'global' && chain.receiver.name === 'Promise' && args[0])
      return this.#trace(valueAt(args[0], path), depth - 1);
    // Of pairs that were made an object, `Object.fromEntries(form)`, a property is one of them.
    if (
      chain.receiver.kind === 'global' &&
      chain.receiver.name === 'Object' &&
      called?.name === 'fromEntries' &&
      args[0]
    )
      return this.#trace(args[0], depth - 1).map((p) => (p.kind === 'input' ? partOf(p, path) : p));
    const returns = this.program.returnsOf(chain.id);
    if (returns.length > 0)
      return returns.flatMap((r, i): readonly Provenance[] => {
        const sources = this.#trace(valueAt(r, path), depth - 1);
        const check = sources.some((p) => p.kind === 'input') ? this.checkedReturn(chain, i, path) : undefined;
        return check ? [{ kind: 'trusted', what: 'a checked identifier', path: [], via: [check] }] : sources;
      });
    const name = called?.name === '' ? nameOf(chain.receiver) : called?.name;
    if (name !== undefined && conversions.has(name) && args[0]) {
      // A text has no properties; what it says has.
      const isText = chain.receiver.kind === 'global' && chain.receiver.name === 'JSON';
      const read = path[0] === 'data' ? path.slice(1) : path;
      const inner = this.#trace(isText ? args[0] : valueAt(args[0], read), depth - 1);
      return inner.map((p) => (p.kind === 'input' ? { ...(isText ? partOf(p, path) : p), parsed: chain.id } : p));
    }
    const bytes = readBytes(chain, this.program);
    if (bytes) return this.#trace(bytes, depth - 1);
    const text = decodedText(chain);
    if (text && verifies(chain.function, this.program, 3))
      return [{ kind: 'trusted', what: 'a signed text', path, via: [] }];
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
        if (p.kind !== 'input' || !readers.has(name ?? '')) return p;
        const read = partOf(p, path);
        return p.span === undefined ? { ...read, span: chain.span, ...(args[0] ? namedBy(args[0]) : {}) } : read;
      });
    const handed = this.program.calleeOf(chain) ? undefined : sameProperty(args, path);
    if (handed) return this.#trace(handed, depth - 1).map((p) => (p.kind === 'input' ? { ...p, unread: chain.id } : p));
    return [{ kind: 'unknown', reason: `the result of ${name ?? 'a call'}` }];
  }
}

/** What of the request is read, where a call gives all of it. */
const partOf = <P extends Provenance>(source: P, path: Path): P =>
  source.kind === 'input' && path.length > 0 && source.property === undefined ? { ...source, property: path } : source;

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
