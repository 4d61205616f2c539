import {
  valueAt,
  type CallChain,
  type ChainId,
  type FileFacts,
  type FunctionId,
  type LowerContext,
  type Step,
  type Value,
} from '@tenant-lint/model';
import { conditionOf, resultsIn } from '../drizzle/builder.js';
import { linksOf, readFrom } from '../entities/links.js';
import { receiverAt, type Receiver } from './client.js';

/** A step of a builder; `when`: only on paths where this holds. */
export interface BuilderStep extends Step {
  readonly when?: Value;
}

/** A builder from where it is made. */
export interface Builder {
  readonly on: Receiver;
  readonly receiver: Value;
  /** The first is `createQueryBuilder`. */
  readonly steps: readonly BuilderStep[];
}

/** Steps that run the query. */
export const terminals = new Set([
  'getOne',
  'getOneOrFail',
  'getMany',
  'getManyAndCount',
  'getCount',
  'getExists',
  'getRawOne',
  'getRawMany',
  'getRawAndEntities',
  'stream',
  'execute',
]);

const maxLinks = 12;
/** Through how many functions, one called by the other, a builder is followed. */
const maxHandings = 4;
const continued = new WeakMap<FileFacts, ReadonlyMap<ChainId, readonly CallChain[]>>();

/** The chains of a file by the chain whose result they go on with. */
function continuations(facts: FileFacts): ReadonlyMap<ChainId, readonly CallChain[]> {
  let found = continued.get(facts);
  if (!found) {
    const map = new Map<ChainId, CallChain[]>();
    for (const chain of facts.chains)
      for (const id of new Set(resultsIn(chain.receiver))) {
        const list = map.get(id);
        if (list) list.push(chain);
        else map.set(id, [chain]);
      }
    continued.set(facts, (found = map));
  }
  return found;
}

/** All steps of the builder that a chain completes; undefined where its beginning is none of the library's. */
export function builderOf(chain: CallChain, context: LowerContext, depth = 0): Builder | undefined {
  if (depth > maxLinks) return undefined;
  const root = originOf(chain, context);
  const start = startOf(root, context, depth);
  if (!start) return undefined;
  if (root === chain) return start;
  const facts = context.facts(chain.span.file);
  // The builder is changed in place: what other statements added before counts, whether or not its result is used.
  const earlier = facts ? familyOf(root, facts).filter((m) => m !== root && m !== chain && precedes(m, chain)) : [];
  const isIt = (value: Value): boolean =>
    value.kind === 'result' &&
    value.path.length === 0 &&
    (value.chain === root.id || earlier.some((m) => m.id === value.chain));
  const handed = (facts?.chains ?? []).filter((m) => m !== chain && precedes(m, chain) && hands(m, isIt));
  const added = [...earlier, ...handed]
    .sort((a, b) => a.span.end - b.span.end)
    .flatMap((m) => {
      const when = conditionOf(m, root, context);
      const steps = handed.includes(m)
        ? addedBy(m, isIt, context, depth)
        : m.steps.filter((s) => !terminals.has(s.name));
      return steps.map((s): BuilderStep => (when ? { ...s, when } : s));
    });
  return { ...start, steps: [...start.steps, ...added, ...chain.steps] };
}

const precedes = (a: CallChain, b: CallChain): boolean => a.span.end <= b.span.end && a.function === b.function;

/** The chain in which the builder was made, as far as variables lead to it. */
function originOf(chain: CallChain, context: LowerContext): CallChain {
  let at = chain;
  for (let i = 0; i < maxLinks; i++) {
    // What it is called on is a client, and no part of the builder.
    if (at.steps.some((s) => s.arguments && s.name === 'createQueryBuilder')) return at;
    const [id] = resultsIn(at.receiver);
    const before = id === undefined ? undefined : context.chain(id);
    if (!before || before === at || before.steps.some((s) => terminals.has(s.name))) return at;
    at = before;
  }
  return at;
}

/** The root and what goes on with it, directly or through a variable of its own, in source order. */
function familyOf(root: CallChain, facts: FileFacts): readonly CallChain[] {
  const by = continuations(facts);
  const members = new Set([root]);
  for (const member of members) {
    if (members.size > 80) break;
    for (const next of by.get(member.id) ?? []) members.add(next);
  }
  return [...members].sort((a, b) => a.span.end - b.span.end);
}

