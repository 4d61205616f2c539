import type { Predicate, Reason, Target, Value } from '@tenant-lint/model';
import { prove, type Proof, type ValueClass, type World } from '../prove/index.js';

export type { Proof };

/** Asks the prover about one target: `classify` says what traced values are. */
export function proveTarget(
  target: Target,
  predicate: Predicate,
  others: readonly Target[],
  world: World,
  classify: (value: Value) => ValueClass | undefined,
): Proof {
  return prove({ target, predicate, others, world: withClasses(world, classify) });
}

function withClasses(world: World, classify: (value: Value) => ValueClass | undefined): World {
  return {
    tenancy: (t) => world.tenancy(t),
    column: (t, c) => world.column(t, c),
    function: (name, args) => world.function?.(name, args),
    name: (t) => world.name?.(t) ?? t.ref,
    classify,
    ...(world.settings ? { settings: world.settings } : {}),
  };
}

/** Assumptions of a proof as reasons. */
export const assumptionsOf = (assumptions: readonly string[]): readonly Reason[] =>
  assumptions.map((text) => ({ text: `as far as ${text}` }));
