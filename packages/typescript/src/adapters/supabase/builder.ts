import type { CallChain, ChainId, FileFacts, LowerContext, Step, Value } from '@tenant-lint/model';
import { flatten, type Flat } from './chain.js';
import { filterMethods } from './filters.js';

/** A step of a request; `when`: only on paths where this holds. */
export interface RequestStep extends Step {
  readonly when?: Value;
}

/** What starts a request on a table. */
export const operations: ReadonlySet<string> = new Set(['select', 'insert', 'upsert', 'update', 'delete']);
const transforms: ReadonlySet<string> = new Set([
  ...['select', 'order', 'limit', 'range', 'single', 'maybeSingle', 'csv', 'geojson', 'explain', 'rollback', 'returns'],
  ...['overrideTypes', 'abortSignal', 'maxAffected', 'throwOnError', 'setHeader', 'then', 'catch', 'finally', 'retry'],
]);
const promised: ReadonlySet<string> = new Set(['then', 'catch', 'finally']);

/** A request as its builder makes it: the client before it, the table or function, and everything that was added. */
export interface Made {
  /** What `from` or `rpc` is called on. */
  readonly base: Value;
  readonly before: readonly Step[];
  /** The step `from` or `rpc`. */
  readonly start: Step;
  readonly steps: readonly RequestStep[];
  /** It is handed to other code, which may add to it. */
  readonly open: boolean;
}

interface Start extends Flat {
  readonly at: number;
  readonly root: CallChain;
}

/** Where the chain of a request begins, if it is the first of it. */
function startOf(chain: CallChain): Start | undefined {
  const flat = flatten(chain);
  const at = flat.steps.findIndex((s, i) => isStart(s, flat.steps[i + 1]));
  if (at < 0) return undefined;
  // `storage.from(bucket)` reaches files, `Array.from(...)` nothing.
  if (
    flat.steps[at - 1]?.name === 'storage' ||
    flat.steps.slice(0, at).some((s) => operations.has(s.name) && s.arguments)
  )
    return undefined;
  if (at === 0 && flat.base.kind === 'global' && /^(?:Array|Buffer|Object|Uint8Array)$/.test(flat.base.name))
    return undefined;
  return { ...flat, at, root: chain };
}

const isStart = (step: Step, next: Step | undefined): boolean =>
  step.arguments !== undefined &&
  ((step.name === 'from' && step.arguments.length === 1 && (next === undefined || operations.has(next.name))) ||
    (step.name === 'rpc' && step.arguments.length > 0));

/** The chain that starts what `chain` goes on with: itself, one that it continues through variables, or what a function returns. */
function rootOf(chain: CallChain, context: LowerContext, depth = 0): Start | undefined {
  if (depth > 12) return undefined;
  const own = startOf(chain);
  if (own) return own;
  const { base, steps } = flatten(chain);
  const [first, second] = steps;
  const goesOn = (s: Step | undefined): boolean =>
    s?.arguments !== undefined && (transforms.has(s.name) || filterMethods.has(s.name) || operations.has(s.name));
  if (first?.name === '' && goesOn(second) && !promised.has(second!.name)) {
    const callee = context.resolve(base);
    const returns = callee.kind === 'function' ? context.function(callee.function)?.returns : undefined;
    const made = returns?.length === 1 ? chainsIn(returns[0]!.value)[0] : undefined;
    const inner = made === undefined ? undefined : context.chain(made);
    const root = inner && !inner.awaited ? rootOf(inner, context, depth + 1) : undefined;
    if (!inner || !root) return undefined;
    const all = [...root.steps, ...(inner.id === root.root.id ? [] : flatten(inner).steps), ...steps.slice(1)];
    return { base: root.base, steps: all, at: root.at, root: chain };
  }
  if (!goesOn(first)) return undefined;
  for (const id of chainsIn(base)) {
    const before = context.chain(id);
    const root = before && !before.awaited && before.id !== chain.id ? rootOf(before, context, depth + 1) : undefined;
    if (root) return root;
  }
  return undefined;
}

/** The chains whose result a value may be. */
function chainsIn(value: Value, depth = 0): readonly ChainId[] {
  if (depth > 8) return [];
  switch (value.kind) {
    case 'result':
      return value.path.length === 0 ? [value.chain] : [];
    case 'missing-able':
      return chainsIn(value.of, depth + 1);
    case 'choice':
      return value.of.flatMap((v) => chainsIn(v, depth + 1));
    case 'apply':
      return value.to.flatMap((v) => chainsIn(v, depth + 1));
    case 'list':
      return value.of.flatMap((i) => chainsIn(i.value, depth + 1));
    case 'object':
      return value.entries.flatMap((e) => chainsIn('spread' in e ? e.spread : e.value, depth + 1));
    default:
      return [];
  }
}

