import {
  unknownValue,
  type CallChain,
  type ChainId,
  type FunctionId,
  type LinkContext,
  type Value,
} from '@tenant-lint/model';
import type { Build } from '../query-text/build.js';
import { both, callOf, resultsIn, type BuilderStep, type Call } from '../query-text/calls.js';
import { withName } from '../query-text/functions.js';
import { consumedBy, continuedBy, givenTo } from '../query-text/uses.js';
import { isBuilderStep, runs } from './words.js';

/** The chain that started the builder which `chain` goes on with; itself where it starts one. A clone is a builder of its own. */
export function originOf(chain: CallChain, context: LinkContext, depth = 0): CallChain {
  const { base, steps } = callOf(chain);
  const [first] = steps;
  if (!first?.arguments || !isBuilderStep(first.name) || first.name === 'clone' || depth > 12) return chain;
  const [id] = resultsIn(base);
  const before = id === undefined ? undefined : context.chain(id);
  // What was waited for on the spot is rows; under a name it may be the builder that is waited for later.
  if (before?.awaited && before.use !== 'assigned') return chain;
  return before && before.id !== chain.id ? originOf(before, context, depth + 1) : chain;
}

/** The root and everything that changes the same builder, in source order. */
export function familyOf(root: CallChain, context: LinkContext): readonly CallChain[] {
  const members = new Map<ChainId, CallChain>([[root.id, root]]);
  const queue = [root.id];
  while (queue.length > 0 && members.size < 60) {
    for (const next of continuedBy(queue.pop()!, context)) {
      const [first] = callOf(next).steps;
      if (members.has(next.id) || !first?.arguments || !isBuilderStep(first.name) || first.name === 'clone') continue;
      members.set(next.id, next);
      queue.push(next.id);
    }
  }
  return [...members.values()].sort((a, b) => a.span.end - b.span.end);
}

/** The members by which a builder runs; none where it is only a part of another query, or never waited for. */
export function runsOf(root: CallChain, context: LinkContext): readonly CallChain[] {
  const family = familyOf(root, context);
  if (root.awaited) return [root];
  const waits = family.filter((m) => m.awaited || runs.has(m.steps.at(-1)?.name ?? ''));
  if (waits.length > 0) return waits;
  const returned = family.findLast((m) => isReturned(m, context));
  if (returned) return [returned.use === 'returned' ? returned : root];
  // Assigned, and waited for under a name that holds one of several builders.
  const kept = family.some((m) => m.use === 'assigned');
  return kept && family.length > 1 ? [root] : [];
}

const isReturned = (chain: CallChain, context: LinkContext): boolean =>
  chain.use === 'returned' ||
  (context.function(chain.function)?.returns.some((r) => resultsIn(r.value).includes(chain.id)) ?? false);

/** The steps that other statements add to the builder of `root` before (or, where the root itself is waited for, around) `run`. */
export function addedSteps(root: CallChain, run: CallChain, build: Build, until = Infinity): readonly BuilderStep[] {
  const { context } = build;
  const family = familyOf(root, context).filter((m) => m.id !== root.id && m.id !== run.id);
  const mine = family.filter((m) => run.id === root.id || (!m.awaited && m.span.end <= run.span.end));
  const own = mine.map((m) => ({ at: m.span.end, steps: underCondition(callOf(m).steps, m, root, context) }));
  const handed = [root, ...mine].flatMap((m) =>
    consumedBy(m.id, context).flatMap((c) => {
      const steps = byFunction(c, m, build);
      return steps ? [{ at: c.span.end, steps: underCondition(steps, c, root, context) }] : [];
    }),
  );
  return [...own, ...handed]
    .filter((a) => a.at <= until)
    .sort((a, b) => a.at - b.at)
    .flatMap((a) => a.steps);
}

/** What a function of the program does to a builder that is handed to it. */
function byFunction(consumer: CallChain, builder: CallChain, build: Build): readonly BuilderStep[] | undefined {
  const call = callOf(consumer);
  const at = call.steps.findIndex((s) => s.arguments !== undefined);
  const step = call.steps[at];
  const index = step?.arguments?.findIndex((a) => resultsIn(a).includes(builder.id)) ?? -1;
  if (!step?.arguments || index < 0 || isBuilderStep(step.name)) return undefined;
  const read = call.steps
    .slice(0, at + 1)
    .reduce<Value>((v, s) => (s.name === '' ? v : withName(v, s.name)), call.base);
  const callee = build.resolved(read);
  if (callee.kind !== 'function') return undefined;
  build.called(callee.function, step.arguments);
  return stepsIn(callee.function, build, index);
}

/** The steps that a function takes on its parameter, or on `this`: where the library calls it so, or in a method of a builder class. */
export function stepsIn(id: FunctionId, build: Build, index = 0, isMethod = false): readonly BuilderStep[] {
  const { context } = build;
  const mine = ({ base }: Call, inside: FunctionId): boolean =>
    (isMethod && inside === id && base.kind === 'this') ||
    (!isMethod && base.kind === 'parameter' && base.index === index && base.path.length === 0) ||
    (!isMethod && index === 0 && base.kind === 'global');
  const takes = (chain: CallChain): boolean => {
    const [first] = callOf(chain).steps;
    return first?.arguments !== undefined && first.name !== 'clone' && isStep(first.name);
  };
  // In a method of a builder class, further methods of it are steps too.
  const isStep = (name: string): boolean => isMethod || isBuilderStep(name);
  const found = givenTo(id, context).filter((c) => mine(callOf(c), c.function) && takes(c));
  for (let i = 0; i < found.length && i < 60; i++)
    for (const next of continuedBy(found[i]!.id, context)) if (takes(next) && !found.includes(next)) found.push(next);
  found.sort((a, b) => a.span.end - b.span.end);
  return found.flatMap((c) => underCondition(callOf(c).steps, c, { function: id, block: 0 }, context));
}

function underCondition(
  steps: readonly BuilderStep[],
  chain: CallChain,
  outer: Pick<CallChain, 'function' | 'block'>,
  context: LinkContext,
): readonly BuilderStep[] {
  const when = conditionOf(chain, outer, context);
  return when ? steps.map((s): BuilderStep => ({ ...s, when: both(when, s.when) ?? when })) : steps;
}

/** What holds where `chain` runs beyond what holds at `outer`. */
function conditionOf(
  chain: CallChain,
  outer: Pick<CallChain, 'function' | 'block'>,
  context: LinkContext,
): Value | undefined {
  // In a function of its own: a callback, which may be called for every item of a list.
  if (chain.function !== outer.function) return unknownValue('a callback');
  const blocks = context.function(chain.function)?.blocks;
  const around = new Set<number>();
  for (let b: number | undefined = outer.block; b !== undefined && around.size < 200; b = blocks?.[b]?.parent)
    around.add(b);
  let held: Value | undefined;
  let at: number | undefined = chain.block;
  for (let i = 0; at !== undefined && !around.has(at) && i < 200; i++) {
    const block: { holds?: Value; parent?: number; because?: string } | undefined = blocks?.[at];
    const one = block?.holds
      ? block.holds
      : ['branch', 'loop', 'catch'].includes(block?.because ?? '')
        ? unknownValue('a branch')
        : undefined;
    held = both(one, held);
    at = block?.parent;
  }
  return held;
}
