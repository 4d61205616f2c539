import type { Claim, LinkedAccess, Model } from '@tenant-lint/analysis';
import { referencesOf } from '@tenant-lint/analysis';
import { defineRule } from '@tenant-lint/engine';
import type { Predicate, Table, Target, Value } from '@tenant-lint/model';
import { relatedOf } from '../../lib/evidence.js';
import { keyColumns, methodName, tableName, targetKey, tieOf } from '../../lib/naming.js';
import { claimThroughRest } from '../../lib/written.js';

export default defineRule({
  meta: {
    id: 'no-foreign-link',
    group: 'write',
    summary: 'Disallow tying a row to another one by an identifier that nothing has verified',
    since: 'next',
    severity: 'error',
    recommended: true,
    hosts: ['typescript'],
    needs: ['schema', 'code'],
    catalogue: ['C-36', 'C-37', 'C-46', 'C-48'],
    messages: {
      linked: {
        what: '{method} on {table} refers to the row of {other} that {source} of the request names.',
        why: "It may be another tenant's, and whoever reads {table} together with {other} is shown it.",
        fix: 'Look the row up within the tenant first, or let {table} refer to it by {tie} and id together.',
      },
      mass: {
        what: '{method} on {table} writes whatever {source} of the request holds, also which row of {other} it refers to.',
        why: "It may be another tenant's, and whoever reads {table} together with {other} is shown it.",
        fix: 'Name the columns that may be set, and look the row of {other} up within the tenant first.',
      },
    },
  },
  subject: 'access',
  *check(access, model) {
    const seen = new Set<string>();
    for (const target of access.targets) {
      const table = model.tableOf(target);
      if (!table || !('constraints' in table)) continue;
      const found = linkOn(model, access, target, table);
      if (!found || seen.has(found.other)) continue;
      seen.add(found.other);
      yield {
        message: found.how,
        data: {
          method: methodName(access),
          table: tableName(table.id),
          other: tableName(found.other),
          tie: tieOf(model.tenancyOf(found.other)),
          source: found.claim.what,
        },
        span: access.span,
        confidence: isLookedUp(model, access, found)
          ? 'possible'
          : found.claim.confidence === 'certain'
            ? 'likely'
            : 'possible',
        table: table.id,
        related: relatedOf(
          [{ text: 'it is read from the request here', span: found.claim.place }, ...found.claim.because],
          access.span,
        ),
        key: `${targetKey(model, access, target, table)} ${found.other}`,
      };
    }
  },
});

/** Whether a query asks for the row that the request names: what comes of that is not seen here. A query that leaks asks nothing. */
const isLookedUp = (model: Model, written: LinkedAccess, { other, claim }: Link): boolean =>
  model.accesses.some((access) =>
    access.targets.some(
      (t) =>
        t.operation === 'read' &&
        t.role === 'root' &&
        model.tableOf(t)?.id === other &&
        model.verdict(access, t).kind !== 'leak' &&
        (access.function === written.function || isByList(t.predicate)) &&
        comparedWith(t.predicate, t).some((value) => {
          const standing = model.standing(access, value);
          return standing.kind === 'request' && isSameClaim(standing, claim);
        }),
    ),
  );

/** Whether two claims may be made by the same part of a request. */
const isSameClaim = (a: Claim, b: Claim): boolean => {
  const [one, other] = [a.property ?? [], b.property ?? []];
  return a.entry === b.entry && a.what === b.what && one.every((name, i) => i >= other.length || other[i] === name);
};

interface Link {
  readonly how: 'linked' | 'mass';
  readonly other: string;
  readonly claim: Claim;
}

