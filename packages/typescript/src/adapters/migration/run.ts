import {
  truthinessOf,
  type CallChain,
  type FileFacts,
  type FunctionFacts,
  type FunctionId,
  type LinkContext,
  type Span,
  type Step,
  type Value,
} from '@tenant-lint/model';
import { mapValue, propertyOf, valueAt } from '@tenant-lint/model';
import { part, piece, type Piece } from './pieces.js';
import type { Script } from './script.js';
import { emptyEnvironment, Values, withArguments, withItem, type Environment } from './values.js';

/** A call in a migration that runs, with everything replaced that the program decides. */
export interface Call {
  readonly chain: CallChain;
  /** What the chain begins with, property reads before the first call included in the path. */
  readonly receiver: Value;
  readonly steps: readonly Step[];
  /** Steps before this one belong to an earlier statement, which this one continues. */
  readonly from: number;
  readonly span: Span;
  /** The migration asks the database whether to do it: the table may be there. */
  readonly guarded: boolean;
}

/** What a library makes of the calls in its migrations. */
export interface Tool {
  /** True if the call is the library's, understood or not. */
  call(call: Call, run: Run): boolean;
}

const maxCalls = 20_000;
const maxDepth = 16;

/** Steps through the functions of a migration and hands each call to the library, in the order in which they run. Bounded. */
export class Run {
  readonly script: Script;
  readonly context: LinkContext;
  readonly facts: FileFacts;
  readonly values: Values;
  readonly #tool: Tool;
  readonly #chains = new Map<FunctionId, CallChain[]>();
  readonly #indexed = new Set<string>();
  /** Calls that are an argument of another one: pieces of it, not statements. */
  readonly #parts = new Set<string>();
  readonly #remarked = new Set<string>();
  #env: Environment = emptyEnvironment;
  #depth = 0;
  #calls = 0;

  constructor(tool: Tool, script: Script, facts: FileFacts, context: LinkContext) {
    this.#tool = tool;
    this.script = script;
    this.facts = facts;
    this.context = context;
    this.values = new Values(context);
  }

