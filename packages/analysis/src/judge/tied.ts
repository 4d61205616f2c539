import { and, type Predicate, type Target, type TargetRef } from '@tenant-lint/model';
import { areVerified } from '../trace/provenance.js';
import type { LinkedAccess } from '../model.js';
import type { Ground } from './ground.js';
import { traceable } from './own.js';
import { type Pin, pinsOf } from './selection.js';

/** Whether a condition asks for a related row that the tenant's own data or a verified identity picks. */
export function isTiedToOwn(predicate: Predicate, ground: Ground): boolean {
  if (predicate.kind === 'and') return predicate.of.some((p) => isTiedToOwn(p, ground));
  if (predicate.kind === 'either') return predicate.of.every((p) => isTiedToOwn(p, ground));
  if (predicate.kind !== 'exists' && predicate.kind !== 'in-query') return false;
  const { targets, condition } = predicate.query;
  return (
    isTiedToOwn(condition, ground) ||
    targets.some(
      (t) =>
        isTiedToOwn(t.predicate, ground) ||
        pinsOf(and(condition, t.predicate), t.ref).some(
          (p) => traceable.has(p.value.kind) && ground.own.isOwn(p.value),
        ),
    )
  );
}

/**
 * Whether each way on which a condition can hold asks for rows of whoever asks: a column of the row, or of a row it is related to, equals a
 * verified value, `OR: [{ userId: session.userId }, { teamId: { in: ownTeams } }]`.
 */
export function isHeldToCaller(
  predicate: Predicate,
  target: TargetRef,
  ground: Ground,
  /** The access on whose way the values may have been checked that related rows are asked for by. */
  access?: LinkedAccess,
  of = target,
): boolean {
  const isHeld = (p: Predicate, ref: TargetRef): boolean => isHeldToCaller(p, ref, ground, access, of);
  switch (predicate.kind) {
    case 'and':
      return predicate.of.some((p) => isHeld(p, target));
    case 'or':
    case 'either':
      return predicate.of.length > 0 && predicate.of.every((p) => isHeld(p, target));
    case 'exists': {
      const { targets, condition, arms } = predicate.query;
      return !arms && targets.some((t) => isHeld(and(condition, t.predicate), t.ref));
    }
    case 'in-query':
      return predicate.query.targets.some((t) => isHeld(and(predicate.query.condition, t.predicate), t.ref));
    default:
      return pinsOf(predicate, target).some(
        (p) =>
          traceable.has(p.value.kind) &&
          (areVerified(ground.sourcesOf(p.value)) ||
            ground.own.isOwn(p.value) ||
            (access !== undefined && target !== of && ground.standing(access, p.value).kind === 'checked')),
      );
  }
}

/** Whether a condition asks for a row of a user, and which one something else than the request says: `members: { some: { userId } }`. */
export function asksForMember(predicate: Predicate, ground: Ground): boolean {
  if (predicate.kind === 'and') return predicate.of.some((p) => asksForMember(p, ground));
  if (predicate.kind === 'either') return predicate.of.every((p) => asksForMember(p, ground));
  if (predicate.kind !== 'exists' && predicate.kind !== 'in-query') return false;
  const { targets, condition } = predicate.query;
  const isAsked = (pin: Pin, t: Target): boolean =>
    traceable.has(pin.value.kind) &&
    ground.world.column(t, pin.column).role === 'user' &&
    ground.sourcesOf(pin.value).some((s) => s.kind !== 'input' && s.kind !== 'constant');
  return (
    asksForMember(condition, ground) ||
    targets.some(
      (t) =>
        asksForMember(t.predicate, ground) || pinsOf(and(condition, t.predicate), t.ref).some((pin) => isAsked(pin, t)),
    )
  );
}
