import { always, and, type LowerContext, type Predicate, type Value } from '@tenant-lint/model';
import type { Filter } from './filters.js';

/** Filters that statements of one branch add. */
export interface Group {
  /** Only on paths where this holds. */
  readonly when: Value | undefined;
  readonly filters: readonly Filter[];
}

const why = 'the filter is added on some paths only';

/** Filters as they hold on all paths: one that some paths add may be absent, and of two opposite branches one or the other holds. */
export function onTheirPaths(groups: readonly Group[], context: LowerContext): readonly Filter[] {
  const found: Filter[] = [];
  for (let i = 0; i < groups.length; i++) {
    const { when, filters } = groups[i]!;
    if (!when) {
      found.push(...filters);
      continue;
    }
    const next = groups[i + 1];
    const own = filters.filter((f) => f.path.length === 0);
    if (next?.when && isNegation(next.when, when)) {
      const other = next.filters.filter((f) => f.path.length === 0);
      found.push({
        path: [],
        predicate: (place): Predicate => {
          const all = (list: readonly Filter[]): Predicate =>
            and(always('no condition'), ...list.map((f) => f.predicate(place)));
          return { kind: 'either', of: [all(own), all(other)], test: when };
        },
      });
      found.push(
        ...[...filters, ...next.filters].flatMap((f) => (f.path.length > 0 ? [perhaps(f, when, context)] : [])),
      );
      i++;
    } else found.push(...filters.map((f) => perhaps(f, when, context)));
  }
  return found;
}

const perhaps = (filter: Filter, when: Value, context: LowerContext): Filter => ({
  path: filter.path,
  predicate: (place): Predicate => ({
    kind: 'optional',
    of: filter.predicate(place),
    on: declared(when, context),
    otherwise: always('no condition'),
    why,
  }),
});

/** The tested value, marked where its declaration shows that it may be missing. */
function declared(value: Value, context: LowerContext): Value {
  if (value.kind !== 'parameter') return value;
  const own = context.function(value.function)?.parameters[value.index];
  const type = context.typeOf(value);
  const optional =
    type?.optional === true || type?.nullable === true || (value.path.length === 0 && own?.optional === true);
  return optional ? { kind: 'missing-able', of: value, how: 'undefined', certain: true } : value;
}

const opposites: Readonly<Record<string, string>> = { '===': '!==', '!==': '===', '==': '!=', '!=': '==' };

function isNegation(a: Value, b: Value): boolean {
  const same = (x: unknown, y: unknown): boolean => JSON.stringify(x) === JSON.stringify(y);
  if (a.kind === 'apply' && a.function === '!' && same(a.to[0], b)) return true;
  if (b.kind === 'apply' && b.function === '!' && same(b.to[0], a)) return true;
  return a.kind === 'apply' && b.kind === 'apply' && opposites[a.function] === b.function && same(a.to, b.to);
}
