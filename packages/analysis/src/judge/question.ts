import { always, type Predicate, type Reason, type Target, type Value } from '@tenant-lint/model';
import { describeValue } from '../prove/describe.js';
import { prove, type Isolated, type Proof, type ValueClass, type World } from '../prove/index.js';
import { refsIn } from '../prove/walk.js';
import { slice } from './slice.js';

export type { Proof };

/** Asks the prover about one target: `classify` says what traced values are. */
export function proveTarget(
  target: Target,
  predicate: Predicate,
  others: readonly Target[],
  world: World,
  classify: (value: Value) => ValueClass | undefined,
): Proof {
  const bound = boundKey(target, predicate, world, classify);
  if (bound) return bound;
  const sliced = slice(predicate, [target, ...others], world);
  const mentioned = refsIn(sliced);
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
    parameter: (f, index) => world.parameter?.(f, index),
    classify,
    ...(world.settings ? { settings: world.settings } : {}),
  };
}

/**
 * The commonest answer without a search: a conjunct compares a key of the row with the tenant for equality, and no other conjunct can make
 * up for a comparison that is false. Undefined where it is not that simple.
 */
function boundKey(
  target: Target,
  predicate: Predicate,
  world: World,
  classify: (value: Value) => ValueClass | undefined,
): Isolated | undefined {
  let claimed: Isolated | undefined;
  for (const part of predicate.kind === 'and' ? predicate.of : [predicate]) {
    if (part.kind !== 'compare' || part.operator !== '=') continue;
    for (const [key, value] of [
      [part.left, part.right],
      [part.right, part.left],
    ] as const) {
      if (key.kind !== 'column' || key.target !== target.ref || world.column(target, key.column).role !== 'key')
        continue;
      const found = classify(value);
      if (found !== 'tenant-verified' && found !== 'tenant-unverified') continue;
      const text = `${world.name?.(target) ?? target.ref}.${key.column} = ${describeValue(value, (f, index) => world.parameter?.(f, index))}`;
      const because = [part.span ? { text, span: part.span } : { text }];
      const proof = { kind: 'isolated', restsOn: [], assumptions: [], references: [], because } as const;
      if (found === 'tenant-verified') return { ...proof, evidence: 'isolated' };
      claimed ??= { ...proof, evidence: 'unverified', restsOn: [value] };
    }
  }
  return claimed;
}

/** Assumptions of a proof as reasons. */
export const assumptionsOf = (assumptions: readonly string[]): readonly Reason[] =>
  assumptions.map((text) => ({ text: `as far as ${text}` }));
