import type { Constraint, Index, Table, TableId, Tenancy } from '@tenant-lint/model';
import type { Model } from '../model.js';
import { matched, withoutPlaces, type Change } from './change.js';
import { policyChanges } from './policies.js';

/** What became of the tables, their keys, constraints, indexes, row security and policies. */
export function* tableChanges(before: Model, after: Model): Iterable<Change> {
  const { removed, added, both } = matched(before.schema.tables.values(), after.schema.tables.values(), (t) => t.id);
  for (const table of removed) {
    yield {
      thing: 'table',
      what: 'removed',
      name: table.id,
      table: table.id,
      effect: 'neutral',
      text: `table ${table.id} is gone`,
      before: table.origin.created,
    };
  }
  for (const table of added) yield addedTable(table, after);
  for (const [earlier, later] of both) {
    yield* tenancyChanges(later.id, before.tenancyOf(later.id), after.tenancyOf(later.id), earlier, later);
    yield* keyColumnChanges(earlier, later, before.tenancyOf(later.id));
    yield* constraintChanges(earlier, later, after.tenancyOf(later.id));
    yield* indexChanges(earlier, later);
    yield* rowSecurityChanges(earlier, later);
    yield* policyChanges(earlier, later, before, after);
  }
}

function addedTable(table: Table, model: Model): Change {
  const { kind, why } = model.tenancyOf(table.id);
  const isolated = !model.databaseIsolates(table)
    ? ''
    : table.rowSecurity.enabled
      ? `, row security with ${table.policies.length} ${table.policies.length === 1 ? 'policy' : 'policies'}`
      : ', row security off';
  return {
    thing: 'table',
    what: 'added',
    name: table.id,
    table: table.id,
    effect: 'neutral',
    text: `table ${table.id} is new: ${kind} (${why})${isolated}`,
    after: table.origin.created,
  };
}

const keysOf = (tenancy: Tenancy): readonly string[] =>
  tenancy.kind === 'keyed' ? tenancy.keys.map((k) => k.column) : [];

function* tenancyChanges(id: TableId, was: Tenancy, is: Tenancy, before: Table, after: Table): Iterable<Change> {
  const lost = keysOf(was).filter((key) => !keysOf(is).includes(key));
  const gained = keysOf(is).filter((key) => !keysOf(was).includes(key));
  if (was.kind === is.kind && lost.length === 0 && gained.length === 0) return;
  const owned = (t: Tenancy): boolean => t.kind === 'keyed' || t.kind === 'child' || t.kind === 'root';
  const renamed = lost.length === 1 && gained.length === 1;
  yield {
    thing: 'tenancy',
    what: 'changed',
    name: id,
    table: id,
    effect:
      owned(was) && !owned(is)
        ? 'weaker'
        : !owned(was) && owned(is)
          ? 'stricter'
          : lost.length > 0 && !renamed
            ? 'weaker'
            : 'neutral',
    text: renamed
      ? `the tenant of ${id} is ${gained[0]!} now, it was ${lost[0]!}`
      : `${id} was ${said(was)} and is ${said(is)}`,
    before: before.origin.changed.at(-1) ?? before.origin.created,
    after: after.origin.changed.at(-1) ?? after.origin.created,
  };
}

const said = (tenancy: Tenancy): string =>
  tenancy.kind === 'keyed' ? `keyed by ${keysOf(tenancy).join(', ')}` : tenancy.kind;