  /** The value, worked out where the call stands. */
  value(value: Value | undefined): Value {
    return value === undefined ? { kind: 'undefined' } : this.values.evaluate(value, this.#env);
  }

  text(value: Value | undefined): string | undefined {
    const found = this.value(value);
    return found.kind === 'constant' && found.value !== null ? String(found.value) : undefined;
  }

  /** A property of an object; undefined where it is not set. */
  property(value: Value | undefined, name: string): Value | undefined {
    if (value === undefined) return undefined;
    const found = this.value(propertyOf(this.value(value), name));
    return found.kind === 'undefined' ? undefined : found;
  }

  isTrue(value: Value | undefined): boolean {
    return value !== undefined && truthinessOf(this.value(value)) === true;
  }

  /** The items of a list, each worked out; undefined where the value is no list that is known. */
  items(value: Value | undefined): readonly Value[] | undefined {
    const list = this.value(value);
    if (list.kind !== 'list' || list.of.some((item) => item.spread)) return undefined;
    return list.of.map((item) => this.value(item.value));
  }

  /** One text, or a list of texts; undefined where one of them is not known. */
  texts(value: Value | undefined): readonly string[] | undefined {
    const one = this.text(value);
    if (one !== undefined) return [one];
    const many = this.items(value)?.map((v) => (v.kind === 'constant' ? String(v.value) : undefined));
    return many?.every((t) => t !== undefined) ? many : undefined;
  }

  /** The entries of an object with their places, spreads included; undefined where they are not known. */
  entries(value: Value | undefined, span: Span): readonly { name: string; value: Value; span: Span }[] | undefined {
    const object = this.value(value);
    if (object.kind !== 'object') return undefined;
    const found = new Map<string, { name: string; value: Value; span: Span }>();
    for (const entry of object.entries) {
      if ('spread' in entry) {
        const inner = this.entries(entry.spread, entry.span ?? span);
        if (!inner) return undefined;
        for (const e of inner) found.set(e.name, { ...e, span: entry.span ?? span });
        continue;
      }
      const name = 'set' in entry ? entry.set : this.text(entry.computed);
      if (name === undefined) return undefined;
      found.set(name, { name, value: entry.value, span: entry.span ?? span });
    }
    return [...found.values()];
  }

  /** The call that a value is the result of, with its receiver worked out. */
  made(value: Value | undefined): { receiver: Value; steps: readonly Step[]; span: Span } | undefined {
    const found = this.value(value);
    const chain = found.kind === 'result' ? this.context.chain(found.chain) : undefined;
    return chain && this.#flattened(chain);
  }

  /** SQL text with places; a part that is not known is a hole. */
  sql(value: Value | undefined, span: Span): readonly Piece[] {
    if (value === undefined) return [{ text: '', span, hole: 'no text' }];
    const v = this.values.substitute(value, this.#env);
    const here = (s: Span): Span => s;
    switch (v.kind) {
      case 'constant': {
        const text = String(v.value);
        if (!v.span) return [piece(text, span)];
        return v.span.end - v.span.start === text.length + 2
          ? [{ text, span: { ...v.span, start: v.span.start + 1, end: v.span.end - 1 }, exact: true }]
          : [piece(text, v.span)];
      }
      case 'text':
        return v.parts.flatMap((p): readonly Piece[] => {
          if (!('text' in p)) return this.sql(p.hole, here(p.span));
          const at = { file: v.span.file, start: p.start, end: p.start + p.text.length };
          return p.exact ? [{ text: p.text, span: at, exact: true }] : stretched(p.text, at);
        });
      case 'apply':
        if (v.function === '+') return v.to.flatMap((operand) => this.sql(operand, span));
        break;
      case 'missing-able':
        return this.sql(v.of, span);
      case 'binding':
      case 'import':
      case 'this':
      case 'element': {
        const resolved = this.context.resolve(v);
        if (resolved.kind === 'constant' || resolved.kind === 'text') return this.sql(resolved, span);
        break;
      }
      default:
    }
    const found = this.value(v);
    if (found.kind === 'constant' || found.kind === 'text') return this.sql(found, span);
    const made = this.made(found);
    // A tag that only formats: dedent`...`.
    const tagged = made?.steps.length === 1 && made.steps[0]?.template ? made.steps[0].arguments?.[0] : undefined;
    return tagged ? this.sql(tagged, span) : [{ text: '', span, hole: described(found) }];
  }

  /** Runs a function with these arguments: a callback that the library calls, a helper. */
  callback(value: Value | undefined, args: readonly Value[]): boolean {
    const found = this.value(value);
    if (found.kind !== 'function') return false;
    const target = this.context.function(found.function);
    if (!target) return false;
    this.#enter(target, args);
    return true;
  }

  #enter(target: FunctionFacts, args: readonly Value[]): void {
    if (this.#depth >= maxDepth) return this.script.remark('functions call one another too deeply', target.span);
    const outer = this.#env;
    this.#depth++;
    this.#env = withArguments(
      outer,
      target.id,
      args.map((a) => this.values.substitute(a, outer)),
    );
    this.#chainsOf(target, this.#index(target.span.file).get(target.id) ?? [], new Set());
    this.#env = outer;
    this.#depth--;
  }

  #index(file: string): ReadonlyMap<FunctionId, CallChain[]> {
    if (this.#indexed.has(file)) return this.#chains;
    this.#indexed.add(file);
    for (const chain of this.context.facts(file)?.chains ?? []) {
      const list = this.#chains.get(chain.function);
      if (list) list.push(chain);
      else this.#chains.set(chain.function, [chain]);
      if (collects(chain)) continue;
      for (const step of chain.steps) for (const argument of step.arguments ?? []) this.#noteParts(argument);
    }
    return this.#chains;
  }

  #noteParts(argument: Value): void {
    mapValue(argument, (v) => {
      if (v.kind === 'result') this.#parts.add(v.chain);
      return v;
    });
  }

