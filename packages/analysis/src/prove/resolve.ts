import {
  mapAccess,
  mapPredicate,
  mapQuery,
  mapValue,
  type Access,
  type Predicate,
  type Query,
  type Target,
  type TargetRef,
  type Value,
  type ValueOf,
} from '@tenant-lint/model';
import { isPredicate, targetsIn } from './walk.js';

/** The columns of a target's table; undefined where they are not (completely) known. */
export type ColumnsOf = (target: Target) => ReadonlySet<string> | undefined;

/** An unqualified name that an inner scope took although an outer target has a column of that name too. */
export interface CapturedName {
  readonly column: string;
  /** The target it is bound to. */
  readonly by: TargetRef;
  /** The outer target whose column the author may have meant. */
  readonly instead: TargetRef;
  readonly value: ValueOf<'column'>;
}

export interface ResolveOptions {
  /** Targets in scope that are no part of the tree: `self` in a policy. */
  readonly targets?: readonly Target[];
  /** Told of each captured name. */
  readonly captured?: (name: CapturedName) => void;
}

/**
 * Binds unqualified columns as Postgres does: the innermost scope that has a column of that name takes it. A scope with a target whose
 * columns are not known takes the name only where no other scope surely has it; where nothing is known of any scope, a name with a single
 * possible owner is bound to it, and everything else becomes `unknown`, or the column's `otherwise`. Never throws.
 */
export function resolveColumns<T extends Predicate | Query | Value | Access>(
  tree: T,
  columnsOf: ColumnsOf,
  options: ResolveOptions = {},
): T {
  const targets = new Map<TargetRef, Target>();
  for (const target of options.targets ?? []) targets.set(target.ref, target);
  for (const target of targetsIn(tree)) targets.set(target.ref, target);
  const bind = (value: Value): Value =>
    value.kind === 'column' && value.target === undefined ? bound(value, targets, columnsOf, options.captured) : value;
  return mapTree(tree, bind) as T;
}

function mapTree(tree: Predicate | Query | Value | Access, f: (value: Value) => Value): unknown {
  if ('library' in tree) return mapAccess(tree, f);
  if (!('kind' in tree)) return mapQuery(tree, f);
  return isPredicate(tree) ? mapPredicate(tree, f) : mapValue(tree, f);
}

function bound(
  value: ValueOf<'column'>,
  targets: ReadonlyMap<TargetRef, Target>,
  columnsOf: ColumnsOf,
  captured: ResolveOptions['captured'],
): Value {
  const scopes = value.candidates ?? [];
  let maybe: TargetRef[] = [];
  for (const [depth, scope] of scopes.entries()) {
    const owner = scope.find((ref) => hasColumn(ref, value.column, targets, columnsOf) === true);
    if (owner !== undefined) {
      // A scope further in may have it as well, but nothing says so.
      const instead = scopes
        .slice(depth + 1)
        .flat()
        .find((ref) => hasColumn(ref, value.column, targets, columnsOf) === true);
      const { candidates: _, otherwise: __, ...rest } = value;
      const column: ValueOf<'column'> = { ...rest, target: owner };
      if (instead !== undefined) captured?.({ column: value.column, by: owner, instead, value: column });
      return column;
    }
    maybe = [...maybe, ...scope.filter((ref) => hasColumn(ref, value.column, targets, columnsOf) === undefined)];
  }
  if (value.otherwise && maybe.length === 0) return value.otherwise;
  const only = maybe[0];
  if (maybe.length === 1 && only !== undefined && !value.otherwise) {
    const { candidates: _, otherwise: __, ...rest } = value;
    return { ...rest, target: only };
  }
  if (value.otherwise) return value.otherwise;
  const reason =
    maybe.length === 0
      ? `no table in scope has a column ${value.column}`
      : `which table the column ${value.column} belongs to`;
  return { kind: 'unknown', reason };
}

function hasColumn(
  ref: TargetRef,
  column: string,
  targets: ReadonlyMap<TargetRef, Target>,
  columnsOf: ColumnsOf,
): boolean | undefined {
  const target = targets.get(ref);
  return target && columnsOf(target)?.has(column);
}