/** The builder that a chain begins: by `createQueryBuilder`, or by calling a function that returns one. */
function startOf(chain: CallChain, context: LowerContext, depth: number): Builder | undefined {
  const links = linksOf(chain);
  const at = links.links.findIndex((l) => l.step?.arguments && l.name === 'createQueryBuilder');
  if (at >= 0) {
    const on = receiverAt(links, at, context);
    const steps = links.links.slice(at).flatMap((l) => (l.step ? [l.step] : []));
    const reads = links.links.findIndex((l) => l.step?.arguments);
    return on && { on, receiver: readFrom(links, reads), steps };
  }
  const call = links.links.findIndex((l) => l.step?.arguments);
  if (call < 0) return undefined;
  const direct = links.links[call]!.name === '';
  const callee = context.resolve(readFrom(links, direct ? call : call + 1));
  const returns = callee.kind === 'function' ? context.function(callee.function)?.returns : undefined;
  const [id] = returns?.length === 1 ? resultsIn(returns[0]!.value) : [];
  const made = id === undefined ? undefined : context.chain(id);
  const inner = made && made !== chain ? builderOf(made, context, depth + 1) : undefined;
  const rest = links.links.slice(call + 1).flatMap((l) => (l.step ? [l.step] : []));
  return inner && { ...inner, steps: [...inner.steps, ...rest] };
}

/** The steps that a callback makes on its parameter: `new Brackets((qb) => qb.where(...).orWhere(...))`. */
export const callbackSteps = (callback: Value, context: LowerContext): readonly BuilderStep[] =>
  callback.kind === 'function' ? stepsOn(callback.function, 0, context, 0) : [];

/** The steps that a function makes on a parameter, itself or in what it hands the parameter on to. */
function stepsOn(id: FunctionId, index: number, context: LowerContext, depth: number): readonly BuilderStep[] {
  const f = context.function(id);
  const facts = f && context.facts(f.span.file);
  if (!f || !facts) return [];
  const isIt = (r: Value): boolean =>
    r.kind === 'parameter' && r.function === f.id && r.index === index && r.path.length === 0;
  const roots = facts.chains.filter((c) => isIt(c.receiver));
  const members = new Set(roots.flatMap((r) => familyOf(r, facts)).filter((m) => m.function === f.id));
  const handed = facts.chains.filter((c) => c.function === f.id && !members.has(c) && hands(c, isIt));
  return [...members, ...handed]
    .sort((a, b) => a.span.end - b.span.end)
    .flatMap((m) => {
      const base: CallChain = { ...m, block: 0 };
      const when = conditionOf(m, base, context);
      const steps = members.has(m) ? m.steps : addedBy(m, isIt, context, depth);
      return steps.map((s): BuilderStep => (when ? { ...s, when } : s));
    });
}

/** Whether a call is handed a builder as it is. */
const hands = (call: CallChain, isIt: (value: Value) => boolean): boolean =>
  call.steps.some((s) => s.arguments?.some(isIt));

/** What a function that is handed a builder adds to it; a condition that nobody knows where it was not found. */
function addedBy(
  call: CallChain,
  isIt: (value: Value) => boolean,
  context: LowerContext,
  depth: number,
): readonly BuilderStep[] {
  const at = call.steps.findIndex((s) => s.arguments?.some(isIt));
  const names = call.steps.slice(0, at + 1).flatMap((s) => (s.name === '' ? [] : [s.name]));
  const isDirect = call.steps.slice(0, at).every((s) => s.arguments === undefined);
  const callee = isDirect ? context.resolve(valueAt(call.receiver, names)) : undefined;
  if (callee?.kind === 'function' && depth < maxHandings)
    return call.steps[at]!.arguments!.flatMap((a, index) =>
      isIt(a) ? stepsOn(callee.function, index, context, depth + 1) : [],
    );
  const reason = 'what a function adds to the query was not followed';
  return [{ name: 'andWhere', arguments: [{ kind: 'unknown', reason }], span: call.span }];
}

/** Steps that make the query a part of another one, or give its text. */
const parts = new Set(['getQuery', 'getSql', 'getQueryAndParameters', 'subQuery', 'clone']);

/** Whether a builder that begins here runs nowhere in its function, although it does not leave it as a result: something else runs it. */
export function isHandedOn(chain: CallChain, context: LowerContext): boolean {
  const facts = context.facts(chain.span.file);
  if (!facts || !chain.steps.some((s) => s.name === 'createQueryBuilder')) return false;
  const family = familyOf(chain, facts);
  const ends = family.some(
    (m) => m.use === 'returned' || m.steps.some((s) => terminals.has(s.name) || parts.has(s.name)),
  );
  const ids = new Set(family.map((m) => m.id));
  const isGiven = facts.chains.some((c) =>
    c.steps.some((s) => s.arguments?.some((a) => resultsIn(a).some((id) => ids.has(id)))),
  );
  return !ends && isGiven;
}
