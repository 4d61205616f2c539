import { keyOfValue, valueAt, type CallChain, type FunctionFacts, type Value } from '@tenant-lint/model';
import { lastOf } from '../judge/returns.js';
import type { Program } from './program.js';

/** How many returns a function may have for what it gives to be read as a choice. */
const maxReturns = 6;

/**
 * What a call of a function with several returns builds, as a choice of what they give: `if (!roles) return { id }; return { id, role }`.
 * Only where each is put together by the function, as a literal or by a call that `isBuilt` tells: what is merely handed on is asked for by
 * the call. Undefined otherwise.
 */
export function alternativesOf(
  value: Extract<Value, { kind: 'result' }>,
  isBuilt: (chain: CallChain) => boolean,
  program: Program,
): Value | undefined {
  const chain = program.chain(value.chain);
  const callee = chain && program.calleeOf(chain);
  const f = callee && !callee.wrapped ? program.function(callee.function) : undefined;
  const args = callee && chain.steps[callee.step]?.arguments;
  if (!f || !args || callee.step !== chain.steps.length - 1) return undefined;
  if (f.returns.length < 2 || f.returns.length > maxReturns) return undefined;
  const given = program.returnsOf(chain.id).map((v) => program.resolve(valueAt(v, value.path)));
  const isPut = (v: Value): boolean => {
    if (v.kind === 'choice') return v.of.every(isPut);
    if (v.kind === 'missing-able') return isPut(v.of);
    const made = v.kind === 'result' && v.path.length === 0 ? program.chain(v.chain) : undefined;
    return v.kind === 'object' || v.kind === 'list' || v.kind === 'undefined' || (made !== undefined && isBuilt(made));
  };
  if (!given.every(isPut) || given.every((v) => v.kind === 'undefined')) return undefined;
  const end: Value[] = endsByReturning(f) ? [] : [{ kind: 'unknown', reason: 'a function may end without a value' }];
  return [...given, ...end].reduceRight((others, one, i) => {
    const block = f.blocks[f.returns[i]!.block];
    const holds = block?.because === 'branch' ? block.holds : undefined;
    const test = holds && program.atCall(holds, f.id, args, `${chain.id}/${i}@`);
    return { kind: 'choice', of: [one, others], ...(test ? { test } : {}) };
  });
}

/** Whether every way through a part of a function ends in a return, or with an error. */
function endsByReturning(f: FunctionFacts, of = 0): boolean {
  const last = lastOf(f, of);
  if (f.returns.some((r) => r.block === last)) return true;
  const ways = f.blocks.flatMap((b, i) => (b.parent === last && b.because === 'branch' && b.holds ? [{ b, i }] : []));
  return ways.some(({ b, i }) => {
    const opposite = keyOfValue({ kind: 'apply', function: '!', to: [b.holds!] });
    const other = ways.find((way) => keyOfValue(way.b.holds!) === opposite);
    return other !== undefined && endsByReturning(f, i) && endsByReturning(f, other.i);
  });
}
