import type { Reason, Table, Target } from '@tenant-lint/model';
import type { LinkedAccess } from '../model.js';
import type { Ground } from './ground.js';
import type { Pin } from './selection.js';

/** A check on every path that ties the row, or the identifier it is chosen by, to the tenant. */
export function guardOf(
  access: LinkedAccess,
  target: Target,
  table: Table,
  pins: readonly Pin[],
  ground: Ground,
): Reason | undefined {
  const chain = access.chain === undefined ? undefined : ground.program.chain(access.chain);
  if (!access.in || !chain) return undefined;
  if (target.role === 'root' && target.operation === 'read') {
    const after = ground.loaded.checked(access, table, pins);
    if (after) return after;
  }
  for (const own of pins) {
    const checked = ground.checks.before(own.value, chain);
    if (checked) return checked;
  }
  return undefined;
}

/** The check that lets only the operator's own people reach an access. */
export function staffOnly(access: LinkedAccess, ground: Ground): Reason | undefined {
  const chain = access.chain === undefined ? undefined : ground.program.chain(access.chain);
  if (!chain) return undefined;
  const before = ground.staff.before(chain);
  if (before) return before;
  return ground.reach.of(chain.function) === 'staff'
    ? { text: 'only the staff gets here', span: access.span }
    : undefined;
}
