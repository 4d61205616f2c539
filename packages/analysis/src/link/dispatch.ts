import { valueAt, type CallChain, type FunctionId, type Path, type Value } from '@tenant-lint/model';
import type { CallSite } from './callers.js';

export interface DispatchInput {
  /** What a value is, helpers of the program read through. */
  resolve(value: Value): Value;
  asFunction(value: Value): FunctionId | undefined;
  chain(id: string): CallChain | undefined;
  /** The module-level binding that a value denotes, as `file#name`. */
  bindingOf(value: Value): string | undefined;
  callersOf(id: FunctionId): readonly CallSite[];
}

/** How far what a store holds is followed, and how many functions one call may go to. */
const maxDepth = 8;
const maxFunctions = 200;

/** Methods that put something into a map, a set or a list, and those that take one out. */
const puts: ReadonlySet<string> = new Set(['set', 'add', 'push', 'unshift']);
const takes: ReadonlySet<string> = new Set(['get', 'find', 'at', 'pop', 'shift']);

const isStore = (value: Value): boolean => value.kind === 'binding' || value.kind === 'import';

/**
 * Calls whose callee is picked when they run, out of the functions that the program keeps in an object, a list or a map: `handlers[type](event)`,
 * `tools.get(name).execute(input)`.
 */
export class Dispatch {
  readonly #put = new Map<string, Value[]>();
  readonly #held = new Map<string, readonly Value[]>();

  constructor(private readonly input: DispatchInput) {}

  /** Takes note of what a chain puts into a store. */
  note(chain: CallChain): void {
    const step = chain.steps.at(-1);
    const value = step?.arguments?.at(-1);
    if (!value || !puts.has(step!.name) || (chain.receiver.kind !== 'binding' && chain.receiver.kind !== 'import'))
      return;
    const store = this.input.bindingOf(chain.receiver);
    const held = store === undefined ? undefined : this.#put.get(store);
    if (held) held.push(value);
    else if (store !== undefined) this.#put.set(store, [value]);
  }

  /** The functions that a call may go to, and the step that calls them. None where the callee is not picked from a store. */
  calleesOf(chain: CallChain): readonly { readonly function: FunctionId; readonly step: number }[] {
    // `tools.find(isCalled(name))?.run(input)` takes one out in the same breath.
    const taken = isStore(chain.receiver) && takes.has(chain.steps[0]?.name ?? '') ? 1 : 0;
    const step = chain.steps.findIndex((s, i) => i >= taken && s.arguments !== undefined);
    if (step < 0 || !(taken || this.#isPicked(chain.receiver))) return [];
    const names = chain.steps.slice(taken, step + 1).flatMap((s) => (s.name === '' ? [] : [s.name]));
    const ways = taken
      ? this.#picked(chain.receiver, names, maxDepth)
      : this.#ways(valueAt(chain.receiver, names), maxDepth);
    const found = new Set<FunctionId>();
    for (const value of ways) {
      const f = this.input.asFunction(this.input.resolve(value));
      if (f !== undefined && found.size < maxFunctions) found.add(f);
    }
    return [...found].map((f) => ({ function: f, step }));
  }

  #isPicked(value: Value): boolean {
    switch (value.kind) {
      case 'binding':
      case 'import':
        return value.path.includes('*');
      case 'element':
      case 'missing-able':
        return this.#isPicked(value.of);
      case 'result': {
        const chain = this.input.chain(value.chain);
        const last = chain?.steps.findLast((s) => s.arguments !== undefined);
        const { receiver } = chain ?? {};
        if (receiver?.kind === 'global') return receiver.name === 'Object' && value.path[0] === '*';
        return takes.has(last?.name ?? '') && receiver !== undefined && isStore(receiver);
      }
      default:
        return false;
    }
  }

  /** The values that one may be, as far as it is picked from a store. */
  #ways(value: Value, depth: number): readonly Value[] {
    if (depth <= 0) return [];
    switch (value.kind) {
      case 'missing-able':
        return this.#ways(value.of, depth);
      case 'choice':
        return value.of.flatMap((v) => this.#ways(v, depth - 1));
      case 'binding':
      case 'import': {
        const star = value.path.indexOf('*');
        if (star < 0) return [value];
        return this.#picked({ ...value, path: value.path.slice(0, star) }, value.path.slice(star + 1), depth);
      }
      case 'element': {
        const star = value.path.indexOf('*');
        return star < 0
          ? this.#ways(value.of, depth - 1).map((v) => valueAt(v, value.path))
          : this.#picked(valueAt(value.of, value.path.slice(0, star)), value.path.slice(star + 1), depth);
      }
      case 'parameter':
        return this.input.callersOf(value.function).flatMap((site) => {
          const argument = site.chain.steps[site.step]?.arguments?.[value.index];
          return argument ? this.#ways(valueAt(argument, value.path), depth - 1) : [];
        });
      case 'result':
        return this.#resultWays(value, depth);
      default:
        return [value];
    }
  }

  #resultWays(value: Extract<Value, { kind: 'result' }>, depth: number): readonly Value[] {
    const chain = this.input.chain(value.chain);
    const last = chain?.steps.findLast((s) => s.arguments !== undefined);
    if (!chain || !last) return [value];
    const [argument] = last.arguments ?? [];
    const [first, second, ...rest] = value.path;
    if (chain.receiver.kind === 'global' && chain.receiver.name === 'Object' && argument && first === '*') {
      if (last.name === 'values') return this.#picked(argument, value.path.slice(1), depth);
      if (last.name === 'entries') return second === '1' ? this.#picked(argument, rest, depth) : [];
    }
    if (takes.has(last.name) && last === chain.steps[0]) return this.#picked(chain.receiver, value.path, depth);
    const resolved = this.input.resolve(value);
    if (resolved !== value) return this.#ways(resolved, depth - 1);
    // What a function that is not in the program made of a description: `createTool({ execute })`.
    return [value, ...(last.arguments ?? []).filter((a) => a.kind === 'object').map((a) => valueAt(a, value.path))];
  }

