import { idOf, sqlName, type CatalogConstraint, type Relation } from '../catalog.js';
import { insertOf, type Row } from '../fill/fill.js';
import { literal, quoteName } from '../session/session.js';
import type { Planned, Way } from './attempt.js';
import { changed, isOf, note, quietly, type Owned } from './owned.js';
import type { As } from './tables.js';

/**
 * What references of a table let through: a row of A that refers to a row of B, and a row of B that goes with a row of A it refers to.
 * References that are nothing but the key say whose the row is, which inserting and moving try.
 */
export function planLinks(owned: Owned, all: ReadonlyMap<string, Owned>, as: As): readonly Planned[] {
  if (as.context.name !== '' || owned.tenancy.kind === 'root') return [];
  return owned.relation.constraints.flatMap((constraint) => {
    const parent = constraint.to === undefined ? undefined : all.get(constraint.to);
    if (constraint.kind !== 'foreign key' || !parent || parent.tenancy.kind === 'root') return [];
    const pairs = pairsOf(owned.relation, parent.relation, constraint).filter(([own]) => !owned.columns.includes(own));
    if (pairs.length === 0) return [];
    return [
      reference(owned, parent, constraint, pairs, as),
      ...(/[cnd]/.test(constraint.onDelete) ? [cascade(owned, parent, constraint, pairs, as)] : []),
    ];
  });
}

type Pair = readonly [own: string, theirs: string];

const pairsOf = (table: Relation, parent: Relation, constraint: CatalogConstraint): readonly Pair[] =>
  constraint.columns.flatMap((n, i): Pair[] => {
    const own = table.columns.find((c) => c.number === n)?.name;
    const theirs = parent.columns.find((c) => c.number === constraint.toColumns[i])?.name;
    return own === undefined || theirs === undefined ? [] : [[own, theirs]];
  });

const cellOf = (
  owned: Owned,
  constraint: CatalogConstraint,
  command: 'reference' | 'cascade',
  as: As,
): Omit<Planned, 'attempts'> => {
  const way: Way = { kind: 'table', name: `${idOf(owned.relation)} (${constraint.name})` };
  return { table: idOf(owned.relation), way, command, role: as.role, context: '' };
};

function reference(
  owned: Owned,
  parent: Owned,
  constraint: CatalogConstraint,
  pairs: readonly Pair[],
  as: As,
): Planned {
  const cell = cellOf(owned, constraint, 'reference', as);
  const row: Row = { ...owned.A, ...Object.fromEntries(pairs.map(([own, theirs]) => [own, parent.B[theirs] ?? null])) };
  const points = pairs.map(([own, theirs]) => `${quoteName(own)} = ${literal(parent.B[theirs] ?? null)}`).join(' and ');
  return {
    ...cell,
    attempts: [
      {
        ...cell,
        context: as.context,
        prepare: quietly([`delete from ${sqlName(owned.relation)} where ${isOf(owned, 'A')}`]),
        statement: insertOf(owned.relation, row),
        rowsLeak: false,
        probe: `select 1 from ${sqlName(owned.relation)} where ${isOf(owned, 'A')} and ${points}`,
        constraintBlocks: true,
      },
    ],
  };
}

function cascade(owned: Owned, parent: Owned, constraint: CatalogConstraint, pairs: readonly Pair[], as: As): Planned {
  const cell = cellOf(owned, constraint, 'cascade', as);
  const tie = pairs.map(([own, theirs]) => `${quoteName(own)} = ${literal(parent.A[theirs] ?? null)}`).join(', ');
  return {
    ...cell,
    attempts: [
      {
        ...cell,
        context: as.context,
        // The reference is checked here: where it carries the tenant, no row of B can come to refer to a row of A.
        prepare: [
          `update ${sqlName(owned.relation)} set ${tie} where ${isOf(owned, 'B')}`,
          'set constraints all immediate',
          ...quietly(
            (parent.keptBy ?? []).filter(
              (sql) =>
                !sql.startsWith(`delete from ${sqlName(owned.relation)} `) &&
                sql !== `delete from ${sqlName(owned.relation)}`,
            ),
          ),
          note([owned]),
        ],
        statement: `delete from ${sqlName(parent.relation)}`,
        rowsLeak: false,
        probe: changed([owned]),
        constraintBlocks: true,
      },
    ],
  };
}
