import { sameValue, truthinessOf, valueAt, type CallChain, type FunctionFacts, type Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';
import { atomsAt, stripped, type Atom } from './conditions.js';

/** A place in a function: a block, and the offset up to which its text has run. */
export interface Place {
  readonly f: FunctionFacts;
  readonly block: number;
  readonly offset: number;
  /** The call that is being looked into: what the function's parameters are. */
  readonly caller?: { readonly chain: CallChain; readonly arguments: readonly Value[]; readonly at: Place };
}

/**
 * The ends of a called function after which its caller can be at `at`: every return whose value agrees with what the caller found out about it
 * (`if (result.error) return`, `if (r instanceof Response) return r`, `if (!found) throw`), and the end of a body that returns nothing.
 */
export function endsBefore(chain: CallChain, callee: FunctionFacts, at: Place, program: Program): readonly Place[] {
  const learned = atomsAt(at.f, at.block).flatMap((atom) => aboutResult(atom, chain));
  const ends: Place[] = callee.returns
    .filter((r) => learned.every((l) => agrees(program.resolve(r.value), l, program)))
    .map((r) => ({ f: callee, block: r.block, offset: r.span.start }));
  // Where no return has a value the body can also run off its end; where one has, it seldom does.
  const falls =
    callee.returns.every((r) => r.value.kind === 'undefined') &&
    learned.every((l) => agrees({ kind: 'undefined' }, l, program));
  return falls ? [...ends, { f: callee, block: lastOf(callee), offset: callee.span.end }] : ends;
}

/** The block at the end of a body, or of a part of it: what remains after every early exit on the way. */
export function lastOf(f: FunctionFacts, of = 0): number {
  let last = of;
  f.blocks.forEach((block, index) => {
    if (block.because === 'exit' && block.parent === last) last = index;
  });
  return last;
}

interface Learned {
  readonly path: readonly string[];
  readonly holds: boolean;
  /** That the property equals this value, or is an instance of it; absent where it is truthy. */
  readonly equals?: Value;
  readonly instanceOf?: Value;
}

function aboutResult({ value, holds }: Atom, chain: CallChain): readonly Learned[] {
  const own = stripped(value);
  const path = pathOf(own, chain);
  if (path) return [{ path, holds }];
  if (own.kind !== 'apply' || own.to.length !== 2) return [];
  const side = own.to.findIndex((v) => pathOf(stripped(v), chain) !== undefined);
  const other = own.to[1 - side];
  const found = own.to[side];
  if (!found || !other) return [];
  const read = pathOf(stripped(found), chain)!;
  if (own.function === '===') return [{ path: read, holds, equals: stripped(other) }];
  if (own.function === 'instanceof' && side === 0) return [{ path: read, holds, instanceOf: other }];
  // `'error' in result`
  if (own.function === 'in' && side === 1 && other.kind === 'constant')
    return [{ path: [...read, String(other.value)], holds }];
  return [];
}

const pathOf = (value: Value, chain: CallChain): readonly string[] | undefined =>
  value.kind === 'result' && value.chain === chain.id ? value.path : undefined;

/** Whether a returned value can be what the caller found it to be; what cannot be decided can. */
function agrees(returned: Value, learned: Learned, program: Program): boolean {
  const value = stripped(valueAt(returned, learned.path));
  if (value.kind === 'choice') return value.of.some((v) => agrees(v, { ...learned, path: [] }, program));
  if (learned.instanceOf) {
    const made = classOf(value, program);
    if (made === undefined) return true;
    return made === 'other' ? !learned.holds : sameClass(made, learned.instanceOf, program) === learned.holds;
  }
  if (learned.equals) {
    const wanted = learned.equals;
    const nothing = wanted.kind === 'undefined' || (wanted.kind === 'constant' && wanted.value === null);
    if (nothing && isThere(value) === true) return !learned.holds;
    if (!isLiteral(value) || !isLiteral(wanted)) return true;
    return (sameValue(value, wanted) || (nothing && isThere(value) === false)) === learned.holds;
  }
  const there = truthinessOf(value);
  return there === undefined || there === learned.holds;
}

const isLiteral = (value: Value): boolean => value.kind === 'constant' || value.kind === 'undefined';

function isThere(value: Value): boolean | undefined {
  if (value.kind === 'undefined') return false;
  if (value.kind === 'constant') return value.value !== null;
  return truthinessOf(value);
}

/** The class of a value: what made it, `other` for a literal, undefined where nobody knows. */
function classOf(value: Value, program: Program): Value | 'other' | undefined {
  if (value.kind === 'instance') return value.of;
  if (value.kind === 'object' || value.kind === 'list' || isLiteral(value)) return 'other';
  if (value.kind !== 'result' || value.path.length > 0) return undefined;
  // `Response.json(...)`, `NextResponse.redirect(...)`: what a static method of a response class makes is a response.
  const { receiver } = program.chain(value.chain) ?? {};
  return receiver && nameOf(receiver)?.endsWith('Response') ? receiver : undefined;
}

const nameOf = (value: Value): string | undefined => ('name' in value ? value.name : undefined);

/** `NextResponse` is a `Response`. */
function sameClass(made: Value, wanted: Value, program: Program): boolean {
  const [a, b] = [program.resolve(made), program.resolve(wanted)];
  const [name, other] = [nameOf(a), nameOf(b)];
  return sameValue(a, b) || (name !== undefined && other === 'Response' && name.endsWith('Response'));
}
