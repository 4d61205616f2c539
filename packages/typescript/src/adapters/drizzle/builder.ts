import type { CallChain, ChainId, FileFacts, FunctionId, LinkContext, Step, Value } from '@tenant-lint/model';
import type { Call } from '../query-text/calls.js';
import { builderSteps, callOf, functionCall, joins, operators, selectStarts, setFunctions } from './names.js';

/** A step of a builder; `when`: only on paths where this holds. */
export interface BuilderStep extends Step {
  readonly when?: Value;
}

/** Who uses the results of chains of one file. */
interface Uses {
  /** Chains that continue a chain: their receiver is its result. */
  readonly continued: ReadonlyMap<ChainId, readonly CallChain[]>;
  /** Chains that have the result of a chain somewhere in their arguments. */
  readonly consumed: ReadonlyMap<ChainId, readonly CallChain[]>;
  /** Chains that continue what a function of the file returns. */
  readonly called: ReadonlyMap<FunctionId, readonly CallChain[]>;
}

const uses = new WeakMap<FileFacts, Uses>();

function usesOf(facts: FileFacts, context: LinkContext): Uses {
  const before = uses.get(facts);
  if (before) return before;
  const continued = new Map<ChainId, CallChain[]>();
  const consumed = new Map<ChainId, CallChain[]>();
  const called = new Map<FunctionId, CallChain[]>();
  const push = <K>(map: Map<K, CallChain[]>, key: K, chain: CallChain): void => {
    const list = map.get(key);
    if (list) list.push(chain);
    else map.set(key, [chain]);
  };
  for (const chain of facts.chains) {
    const first = chain.steps.find((s) => s.name !== '');
    if (first && builderSteps.has(first.name) && first.arguments) {
      for (const id of new Set(resultsIn(chain.receiver))) push(continued, id, chain);
      const callee = calleeOf(chain, context);
      if (callee) push(called, callee, chain);
    }
    for (const step of chain.steps)
      for (const argument of step.arguments ?? [])
        for (const id of new Set(resultsIn(argument))) push(consumed, id, chain);
  }
  const found: Uses = { continued, consumed, called };
  uses.set(facts, found);
  return found;
}

/** The function whose result the chain continues: `base().where(...)`. */
function calleeOf(chain: CallChain, context: LinkContext): FunctionId | undefined {
  const [first, next] = chain.steps;
  if (first?.name !== '' || !first.arguments || !next?.arguments) return undefined;
  // A call whose promise is only waited for runs where the function makes it.
  if (!builderSteps.has(next.name) || ['then', 'catch', 'finally', 'execute'].includes(next.name)) return undefined;
  const resolved = context.resolve(chain.receiver);
  return resolved.kind === 'function' ? resolved.function : undefined;
}

/** The chains whose results occur in a value. */
export function resultsIn(value: Value): readonly ChainId[] {
  const found: ChainId[] = [];
  const visit = (v: Value, depth: number): void => {
    if (depth > 12) return;
    switch (v.kind) {
      case 'result':
        if (v.path.length === 0) found.push(v.chain);
        return;
      case 'missing-able':
      case 'element':
        return visit(v.of, depth + 1);
      case 'choice':
        return v.of.forEach((o) => visit(o, depth + 1));
      case 'apply':
        return v.to.forEach((o) => visit(o, depth + 1));
      case 'list':
        return v.of.forEach((i) => visit(i.value, depth + 1));
      case 'object':
        return v.entries.forEach((e) => visit('spread' in e ? e.spread : e.value, depth + 1));
      case 'text':
        return v.parts.forEach((p) => 'hole' in p && visit(p.hole, depth + 1));
      default:
    }
  };
  visit(value, 0);
  return found;
}

/** How many chains are followed back from a continued builder. */
const maxLinks = 12;

/**
 * All steps of a builder: those of the chains it continues through variables, and those that other statements added to the same object in
 * between (Drizzle's builders are changed in place). Steps that only some paths add say so.
 */
export function stepsOf(call: Call, context: LinkContext): readonly BuilderStep[] {
  const root = originOf(call.chain, context, 0);
  if (root.id !== call.chain.id) {
    const facts = context.facts(call.chain.span.file);
    const members = facts ? familyOf(root, facts, context) : [];
    const earlier = members.filter(
      (m) => m.id !== call.chain.id && m.id !== root.id && m.span.end <= call.chain.span.end && !m.awaited,
    );
    const added = earlier.flatMap((m) => conditional(m, root, context));
    return [...stepsOf(callOf(root), context), ...added, ...callOf(call.chain).steps];
  }
  const callee = calleeOf(call.chain, context);
  const returns = callee === undefined ? undefined : context.function(callee)?.returns;
  const value = returns?.length === 1 ? returns[0]?.value : undefined;
  const inner = value?.kind === 'result' && value.path.length === 0 ? context.chain(value.chain) : undefined;
  const made = inner && !inner.awaited && startsBuilder(inner);
  return made ? [...stepsOf(callOf(inner), context), ...call.steps.slice(1)] : call.steps;
}

/** The first chain of the builder that `chain` continues; itself where it starts one. */
function originOf(chain: CallChain, context: LinkContext, depth: number): CallChain {
  const { base, steps } = callOf(chain);
  const continues = steps[0] && builderSteps.has(steps[0].name);
  if (!continues || depth > maxLinks) return chain;
  const ids = resultsIn(base);
  const id = ids[0];
  const before = id === undefined ? undefined : context.chain(id);
  if (!before || before.awaited || before.id === chain.id) return chain;
  return originOf(before, context, depth + 1);
}