  /** Runs calls in order; those of a loop once for each item of what it goes through. */
  #chainsOf(owner: FunctionFacts, chains: readonly CallChain[], open: ReadonlySet<number>): void {
    for (let i = 0; i < chains.length; i++) {
      const chain = chains[i]!;
      const loop = loopOf(owner, chain.block, open);
      if (loop === undefined) {
        this.#one(owner, chain);
        continue;
      }
      let end = i + 1;
      while (end < chains.length && loopOf(owner, chains[end]!.block, open) === loop) end++;
      this.#loop(owner, chains.slice(i, end), loop, new Set([...open, loop]));
      i = end - 1;
    }
  }

  #loop(owner: FunctionFacts, chains: readonly CallChain[], loop: number, open: ReadonlySet<number>): void {
    const each = owner.blocks[loop]?.each;
    const over = each && this.values.substitute(each, this.#env);
    const list = over && this.value(over);
    if (!over || list?.kind !== 'list' || list.of.some((item) => item.spread)) {
      this.#chainsOf(owner, chains, open);
      return;
    }
    const outer = this.#env;
    for (const item of list.of) {
      this.#env = withItem(outer, over, item.value);
      this.#chainsOf(owner, chains, open);
    }
    this.#env = outer;
  }

  #one(owner: FunctionFacts, chain: CallChain): void {
    if (this.#parts.has(chain.id) && !chain.awaited) return;
    if (++this.#calls > maxCalls) {
      if (this.#calls === maxCalls + 1) this.script.remark('the migration runs too many statements', chain.span);
      return;
    }
    const condition = this.#condition(owner, chain.block);
    if (condition === 'never') return;
    const flat = this.#flattened(chain);
    const call: Call = { chain, ...flat, guarded: condition === 'guarded' };
    const before = this.script.events.length;
    if (!this.#tool.call(call, this)) this.#other(call);
    if (condition === 'open' && this.script.events.length > before) this.#remark(chain);
  }

  #remark(chain: CallChain): void {
    const key = `${chain.function}/${chain.block}`;
    if (this.#remarked.has(key)) return;
    this.#remarked.add(key);
    this.script.remark('the statement runs only under a condition that was not worked out', chain.span);
  }

  /** Whether a call runs: `guarded` by what the database says, `open` where nobody knows. */
  #condition(owner: FunctionFacts, from: number): 'always' | 'never' | 'guarded' | 'open' {
    let found: 'always' | 'guarded' | 'open' = 'always';
    for (let block: number | undefined = from; block !== undefined; block = owner.blocks[block]?.parent) {
      const { holds, because } = owner.blocks[block] ?? {};
      if (because === 'catch') return 'never';
      if (holds === undefined || because === 'loop') continue;
      const value = this.value(holds);
      const decided = truthinessOf(value);
      if (decided === false) return 'never';
      if (decided === undefined) found = this.#asksDatabase(value) ? (found === 'open' ? 'open' : 'guarded') : 'open';
    }
    return found;
  }

  #asksDatabase(value: Value): boolean {
    let asks = false;
    mapValue(value, (v) => {
      const chain = v.kind === 'result' ? this.context.chain(v.chain) : undefined;
      const receiver = chain && this.value(chain.receiver);
      if (receiver?.kind === 'global' && receiver.name.startsWith('@')) asks = true;
      if (v.kind === 'global' && v.name.startsWith('@')) asks = true;
      return v;
    });
    return asks;
  }

  /** The chain with those it continues through a variable, and property reads moved into the receiver. */
  #flattened(chain: CallChain): Pick<Call, 'receiver' | 'steps' | 'from' | 'span'> {
    let steps: readonly Step[] = chain.steps;
    let receiver = this.value(chain.receiver);
    let from = 0;
    for (let i = 0; i < 60 && receiver.kind === 'result'; i++) {
      const before = this.context.chain(receiver.chain);
      if (!before || receiver.path.length > 0) break;
      steps = [...before.steps, ...steps];
      from += before.steps.length;
      receiver = this.value(before.receiver);
    }
    const reads = steps.findIndex((s) => s.arguments !== undefined);
    if (reads > 0) {
      receiver = valueAt(
        receiver,
        steps.slice(0, reads).map((s) => s.name),
      );
      steps = steps.slice(reads);
      from = Math.max(0, from - reads);
    }
    return { receiver, steps, from, span: chain.span };
  }

  /** A call that is not the library's: a loop over a list, a helper of the program, what comes after a promise. */
  #other(call: Call): void {
    const { receiver, steps } = call;
    const [first] = steps;
    if (!first?.arguments) return;
    const method = first.name;
    const [given] = first.arguments;
    const list = this.items(receiver);
    if (list && given && /^(?:forEach|map|flatMap|filter|some|every)$/.test(method)) {
      list.forEach((item, i) => this.callback(given, [item, { kind: 'constant', value: i }]));
      return this.#after(steps.slice(1));
    }
    const callee = this.value(method === '' ? receiver : valueAt(receiver, [method]));
    if (callee.kind === 'function') {
      this.callback(callee, first.arguments);
      return this.#after(steps.slice(1));
    }
    if (method === 'then') return this.#after(steps);
    const handed = first.arguments.some((a) => {
      const v = this.value(a);
      return v.kind === 'global' && v.name.startsWith('@') && v.path.length === 0;
    });
    const isTool = receiver.kind === 'global' && receiver.name.startsWith('@');
    if (handed && !isTool)
      this.script.unknown(`a call of ${describeCallee(callee)}, which gets the tool and was not followed`, call.span);
    this.#after(steps.slice(1));
  }

  /** `.then(() => ...)`. */
  #after(steps: readonly Step[]): void {
    for (const step of steps)
      if (step.name === 'then' || step.name === 'finally') this.callback(step.arguments?.[0], []);
  }
}

