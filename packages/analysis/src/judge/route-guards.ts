import {
  keyOfValue,
  valueAt,
  type CallChain,
  type Decorator,
  type FunctionFacts,
  type FunctionId,
  type Path,
  type Reason,
  type Value,
} from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import type { InputProvenance } from '../trace/provenance.js';
import { atomsAt, presenceOf, stripped } from './conditions.js';

/** How many functions, one called by the other, belong to a guard. */
const maxDepth = 4;

/** How parameter decorators name the part of the request that they hand over. */
const partOf: Readonly<Record<string, string>> = {
  Param: 'params',
  Query: 'query',
  Body: 'body',
  Headers: 'headers',
  Args: '',
  Arg: '',
};
const parts: ReadonlySet<string> = new Set(['params', 'query', 'body', 'headers']);
/** How a guard reads what a handler is marked with. */
const reads: ReadonlySet<string> = new Set(['get', 'getAll', 'getAllAndOverride', 'getAllAndMerge']);

/** A mark on a handler or its class, `@SetMetadata(key, ...)`: what it is found by, and the names that it carries. */
interface Mark {
  readonly key: string;
  readonly names: readonly string[];
}

/** What is known of a guard. */
interface Guard {
  readonly f: FunctionFacts;
  /** Everything that it reads and calls, as text. */
  readonly text: string;
  /** The marks that it looks for. */
  readonly keys: ReadonlySet<string>;
  /** Where it lets everybody pass: the marks that are there, and those that are not. */
  readonly open: readonly (readonly { readonly key: string; readonly isThere: boolean }[])[];
  readonly refuses: boolean;
}

/** A part of the request, and the way into it. */
interface Identifier {
  readonly part: string;
  readonly path: Path;
}

/**
 * Guards of NestJS, of the handler, of its class, and of the whole application, that look at the same part of the request: by its name, or by
 * the name that the handler is marked with (`@Authorize('where.id')`). A guard that lets everybody pass to handlers without a mark counts only
 * where the mark is.
 */
export class RouteGuards {
  readonly #guards = new Map<FunctionId, Guard>();
  readonly #memo = new Map<string, Reason | false>();
  #global: readonly FunctionId[] | undefined;

  constructor(private readonly program: Program) {}

  /** The guard that has looked at what a source names before the handler that receives it, and can refuse. */
  check(source: InputProvenance): Reason | undefined {
    const handler = source.at === undefined ? undefined : this.program.function(source.at);
    if (!handler || handler.decorators.length === 0) return undefined;
    const key = `${handler.id} ${source.what} ${source.named ?? ''}`;
    let found = this.#memo.get(key);
    if (found === undefined) this.#memo.set(key, (found = this.#check(handler, source) ?? false));
    return found === false ? undefined : found;
  }

  #check(handler: FunctionFacts, source: InputProvenance): Reason | undefined {
    const identifier = identifierOf(handler, source);
    if (!identifier) return undefined;
    const all = this.#decoratorsOf(handler);
    const marks = all.flatMap((d) => this.#marksOf(d));
    const own = all.flatMap((d) => d.arguments).flatMap((a) => this.#guardOf(a) ?? []);
    for (const id of [...own, ...this.#ofApplication()]) {
      const guard = this.#read(id);
      const isOpen = guard?.open.some((way) => way.every((c) => marks.some((m) => m.key === c.key) === c.isThere));
      if (!guard?.refuses || isOpen) continue;
      const named = marks.some((m) => guard.keys.has(m.key) && m.names.some((name) => isNamed(identifier, name)));
      if (named || looksAt(guard.text, identifier))
        return {
          text: `a guard has looked at ${identifier.path.join('.')} and can refuse`,
          span: guard.f.span,
        };
    }
    return undefined;
  }

  #decoratorsOf(handler: FunctionFacts): readonly Decorator[] {
    const facts = this.program.facts(handler.span.file);
    const made = handler.class === undefined ? undefined : facts?.classes.find((c) => c.name === handler.class);
    return [...handler.decorators, ...(made?.decorators ?? [])];
  }

  #guardOf(value: Value): FunctionId | undefined {
    let made = this.program.classOf(stripped(value).kind === 'instance' ? classIn(value) : value);
    for (let i = 0; made && i < maxDepth; i++) {
      const found = made.facts.methods['canActivate'];
      if (found !== undefined) return found;
      made = made.facts.extends && this.program.classOf(made.facts.extends);
    }
    return undefined;
  }

