import type { Predicate } from '@tenant-lint/model';
import { bareValue } from './conditions.js';

/** What a condition comes out as whatever the row; undefined where that is not plain to see. NULL counts as false: it lets no row through. */
export function constantOf(predicate: Predicate): boolean | undefined {
  switch (predicate.kind) {
    case 'always':
      return true;
    case 'never':
      return false;
    case 'value': {
      const of = bareValue(predicate.of);
      if (of.kind !== 'constant') return undefined;
      return of.value === null ? false : typeof of.value === 'boolean' ? of.value : undefined;
    }
    case 'compare': {
      const [left, right] = [bareValue(predicate.left), bareValue(predicate.right)];
      if (left.kind !== 'constant' || right.kind !== 'constant') return undefined;
      if (left.value === null || right.value === null) return false;
      if (predicate.operator === '=') return left.value === right.value;
      return predicate.operator === '<>' || predicate.operator === '!=' ? left.value !== right.value : undefined;
    }
    case 'not': {
      const of = constantOf(predicate.of);
      return of === undefined || holdsNull(predicate.of) ? undefined : !of;
    }
    case 'and':
    case 'or': {
      const decisive = predicate.kind === 'or';
      const parts = predicate.of.map(constantOf);
      if (parts.includes(decisive)) return decisive;
      return parts.includes(undefined) ? undefined : !decisive;
    }
    default:
      return undefined;
  }
}

const holdsNull = (predicate: Predicate): boolean => JSON.stringify(predicate).includes('"value":null');
