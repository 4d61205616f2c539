import {
  keyOfValue,
  mapValue,
  valueAt,
  type CallChain,
  type ChainId,
  type ClassFacts,
  type EntryPoint,
  type FileFacts,
  type FunctionFacts,
  type FunctionId,
  type LinkContext,
  type ProjectFacts,
  type TypeName,
  type Value,
} from '@tenant-lint/model';
import { Callers, fileOfId, type Callee, type CallSite } from './callers.js';
import { Modules } from './modules.js';

export type { CallSite } from './callers.js';

/** How many steps one resolution may take before the value is left as it stands. */
const maxSteps = 24;
/** How many calls of helpers may be read through, one inside the other. */
const maxInlining = 4;
/** How deep, and into how many chains, the helpers behind one call are read through. */
const maxNesting = 6;
const maxMade = 400;

/** What an exported name is: a local of a file, or something of a module outside the program. */
type Exported =
  | { readonly file: string; readonly local: string }
  | { readonly module: string; readonly name: string; readonly from: string };

/** How far and until what a resolution goes. */
interface How {
  readonly inlining: number;
  readonly stop?: (value: Value) => boolean;
}

/** All facts of a program with symbolic references resolved on demand. */
export class Program implements LinkContext {
  readonly files: ReadonlyMap<string, FileFacts>;
  readonly modules: Modules;
  readonly #functions = new Map<FunctionId, FunctionFacts>();
  readonly #chains = new Map<ChainId, CallChain>();
  readonly #classes = new Map<string, { facts: ClassFacts; file: string }>();
  /** Types that a type check of the program gave, by value. */
  readonly #typed = new Map<string, TypeName>();
  readonly #resolved = new Map<string, Value>();
  readonly #exported = new Map<string, Map<string, Exported | undefined>>();
  /** By the chain itself: one that was made by reading a helper through takes the id of another for a while. */
  readonly #callees = new Map<CallChain, { readonly callee: Callee | undefined }>();
  readonly #returns = new Map<CallChain, readonly Value[]>();
  /** How many chains were made by reading helpers through, by the call that they were made for. */
  readonly #made = new Map<ChainId, number>();
  #callers: Callers | undefined;
  #chainsOf: Map<FunctionId, CallChain[]> | undefined;
  #entries: Map<FunctionId, EntryPoint> | undefined;
  readonly #below: { readonly program: Program; readonly replaced: ReadonlySet<string> } | undefined;

  /** `below`: the program as it was, with other facts of `files`; what is known of its other files is kept. */
  constructor(files: readonly FileFacts[], project: ProjectFacts | { readonly below: Program }) {
    if ('below' in project) {
      const program = project.below;
      this.#below = { program, replaced: new Set(files.map((f) => f.file)) };
      this.files = new Map([...program.files, ...files.map((f) => [f.file, f] as const)]);
      this.modules = program.modules;
    } else {
      this.files = new Map(files.map((f) => [f.file, f]));
      this.modules = new Modules(project);
    }
    for (const file of files) {
      for (const f of file.functions) this.#functions.set(f.id, f);
      for (const c of file.chains) this.#chains.set(c.id, c);
      for (const { value, type } of file.types ?? []) this.#typed.set(keyOfValue(value), type);
      for (const c of file.classes) {
        // Keyed by names of the program: no class has a field `constructor` because every object has one.
        Object.setPrototypeOf(c.fields, null);
        Object.setPrototypeOf(c.methods, null);
        this.#classes.set(`${file.file}#${c.name}`, { facts: c, file: file.file });
      }
    }
  }

  facts = (file: string): FileFacts | undefined => this.files.get(file);
  chain = (id: ChainId): CallChain | undefined => this.#chains.get(id) ?? this.#belowOf(id)?.chain(id);