/** Text whose places are not exact: the escapes in it are stretched over the whole. */
function stretched(text: string, at: Span): readonly Piece[] {
  const whole: Piece = { text, span: at, exact: true };
  const lines: Piece[] = [];
  let from = 0;
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', end + 1)) {
    lines.push(part(whole, from, end + 1));
    from = end + 1;
  }
  return [...lines, part(whole, from, text.length)];
}

/** The outermost loop around a block that is not open yet. */
function loopOf(owner: FunctionFacts, from: number, open: ReadonlySet<number>): number | undefined {
  let found: number | undefined;
  for (let block: number | undefined = from; block !== undefined; block = owner.blocks[block]?.parent)
    if (owner.blocks[block]?.because === 'loop' && !open.has(block)) found = block;
  return found;
}

/** Calls that gather statements instead of using them as a part: `Promise.all([...])`, `pending.push(...)`. */
function collects(chain: CallChain): boolean {
  const name = chain.steps.find((s) => s.arguments !== undefined)?.name ?? '';
  if (chain.receiver.kind === 'global' && chain.receiver.name === 'Promise') return true;
  return name === 'push' || name === 'concat';
}

/** Why a value is not known, in words. */
export function described(value: Value): string {
  switch (value.kind) {
    case 'unknown':
      return value.reason;
    case 'parameter':
      return 'a parameter of the function';
    case 'result':
      return 'the result of a call that was not followed';
    case 'global':
      return value.name.startsWith('@') ? 'the result of the tool' : `${[value.name, ...value.path].join('.')}`;
    case 'import':
      return `imported from ${value.module} and not found there`;
    case 'choice':
      return 'one of several values';
    case 'undefined':
      return 'not given';
    default:
      return `a value of kind ${value.kind}`;
  }
}

const describeCallee = (value: Value): string =>
  value.kind === 'import'
    ? `${value.name} of ${value.module}`
    : value.kind === 'global' || value.kind === 'binding'
      ? [value.name, ...value.path].join('.')
      : 'a function';