interface Families {
  /** By the chain that starts a request: all chains of its function that add to it, in source order. */
  readonly members: ReadonlyMap<ChainId, readonly CallChain[]>;
  /** Chains whose result is handed to a function other than those of Promise. */
  readonly handed: ReadonlySet<ChainId>;
}

const known = new WeakMap<FileFacts, Families>();

function familiesOf(facts: FileFacts, context: LowerContext): Families {
  const before = known.get(facts);
  if (before) return before;
  const members = new Map<ChainId, CallChain[]>();
  const handed = new Set<ChainId>();
  for (const chain of facts.chains) {
    const root = rootOf(chain, context)?.root;
    if (root && root.function === chain.function) members.set(root.id, [...(members.get(root.id) ?? []), chain]);
    const isPromise = chain.receiver.kind === 'global' && chain.receiver.name === 'Promise';
    const calls = isPromise || root ? [] : chain.steps;
    for (const id of calls.flatMap((s) => (s.arguments ?? []).flatMap((a) => chainsIn(a)))) handed.add(id);
  }
  for (const list of members.values()) list.sort((a, b) => a.span.end - b.span.end);
  const found: Families = { members, handed };
  known.set(facts, found);
  return found;
}

/** What a chain is to the request that it belongs to. */
export type Part =
  /** The request runs with it, made so. */
  | Made
  /** Another chain runs the request. */
  | 'part'
  /** It belongs to none. */
  | undefined;

/**
 * A builder is changed in place, so that a request has every step that was added before it ran, in whichever statement; it runs where it
 * is awaited, else at its last unconditional continuation.
 */
export function partOf(chain: CallChain, context: LowerContext): Part {
  const start = rootOf(chain, context);
  if (!start) return undefined;
  const facts = context.facts(chain.span.file);
  const families = facts && familiesOf(facts, context);
  const family = families?.members.get(start.root.id) ?? [chain];
  const root = start.root;
  const isAwaited = (c: CallChain): boolean => c.awaited || promised.has(c.steps.at(-1)?.name ?? '');
  const runs = family.filter(isAwaited);
  const last = family.findLast((c) => c.id === root.id || conditionOf(c, root, context) === undefined) ?? root;
  const isRun = runs.length > 0 ? runs.some((c) => c.id === chain.id) : chain.id === last.id;
  if (!isRun) return 'part';
  const added = family.filter((c) => c.id !== root.id && (runs.length === 0 || c.span.end <= chain.span.end));
  const more = added.flatMap((c) => {
    const when = c.id === chain.id && runs.length > 0 ? undefined : conditionOf(c, root, context);
    return flatten(c).steps.map((s): RequestStep => (when ? { ...s, when } : s));
  });
  const steps = [...start.steps.slice(start.at + 1), ...more];
  return {
    base: start.base,
    before: start.steps.slice(0, start.at),
    start: start.steps[start.at]!,
    steps,
    // What is awaited in the place of the argument is the answer.
    open: family.some((c) => families?.handed.has(c.id) === true && !(c.awaited && c.use === 'argument')),
  };
}

/** What holds where `member` runs beyond what holds where `root` does. */
function conditionOf(member: CallChain, root: CallChain, context: LowerContext): Value | undefined {
  const blocks = context.function(member.function)?.blocks;
  const outer = new Set<number>();
  for (let b: number | undefined = root.block; b !== undefined && outer.size < 200; b = blocks?.[b]?.parent)
    outer.add(b);
  const held: Value[] = [];
  let at: number | undefined = member.block;
  for (let i = 0; at !== undefined && !outer.has(at) && i < 200; i++) {
    const block: { holds?: Value; parent?: number; because?: string } | undefined = blocks?.[at];
    if (block?.holds) held.push(block.holds);
    else if (block?.because === 'branch' || block?.because === 'loop' || block?.because === 'catch')
      held.push({ kind: 'unknown', reason: 'a branch' });
    at = block?.parent;
  }
  const [only] = held;
  return held.length > 1 ? { kind: 'apply', function: '&&', to: held.reverse() } : only;
}