  /** The program as it was, for what belongs to a file that is as it was. Chains made by reading helpers through are each program's own. */
  #belowOf(id: string): Program | undefined {
    return this.#below && !id.includes('@') && !this.#below.replaced.has(fileOfId(id))
      ? this.#below.program
      : undefined;
  }

  /** The chain as it stands in the text, for one that was made by reading a helper through. */
  static originalChain(id: ChainId): ChainId {
    return id.slice(id.lastIndexOf('@') + 1);
  }

  function = (id: FunctionId): FunctionFacts | undefined => this.#functions.get(id) ?? this.#belowOf(id)?.function(id);

  #class(id: string): { facts: ClassFacts; file: string } | undefined {
    const below = this.#belowOf(id);
    return below ? below.#class(id) : this.#classes.get(id);
  }

  /** The call chains of a function, those of its closures left out, in source order. */
  chainsOf(id: FunctionId): readonly CallChain[] {
    const below = this.#belowOf(id);
    if (below) return below.chainsOf(id);
    if (!this.#chainsOf) {
      this.#chainsOf = new Map();
      for (const facts of this.#ownFiles()) {
        for (const chain of facts.chains) {
          const list = this.#chainsOf.get(chain.function);
          if (list) list.push(chain);
          else this.#chainsOf.set(chain.function, [chain]);
        }
      }
    }
    return this.#chainsOf.get(id) ?? [];
  }

  *#ownFiles(): Iterable<FileFacts> {
    for (const facts of this.files.values()) if (!this.#below || this.#below.replaced.has(facts.file)) yield facts;
  }

  /** How the outside world calls a function: by its place, by the file that exports it again, or by where it is registered. */
  entryOf(id: FunctionId): EntryPoint | undefined {
    this.#entries ??= this.#findEntries();
    return this.function(id)?.entry ?? this.#entries.get(id);
  }

  #findEntries(): Map<FunctionId, EntryPoint> {
    const entries = new Map<FunctionId, EntryPoint>();
    const mark = (value: Value, entry: EntryPoint): void => {
      const resolved = this.resolve(value);
      // A wrapper's closure hands the request on to what it wraps.
      for (const id of [this.#asFunction(resolved) ?? this.#handedTo(resolved), this.#handedTo(value)])
        if (id !== undefined && !entries.has(id)) entries.set(id, entry);
    };
    for (const facts of this.files.values()) {
      for (const { value, entry } of facts.registered ?? []) mark(value, entry);
      for (const [name, entry] of Object.entries(facts.entries ?? {})) {
        const found = this.exported(facts.file, name);
        if (found && 'file' in found) mark({ kind: 'binding', file: found.file, name: found.local, path: [] }, entry);
      }
    }
    return entries;
  }

  /** The only function handed to the wrapper that made a value: `withAuth(handler)`. */
  #handedTo(value: Value): FunctionId | undefined {
    if (value.kind !== 'result' || value.path.length > 0) return undefined;
    const handed = this.chain(value.chain)
      ?.steps.flatMap((s) => s.arguments ?? [])
      .flatMap((a) => this.#asFunction(this.#resolve(a, maxSteps, { inlining: 0 })) ?? []);
    return handed?.length === 1 ? handed[0] : undefined;
  }

  /** Whether a value was made once, when its module was loaded: no request has a say in it. */
  isModuleState(value: Value): boolean {
    let current = value;
    for (let i = 0; i < maxSteps; i++) {
      if (current.kind === 'result') {
        const chain = this.chain(current.chain);
        return chain !== undefined && this.function(chain.function)?.parent === undefined && i > 0;
      }
      if (current.kind !== 'binding' && current.kind !== 'import') return false;
      const next =
        current.kind === 'binding'
          ? this.#binding(current.file, current.name)
          : this.#import(current, 1, { inlining: 0 });
      if (!next || next === current) return false;
      current = next;
    }
    return false;
  }

  /** The installed or required version of a package as seen from a file. */
  version(file: string, name: string): string | undefined {
    const own = this.modules.packageOf(file)?.dependencies[name];
    return own ?? this.modules.packageOf('package.json')?.dependencies[name];
  }

  /** Follows imports, re-exports, bindings and calls of simple helpers to what the value is; the value itself where the way ends. */
  resolve(value: Value): Value {
    return this.#resolve(value, maxSteps, { inlining: maxInlining });
  }

  /** Like resolve, but ends at the first value on the way that satisfies `stop`; undefined where none does. */
  resolveUntil(value: Value, stop: (value: Value) => boolean): Value | undefined {
    let found: Value | undefined;
    const check = (v: Value): boolean => {
      if (found === undefined && stop(v)) found = v;
      return found !== undefined;
    };
    this.#resolve(value, maxSteps, { inlining: maxInlining, stop: check });
    return found;
  }

  /** The file and local name behind an exported name, through re-exports; a module outside the program where it ends there. */
  exported(file: string, name: string): Exported | undefined {
    let names = this.#exported.get(file);
    if (!names) this.#exported.set(file, (names = new Map()));
    if (names.has(name)) return names.get(name);
    // A circle of re-exports finds nothing on its way round.
    names.set(name, undefined);
    const found = this.#findExported(file, name);
    names.set(name, found);
    return found;
  }

  #findExported(file: string, name: string): Exported | undefined {
    const facts = this.files.get(file);
    if (!facts) return undefined;
    for (const e of facts.exports) {
      if (e.name !== name) continue;
      if ('local' in e) {
        const imported = facts.imports.find((i) => i.local === e.local);
        return imported ? this.#through(file, imported.module, imported.name) : { file, local: e.local };
      }
      return this.#through(file, e.module, e.imported);
    }
    if (name === 'default') return undefined;
    for (const e of facts.exports) {
      if (e.name !== '*' || !('module' in e)) continue;
      const target = this.modules.resolve(file, e.module);
      const found = target === undefined ? undefined : this.exported(target, name);
      if (found) return found;
    }
    return undefined;
  }

  #through(from: string, module: string, name: string): Exported {
    const target = this.modules.resolve(from, module);
    if (target === undefined || name === '*') return { module, name, from };
    return this.exported(target, name) ?? { module, name, from };
  }

  #resolve(value: Value, steps: number, how: How): Value {
    if (steps <= 0 || how.stop?.(value)) return value;
    switch (value.kind) {
      case 'binding': {
        const next = this.#binding(value.file, value.name);
        if (next) return this.#continue(next, value.path, steps, how, value);
        const [first, ...path] = value.path;
        const exported =
          value.name === 'module.exports' && first !== undefined
            ? this.#binding(value.file, `module.exports.${first}`)
            : undefined;
        return exported ? this.#continue(exported, path, steps, how, value) : value;
      }
      case 'import':
        return this.#import(value, steps, how);
      case 'this': {
        const own = this.#class(`${value.from}#${value.class}`);
        const above = value.path[0] === 'super' ? own?.facts.extends && this.classOf(own.facts.extends) : undefined;
        const [name, ...rest] = value.path.slice(above ? 1 : 0);
        const of = above ?? (own && { facts: own.facts, file: own.file });
        const next = of && this.#field(`${of.file}#${of.facts.name}`, name);
        return next ? this.#continue(next, rest, steps, how, value) : value;
      }
      case 'element': {
        const of = this.#resolve(value.of, steps - 1, how);
        return of === value.of ? value : this.#continue(of, value.path, steps, how, value);
      }
      case 'result': {
        const inlined = how.inlining > 0 ? this.#inline(value.chain, how.inlining) : undefined;
        return inlined
          ? this.#continue(inlined, value.path, steps, { ...how, inlining: how.inlining - 1 }, value)
          : value;
      }
      default:
        return value;
    }
  }

  /** A value reached; the rest of the path is read from it, and what that gives is resolved further. */
  #continue(next: Value, path: readonly string[], steps: number, how: How, from: Value): Value {
    if (
      path.length > 0 &&
      (next.kind === 'unknown' || next.kind === 'instance' || next.kind === 'function' || next.kind === 'result')
    ) {
      // A property of something opaque keeps its provenance: the path on the reference says more than "unknown".
      if (next.kind === 'result') return this.#resolve(valueAt(next, path), steps - 1, how);
      return next.kind === 'instance' ? (this.#member(next, path, steps, how) ?? from) : from;
    }
    return this.#resolve(valueAt(next, path), steps - 1, how);
  }

  #member(
    instance: Extract<Value, { kind: 'instance' }>,
    path: readonly string[],
    steps: number,
    how: How,
  ): Value | undefined {
    const name = path[0];
    const found = name === undefined ? undefined : this.methodOf(instance, name);
    return found && path.length === 1
      ? this.#resolve({ kind: 'function', function: found }, steps - 1, how)
      : { kind: 'element', of: instance, path };
  }

  #binding(file: string, name: string): Value | undefined {
    const facts = this.files.get(file);
    const own = facts?.bindings[name];
    if (own) return own;
    const imported = facts?.imports.find((i) => i.local === name);
    return imported
      ? { kind: 'import', from: file, module: imported.module, name: imported.name, path: [] }
      : undefined;
  }

  /** What `require` of a file gives, where that is one value and `name` none of its exports: `module.exports = knex({...})`. */
  #required(file: string, name: string | undefined): Value | undefined {
    if (!this.files.get(file)?.bindings['module.exports']) return undefined;
    if (name !== undefined && this.exported(file, name)) return undefined;
    return { kind: 'binding', file, name: 'module.exports', path: [] };
  }

  #import(value: Extract<Value, { kind: 'import' }>, steps: number, how: How): Value {
    const target = this.modules.resolve(value.from, value.module);
    if (!target) return value;
    const [name, path] = value.name === '*' ? [value.path[0], value.path.slice(1)] : [value.name, value.path];
    const whole = value.name === '*' ? this.#required(target, name) : undefined;
    if (whole) return this.#continue(whole, value.path, steps, how, value);
    if (name === undefined) return value;
    const found = this.exported(target, name);
    // `const { list } = require('./invoices')`, of a module that exports one value.
    if (!found && this.#required(target, name))
      return this.#continue(this.#required(target, name)!, [name, ...path], steps, how, value);
    if (!found) return value;
    if ('module' in found)
      return this.#continue(
        { kind: 'import', module: found.module, name: found.name, path: [], from: found.from },
        path,
        steps,
        how,
        value,
      );
    return this.#continue({ kind: 'binding', file: found.file, name: found.local, path: [] }, path, steps, how, value);
  }

  /** A field of a class, by its initializer or the declared type (an injected field has only that). */
  #field(className: string, name: string | undefined): Value | undefined {
    if (name === undefined) return undefined;
    const found = this.#class(className);
    const method = found?.facts.methods[name];
    if (method) return { kind: 'function', function: method };
    const field = found?.facts.fields[name];
    const isHandedIn =
      field?.value?.kind === 'parameter' &&
      field.value.path.length === 0 &&
      field.value.function === found?.facts.construct;
    // `constructor(private readonly invoices: InvoiceService)`: what is handed in is of a class of the program.
    const typed = field?.type?.name;
    if (field?.value && !(isHandedIn && typed && this.classOf(typed))) return field.value;
    if (typed) return { kind: 'instance', of: typed, arguments: [], span: found!.facts.span, injected: true };
    const parent = found?.facts.extends && this.classOf(found.facts.extends);
    return parent ? this.#field(`${parent.file}#${parent.facts.name}`, name) : undefined;
  }

  /** The class that a value denotes: a class binding, possibly imported. */
  classOf(value: Value): { facts: ClassFacts; file: string } | undefined {
    let current = value;
    for (let i = 0; i < maxSteps; i++) {
      if (current.kind === 'binding' && current.path.length === 0) {
        const found = this.#class(`${current.file}#${current.name}`);
        if (found) return found;
        const next = this.#binding(current.file, current.name);
        if (!next) return undefined;
        current = next;
      } else if (current.kind === 'import') {
        const target = this.modules.resolve(current.from, current.module);
        const name = current.name === '*' ? current.path[0] : current.name;
        const whole: Value | undefined =
          target && current.name === '*' && current.path.length === 0 ? this.#required(target, undefined) : undefined;
        if (whole) {
          current = whole;
          continue;
        }
        const found = target && name !== undefined ? this.exported(target, name) : undefined;
        if (!found) return undefined;
        current =
          'module' in found
            ? { kind: 'import', module: found.module, name: found.name, path: [], from: found.from }
            : { kind: 'binding', file: found.file, name: found.local, path: [] };
      } else return undefined;
    }
    return undefined;
  }

  /** The method `name` of an instance, inherited ones included. */
  methodOf(instance: Value, name: string): FunctionId | undefined {
    if (instance.kind !== 'instance') return undefined;
    let current = this.classOf(instance.of);
    for (let i = 0; current && i < maxSteps; i++) {
      const method = current.facts.methods[name];
      if (method) return method;
      const field = current.facts.fields[name]?.value;
      if (field?.kind === 'function') return field.function;
      current = current.facts.extends && this.classOf(current.facts.extends);
    }
    return undefined;
  }

  typeOf(value: Value): TypeName | undefined {
    if (value.kind === 'missing-able') return this.typeOf(value.of);
    const typed = this.#typed.size > 0 ? this.#typed.get(keyOfValue(value)) : undefined;
    if (typed) return typed;
    if (value.kind === 'parameter') {
      let type = this.function(value.function)?.parameters[value.index]?.type;
      for (const name of value.path) type = type?.properties?.[name];
      return type;
    }
    if (value.kind === 'this') {
      const found = this.#class(`${value.from}#${value.class}`);
      return value.path.length === 1 ? found?.facts.fields[value.path[0]!]?.type : undefined;
    }
    return undefined;
  }

  /** The function that a chain calls and the step that calls it, if it is one of the program. */
  calleeOf(chain: CallChain): Callee | undefined {
    let known = this.#callees.get(chain);
    if (!known) this.#callees.set(chain, (known = this.#knownBefore(chain) ?? { callee: this.#findCallee(chain) }));
    return known.callee;
  }

  /** What a chain of a file that is as it was called before, if that was no function of a file that is not. */
  #knownBefore(chain: CallChain): { readonly callee: Callee | undefined } | undefined {
    const below = this.#belowOf(chain.id);
    const known = below && below.#callees.get(chain);
    return known?.callee && this.#below?.replaced.has(fileOfId(known.callee.function)) ? undefined : known;
  }

  #findCallee(chain: CallChain): Callee | undefined {
    const step = chain.steps.findIndex((s) => s.arguments !== undefined);
    if (step < 0) return undefined;
    const names = chain.steps.slice(0, step + 1).flatMap((s) => (s.name === '' ? [] : [s.name]));
    const callee = this.#resolve(valueAt(chain.receiver, names), maxSteps, { inlining: 0 });
    const direct = this.#asFunction(callee) ?? (chain.callees?.length === 1 ? chain.callees[0] : undefined);
    if (direct) return { function: direct, step };
    // `const load = cache(async (id) => ...)`, `export const GET = withAuth(async (req) => ...)`: a call of what a wrapper returned.
    const handed = this.#handedTo(callee);
    return handed === undefined ? undefined : { function: handed, step, wrapped: true };
  }

  /**
   * The function that a given step of a chain calls: that of `calleeOf`, or a function that the object has which an earlier call of the
   * chain returned: `forTenant(id).run(...)`.
   */
  calleeAt(chain: CallChain, step: number): FunctionId | undefined {
    const first = this.calleeOf(chain);
    if (!first || first.step >= step) return first?.step === step ? first.function : undefined;
    const returned = first.wrapped ? [] : (this.function(first.function)?.returns ?? []);
    const between = chain.steps.slice(first.step + 1, step + 1);
    if (returned.length !== 1 || between.slice(0, -1).some((s) => s.arguments !== undefined)) return undefined;
    const names = between.flatMap((s) => (s.name === '' ? [] : [s.name]));
    return this.#asFunction(this.#resolve(valueAt(returned[0]!.value, names), maxSteps, { inlining: 0 }));
  }

  #asFunction(value: Value): FunctionId | undefined {
    if (value.kind === 'function') return value.function;
    // A static method, or a static field that holds a function: inherited ones too.
    if ((value.kind === 'binding' || value.kind === 'import') && value.path.length === 1) {
      const name = value.path[0]!;
      let made = this.classOf({ ...value, path: [] });
      for (let i = 0; made && i < maxSteps; i++) {
        const field = made.facts.fields[name]?.value;
        const found = made.facts.methods[name] ?? (field?.kind === 'function' ? field.function : undefined);
        if (found !== undefined) return found;
        made = made.facts.extends && this.classOf(made.facts.extends);
      }
      return undefined;
    }
    if (value.kind === 'element' && value.of.kind === 'instance' && value.path.length === 1)
      return this.methodOf(value.of, value.path[0]!);
    return undefined;
  }

  /** The import at the root of a value: through bindings, instances (`new AsyncLocalStorage()`) and calls (`betterAuth({...})`). */
  importOf(value: Value, depth: number): { module: string; name: string } | undefined {
    if (depth <= 0) return undefined;
    const resolved = this.resolve(value);
    switch (resolved.kind) {
      case 'import':
        return { module: resolved.module, name: resolved.name };
      case 'instance':
        return this.importOf(resolved.of, depth - 1);
      case 'element':
      case 'missing-able':
        return this.importOf(resolved.of, depth - 1);
      case 'binding': {
        const own = this.facts(resolved.file)?.bindings[resolved.name];
        return own && own !== resolved ? this.importOf(own, depth - 1) : undefined;
      }
      case 'result': {
        const chain = this.chain(resolved.chain);
        return chain ? this.importOf(chain.receiver, depth - 1) : undefined;
      }
      default:
        return undefined;
    }
  }

  /** The module-level binding in which a value is made, as `file#name`: a client, a registry. */
  bindingOf(value: Value): string | undefined {
    const made = this.resolveUntil(value, (v) => {
      if (v.kind !== 'binding' || v.path.length > 0) return false;
      const own = this.files.get(v.file)?.bindings[v.name];
      return own !== undefined && own.kind !== 'binding' && own.kind !== 'import';
    });
    return made?.kind === 'binding' ? `${made.file}#${made.name}` : undefined;
  }

  supplied(parameter: Extract<Value, { kind: 'parameter' }>): readonly Value[] {
    return this.callersOf(parameter.function).flatMap(({ chain, step }) => {
      const argument = chain.steps[step]?.arguments?.[parameter.index];
      return argument ? [valueAt(argument, parameter.path)] : [];
    });
  }

  /** Everywhere the program calls a function; calls through a parameter of the function it was handed to included. */
  callersOf(id: FunctionId): readonly CallSite[] {
    this.#callers ??= this.#findCallers();
    return this.#callers.of(id);
  }

  #findCallers(): Callers {
    const input = {
      files: this.#ownFiles(),
      calleeOf: (chain: CallChain) => this.calleeOf(chain),
      calleeAt: (chain: CallChain, step: number) => this.calleeAt(chain, step),
      chain: this.chain,
      resolve: (value: Value) => this.resolve(value),
      asFunction: (value: Value) => this.#asFunction(value),
      bindingOf: (value: Value) => this.bindingOf(value),
    };
    const below = this.#below;
    if (!below) return new Callers(input);
    below.program.#callers ??= below.program.#findCallers();
    return new Callers(input, { callers: below.program.#callers, replaced: below.replaced });
  }

  /** `inline` for questions outside: what a call of a helper of the program evaluates to, for each of its returns. */
  returnsOf(id: ChainId): readonly Value[] {
    const chain = this.chain(id);
    if (!chain) return [];
    let values = this.#returns.get(chain);
    if (!values) {
      const callee = this.calleeOf(chain);
      const target = callee && this.function(callee.function);
      values = (callee && target?.returns)?.map((r, i) =>
        this.#instantiate(r.value, target!.id, chain.steps[callee!.step]!.arguments!, `${id}/${i}@`, maxInlining),
      );
      this.#returns.set(chain, (values ??= []));
    }
    return values;
  }

  #inline(id: ChainId, inlining: number): Value | undefined {
    const memo = this.#resolved.get(id);
    if (memo) return memo;
    const chain = this.chain(id);
    if (!chain || chain.steps.some((s, i) => s.arguments !== undefined && i !== chain.steps.length - 1))
      return undefined;
    const callee = this.calleeOf(chain);
    const target = callee && !callee.wrapped ? this.function(callee.function) : undefined;
    if (!callee || !target || target.returns.length !== 1 || callee.step !== chain.steps.length - 1) return undefined;
    const returned = target.returns[0]!.value;
    const args = chain.steps[callee.step]!.arguments!;
    const value = this.#instantiate(returned, target.id, args, `${id}@`, inlining);
    this.#resolved.set(id, value);
    return value;
  }

  /** A value of a function's body as it is for one call of the function; chains that depend on parameters get an id with `prefix`. */
  atCall(value: Value, owner: FunctionId, args: readonly Value[], prefix: string): Value {
    return this.#instantiate(value, owner, args, prefix, maxInlining);
  }

  /**
   * Whether one more chain may be made for a call that leads to it. Helpers that call each other again and again would be read through without
   * end; beyond the bounds a chain stands for all calls of its function.
   */
  #mayMake(key: ChainId): boolean {
    const root = key.slice(0, key.indexOf('@'));
    const made = (this.#made.get(root) ?? 0) + 1;
    if (made > maxMade || key.split('@').length > maxNesting + 1) return false;
    this.#made.set(root, made);
    return true;
  }

  /** Replaces parameters of `owner` by arguments; chains of the body that depend on them become chains of their own. */
  #instantiate(value: Value, owner: FunctionId, args: readonly Value[], prefix: string, depth: number): Value {
    return mapValue(value, (inner) => {
      if (inner.kind === 'parameter' && inner.function === owner)
        return valueAt(args[inner.index] ?? { kind: 'undefined' }, inner.path);
      if (inner.kind === 'result' && depth > 0) {
        const chain = this.chain(inner.chain);
        if (!chain || chain.function !== owner) return inner;
        const key = `${prefix}${Program.originalChain(inner.chain)}`;
        if (!this.#chains.has(key)) {
          if (!this.#mayMake(key)) return inner;
          this.#chains.set(key, chain);
          this.#chains.set(key, {
            ...chain,
            id: key,
            receiver: this.#instantiate(chain.receiver, owner, args, prefix, depth - 1),
            steps: chain.steps.map((s) =>
              s.arguments
                ? { ...s, arguments: s.arguments.map((a) => this.#instantiate(a, owner, args, prefix, depth - 1)) }
                : s,
            ),
          });
        }
        return { ...inner, chain: key };
      }
      return inner;
    });
  }
}
