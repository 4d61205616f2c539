import {
  and,
  sameValue,
  type CallChain,
  type Predicate,
  type Query,
  type Table,
  type Target,
  type TargetRef,
  type Value,
} from '@tenant-lint/model';
import type { LinkedAccess } from '../model.js';
import { uniqueKeys } from '../fold/index.js';

/** A condition `column = value` that every reached row of a target satisfies. */
export interface Pin {
  readonly column: string;
  readonly value: Value;
  /** One of several values: `IN (...)`. */
  readonly several: boolean;
}

/**
 * What the rows that a query looks for have to equal: a check by `{ organizationId: { not: id }, userId }` finds the caller's other
 * memberships. Undefined where the chain is no query that was understood.
 */
export function lookedForBy(accesses: readonly LinkedAccess[], chain: CallChain): readonly Value[] | undefined {
  const own = accesses.filter((a) => a.chain === chain.id);
  if (own.length === 0 || own.some((a) => a.targets.some((t) => !t.table.known))) return undefined;
  return own.flatMap((a) => a.targets.flatMap((t) => soughtBy(t.predicate, t.ref)));
}

/** What rows, and the ones that have to be related to them, are asked for by: `{ userId, organization: { documents: { some: { id } } } }`. */
function soughtBy(predicate: Predicate, target: TargetRef): readonly Value[] {
  if (predicate.kind === 'and') return predicate.of.flatMap((p) => soughtBy(p, target));
  if (predicate.kind === 'exists' && !predicate.query.arms) {
    const { targets, condition } = predicate.query;
    return targets.flatMap((t) => soughtBy(and(condition, t.predicate), t.ref));
  }
  return pinsOf(predicate, target).map((pin) => pin.value);
}

/** The equalities that hold for every row of `target` that the predicate lets through. */
export function pinsOf(predicate: Predicate, target: TargetRef): readonly Pin[] {
  switch (predicate.kind) {
    case 'and':
      return predicate.of.flatMap((p) => pinsOf(p, target));
    case 'compare':
      if (predicate.operator !== '=' && predicate.operator !== 'is not distinct from') return [];
      return [pin(predicate.left, predicate.right, target), pin(predicate.right, predicate.left, target)].flatMap(
        (p) => p ?? [],
      );
    case 'in': {
      const column = columnOf(predicate.left, target);
      if (column === undefined) return [];
      const only = predicate.right[0];
      if (predicate.right.length === 1 && only && !predicate.open) return [{ column, value: only, several: false }];
      return [{ column, value: { kind: 'list', of: predicate.right.map((value) => ({ value })) }, several: true }];
    }
    // Alternatives that ask for the same value, `id = x OR slug = x`: the row that this value names.
    case 'or': {
      const arms = predicate.of.map((p) => pinsOf(p, target));
      const [first] = arms[0] ?? [];
      const isSame = first && arms.every((pins) => pins.length === 1 && sameValue(pins[0]!.value, first.value));
      return isSame ? [first] : [];
    }
    // `ids.length > 0 ? inArray(id, ids) : false`: what lets no row through does not count.
    case 'either': {
      const parts = predicate.of.filter((p) => !isNothing(p));
      if (parts.length === 1) return parts.length < predicate.of.length ? pinsOf(parts[0]!, target) : [];
      // Whichever column it is compared with, `isUuid(x) ? eq(id, x) : eq(slug, x)`: the row that this value names.
      const arms = parts.map((p) => pinsOf(p, target));
      const [first] = arms[0] ?? [];
      const isSame = first && arms.every((pins) => pins.some((p) => sameValue(p.value, first.value)));
      return isSame ? [first] : [];
    }
    case 'exists':
      return pinsThrough(predicate.query, target);
    default:
      return [];
  }
}

