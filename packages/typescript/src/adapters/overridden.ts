import type { Predicate } from '@tenant-lint/model';
import { unknownCondition, type Lowering } from './prisma/lowering.js';
import type { Property } from './prisma/object.js';

/** The condition of a property of a filter; one that a later spread may set anew holds or does not, and is kept as one that may be lost. */
export function settledOrLost(property: Property, condition: Predicate, l: Lowering): Predicate {
  if (!property.replaced) return condition;
  const at = property.span ? { span: property.span } : {};
  if (property.by) l.lost.push({ how: 'overridden', predicate: condition, by: property.by, ...at });
  const unknown = unknownCondition(`${property.name} may be replaced: ${property.replaced}`, property.span);
  return { kind: 'either', of: [condition, unknown], ...at };
}
