import { idOf, sqlName, type CatalogColumn, type Relation } from '../catalog.js';
import { insertOf, type Row } from '../fill/fill.js';
import type { Context } from '../identity.js';
import { literal, quoteName } from '../session/session.js';
import type { Attempt, Command, Planned, Way } from './attempt.js';
import { changed, idleColumn, isOf, note, quietly, type Owned } from './owned.js';
import { variantsOf, type Variant } from './variants.js';

/** As whom, and what that role may do with which columns. */
export interface As {
  readonly role: string;
  readonly context: Context;
  mayUse(relation: Relation, column: CatalogColumn, privilege: 'SELECT' | 'INSERT' | 'UPDATE'): boolean;
}

const always: readonly Command[] = ['read', 'insert', 'update', 'delete'];
const properly: readonly Command[] = [...always, 'move', 'upsert', 'truncate'];

/** Every try on the rows of a table itself, or on one of its partitions. */
export function planTable(owned: Owned, as: As, through: Relation = owned.relation): readonly Planned[] {
  const way: Way = { kind: through === owned.relation ? 'table' : 'partition', name: idOf(through) };
  // Without row security the context changes nothing.
  if (as.context.name !== '' && !owned.relation.rowSecurity) return [];
  const commands = as.context.name === '' ? properly : always;
  return commands.flatMap((command) => {
    // A new row of the table of tenants is a new tenant, not a row of another one.
    if (owned.tenancy.kind === 'root' && (command === 'insert' || command === 'move' || command === 'upsert'))
      return [];
    const cell = { table: idOf(owned.relation), way, command, role: as.role, context: as.context.name };
    const made = variantsOf(owned).map((variant) => attemptOf(owned, through, command, as, way, variant));
    const attempts = made.filter((a) => typeof a !== 'string');
    const [reason] = made.filter((a) => typeof a === 'string');
    return [{ ...cell, attempts, ...(attempts.length === 0 ? { notTried: reason ?? 'nothing to try' } : {}) }];
  });
}

function attemptOf(
  owned: Owned,
  through: Relation,
  command: Command,
  as: As,
  way: Way,
  variant: Variant,
): Attempt | string {
  const { relation } = owned;
  const target = sqlName(through);
  const base = {
    table: idOf(relation),
    way,
    command,
    role: as.role,
    context: as.context,
    rowsLeak: false,
    ...(variant.world === '' ? {} : { world: variant.world }),
  };
  const sets = Object.entries(variant.change).map(([c, v]) => `${quoteName(c)} = ${literal(v)}`);
  const vary =
    sets.length === 0 ? [] : [`update ${sqlName(relation)} set ${sets.join(', ')} where ${isOf(owned, 'B')}`];
  const without = `delete from ${sqlName(relation)} where ${isOf(owned, 'B')}`;
  const foreign: Row = { ...owned.B, ...variant.change };
  const appears = `select 1 from ${sqlName(relation)} where ${isOf(owned, 'B')}`;
  const idle = idleColumn(relation, (c) => as.mayUse(through, c, 'UPDATE')) ?? idleColumn(relation, () => true);
  switch (command) {
    case 'read': {
      const telling = owned.columns.filter((name) =>
        relation.columns.some((c) => c.name === name && as.mayUse(through, c, 'SELECT')),
      );
      const condition =
        telling.length > 0
          ? telling.map((c) => `${quoteName(c)} = ${literal(owned.B[c] ?? null)}`).join(' and ')
          : isOf(owned, 'B');
      return {
        ...base,
        prepare: quietly(vary),
        statement: `select 1 from ${target} where ${condition}`,
        rowsLeak: true,
      };
    }
    case 'insert':
      return {
        ...base,
        prepare: quietly([without]),
        statement: insertOf(through, insertable(owned, through, foreign, as)),
        probe: appears,
      };
    case 'update':
      if (!idle) return 'no column can be set';
      return {
        ...base,
        prepare: [...quietly(vary), note([owned])],
        statement: `update ${target} set ${quoteName(idle.name)} = ${quoteName(idle.name)}`,
        probe: changed([owned]),
      };
    case 'delete':
      return {
        ...base,
        prepare: [...quietly([...vary, ...(owned.keptBy ?? [])]), note([owned])],
        statement: `delete from ${target}`,
        probe: changed([owned]),
      };
    case 'move': {
      if (Object.keys(variant.change).length > 0) return 'moved rows are of A';
      const to = owned.columns.map((c) => `${quoteName(c)} = ${literal(owned.B[c] ?? null)}`).join(', ');
      return { ...base, prepare: quietly([without]), statement: `update ${target} set ${to}`, probe: appears };
    }
    case 'upsert': {
      const key =
        relation.constraints.find((c) => c.kind === 'primary key') ??
        relation.constraints.find((c) => c.kind === 'unique');
      const names = key?.columns.map((n) => relation.columns.find((c) => c.number === n)?.name ?? '') ?? [];
      if (!key || !idle || names.some((n) => (owned.B[n] ?? null) === null))
        return 'the table has no key that an upsert could meet';
      if (through !== relation) return 'tried on the table';
      const suffix = ` on conflict (${names.map(quoteName).join(', ')}) do update set ${quoteName(idle.name)} = excluded.${quoteName(idle.name)}`;
      return {
        ...base,
        prepare: [...quietly(vary), note([owned])],
        statement: insertOf(through, foreign, suffix),
        probe: changed([owned]),
      };
    }
    case 'truncate':
      if (Object.keys(variant.change).length > 0) return 'all rows go alike';
      return { ...base, prepare: [note([owned])], statement: `truncate ${target} cascade`, probe: changed([owned]) };
    default:
      return 'nothing to try';
  }
}

/** The columns of a row that the role may give; all where it may not give some that the row needs. */
function insertable(owned: Owned, through: Relation, row: Row, as: As): Row {
  const may = (name: string): boolean => {
    const column = owned.relation.columns.find((c) => c.name === name);
    return column !== undefined && as.mayUse(through, column, 'INSERT');
  };
  if (!owned.columns.every(may)) return row;
  return Object.fromEntries(Object.entries(row).filter(([name]) => may(name)));
}
