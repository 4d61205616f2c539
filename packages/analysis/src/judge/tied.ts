import { and, type Predicate, type Target } from '@tenant-lint/model';
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
