import type { Value } from '@tenant-lint/model';

/** The value inside the wrappers that only say that it may be missing. */
export const bare = (value: Value): Value => (value.kind === 'missing-able' ? bare(value.of) : value);

/** Whether a value may be missing at run time. `certain`: syntax shows that it may. */
export function missing(value: Value): 'never' | 'possible' | 'certain' | 'always' {
  switch (value.kind) {
    case 'undefined':
      return 'always';
    case 'missing-able':
      return value.certain ? 'certain' : 'possible';
    case 'choice': {
      const all = value.of.map(missing);
      if (all.every((m) => m === 'always')) return 'always';
      if (all.some((m) => m === 'always' || m === 'certain')) return 'certain';
      return all.includes('possible') ? 'possible' : 'never';
    }
    default:
      return 'never';
  }
}
