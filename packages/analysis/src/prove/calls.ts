import type { SchemaFunction, Target, TargetRef, Value, ValueOf } from '@tenant-lint/model';
import type { World } from './question.js';
import { resolveColumns } from './resolve.js';
import { renameTargets, separated, sizeOf, substitute, targetsIn } from './walk.js';

/** Each call is read with its own arguments, so functions that call each other several times grow like a tree. */
const maxBodies = 60;
/** Conditions and values in all bodies that one question reads through. */
const maxSize = 4000;

/** Reads calls of the project's own SQL functions through: the body with the arguments in place of its parameters. */
export class Calls {
  #size = 0;
  readonly #bodies = new Map<Value, Value | string | undefined>();

  /** `targets` is told of the tables that bodies look up; their references are made unique for each call. */
  constructor(
    private readonly world: World,
    private readonly targets: Map<TargetRef, Target>,
  ) {}

  /** The body of the function that a call reaches; a text says why it is not known; undefined: no function of the project. */
  body(call: ValueOf<'apply'>): Value | string | undefined {
    if (this.#bodies.has(call)) return this.#bodies.get(call);
    const body = this.#read(call);
    this.#bodies.set(call, body);
    return body;
  }

  /** Whether the function runs with the rights of its owner, and so past row security. */
  isDefiner(call: ValueOf<'apply'>): boolean {
    return this.world.function?.(call.function, call.to.length)?.securityDefiner === true;
  }

  #read(call: ValueOf<'apply'>): Value | string | undefined {
    const definition = this.world.function?.(call.function, call.to.length);
    if (!definition) return undefined;
    const { body } = definition;
    if (!body.known) return `what the function ${call.function} does (${body.reason})`;
    if (this.#size > maxSize) return `what the function ${call.function} does (too many nested calls)`;
    this.#size += sizeOf(body.value);
    if (this.#bodies.size > maxBodies || this.#size > maxSize)
      return `what the function ${call.function} does (too many nested calls)`;
    const prefix = `f${this.#bodies.size}~`;
    const bound =
      this.world.bound?.(definition) ?? resolveColumns(separated(body.value), (target) => this.world.columns?.(target));
    const inner = new Set(targetsIn(bound).map((t) => t.ref));
    const renamed = renameTargets(bound, (ref) => (inner.has(ref) ? prefix + ref : ref));
    const result = substitute(renamed, argumentsOf(definition, call.to));
    for (const target of targetsIn(result)) this.targets.set(target.ref, target);
    return result;
  }
}

/** The arguments of a call, and the defaults of the parameters that it leaves out. */
function argumentsOf(definition: SchemaFunction, given: readonly Value[]): readonly Value[] {
  const parameters = definition.parameters.filter((p) => p.mode !== 'out' && p.mode !== 'table');
  return [
    ...given,
    ...parameters.slice(given.length).map((p): Value => p.default ?? { kind: 'constant', value: null }),
  ];
}