/** What a related row has to equal, the column that refers to it does too: `{ team: { id: x } }` is `teamId = x`. */
function pinsThrough(query: Query, target: TargetRef): readonly Pin[] {
  if (query.arms) return [];
  return query.targets.flatMap((other) => {
    const whole = and(other.predicate, query.condition);
    const joined = joinedColumns(whole, target, other.ref);
    return pinsOf(whole, other.ref).flatMap((p): Pin[] => {
      const own = p.value.kind === 'column' ? undefined : joined.get(p.column);
      return own === undefined ? [] : [{ ...p, column: own }];
    });
  });
}

/** The columns of `target` that a conjunction sets equal to columns of `other`, by these. */
function joinedColumns(predicate: Predicate, target: TargetRef, other: TargetRef): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const part of conjuncts(predicate)) {
    if (part.kind !== 'compare' || part.operator !== '=') continue;
    for (const [here, there] of [
      [part.left, part.right],
      [part.right, part.left],
    ] as const) {
      const [own, others] = [columnOf(here, target), columnOf(there, other)];
      if (own !== undefined && others !== undefined) found.set(others, own);
    }
  }
  return found;
}

const conjuncts = (predicate: Predicate): readonly Predicate[] =>
  predicate.kind === 'and' ? predicate.of.flatMap(conjuncts) : [predicate];

const isNothing = (predicate: Predicate): boolean =>
  predicate.kind === 'never' ||
  (predicate.kind === 'value' &&
    predicate.of.kind === 'constant' &&
    (predicate.of.value === false || predicate.of.value === 0));

/** Like pinsOf, with the equalities of parts that are left out where a value is missing. */
export function comparisonsOf(predicate: Predicate, target: TargetRef): readonly Pin[] {
  if (predicate.kind === 'and' || predicate.kind === 'either')
    return predicate.of.flatMap((p) => comparisonsOf(p, target));
  return predicate.kind === 'optional' ? comparisonsOf(predicate.of, target) : pinsOf(predicate, target);
}

/** Whether a condition is no more than a choice of names for one row: `id = x OR slug = x`. */
export const isAlternative = (predicate: Predicate, target: TargetRef): boolean =>
  (predicate.kind === 'and' ? predicate.of : [predicate]).some(
    (p) => p.kind === 'or' && pinsOf(p, target).length === 1,
  );

function pin(left: Value, right: Value, target: TargetRef): Pin | undefined {
  const column = columnOf(left, target);
  return column === undefined ? undefined : { column, value: right, several: false };
}

function columnOf(value: Value, target: TargetRef): string | undefined {
  if (value.kind === 'column') return value.target === target ? value.column : undefined;
  if (value.kind === 'apply' && value.function.startsWith('cast:') && value.to[0]) return columnOf(value.to[0], target);
  return undefined;
}

/** The columns of the smallest unique key of a table that pins bind completely; empty where several rows can match. */
export function pinnedKey(pins: readonly Pin[], table: Table): readonly string[] {
  const bound = new Set(pins.map((p) => p.column));
  const keys = uniqueKeys(table).filter((key) => key.length > 0 && key.every((column) => bound.has(column)));
  return [...keys].sort((a, b) => a.length - b.length)[0] ?? [];
}

/** The targets whose columns a conjunction ties to columns of `target`. */
export function joinedRefs(predicate: Predicate, target: TargetRef): ReadonlySet<TargetRef> {
  const refs = new Set<TargetRef>();
  for (const part of predicate.kind === 'and' ? predicate.of : [predicate]) {
    if (part.kind === 'related') refs.add(part.to === target ? part.target : part.to);
    if (part.kind !== 'compare' || part.operator !== '=' || part.left.kind !== 'column' || part.right.kind !== 'column')
      continue;
    const [left, right] = [part.left.target, part.right.target];
    if (left === target && right !== undefined && right !== target) refs.add(right);
    if (right === target && left !== undefined && left !== target) refs.add(left);
  }
  return refs;
}

/** The condition of a target together with that of the target it is reached through. */
export function wholeCondition(access: LinkedAccess, target: Target): Target['predicate'] {
  if (target.role !== 'nested-write') return target.predicate;
  const root = access.targets.find((t) => t.role === 'root' && t.ref !== target.ref);
  return root ? and(target.predicate, root.predicate) : target.predicate;
}
