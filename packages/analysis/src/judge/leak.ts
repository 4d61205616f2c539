import type { Predicate, Reason, Table, Target, Verdict } from '@tenant-lint/model';
import type { LinkedAccess } from '../model.js';
import type { Leak } from '../prove/index.js';
import { bindsKey } from './binds.js';
import { worst } from './confidence.js';
import type { Ground } from './ground.js';
import { isForNobody, likelihoodOf } from './likelihood.js';
import { canVanish } from './missing.js';
import { proveTarget } from './question.js';
import { asRequested } from './requested.js';
import { isAlternative, wholeCondition } from './selection.js';
import type { Derived } from './sources.js';
import { isHeldToCaller, isTiedToOwn } from './tied.js';

/** The leak that the prover found: what sort it is, and how sure. */
export function leakOf(
  access: LinkedAccess,
  table: Table,
  target: Target,
  proof: Leak,
  derived: Exclude<Derived, { kind: 'safe' | 'open' }>,
  ground: Ground,
): Verdict {
  // A key that is compared only with other columns, or with constants, was not meant to say which tenant.
  const binds =
    proof.evidence === 'none' ? 'nothing' : bindsInEachWay(access, target, proof.evidence === 'vanishing', ground);
  const named = proof.evidence === 'negated' && isAlternative(wholeCondition(access, target), target.ref);
  const evidence = binds === 'nothing' || named ? 'none' : proof.evidence;
  const whole = wholeCondition(access, target);
  const confidence = worst(
    proof.confidence,
    // A key of another table: whether its rows are tied to these is what could not be shown.
    binds === 'constant' ||
      (evidence === 'negated' &&
        (binds === 'elsewhere' || isTiedToOwn(whole, ground) || isHeldToCaller(whole, target.ref, ground, access)))
      ? 'possible'
      : evidence === 'none'
        ? likelihoodOf(access, table, target, derived, ground)
        : isForNobody(access, ground) ||
            // What is left still asks for rows of whoever asks.
            (evidence === 'vanishing' &&
              (!canVanish(whole, ground.program) || isHeldToCaller(whole, target.ref, ground, access))) ||
            // What picks the row comes from where nobody knows: a column of another row.
            (evidence === 'negated' &&
              target.role !== 'root' &&
              derived.kind === 'foreign' &&
              derived.confidence === 'possible')
          ? 'possible'
          : 'certain',
  );
  const because = [...proof.because, ...(derived.kind === 'foreign' ? derived.reasons : [])];
  return {
    kind: 'leak',
    evidence,
    confidence,
    witness: proof.witness,
    because: because.length > 0 ? because : [{ text: 'no condition on the tenant', span: target.span }],
  };
}

/**
 * How the key is bound by a condition that is put together in one way or another: not at all, where only the key of another table is, and in one
 * of the ways not even that.
 */
function bindsInEachWay(
  access: LinkedAccess,
  target: Target,
  isVanishing: boolean,
  ground: Ground,
): ReturnType<typeof bindsKey> {
  const whole = wholeCondition(access, target);
  const binds = (predicate: Predicate): ReturnType<typeof bindsKey> =>
    bindsKey(target, predicate, access.targets, ground.world, isVanishing);
  const found = binds(whole);
  const isOpen = found === 'elsewhere' && !isVanishing && whole.kind === 'either';
  return isOpen && whole.of.some((way) => binds(way) === 'nothing') ? 'nothing' : found;
}

/** The leak of a condition that the request writes, undefined where it writes none or what else is asked for isolates. */
export function requestedLeak(
  access: LinkedAccess,
  table: Table,
  target: Target,
  others: readonly Target[],
  derived: Exclude<Derived, { kind: 'safe' }>,
  ground: Ground,
): Verdict | undefined {
  const { predicate, by } = asRequested(wholeCondition(access, target), (v) => ground.sourcesOf(v));
  if (by.length === 0) return undefined;
  const proof = proveTarget(target, predicate, others, ground.world, (value) => ground.own.classOf(value));
  if (proof.kind !== 'leak') return undefined;
  const leak = leakOf(access, table, target, proof, derived.kind === 'open' ? { kind: 'unpinned' } : derived, ground);
  if (leak.kind !== 'leak') return leak;
  const reasons = by.map((what): Reason => ({ text: `the condition is ${what} of the request`, span: target.span }));
  return { ...leak, confidence: worst(leak.confidence, 'likely'), because: [...reasons, ...leak.because] };
}