/** The root and everything in its function that continues it, in source order. */
function familyOf(root: CallChain, facts: FileFacts, context: LinkContext): readonly CallChain[] {
  const { continued } = usesOf(facts, context);
  const members = new Map<ChainId, CallChain>([[root.id, root]]);
  const queue = [root.id];
  while (queue.length > 0 && members.size < 60) {
    for (const next of continued.get(queue.pop()!) ?? []) {
      if (members.has(next.id) || next.function !== root.function) continue;
      members.set(next.id, next);
      queue.push(next.id);
    }
  }
  return [...members.values()].sort((a, b) => a.span.end - b.span.end);
}

const conditional = (member: CallChain, root: CallChain, context: LinkContext): BuilderStep[] => {
  const when = conditionOf(member, root, context);
  return callOf(member).steps.map((s): BuilderStep => (when ? { ...s, when } : s));
};

/** What holds where `member` runs beyond what holds where `root` does. */
export function conditionOf(member: CallChain, root: CallChain, context: LinkContext): Value | undefined {
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
  if (held.length === 0) return undefined;
  return held.length === 1 ? held[0] : { kind: 'apply', function: '&&', to: held.reverse() };
}

/** Whether a chain without a start of its own goes on with a builder that another chain, or a function, started. */
export function continuesBuilder(chain: CallChain, context: LinkContext): boolean {
  const { base, steps } = callOf(chain);
  const [first] = steps;
  if (first?.name === '') return calleeOf(chain, context) !== undefined;
  if (!first?.arguments || !builderSteps.has(first.name)) return false;
  return resultsIn(base).some((id) => {
    const before = context.chain(id);
    return before !== undefined && startsBuilder(originOf(before, context, 0));
  });
}

/** Whether the chain starts a builder of the library by its words. */
export const startsBuilder = (chain: CallChain): boolean =>
  callOf(chain).steps.some(
    (s) =>
      s.arguments && (selectStarts.has(s.name) || s.name === 'insert' || s.name === 'update' || s.name === 'delete'),
  );

/** What becomes of a builder's chain. */
export type Completion =
  /** It runs, with these steps. */
  | { readonly steps: readonly BuilderStep[]; readonly open: boolean }
  /** Another chain runs it, or has it as a part. */
  | 'part';

/**
 * Whether a chain is where its builder runs. A builder held in a variable runs at its last continuation that every path takes, or at
 * each that is awaited; one that is an operand of another query does not run at all.
 */
export function completionOf(call: Call, context: LinkContext): Completion {
  const { chain } = call;
  const facts = context.facts(chain.span.file);
  if (!facts) return { steps: stepsOf(call, context), open: false };
  const { consumed, called } = usesOf(facts, context);
  const last = call.steps.at(-1);
  if (call.steps.some((s) => s.name === 'as' && s.arguments)) return 'part';
  if (chain.awaited || last?.name === 'execute' || last?.name === 'then')
    return { steps: stepsOf(call, context), open: false };
  const consumers = consumed.get(chain.id) ?? [];
  if (consumers.some((c) => isPartOf(c, context))) return 'part';
  const root = originOf(chain, context, 0);
  const family = familyOf(root, facts, context);
  if (family.length > 1) {
    const carriers = family.filter(
      (m) =>
        m.awaited ||
        ['execute', 'then'].includes(m.steps.at(-1)?.name ?? '') ||
        (m.id !== root.id && !conditionOf(m, root, context)),
    );
    const final = carriers.findLast((m) => !m.awaited);
    const runs = carriers.filter((m) => m.awaited || m === final || m.steps.at(-1)?.name === 'execute');
    if (runs.length === 0) {
      if (chain.id !== root.id) return 'part';
      const later = family.filter((m) => m.id !== root.id);
      return {
        steps: [...stepsOf(call, context), ...later.flatMap((m) => conditional(m, root, context))],
        open: false,
      };
    }
    if (!runs.some((m) => m.id === chain.id)) return 'part';
    // Statements after the last unconditional one still change the object before it is awaited by its name.
    const after = family.filter((m) => m.span.end > chain.span.end && !m.awaited);
    return { steps: [...stepsOf(call, context), ...after.flatMap((m) => conditional(m, root, context))], open: false };
  }
  const owner = context.function(chain.function);
  if (chain.use === 'returned' && owner && (called.get(owner.id) ?? []).length > 0) return 'part';
  const steps = stepsOf(call, context);
  // Handed to a function of the program while it can still be changed: what that adds is not followed.
  const open = steps.some((s) => s.name === '$dynamic') && consumers.some((c) => !isPromiseWord(c));
  return { steps, open };
}

const isPromiseWord = (chain: CallChain): boolean =>
  chain.receiver.kind === 'global' && chain.receiver.name === 'Promise';

/** Steps that take another query in. */
const takes = new Set([
  ...Object.keys(joins),
  ...setFunctions,
  ...selectStarts,
  'from',
  'where',
  'having',
  'orderBy',
  'with',
  'set',
  'values',
  'as',
]);

/** Whether a chain that has a builder among its arguments makes it a part of another query. */
function isPartOf(consumer: CallChain, context: LinkContext): boolean {
  const call = callOf(consumer);
  if (functionCall(call, context)) return true;
  const { base } = call;
  if (base.kind === 'global') return false;
  const names = call.steps.flatMap((s) => (s.name === '' ? [] : [s.name]));
  // Operators that a callback gets: `(t, { inArray }) => inArray(t.id, db.select()...)`.
  if (base.kind === 'parameter' && names.length === 1 && operators.has(names[0]!)) return true;
  const builds =
    startsBuilder(consumer) || names.includes('$with') || names.includes('with') || builderSteps.has(names[0] ?? '');
  return builds && call.steps.some((s) => s.arguments !== undefined && takes.has(s.name));
}