function linkOn(model: Model, access: LinkedAccess, target: Target, table: Table): Link | undefined {
  const isWrite = target.operation === 'create' || target.operation === 'update' || target.operation === 'upsert';
  const tenancy = model.tenancyOf(table.id);
  if (!isWrite || (tenancy.kind !== 'keyed' && tenancy.kind !== 'child')) return undefined;
  const own = keyColumns(tenancy);
  for (const reference of referencesOf(table)) {
    const [column, ...more] = reference.columns;
    // A reference that carries the tenant, or says whose the row is, is another question.
    if (column === undefined || more.length > 0) continue;
    if (own.includes(column) && !isPlacedByOther(model, access, target, own, column)) continue;
    const other = model.tenancyOf(reference.to).kind;
    if (other !== 'keyed' && other !== 'child') continue;
    const property = table.columns.get(column)?.property ?? column;
    for (const writes of [target.writes, target.updates]) {
      const value = writes?.set[column];
      const claim = value && claimOf(model, access, target, column, value);
      if (claim && !isScopedConnect(model, access, reference.to)) return { how: 'linked', other: reference.to, claim };
      const mass =
        writes &&
        !isMovable(model, access, target, table, own) &&
        claimThroughRest(model, access, writes, column, property);
      if (mass) return { how: 'mass', other: reference.to, claim: mass };
    }
  }
  return target.role === 'nested-write' && target.operation === 'update'
    ? connected(model, access, target, table)
    : undefined;
}

/** Whether a new row says whose it is by another column, so that this one links two rows: the team in `{ workspaceId: own.id, teamId }`. */
const isPlacedByOther = (
  model: Model,
  access: LinkedAccess,
  target: Target,
  keys: readonly string[],
  column: string,
): boolean =>
  target.operation === 'create' &&
  keys.some((key) => {
    const value = key === column ? undefined : target.writes?.set[key];
    const standing = value && model.standing(access, value).kind;
    return standing === 'own' || standing === 'checked';
  });

/** Where an update may set the tenant itself, that is what has to be said. */
const isMovable = (
  model: Model,
  access: LinkedAccess,
  target: Target,
  table: Table,
  keys: readonly string[],
): boolean => {
  const writes = target.operation === 'update' ? target.writes : target.updates;
  return (
    writes !== undefined &&
    keys.some(
      (key) => claimThroughRest(model, access, writes, key, table.columns.get(key)?.property ?? key) !== undefined,
    )
  );
};

function claimOf(model: Model, access: LinkedAccess, target: Target, column: string, value: Value): Claim | undefined {
  if (value.kind === 'undefined' || isFoundBy(target.predicate, column)) return undefined;
  const standing = model.standing(access, value);
  return standing.kind === 'request' ? standing : undefined;
}

/** Rows that already have the value are found by it. */
function isFoundBy(predicate: Predicate, column: string): boolean {
  if (predicate.kind === 'and') return predicate.of.some((p) => isFoundBy(p, column));
  return (
    predicate.kind === 'compare' &&
    predicate.operator === '=' &&
    [predicate.left, predicate.right].some((s) => s.kind === 'column' && s.column === column)
  );
}

/** Whether the row that is connected is found within the tenant: `connect: { id, organizationId }`. */
const isScopedConnect = (model: Model, access: LinkedAccess, table: string): boolean =>
  access.targets.some(
    (t) =>
      t.role === 'nested-write' &&
      t.operation !== 'create' &&
      model.tableOf(t)?.id === table &&
      model.verdict(access, t).kind === 'isolated' &&
      model.claim(access, t) === undefined,
  );

/** A row of the other side that is tied to this one by what the request says: `tags: { connect: ids }`. */
function connected(model: Model, access: LinkedAccess, target: Target, table: Table): Link | undefined {
  // Rows that are tied through a table of their own are not written themselves; what is only untied sets nothing.
  if (target.writes && Object.keys(target.writes.set).length === 0) return undefined;
  if (model.verdict(access, target).kind !== 'leak') return undefined;
  for (const value of comparedWith(target.predicate, target)) {
    const standing = model.standing(access, value);
    if (standing.kind === 'request') return { how: 'linked', other: table.id, claim: standing };
  }
  return undefined;
}

/** A list is looked up by a function of its own more often than in the place where it is written. */
const isByList = (predicate: Predicate): boolean =>
  predicate.kind === 'in' || (predicate.kind === 'and' && predicate.of.some(isByList));

function comparedWith(predicate: Predicate, target: Target): readonly Value[] {
  if (predicate.kind === 'and') return predicate.of.flatMap((p) => comparedWith(p, target));
  if (predicate.kind === 'in') return predicate.left.kind === 'column' ? predicate.right : [];
  if (predicate.kind !== 'compare' || predicate.operator !== '=') return [];
  return [predicate.left, predicate.right].filter((s) => s.kind !== 'column');
}
