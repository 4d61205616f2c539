import { always, type Predicate, type Reason, type Target, type Value } from '@tenant-lint/model';
import { prove, type Proof, type ValueClass, type World } from '../prove/index.js';
import { mentionedRefs, slice } from './slice.js';

export type { Proof };

/** Asks the prover about one target: `classify` says what traced values are. */
export function proveTarget(
  target: Target,
  predicate: Predicate,
  others: readonly Target[],
  world: World,
  classify: (value: Value) => ValueClass | undefined,
): Proof {
  const sliced = slice(predicate, [target, ...others], world);
  const mentioned = mentionedRefs(sliced);
  // The predicate of a target holds the conditions of what it is joined with already.
  const joined = others
    .filter((t) => mentioned.has(t.ref))
    .map((t) => ({ ...t, predicate: always('stated by the question') }));
  return prove({ target, predicate: sliced, others: joined, world: withClasses(world, classify) });
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
