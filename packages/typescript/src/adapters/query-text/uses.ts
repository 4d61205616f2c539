import type { CallChain, ChainId, FileFacts, FunctionId, LinkContext } from '@tenant-lint/model';
import { callOf, resultsIn } from './calls.js';

/** Who goes on with the results of the chains of one file. */
interface Uses {
  /** Chains whose receiver is the result of a chain. */
  readonly continued: ReadonlyMap<ChainId, readonly CallChain[]>;
  /** Chains that have it among their arguments. */
  readonly consumed: ReadonlyMap<ChainId, readonly CallChain[]>;
  /** Chains on a parameter of a function, wherever they stand, and those on `this` within it. */
  readonly given: ReadonlyMap<FunctionId, readonly CallChain[]>;
}

const found = new WeakMap<FileFacts, Uses>();

export const fileOf = (id: string): string => id.slice(0, id.lastIndexOf('#'));

function usesOf(facts: FileFacts): Uses {
  const before = found.get(facts);
  if (before) return before;
  const continued = new Map<ChainId, CallChain[]>();
  const consumed = new Map<ChainId, CallChain[]>();
  const given = new Map<FunctionId, CallChain[]>();
  const push = (map: Map<string, CallChain[]>, key: string, chain: CallChain): void => {
    const list = map.get(key);
    if (list) list.push(chain);
    else map.set(key, [chain]);
  };
  for (const chain of facts.chains) {
    const { base } = callOf(chain);
    for (const id of new Set(resultsIn(chain.receiver))) push(continued, id, chain);
    const args = chain.steps.flatMap((s) => s.arguments ?? []);
    for (const id of new Set(args.flatMap((a) => resultsIn(a)))) push(consumed, id, chain);
    if (base.kind === 'parameter') push(given, base.function, chain);
    else if (base.kind === 'this' || (base.kind === 'global' && base.name === 'this'))
      push(given, chain.function, chain);
  }
  const uses: Uses = { continued, consumed, given };
  found.set(facts, uses);
  return uses;
}

const none: readonly CallChain[] = [];
const ask = (id: string, context: LinkContext, of: keyof Uses): readonly CallChain[] => {
  const facts = context.facts(fileOf(id));
  return (facts && usesOf(facts)[of].get(id)) ?? none;
};

/** Chains that go on with what a chain made. */
export const continuedBy = (id: ChainId, context: LinkContext): readonly CallChain[] => ask(id, context, 'continued');

/** Chains that have what a chain made among their arguments. */
export const consumedBy = (id: ChainId, context: LinkContext): readonly CallChain[] => ask(id, context, 'consumed');

/** Chains on a parameter of a function, wherever they stand, and those on `this` within it. */
export const givenTo = (id: FunctionId, context: LinkContext): readonly CallChain[] => ask(id, context, 'given');
