import type { Predicate, Target, TargetRef, Value } from '@tenant-lint/model';
import type { World } from '../prove/index.js';

/**
 * Leaves out the conjuncts that can say nothing about tenancy: conditions on plain columns only. Leaving a
 * conjunct out admits more rows, never fewer, so no leak is lost; and since such a condition holds for some row of any tenant, none is
 * invented.
 */
export function slice(predicate: Predicate, targets: readonly Target[], world: World): Predicate {
  const byRef = new Map<TargetRef, Target>(targets.map((t) => [t.ref, t]));
  if (predicate.kind !== 'and') return isPlain(predicate, byRef, world) ? unrelated : predicate;
  const of = predicate.of.filter((part) => !isPlain(part, byRef, world));
  if (of.length === predicate.of.length) return predicate;
  const [only] = of;
  if (of.length === 1 && only) return only;
  return of.length === 0 ? unrelated : { ...predicate, of };
}

const unrelated: Predicate = { kind: 'always', why: 'no condition on the tenant' };

function isPlain(predicate: Predicate, targets: ReadonlyMap<TargetRef, Target>, world: World): boolean {
  const plain = (value: Value): boolean => {
    switch (value.kind) {
      case 'column': {
        const target = value.target === undefined ? undefined : targets.get(value.target);
        return target !== undefined && world.column(target, value.column).role === 'plain';
      }
      case 'constant':
      case 'parameter':
      case 'result':
      case 'import':
      case 'binding':
      case 'global':
      case 'this':
      case 'input':
      case 'instance':
        return true;
      case 'missing-able':
      case 'element':
        return plain(value.of);
      // What a function makes of plain values is compared with a plain column.
      case 'apply':
        return value.to.every(plain);
      case 'text':
        return value.parts.every((part) => !('hole' in part) || plain(part.hole));
      default:
        return false;
    }
  };
  switch (predicate.kind) {
    case 'compare':
      // `1 = 0` holds for no row of any tenant.
      if (predicate.left.kind === 'constant' && predicate.right.kind === 'constant') return false;
      return plain(predicate.left) && plain(predicate.right);
    case 'in':
      return plain(predicate.left) && predicate.right.every(plain);
    case 'null':
      return plain(predicate.of);
    case 'and':
    case 'or':
    case 'either':
      return predicate.of.every((part) => isPlain(part, targets, world));
    case 'not':
      return isPlain(predicate.of, targets, world);
    case 'optional':
      return isPlain(predicate.of, targets, world) && predicate.otherwise.kind === 'always';
    default:
      return false;
  }
}
