import type { Claim, LinkedAccess, Model } from '@tenant-lint/analysis';
import { valueAt, type Writes } from '@tenant-lint/model';

/**
 * What a request says that may set `column` (called `property` in code) through an object that is written whole: `data: req.body`. Undefined
 * where the object has a form that is not known, or one without that name.
 */
export function claimThroughRest(
  model: Model,
  access: LinkedAccess,
  writes: Writes,
  column: string,
  property: string,
): Claim | undefined {
  if (!writes.rest || writes.rest.except.includes(column)) return undefined;
  for (const value of writes.rest.of) {
    const standing = model.standing(access, valueAt(value, [property]));
    if (standing.kind !== 'request') continue;
    if (standing.form && !standing.form.names?.includes(property)) continue;
    return standing;
  }
  return undefined;
}