/** NOT NULL, type and default of the columns that say whose row it is. */
function* keyColumnChanges(before: Table, after: Table, tenancy: Tenancy): Iterable<Change> {
  for (const key of keysOf(tenancy)) {
    const was = before.columns.get(key);
    const is = after.columns.get(key);
    if (!was || !is) continue;
    const places = { after: is.origin.changed.at(-1) ?? is.origin.created, before: was.origin.created };
    const base = { thing: 'column', what: 'changed', name: `${after.id}.${key}`, table: after.id, ...places } as const;
    if (was.notNull !== is.notNull)
      yield {
        ...base,
        effect: is.notNull ? 'stricter' : 'weaker',
        text: `${after.id}.${key} may ${is.notNull ? 'no longer' : 'now'} be NULL`,
      };
    if (was.type !== is.type)
      yield { ...base, effect: 'neutral', text: `${after.id}.${key} is ${is.type} now, it was ${was.type}` };
    if ((was.default === undefined) !== (is.default === undefined))
      yield {
        ...base,
        effect: is.default === undefined ? 'neutral' : 'unknown',
        text: `${after.id}.${key} ${is.default === undefined ? 'has no default any more' : 'has a default now'}`,
      };
  }
}

/** Whether a constraint keeps tenants apart: it names the tenant's key together with something else. */
function ties(constraint: Constraint, tenancy: Tenancy): boolean {
  const keys = new Set(keysOf(tenancy));
  return (
    (constraint.kind === 'unique' || constraint.kind === 'primary key' || constraint.kind === 'foreign key') &&
    constraint.columns.some((c) => keys.has(c))
  );
}

function constraintChanges(before: Table, after: Table, tenancy: Tenancy): Change[] {
  const { removed, added } = matched(before.constraints, after.constraints, (c) =>
    withoutPlaces({ ...c, name: undefined }),
  );
  const change = (c: Constraint, what: 'added' | 'removed'): Change => ({
    thing: 'constraint',
    what,
    name: `${after.id} ${nameOf(c)}`,
    table: after.id,
    effect: !ties(c, tenancy) ? 'neutral' : what === 'added' ? 'stricter' : 'weaker',
    text: `${nameOf(c)} of ${after.id} is ${what === 'added' ? 'new' : 'gone'}`,
    ...(what === 'added' ? { after: c.origin.created } : { before: c.origin.created }),
  });
  return [...removed.map((c) => change(c, 'removed')), ...added.map((c) => change(c, 'added'))];
}

const nameOf = (c: Constraint): string =>
  'columns' in c ? `${c.kind} (${c.columns.join(', ')})` : `${c.kind}${c.name === undefined ? '' : ` ${c.name}`}`;

function indexChanges(before: Table, after: Table): Change[] {
  const { removed, added } = matched(before.indexes, after.indexes, (i) => withoutPlaces({ ...i, name: undefined }));
  const change = (i: Index, what: 'added' | 'removed'): Change => ({
    thing: 'index',
    what,
    name: `${after.id} ${keysOfIndex(i)}`,
    table: after.id,
    effect: 'neutral',
    text: `the index (${keysOfIndex(i)}) of ${after.id} is ${what === 'added' ? 'new' : 'gone'}`,
    ...(what === 'added' ? { after: i.origin.created } : { before: i.origin.created }),
  });
  return [...removed.map((i) => change(i, 'removed')), ...added.map((i) => change(i, 'added'))];
}

const keysOfIndex = (i: Index): string => i.keys.map((k) => k.column ?? 'expression').join(', ');

function* rowSecurityChanges(before: Table, after: Table): Iterable<Change> {
  for (const [which, words] of [
    ['enabled', 'row security'],
    ['forced', 'forced row security'],
  ] as const) {
    if (before.rowSecurity[which] === after.rowSecurity[which]) continue;
    const on = after.rowSecurity[which];
    const at = after.rowSecurity.origin;
    const was = before.rowSecurity.origin;
    yield {
      thing: 'row security',
      what: on ? 'added' : 'removed',
      name: after.id,
      table: after.id,
      effect: on ? 'stricter' : 'weaker',
      text: `${words} of ${after.id} is ${on ? 'on' : 'off'} now`,
      ...(at ? { after: at.changed.at(-1) ?? at.created } : {}),
      ...(was ? { before: was.created } : {}),
    };
  }
}
