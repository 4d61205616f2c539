import {
  mapValue,
  valueAt,
  type CallChain,
  type ChainId,
  type ClassFacts,
  type FunctionId,
  type Value,
} from '@tenant-lint/model';
import type { Program } from './program.js';

/** How many classes are gone up, and how many methods of the same object are read one inside the other. */
const maxClasses = 8;
const maxMethods = 3;

/** A class, and what its constructor was called with as far as that is known. */
interface Made {
  readonly facts: ClassFacts;
  readonly file: string;
  readonly arguments?: readonly Value[] | undefined;
}

/** A call in a method of a base class, as it is for one call of the method. */
export interface Inner {
  readonly chain: CallChain;
  /** The call as it stands in the method. */
  readonly of: ChainId;
}

/** An object: the class it was made of first, then the ones that this extends. */
type Lineage = readonly Made[];

/**
 * Methods of a base class that works for several tables: `this.model.findById(id)` says which table only for the object it runs on, whose
 * class handed the model to `super(Invoice)`, or has it as a field. Reads such a method at the calls of it.
 */
export class Inherited {
  readonly #superCalls = new Map<FunctionId, readonly Value[] | undefined>();

  constructor(private readonly program: Program) {}

  /**
   * The calls that the method called by `site` makes on fields of its object, with what the object's fields and the parameters are for this
   * very call. They run where `site` stands, and have its id. `isOpen` tells which chains are worth it.
   */
  chainsAt(site: CallChain, isOpen: (chain: ChainId) => boolean): readonly Inner[] {
    return this.#read(site, site, isOpen, maxMethods);
  }

  #read(call: CallChain, site: CallChain, isOpen: (chain: ChainId) => boolean, depth: number): readonly Inner[] {
    const callee = this.program.calleeOf(call);
    const method = callee && !callee.wrapped ? this.program.function(callee.function) : undefined;
    const args = callee && call.steps[callee.step]?.arguments;
    if (!callee || !method?.class || !args || depth <= 0) return [];
    const own = this.program.chainsOf(method.id).filter((c) => isOpen(c.id) && isOfItself(c.receiver));
    if (own.length === 0) return [];
    const lineage = this.#objectOf(call, callee.step);
    // A method of the object's own class is read where it stands: there `this` says it all.
    if (
      !lineage ||
      (lineage[0]?.facts.name === method.class && lineage[0].file === method.span.file && !lineage[0].arguments)
    )
      return [];
    return own.flatMap((inner) => {
      const bound = this.#bound(inner, method.id, lineage, args, site);
      const further = this.#read({ ...bound, id: inner.id }, site, isOpen, depth - 1);
      // Steps after the call are taken on what it gives: they are not known here.
      return further.length > 0 ? further : [{ chain: bound, of: inner.id }];
    });
  }

  /** The object that a method is called on: the one that the calling method runs on, or what a field or a variable holds. */
  #objectOf(call: CallChain, step: number): Lineage | undefined {
    const names = call.steps.slice(0, step).flatMap((s) => (s.name === '' ? [] : [s.name]));
    const { receiver } = call;
    if (receiver.kind === 'this' && names.length === 0 && (receiver.path.length === 0 || receiver.path[0] === 'super'))
      return this.#lineageOf(this.program.classOf(classNamed(receiver.from, receiver.class)), undefined);
    const resolved = this.program.resolve(valueAt(receiver, names));
    if (resolved.kind !== 'instance') return undefined;
    // What was injected was made elsewhere: with what is not known.
    const known = resolved.injected ? undefined : resolved.arguments;
    return this.#lineageOf(this.program.classOf(resolved.of), known);
  }

  #lineageOf(start: { facts: ClassFacts; file: string } | undefined, args: readonly Value[] | undefined): Lineage {
    const lineage: Made[] = [];
    let at: Made | undefined = start && { ...start, arguments: args };
    while (at && lineage.length < maxClasses) {
      lineage.push(at);
      const parent: { facts: ClassFacts; file: string } | undefined =
        at.facts.extends && this.program.classOf(at.facts.extends);
      at = parent && { ...parent, arguments: this.#handedUp(at) };
    }
    return lineage;
  }

  /** What a class hands to the constructor of the one it extends; a class without a constructor hands on what it got. */
  #handedUp({ facts, arguments: args }: Made): readonly Value[] | undefined {
    const { construct } = facts;
    if (construct === undefined) return args;
    if (!this.#superCalls.has(construct)) {
      const call = this.program
        .chainsOf(construct)
        .find((c) => c.receiver.kind === 'this' && c.receiver.path[0] === 'super' && c.steps[0]?.name === '');
      this.#superCalls.set(construct, call?.steps[0]?.arguments);
    }
    return this.#superCalls.get(construct)?.map((value) => withArguments(value, construct, args));
  }

  /** What a field holds, the class of the object first; undefined where only the running program knows. */
  #field(lineage: Lineage, name: string): Value | undefined {
    for (const { facts, arguments: args } of lineage) {
      const value = Object.hasOwn(facts.fields, name) ? facts.fields[name]?.value : undefined;
      if (value) return facts.construct === undefined ? value : withArguments(value, facts.construct, args);
    }
    return undefined;
  }

  #bound(inner: CallChain, method: FunctionId, lineage: Lineage, args: readonly Value[], site: CallChain): CallChain {
    const [first] = lineage;
    const bind = (value: Value): Value =>
      mapValue(this.program.atCall(value, method, args, `${site.id}@`), (v) => {
        if (v.kind !== 'this' || !first) return v;
        const [name, ...rest] = v.path;
        const field = name === undefined ? undefined : this.#field(lineage, name);
        if (field) return valueAt(field, rest);
        return v.path[0] === 'super' ? v : { ...v, from: first.file, class: first.facts.name };
      });
    const [field, ...others] = inner.steps;
    // `this.model.find()` is a read of a field first.
    const held =
      inner.receiver.kind === 'this' && inner.receiver.path.length === 0 && field && field.arguments === undefined
        ? this.#field(lineage, field.name)
        : undefined;
    const steps = held ? others : inner.steps;
    return {
      ...inner,
      id: site.id,
      function: site.function,
      block: site.block,
      span: site.span,
      use: site.use,
      awaited: site.awaited,
      receiver: held ?? bind(inner.receiver),
      steps: steps.map((s) => ({
        ...s,
        span: site.span,
        ...(s.arguments ? { arguments: s.arguments.map(bind) } : {}),
      })),
    };
  }
}

const isOfItself = (value: Value): boolean => value.kind === 'this';

const classNamed = (file: string, name: string): Value => ({ kind: 'binding', file, name, path: [] });

/** The parameters of a constructor, where it is known what it was called with. */
const withArguments = (value: Value, construct: FunctionId, args: readonly Value[] | undefined): Value =>
  args === undefined
    ? value
    : mapValue(value, (v) =>
        v.kind === 'parameter' && v.function === construct
          ? valueAt(args[v.index] ?? { kind: 'undefined' }, v.path)
          : v,
      );
