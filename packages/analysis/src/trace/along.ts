import { valueAt, type ChainId, type Value } from '@tenant-lint/model';
import type { Program } from '../link/program.js';

/** What a value is on one way through the program, given as the calls on it: a parameter is what the call that is on the way hands over. */
export function handedAlong(value: Value, way: readonly ChainId[], program: Program): Value {
  let at = present(value);
  for (let left = way.length; left > 0 && at.kind === 'parameter'; left--) {
    const { function: f, index, path } = at;
    const call = way.flatMap((id) => program.chain(id) ?? []).find((c) => program.calleeOf(c)?.function === f);
    const args = call?.steps[program.calleeOf(call)!.step]?.arguments;
    if (!args) return at;
    at = present(valueAt(args[index] ?? { kind: 'undefined' }, path));
  }
  return at;
}

/** Whether a test holds on one way; undefined where that cannot be said. */
export function holdsAlong(test: Value, way: readonly ChainId[], program: Program): boolean | undefined {
  const at = handedAlong(test, way, program);
  if (at.kind === 'undefined') return false;
  return at.kind === 'function' || at.kind === 'object' || at.kind === 'list' ? true : undefined;
}

const present = (value: Value): Value => (value.kind === 'missing-able' ? present(value.of) : value);