  /** `{ provide: APP_GUARD, useClass: Guard }` in the providers of a module, `app.useGlobalGuards(new Guard())`. */
  #ofApplication(): readonly FunctionId[] {
    return (this.#global ??= [...this.program.files.values()].flatMap((facts) => {
      const provided = facts.classes.flatMap((c) => c.decorators.flatMap((d) => d.arguments));
      const handed = facts.chains.flatMap((c) =>
        c.steps.flatMap((s) => (s.name === 'useGlobalGuards' ? (s.arguments ?? []) : [])),
      );
      return [...provided.flatMap((v) => this.#provided(v, 3)), ...handed].flatMap((v) => this.#guardOf(v) ?? []);
    }));
  }

  #provided(value: Value, depth: number): readonly Value[] {
    const own = this.program.resolve(value);
    if (depth <= 0) return [];
    if (own.kind === 'list') return own.of.flatMap((i) => this.#provided(i.value, depth - 1));
    if (own.kind !== 'object') return [];
    const entry = (name: string): Value | undefined =>
      own.entries.flatMap((e) => ('set' in e && e.set === name ? [e.value] : []))[0];
    const provide = entry('provide');
    const root = provide && this.program.importOf(provide, 3);
    if (root?.module === '@nestjs/core' && root.name === 'APP_GUARD')
      return [entry('useClass'), entry('useExisting')].filter((v) => v !== undefined);
    const providers = entry('providers');
    return providers ? this.#provided(providers, depth - 1) : [];
  }

  /** What a decorator marks a handler with: itself, or through the decorators that it puts together. */
  #marksOf(decorator: Decorator): readonly Mark[] {
    const names = decorator.arguments.flatMap((a) => textsIn(this.program.resolve(a), 3));
    const root = this.program.importOf(decorator.name, 3);
    if (root?.module === '@nestjs/common' && root.name === 'SetMetadata') {
      const [key, ...rest] = decorator.arguments;
      return key ? [{ key: this.#keyOf(key), names: rest.flatMap((a) => textsIn(this.program.resolve(a), 3)) }] : [];
    }
    // `Reflector.createDecorator()`: the decorator itself is the key.
    if (root?.module === '@nestjs/core' && root.name === 'Reflector')
      return [{ key: this.#keyOf(decorator.name), names }];
    const made = this.program.resolve(decorator.name);
    const f = made.kind === 'function' ? this.program.function(made.function) : undefined;
    if (!f) return [];
    const keys = this.program.chainsOf(f.id).flatMap((chain) => {
      const set = this.program.importOf(chain.receiver, 3);
      const [key] = chain.steps.at(-1)?.arguments ?? [];
      return set?.module === '@nestjs/common' && set.name === 'SetMetadata' && key ? [this.#keyOf(key)] : [];
    });
    return keys.map((key) => ({ key, names }));
  }

  #keyOf(value: Value): string {
    const own = stripped(this.program.resolve(stripped(value)));
    return own.kind === 'import' ? `${own.module}#${own.name}` : keyOfValue(own);
  }

  #read(id: FunctionId): Guard | undefined {
    const known = this.#guards.get(id);
    const f = this.program.function(id);
    if (known || !f) return known;
    const body = this.#body(id, maxDepth, new Set());
    const own = body.filter((g) => g.class === f.class);
    const ends = own.flatMap((g) =>
      g.returns.flatMap((r) => (this.#isYes(r.value) ? [atomsAt(g, r.block).map(presenceOf)] : [])),
    );
    const open = ends.map((atoms) =>
      atoms.flatMap((presence) => {
        const key = presence && this.#keyRead(presence.value, 3);
        return key === undefined ? [] : [{ key, isThere: presence!.holds }];
      }),
    );
    const chains = own.flatMap((g) => this.program.chainsOf(g.id));
    const guard: Guard = {
      f,
      text: JSON.stringify([
        own.map((g) => [g.blocks, g.returns.map((r) => r.value)]),
        chains.map((c) => [c.receiver, c.steps]),
      ]),
      keys: new Set(chains.flatMap((c) => this.#keyOfCall(c) ?? [])),
      open: open.filter((way) => way.length > 0),
      refuses: own.some(
        (g) => g.returns.some((r) => !this.#isYes(r.value)) || g.blocks.some((b) => b.because === 'exit'),
      ),
    };
    this.#guards.set(id, guard);
    return guard;
  }

  /** A guard's method, and the functions of the program that are called from it. */
  #body(id: FunctionId, depth: number, seen: Set<FunctionId>): readonly FunctionFacts[] {
    const f = this.program.function(id);
    if (!f || depth < 0 || seen.has(id)) return [];
    seen.add(id);
    const inner = this.program.facts(f.span.file)?.functions.filter((g) => g.parent === id) ?? [];
    const called = this.program.chainsOf(id).flatMap((c) => this.program.calleeOf(c)?.function ?? []);
    return [
      f,
      ...inner.flatMap((g) => this.#body(g.id, depth, seen)),
      ...called.flatMap((g) => this.#body(g, depth - 1, seen)),
    ];
  }

  /** `true`, or a promise of it. */
  #isYes(value: Value): boolean {
    const own = stripped(value);
    if (own.kind === 'constant') return own.value === true;
    const chain = own.kind === 'result' ? this.program.chain(own.chain) : undefined;
    const last = chain?.steps.at(-1);
    return chain?.receiver.kind === 'global' && last?.arguments?.[0] !== undefined && this.#isYes(last.arguments[0]);
  }

  /** The mark that a value was read from, directly or by a helper. */
  #keyRead(value: Value, depth: number): string | undefined {
    const own = stripped(value);
    const chain = own.kind === 'result' && depth > 0 ? this.program.chain(own.chain) : undefined;
    if (!chain) return undefined;
    const key = this.#keyOfCall(chain);
    if (key !== undefined) return key;
    return this.program.returnsOf(chain.id).flatMap((r) => this.#keyRead(r, depth - 1) ?? [])[0];
  }

  #keyOfCall(chain: CallChain): string | undefined {
    const call = chain.steps.find((s) => s.arguments !== undefined);
    const [key] = call?.arguments ?? [];
    if (!call || !key || !reads.has(call.name)) return undefined;
    const names = chain.steps.slice(0, chain.steps.indexOf(call)).map((s) => s.name);
    // Handed in: the constructor's parameter says what it is.
    const of = this.program.resolve(valueAt(chain.receiver, names));
    const root = this.program.importOf(this.program.typeOf(of)?.name ?? of, 4);
    return root?.module === '@nestjs/core' && root.name === 'Reflector' ? this.#keyOf(key) : undefined;
  }
}

const classIn = (value: Value): Value => {
  const own = stripped(value);
  return own.kind === 'instance' ? own.of : own;
};

/** The part of the request that a source is, by the decorator of the parameter that receives it. */
function identifierOf(handler: FunctionFacts, { what }: InputProvenance): Identifier | undefined {
  const [first = '', ...rest] = what.split('.');
  const parameter = handler.parameters.find((p) => p.name === first);
  for (const { name, arguments: args } of parameter?.decorators ?? []) {
    const called = name.kind === 'import' ? name.name : '';
    const [only] = args;
    const key = only?.kind === 'constant' && typeof only.value === 'string' ? [only.value] : [];
    const part = partOf[called];
    if (part !== undefined) return { part, path: [...key, ...rest] };
    // `@Req() request`
    const [of, ...path] = rest;
    if (of !== undefined && parts.has(of)) return { part: of, path };
  }
  return undefined;
}

/** Whether a mark names what is looked for: `where.id`, `params.id`, `projectId`. */
function isNamed({ part, path }: Identifier, name: string): boolean {
  const named = name.split('.');
  const whole = path.join('.');
  return whole !== '' && (name === whole || (named[0] === part && named.slice(1).join('.') === whole));
}

/** Whether code reads that part of the request: `request.params.id`, `getArgs().where.id`. */
function looksAt(text: string, { part, path }: Identifier): boolean {
  const [first] = path;
  if (first === undefined) return false;
  const names = path.map((name) => JSON.stringify(name)).join(',');
  if (part !== '') return text.includes(`${JSON.stringify(part)},${names}`);
  return text.includes(path.length > 1 ? names : `"path":[${names}`);
}

/** The texts within a value. */
function textsIn(value: Value, depth: number): readonly string[] {
  const own = stripped(value);
  if (own.kind === 'constant') return typeof own.value === 'string' ? [own.value] : [];
  if (depth <= 0) return [];
  if (own.kind === 'list') return own.of.flatMap((i) => textsIn(i.value, depth - 1));
  if (own.kind === 'object') return own.entries.flatMap((e) => textsIn('spread' in e ? e.spread : e.value, depth - 1));
  return [];
}