  #picked(store: Value, path: Path, depth: number): readonly Value[] {
    return this.#contents(store, depth - 1).flatMap((v) => this.#ways(valueAt(v, path), depth - 1));
  }

  /** What a store holds: what it is made with, and what is put into it. */
  #contents(store: Value, depth: number): readonly Value[] {
    if (depth <= 0) return [];
    const name = this.input.bindingOf(store);
    const known = name === undefined ? undefined : this.#held.get(name);
    if (known) return known;
    if (name !== undefined) this.#held.set(name, []);
    const made = store.kind === 'parameter' ? this.#ways(store, depth) : [this.input.resolve(store)];
    const found = [
      ...made.flatMap((v) => this.#within(v === store ? v : this.input.resolve(v), depth)),
      ...(name === undefined ? [] : (this.#put.get(name) ?? [])),
    ].slice(0, maxFunctions);
    if (name !== undefined) this.#held.set(name, found);
    return found;
  }

  #within(value: Value, depth: number): readonly Value[] {
    switch (value.kind) {
      case 'object':
        return value.entries.flatMap((e) => ('spread' in e ? this.#contents(e.spread, depth - 1) : [e.value]));
      case 'list':
        return value.of.flatMap((item) => (item.spread ? this.#contents(item.value, depth - 1) : [item.value]));
      // `new Map([['name', handler]])`, `new Set([handler])`
      case 'instance': {
        const [items] = value.arguments;
        if (value.of.kind !== 'global' || !items) return [];
        const of = this.#contents(items, depth - 1);
        return value.of.name === 'Map' ? of.map((pair) => valueAt(this.input.resolve(pair), ['1'])) : of;
      }
      case 'result':
        return this.#ofEntries(value, depth);
      default:
        return [];
    }
  }

  /** `Object.freeze({ ... })`, `Object.fromEntries(tools.map((tool) => [tool.name, tool]))` */
  #ofEntries(value: Extract<Value, { kind: 'result' }>, depth: number): readonly Value[] {
    const chain = this.input.chain(value.chain);
    const last = chain?.steps.at(-1);
    const [argument] = last?.arguments ?? [];
    if (chain?.receiver.kind !== 'global' || chain.receiver.name !== 'Object' || !argument) return [];
    if (last?.name === 'freeze' || last?.name === 'assign')
      return last.arguments!.flatMap((a) => this.#contents(a, depth - 1));
    if (last?.name !== 'fromEntries') return [];
    // `list.map(f)` has the elements that `f` makes of those of the list; a pair with the element itself is looked for in the list.
    const list = argument.kind === 'result' ? this.input.chain(argument.chain) : undefined;
    return list?.steps.at(-1)?.name === 'map'
      ? this.#contents(
          valueAt(
            list.receiver,
            list.steps.slice(0, -1).map((s) => s.name),
          ),
          depth - 1,
        )
      : this.#contents(argument, depth - 1).map((pair) => valueAt(pair, ['1']));
  }
}
